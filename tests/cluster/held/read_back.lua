-- seeds: 20
-- A node finds that it cannot read back what a new disk in the cluster wants of it. What it
-- writes afterwards reaches the others all the same: its damage excuses what it damaged.
local sim = require "sim"
return sim.scenario {
  name = "an operation that cannot be read back holds up nobody who has it",
  nodes = 3,
  duration = "20s",
  network = { delay = "1ms..10ms" },
  engine = { retry_interval = "200ms", retry_cap = "1s", ack_timeout = "500ms" },
  run = function(world)
    local sick, fresh = world:node(1), world:node(2)
    for key = 1, 40 do
      sick:put(key, "64B")
      world:sleep "20ms"
    end
    world:sleep "2s"
    sick:disk { unreadable = "100%", damage_budget = 1 }
    fresh:crash()
    fresh:wipe()
    fresh:restart()
    world:sleep "2s"
    for key = 41, 60 do
      sick:put(key, "64B")
      world:sleep "20ms"
    end
  end,
}
