-- Writes fail, persist all the same, and are made again in a new segment; lives leave files aside; epochs begin late and go on at once.
-- seeds: 300
local sim = require "sim"

return sim.scenario {
  name     = "an epoch and its segments are read where they count",
  nodes    = 3,
  duration = "6s",
  workload = sim.kv { keys = 12, rate = "60/s", burst = 40, value = "16B..900B" },
  network  = { delay = "1ms..20ms" },
  disk     = { fsync = "1ms..400ms", short = "30%", write_error = "60%", rename_error = "20%", open_error = "3%", unlink_error = "5%" },
  engine   = { preset = "fast", segment = "4KiB", ack_timeout = "500ms", retry_interval = "200ms", idle_mark = "200ms" },

  run = function(world)
    for _ = 1, 8 do
      local node = world:node(world:pick(3))
      world:sleep(world:between("50ms", "500ms"))
      local full = world:chance "50%"
      if full then node:disk { quota = world:pick { "1KiB", "8KiB", "24KiB" } } end
      world:sleep(world:between("1ms", "400ms"))
      node:process_crash()
      if full and world:chance "70%" then node:disk { quota = "64MiB" } end
      node:restart()
    end
    for _, node in ipairs(world:nodes()) do node:disk { quota = "64MiB" } end
  end,
}
