local sim = require "sim"

local function restless(world, number)
  local node = world:node(number)
  while true do
    world:sleep(world:between("100ms", "1200ms"))
    local how = world:pick { "crash", "kill", "stop", "pause", "later" }
    if how == "crash" then
      node:crash()
    elseif how == "kill" then
      node:process_crash()
    elseif how == "stop" then
      node:stop()
    elseif how == "pause" then
      node:pause()
    else
      node:crash { within = 20 }
    end
    world:sleep(world:between("1ms", "400ms"))
    node:resume()
    node:restart()
  end
end

return sim.scenario {
  name     = "nodes come and go all the time",
  story    = "apache/couchdb#3897: a peer came back with an empty disk under its old name, and its old checkpoint was believed",
  nodes    = 4,
  duration = "8s",
  workload = sim.kv { keys = 12, rate = "60/s", deletes = "10%", batch = "5%" },
  network  = { delay = "1ms..30ms", loss = "1%" },
  disk     = { on_crash = "adversarial" },
  engine   = { ack_timeout = "500ms", retry_interval = "200ms", segment = "16KiB",
               origins_max = 24 }, -- every life is a writer of its own: past the bound no new one begins
  expects  = { "power_loss", "process_crash", "pause" },

  run = function(world)
    for number = 1, 4 do world:spawn(restless, number) end
  end,

  properties = {
    sim.sometimes("twenty lives began", function(w) return w:stats().opens > 20 end),
    sim.sometimes("a new life was refused its first write", function(w) return w:stats().refused > 0 end),
    sim.sometimes("a closed node came back", function(w) return w:stats().closes > 0 end),
  },
}
