local sim = require "sim"

return sim.scenario {
  name     = "what a node keeps by policy all nodes have in the end",
  story    = "softadastra's resolver: keep local and keep remote were looked at and written nowhere, so that each side "
          .. "kept another value for ever; DouglasdeMoura/chroncal#610: server wins, and the local edit was gone unsaid",
  tags     = { "smoke" },
  nodes    = 4,
  duration = "8s",
  workload = sim.kv { keys = 6, rate = "40/s", deletes = "20%", batch = "10%" },
  network  = { delay = "2ms..60ms", loss = "2%", reorder = "10%", duplicate = "5%" },
  disk     = { on_crash = "adversarial" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms" },
  expects  = { "net_partition", "power_loss" },
  node_options = {
    [1] = { policy = "keep_local" }, -- the head office
    [2] = { policy = "keep_remote" }, -- a tablet on the road, which gives way
    [3] = { policies = { ["key-0000000"] = "keep_local", ["key-00000002"] = "keep_remote" } },
  },

  run = function(world)
    for _ = 1, 3 do
      local away = world:pick(4)
      local cut = world:isolate(away)
      world:sleep(world:between("200ms", "1s"))
      cut:heal()
      if world:chance "30%" then
        world:node(away):crash()
        world:node(away):restart()
      end
      world:sleep(world:between("100ms", "1s"))
    end
  end,

  properties = {
    sim.sometimes("a conflict was there", function(w) return #w:node(4):conflicts() > 0 end),
    sim.sometimes("a policy resolved one", function(w) return w:node(1):resolved() + w:node(2):resolved() > 0 end),
    sim.sometimes("two kept their own, and the winner rule settled it", function(w)
      for _, conflict in ipairs(w:node(4):conflicts()) do
        if conflict.settled then return true end
      end
      return false
    end),
    sim.eventually("every replica is equal", "15s", function(w) return w:converged() and w:drained() end),
  },
}
