local sim = require "sim"

-- Snapshots are taken, and the log behind them is cut, while power goes inside their calls and again in the
-- recovery; names that were changed are lost, calls fail.
local cut_back = false

return sim.scenario {
  name     = "the log is cut behind snapshots, wherever power fails",
  story    = "ClickHouse/ClickHouse#111339, hashicorp/raft#229: the log went before the snapshot's name was durable; "
          .. "basho/bitcask#82: what was deleted came back with the log that a compaction had forgotten",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "12s",
  workload = sim.kv { keys = 12, rate = "60/s", deletes = "25%", batch = "10%", value = "16B..300B" },
  network  = { delay = "2ms..20ms", loss = "2%", duplicate = "2%", duplicate_within = "1s" },
  disk     = { on_crash = "adversarial", fsync = "1ms..20ms", write_back = "5%", rename_error = "5%",
               unlink_error = "20%", write_error = "0.1%" },
  engine   = { segment = "4KiB", snapshot = "6KiB", retain = "4KiB", ack_timeout = "400ms",
               retry_interval = "150ms", retry_cap = "1s" },
  expects  = { "power_loss", "power_loss_in_call", "process_crash" },

  run = function(world)
    for _ = 1, 7 do
      local node = world:node(world:pick(3))
      world:sleep(world:between("200ms", "900ms"))
      node:snapshot()
      if world:chance "25%" then
        node:process_crash() -- what the page cache has survives, also names that no fsync covers
      else
        node:crash { within = 60 }
        world:sleep(world:between("1ms", "60ms"))
        if node:up() then node:crash() end
      end
      world:sleep(world:between("10ms", "300ms"))
      if world:chance "50%" then
        node:restart { crash_within = 40 }
        world:sleep "20ms"
      end
      if not node:up() then node:restart() end
      cut_back = cut_back or world:stats().trims > 0
    end
  end,

  properties = {
    sim.sometimes("a snapshot became the base", function(w) return w:stats().snapshots > 2 end),
    sim.sometimes("a snapshot was given up", function(w) return w:stats().snapshots_failed > 0 end),
    sim.sometimes("the log was cut", function() return cut_back end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
