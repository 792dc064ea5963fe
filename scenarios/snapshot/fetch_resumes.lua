local sim = require "sim"

-- A snapshot takes longer to send than its receiver ever stays up: it arrives all the same, since what is there is not
-- fetched again.
local seen = { ended = true, resumed = 0 }

return sim.scenario {
  name     = "a snapshot that takes long arrives, though its receiver dies on the way",
  story    = "etcd-io/etcd#12504: each try to send a snapshot began anew, and it never ended",
  nodes    = 2,
  duration = "20s",
  workload = sim.kv { keys = 80, rate = "10/s", deletes = "5%", value = "2KiB..8KiB" },
  network  = { delay = "2ms..10ms", bandwidth = "512KiB/s", queue = "512KiB" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { segment = "64KiB", snapshot = "1MiB", retain = "16KiB", ack_timeout = "2s",
               retry_interval = "500ms", retry_cap = "1s", max_retries = 3, probe_interval = "500ms" },
  expects  = { "process_crash" },

  run = function(world)
    local away = world:pick(2)
    local node, other = world:node(away), world:node(3 - away)
    world:sleep(world:between("500ms", "1s"))
    node:crash()
    for i = 1, 80 do
      other:put(i, "8KiB")
      world:sleep "10ms"
    end
    other:snapshot()
    world:sleep "500ms"
    node:restart()
    for _ = 1, 16 do
      world:sleep(world:between("600ms", "900ms"))
      if world:stats().merges > 0 then break end
      node:process_crash() -- what the page cache has survives
      world:sleep(world:between("1ms", "20ms"))
      node:restart()
      seen.resumed = seen.resumed + 1
    end
    seen.ended = world:wait_until(function() return world:stats().merges > 0 end, "700ms")
  end,

  properties = {
    sim.always("the transfer ends", function() return seen.ended end),
    sim.sometimes("it was resumed again and again", function() return seen.resumed > 2 end),
    sim.eventually("every replica is equal", "60s", function(w) return w:converged() and w:drained() end),
  },
}
