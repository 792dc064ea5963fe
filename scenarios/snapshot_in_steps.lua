local sim = require "sim"

return sim.scenario {
  name     = "a snapshot that takes many steps is of one instant",
  story    = "basho/bitcask#82: what was written while files were merged was in neither of them",
  nodes    = 3,
  duration = "8s",
  workload = sim.kv { keys = 400, rate = "200/s", deletes = "25%", batch = "10%", value = "100B..900B" },
  network  = { delay = "1ms..10ms" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { snapshot = "48KiB", retain = "64KiB", segment = "32KiB", ack_timeout = "500ms", retry_interval = "200ms" },
  expects  = { "net_partition", "power_loss" },

  run = function(world)
    local away = world:pick(3)
    for _ = 1, 3 do
      world:sleep "1s"
      local cut = world:isolate(away) -- so that it takes a snapshot, while it takes its own
      world:sleep(world:between("500ms", "2s"))
      cut:heal()
      for _ = 1, 8 do
        world:sleep(world:between("1ms", "120ms"))
        world:node(away):snapshot()
      end
      local node = world:node(world:pick(3))
      if world:chance "50%" then node:crash() else node:process_crash() end
      world:sleep(world:between("1ms", "300ms"))
      node:restart()
    end
  end,

  properties = {
    sim.sometimes("a snapshot was merged", function(w) return w:stats().merges > 0 end),
    sim.eventually("every replica is equal", "30s", function(w) return w:converged() end),
  },
}
