local sim = require "sim"

-- Node 2 cannot be reached for so long that it is given up and only probed, each minute. Whoever opens the way tells node 1.
local seen = { late = false, told = 0 }

return sim.scenario {
  name     = "who is told that the way is open does not wait for the next probe",
  story    = "Couchbase Lite: after a day offline the replicator sat out its backoff although the host said it was reachable",
  nodes    = 2,
  duration = "60s",
  workload = sim.kv { keys = 8, rate = "5/s", writers = 1 },
  network  = { delay = "5ms..30ms" },
  engine   = { ack_timeout = "1s", retry_interval = "500ms", retry_cap = "1s", max_retries = 2, probe_interval = "5min",
               idle_hello = "10min" },
  expects  = { "net_partition" },

  run = function(world)
    local one, two = world:node(1), world:node(2)
    world:sleep(world:between("1s", "2s"))
    local cut = world:partition({ 1 }, { 2 })
    world:wait_for("parked", { node = 1, peer = 2 }, "30s")
    world:workload "stop"
    one:put(0, "64B")
    world:sleep(world:between("1s", "5s"))
    cut:heal()
    local number = one:get(0)
    one:retry(2)
    seen.told = seen.told + 1
    if not world:wait_until(function() return two:get(0) == number end, "1s") then seen.late = true end
  end,

  properties = {
    sim.always("what is owed comes at once", function() return not seen.late end),
    sim.sometimes("a peer that was given up is tried again", function() return seen.told > 0 end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() and w:drained() end),
  },
}
