local sim = require "sim"

-- What one of the runs saw, for the properties.
local seen = { restored = false, wiped = false }

-- A node comes back from before the deletes, or from before the sweeps, or with nothing at all.
return sim.scenario {
  name     = "an old disk brings back nothing that was deleted and swept",
  story    = "scylladb/scylladb#14823: a log was replayed after the tombstones of its rows had been dropped, and the rows were back",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "14s",
  workload = sim.kv { keys = 25, rate = "40/s", deletes = "45%", value = "16B..64B" },
  network  = { delay = "2ms..30ms", loss = "1%", duplicate = "3%", duplicate_within = "1s" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { sweep_interval = "300ms", ack_timeout = "400ms", retry_interval = "150ms", segment = "16KiB",
               snapshot = "24KiB" },
  expects  = { "restore", "wipe", "power_loss" },

  run = function(world)
    for _ = 1, 3 do
      local n = world:pick(3)
      local node, other = world:node(n), world:node(n % 3 + 1)
      world:sleep(world:between("500ms", "1500ms"))
      node:backup()
      local swept = other:tombstones().swept
      world:sleep(world:between("300ms", "2500ms"))
      if world:chance "60%" then
        node:restore()
        seen.restored = seen.restored or other:tombstones().swept > swept
      else
        node:crash()
        node:wipe()
        seen.wiped = seen.wiped or other:tombstones().swept > 0
      end
      world:sleep(world:between("10ms", "600ms"))
      node:restart()
    end
  end,

  properties = {
    sim.sometimes("a disk from before a sweep came back", function() return seen.restored end),
    sim.sometimes("a disk was lost after a sweep", function() return seen.wiped end),
    sim.eventually("every replica is equal", "40s", function(w) return w:converged() and w:drained() end),
  },
}
