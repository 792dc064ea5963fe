local sim = require "sim"

-- 2 answers at once what 1 writes, and its answer is at 3 long before what it answers, which has a long way there.
local slow = false

return sim.scenario {
  name     = "an answer that came before its question is there as soon as that is",
  story    = "automerge/automerge-classic#258, of what comes too early: it was kept aside, and went lost there",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "8s",
  network  = { delay = "1ms..4ms" },
  disk     = { fsync = "100us..1ms" },
  engine   = { ack_timeout = "10s", retry_interval = "5s" },

  run = function(world)
    world:link(1, 3) { delay = "60ms..90ms" }
    for key = 1, 10 do
      world:sleep(world:between("50ms", "400ms"))
      world:node(1):put(key, "64B")
      local number = world:node(1):get(key)
      world:wait_until(function() return world:node(2):get(key) == number end, "1s")
      world:node(2):put(key, "64B")
      number = world:node(2):get(key)
      if not world:wait_until(function() return world:node(3):get(key) == number end, "150ms") then slow = true end
    end
  end,

  properties = {
    sim.sometimes("an answer came before its question", function(w) return w:stats().not_yet > 0 end),
    sim.always("it is there as soon as its question is", function() return not slow end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() end),
  },
}
