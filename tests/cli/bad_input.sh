#!/bin/bash
# What people do wrong, and what machines do to them: each gets a clear message
# and the documented status. usage: bad_input.sh BUILD_FOLDER
# timeout: 120
if [ $# -ne 1 ] || [ ! -x "$1/syncsim" ]; then
  echo "usage: $0 BUILD_FOLDER (with syncsim built)" >&2
  exit 2
fi
syncsim=$(realpath "$1/syncsim")
. "$(dirname "$0")/../support/shell.sh"
cd "$scratch" || exit 1
unset TERM

# says STATUS TEXT COMMAND...: ends with that status and says that text.
says() {
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >says.out 2>&1 </dev/null || status=$?
  cat says.out
  [ "$status" -eq "$wanted" ] || { echo "status $status, not $wanted"; return 1; }
  grep -qF -- "$text" says.out || { echo "does not say: $text"; return 1; }
}
scenario() { # FILE OPTIONS BODY
  printf 'local sim = require "sim"\nreturn sim.scenario {\n  %s\n  run = function(world)\n    %s\n  end,\n}\n' "$2" "$3" >"$1"
}
plain='name = "plain", nodes = 1, duration = "2s",'
scenario good.lua "$plain" 'world:sleep(world:between("1ms", "900ms"))'

# --- Scenarios that are wrong: 3 ---------------------------------------------
scenario syntax.lua 'name = "x" nodes = 1,' ''
scenario key.lua 'name = "x", nodez = 1, duration = "1s",' ''
scenario unit.lua 'name = "x", nodes = 1, duration = "3 parsecs",' ''
scenario loop.lua "$plain" 'while true do end'
scenario bomb.lua "$plain" 'local s = ("x"):rep(1000); while true do s = s .. s end'
scenario table_bomb.lua "$plain" 'local t = {}; while true do t[#t + 1] = ("x"):rep(100000) .. #t; world:sleep "1us" end'
scenario runtime.lua "$plain" 'world:sleeep "1s"'
head -c 300 /dev/urandom >garbage.lua
: >empty.lua
mkdir hollow
claim a_syntax_error_names_file_and_line says 3 'syntax.lua:3:' "$syncsim" run syntax.lua
claim an_unknown_key_gets_the_nearest_word says 3 'did you mean "nodes"' "$syncsim" run key.lua
claim a_wrong_unit_gets_the_right_ones says 3 'units: ns, us, ms, s, min, h' "$syncsim" run unit.lua
claim an_endless_loop_is_ended says 3 'endless loop' "$syncsim" run loop.lua
claim a_memory_bomb_is_defused says 3 'memory' "$syncsim" run bomb.lua --seeds 2
claim a_slow_memory_bomb_is_defused says 3 'memory' "$syncsim" run table_bomb.lua --seeds 1
claim a_misspelt_method_is_an_error_at_its_line says 3 'runtime.lua:5:' "$syncsim" run runtime.lua
claim random_bytes_are_no_scenario says 3 'garbage.lua:' "$syncsim" run garbage.lua
claim an_empty_file_is_no_scenario says 3 'empty.lua' "$syncsim" run empty.lua
claim one_wrong_scenario_does_not_hide_the_others says 3 'plain' "$syncsim" run good.lua syntax.lua --seeds 2
claim list_tells_of_a_wrong_scenario says 3 'syntax.lua:3:' "$syncsim" list syntax.lua
claim replay_tells_of_a_wrong_scenario says 3 'syntax.lua:3:' "$syncsim" replay syntax.lua --seed 1

# --- Usage: 2 ------------------------------------------------------------------
claim a_missing_file_is_named says 2 "cannot read 'absent.lua': No such file" "$syncsim" run absent.lua
claim a_missing_file_of_replay_is_named says 2 'absent.lua' "$syncsim" replay absent.lua --seed 1
claim no_file_at_all_is_usage says 2 'no scenario named' "$syncsim" run
claim a_seed_that_is_no_number_is_refused says 2 'is not a seed' "$syncsim" run good.lua --seed tomorrow
claim a_seed_of_65_bits_is_refused says 2 'is not a seed' "$syncsim" replay good.lua --seed 18446744073709551616
claim seeds_that_are_no_number_are_refused says 2 'is not a number' "$syncsim" run good.lua --seeds many
claim more_runs_than_a_suite_holds_are_refused says 2 'at most 2000000 seeds' "$syncsim" run good.lua --seeds 3000000
claim an_empty_range_is_refused says 2 'empty range' "$syncsim" run good.lua --seeds 9..5
claim no_seed_at_all_is_refused says 2 'no seed at all' "$syncsim" run good.lua --seeds 0
claim replay_without_a_seed_asks_for_it says 2 'which seed' "$syncsim" replay good.lua
claim an_unknown_command_gets_the_nearest says 2 "did you mean 'replay'" "$syncsim" repley
claim an_unknown_option_gets_the_nearest says 2 "did you mean '--seeds'" "$syncsim" run good.lua --sedes 3
claim an_option_without_its_value_is_refused says 2 'needs a value' "$syncsim" run good.lua --seeds
claim a_time_without_unit_is_refused says 2 'not a time' "$syncsim" run good.lua --time 90
claim no_command_shows_them_all says 2 'Usage: syncsim COMMAND' "$syncsim"
claim a_folder_that_is_no_bundle_is_refused says 2 'not a bundle' "$syncsim" replay hollow
claim a_recording_that_is_none_is_refused says 2 'not a recording' "$syncsim" replay good.lua --choices garbage.lua
mkdir forged
cp good.lua forged/scenario.lua
printf 'format=99\nseed=1\ntrace_hash=0x1\n' >forged/manifest
claim a_bundle_of_another_format_is_refused says 2 'format is 99' "$syncsim" replay forged
head -c 20000 /dev/urandom >forged/manifest
claim a_bundle_of_random_bytes_is_refused says 2 'not a bundle' "$syncsim" replay forged
for command in run replay diff trace list check new version help; do
  claim "${command}_has_help" says 0 'Usage: syncsim' "$syncsim" help "$command"
done

# --- The harness: 5 ------------------------------------------------------------
claim a_folder_without_scenarios_runs_nothing says 5 'nothing to run' "$syncsim" run hollow
claim no_time_is_nothing_run says 5 'not run' "$syncsim" run good.lua --time 1ns
run2=("$syncsim" run good.lua --seeds 2)
claim an_unwritable_report_is_named says 5 "cannot write 'no/such/x.json': No such file" "${run2[@]}" --json no/such/x.json
claim the_verdict_is_told_all_the_same grep -q 'plain.*held' says.out
claim a_full_device_under_a_report_is_named says 5 "'/dev/full': No space left" "${run2[@]}" --junit /dev/full
claim a_report_on_a_folder_is_refused says 5 'hollow' "${run2[@]}" --json hollow
claim an_arena_base_that_is_taken_is_told says 5 'arena' "${run2[@]}" --arena-base 0xffff800000000000
stdout_full() { "${run2[@]}" >/dev/full; }
claim a_full_standard_output_is_told says 5 'No space left' stdout_full

# Ends with 77 when there is no right to mount.
full_disk() {
  unshare -m bash -c 'mkdir -p disk && mount -t tmpfs -o size=64k tmpfs disk || exit 77
    dd if=/dev/zero of=disk/filler bs=1k count=60 2>/dev/null
    "$@" run good.lua --seeds 300 --json disk/report.json --junit disk/report.xml
    status=$?; echo "left:" $(ls disk); exit $status' _ "$syncsim"
}
status=0
full_disk >says.out 2>&1 || status=$?
if [ "$status" -eq 77 ] || grep -q 'unshare' says.out; then
  echo "# a full disk under the reports is shown by /dev/full alone: no right to mount here"
else
  claim a_full_disk_under_the_reports_is_named says 5 "cannot write 'disk/report.json': No space left" full_disk
  claim a_full_disk_leaves_no_half_report grep -qx 'left: filler' says.out
  claim a_full_disk_hides_no_verdict grep -q 'HELD: 300 held' says.out
fi

# --- Killed and interrupted ------------------------------------------------------
workload='name = "busy", nodes = 3, duration = "60s", workload = sim.kv { keys = 16, rate = "50/s" },'
scenario busy.lua "$workload" 'world:sleep "50s"'
children() { cat "/proc/$1/task/$1/children" 2>/dev/null; }
kill_a_worker() {
  "$syncsim" run busy.lua --seeds 100000 --time 3s --jobs 2 --bundles killed >killed.out 2>&1 &
  local suite=$! status=0 i
  for i in 1 2 3 4; do # once may hit a worker between two runs, which is no loss
    sleep 0.3
    set -- $(children "$suite")
    [ $# -gt 0 ] && kill -KILL "$1"
  done
  wait "$suite" || status=$?
  cat killed.out
  [ "$status" -eq 5 ] && grep -q 'signal 9' killed.out
}
claim a_killed_worker_is_a_failure_of_its_seed kill_a_worker
interrupt() { # SIGNAL
  "$syncsim" run busy.lua --seeds 100000 --jobs 2 >interrupted.out 2>&1 &
  local suite=$! status=0
  sleep 0.7
  kill -"$1" "$suite"
  wait "$suite" || status=$?
  cat interrupted.out
  [ "$status" -eq 5 ] && grep -q 'interrupted: .* of 100000 runs' interrupted.out && grep -q 'busy' interrupted.out
}
claim ctrl_c_prints_the_verdict_so_far interrupt INT
claim termination_prints_the_verdict_so_far interrupt TERM
exit "$failed"
