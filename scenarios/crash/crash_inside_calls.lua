local sim = require "sim"

return sim.scenario {
  name     = "promises survive power losses inside any call",
  story    = "prometheus-junkyard/tsdb#451: appended behind a torn record; everything written later was unreadable",
  nodes    = 3,
  duration = "10s",
  workload = sim.kv { keys = 16, rate = "60/s", deletes = "10%", batch = "10%", value = "16B..3KiB" },
  network  = { delay = "1ms..20ms" },
  disk     = { on_crash = "adversarial", fsync = "1ms..20ms", write_back = "10%" },
  engine   = { segment = "4KiB" }, -- small: the log changes its segment often
  expects  = { "power_loss_in_call", "disk_torn", "disk_directory" },

  run = function(world)
    for _ = 1, 8 do
      local node = world:node(world:pick(3))
      node:crash { within = 60 }
      world:wait_until(function() return not node:up() end, "2s")
      world:sleep(world:between("1ms", "200ms"))
      node:restart()
    end
  end,

  properties = {
    sim.sometimes("the log changed its segment", function(w) return w:stats().rotations > 0 end),
    sim.sometimes("a directory change was lost", function(w) return w:fault("disk_directory").firings > 0 end),
  },
}
