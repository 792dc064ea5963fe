local sim = require "sim"

-- The world by which speed is measured: everything happens, nothing for long.
return sim.scenario {
  name     = "standard bench world",
  story    = "a small office: three replicas, a poor network, a power cut now and then",
  nodes    = 3,
  duration = "60s",
  workload = sim.kv { keys = 200, writers = 3, rate = "50/s", deletes = "10%", value = "16B..64B" },
  network  = { delay = "1ms..20ms", loss = "1%", duplicate = "1%", reorder = "5%" },
  disk     = { on_crash = "adversarial" },
  engine   = { value_max = "4KiB", segment = "32KiB", snapshot = "32KiB", retain = "32KiB" },

  run = function(world)
    for round = 1, 5 do
      world:sleep "3s"
      local cut = world:partition({ round % 3 + 1 }, { (round + 1) % 3 + 1, (round + 2) % 3 + 1 })
      world:sleep "3s"
      cut:heal()
      world:sleep "2s"
      local victim = world:node(round % 3 + 1)
      victim:crash()
      world:sleep "1s"
      victim:restart()
    end
  end,
}
