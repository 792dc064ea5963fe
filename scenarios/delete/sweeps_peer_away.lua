local sim = require "sim"

-- What one of the runs saw, for the properties.
local seen = { waited = false, back = false }

-- A peer is away far longer than anybody waits; it wrote before it went, and while it was alone.
return sim.scenario {
  name     = "tombstones wait for a peer that is away, and nothing comes back with it",
  story    = "scylladb/scylladb#3560, #4277, syncthing/syncthing#10023: a node was down for longer than tombstones were kept, and "
          .. "brought back what had been deleted meanwhile",
  nodes    = 3,
  duration = "20s",
  workload = sim.kv { keys = 600, rate = "40/s", deletes = "45%", value = "64B..200B" },
  network  = { delay = "2ms..30ms", loss = "1%", duplicate = "3%", duplicate_within = "2s" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { sweep_interval = "500ms", ack_timeout = "400ms", retry_interval = "150ms", retry_cap = "1s",
               max_retries = 3, probe_interval = "1s", segment = "8KiB", snapshot = "12KiB", retain = "4KiB" },
  expects  = { "net_partition", "power_loss" },

  run = function(world)
    local away = world:pick(3)
    local node, other = world:node(away), world:node(away % 3 + 1)
    world:sleep(world:between("1s", "2s"))
    local cut = world:isolate(away)
    if world:chance "50%" then node:crash() end
    world:sleep(world:between("3s", "7s"))
    local here = other:tombstones()
    seen.waited = here.size > 10
    if world:chance "50%" then -- what waits is in its snapshot, in the order of keys
      other:crash()
      world:sleep(world:between("5ms", "50ms"))
      other:restart()
      here = other:tombstones()
    end
    node:restart()
    world:sleep(world:between("10ms", "500ms"))
    cut:heal()
    seen.back = world:wait_until(function() return other:tombstones().swept > here.swept + 5 end, "5s")
  end,

  properties = {
    sim.sometimes("tombstones waited", function() return seen.waited end),
    sim.sometimes("they went when the peer was back", function() return seen.waited and seen.back end),
    sim.sometimes("a snapshot brought it up to date", function(world) return world:stats().merges > 0 end),
    sim.eventually("every replica is equal", "40s", function(w) return w:converged() and w:drained() end),
  },
}
