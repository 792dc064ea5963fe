local sim = require "sim"

return sim.scenario {
  name     = "messages that overtake each other",
  story    = "automerge/automerge-classic#258: an operation that came before its cause was acknowledged and then lost",
  tags     = { "smoke" },
  nodes    = 4,
  duration = "8s",
  workload = sim.kv { keys = 4, rate = "80/s", deletes = "20%", hot = "30%" },
  network  = { delay = "1ms..5ms", reorder = "30%", reorder_within = "400ms" },
  engine   = { batch_size = 2, ack_timeout = "800ms", retry_interval = "300ms", idle_hello = "200ms" },
  shuffle  = true,

  properties = {
    sim.sometimes("an operation came before its cause", function(w) return w:stats().not_yet > 0 end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() end),
  },
}
