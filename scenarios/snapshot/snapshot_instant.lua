local sim = require "sim"

-- Keys by the hundred change while a snapshot walks over them, which takes it many steps; then power fails, or a node that
-- was away fetches it, while it takes one itself.
return sim.scenario {
  name     = "a snapshot is of one instant, whatever is written while it is taken",
  story    = "syncable-dev/memtrace-public#80: a snapshot said an offset of the log in the middle of a record",
  nodes    = 3,
  duration = "7s",
  workload = sim.kv { keys = 120, rate = "120/s", deletes = "10%", batch = "20%", value = "1KiB..4KiB" },
  network  = { delay = "2ms..20ms", loss = "1%" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { segment = "32KiB", snapshot = "256KiB", retain = "64KiB", ack_timeout = "400ms",
               retry_interval = "150ms", retry_cap = "1s", max_retries = 3, probe_interval = "500ms" },
  expects  = { "power_loss" },

  run = function(world)
    for _ = 1, 4 do
      local node = world:node(world:pick(3))
      world:sleep(world:between("300ms", "800ms"))
      local before = world:stats().snapshots
      for i = 1, 3 do world:node(i):snapshot() end
      world:wait_until(function() return world:stats().snapshots >= before + 3 end, "500ms")
      node:crash()
      world:sleep(world:between("300ms", "1500ms")) -- some are behind the others' logs then
      node:restart()
      local merges = world:stats().merges
      for _ = 1, 120 do -- its own is on its way while it merges another's
        node:snapshot()
        node:put(world:pick(120), "1KiB")
        world:sleep(world:between("3ms", "15ms"))
        if world:stats().merges > merges then break end
      end
    end
  end,

  properties = {
    sim.sometimes("a snapshot became the base", function(w) return w:stats().snapshots > 2 end),
    sim.sometimes("a snapshot was merged", function(w) return w:stats().merges > 0 end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() and w:drained() end),
  },
}
