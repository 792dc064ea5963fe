local sim = require "sim"

return sim.scenario {
  name     = "a link that carries one direction only",
  story    = "Cloudflare, November 2020: a switch passed some traffic one way only, and etcd could not agree on a leader for hours",
  nodes    = 3,
  duration = "12s",
  workload = sim.kv { keys = 12, rate = "50/s", deletes = "10%" },
  network  = { delay = "5ms..30ms" },
  engine   = { ack_timeout = "500ms", retry_interval = "2s", retry_cap = "1s", max_retries = 3,
               probe_interval = "1s" },
  expects  = { "net_partition" },

  run = function(world)
    for _ = 1, 2 do
      local one = world:pick(3)
      world:sleep(world:between("200ms", "1s"))
      local deaf = world:partition_one_way({ one }, { one % 3 + 1 }) -- what `one` sends does not arrive there
      world:sleep(world:between("2s", "4s"))
      deaf:heal()
    end
  end,

  properties = {
    sim.sometimes("an acknowledgement was lost for long", function(w) return w:stats().timeouts > 2 end),
    sim.sometimes("an operation was sent again and known already", function(w) return w:stats().duplicates > 0 end),
    sim.eventually("nothing is owed any more", "15s", function(w) return w:drained() end),
  },
}
