local sim = require "sim"

local goods = { "apples", "bread", "cheese", "dates", "eggs", "figs" }

local function words(text)
  local list = {}
  for word in text:gmatch "%S+" do list[#list + 1] = word end
  return list
end

-- The words of all values, each once, in order: a set that only grows.
local function union(_, values)
  local seen, all = {}, {}
  for _, value in ipairs(values) do
    for _, word in ipairs(words(value)) do
      if not seen[word] then
        seen[word] = true
        all[#all + 1] = word
      end
    end
  end
  table.sort(all)
  return table.concat(all, " ")
end

-- What somebody put into a cart, and the node promised.
local inside = {}

local function shop(world, node)
  local cart, word = "cart/" .. world:pick(3), world:pick(goods)
  local has, status = node:read(cart)
  if status ~= "SYNC_OK" and status ~= "SYNC_E_NOT_FOUND" then return end
  if node:put(cart, { text = union(cart, { has or "", word }) }) then inside[cart .. " " .. word] = true end
end

return sim.scenario {
  name     = "nothing falls out of a cart that several people fill at once",
  story    = "DeCandia et al., Dynamo (SOSP 2007), 4.4: last write wins loses what the other put into the shopping cart",
  nodes    = 4,
  topology = "ring",
  duration = "8s",
  network  = { delay = "2ms..50ms", loss = "2%", duplicate = "5%" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms", snapshot = "8KiB", segment = "8KiB", retain = "4KiB" },
  policies = { ["cart/"] = sim.merge(union) },
  expects  = { "net_partition" },

  run = function(world)
    world:spawn(function()
      while true do
        local cut = world:partition_halves()
        world:sleep(world:between("500ms", "1500ms"))
        cut:heal()
        world:sleep(world:between("100ms", "600ms"))
      end
    end)
    while true do
      shop(world, world:node(world:pick(4)))
      world:sleep(world:between("5ms", "60ms"))
    end
  end,

  properties = {
    sim.sometimes("a cart was merged at both ends of the ring", function(w)
      return #w:node(1):conflicts() > 0 and #w:node(3):conflicts() > 0
    end),
    sim.eventually("every cart has what was put into it, everywhere", "20s", function(w)
      if not w:converged() then return false end
      for _, node in ipairs(w:nodes()) do
        local found = {}
        for _, cart in ipairs(node:list "cart/") do
          for _, word in ipairs(words(cart.value)) do found[cart.key .. " " .. word] = true end
        end
        for item in pairs(inside) do
          if not found[item] then return false end
        end
      end
      return true
    end),
  },
}
