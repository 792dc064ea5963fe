local sim = require "sim"

return sim.scenario {
  name     = "promises survive power losses between calls",
  story    = "redis/redis#8111: the result of an fsync was ignored, and acknowledged writes were gone after a power loss",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "8s",
  workload = sim.kv { keys = 16, rate = "80/s", deletes = "10%" },
  network  = { delay = "1ms..20ms" },
  disk     = { on_crash = "adversarial", fsync = "1ms..30ms" }, -- slow: there is always something to lose
  engine   = { preset = "fast" }, -- fsyncs are spaced: a promise waits for the next one
  expects  = { "power_loss", "disk_lost_pending", "disk_size", "disk_fsync_cut" },

  run = function(world)
    for _ = 1, 6 do
      world:sleep(world:between("200ms", "1s"))
      local node = world:node(world:pick(3))
      node:crash()
      world:sleep(world:between("10ms", "300ms"))
      node:restart()
    end
  end,

  properties = {
    sim.sometimes("power was lost while an fsync was in flight", function(w)
      return w:fault("disk_fsync_cut").firings > 0
    end),
    sim.sometimes("hundreds of operations were promised", function(w) return w:stats().promised > 300 end),
  },
}
