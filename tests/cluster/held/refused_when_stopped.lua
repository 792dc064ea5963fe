-- A call that the stopped engine refused once took the place of a write that had failed before.
local sim = require "sim"
return sim.scenario {
  name = "a call that a stopped engine refused comes back in no way",
  nodes = 2,
  duration = "20s",
  disk = { fsync = "30ms" },
  engine = { ack_timeout = "500ms", retry_interval = "200ms", idle_mark = "1h" },
  run = function(world)
    local n = world:node(1)
    while true do
      world:sleep "200ms"
      n:put(1, "16B")                                        -- accepted; its fsync is on the way
      n:disk { write_error = "100%", fsync_error = "100%" }
      n:put(2, "16B")                                        -- accepted; its write fails and may persist
      n:disk { write_error = "0%" }
      world:sleep "40ms"                                     -- the fsync has failed: fail-stop
      n:put(3, "16B")                                        -- SYNC_E_FAILED: it had stopped before
      n:disk { fsync_error = "0%" }
      n:crash()
      n:restart()
    end
  end,
}
