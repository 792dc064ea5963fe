local sim = require "sim"

return sim.scenario {
  name     = "messages that arrive again, some much later",
  story    = "redpanda-data/redpanda#3040: a retried request was stored twice",
  nodes    = 3,
  duration = "10s",
  workload = sim.kv { keys = 8, rate = "60/s", deletes = "30%", batch = "10%" }, -- many deletes: an old put must not undo one
  network  = { delay = "1ms..20ms", duplicate = "30%", duplicate_within = "3s" },
  engine   = { changes_max = 3 }, -- an operation of more is refused whole
  expects  = { "power_loss" },

  run = function(world)
    world:sleep(world:between("2s", "5s"))
    local node = world:node(world:pick(3))
    node:crash() -- the copies of frames to its former life arrive in the next
    world:sleep(world:between("100ms", "1s"))
    node:restart()
  end,

  properties = {
    sim.sometimes("a known operation arrived again", function(w) return w:stats().duplicates > 100 end),
    sim.sometimes("a message of a dead session arrived", function(w) return w:stats().ignored_hellos > 0 end),
  },
}
