local sim = require "sim"

-- One node is away, or has lost its disk, while the others' logs go on past what it lacks: a snapshot brings it up, block
-- by block. It has writes of its own that nobody saw; power fails on both sides of the transfer.
local seen = { own_kept = false, resumed = false }

return sim.scenario {
  name     = "a snapshot brings up a node that was away too long",
  story    = "hashicorp/raft, etcd-io/etcd#12504: a follower behind the log's beginning whose snapshot transfer never "
          .. "ended, since each try began anew and each snapshot was replaced before it was there",
  tags     = { "smoke" },
  nodes    = 3,
  duration = "16s",
  workload = sim.kv { keys = 40, rate = "40/s", deletes = "10%", batch = "10%", value = "16B..6KiB" },
  network  = { delay = "2ms..20ms", loss = "3%", reorder = "3%", duplicate = "3%", duplicate_within = "500ms" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms", read_error = "0.1%" },
  engine   = { segment = "64KiB", snapshot = "128KiB", retain = "32KiB", ack_timeout = "400ms",
               retry_interval = "150ms", retry_cap = "1s", max_retries = 3, probe_interval = "500ms" },
  expects  = { "power_loss" },

  run = function(world)
    local away = world:pick(3)
    local node = world:node(away)
    world:sleep(world:between("500ms", "2s"))
    local cut = world:isolate(away)
    node:put(1000, "64B") -- never sent before the snapshot comes
    world:sleep "100ms"
    local own = node:get(1000)
    local wiped = world:chance "30%"
    if wiped then
      node:crash()
      node:wipe()
    elseif world:chance "50%" then
      node:stop()
    end
    world:sleep(world:between("3s", "5s"))
    for i = 1, 3 do
      if i ~= away then world:node(i):snapshot() end
    end
    world:sleep "500ms"
    cut:heal()
    if not node:up() then node:restart() end
    for _ = 1, 4 do
      world:sleep(world:between("20ms", "300ms"))
      local fetches = world:stats().fetches
      local victim = world:chance "60%" and node or world:node(world:pick(3))
      victim:crash()
      world:sleep(world:between("5ms", "100ms"))
      victim:restart()
      seen.resumed = seen.resumed or (fetches > 0 and world:stats().merges == 0)
    end
    world:wait_until(function() return world:stats().merges > 0 end, "5s")
    seen.own_kept = own ~= nil and not wiped and world:stats().merges > 0 and node:get(1000) == own
  end,

  properties = {
    sim.sometimes("a snapshot was merged", function(w) return w:stats().merges > 0 end),
    sim.sometimes("power failed while one was fetched", function() return seen.resumed end),
    sim.sometimes("writes that nobody saw survived the merge", function() return seen.own_kept end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() and w:drained() end),
  },
}
