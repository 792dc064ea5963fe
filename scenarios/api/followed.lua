local sim = require "sim"

-- Each node has a reader of its changes, such as a search index that is kept elsewhere: it reads on now and then, through
-- power losses, snapshots that cut the log behind it, and snapshots of others that bring what is in no log of its node.
local anew, told = 0, 0

return sim.scenario {
  name     = "who follows the changes of a node sees all of them once, or is told to begin anew",
  story    = "change data capture that goes by a position: a reader whose position the log had passed went on behind it, and what lay between was "
          .. "never in the index that it kept",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "10s",
  workload = sim.kv { keys = 60, rate = "60/s", deletes = "20%", batch = "20%", value = "16B..200B" },
  network  = { delay = "2ms..20ms", loss = "1%" },
  disk     = { on_crash = "adversarial", fsync = "5ms..20ms" },
  engine   = { segment = "4KiB", snapshot = "16KiB", retain = "16KiB", sweep_interval = "1s", ack_timeout = "400ms",
               retry_interval = "150ms", retry_cap = "1s", max_retries = 3, probe_interval = "500ms" },
  expects  = { "power_loss" },

  run = function(world)
    local away = world:node(world:pick(3))
    world:spawn(function()
      world:sleep(world:between("500ms", "1s"))
      local kept = world:chance "50%"
      if kept then away:backup() end
      world:sleep(world:between("500ms", "1s"))
      away:crash()
      if kept then away:restore() end -- its reader has seen what that disk never had
      world:sleep(kept and "10ms" or world:between("1s", "4s")) -- others go on past what it lacks, sometimes
      away:restart()
    end)
    for _ = 1, 80 do
      world:sleep(world:between("10ms", "250ms"))
      local node = world:node(world:pick(3))
      local operations, times = node:follow()
      told, anew = told + (operations or 0), anew + (times or 0)
      if world:chance "8%" and node:up() and node ~= away then
        local key = world:pick(60)
        node:put(key, "16B")
        world:sleep "30ms"
        node:put(key, "16B")
        node:follow() -- is told of the first, and reads the second, which is gone in a moment
        node:crash()
        world:sleep "50ms"
        node:restart()
      end
    end
  end,

  properties = {
    sim.sometimes("a reader was told of many operations", function() return told > 300 end),
    sim.sometimes("a reader began anew", function() return anew > 0 end),
    sim.sometimes("a snapshot was merged", function(w) return w:stats().merges > 0 end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() end),
  },
}
