local sim = require "sim"

-- This one must fail. It takes every submit for promised at once, as a store
-- does that acknowledges before its fsync. If the suite stops noticing, the
-- suite is broken: taste it from time to time.
return sim.scenario {
  name      = "canary: promised before it is durable",
  story     = "Jepsen, NATS 2.12.1: acknowledged first, synced later; a power loss took acknowledged messages",
  tags      = { "smoke" },
  must_fail = "durability",
  nodes     = 3,
  duration  = "5s",
  workload  = sim.kv { keys = 8, rate = "100/s", promise = "submit" },
  network   = { delay = "1ms..10ms" },
  disk      = { on_crash = "strict", fsync = "10ms..40ms" },

  run = function(world)
    for _ = 1, 10 do
      world:sleep(world:between("50ms", "300ms"))
      local node = world:node(world:pick(3))
      node:put(1)
      node:crash() -- at once: nothing of that put is on the disk yet
      node:restart()
    end
  end,
}
