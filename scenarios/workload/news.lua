local sim = require "sim"

return sim.scenario {
  name     = "many keys come, the newest are written most, and all nodes have them all",
  story    = "Cooper et al., YCSB (SoCC 2010), workload D: feeds in which what is new is hot, and nothing is ever taken out",
  nodes    = 3,
  duration = "4s",
  workload = sim.kv { keys = 100, zipf = "0.99", grow = "250/s", rate = "250/s", batch = "60%", value = "16B..24B",
                      busy = "300ms..1500ms", quiet = "200ms..1s" },
  network  = { delay = "1ms..20ms", loss = "1%" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms", snapshot = "32KiB", segment = "32KiB", retain = "16KiB" },
  expects  = { "power_loss" },

  run = function(world)
    for _ = 1, 2 do
      world:sleep(world:between("500ms", "1500ms"))
      local node = world:node(world:pick(3))
      node:crash()
      world:sleep(world:between("50ms", "1s"))
      node:restart()
    end
  end,

  properties = {
    sim.sometimes("a node has 500 keys", function(w) return #w:node(1):list("", { limit = 500 }) == 500 end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() and w:drained() end),
  },
}
