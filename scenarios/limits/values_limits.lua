local sim = require "sim"

-- Keys of one byte, of the longest there are, of zeros and of bytes that are no text, one the beginning of another.
local keys = { "a", "a\0", "a\0\0", "\0", "\xff", "\xff\xff", "k/" .. ("n"):rep(1022), "k/1", "k/10", "k/2" }
local limit = 4096 -- as engine.value_max says
local values = { "", "\0", "equal", "equal", ("v"):rep(limit - 1), ("v"):rep(limit) }

-- One operation of so many changes, all of different keys, in no order.
local function many(world, count)
  local changes = {}
  for i = 1, count do
    changes[i] = { key = string.char(i * 37 % 256, i % 7) .. "many", text = world:pick { "", "\0", "equal" } }
  end
  return changes
end

local function write(world, node)
  local key, value = world:pick(keys), world:pick(values)
  local taken, why = node:put(key, { text = value })
  if taken and node:read(key) ~= value then world:fail "what was put is not what is read" end
  if not taken and why == "SYNC_E_TOO_BIG" then world:fail "a value at the limit was refused" end
  taken = node:put(key, { text = ("w"):rep(limit + 1) })
  if taken then world:fail "a value above the limit was taken" end
end

return sim.scenario {
  name     = "keys and values are kept to the last byte at the limits",
  story    = "etcd-io/bbolt#201, tikv/raft-engine#325: what was exactly as long as the limit was refused, or cut by one byte",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "6s",
  network  = { delay = "1ms..20ms", loss = "2%" },
  engine   = { value_max = "4KiB", changes_max = 200, ack_timeout = "500ms", retry_interval = "200ms" },
  expects  = { "power_loss" },

  run = function(world)
    for round = 1, 12 do
      local node = world:node(world:pick(3))
      write(world, node)
      if round % 4 == 0 then
        local taken, why = node:submit(many(world, world:pick { 1, 5, 127, 128, 200 }))
        if not taken and why ~= "SYNC_E_POWERED_OFF" then world:fail("an operation within the limits: " .. why) end
        if node:submit(many(world, 201)) then world:fail "an operation of more changes than there may be was taken" end
        if world:chance "40%" then
          node:crash()
          node:restart()
        end
      end
      world:sleep(world:between("50ms", "400ms"))
    end
  end,

  properties = {
    sim.sometimes("a value at the limit arrived", function(w)
      for _, found in ipairs(w:node(2):list "k/") do
        if found.value == values[6] then return true end
      end
      return false
    end),
    sim.always("a list is in order, and begins as it was asked", function(w)
      local before
      for _, found in ipairs(w:node(3):list("k/", { deleted = true })) do
        if found.key:sub(1, 2) ~= "k/" or (before and before >= found.key) then return false end
        before = found.key
      end
      return true
    end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
