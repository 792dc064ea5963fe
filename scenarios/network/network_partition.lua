local sim = require "sim"

return sim.scenario {
  name     = "a partition heals and every replica converges",
  story    = "vlcn-io/cr-sqlite#98: replicas that wrote on both sides of a split resolved ties differently, for ever",
  nodes    = 5,
  duration = "12s",
  workload = sim.kv { keys = 8, rate = "40/s", deletes = "10%", hot = "20%", value = "64B..1KiB" },
  network  = { delay = "5ms..50ms" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms", retry_cap = "1s",
               value_max = "1KiB" }, -- what a side has missed fills many frames,
  expects  = { "net_partition" },

  run = function(world)
    world:sleep(world:between("500ms", "2s"))
    local halves = world:partition({ 1, 2 }, { 3, 4, 5 })
    world:sleep(world:between("1s", "4s"))
    local bridge = world:partition({ 3 }, { 4, 5 }) -- a second cut over the first
    world:sleep(world:between("500ms", "2s"))
    halves:heal()
    world:sleep(world:between("500ms", "2s"))
    bridge:heal()
  end,

  properties = {
    sim.sometimes("an acknowledgement timed out", function(w) return w:stats().timeouts > 0 end),
    sim.sometimes("the sides differed", function(w) return not w:converged() end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() end),
  },
}
