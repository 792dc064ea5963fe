-- seeds: 1
-- Keys of more than eight digits were written with eight and read back as phantoms.
local sim = require "sim"
return sim.scenario {
  name = "keys of ten digits",
  nodes = 2,
  duration = "2s",
  run = function(world)
    for _, key in ipairs { 0, 99999999, 100000000, 1234567890, 4294967295 } do
      world:node(1):put(key, "16B")
      world:sleep "100ms"
      if not world:node(1):get(key) then world:fail("key " .. key .. " is not there") end
      world:node(2):delete(key)
    end
    world:check()
  end,
}
