local sim = require "sim"

-- A value above the limit is refused by name, and nothing of it stays.
local function too_much(world)
  while true do
    world:sleep(world:between("200ms", "1s"))
    local done = world:node(world:pick(3)):put(1, "65KiB")
    if done then world:fail "a value above the limit was taken" end
  end
end

return sim.scenario {
  name     = "several changes are one operation, wholly or not at all",
  story    = "etcd-io/etcd#13514: state and applied position were saved apart, and a crash between them applied half twice",
  nodes    = 3,
  duration = "8s",
  workload = sim.kv { keys = 6, rate = "30/s", deletes = "20%", batch = "70%", value = "16B..2KiB" },
  network  = { delay = "1ms..20ms", loss = "2%" },
  disk     = { on_crash = "adversarial", sector = "512B", fsync = "1ms..20ms", write_back = "20%" },
  engine   = { segment = "16KiB", batch_size = 4, ack_timeout = "500ms", retry_interval = "200ms" },
  expects  = { "power_loss_in_call", "disk_torn" },

  run = function(world)
    world:spawn(too_much)
    for _ = 1, 5 do
      local node = world:node(world:pick(3))
      node:crash { within = 40 }
      world:wait_until(function() return not node:up() end, "1s")
      world:sleep(world:between("10ms", "300ms"))
      node:restart()
    end
  end,

  properties = {
    sim.sometimes("a record was torn", function(w) return w:fault("disk_torn").firings > 0 end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() end),
  },
}
