local sim = require "sim"

return sim.scenario {
  name     = "segments fill faster than the disk answers, and are passed one by one",
  story    = "found here: a segment that was written to while its name was awaited never became durable, and the log stopped rotating",
  tags     = { "smoke" },
  nodes    = 2,
  duration = "4s",
  workload = sim.kv { keys = 10, rate = "700/s", value = "40B..300B" },
  network  = { delay = "1ms..5ms" },
  disk     = { on_crash = "adversarial", fsync = "15ms..40ms" },
  engine   = { segment = "4KiB", ack_timeout = "500ms", retry_interval = "200ms", batch_size = 16 },
  expects  = { "power_loss_in_call" },

  run = function(world)
    for _ = 1, 3 do
      world:sleep(world:between("600ms", "1s"))
      local node = world:node(world:pick(2))
      node:crash { within = 400 }
      world:sleep(world:between("20ms", "200ms"))
      node:restart()
    end
  end,

  properties = {
    sim.sometimes("the log rotated again and again", function(w) return w:stats().rotations > 40 end),
    sim.eventually("all is equal", "20s", function(w) return w:converged() end),
  },
}
