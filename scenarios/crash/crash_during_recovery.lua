local sim = require "sim"

return sim.scenario {
  name     = "recovery may be interrupted again and again",
  story    = "etcd-io/etcd#5230 and its like: a node that lost power while it recovered did not start any more",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "10s",
  workload = sim.kv { keys = 12, rate = "60/s", deletes = "10%" },
  network  = { delay = "1ms..15ms" },
  disk     = { on_crash = "adversarial", fsync = "1ms..15ms" },
  engine   = { segment = "16KiB" },
  expects  = { "power_loss", "power_loss_in_call" },

  run = function(world)
    for _ = 1, 4 do
      world:sleep(world:between("300ms", "1500ms"))
      local node = world:node(world:pick(3))
      node:crash()
      for _ = 1, world:pick(6) do
        node:restart { crash_within = 16 } -- power is lost again at one of its first calls
        world:sleep(world:between("1ms", "20ms"))
        node:crash()
      end
      node:restart()
    end
  end,

  properties = {
    sim.sometimes("an opening was cut short", function(w)
      return w:fault("power_loss_in_call").firings > 3
    end),
    sim.sometimes("a node that had been cut short took part again", function(w)
      return w:fault("power_loss_in_call").firings > 0 and w:drained()
    end),
  },
}
