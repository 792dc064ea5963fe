local sim = require "sim"

return sim.scenario {
  name     = "the submits of one turn share a write, which fails, is torn, and is made again",
  story    = "redis/redis#587: a write that failed half way left a part of itself in the log, and went on behind it",
  nodes    = 3,
  duration = "10s",
  workload = sim.kv { keys = 16, rate = "40/s", burst = 24, deletes = "10%", batch = "10%", value = "16B..600B" },
  network  = { delay = "1ms..20ms" },
  disk     = { on_crash = "adversarial", fsync = "1ms..20ms", write_back = "10%", short = "5%", write_error = "3%" },
  engine   = { segment = "16KiB", ack_timeout = "500ms", retry_interval = "200ms" },
  expects  = { "power_loss_in_call", "process_crash", "disk_torn", "disk_full" },

  run = function(world)
    for _ = 1, 6 do
      local node = world:node(world:pick(3))
      world:sleep(world:between("100ms", "600ms"))
      local quota = world:chance "30%"
      if quota then node:disk { quota = "24KiB" } end -- less than it holds: nothing can be written
      local sick = world:chance "40%"
      if sick then node:disk { write_error = "70%" } end -- often four in a row: the log goes on in a new segment
      world:sleep(world:between("1ms", "300ms"))
      if world:chance "50%" then
        node:crash { at = { call = "write", nth = world:pick(3) } }
        world:wait_until(function() return not node:up() end, "1s")
      else
        node:process_crash()
      end
      if quota then node:disk { quota = "64MiB" } end
      if sick then node:disk { write_error = "3%" } end
      node:restart()
    end
  end,

  properties = {
    sim.sometimes("a submit was refused because the one before could not be written", function(w)
      return w:stats().refused > 0
    end),
  },
}
