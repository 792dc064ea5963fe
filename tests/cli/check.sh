#!/bin/bash
# check loads and runs nothing. usage: check.sh BUILD_FOLDER
if [ $# -ne 1 ] || [ ! -x "$1/syncsim" ]; then
  echo "usage: $0 BUILD_FOLDER (with syncsim built)" >&2
  exit 2
fi
syncsim=$(realpath "$1/syncsim")
. "$(dirname "$0")/../support/shell.sh"
here=$(realpath "$(dirname "$0")/../..")
cd "$scratch" || exit 1

says() { # STATUS TEXT COMMAND...
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >says.out 2>&1 || status=$?
  cat says.out
  [ "$status" -eq "$wanted" ] && grep -qF -- "$text" says.out
}
mkdir mine
printf 'local sim = require "sim"\nreturn sim.scenario { name = "right", nodes = 1, run = function(world) while true do end end }\n' >mine/right.lua
printf 'local sim = require "sim"\nreturn sim.scenario { name = "wrong", nodez = 1 }\n' >mine/wrong.lua
printf 'return 5\n' >mine/number.lua
claim what_is_right_is_said says 0 'mine/right.lua: ok' "$syncsim" check mine/right.lua
claim what_is_wrong_has_file_line_and_word says 3 'wrong.lua:2: ' "$syncsim" check mine/wrong.lua
claim the_nearest_word_too says 3 'did you mean "nodes"' "$syncsim" check mine/wrong.lua
claim the_others_are_looked_at_all_the_same says 3 'mine/right.lua: ok' "$syncsim" check mine
claim each_wrong_one_is_told says 3 'number.lua:' "$syncsim" check mine
claim quiet_says_nothing_of_the_right eval '[ -z "$("$syncsim" check mine/right.lua --quiet)" ]'
claim nothing_at_all_is_usage says 2 'no scenario named' "$syncsim" check
claim a_missing_file_is_usage says 2 "cannot read 'absent.lua'" "$syncsim" check absent.lua
mkdir empty
claim an_empty_folder_is_not_ok says 5 'nothing to run' "$syncsim" check empty
claim the_library_is_right eval '[ "$("$syncsim" check "$here/scenarios" | grep -c ": ok$")" -eq "$("$here/tools/list-scenarios" | wc -l)" ]'

# The list: one line each.
claim a_list_has_one_line_for_each eval '[ "$("$syncsim" list "$here/scenarios" | wc -l)" -eq "$("$here/tools/list-scenarios" | wc -l)" ]'
claim the_line_is_file_and_story eval '"$syncsim" list "$here/scenarios/clock" | grep -qE "/clock_ties.lua +superfly/corrosion#352: "'
claim without_a_story_it_is_the_name eval '"$syncsim" list mine/right.lua | grep -qx "mine/right.lua  right"'
claim the_long_list_has_more says 0 '1 node, 20s' "$syncsim" list --long mine/right.lua
exit "$failed"
