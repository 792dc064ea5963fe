#!/bin/bash
# .luacheckrc knows the sandbox, and every scenario is clean by it. usage: luacheck.sh BUILD_FOLDER
. "$(dirname "$0")/../support/shell.sh"
cd "$(dirname "$0")/../.." || exit 1
syncsim=${1:?usage: luacheck.sh BUILD_FOLDER}/syncsim
command -v luacheck >/dev/null || { echo "not ok luacheck_is_there (lua-check in packages.txt)"; exit 1; }

clean() { luacheck --quiet --no-color "$@"; }
claim scenarios_are_clean clean scenarios tests/cluster/held tests/arches/*.lua

# What a script sees: each name that Lua 5.4 has is tried.
names="_G _VERSION arg assert bit32 collectgarbage coroutine debug dofile error getmetatable io ipairs load loadfile loadstring math module
  next os package pairs pcall print rawequal rawget rawlen rawset require select setfenv setmetatable string table tonumber tostring type
  unpack utf8 warn xpcall sim world"
{
  echo 'local sim = require "sim"'
  echo 'return sim.scenario { name = "names", nodes = 1, duration = "1s", run = function(world)'
  for name in $names; do
    [ "$name" = sim ] || [ "$name" = world ] && continue
    echo "  if pcall(function() local _ = $name if _ == nil then error() end end) then world:log '@$name' end"
  done
  for library in coroutine math string table utf8; do
    echo "  for name in pairs($library) do world:log('@$library.' .. name) end"
  done
  echo 'end }'
} >"$scratch/names.lua"
seen() {
  "$syncsim" replay "$scratch/names.lua" --seed 1 --trace "$scratch/names.txt" >"$scratch/names.out" || cat "$scratch/names.out"
  sed -n 's/.*the script says: @//p' "$scratch/names.txt" | LC_ALL=C sort -u
}
# What luacheck lets pass: the same names, one by one.
passed() {
  seen | cat - <(printf '%s\n' $names string.dump string.nope math.random math.sin math.pi math.sqrt table.nope coroutine.running utf8.nope) |
    LC_ALL=C sort -u | while read -r name; do
    echo "local _ = $name return _" >"$scratch/one.lua"
    luacheck --quiet --no-color --config .luacheckrc --ignore 631 -- "$scratch/one.lua" >/dev/null && echo "$name"
  done
}
agree() { diff <(seen) <(passed) && [ "$(seen | wc -l)" -gt 50 ]; }
claim it_knows_what_a_script_sees_and_no_more agree

# Red controls.
red() { # NAME CODE BODY
  printf 'local sim = require "sim"\nreturn sim.scenario {\n  name = "x", nodes = 1,\n  run = function(world)\n    %s\n  end,\n}\n' "$3" >"$scratch/red.lua"
  claim "$1" refuses "($2)" clean --config .luacheckrc "$scratch/red.lua"
}
red a_clock_of_the_machine_is_seen W113 'world:log(os.time())'
red a_misspelt_variable_is_seen W113 'local node = world:node(1) noed:crash()'
red a_global_by_accident_is_seen W111 'count = 1 world:log(count)'
red an_unused_value_is_seen W211 'local node = world:node(1) world:sleep "1s"'
red a_part_that_the_library_lacks_is_seen W143 'world:log(math.random(3))'
printf 'local sim = require "sim"\nreturn sim.scenario { name = "x" nodes = 1 }\n' >"$scratch/red.lua"
wrong() { status_is 2 clean --config .luacheckrc "$scratch/red.lua"; }
claim a_wrong_syntax_is_seen wrong
exit "$failed"
