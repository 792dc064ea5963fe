local sim = require "sim"

-- Disks rot, lose writes and get bad sectors while snapshots are taken, sent and merged: of bases, of what is staged, of
-- the log on both sides of them.
return sim.scenario {
  name     = "damaged snapshots are never loaded, sent or merged",
  story    = "FAST'18, Alagappan et al.: of eight systems most loaded or sent a damaged snapshot, or died of it for good",
  nodes    = 4,
  duration = "15s",
  workload = sim.kv { keys = 24, rate = "50/s", deletes = "10%", value = "16B..600B" },
  network  = { delay = "2ms..20ms", loss = "2%", corrupt = "1%", truncate = "1%" },
  disk     = { on_crash = "adversarial", fsync = "1ms..10ms" },
  engine   = { segment = "8KiB", snapshot = "12KiB", retain = "4KiB", ack_timeout = "400ms",
               retry_interval = "150ms", retry_cap = "1s", max_retries = 3, probe_interval = "500ms" },
  expects  = { "power_loss" },

  run = function(world)
    local first = world:pick(4)
    for i = 1, 2 do -- two of four: what the others hold stays
      local node = world:node((first + i) % 4 + 1)
      local kind = world:pick(4)
      if kind == 1 then node:disk { rot = "2%", damage_budget = 1 }
      elseif kind == 2 then node:disk { latent = "1%", damage_budget = 1 }
      elseif kind == 3 then node:disk { lost_write = "0.5%", damage_budget = 1 }
      else node:disk { misdirect = "0.5%", damage_budget = 1 }
      end
    end
    for _ = 1, 6 do
      world:sleep(world:between("300ms", "1s"))
      local node = world:node(world:pick(4))
      node:crash()
      world:sleep(world:between("500ms", "2s")) -- long enough to be behind the others' logs
      node:restart()
      node:verify()
    end
  end,

  properties = {
    sim.sometimes("a snapshot became the base", function(w) return w:stats().snapshots > 2 end),
    sim.sometimes("a snapshot was merged", function(w) return w:stats().merges > 0 end),
  },
}
