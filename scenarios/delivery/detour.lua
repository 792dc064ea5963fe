local sim = require "sim"

-- A ring: what 1 writes goes both ways round, and each node has it from one side only. One dies on the way; whoever had
-- it from there learns late, from the other side, what it lacks, and takes all that follows from that side at once.
local slow = false

local function everywhere(world, number)
  for _, node in ipairs(world:nodes()) do
    if node:up() and node:get(0) ~= number then return false end
  end
  return true
end

local function comes_within(world, time)
  world:node(1):put(0, "64B")
  local number = world:node(1):get(0)
  return world:wait_until(function() return everywhere(world, number) end, time)
end

return sim.scenario {
  name     = "a node dies on the way, and the others take another one",
  story    = "Leitao, Pereira and Rodrigues, SRDS 2007: a broadcast tree lost a branch with the node that carried it, and must be mended from the links that lay idle",
  tags     = { "smoke" },
  nodes    = 7,
  topology = "ring",
  duration = "12s",
  network  = { delay = "1ms..6ms" },
  disk     = { fsync = "100us..2ms" },
  engine   = { ack_timeout = "4s", retry_interval = "2s" },
  expects  = { "power_loss" },

  run = function(world)
    for _ = 1, 6 do
      world:sleep(world:between("50ms", "200ms"))
      comes_within(world, "3s")
    end
    world:node(1 + world:pick(6)):crash()
    for _ = 1, 2 do
      if not comes_within(world, "4s") then slow = true end -- who had it from there asks the other side, once
    end
    for _ = 1, 6 do
      world:sleep(world:between("50ms", "200ms"))
      if not comes_within(world, "400ms") then slow = true end
    end
  end,

  properties = {
    sim.always("what is written comes at once, the other way", function() return not slow end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() end),
  },
}
