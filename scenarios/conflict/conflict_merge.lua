local sim = require "sim"

return sim.scenario {
  name     = "a merged key reads the same wherever its values are",
  story    = "automerge/automerge-classic#2, KanishJebaMathewM/Truxify#13124: what came of a merge went by the order of "
          .. "its arguments, and replicas with the same changes showed different things",
  tags     = { "smoke" },
  nodes    = 4,
  topology = "line",
  duration = "8s",
  workload = sim.kv { keys = 6, rate = "40/s", deletes = "20%", value = "16B..80B", variety = true },
  network  = { delay = "2ms..60ms", loss = "2%", reorder = "20%", duplicate = "10%" },
  disk     = { on_crash = "adversarial" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms", snapshot = "16KiB", segment = "8KiB", retain = "8KiB" },
  policy   = "merge_union",
  policies = { ["key-"] = "merge_greatest" },
  node_options = { [4] = { policy = "merge_longest" } },
  expects  = { "net_partition", "power_loss" },

  run = function(world)
    for _ = 1, 3 do
      local away = world:node(world:pick(4))
      local cut = world:isolate(away)
      world:sleep(world:between("300ms", "1s"))
      if world:chance "40%" then
        away:crash()
        away:restart()
      end
      cut:heal()
      world:sleep(world:between("200ms", "800ms"))
    end
  end,

  properties = {
    sim.sometimes("keys were merged at both ends", function(w)
      return #w:node(1):conflicts() > 1 and #w:node(4):conflicts() > 1
    end),
    sim.eventually("every replica is equal", "20s", function(w) return w:converged() and w:drained() end),
  },
}
