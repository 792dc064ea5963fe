local sim = require "sim"

-- What a node's files of one kind come to: how many, and how many bytes.
local function files(node, prefix)
  local count, bytes = 0, 0
  for _, file in ipairs(node:files()) do
    if file.name:sub(1, #prefix) == prefix then
      count = count + 1
      bytes = bytes + file.size
    end
  end
  return count, bytes
end

return sim.scenario {
  name     = "a peer that is gone for ever fills no disk",
  story    = "PostgreSQL: a replication slot of a dead replica kept the log until the disk was full",
  nodes    = 3,
  duration = "20s",
  workload = sim.kv { keys = 16, rate = "60/s", deletes = "10%", value = "16B..600B" },
  network  = { delay = "2ms..20ms" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms", unlink_error = "20%", rename_error = "1%" },
  engine   = { snapshot = "16KiB", retain = "32KiB", segment = "8KiB", ack_timeout = "500ms", retry_interval = "200ms",
               max_retries = 3, probe_interval = "2s" },
  expects  = { "net_partition", "power_loss" },

  run = function(world)
    local gone = world:pick(3)
    world:sleep "2s"
    local cut = world:isolate(gone)
    for _ = 1, 6 do
      world:sleep(world:between("1s", "4s"))
      local node = world:node(gone % 3 + 1)
      if world:chance "50%" then node:crash() else node:process_crash() end
      world:sleep(world:between("1ms", "300ms"))
      node:restart()
    end
    cut:heal()
  end,

  properties = {
    sim.always("the log is as long as what is kept for peers, and a snapshot's worth", function(w)
      for i = 1, 3 do
        local _, bytes = files(w:node(i), "wal-")
        if bytes > 192 * 1024 then return false end
      end
      return true
    end),
    sim.always("snapshots leave no files behind", function(w)
      for i = 1, 3 do
        if files(w:node(i), "base-") > 8 or files(w:node(i), "stage-") > 8 then return false end
      end
      return true
    end),
    sim.sometimes("a log was cut", function(w) return w:stats().trims > 0 end),
    sim.sometimes("a snapshot was merged", function(w) return w:stats().merges > 0 end),
    sim.eventually("every replica is equal", "30s", function(w) return w:converged() end),
  },
}
