-- Failed deletes have no value to tell them apart: what each had seen does. The first write of a
-- life is among them; and the process may die before the power does, so that one opening settles
-- nothing.
local sim = require "sim"
return sim.scenario {
  name = "failed deletes of one key, crashes of either kind, then power loss",
  nodes = 2,
  duration = "20s",
  disk = { fsync = "30ms" },
  network = { delay = "1ms..20ms" },
  engine = { ack_timeout = "500ms", retry_interval = "200ms", idle_mark = "1h" },
  run = function(world)
    local n, other = world:node(1), world:node(2)
    while true do
      world:sleep "200ms"
      if world:pick(2) == 1 then n:put(1, "16B") end
      n:disk { write_error = "100%" }
      for _ = 1, world:pick(3) do
        n:delete(1)
        if world:pick(2) == 1 then other:put(1, "16B") end
        world:sleep(world:between("1ms", "60ms"))
        n:put(1, "16B")
      end
      n:disk { write_error = "0%" }
      if world:pick(2) == 1 then n:put(2, "16B") end
      if world:pick(2) == 1 then
        n:process_crash()
        n:restart()
        world:sleep(world:between("0ms", "40ms"))
      end
      n:crash()
      n:restart()
    end
  end,
}
