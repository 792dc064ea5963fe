local sim = require "sim"

-- What one of the runs saw, for the properties.
local seen = { behind = false, fork = false, back = false, lost = false }

-- Waits until a node has what the author has of a key.
local function meets(world, author, other, key)
  return world:wait_until(function()
    return author:get(key) ~= nil and other:get(key) == author:get(key)
  end, "3s")
end

return sim.scenario {
  name     = "a node restored from its backup gives no id twice",
  story    = "ssbc/ssb-server#410, owncloud/core#11621: from an old copy a node wrote under numbers given already, and "
          .. "its log forked; what a restored server lacked was lost",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "10s",
  workload = sim.kv { keys = 12, rate = "25/s", deletes = "10%" },
  network  = { delay = "2ms..20ms", duplicate = "3%", duplicate_within = "1s" },
  disk     = { on_crash = "adversarial", fsync = "1ms..20ms" },
  engine   = { ack_timeout = "400ms", retry_interval = "150ms" },
  expects  = { "restore", "power_loss" },

  run = function(world)
    local n = world:pick(3)
    local node, b, c = world:node(n), world:node(n % 3 + 1), world:node((n + 1) % 3 + 1)
    world:sleep(world:between("200ms", "1s"))
    node:put(100, "64B")
    meets(world, node, b, 100)
    meets(world, node, c, 100)
    node:backup()

    local elsewhere = world:chance "50%" -- the fork reaches a third node; else catching up may hide it
    local cut = elsewhere and world:isolate(c)
    node:put(101, "64B")
    local met = world:chance "75%" and meets(world, node, b, 101)
    if not met then world:sleep(world:between("1ms", "50ms")) end
    local before = node:get(101)
    node:restore()
    if world:chance "30%" then -- the power goes again, while it starts
      node:restart { crash_within = 8 }
      world:sleep "50ms"
    end
    if cut then
      cut:heal()
      cut = world:isolate(b)
    end
    node:restart()
    seen.behind = before ~= nil and node:get(101) == nil
    node:put(102, "64B") -- under the number that key 101 was written under, had it kept its origin
    seen.fork = elsewhere and meets(world, node, c, 102)
    world:sleep(world:between("100ms", "1s"))
    if cut then cut:heal() end
    seen.back = seen.behind and met and world:wait_until(function() return node:get(101) == before end, "3s")
    seen.lost = seen.behind and not met and b:get(101) == nil

    world:sleep(world:between("100ms", "1s"))
    node:restore() -- the same backup once more
    world:sleep(world:between("10ms", "300ms"))
    node:restart()
    node:put(101, "64B")
  end,

  properties = {
    sim.sometimes("the backup was behind", function() return seen.behind end),
    sim.sometimes("a fork reached a third node first", function() return seen.behind and seen.fork end),
    sim.sometimes("what the backup lacked came back from a peer", function() return seen.back end),
    sim.sometimes("what nobody else had was gone", function() return seen.lost end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
