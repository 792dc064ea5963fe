#!/bin/bash
# What reports tell of properties: what was seen, what never happened (first), which oracles are off and why.
# usage: properties.sh BUILD_FOLDER
syncsim=$(realpath "${1:?usage: properties.sh BUILD_FOLDER}/syncsim")
. "$(dirname "$0")/../support/shell.sh"
cd "$scratch" || exit 1
says() { # STATUS TEXT COMMAND...
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >says.out 2>&1 </dev/null || status=$?
  cat says.out
  [ "$status" -eq "$wanted" ] || { echo "status $status, not $wanted"; return 1; }
  grep -qF -- "$text" says.out || { echo "does not say: $text"; return 1; }
}
cat >steps.lua <<'END'
local sim = require "sim"
local function yes() return true end
return sim.scenario { name = "a story", nodes = 2, duration = "1s", network = { corrupt = "1ppm" },
  without = { ["bounded traffic"] = "the rule is tried elsewhere" },
  properties = { sim.sometimes("all of it", {
    { "it begins", yes }, { "it goes on", yes }, { "it ends", function() return false end } }) } }
END
cat >early.lua <<'END'
local sim = require "sim"
return sim.scenario { name = "early", nodes = 3, duration = "3s",
  workload = sim.kv { keys = 8, rate = "100/s", promise = "submit" }, network = { delay = "1ms..10ms" },
  disk = { on_crash = "strict", fsync = "10ms..40ms" },
  without = { durability = "promised too early, on purpose" },
  properties = { sim.never("a third crash", function(world)
    return world:node(2):lives() > 3, "it is life " .. world:node(2):lives() end) },
  run = function(world)
    for _ = 1, 5 do
      world:sleep "200ms"
      local node = world:node(2)
      node:put(1) node:crash() node:restart()
    end
  end }
END
claim a_sequence_tells_how_far_it_came says 1 \
  '"all of it" never became true in 20 runs: the best reached 2 of 3 steps, and none came to "it ends"' \
  "$syncsim" run steps.lua --json steps.json --junit steps.xml
claim the_json_report_has_each_step jq -e '.scenarios[0].sometimes[0].steps ==
  [{"name": "it begins", "runs": 20}, {"name": "it goes on", "runs": 20}, {"name": "it ends", "runs": 0}]' steps.json
claim a_reason_is_repeated says 1 '"bounded traffic" (it would have spoken in 0 of 20 runs): the rule is tried elsewhere' \
  "$syncsim" run steps.lua
claim in_json_too jq -e '.scenarios[0].without == [{"oracle": "bounded traffic", "reason": "the rule is tried elsewhere",
  "runs": 0}]' steps.json
claim in_junit_too grep -F '<property name="without.bounded traffic" value="the rule is tried elsewhere"/>' steps.xml
claim list_tells_it says 0 'without: bounded traffic: the rule is tried elsewhere' "$syncsim" list --long steps.lua
claim a_property_says_what_it_saw says 1 'was true at 400ms: it is life 5' "$syncsim" run early.lua --seeds 2
claim what_is_off_is_counted grep -F '"durability" (it would have spoken in 2 of 2 runs)' says.out
claim what_never_happened_comes_before_the_failures says 1 'FAILURE' "$syncsim" run steps.lua early.lua --seeds 2
claim by_its_place awk '/^Never happened/ { never = NR } /^FAILURE/ { exit !never }' says.out
exit $failed
