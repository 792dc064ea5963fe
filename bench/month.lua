local sim = require "sim"

-- What a node keeps is bounded by what is live and owed: bench/memory bench/month.lua SECONDS.
return sim.scenario {
  name     = "a month of steady writing",
  nodes    = 3,
  duration = "720h",
  workload = sim.kv { keys = 200, rate = "1/min", deletes = "10%", value = "16B..64B" },
  network  = { delay = "1ms..20ms" },
  engine   = { value_max = "4KiB", segment = "32KiB", snapshot = "64KiB", retain = "64KiB" },
}
