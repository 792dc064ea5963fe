local sim = require "sim"

-- Three nodes have been at work for a while, and their logs have been cut. Two more join: one that all know, and one that only
-- the first of the two knows. Then the oldest goes for good.
local seen = { late = false, joined = 0 }

return sim.scenario {
  name     = "nodes that join a cluster at work have all of it, also one from another that has just joined",
  story    = "A node added to a running cluster had only what was written after it joined; what was older was never sent",
  nodes    = 3,
  spares   = 2,
  duration = "11s",
  workload = sim.kv { keys = 24, rate = "60/s", deletes = "15%", value = "128B..512B" },
  network  = { delay = "1ms..15ms", loss = "1%" },
  disk     = { on_crash = "adversarial", fsync = "1ms..5ms" },
  engine   = { segment = "8KiB", snapshot = "16KiB", retain = "8KiB", ack_timeout = "500ms", retry_interval = "200ms",
               retry_cap = "500ms", probe_interval = "500ms", sweep_interval = "300ms" },
  expects  = { "power_loss" },

  run = function(world)
    world:sleep(world:between("3s", "4s"))
    local four = world:add_node()
    if world:chance "50%" then
      world:sleep(world:between("1ms", "200ms"))
      four:crash()
      four:restart()
    end
    world:sleep(world:between("0s", "500ms"))
    local five = world:add_node { peers = { four } }
    world:sleep "500ms"
    world:node(1):retire()
    world:sleep "1s"
    world:workload "stop"
    local function is_equal() return world:converged() and #five:files() > 0 end
    if not world:wait_until(is_equal, "4s") then seen.late = true end
    seen.joined = seen.joined + 1
  end,

  properties = {
    sim.always("who joined has all of it soon", function() return not seen.late end),
    sim.sometimes("two nodes joined", function() return seen.joined > 0 end),
    sim.sometimes("one began with a snapshot", function(world) return world:stats().merges > 0 end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() and w:drained() end),
  },
}
