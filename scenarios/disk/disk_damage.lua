local sim = require "sim"

-- Damage at rest, one for each disk: a rotten bit, a sector that cannot be read any more, a write
-- that never arrives or arrives elsewhere, an fsync that lies. The operator of a node that refuses
-- to start replaces its disk; the others go on meanwhile, and nothing that an undamaged disk
-- promised is lost.
local kinds = {
  { rot = "100%" },
  { unreadable = "1%" },
  { lost_write = "2%" },
  { misdirect = "2%" },
  { fsync_lie = "2%" },
}

return sim.scenario {
  name = "damaged disks are reported, and the others go on",
  story = "Jepsen, NATS 2.12.1: a few damaged bytes on one disk of three, and acknowledged messages were gone everywhere",
  tags = { "smoke" },
  nodes = 3,
  duration = "20s",
  workload = sim.kv { keys = 16, rate = "40/s", deletes = "10%" },
  network = { delay = "1ms..10ms", loss = "1%" },
  disk = { damage_budget = 1, fsync = "5ms..40ms" },
  engine = { retry_interval = "200ms", retry_cap = "2s", probe_interval = "1s", ack_timeout = "500ms" },
  expects = { "disk_rot", "disk_unreadable", "disk_lost_write", "disk_misdirected", "disk_fsync_lie" },

  run = function(world)
    world:sleep "1s"
    for i = 1, 3 do
      local settings = { damage_budget = 1 }
      for key, value in pairs(kinds[world:pick(#kinds)]) do settings[key] = value end
      world:node(i):disk(settings)
    end
    for _ = 1, 8 do
      world:sleep(world:between("500ms", "2s"))
      local node = world:node(world:pick(3))
      node:crash()
      world:sleep(world:between("10ms", "500ms"))
      node:restart()
      if not node:up() then
        world:sleep(world:between("10ms", "1s"))
        if world:chance "70%" and not node:up() then
          node:crash()
          node:wipe()
          node:restart()
        end
      end
    end
  end,

  properties = {
    sim.sometimes("a node refused to start", function(w)
      for i = 1, 3 do
        if not w:node(i):up() then return true end
      end
      return false
    end),
  },
}
