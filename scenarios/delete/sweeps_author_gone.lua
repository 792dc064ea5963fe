local sim = require "sim"

-- One of four is taken out of service. What it deleted is nobody's to sweep but the others'.
return sim.scenario {
  name     = "the tombstones of a node that was retired are swept by the others",
  story    = "akka/akka-core#22130: what a removed node had written stayed in everybody's data until others were made to prune it",
  nodes    = 4,
  duration = "14s",
  workload = sim.kv { keys = 400, rate = "60/s", deletes = "45%", value = "16B..64B" },
  network  = { delay = "2ms..30ms", loss = "1%" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { sweep_interval = "400ms", ack_timeout = "400ms", retry_interval = "150ms", retry_cap = "1s",
               max_retries = 3, probe_interval = "1s" },
  expects  = { "power_loss" },

  run = function(world)
    local gone = world:pick(4)
    world:sleep(world:between("2s", "5s"))
    if world:chance "40%" then -- somebody is down when it goes, and hears of it later
      world:node(gone % 4 + 1):crash()
      world:sleep(world:between("10ms", "500ms"))
    end
    world:workload "stop" -- or a write would take a tombstone's place
    for key = 0, 59 do world:node(gone):delete(key) end
    world:sleep "150ms" -- the others have them, and it has swept none yet
    world:node(gone):retire()
    world:sleep(world:between("100ms", "2s"))
    for _, node in ipairs(world:nodes()) do
      if node:number() ~= gone then node:restart() end
    end
    world:sleep(world:between("100ms", "2s"))
    local other = world:node((gone + 1) % 4 + 1)
    other:crash { within = 80 }
    world:wait_until(function() return not other:up() end, "1s")
    other:restart()
  end,

  properties = {
    sim.sometimes("a node retired and the others swept", function(world)
      local up, swept = 0, 0
      for _, node in ipairs(world:nodes()) do
        if node:up() then up = up + 1 end
        swept = swept + node:tombstones().swept
      end
      return up == 3 and swept > 100
    end),
    sim.eventually("only keys with a value beside are left", "40s", function(world)
      for _, node in ipairs(world:nodes()) do
        if node:up() and node:tombstones().size > 30 then return false end
      end
      return true
    end),
    sim.eventually("every replica is equal", "40s", function(w) return w:converged() end),
  },
}
