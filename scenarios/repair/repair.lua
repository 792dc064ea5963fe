local sim = require "sim"

-- Damage that a start meets below what was durable is refused; a repair puts it aside, opens with what precedes it, and peers
-- bring back what they hold. Power may fail in the repair, too.
local seen = { refused = false, repaired = false }

return sim.scenario {
  name     = "a repaired node gets back what its peers hold",
  story    = "Kafka KIP-101, etcd-io/etcd#11613: a log that was cut at damage, and a node that then gave out its numbers "
          .. "again or kept its peers believing in what it had lost",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "16s",
  workload = sim.kv { keys = 16, rate = "40/s", deletes = "10%", value = "16B..400B" },
  network  = { delay = "2ms..20ms", loss = "2%" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { segment = "8KiB", snapshot = "24KiB", retain = "8KiB", ack_timeout = "400ms",
               retry_interval = "150ms", retry_cap = "1s", max_retries = 3, probe_interval = "500ms" },
  expects  = { "power_loss" },

  run = function(world)
    local first = world:pick(3)
    for _ = 1, 5 do
      world:sleep(world:between("300ms", "2s"))
      local node = world:node(first)
      node:crash()
      local files = {}
      for _, file in ipairs(node:files()) do
        if file.size > 200 and not file.name:find("^bad%-") then files[#files + 1] = file end
      end
      if #files > 0 then
        local file = world:pick(files)
        if world:chance "75%" then
          node:disk_flip(file.name, world:pick(file.size * 8) - 1)
        else
          node:disk_unreadable(file.name, world:pick(file.size // 512 + 1) - 1)
        end
      end
      world:sleep(world:between("10ms", "1s"))
      if not node:restart() then
        seen.refused = true
        for _ = 1, 3 do
          if world:chance "30%" then node:crash { within = 30 } end
          if node:repair() then break end
          world:sleep "10ms"
        end
        if not node:up() then node:repair() end
        seen.repaired = seen.repaired or node:up()
      end
      world:wait_until(function() return world:converged() end, "5s")
    end
  end,

  properties = {
    sim.sometimes("a start was refused for damage", function() return seen.refused end),
    sim.sometimes("a repair opened it", function() return seen.repaired end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
