#!/bin/bash
# What lies in a tree and is no scenario of the user: copies of scenarios in the
# bundles of failures, generated folders, definitions for editors.
# usage: left_out.sh BUILD_FOLDER
syncsim=$(realpath "${1:?usage: left_out.sh BUILD_FOLDER}/syncsim")
. "$(dirname "$0")/../support/shell.sh"
tree="$scratch/a tree"
mkdir -p "$tree/mine" && cd "$tree" || exit 1

scenario() { # FILE NAME HOLDS
  printf 'local sim = require "sim"\nreturn sim.scenario { name = "%s", nodes = 1, duration = "1s",
  run = function(world) world:sleep "1ms" end,
  properties = { sim.always("true is true", function(world) return %s end) } }\n' "$2" "$3" >"$1"
}
scenario mine/good.lua good true
scenario mine/bad.lua bad false
says() { # STATUS TEXT COMMAND...
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >"$scratch/says.out" 2>&1 </dev/null || status=$?
  cat "$scratch/says.out"
  [ "$status" -eq "$wanted" ] || { echo "status $status, not $wanted"; return 1; }
  grep -qF -- "$text" "$scratch/says.out" || { echo "does not say: $text"; return 1; }
}
lists() { # FILES PATH...: these files, one a line, and no others
  local wanted=$1
  shift
  "$syncsim" list --json "$@" >"$scratch/list.json" || return 1
  diff <(printf '%s\n' "$wanted") <(jq -r '.scenarios[].path' "$scratch/list.json")
}
both=$'./mine/bad.lua\n./mine/good.lua'

claim a_failure_leaves_its_bundle says 1 'build/failures/bad-1' "$syncsim" run . --seeds 1
claim and_another_elsewhere says 1 'mine/kept/bad-2' "$syncsim" run mine --seed 2 --bundles mine/kept
claim a_copy_in_a_bundle_is_no_scenario lists "$both" .
claim a_second_search_runs_no_copy says 1 'bad' "$syncsim" run . --seeds 1 --json "$scratch/second.json"
claim and_has_two_scenarios jq -e '.scenarios | length == 2' "$scratch/second.json"
mv mine/kept/bad-2 "mine/a bundle by another name"
claim a_bundle_is_known_by_its_content lists "$both" .
rm "mine/a bundle by another name/choices" "mine/a bundle by another name/history"
claim one_without_choices_too lists "$both" .
sed -i 's/^format=.*/format=99/' "mine/a bundle by another name/manifest"
claim one_of_a_later_format_too lists "$both" .
claim a_bundle_named_where_a_scenario_belongs_is_refused says 2 \
  "is the bundle of a failure, and no scenario: 'syncsim replay build/failures/bad-1'" "$syncsim" run build/failures/bad-1
claim by_list_too says 2 'syncsim replay' "$syncsim" list mine build/failures/bad-1
claim by_diff_too says 2 'syncsim replay' "$syncsim" diff build/failures/bad-1 1 2
claim the_scenario_in_a_bundle_can_be_named lists build/failures/bad-1/scenario.lua build/failures/bad-1/scenario.lua
claim a_folder_of_bundles_only_says_why_nothing_runs says 5 '1 bundle of failures' "$syncsim" run build/failures
mkdir ours && cp mine/good.lua ours/scenario.lua && echo 'what we ship' >ours/manifest
claim a_file_that_is_called_manifest_makes_no_bundle lists ours/scenario.lua ours
rm -r ours

mkdir -p out/copy && cp mine/*.lua out/copy
claim a_folder_of_the_user_is_searched lists "$both"$'\n./out/copy/bad.lua\n./out/copy/good.lua' .
printf 'Signature: 8a477f597d28d172789f06886806bc55\n' >out/CACHEDIR.TAG
claim a_generated_folder_is_left_out lists "$both" .
claim and_searched_when_it_is_named lists $'out/copy/bad.lua\nout/copy/good.lua' out
printf -- '---@meta sim\nlocal sim = {}\nreturn sim\n' >mine/sim.d.lua
claim definitions_for_editors_are_left_out lists "$both" .
exit $failed
