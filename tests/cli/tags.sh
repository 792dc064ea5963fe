#!/bin/bash
# Sets of scenarios, by tags. usage: tags.sh BUILD_FOLDER
if [ $# -ne 1 ] || [ ! -x "$1/syncsim" ]; then
  echo "usage: $0 BUILD_FOLDER (with syncsim built)" >&2
  exit 2
fi
syncsim=$(realpath "$1/syncsim")
. "$(dirname "$0")/../support/shell.sh"
cd "$scratch" || exit 1

says() { # STATUS TEXT COMMAND...
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >says.out 2>&1 || status=$?
  cat says.out
  [ "$status" -eq "$wanted" ] && grep -qF -- "$text" says.out
}
mkdir all
scenario() { # NAME TAGS
  printf 'local sim = require "sim"\nreturn sim.scenario { name = "%s", nodes = 1, duration = "1s", %s }\n' "$1" "$2" >"all/$1.lua"
}
scenario quick 'tags = { "smoke", "disk-2" }'
scenario slow 'tags = { "night_ly" }'
scenario plain ''
scenario varied 'tags = { "smoke" }, variants = { one = {}, two = {} }'
names() { "$syncsim" list all "$@" --json | jq -r '[.scenarios[].name] | join(",")'; }
claim one_tag eval '[ "$(names --tag smoke)" = "quick,varied (one),varied (two)" ]'
claim several_tags_are_any_of_them eval '[ "$(names --tag disk-2 --tag night_ly)" = "quick,slow" ]'
claim no_tag_is_all eval '[ "$(names)" = "plain,quick,slow,varied (one),varied (two)" ]'
claim a_suite_takes_the_same says 0 '3 scenarios, seeds 1 to 2: 6 runs' "$syncsim" run all --tag smoke --seeds 2
claim the_list_tells_them says 0 'tag: disk-2' "$syncsim" list all/quick.lua --long
claim machines_are_told_them eval '"$syncsim" list all/quick.lua --json | jq -e ".scenarios[0].tags == [\"smoke\", \"disk-2\"]"'
claim what_nothing_has_is_usage says 2 "no scenario there has the tag 'smok'; did you mean 'smoke'?" "$syncsim" run all --tag smok
claim what_is_far_from_all_lists_them says 2 'there are smoke, disk-2' "$syncsim" run all/quick.lua --tag weekly
claim no_word_is_no_tag says 2 'is no tag' "$syncsim" run all --tag ''
printf 'local sim = require "sim"\nreturn sim.scenario { name = "x", tags = 5 }\n' >all/wrong.lua
claim a_wrong_scenario_is_not_left_out says 3 'wrong.lua:2:' "$syncsim" run all --tag smoke
wrong() { # NAME SAYS TAGS
  scenario wrong "$3"
  claim "$1" says 3 "$2" "$syncsim" check all/wrong.lua
}
wrong a_tag_is_a_word 'tags is a list of words in quotes' 'tags = { "a b" }'
wrong a_tag_is_small 'tags is a list of words in quotes' 'tags = { "Smoke" }'
wrong a_tag_is_not_a_number 'tags is a list of words in quotes' 'tags = { 5 }'
wrong a_tag_is_not_empty 'tags is a list of words in quotes' 'tags = { "" }'
wrong a_tag_is_not_long 'tags is a list of words in quotes' 'tags = { ("x"):rep(32) }'
wrong tags_are_a_table 'tags' 'tags = "smoke"'
wrong a_tag_stands_once '"a" is there twice' 'tags = { "a", "b", "a" }'
wrong tags_are_few 'more than 8' 'tags = { "a", "b", "c", "d", "e", "f", "g", "h", "i" }'
exit "$failed"
