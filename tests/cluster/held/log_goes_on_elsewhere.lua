local sim = require "sim"
-- A log behind which no write succeeds goes on in another segment. What the last failed write
-- left in the old one, which could not be cut, is a whole record at the same position, and counts no more: swarm seed 18
-- of an earlier build read it.
return sim.scenario {
  name = "the log goes on in another segment, behind a failed write that persisted",
  nodes = 2,
  duration = "20s",
  network = { delay = "1ms..5ms" },
  disk = { fsync = "1ms..3ms" },
  engine = { ack_timeout = "500ms", retry_interval = "200ms" },
  run = function(world)
    local n = world:node(1)
    while true do
      world:sleep(world:between("50ms", "150ms"))
      for key = 1, 3 do n:put(key, "40B") end
      n:disk { write_error = "100%", truncate_error = "100%" }
      for _ = 1, 6 do n:put(4, "40B") end
      n:disk { write_error = "0%", truncate_error = "0%" }
      for key = 5, 8 do n:put(key, "40B") end
    end
  end,
}
