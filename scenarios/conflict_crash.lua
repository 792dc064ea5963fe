local sim = require "sim"

-- What one of the runs saw.
local seen = { waiting = false, resolved = false }

return sim.scenario {
  name     = "a conflict whose author crashed is resolved by his next run",
  story    = "a resolver that knew its own writes by the run that made them: after a restart they were a stranger's, and "
          .. "the conflict stayed for ever (a trace that broke our own first rules)",
  nodes    = 3,
  duration = "8s",
  network  = { delay = "2ms..40ms", loss = "1%" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { ack_timeout = "400ms", retry_interval = "150ms" },
  expects  = { "power_loss", "net_partition" },
  node_options = { [1] = { policy = "keep_local" }, [2] = { policy = "keep_remote" } },

  run = function(world)
    for round = 1, 4 do
      local n = world:pick(2)
      local author, other = world:node(n), world:node(n % 2 + 1)
      local cut = world:isolate(author)
      author:put(round)
      if world:chance "30%" then other:delete(round) else other:put(round) end
      world:sleep "300ms"
      author:crash() -- with its own value alone
      cut:heal()
      world:sleep(world:between("10ms", "300ms"))
      author:restart { crash_within = 12 } -- perhaps as it hears of the other, or while it resolves
      world:sleep(world:between("50ms", "400ms"))
      seen.waiting = seen.waiting or #author:conflicts() > 0 or not author:up()
      author:restart()
      world:sleep(world:between("100ms", "800ms"))
    end
    seen.resolved = world:stats().own_writes > 0
  end,

  properties = {
    sim.sometimes("it was down, or had not resolved it yet", function() return seen.waiting end),
    sim.sometimes("a later run resolved it", function() return seen.resolved end),
    sim.eventually("no conflict is open", "15s", function(w)
      for _, conflict in ipairs(w:node(3):conflicts()) do
        if not conflict.settled then return false end
      end
      return w:converged()
    end),
  },
}
