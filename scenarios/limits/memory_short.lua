local sim = require "sim"

local seen = { refused = false, again = false, bounded = false, on = false, boot = false }

-- Allocations of a node fail now and then.
local function short(world, number)
  local node = world:node(number)
  while true do
    world:sleep(world:between("10ms", "300ms"))
    node:fail_alloc(world:pick(12))
    if world:chance "25%" then
      local before = node:get(50)
      local _, status = node:put(50, "200B")
      if status == "SYNC_E_NO_MEMORY" then
        if node:get(50) ~= before then world:fail "a refused write changed its key" end
        node:fail_alloc(0)
        seen.refused = true
        seen.again = node:put(50, "200B") and node:get(50) ~= before or seen.again
      end
    elseif world:chance "10%" then
      node:process_crash()
      node:fail_alloc(world:pick(30)) -- in the boot
      if not node:restart() then
        seen.boot = true
        world:sleep "20ms"
        node:restart()
      end
    end
  end
end

return sim.scenario {
  name     = "what memory is too short for is refused, and goes on later",
  story    = "kuzudb/kuzu#4338: memory ran out in the middle of a commit, and the half that was done corrupted the database",
  nodes    = 3,
  duration = "8s",
  workload = sim.kv { keys = 24, rate = "60/s", deletes = "10%", value = "64B..512B", batch = "10%" },
  network  = { delay = "1ms..20ms", loss = "1%" },
  disk     = { on_crash = "adversarial" },
  engine   = { ack_timeout = "400ms", retry_interval = "150ms" },
  expects  = { "alloc" },

  run = function(world)
    for number = 1, 3 do world:spawn(short, number) end
    local node = world:node(world:pick(3))
    world:sleep(world:between("1s", "3s"))
    node:memory_quota "64KiB" -- less than it has by now, or soon
    for key = 60, 90 do
      local _, status = node:put(key, "1KiB")
      seen.bounded = seen.bounded or status == "SYNC_E_NO_MEMORY"
    end
    world:sleep(world:between("200ms", "2s"))
    node:memory_quota "0B"
    node:fail_alloc(0)
    seen.on = seen.bounded and node:put(60, "1KiB")
  end,

  properties = {
    sim.sometimes("a write was refused for want of memory", function() return seen.refused end),
    sim.sometimes("tried again it was taken", function() return seen.again end),
    sim.sometimes("the quota refused writes", function() return seen.bounded end),
    sim.sometimes("writing went on without it", function() return seen.on end),
    sim.sometimes("a boot failed for want of memory", function() return seen.boot end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
