local sim = require "sim"

-- A node with an empty disk takes its first snapshot as soon as it has anything, while the first segment of its log has no
-- durable name yet.
return sim.scenario {
  name     = "a snapshot counts only with the log that it belongs to",
  story    = "a snapshot was durable before the log that goes on behind it was: a power loss left a store without a log",
  tags     = { "smoke" },
  nodes    = 2,
  duration = "8s",
  workload = sim.kv { keys = 8, rate = "200/s", deletes = "10%", value = "16B..200B" },
  network  = { delay = "1ms..5ms" },
  disk     = { on_crash = "adversarial", fsync = "1ms..80ms" },
  engine   = { segment = "8KiB", snapshot = "64KiB", ack_timeout = "400ms", retry_interval = "150ms", retry_cap = "1s" },
  expects  = { "power_loss", "wipe" },

  run = function(world)
    for _ = 1, 6 do
      local node = world:node(world:pick(2))
      node:wipe()
      node:restart()
      for _ = 1, world:pick(6) do node:put(world:pick(8), "40B") end
      node:snapshot()
      local before = world:stats().snapshots
      world:wait_until(function() return world:stats().snapshots > before end, world:between("50ms", "300ms"))
      node:crash()
      node:restart()
      world:sleep(world:between("100ms", "500ms"))
    end
  end,

  properties = {
    sim.sometimes("a snapshot became the base", function(w) return w:stats().snapshots > 0 end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
