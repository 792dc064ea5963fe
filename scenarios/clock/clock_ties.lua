local sim = require "sim"

return sim.scenario {
  name     = "writes with equal clocks have one winner everywhere",
  story    = "superfly/corrosion#352: concurrent changes with equal clocks had no winner, and replicas stayed apart",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "6s",
  network  = { delay = "1ms..40ms", reorder = "10%" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms" },
  shuffle  = true,
  expects  = { "clock_freeze" },

  run = function(world)
    for _, node in ipairs(world:nodes()) do node:clock { freeze = true } end
    for round = 1, 30 do
      local key = world:pick(4)
      for _, node in ipairs(world:nodes()) do -- at one instant, with one clock
        if world:chance "25%" then node:delete(key) else node:put(key) end
      end
      world:sleep(world:between("1ms", "250ms"))
      if round == 15 then
        local cut = world:isolate(world:pick(3))
        world:sleep "300ms"
        cut:heal()
      end
    end
  end,

  properties = {
    sim.sometimes("the replicas differed", function(w) return not w:converged() end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() end),
  },
}
