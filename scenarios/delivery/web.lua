local sim = require "sim"

return sim.scenario {
  name     = "a web of nodes loses some of them, and messages all the while",
  story    = "Leitao, Pereira and Rodrigues, SRDS 2007: broadcast trees are judged by what still arrives when many nodes fail at once",
  nodes    = 7,
  topology = "random",
  duration = "5s",
  workload = sim.kv { keys = 12, rate = "20/s", deletes = "10%" },
  network  = { delay = "1ms..20ms", loss = "8%" },
  disk     = { on_crash = "adversarial", fsync = "1ms..5ms" },
  engine   = { ack_timeout = "400ms", retry_interval = "200ms", retry_cap = "1s", idle_hello = "60s" },
  expects  = { "power_loss" },

  run = function(world)
    for _ = 1, 4 do
      world:sleep(world:between("300ms", "1s"))
      local gone = world:node(world:pick(7))
      gone:crash()
      world:sleep(world:between("200ms", "1500ms"))
      if world:chance "50%" then gone:restart() end
    end
  end,

  properties = {
    sim.sometimes("an operation came before its cause", function(w) return w:stats().not_yet > 0 end),
    sim.eventually("every replica is equal", "10s", function(w) return w:converged() end),
  },
}
