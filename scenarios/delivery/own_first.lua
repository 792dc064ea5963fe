local sim = require "sim"

-- For a while nothing that 1 writes reaches 2 from 1: it comes by the others, and 2 takes it from there. Then they die.
local slow = false

local function comes_within(world, time)
  world:node(1):put(0, "64B")
  local number = world:node(1):get(0)
  return world:wait_until(function() return world:node(2):get(0) == number end, time)
end

return sim.scenario {
  name     = "what a node writes it gives to its peers itself, whoever else does",
  story    = "Leitao, Pereira and Rodrigues, SRDS 2007: a link is pruned since another one was faster; what its own end alone has goes over it all the same",
  tags     = { "smoke" },
  nodes    = 4,
  duration = "12s",
  network  = { delay = "1ms..6ms" },
  disk     = { fsync = "100us..2ms" },
  engine   = { ack_timeout = "4s", retry_interval = "2s" },
  expects  = { "power_loss", "net_rule" },

  run = function(world)
    comes_within(world, "3s")
    local rule = world:rule { from = 1, to = 2, kind = "ops", drop = true }
    for _ = 1, 4 do
      comes_within(world, "3s")
    end
    rule:remove()
    world:sleep(world:between("0ms", "100ms"))
    world:node(3):crash()
    world:node(4):crash()
    for _ = 1, 3 do
      if not comes_within(world, "300ms") then slow = true end
    end
  end,

  properties = {
    sim.always("it comes from its writer at once", function() return not slow end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() end),
  },
}
