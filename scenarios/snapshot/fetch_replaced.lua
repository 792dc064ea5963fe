local sim = require "sim"

-- Far away: a snapshot takes longer to arrive than the next ones take to be there. The one that is on its way is kept until it
-- has arrived.
local seen = { ended = true, replaced = 0 }

return sim.scenario {
  name     = "a snapshot that takes long arrives, though newer ones replace it",
  story    = "etcd-io/etcd#12504: each snapshot was replaced before it was there, and the transfer never ended",
  nodes    = 2,
  duration = "16s",
  workload = sim.kv { keys = 80, rate = "10/s", deletes = "5%", value = "8KiB..16KiB" },
  network  = { delay = "150ms..180ms" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { segment = "64KiB", snapshot = "4MiB", retain = "16KiB", ack_timeout = "1s", retry_interval = "500ms",
               retry_cap = "1s", max_retries = 3, probe_interval = "500ms" },
  expects  = { "power_loss" },

  run = function(world)
    local away = world:pick(2)
    local node, other = world:node(away), world:node(3 - away)
    world:sleep(world:between("500ms", "1s"))
    node:crash()
    for i = 1, 80 do
      other:put(i, "16KiB")
      world:sleep "10ms"
    end
    other:snapshot()
    world:sleep "1500ms" -- and the log behind it goes
    node:restart()
    for _ = 1, 15 do
      world:sleep(world:between("500ms", "700ms"))
      if world:stats().merges > 0 then break end
      other:put(world:pick(80), "20B")
      other:snapshot()
      if world:stats().fetches > 0 then seen.replaced = seen.replaced + 1 end
    end
    seen.ended = world:stats().merges > 0
  end,

  properties = {
    sim.always("the transfer ends", function() return seen.ended end),
    sim.sometimes("it was replaced again and again", function() return seen.replaced > 2 end),
    sim.eventually("every replica is equal", "60s", function(w) return w:converged() and w:drained() end),
  },
}
