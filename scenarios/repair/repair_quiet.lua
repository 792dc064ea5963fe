local sim = require "sim"

-- After a repair little is written: it must have ended the damage by itself, and what it has put aside stays there.
local seen = { repaired = false, mended = true, opened = true, kept = true }

return sim.scenario {
  name     = "what was repaired once opens without a repair, and what was put aside is kept",
  story    = "Kafka KIP-101: a log was cut at what was thought to be its end, and what had stood behind was gone for good",
  tags     = { "smoke" },
  nodes    = 2,
  duration = "12s",
  workload = sim.kv { keys = 16, rate = "20/s", deletes = "10%", value = "16B..400B" },
  network  = { delay = "2ms..20ms" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { segment = "4KiB", snapshot = "64KiB", ack_timeout = "400ms", retry_interval = "150ms", retry_cap = "1s",
               max_retries = 3, probe_interval = "500ms" },
  expects  = { "power_loss" },

  run = function(world)
    local number = world:pick(2)
    local node = world:node(number)
    node:memory_quota "2MiB" -- whatever length damaged bytes say, nothing so long is asked for
    for _ = 1, 3 do
      world:sleep(world:between("1s", "2s"))
      local cut = world:isolate(number)
      world:workload "stop"
      node:crash()
      local aside, files = 0, {}
      for _, file in ipairs(node:files()) do
        if file.name:find("^bad%-") then aside = aside + (file.size > 0 and 1 or 0)
        elseif file.size > 200 then files[#files + 1] = file end
      end
      local file = world:pick(files)
      node:disk_flip(file.name, world:pick(file.size * 8) - 1)
      local mends = not node:restart()
      if mends then
        seen.repaired = node:repair()
        seen.mended = seen.mended and seen.repaired
      end
      if mends and seen.repaired then
        local now = 0
        for _, each in ipairs(node:files()) do
          if each.name:find("^bad%-") and each.size > 0 then now = now + 1 end
        end
        seen.kept = seen.kept and now > aside
        world:sleep "300ms"
        node:crash()
        seen.opened = seen.opened and node:restart()
      end
      world:workload "start"
      cut:heal()
      world:wait_until(function() return world:converged() end, "5s")
    end
  end,

  properties = {
    sim.always("what was put aside is there", function() return seen.kept end),
    sim.always("a repair opens it", function() return seen.mended end),
    sim.always("what was repaired opens", function() return seen.opened end),
    sim.sometimes("it was repaired", function() return seen.repaired end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
