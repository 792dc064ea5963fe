local sim = require "sim"

-- What one of the runs saw.
local seen = { crashed = false, resolved = false }

return sim.scenario {
  name     = "a conflict whose author crashed is resolved by his next run",
  story    = "a resolver that knew its own writes by the run that made them: after a restart they were a stranger's, and "
          .. "the conflict stayed for ever (a trace that broke our own first rules)",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "8s",
  network  = { delay = "2ms..40ms", loss = "1%" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { ack_timeout = "400ms", retry_interval = "150ms" },
  expects  = { "power_loss", "process_crash", "net_partition" },
  node_options = { [1] = { policy = "keep_local" }, [2] = { policy = "keep_remote" } },

  run = function(world)
    for round = 1, 4 do
      local author, other = world:node(world:pick(2)), world:node(3) -- who resolves nothing
      local cut = world:isolate(author)
      author:put(round)
      if world:chance "30%" then other:delete(round) else other:put(round) end
      world:sleep "300ms"
      if world:chance "30%" then -- with its own value alone
        author:crash()
        cut:heal()
        world:sleep(world:between("10ms", "300ms"))
        author:restart { crash_within = 12 } -- perhaps as it hears of the other, or while it resolves
      else -- as it writes what it heard, or what it resolved
        local point = { at = { call = "write", nth = world:pick(4) } }
        if world:chance "50%" then author:process_crash(point) else author:crash(point) end
        cut:heal()
      end
      world:sleep(world:between("50ms", "800ms"))
      seen.crashed = seen.crashed or not author:up()
      author:restart()
      world:sleep(world:between("100ms", "800ms"))
    end
    seen.resolved = world:node(1):resolved() + world:node(2):resolved() > 0
  end,

  properties = {
    sim.sometimes("its author crashed in it", function() return seen.crashed end),
    sim.sometimes("a later run resolved it", function() return seen.resolved end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
