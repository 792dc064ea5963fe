local sim = require "sim"

-- One of three goes away and is not back before the end; nobody says that it is gone. What it lacks is owed to it, but the
-- log is kept for it only up to engine.retain: a snapshot pays the rest.
local most = 0

return sim.scenario {
  name     = "a peer that never comes back does not fill the disks of the others",
  story    = "PostgreSQL: a replication slot whose standby was gone kept the log for it until the primary's disk was full",
  nodes    = 3,
  duration = "20s",
  workload = sim.kv { keys = 16, rate = "100/s", deletes = "10%", value = "64B..512B" },
  network  = { delay = "2ms..20ms", loss = "1%" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { segment = "8KiB", snapshot = "16KiB", retain = "32KiB", ack_timeout = "400ms", retry_interval = "150ms",
               retry_cap = "1s", max_retries = 3, probe_interval = "1s" },
  expects  = { "power_loss" },

  run = function(world)
    local gone = world:pick(3)
    world:sleep(world:between("1s", "2s"))
    world:node(gone):crash()
    for _ = 1, 3 do
      world:sleep(world:between("2s", "4s"))
      local node = world:node((gone + world:pick(2) - 1) % 3 + 1)
      node:crash()
      world:sleep(world:between("5ms", "100ms"))
      node:restart()
    end
  end,

  properties = {
    sim.always("no disk has more than the bound", function(world)
      local within = true
      for _, node in ipairs(world:nodes()) do
        local used = node:disk_used()
        if used > most then most = used end
        if used > 128 * 1024 then within = false end
      end
      return within
    end),
    sim.sometimes("the log was cut while a peer was away", function(world) return world:stats().trims > 10 end),
    sim.sometimes("a snapshot brought it up to date", function(world) return world:stats().merges > 0 end),
    sim.eventually("every replica is equal", "20s", function(world) return world:converged() and world:drained() end),
  },
}
