local sim = require "sim"

return sim.scenario {
  name     = "a node that lost its disk gets everything back",
  story    = "apache/pouchdb#585: a database was wiped and made anew, and its peers went on from the old checkpoint",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "10s",
  workload = sim.kv { keys = 16, rate = "50/s", deletes = "10%" },
  network  = { delay = "2ms..20ms", duplicate = "5%", duplicate_within = "1s" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms" },
  expects  = { "wipe", "power_loss" },

  run = function(world)
    for _ = 1, 2 do
      local node = world:node(world:pick(3))
      world:sleep(world:between("1s", "2s"))
      node:crash()
      node:wipe() -- somebody put a new disk in
      world:sleep(world:between("50ms", "1s"))
      node:restart()
    end
  end,

  properties = {
    sim.sometimes("the new disk was behind", function(w)
      return w:fault("wipe").firings > 0 and not w:converged()
    end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() end),
  },
}
