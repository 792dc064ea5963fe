local sim = require "sim"

return sim.scenario {
  name     = "messages that arrive damaged, cut short, extended, spliced, or at the wrong node",
  story    = "Amazon S3, July 2008: single flipped bits in messages between servers took the service down for hours",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "10s",
  workload = sim.kv { keys = 16, rate = "50/s", deletes = "10%", batch = "20%" },
  network  = { delay = "2ms..20ms", corrupt = "5%", truncate = "5%", extend = "5%", splice = "5%", misdeliver = "5%" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms" },

  properties = {
    sim.sometimes("a damaged frame was refused", function(w) return w:stats().refusals > 0 end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() end),
  },
}
