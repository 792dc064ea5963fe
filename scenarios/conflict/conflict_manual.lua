local sim = require "sim"

-- What one of the runs saw.
local seen = { stale = false, both = false }

-- A person who resolves what the node shows, after thinking about it.
local function resolves(world, node, thinking)
  local listed = node:conflicts()
  if #listed == 0 then return end
  local conflict = listed[world:pick(#listed)]
  world:sleep(thinking)
  local taken, status = node:resolve(conflict.key, conflict.token, world:chance "25%" and "delete" or "48B")
  seen.stale = seen.stale or status == "SYNC_E_STALE"
  return taken
end

return sim.scenario {
  name     = "a person resolves what he saw and nothing else",
  story    = "standardapplied/sail#272: resolving wrote what was recorded when the conflict was found, and took back "
          .. "what had been written since; softadastra's resolver: manual kept one value and acknowledged the other away",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "8s",
  workload = sim.kv { keys = 5, rate = "20/s", deletes = "15%" },
  network  = { delay = "5ms..80ms", loss = "2%", duplicate = "5%" },
  disk     = { on_crash = "adversarial" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms" },
  policy   = "manual",
  expects  = { "net_partition", "power_loss" },

  run = function(world)
    for _ = 1, 4 do
      local cut = world:partition_halves()
      world:sleep(world:between("100ms", "600ms"))
      if world:chance "50%" then cut:heal() end
      local one, other = world:node(world:pick(3)), world:node(world:pick(3))
      world:spawn(function(w) resolves(w, one, "50ms") end)
      local taken = resolves(world, other, "100ms")
      seen.both = seen.both or taken == true
      if world:chance "20%" then
        one:crash()
        world:sleep "50ms"
        one:restart()
      end
      cut:heal()
      world:sleep(world:between("50ms", "500ms"))
    end
  end,

  properties = {
    sim.sometimes("a resolution was taken", function() return seen.both end),
    sim.sometimes("one was refused, for there was news", function() return seen.stale end),
    sim.sometimes("conflicts were open on two nodes", function(w)
      return #w:node(1):conflicts() > 0 and #w:node(2):conflicts() > 0
    end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
