local sim = require "sim"

return sim.scenario {
  name     = "three nodes that never pause acknowledge, send and mark",
  story    = "softadastra/sync: whoever waited for a quiet moment to acknowledge or to send waited for ever",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "9s",
  workload = sim.kv { keys = 12, rate = "60/s", deletes = "10%" },
  network  = { delay = "2ms" }, -- nothing is lost or overtaken: what does not arrive was not sent
  disk     = { fsync = "1ms..4ms" },
  engine   = { ack_timeout = "300ms", retry_interval = "100ms", retry_cap = "300ms", probe_interval = "300ms",
               idle_hello = "200ms", idle_mark = "300ms", window_ops = 4096 },

  run = function(world)
    world:node(3):disk { fsync = "20ms..30ms" } -- before what came is durable there, more has come
    for i = 1, 1750 do
      world:node(1):put(i % 12, "20B")
      world:sleep "4ms"
    end
    world:workload "stop" -- now nobody appends, and everybody goes on talking
    world:sleep "2s"
  end,

  properties = {
    sim.sometimes("ten operations were on their way", function(w) return w:node(1):outbox().size > 10 end),
    sim.eventually("all is equal", "10s", function(w) return w:converged() end),
  },
}
