local sim = require "sim"

return sim.scenario {
  name     = "a line too narrow for what is written",
  story    = "Jacobson, SIGCOMM'88: retransmissions filled the queues between two sites in 1986, and 32 kbit/s fell to 40 bit/s",
  nodes    = 3,
  duration = "10s",
  workload = sim.kv { keys = 24, rate = "60/s", deletes = "5%", value = "64B..1KiB" },
  network  = { delay = "5ms..30ms", bandwidth = "24KiB/s", queue = 12 },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms", retry_cap = "1s", batch_size = 8 },

  run = function(world)
    world:link(1, 2) { bandwidth = "6KiB/s", queue = "8KiB" } -- slow in one direction only
    world:sleep(world:between("1s", "3s"))
    local away = world:isolate(3)
    world:sleep(world:between("1s", "3s"))
    away:heal() -- and its backlog meets a full queue
  end,

  properties = {
    sim.sometimes("a queue overflowed", function(w) return w:fault "net_overflow".firings > 0 end),
    sim.sometimes("an acknowledgement timed out", function(w) return w:stats().timeouts > 0 end),
    sim.sometimes("an operation was sent again in vain", function(w) return w:stats().duplicates > 0 end),
    sim.eventually("every replica is equal", "30s", function(w) return w:converged() end),
    sim.eventually("nothing is owed any more", "30s", function(w) return w:drained() end),
  },
}
