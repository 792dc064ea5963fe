local sim = require "sim"

-- A ring of five: 3 has what 1 writes from 2, and 4 only tells it what it holds. With 2 away it hears of it from 4 alone:
-- over a link that now lets nothing through for a while, one way or the other.
local late = false

return sim.scenario {
  name     = "what a peer was told in vain it is told again, and what it asked for in vain it asks for again",
  story    = "automerge/automerge#772: what was told got lost, was noted as known to the peer, and was never told again",
  tags     = { "smoke" },
  nodes    = 5,
  topology = "ring",
  duration = "14s",
  network  = { delay = "1ms..10ms" },
  disk     = { fsync = "100us..2ms" },
  engine   = { ack_timeout = "2s", retry_interval = "1s", retry_cap = "2s", idle_hello = "60s" },
  expects  = { "power_loss", "net_partition" },

  run = function(world)
    local writer, peer = world:node(1), world:node(3)
    for key = 1, 5 do
      writer:put(key, "64B")
      world:sleep "100ms"
    end
    world:node(2):crash()
    for _ = 1, 2 do -- the second time 4 does not only tell it
      local there = world:chance "50%"
      local cut = world:partition_one_way({ there and 4 or 3 }, { there and 3 or 4 })
      writer:put(0, "64B")
      local number = writer:get(0)
      world:sleep(world:between("600ms", "1600ms"))
      cut:heal()
      if not world:wait_until(function() return peer:get(0) == number end, "3500ms") then late = true end
    end
  end,

  properties = {
    sim.always("it comes once the link carries again", function() return not late end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() end),
  },
}
