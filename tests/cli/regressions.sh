#!/bin/bash
# Seeds that failed once lie beside their scenario and come first. usage: regressions.sh BUILD_FOLDER
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
scenario() { # FILE BODY
  printf 'local sim = require "sim"\nlocal n = sim.param("n", 1)\nreturn sim.scenario { name = "%s", nodes = 1, duration = "2s", %s\n run = function(world) local drawn = world:pick(1000000) + n %s end }\n' \
    "$1" "${3:-}" "$2" >"mine/$1.lua"
}
scenario one ''
scenario two ''
scenario three ''
printf '# what failed once\n\n  77   the third peer was forgotten\n0x10 hexadecimal too\n18446744073709551615 the greatest\n' >mine/one.seeds
printf '5 a seed of the range as well\r\n' >mine/two.seeds
seeds() { "$syncsim" run mine --seeds 2 --jobs 1 --hashes "$@" | awk '/0x/ { printf "%s%s:%s", n++ ? " " : "", $1, $2 }'; }
claim they_come_before_the_seeds eval '[ "$(seeds)" = "one.lua:77 one.lua:16 one.lua:18446744073709551615 one.lua:1 one.lua:2 three.lua:1 three.lua:2 two.lua:5 two.lua:1 two.lua:2" ]'
claim they_can_be_left_out eval '[ "$(seeds --no-regressions)" = "one.lua:1 one.lua:2 three.lua:1 three.lua:2 two.lua:1 two.lua:2" ]'
claim one_seed_is_one_seed says 0 ': 1 runs' "$syncsim" run mine/one.lua --seed 3
claim the_report_counts_them says 0 '10 runs, ' "$syncsim" run mine --seeds 2
claim and_says_what_they_are says 0 '4 of the runs are regressions, which came first' "$syncsim" run mine --seeds 2
claim any_number_of_jobs_gives_the_same eval '[ "$("$syncsim" run mine --seeds 30 --jobs 1 --hashes --quiet)" = "$("$syncsim" run mine --seeds 30 --jobs 2 --hashes --quiet)" ]'
claim machines_are_told eval '"$syncsim" run mine --seeds 2 --quiet --json out.json && jq -e ".suite.regressions == 4 and .suite.runs == 10 and (.runs | length) == 10" out.json'

# One that fails again says what it found then, stops a suite first, and tells its line.
scenario one 'if drawn == 0 or world:now() < 0 then return end local t = { [0] = true } world:sleep "1s" if drawn % 2 >= 0 then world:fail "again" end'
run_mine() { "$syncsim" run mine/one.lua --seeds 3 --jobs 2 --bundles b "$@"; }
claim its_story_is_told says 1 'regression the third peer was forgotten' run_mine
claim it_stops_a_suite_at_once says 1 'seed 77' run_mine --fail-fast
claim the_others_were_not_run says 1 '5 not run' run_mine --fail-fast
claim its_line_shows_it_again says 1 'replay mine/one.lua --seed 77' run_mine
claim machines_get_the_story eval '! run_mine --quiet --json out.json >/dev/null; jq -e ".failures[0].regression == \"the third peer was forgotten\" and (.failures[] | select(.seed == \"1\") | .regression == null)" out.json'
claim junit_has_it eval '! run_mine --quiet --junit out.xml >/dev/null; xmllint --noout out.xml && grep -q "regression: the third peer was forgotten" out.xml'
printf '77 one\n2 two\n' >mine/one.seeds
junit_pairs() {
  run_mine --quiet --junit out.xml >/dev/null
  [ "$(xmllint --xpath 'count(//testcase)' out.xml)" -eq 5 ] && [ "$(xmllint --xpath 'count(//failure)' out.xml)" -eq 5 ] &&
    [ "$(xmllint --xpath 'count(//testcase[@name="regression, seed 2"]/failure)' out.xml)" -eq 1 ] &&
    [ "$(xmllint --xpath 'count(//testcase[@name="seed 2"]/failure)' out.xml)" -eq 1 ]
}
claim junit_has_each_failure_with_its_run junit_pairs

# Variants have seeds of their own.
scenario one '' 'variants = { ["few nodes"] = {}, ["many nodes"] = { n = 5 } },'
printf '[many nodes]\n9 of many\n[few nodes]\n8 of few\n7 of few too\n' >mine/one.seeds
rm mine/t*.lua mine/two.seeds
list() { "$syncsim" run mine --seeds 1 --jobs 1 --hashes | awk '/0x/ { print $0 }' | sed 's/ 0x.*//' | tr '\n' ','; }
claim a_variant_has_its_own eval 'list; [ "$(list)" = "one.lua#few nodes 8,one.lua#few nodes 7,one.lua#few nodes 1,one.lua#many nodes 9,one.lua#many nodes 1," ]'

# What is wrong is said with its line, before anything runs.
scenario one ''
wrong() { # NAME SAYS TEXT
  printf '%b' "$3" >mine/one.seeds
  claim "$1" says 2 "$2" "$syncsim" run mine --seeds 1
}
wrong a_seed_is_a_number 'mine/one.seeds:2: a line is SEED STORY' '5 right\nfive wrong\n'
wrong a_seed_has_a_story 'mine/one.seeds:1: this seed has no story' '5   \n'
wrong a_seed_stands_once 'mine/one.seeds:3: this seed is there already' '5 a\n6 b\n5 c\n'
wrong a_variant_is_in_brackets 'mine/one.seeds:1: a line that begins with [' '[many nodes\n5 a\n'
wrong a_story_is_a_line 'more than 255 bytes' "5 $(printf 'x%.0s' {1..300})\n"
wrong a_line_has_an_end 'the line is too long' "5 $(printf 'x%.0s' {1..600})\n"
rm mine/one.seeds && mkdir mine/one.seeds
claim a_folder_is_no_list says 2 'cannot read' "$syncsim" run mine --seeds 1

# Those of the library are of scenarios that are there.
orphans() { find "$1" -name '*.seeds' | while read -r list; do [ -f "${list%.seeds}.lua" ] || echo "$list has no scenario"; done | grep .; }
claim the_library_has_some eval 'find "$here/scenarios" -name "*.seeds" | grep -q .'
claim none_is_without_its_scenario eval '! orphans "$here/scenarios"'
mkdir stray && : >stray/a.seeds
claim one_without_would_be_seen eval 'orphans stray'
exit "$failed"
