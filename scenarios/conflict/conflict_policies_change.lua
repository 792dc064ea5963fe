local sim = require "sim"

local words = { "last_write_wins", "keep_local", "keep_remote", "manual", "merge_union", "merge_longest",
                "merge_greatest" }
-- What one of the runs saw.
local seen = { at_once = false }

return sim.scenario {
  name     = "policies may change under conflicts, at any node, at any time",
  story    = "apache/pouchdb#4630: each of three devices resolved by itself what the others had resolved, and none came "
          .. "to an end; a policy is changed in one office first, and in the others when they get round to it",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "10s",
  workload = sim.kv { keys = 8, rate = "40/s", deletes = "20%", hot = "20%" },
  network  = { delay = "2ms..60ms", loss = "2%", reorder = "10%", duplicate = "5%" },
  disk     = { on_crash = "adversarial", quota = "0B" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms", snapshot = "16KiB", segment = "8KiB", retain = "4KiB" },
  policy   = "manual",
  expects  = { "net_partition", "power_loss" },
  shuffle  = true,

  run = function(world)
    for _ = 1, 8 do
      local node = world:node(world:pick(3))
      local before, open = node:resolved(), #node:conflicts()
      if world:chance "60%" then
        node:policy(world:pick(words))
      else
        node:policy(world:pick(words), world:pick { "key-", "key-0000000", "key-00000003" })
      end
      world:sleep(world:between("1ms", "100ms"))
      seen.at_once = seen.at_once or (open > 0 and node:resolved() > before)
      local cut = world:chance "40%" and world:isolate(node)
      world:sleep(world:between("100ms", "900ms"))
      if world:chance "25%" then
        node:crash()
        if world:chance "50%" then node:policy(world:pick(words)) end -- in the file from which it will start
        node:restart()
      end
      if world:chance "20%" then node:snapshot() end
      if cut then cut:heal() end
    end
    -- At last nobody writes any more: what is open stays so, unless a policy resolves it.
    world:workload "stop"
    world:sleep(world:between("50ms", "500ms"))
    local node = world:node(world:pick(3))
    if world:chance "50%" then
      node:crash()
      node:policy(world:pick { "keep_local", "keep_remote" })
      node:restart()
    else
      node:policy(world:pick { "keep_local", "keep_remote" }, "key-")
    end
  end,

  properties = {
    sim.sometimes("a new policy resolved what was open", function() return seen.at_once end),
    sim.sometimes("conflicts stayed open under another one", function(w) return #w:node(1):conflicts() > 2 end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
