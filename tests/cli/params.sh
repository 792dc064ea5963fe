#!/bin/bash
# Parameters, variants and helpers from the command line to reports, bundles and replays.
# usage: params.sh BUILD_FOLDER
syncsim=$(realpath "${1:?usage: params.sh BUILD_FOLDER}/syncsim")
. "$(dirname "$0")/../support/shell.sh"
mkdir -p "$scratch/a tree/sets/helpers" && cd "$scratch/a tree" || exit 1
cat >sets/few.lua <<'END'
local sim = require "sim"
local looks = require "helpers.looks"
local nodes = sim.param("nodes", 3, "how many there are")
return sim.scenario { name = "few", nodes = nodes, duration = "1s",
  variants = { ["two of them"] = { nodes = 2 }, six = { nodes = 6 } },
  properties = { sim.always("there are few", function(world) return looks.few(world, 5) end) } }
END
cat >sets/helpers/looks.lua <<'END'
return { few = function(world, n) return #world:nodes() < n end }
END
says() { # STATUS TEXT COMMAND...
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >"$scratch/says.out" 2>&1 </dev/null || status=$?
  cat "$scratch/says.out"
  [ "$status" -eq "$wanted" ] || { echo "status $status, not $wanted"; return 1; }
  grep -qF -- "$text" "$scratch/says.out" || { echo "does not say: $text"; return 1; }
}

claim each_variant_is_a_scenario_of_its_own says 1 'few (two of them)' "$syncsim" run sets --seeds 2 \
  --json r.json --junit r.xml
claim of_which_one_fails says 1 'FAILURE 1 of 1: few (six) (sets/few.lua#six), seed 1' "$syncsim" run sets --seeds 2
claim and_helpers_are_no_scenarios jq -e '[.scenarios[].path] == ["sets/few.lua#six", "sets/few.lua#two of them"]' r.json
mkdir -p hollow/helpers && cp sets/helpers/looks.lua hollow/helpers
claim a_folder_of_helpers_only_says_why_nothing_runs says 5 '1 folder named helpers' "$syncsim" run hollow
claim the_json_report_has_variant_and_parameters jq -e '.scenarios[0] | .variant == "six" and .params ==
  [{"name": "nodes", "kind": "number", "value": "6", "standard": "3", "set": false}]' r.json
claim the_junit_report_has_them grep -F '<property name="param.nodes" value="6"/>' r.xml
claim and_classes_of_their_own grep -F 'classname="sets.few#two of them"' r.xml
claim the_line_to_paste_names_the_variant says 1 "replay 'sets/few.lua#six' --seed 1" "$syncsim" run sets --seeds 1
claim it_shows_the_same_again says 1 'there are few' "$syncsim" replay 'sets/few.lua#six' --seed 1

claim one_variant_can_be_named says 0 'few (two of them)' "$syncsim" run 'sets/few.lua#two of them' --seeds 1
claim a_misspelt_one_gets_the_nearest says 3 'did you mean "six"?' "$syncsim" run 'sets/few.lua#sex' --seeds 1
claim a_replay_wants_one says 2 "name one, as 'sets/few.lua#six'; the others are sets/few.lua#two of them" \
  "$syncsim" replay sets/few.lua --seed 1
claim a_file_whose_name_has_the_sign_is_a_file bash -c "cp sets/few.lua 'odd#six' && mkdir helpers && cp sets/helpers/looks.lua helpers &&
  '$syncsim' list 'odd#six' | grep -F 'odd#six#two of them'"

claim a_parameter_is_set says 1 'with      nodes = 7' "$syncsim" replay 'sets/few.lua#two of them' --seed 1 --set nodes=7
claim the_line_to_paste_sets_it says 1 "replay 'sets/few.lua#two of them' --seed 1 --set nodes=8" \
  "$syncsim" run 'sets/few.lua#two of them' --seeds 1 --set nodes=8
claim an_unknown_one_gets_the_nearest says 3 'did you mean "nodes"?' "$syncsim" run sets --set nods=8
claim a_wrong_value_says_what_is_right says 3 'is set to "x": it is a whole number (3 in the file)' \
  "$syncsim" list sets/few.lua --set nodes=x
claim what_sets_nothing_is_wrong_usage says 2 "--set 'nodes' is not NAME=VALUE" "$syncsim" run sets --set nodes
claim list_tells_of_them says 0 'param: nodes = 4 (else 3): how many there are' \
  "$syncsim" list --long 'sets/few.lua#six' --set nodes=4
claim a_diff_sets_them_too says 0 'equal in all' "$syncsim" diff 'sets/few.lua#six' 1 1 --set nodes=2

bundle='build/failures/few.two_of_them-1'
claim a_bundle_holds_the_helper cmp sets/helpers/looks.lua "$bundle/helpers/looks.lua"
mkdir -p "$scratch/far" && cp -r "$bundle" "$scratch/far/away"
claim a_replay_elsewhere_is_the_same says 1 'same as in the bundle' "$syncsim" replay "$scratch/far/away"
claim with_what_was_set says 1 'with      nodes = 8' "$syncsim" replay "$scratch/far/away"
claim which_cannot_be_set_again says 2 'asks for another run' "$syncsim" replay "$scratch/far/away" --set nodes=2
sed -i 's/^set=.*/set=nodes/' "$scratch/far/away/manifest"
claim a_broken_manifest_is_refused says 2 'it sets no parameter right' "$syncsim" replay "$scratch/far/away"
ln -s "$scratch/a tree/sets/helpers/looks.lua" helpers/linked.lua
sed 's/helpers.looks/helpers.linked/' sets/few.lua >linked.lua
claim a_link_is_followed_nowhere says 3 'helpers/linked.lua: it, or a folder on the way, is a link' "$syncsim" list linked.lua
exit $failed
