local sim = require "sim"

local most = 0

-- Keys come and go all the time, everybody is there: what was deleted must not stay for ever.
return sim.scenario {
  name     = "tombstones go while everybody is there, however long deletes go on",
  story    = "ipfs/go-ds-crdt#228: who adds and deletes all the time had a database that only ever grew; the way out was to build a new one",
  nodes    = 3,
  duration = "20s",
  workload = sim.kv { keys = 2000, rate = "100/s", deletes = "50%", batch = "10%", value = "32B..200B", variety = true },
  network  = { delay = "2ms..30ms", loss = "1%", duplicate = "1%" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { sweep_interval = "1s", ack_timeout = "400ms", retry_interval = "150ms", segment = "64KiB" },
  expects  = { "power_loss_in_call" },

  run = function(world)
    for _ = 1, 3 do
      world:sleep(world:between("2s", "5s"))
      local node = world:node(world:pick(3))
      node:crash { within = 60 }
      world:wait_until(function() return not node:up() end, "1s")
      world:sleep(world:between("10ms", "200ms"))
      node:restart()
    end
  end,

  properties = {
    sim.always("what waits is what a few seconds delete", function(world)
      local within = true
      for _, node in ipairs(world:nodes()) do
        local size = node:tombstones().size
        if size > most then most = size end
        if size > 700 then within = false end
      end
      return within
    end),
    sim.sometimes("hundreds of deletes were swept", function(world)
      local swept = 0
      for _, node in ipairs(world:nodes()) do swept = swept + node:tombstones().swept end
      return swept > 400
    end),
    sim.eventually("only keys with a value beside are left, and every replica is equal", "40s", function(world)
      for _, node in ipairs(world:nodes()) do
        if node:tombstones().size > 60 then return false end
      end
      return world:converged() and world:drained()
    end),
  },
}
