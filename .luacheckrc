-- luacheck for scenarios: `luacheck scenarios`, and in editors. It knows what the sandbox has, and nothing of os, io and the like.
-- tests/lua/luacheck.sh compares these names with those that a script sees.
local function fields(names)
  local list = {}
  for name in names:gmatch "%S+" do list[name] = {} end
  return { fields = list }
end

stds.sim = {
  read_globals = {
    "_G", "_VERSION", "assert", "error", "getmetatable", "ipairs", "load", "pairs", "pcall", "rawequal", "rawget", "rawset", "require",
    "select", "setmetatable", "tonumber", "tostring", "type", "xpcall",
    coroutine = fields "close create isyieldable resume status wrap yield",
    math = fields "abs ceil floor fmod max maxinteger min mininteger tointeger type ult",
    string = fields "byte char find format gmatch gsub len lower match pack packsize rep reverse sub unpack upper",
    table = fields "concat insert move pack remove sort unpack",
    utf8 = fields "char charpattern codepoint codes len offset",
  },
}

std = "sim"
max_line_length = 180 -- a story is one line
cache = false
codes = true
exclude_files = { "lua/sim.d.lua", "build" }
-- These look at what the language does with odd things.
files["tests/arches"] = { ignore = { "2..", "4..", "5.." } }
