local sim = require "sim"

return sim.scenario {
  name     = "a delete that was seen is not undone",
  story    = "syncthing/syncthing#10023: a forgotten delete let an old file come back on every device",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "10s",
  workload = sim.kv { keys = 3, rate = "40/s", deletes = "45%", hot = "40%" },
  network  = { delay = "2ms..60ms", reorder = "10%", duplicate = "10%", duplicate_within = "2s" },
  disk     = { on_crash = "adversarial" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms" },
  expects  = { "net_partition", "power_loss" },

  run = function(world)
    for _ = 1, 3 do
      local away = world:pick(3)
      local cut = world:isolate(away)
      world:node(away):put(0)
      world:node(away % 3 + 1):delete(0)
      world:sleep(world:between("300ms", "2s"))
      if world:chance "40%" then
        world:node(away):crash()
        world:node(away):restart()
      end
      cut:heal()
      world:sleep(world:between("200ms", "1s"))
    end
  end,

  properties = {
    sim.sometimes("a key was deleted here and present there", function(w)
      return (w:node(1):get(0) == nil) ~= (w:node(2):get(0) == nil)
    end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() end),
  },
}
