local sim = require "sim"

local accounts, balance = 8, 100

local function account(number) return ("account/%02d"):format(number) end

local function amount(node, number) return tonumber((node:read(account(number)))) end

-- One operation of two changes: nobody may ever see the one without the other.
local function transfer(world, bank)
  local from, to = world:pick(accounts), world:pick(accounts)
  local has = amount(bank, from)
  if from == to or not has or has == 0 then return end
  local sum = world:pick(has)
  bank:submit {
    { key = account(from), text = tostring(has - sum) },
    { key = account(to),   text = tostring(amount(bank, to) + sum) },
  }
end

-- All pay a little to the first, in one operation.
local function collect(bank)
  local changes, sum = {}, 0
  for i = 2, accounts do
    local has = amount(bank, i)
    if not has then return end
    local fee = has > 0 and 1 or 0
    changes[i] = { key = account(i), text = tostring(has - fee) }
    sum = sum + fee
  end
  changes[1] = { key = account(1), text = tostring(amount(bank, 1) + sum) }
  bank:submit(changes)
end

local function total(node)
  local sum, count = 0, 0
  for _, found in ipairs(node:list "account/") do
    sum, count = sum + tonumber(found.value), count + 1
  end
  return sum, count
end

return sim.scenario {
  name     = "money is neither made nor lost, whoever looks, whenever",
  story    = "jepsen.io/analyses/tidb-2.1.7: of a transfer between two accounts readers saw one half, and the sum was wrong",
  tags     = { "smoke" },
  nodes    = 3,
  topology = "line",
  duration = "8s",
  network  = { delay = "1ms..40ms", loss = "3%", reorder = "20%" },
  engine   = { batch_size = 3, segment = "4KiB", snapshot = "4KiB", retain = "4KiB", ack_timeout = "500ms",
               retry_interval = "200ms" },
  expects  = { "power_loss_in_call" },

  run = function(world)
    local bank, opening = world:node(1), {}
    for i = 1, accounts do opening[i] = { key = account(i), text = tostring(balance) } end
    bank:submit(opening)
    world:spawn(function()
      while true do
        world:sleep(world:between("500ms", "2s"))
        local node = world:node(world:pick(3))
        node:crash { within = 30 }
        world:wait_until(function() return not node:up() end, "1s")
        node:restart()
      end
    end)
    while true do
      if world:chance "10%" then collect(bank) else transfer(world, bank) end
      world:sleep(world:between("10ms", "80ms"))
    end
  end,

  properties = {
    sim.always("the sum is what was paid in, or nothing was heard yet", function(w)
      for _, node in ipairs(w:nodes()) do
        local sum, count = total(node)
        if count > 0 and sum ~= accounts * balance then return false end
      end
      return true
    end),
    sim.sometimes("the last in the line had another state than the bank", function(w)
      for i = 1, accounts do
        local here, there = amount(w:node(1), i), amount(w:node(3), i)
        if here and there and here ~= there then return true end
      end
      return false
    end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
