#!/bin/bash
# A repetition shows what differs from process to process: it runs in a program
# executed anew, at other addresses, with other hashes, over another fill.
# usage: repeats.sh BUILD_FOLDER
if [ $# -ne 1 ] || [ ! -x "$1/syncsim" ]; then
  echo "usage: $0 BUILD_FOLDER (with syncsim built)" >&2
  exit 2
fi
syncsim=$(realpath "$1/syncsim")
. "$(dirname "$0")/../support/shell.sh"
cd "$scratch" || exit 1

# What `#` gives for a list with holes hangs on hashes (docs/scenarios.md says: do not).
cat >holes.lua <<'END'
local sim = require "sim"
local function ends()
  local sum = 0
  for n = 1, 600 do
    local t = {}
    for i = 1, 24 do t["k" .. n .. i] = i end
    for i = 1, 20 do t["k" .. n .. i] = nil end
    t[1], t[3], t[4] = 1, 3, 4
    for i = 25, 34 do t["k" .. n .. i] = i t["k" .. n .. i - 4] = nil end
    sum = sum * 31 % 1000003 + #t
  end
  return sum
end
return sim.scenario {
  name = "holes", nodes = 1, duration = "1s",
  run = function(world) WHAT end,
}
END
sed 's/WHAT/world:log(ends())/' holes.lua >logged.lua
sed 's/WHAT/world:fail("it ends at " .. ends())/' holes.lua >failed.lua
# Once a table's address: each process had another trace, and all repetitions agreed.
cat >address.lua <<'END'
local sim = require "sim"
return sim.scenario {
  name = "address", nodes = 1, duration = "1s",
  run = function(world)
    local _, e = pcall(function() return world:stats()[{}] end)
    local h = 0
    for i = 1, #e do h = (h * 31 + e:byte(i)) % 1000 end
    world:sleep((h + 1) .. "us")
    world:node(1):put(h)
  end,
}
END

for jobs in 1 2; do
  claim "a_run_that_hangs_on_hashes_is_not_deterministic_with_${jobs}_jobs" \
    status_is 4 "$syncsim" run logged.lua --seed 1 --jobs $jobs --bundles failures
done
"$syncsim" run logged.lua --seed 1 --bundles failures >out 2>&1
claim what_differs_is_said grep -q 'two runs of this seed differ in trace: held and held' out
claim the_step_that_differs_is_named grep -q 'the script says: ' out
"$syncsim" run failed.lua --seed 1 --bundles failures >out 2>&1
claim words_that_differ_are_said grep -q "differ in words.*'holes: line [0-9]*: it ends at " out
claim no_address_gets_into_a_run status_is 0 "$syncsim" run address.lua --seeds 1..3 --bundles failures

hash_of() { "$syncsim" replay address.lua --seed 1 | sed -n 's/^trace *//p'; }
claim each_process_has_the_same_trace [ "$(hash_of)" = "$(hash_of)" ]
exit $failed
