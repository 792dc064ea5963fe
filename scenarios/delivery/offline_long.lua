local sim = require "sim"

return sim.scenario {
  name     = "a node comes back after everyone stopped trying",
  story    = "softadastra/sync: after a fixed number of retries an operation was given up, and a phone that came back never got it",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "20s",
  workload = sim.kv { keys = 16, rate = "30/s", deletes = "10%" },
  network  = { delay = "5ms..40ms" },
  disk     = { read_error = "0.5%" }, -- what it has missed is read back from the logs
  engine   = { ack_timeout = "400ms", retry_interval = "100ms", retry_cap = "500ms", max_retries = 3,
               probe_interval = "2s" },
  expects  = { "net_partition" },

  run = function(world)
    local away = world:pick(3)
    world:sleep "1s"
    local cut = world:isolate(away)
    world:node(away):put(0, "64B") -- written where nobody can hear it
    if world:chance "50%" then
      world:node(away):stop()
      world:sleep(world:between("6s", "10s"))
      world:node(away):restart()
    else
      world:sleep(world:between("6s", "10s"))
    end
    cut:heal()
  end,

  properties = {
    sim.sometimes("a peer was parked", function(w) return w:stats().parked > 0 end),
    sim.sometimes("a parked peer came back", function(w) return w:stats().revived > 0 end),
    sim.eventually("nothing is owed any more", "20s", function(w) return w:drained() end),
  },
}
