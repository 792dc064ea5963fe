-- Failed writes, then power loss: what was accepted in the turn that failed may come back, what was
-- refused after it never does.
local sim = require "sim"
return sim.scenario {
  name = "two failed writes in one life, then power loss",
  nodes = 2,
  duration = "20s",
  disk = { fsync = "30ms" },
  engine = { ack_timeout = "500ms", retry_interval = "200ms", idle_mark = "1h" },
  run = function(world)
    local n = world:node(1)
    while true do
      world:sleep "200ms"
      n:put(1, "16B")
      n:disk { write_error = "100%" }
      n:put(2, "16B")
      n:put(3, "16B")
      n:disk { write_error = "0%" }
      n:crash()
      n:restart()
    end
  end,
}
