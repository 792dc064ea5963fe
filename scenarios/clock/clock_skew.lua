local sim = require "sim"

return sim.scenario {
  name     = "clocks that run wrong, jump, and jump to and fro",
  story    = "aphyr.com/posts/299: the wall clock decided which write was last, and skewed clocks lost acknowledged writes",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "12s",
  workload = sim.kv { keys = 8, rate = "50/s", deletes = "15%", hot = "20%" },
  network  = { delay = "2ms..30ms" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms" },
  expects  = { "clock_step", "clock_drift", "clock_strobe", "power_loss" },

  run = function(world)
    world:node(1):clock { rate = "20000ppm" }
    world:node(2):clock { step = "-1h" }
    world:node(3):clock { step = "1h", rate = "-1%" }
    for _ = 1, 6 do
      world:sleep(world:between("500ms", "1500ms"))
      local node = world:node(world:pick(3))
      local how = world:pick { "forward", "back", "strobe", "crash" }
      if how == "forward" then
        node:clock { step = "24h" }
      elseif how == "back" then
        node:clock { step = "-24h" }
      elseif how == "strobe" then
        node:clock { strobe = "2s", every = "30ms", lasting = "1s" }
      else
        node:crash()
        node:restart() -- and its clock is behind what it wrote before
      end
    end
  end,

  properties = {
    sim.sometimes("the replicas differed", function(w) return not w:converged() end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() end),
  },
}
