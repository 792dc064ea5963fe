local sim = require "sim"

-- What one of the runs saw, for the properties.
local seen = { stays = false, gone = false }

-- A line n1 - n2 - n3. n1 deletes a key, and sweeps when n2 has it; n3 wrote the key meanwhile, unseen: that write
-- stays, as docs/promises.md says. What n1 had seen of n3 before it deleted never comes back, however late it comes again.
return sim.scenario {
  name     = "a write that a swept delete had seen never returns, one that it had not seen stays",
  story    = "scylladb/scylladb#23712: a write that was kept for a node came late, its delete was collected by then, and it came to life again",
  tags     = { "smoke" },
  nodes    = 3,
  topology = "line",
  duration = "12s",
  workload = sim.kv { keys = 20, rate = "20/s", deletes = "40%", value = "16B..64B" },
  network  = { delay = "2ms..30ms", loss = "1%", duplicate = "10%", duplicate_within = "4s", reorder = "5%" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { sweep_interval = "200ms", ack_timeout = "400ms", retry_interval = "150ms", retry_cap = "1s",
               max_retries = 3, probe_interval = "1s" },
  expects  = { "net_partition" },

  run = function(world)
    local first, middle, last = world:node(1), world:node(2), world:node(3)
    for round = 1, 3 do
      local key = 100 + round
      last:put(key, "64B")
      local before = last:get(key)
      local met = world:wait_until(function() return first:get(key) == before end, "2s")
      local cut = world:isolate(3)
      first:delete(key)
      local late = world:chance "50%" -- unseen by the delete
      if late then last:put(key, "64B") end
      local wrote = last:get(key)
      local swept = first:tombstones().swept
      world:wait_until(function() return first:tombstones().swept > swept end, "1s")
      world:sleep(world:between("10ms", "500ms"))
      if world:chance "30%" then middle:crash() end
      middle:restart()
      cut:heal()
      world:sleep "1500ms"
      if met and late and wrote ~= before and first:get(key) == wrote then seen.stays = true end
      if met and not late and first:get(key) == nil and last:get(key) == nil then seen.gone = true end
    end
  end,

  properties = {
    sim.sometimes("a write that the delete had not seen stayed", function() return seen.stays end),
    sim.sometimes("a write that it had seen was gone everywhere", function() return seen.gone end),
    sim.eventually("every replica is equal", "40s", function(w) return w:converged() and w:drained() end),
  },
}
