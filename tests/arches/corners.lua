local sim = require "sim"

-- What a script can see of the machine's integers, texts and orders.
local function integers(world)
  local least, most = math.mininteger, math.maxinteger
  for _, n in ipairs { least, least + 1, -4294967297, -2147483649, -7, -1, 0, 1, 255, 2147483648, 4294967296, most } do
    world:log(string.format("%d %x %X %o %5d|%-7d|%+d %i %c", n, n, n, n, n, n, n, n, n & 0x7f))
    world:log(table.concat({ n // 7, n % 7, n // -3, n % -3, n >> 31, n << 31, n ~ 0x55, ~n, n * n, n - most }, " "))
    world:log(table.concat({ tostring(math.ult(n, 77)), math.abs(n), math.max(n, 3), math.min(n, -3) }, " "))
    world:log(string.pack("<i8>i8<I4<j>j", n, n, n & 0xffffffff, n, n))
    world:log(string.unpack("<i4", string.pack("<i8", n)) .. " " .. string.unpack(">i2", string.pack(">i8", n)))
  end
  world:log(tostring(tonumber("9223372036854775807")) .. tostring(tonumber("9223372036854775808")))
  world:log(tostring(tonumber("0xffffffffffffffffff")) .. tostring(tonumber("1e3")) .. tostring(tonumber("zz", 36)))
end

local function texts(world)
  local list = { "\xff", "\x80", "\x7f", "a", "A", "\0", "", "a\0b", "a\0a", "\xc3\xa4", "\u{10ffff}" }
  table.sort(list)
  for _, text in ipairs(list) do
    world:log(string.format("%q %s %d", text, text:upper(), #text) .. text:rep(3, "\xfe"):reverse())
    world:log(table.concat({ text:byte(1, -1) }, ","))
    world:log((text:gsub("[\x80-\xff]", "?")) .. (text:gsub("%c", "!")) .. (text:gsub("%W", ".")))
  end
  world:log(tostring("\xff" < "a") .. tostring("\x80" < "\x7f") .. utf8.char(0x7ff, 0xffff) .. #utf8.char(0x10000))
end

local function orders(world)
  local mixed = { [3] = "c", [-1] = "m", [1 << 40] = "big", x = 1, y = 2, ["\xff"] = 3, [""] = 4, [true] = 5, [false] = 6 }
  for key, value in pairs(mixed) do world:log(tostring(key) .. "=" .. tostring(value)) end
  local rows = {}
  for i = 1, 200 do rows[i] = { i * 7919 % 31, i } end
  table.sort(rows, function(a, b) return a[1] < b[1] end) -- many ties
  local out = {}
  for i, row in ipairs(rows) do out[i] = row[1] .. ":" .. row[2] end
  world:log(table.concat(out, " "))
end

return sim.scenario {
  name     = "corners of the language on every processor",
  story    = "i386 computes with 80 bits, s390x stores the greatest byte first, and arm64's char has no sign",
  nodes    = 3,
  duration = "3s",
  workload = sim.kv { keys = 8, rate = "60/s", deletes = "20%", batch = "30%", value = "16B..2KiB" },
  network  = { delay = "1ms..30ms", loss = "10%", duplicate = "10%", reorder = "10%", corrupt = "5%", truncate = "5%" },
  disk     = { on_crash = "adversarial", fsync = "100us..5ms", latency = "0us..300us", stall = "0.1%", stall_time = "20ms",
               write_back = "10%", read_error = "0.1%", short = "5%", interrupt = "5%", write_error = "0.1%",
               fsync_error = "0.1%", quota = "1MiB", handles = 40 },
  engine   = { segment = "8KiB", batch_size = 8, ack_timeout = "300ms", retry_interval = "100ms", value_max = "2KiB" },
  shuffle  = true,
  expects  = { "power_loss", "power_loss_in_call" },

  run = function(world)
    integers(world)
    texts(world)
    orders(world)
    for i = 1, 4 do
      world:sleep(world:between("100ms", "400ms"))
      local node = world:node(world:pick(3))
      node:put(i, "300B")
      world:log(i .. " " .. tostring(node:get(i)) .. " " .. node:disk_used() .. " " .. node:calls())
      if world:chance "50%" then node:crash { within = 50 } else node:crash() end
      world:sleep "200ms"
      node:clock { step = world:pick { "-3s", "2s" }, rate = "-1234ppm" }
      node:restart()
    end
    for name, count in pairs(world:stats()) do world:log(name .. "=" .. count) end
  end,
}
