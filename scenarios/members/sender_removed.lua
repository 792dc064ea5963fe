local sim = require "sim"

-- Node 3 is sent a snapshot of many blocks. An operator takes its sender out of its configuration while they come; the other
-- one offers its own at once, and that is taken.
local seen = { late = false, removed = 0 }

return sim.scenario {
  name     = "a peer that is removed while it sends a snapshot leaves no gap behind",
  story    = "A member was taken out of the configuration in the middle of a state transfer, and the receiver waited for it",
  nodes    = 3,
  duration = "8500ms",
  workload = sim.kv { keys = 40, rate = "50/s", deletes = "5%", value = "512B..2KiB" },
  network  = { delay = "2ms..6ms" },
  disk     = { fsync = "1ms..5ms" },
  engine   = { segment = "32KiB", snapshot = "64KiB", retain = "16KiB", ack_timeout = "2s", retry_interval = "5s",
               retry_cap = "5s", probe_interval = "1s" },
  expects  = { "power_loss" },

  run = function(world)
    local node = world:node(3)
    world:sleep "500ms"
    node:crash()
    world:sleep(world:between("3s", "4s"))
    local nth = world:pick(6)
    world:workload "stop" -- no other snapshot replaces what is offered
    world:sleep "300ms"
    node:restart()
    local block = world:wait_for("delivered", { to = 3, kind = "block", nth = nth }, "1500ms")
    if not block then return end
    node:remove_peer(block.from)
    seen.removed = seen.removed + 1
    if not world:wait_for("merge", { node = 3 }, "3s") then seen.late = true end
    world:sleep "500ms"
    node:add_peer(block.from)
  end,

  properties = {
    sim.always("it is up to date soon", function() return not seen.late end),
    sim.sometimes("a sender was removed", function() return seen.removed > 0 end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() and w:drained() end),
  },
}
