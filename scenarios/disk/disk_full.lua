local sim = require "sim"

return sim.scenario {
  name     = "a full disk refuses writes and loses nothing",
  story    = "redis/redis#4066: a disk filled up in the middle of a write, and the half record stayed in the log",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "12s",
  workload = sim.kv { keys = 16, rate = "60/s", deletes = "10%", value = "64B..512B" },
  network  = { delay = "1ms..20ms" },
  disk     = { on_crash = "adversarial", quota = "1MiB" },
  engine   = { segment = "16KiB", ack_timeout = "500ms", retry_interval = "200ms" },
  expects  = { "disk_full", "power_loss_in_call" },

  run = function(world)
    local node = world:node(world:pick(3))
    world:sleep(world:between("1s", "3s"))
    node:disk { quota = "48KiB" } -- about what it holds by now
    world:sleep(world:between("1s", "2s"))
    if world:chance "50%" then
      node:crash { within = 20 }
      world:sleep "200ms"
      node:restart() -- with no room to write: it may refuse, and must not lose
    end
    world:sleep(world:between("500ms", "1500ms"))
    node:disk { quota = "1MiB" } -- somebody made room
    node:restart()
    world:sleep "1s"
    node:put(1, "256B")
  end,

  properties = {
    sim.sometimes("a write failed for want of space", function(w) return w:stats().refused > 0 end),
    sim.sometimes("writing went on after room was made", function(w)
      return w:stats().refused > 0 and w:drained()
    end),
  },
}
