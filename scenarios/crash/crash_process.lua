local sim = require "sim"

return sim.scenario {
  name     = "a killed process finds what the page cache kept",
  story    = "syncthing/syncthing#6335: sequence numbers were given out again after a crash, because the counter was saved late",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "8s",
  workload = sim.kv { keys = 16, rate = "80/s", deletes = "10%" },
  network  = { delay = "1ms..20ms" },
  disk     = { fsync = "1ms..30ms" },
  engine   = { idle_mark = "20ms" }, -- marks between the writes
  expects  = { "process_crash" },

  run = function(world)
    for _ = 1, 8 do
      local node = world:node(world:pick(3))
      node:process_crash { within = 30 }
      world:wait_until(function() return not node:up() end, "1s")
      world:sleep(world:between("1ms", "100ms"))
      node:restart()
      world:sleep(world:between("50ms", "500ms"))
      if world:chance "30%" then -- and then the machine goes as well
        node:crash()
        node:restart()
      end
    end
  end,

  properties = {
    sim.sometimes("a process died and the machine lost power after it", function(w)
      return w:fault("process_crash").firings > 0 and w:fault("power_loss").firings > 0
    end),
    sim.sometimes("an operation came twice and was known", function(w) return w:stats().duplicates > 0 end),
  },
}
