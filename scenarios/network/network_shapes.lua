local sim = require "sim"

return sim.scenario {
  name     = "rings, bridges and flapping links: partitions without two sides",
  story    = "Cloudflare, 2 November 2020: behind a half-failed switch one etcd member reached only some of the others, and leaders were elected again and again",
  tags     = { "smoke" },
  nodes    = 5,
  duration = "10s",
  workload = sim.kv { keys = 8, rate = "50/s", deletes = "15%", hot = "20%" },
  network  = { delay = "2ms..30ms" },
  engine   = { ack_timeout = "400ms", retry_interval = "150ms", retry_cap = "1s", max_retries = 4, probe_interval = "1s" },
  expects  = { "net_partition", "net_rule" },

  run = function(world)
    local ring = world:partition_ring()
    world:sleep(world:between("500ms", "2s"))
    local rule = world:rule { kind = "hello", to = world:pick(5), hold = true } -- arrives when it is long stale
    ring:heal()
    local bridge = world:partition_bridge()
    world:sleep(world:between("500ms", "2s"))
    rule:remove()
    bridge:heal()
    local flap = world:flap(1, { 2, 3 }, "50ms..400ms", "20ms..200ms")
    for _ = 1, 3 do
      local cut = world:partition_random()
      world:sleep(world:between("300ms", "1500ms"))
      cut:heal()
      if world:chance "50%" then world:sleep(world:between("50ms", "500ms")) end
    end
    flap:heal()
  end,

  properties = {
    sim.sometimes("an acknowledgement timed out", function(w) return w:stats().timeouts > 0 end),
    sim.sometimes("a peer was parked", function(w) return w:stats().parked > 0 end),
    sim.sometimes("an old greeting came after a newer one", function(w) return w:stats().ignored_hellos > 0 end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() end),
  },
}
