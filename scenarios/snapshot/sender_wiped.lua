local sim = require "sim"

-- Node 3 comes back to a log that has gone, and is sent a snapshot. The instant that it has all of it, and begins to make it
-- durable, its sender loses its disk, and is back, empty, before that is done.
local seen = { wiped = 0 }

return sim.scenario {
  name     = "who lost its disk while its snapshot was on the way is not taken to hold it",
  story    = "A rebuilt replica was believed to have what the one before it had, since the answer came from its time",
  nodes    = 3,
  duration = "12s",
  workload = sim.kv { keys = 24, rate = "60/s", deletes = "5%", value = "64B..512B" },
  network  = { delay = "1ms..3ms" },
  disk     = { on_crash = "strict", fsync = "15ms..40ms" },
  engine   = { segment = "8KiB", snapshot = "16KiB", retain = "8KiB", ack_timeout = "500ms", retry_interval = "200ms",
               retry_cap = "500ms", max_retries = 3, probe_interval = "500ms" },
  expects  = { "power_loss", "wipe" },

  run = function(world)
    local away = world:node(3)
    world:sleep "500ms"
    away:crash()
    world:sleep(world:between("3s", "4s"))
    world:workload "stop"
    world:sleep "1s"
    world:on("fsync_requested", { node = 3, file = "stage-", nth = 1 }, function(_, event)
      local sender = world:node(seen.sender)
      world:log(event.file)
      sender:wipe()
      sender:restart()
      seen.wiped = seen.wiped + 1
    end)
    world:on("fetch", { node = 3 }, function(_, event) seen.sender = event.peer end)
    away:restart()
  end,

  properties = {
    sim.sometimes("it was wiped while its snapshot was being made durable", function() return seen.wiped > 0 end),
    sim.sometimes("and the snapshot was merged", function(world) return world:stats().merges > 0 and seen.wiped > 0 end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() and w:drained() end),
  },
}
