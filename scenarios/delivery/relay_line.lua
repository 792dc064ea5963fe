local sim = require "sim"

return sim.scenario {
  name     = "operations pass through nodes in the middle",
  story    = "softadastra/sync: a relay put its own name on what it passed on, and replicas disagreed about who wrote what",
  tags     = { "smoke" },
  nodes    = 10,
  topology = "line", -- 1 - 2 - ... - 10: only neighbours know each other
  duration = "10s",
  workload = sim.kv { keys = 8, rate = "25/s", deletes = "15%", hot = "20%" },
  network  = { delay = "2ms..20ms", loss = "2%", duplicate = "5%" },
  disk     = { on_crash = "adversarial", fsync = "1ms..20ms" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms" },
  expects  = { "power_loss_in_call" },

  run = function(world)
    for _ = 1, 4 do
      world:sleep(world:between("500ms", "1500ms"))
      local middle = world:node(1 + world:pick(8))
      middle:crash { within = 40 } -- what it had received is still its to pass on
      world:sleep(world:between("200ms", "1s"))
      middle:restart()
    end
  end,

  properties = {
    sim.sometimes("the ends differed", function(w) return not w:converged() end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() end),
  },
}
