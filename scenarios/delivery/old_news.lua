local sim = require "sim"

-- What 2 tells 3 is held back while 1 begins one life after the other. When it arrives it counts lives that have
-- other places by then.
return sim.scenario {
  name     = "what a peer told is old when it arrives",
  story    = "apache/couchdb#3897: a checkpoint was taken for one of a history that it did not belong to",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "10s",
  network  = { delay = "1ms..4ms" },
  disk     = { fsync = "100us..1ms" },
  engine   = { ack_timeout = "1s", retry_interval = "500ms" },
  expects  = { "process_crash", "net_rule" },

  run = function(world)
    for round = 1, 2 do
      for key = 1, 8 do
        world:node(1 + world:pick(2)):put(key, "32B")
        world:sleep "40ms"
      end
      local rule = world:rule { from = 2, to = 3, kind = "news", hold = true }
      world:node(2):put(0, "32B")
      world:node(3):put(0, "32B")
      for _ = 1, 8 + world:pick(8) do
        world:node(1):process_crash()
        world:node(1):restart()
        world:sleep "15ms"
        world:node(1):put(round, "32B")
        world:sleep "25ms"
      end
      rule:remove()
      world:sleep "300ms"
    end
  end,

  properties = {
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() end),
  },
}
