local sim = require "sim"

return sim.scenario {
  name     = "steady writing becomes durable, though the disk is slower than the writer",
  story    = "found here: in a new epoch each completed fsync found more to make durable, and the log never got its name",
  tags     = { "smoke" },
  nodes    = 2,
  duration = "4s",
  network  = { delay = "1ms..5ms" },
  disk     = { on_crash = "adversarial", fsync = "20ms..30ms" }, -- ten writes for each fsync, and never a pause
  engine   = { ack_timeout = "500ms", retry_interval = "200ms" },
  expects  = { "power_loss", "disk_fsync_cut", "disk_lost_pending" },

  run = function(world)
    local node = world:node(1)
    local crash_at = 300 + world:pick(600) -- the second epoch begins with a tail to rewrite, written to at once
    local promised = 0
    for i = 1, 1800 do
      if node:up() then node:put(i % 10, "20B") end
      if i == 250 and world:stats().promised == 0 then world:fail "after 250 writes over 500 ms nothing is promised" end
      if i == crash_at then
        node:crash()
        node:restart()
        promised = world:stats().promised
      end
      if i % 300 == 0 and i > crash_at + 300 and world:stats().promised == promised then
        world:fail("in the second epoch nothing is promised, " .. (i - crash_at) .. " writes on")
      end
      world:sleep "2ms"
    end
    world:sleep "100ms"
  end,

  properties = {
    sim.sometimes("a hundred writes were promised while more came", function(w)
      local stats = w:stats()
      return stats.promised > 100 and stats.promised < stats.submits
    end),
  },
}
