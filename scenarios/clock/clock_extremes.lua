local sim = require "sim"

-- 1281023 hours are 146 years, the longest step there is: 54 lead from the beginning of time to 2024, 530 to its end.
local AGE <const> = "1281023h"
local now = {}

local function to_the_beginning(node)
  for _ = 1, 4 do node:clock { step = "-" .. AGE } end
end

local function to_the_end(node)
  for _ = 1, 5 do node:clock { step = AGE } end
end

return sim.scenario {
  name     = "clocks that stand in 1970, run in 2554, and jump between the two, are adopted within the bound",
  story    = "yugabyte/yugabyte-db#10628: one clock far ahead took the hybrid times of all others with it, for good",
  tags     = { "smoke" },
  nodes    = 4,
  duration = "12s",
  workload = sim.kv { keys = 8, rate = "60/s", deletes = "15%", hot = "20%", burst = 6 },
  network  = { delay = "2ms..20ms" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms", sweep_interval = "1s", max_retries = 3, probe_interval = "500ms" },
  -- Where the clock stands node 2 has counted to its bound after 20 writes.
  node_options = { [2] = { engine = { clock_bound = "20ns" } }, [4] = { clock = "-1h" } },
  expects  = { "clock_step", "clock_freeze", "clock_strobe", "power_loss" },

  run = function(world)
    for _ = 1, 12 do
      world:sleep(world:between("200ms", "900ms"))
      local number = world:pick(4)
      local node = world:node(number)
      local how = world:pick { "1970", "2554", "today", "stop", "go", "strobe", "crash", "crash" }
      if how == "1970" then
        to_the_beginning(node)
      elseif how == "2554" then
        to_the_end(node)
      elseif how == "today" then -- whatever it held and wrote meanwhile
        to_the_beginning(node)
        node:clock { step = "473400h" }
      elseif how == "stop" or how == "go" then
        node:clock { freeze = how == "stop" }
      elseif how == "strobe" then
        node:clock { strobe = AGE, every = "7ms", lasting = "500ms" }
      else
        node:crash()
        if world:chance "50%" then world:sleep(world:between("600ms", "1500ms")) end -- the others try again
        node:restart()
      end
      now[number] = how
    end
  end,

  properties = {
    sim.sometimes("clocks stood at both ends of time", function()
      local first, last = false, false
      for _, how in pairs(now) do
        first = first or how == "1970"
        last = last or how == "2554"
      end
      return first and last
    end),
    sim.sometimes("a peer was tried again", function(w) return w:stats().timeouts > 0 end),
    sim.sometimes("tombstones were swept", function(w) return w:stats().own_writes > 0 end),
    sim.sometimes("the replicas differed", function(w) return not w:converged() end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() and w:drained() end),
  },
}
