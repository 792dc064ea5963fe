local sim = require "sim"

local function clogs(world)
  while true do
    world:sleep(world:between("200ms", "1500ms"))
    local from = world:pick(4)
    world:clog(from, from % 4 + 1, world:between("100ms", "2s"))
  end
end

return sim.scenario {
  name     = "links that lose in bursts, stop, and deliver all at once",
  story    = "github.com, 22 December 2012: a network that stood still for 90 seconds held back kill messages, and pairs of file servers shot each other when they arrived",
  nodes    = 4,
  duration = "10s",
  workload = sim.kv { keys = 10, rate = "50/s", deletes = "15%", hot = "10%" },
  network  = { delay = "2ms mean 12ms", burst = "1%", burst_end = "10%", burst_loss = "90%",
               clog = "0.2%", clog_time = "100ms..1500ms" },
  engine   = { ack_timeout = "400ms", retry_interval = "150ms", retry_cap = "1s" },
  shuffle  = true,

  run = function(world)
    world:spawn(clogs)
    for _ = 1, 3 do
      world:sleep(world:between("100ms", "1s"))
      world:swizzle(world:between("1s", "3s"))
      if world:chance "50%" then
        world:sleep(world:between("100ms", "1s"))
        local node = world:node(world:pick(4))
        node:crash()
        node:restart() -- what was held for its last life arrives in this one
      end
      world:sleep "2s"
    end
  end,

  properties = {
    sim.sometimes("an acknowledgement timed out", function(w) return w:stats().timeouts > 0 end),
    sim.sometimes("a message waited for a clog to end", function(w) return w:fault "net_clog".firings > 0 end),
    sim.sometimes("a burst lost ten messages", function(w) return w:fault "net_burst".firings >= 10 end),
    sim.sometimes("an old greeting came after a newer one", function(w) return w:stats().ignored_hellos > 0 end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() end),
  },
}
