local sim = require "sim"

-- Bits rot and sectors go bad below a node that goes on running: nothing is asked of them for long.
-- Each node has its log verified now and then, which must find what is there, and nothing else.
local found = 0

return sim.scenario {
  name     = "a scrub finds what rotted in a log that nobody reads",
  story    = "FAST'18, Alagappan et al., protocol-aware recovery: damage that was met only when it was needed, or never",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "20s",
  workload = sim.kv { keys = 16, rate = "30/s", deletes = "10%" },
  network  = { delay = "1ms..10ms", loss = "1%" },
  disk     = { fsync = "1ms..10ms", damage_budget = 2, erase_block = "512B" },
  engine   = { segment = "16KiB", retry_interval = "200ms", retry_cap = "2s", probe_interval = "1s",
               ack_timeout = "500ms" },
  expects  = { "disk_rot", "disk_latent" },

  run = function(world)
    world:sleep "5s"
    for i = 1, 3 do
      local node = world:node(i)
      if world:chance "50%" then
        node:disk { rot_running = "1%", damage_budget = 2 }
      else
        node:disk { latent = "1%", damage_budget = 2 }
      end
    end
    for _ = 1, 10 do
      world:sleep "1s"
      found = found + (world:node(world:pick(3)):verify() or 0)
    end
  end,

  properties = {
    sim.sometimes("a damaged record was found while its node ran", function() return found > 0 end),
  },
}
