local sim = require "sim"

return sim.scenario {
  name     = "one message in five is lost",
  story    = "automerge/automerge#772: a message was dropped, and its sender believed for ever that it had arrived",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "10s",
  workload = sim.kv { keys = 16, rate = "50/s", deletes = "10%" },
  network  = { delay = "5ms..40ms", loss = "20%", slow = "1%", slow_within = "2s" },
  engine   = { ack_timeout = "400ms", retry_interval = "150ms", retry_cap = "1s", window_ops = 16 },

  properties = {
    sim.sometimes("an acknowledgement timed out", function(w) return w:stats().timeouts > 0 end),
    sim.always("the outbox stays below five hundred", function(w) return w:node(1):outbox().size < 500 end),
    sim.eventually("nothing is owed any more", "15s", function(w) return w:drained() end),
  },
}
