#!/bin/bash
# Failures that are known count for nothing until their day has passed. usage: known.sh BUILD_FOLDER
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
scenario() { # FILE PROPERTIES
  printf 'local sim = require "sim"\nreturn sim.scenario { name = "%s", nodes = 1, duration = "2s", properties = { %s } }\n' "$1" "$2" >"mine/$1.lua"
}
scenario fails 'sim.always("it is early", function(w) return w:now() < 1000000000 end)'
scenario holds ''
known() { printf '%s\n' "$@" >known.txt; }
run() { "$syncsim" run mine --seeds 3 --jobs 2 --bundles b --known known.txt "$@"; }

known '# failures that wait' '' '2026-12-31 | mine/fails.lua | it is early | issue 7: time goes on | and on'
claim without_the_list_it_fails status_is 1 "$syncsim" run mine --seeds 3 --bundles b
claim what_is_known_counts_for_nothing says 0 'HELD: 3 held, 3 known, 0 failed' run --today 2026-12-01
claim it_is_told_with_its_reason says 0 'mine/fails.lua: it is early, in 3 of 3 runs, known until 2026-12-31: issue 7: time goes on | and on' run --today 2026-12-01
claim its_scenario_says_so says 0 'known' run --today 2026-12-01
claim the_last_day_counts says 0 '3 known' run --today 2026-12-31
claim a_day_later_it_fails says 1 'was known  until 2026-12-31: issue 7: time goes on | and on (that day has passed)' run --today 2027-01-01
claim quiet_is_quiet eval '[ -z "$(run --today 2026-12-01 --quiet)" ]'
claim a_name_alone_is_enough eval 'known "2026-12-31 | fails.lua | it is early | x"; says 0 "3 known" run --today 2026-12-01'
claim part_of_a_name_is_not eval 'known "2026-12-31 | ails.lua | it is early | x"; says 1 "3 failed" run --today 2026-12-01'
claim another_property_is_not_known eval 'known "2026-12-31 | fails.lua | it is late | x"; says 1 "3 failed" run --today 2026-12-01'
claim what_is_seen_no_more_is_told eval 'known "2026-12-31 | holds.lua | it is early | x" "2026-12-31 | fails.lua | it is early | x"; says 0 "were not seen" run --today 2026-12-01 && grep -q "holds.lua: it is early, in 0 of 3 runs" says.out'
claim what_did_not_run_is_not_told eval 'known "2026-12-31 | other.lua | it is early | x" "2026-12-31 | fails.lua | it is early | x"; run --today 2026-12-01 >says.out && ! grep -q other.lua says.out'
claim fail_fast_goes_on_behind_it says 0 '3 held, 3 known' run --today 2026-12-01 --fail-fast
claim the_day_of_the_machine_is_asked eval 'known "2999-12-31 | fails.lua | it is early | x"; says 0 "3 known" run'
claim and_it_passes eval 'known "1999-12-31 | fails.lua | it is early | x"; says 1 "that day has passed" run'
claim hashes_know_nothing_of_it eval '[ "$(run --hashes --today 1999-12-31 | grep 0x | grep lua)" = "$(run --hashes --today 2999-12-31 | grep 0x | grep lua)" ]'

known '2026-12-31 | fails.lua | it is early | <waits> & "waits"' '2026-12-31 | holds.lua | durability | x'
claim json_has_it eval 'run --today 2026-12-01 --quiet --json out.json && jq -e ".known[0].seen == 3 and .known[0].runs == 3 and .known[1].seen == 0 and (.known[0].expired | not) and .suite.failed == 0 and (.failures | length) == 0 and ([.runs[] | select(.verdict == \"known\")] | length) == 3" out.json'
claim junit_skips_it eval 'run --today 2026-12-01 --quiet --junit out.xml && xmllint --noout out.xml && [ "$(xmllint --xpath "count(//skipped[starts-with(@message, \"known: it is early until 2026-12-31: <waits>\")])" out.xml)" -eq 3 ] && [ "$(xmllint --xpath "count(//failure)" out.xml)" -eq 0 ]'
claim of_what_expired_json_says_it eval '! run --today 2027-12-01 --quiet --json out.json >/dev/null; jq -e ".known[0].expired and .known[0].seen == 3 and (.failures[0].known | startswith(\"until 2026-12-31\"))" out.json'
claim of_what_expired_junit_says_it eval '! run --today 2027-12-01 --quiet --junit out.xml >/dev/null; grep -q "was known until 2026-12-31" out.xml'

wrong() { # NAME SAYS LINE...
  local name=$1 text=$2
  shift 2
  known "$@"
  claim "$name" says 2 "$text" run
}
wrong a_line_has_four_parts 'known.txt:2: a line is DATE | SCENARIO | PROPERTY | REASON' '# x' '2026-12-31 | fails.lua | it is early'
wrong a_reason_is_needed 'a line is DATE' '2026-12-31 | fails.lua | it is early |  '
wrong a_day_is_needed 'the last day' 'soon | fails.lua | it is early | x'
wrong a_day_is_one_of_the_calendar 'the last day' '2026-02-29 | fails.lua | it is early | x'
wrong a_leap_day_is_not_each_century 'the last day' '2100-02-29 | fails.lua | it is early | x'
wrong a_failure_is_listed_once 'known.txt:2: this failure is listed already' '2026-12-31 | a.lua | p | x' '2027-12-31 | a.lua | p | y'
wrong a_part_has_an_end 'a part is too long' "2026-12-31 | a.lua | p | $(printf 'x%.0s' {1..400})"
wrong a_line_has_an_end 'the line is too long' "2026-12-31 | a.lua | p | $(printf 'x%.0s' {1..2000})"
known '2028-02-29 | a.lua | p | a leap day'
claim a_leap_day_is_a_day status_is 1 run
claim a_missing_list_is_named says 2 "cannot read 'absent.txt'" "$syncsim" run mine --known absent.txt
claim today_is_a_day says 2 "--today 'tomorrow' is no day" run --today tomorrow

# The list of this project: each entry is of a scenario that is there.
stale() { # LIST
  grep -vE '^ *(#|$)' "$1" | while IFS='|' read -r _ name _; do
    name=${name//[[:space:]]/}
    find "$here/scenarios" -path "*/${name%%#*}" | grep -q . || echo "$name is not in scenarios/"
  done | grep .
}
claim the_list_reads eval '"$syncsim" run mine/holds.lua --seeds 1 --known "$here/scenarios/known_failures.txt"'
claim each_is_of_a_scenario eval '! stale "$here/scenarios/known_failures.txt"'
known '2026-12-31 | absent.lua | p | x'
claim another_would_be_seen eval 'stale known.txt'
exit "$failed"
