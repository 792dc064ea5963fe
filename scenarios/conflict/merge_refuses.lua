local sim = require "sim"

local limit = 1024

-- Documents are put together one after another, and may come out too long; what is no document cannot be put together.
local function append(_, values)
  local all = table.move(values, 1, #values, 1, {})
  table.sort(all)
  for _, value in ipairs(all) do
    if value:sub(1, 1) == "!" then return nil end
  end
  return table.concat(all)
end

local function expected(node, key)
  local values = {}
  for _, sibling in ipairs(node:siblings(key)) do
    if sibling.value then values[#values + 1] = sibling.value end
  end
  if #values < 2 then return "SYNC_OK" end
  local merged = append(key, values)
  if not merged then return "SYNC_E_MERGE" end
  return #merged > limit and "SYNC_E_TOO_BIG" or "SYNC_OK", merged
end

-- Every document of the node reads as it must: merged, or as one of its values with the reason why not.
local function reads_right(node)
  for _, found in ipairs(node:list("doc/", { deleted = true })) do
    local value, status = node:read(found.key)
    local right, merged = expected(node, found.key)
    if value and status ~= right then return false end
    if value and right == "SYNC_OK" and merged and value ~= merged then return false end
    if right ~= "SYNC_OK" and (found.merged or not value) then return false end
  end
  return true
end

return sim.scenario {
  name     = "what cannot be merged is read all the same, and says so",
  story    = "apache/couchdb#1093 and its like: one document that no merge function could take blocked every view of its database",
  nodes    = 3,
  duration = "6s",
  network  = { delay = "2ms..40ms", loss = "1%" },
  engine   = { value_max = "1KiB", ack_timeout = "500ms", retry_interval = "200ms", snapshot = "8KiB", segment = "8KiB" },
  policies = { ["doc/"] = sim.merge(append) },
  expects  = { "net_partition" },

  run = function(world)
    for _ = 1, 8 do
      local cut = world:isolate(world:pick(3))
      for _ = 1, 6 do
        local node, key = world:node(world:pick(3)), "doc/" .. world:pick(4)
        local kind = world:pick(10)
        if kind == 1 then
          node:delete(key)
        elseif kind == 2 then
          node:put(key, { text = "! no document" })
        else
          node:put(key, { text = ("line\n"):rep(world:pick { 1, 60, 110, 204 }) .. world:pick(99) // 10 })
        end
      end
      world:sleep(world:between("50ms", "300ms"))
      cut:heal()
      world:sleep(world:between("100ms", "400ms"))
    end
  end,

  properties = {
    sim.always("a read is the merge, or says why there is none", function(w)
      for _, node in ipairs(w:nodes()) do
        if not reads_right(node) then return false end
      end
      return true
    end),
    sim.sometimes("a merge failed", function(w)
      for key = 1, 4 do
        if select(2, w:node(1):read("doc/" .. key)) == "SYNC_E_MERGE" then return true end
      end
      return false
    end),
    sim.sometimes("a merge came out too long", function(w)
      for key = 1, 4 do
        if select(2, w:node(2):read("doc/" .. key)) == "SYNC_E_TOO_BIG" then return true end
      end
      return false
    end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
