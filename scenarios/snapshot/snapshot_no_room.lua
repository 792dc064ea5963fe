local sim = require "sim"

-- A disk has just no room left for the next snapshot, while the last one and the log are all that there is of the state.
return sim.scenario {
  name     = "a snapshot for which there is no room is given up, and loses nothing",
  story    = "ZOOKEEPER-3701: the disk was full while a log was cut, the error was ignored, and the replicas differed",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "12s",
  workload = sim.kv { keys = 24, rate = "60/s", deletes = "10%", value = "64B..1KiB" },
  network  = { delay = "1ms..20ms" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms", fsync_error = "1%", quota = "1MiB" },
  engine   = { segment = "8KiB", snapshot = "16KiB", retain = "8KiB", ack_timeout = "500ms", retry_interval = "200ms" },
  expects  = { "disk_full", "power_loss" },

  run = function(world)
    for _ = 1, 5 do
      local node = world:node(world:pick(3))
      world:sleep(world:between("500ms", "1s"))
      node:disk { quota = tostring(node:disk_used() // 1024 + world:pick(12)) .. "KiB" }
      node:snapshot()
      world:sleep(world:between("50ms", "500ms"))
      node:disk { quota = "1MiB" } -- somebody made room
      world:sleep(world:between("5ms", "1s"))
      node:crash()
      node:restart()
    end
  end,

  properties = {
    sim.sometimes("a snapshot was given up", function(w) return w:stats().snapshots_failed > 0 end),
    sim.sometimes("a snapshot became the base", function(w) return w:stats().snapshots > 2 end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
