local sim = require "sim"

return sim.scenario {
  name     = "nothing leaves a node before its fsync is done",
  story    = "Jepsen, NATS 2.12.1: writes were acknowledged first and synced later, and a power loss took them",
  nodes    = 3,
  duration = "10s",
  workload = sim.kv { keys = 12, rate = "60/s", deletes = "10%" },
  network  = { delay = "100us..2ms" }, -- the network is much faster than the disks
  disk     = { on_crash = "adversarial", fsync = "20ms..400ms", latency = "0us..300us",
               stall = "0.2%", stall_time = "200ms" },
  engine   = { segment = "4KiB" }, -- segments are full before the former ones are durable
  expects  = { "power_loss", "disk_fsync_cut", "disk_lost_pending", "disk_torn", "disk_reordered", "disk_garbage",
               "disk_size" },

  run = function(world)
    for _ = 1, 5 do
      world:sleep(world:between("300ms", "1500ms"))
      local node = world:node(world:pick(3))
      node:crash()
      node:restart()
    end
  end,

  properties = {
    sim.sometimes("an outbox waited for the disk", function(w) return w:node(1):outbox().size > 5 end),
    sim.sometimes("pending writes were lost", function(w) return w:fault("disk_lost_pending").firings > 0 end),
  },
}
