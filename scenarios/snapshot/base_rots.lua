local sim = require "sim"

-- The base of a running node is damaged, and only it could bring up the other one, whose log lies behind. What is in memory
-- is whole: the damage is met when a block is to be sent, another snapshot is taken, and that one arrives.
local seen = { damaged = false }

return sim.scenario {
  name     = "a base that rots below a running node is not sent, and holds nobody up",
  story    = "FAST'18, Alagappan et al., protocol-aware recovery: snapshots that were damaged on the disk were sent to "
          .. "followers as they were",
  tags     = { "smoke" },
  nodes    = 2,
  duration = "10s",
  workload = sim.kv { keys = 24, rate = "40/s", deletes = "10%", value = "64B..2KiB" },
  network  = { delay = "2ms..20ms", loss = "2%" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { segment = "16KiB", snapshot = "24KiB", retain = "8KiB", ack_timeout = "400ms",
               retry_interval = "150ms", retry_cap = "1s", max_retries = 3, probe_interval = "500ms" },
  expects  = { "power_loss" },

  run = function(world)
    local away = world:pick(2)
    local node, other = world:node(away), world:node(3 - away)
    world:sleep(world:between("200ms", "1s"))
    node:crash()
    world:sleep(world:between("3s", "4s"))
    other:snapshot()
    world:sleep "300ms"
    local bases = {}
    for _, file in ipairs(other:files()) do
      if file.name:find("^base%-") and not file.name:find("new$") then bases[#bases + 1] = file end
    end
    for _, file in ipairs(bases) do
      if world:chance "50%" then
        seen.damaged = other:disk_flip(file.name, world:pick(file.size * 8) - 1) or seen.damaged
      else
        seen.damaged = other:disk_unreadable(file.name, world:pick(file.size // 512 + 1) - 1) or seen.damaged
      end
    end
    node:restart()
    world:wait_until(function() return world:converged() end, "5s")
  end,

  properties = {
    sim.sometimes("a base was damaged", function() return seen.damaged end),
    sim.sometimes("a snapshot was merged", function(w) return w:stats().merges > 0 end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() and w:drained() end),
  },
}
