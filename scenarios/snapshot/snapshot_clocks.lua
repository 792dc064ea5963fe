local sim = require "sim"

-- A clock that lags is carried by what was seen: in a snapshot, too, when the log behind it is gone.
local seen = { base = false, merged = false }

return sim.scenario {
  name     = "the clock of what was seen survives in a snapshot",
  story    = "aphyr.com/posts/299: the wall clock decided which write was last, and skewed clocks lost acknowledged writes",
  tags     = { "smoke" },
  nodes    = 2,
  duration = "8s",
  workload = sim.kv { keys = 8, rate = "60/s", deletes = "10%", value = "16B..200B" },
  network  = { delay = "2ms..10ms" },
  disk     = { fsync = "1ms..5ms" },
  engine   = { segment = "4KiB", snapshot = "1MiB", retain = "4KiB", ack_timeout = "400ms", retry_interval = "150ms",
               retry_cap = "1s", max_retries = 3, probe_interval = "500ms" },
  expects  = { "clock_step", "power_loss" },

  run = function(world)
    local ahead = world:pick(2)
    local node = world:node(3 - ahead)
    world:node(ahead):clock { step = "400ms" } -- within the clock bound
    for _ = 1, 4 do
      world:sleep(world:between("300ms", "800ms"))
      local cut = world:isolate(ahead)
      if world:chance "50%" then -- it begins with a base of which the log has nothing behind
        local before = world:stats().snapshots
        world:workload "stop"
        node:snapshot()
        if world:wait_until(function() return world:stats().snapshots > before end, "200ms") then
          node:crash()
          node:restart()
          seen.base = true
        end
        node:put(1, "20B")
        world:workload "start"
      else -- it merges one
        node:crash()
        world:sleep(world:between("1s", "1500ms"))
        world:node(ahead):snapshot()
        world:sleep "100ms"
        cut:heal()
        local before = world:stats().merges
        node:restart()
        world:wait_until(function() return world:stats().merges > before end, "500ms")
        seen.merged = seen.merged or world:stats().merges > before
        node:put(1, "20B")
      end
      cut:heal()
    end
  end,

  properties = {
    sim.sometimes("a node began with a snapshot alone", function() return seen.base end),
    sim.sometimes("a node wrote behind a merge", function() return seen.merged end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
