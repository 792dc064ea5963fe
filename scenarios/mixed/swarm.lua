local sim = require "sim"

local function crashes(world)
  while true do
    world:sleep(world:between("200ms", "2s"))
    local node = world:node(world:pick(#world:nodes()))
    if world:chance "40%" then
      node:crash { within = 60 }
      world:wait_until(function() return not node:up() end, "500ms")
    elseif world:chance "50%" then
      node:crash()
    else
      node:process_crash()
    end
    world:sleep(world:between("1ms", "500ms"))
    if world:chance "10%" then world:power_loss() end
    if world:chance "30%" then node:restart { crash_within = 12 } end
    for _, each in ipairs(world:nodes()) do each:restart() end
  end
end

local function cuts(world)
  while true do
    world:sleep(world:between("300ms", "2s"))
    local one = world:pick(#world:nodes())
    local cut
    if world:chance "40%" then
      cut = world:isolate(one)
    else
      cut = world:partition_random()
    end
    world:sleep(world:between("200ms", "2s"))
    cut:heal()
  end
end

local function clocks(world)
  while true do
    world:sleep(world:between("500ms", "3s"))
    local node = world:node(world:pick(#world:nodes()))
    node:clock { step = world:pick { "-10s", "-200ms", "300ms", "1min" }, rate = world:pick { "-500ppm", "0ppm", "2000ppm" } }
    if world:chance "20%" then
      node:pause()
      world:sleep(world:between("50ms", "1s"))
      node:resume()
    end
  end
end

return sim.scenario {
  name     = "everything at once",
  story    = "USENIX OSDI'14, Yuan et al.: most catastrophic failures need several ordinary faults in one unlucky order",
  tags     = { "smoke" },
  nodes    = 5,
  topology = "ring",
  duration = "10s",
  workload = sim.kv { keys = 10, rate = "60/s", deletes = "15%", hot = "10%", batch = "15%", value = "16B..300B",
                     variety = true },
  network  = { delay = "1ms..40ms", loss = "5%", duplicate = "5%", duplicate_within = "1s", reorder = "10%",
               corrupt = "1%", truncate = "1%", extend = "1%", splice = "1%", misdeliver = "1%" },
  disk     = { on_crash = "adversarial", fsync = "100us..20ms", write_back = "10%", interrupt = "2%", short = "2%",
               write_error = "0.1%", fsync_error = "0.2%", fsync_no_space = "0.1%", fsync_request_error = "0.2%",
               open_error = "1%", close_error = "5%", size_error = "2%",
               rename_error = "10%", unlink_error = "50%", list_error = "5%", rename = "loose" },
  engine   = { segment = "16KiB", batch_size = 8, ack_timeout = "300ms", retry_interval = "100ms", retry_cap = "1s",
               max_retries = 2, probe_interval = "1s" },
  shuffle  = true,
  swarm    = true, -- each seed has a random half of these faults
  vary     = true, -- ... at other rates, on other shapes
  expects  = { "power_loss", "power_loss_in_call", "process_crash", "net_partition", "pause", "clock_step",
               "clock_drift" },

  run = function(world)
    if world:chance "75%" then world:spawn(crashes) end
    if world:chance "75%" then world:spawn(cuts) end
    if world:chance "50%" then world:spawn(clocks) end
  end,

  properties = {
    sim.sometimes("a peer was parked", function(w) return w:stats().parked > 0 end),
    sim.sometimes("an operation came before its cause", function(w) return w:stats().not_yet > 0 end),
    sim.sometimes("an engine stopped itself", function(w) return w:stats().fail_stops > 0 end),
    sim.eventually("every replica is equal", "110s", function(w) return w:converged() end),
  },
}
