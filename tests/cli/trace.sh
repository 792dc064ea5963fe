#!/bin/bash
# Recorded timelines: three forms, filters, causes, and where two runs part.
# usage: trace.sh BUILD_FOLDER
if [ $# -ne 1 ] || [ ! -x "$1/syncsim" ]; then
  echo "usage: $0 BUILD_FOLDER (with syncsim built)" >&2
  exit 2
fi
syncsim=$(realpath "$1/syncsim")
. "$(dirname "$0")/../support/shell.sh"
cd "$scratch" || exit 1

cat >office.lua <<'END'
local sim = require "sim"
return sim.scenario {
  name = "a small office",
  nodes = 3, duration = "5s",
  workload = sim.kv { keys = 8, rate = "20/s" },
  network = { delay = "1ms..20ms", loss = "2%" },
  run = function(world)
    world:sleep "2s"
    world:log("the lights go out")
    world:node(2):crash()
    world:sleep "500ms"
    world:node(2):restart()
  end,
}
END
cat >fails.lua <<'END'
local sim = require "sim"
return sim.scenario {
  name = "it fails", nodes = 2, duration = "3s", workload = sim.kv { keys = 2, rate = "5/s" },
  properties = { sim.always("the first second never passes", function(world) return world:now() < 1000 * 1000 * 1000 end) },
}
END

replay() { "$syncsim" replay office.lua --seed 7 "$@"; }
says() { grep -qF -- "$1" "$2" || { echo "$2 does not say: $1"; head -5 "$2"; return 1; }; }
never_says() { ! grep -F -- "$1" "$2"; }
valid_json() { jq -e '.traceEvents[0]' "$1" >/dev/null; }
usage_error() { # TEXT COMMAND...
  local text=$1 status=0
  shift
  "$@" >usage.out 2>&1 || status=$?
  cat usage.out
  [ "$status" -eq 2 ] && grep -qF -- "$text" usage.out
}

claim replay_writes_a_recording replay --trace run.trace
claim replay_writes_text replay --trace run.txt
claim replay_writes_chrome_json replay --trace run.json
claim the_recording_reads_as_the_same_text bash -c "'$syncsim' trace run.trace | cmp - run.txt"
claim the_recording_gives_the_same_json bash -c "'$syncsim' trace run.trace --chrome | cmp - run.json"
claim it_can_be_written_to_a_file bash -c "'$syncsim' trace run.trace --output again.json && cmp again.json run.json"
claim the_json_is_valid valid_json run.json
claim the_recording_is_compact bash -c '[ $(($(stat -c %s run.trace) * 4)) -lt "$(stat -c %s run.txt)" ]'
claim nodes_and_operations_have_names grep -qE ' n2 applied n[13]/[0-9a-f]{8}/[0-9]+ \(log [0-9]+\) from n[13]$' run.txt
claim messages_are_told grep -qE ' n1 -> n3 message [0-9]+ bytes \([0-9a-f]{8}\), arrives [0-9.]+ s$' run.txt
claim files_have_names grep -qE ' n1 writes [0-9]+ of [0-9]+ bytes at [0-9]+ of wal-' run.txt
claim deaths_are_told says 'n2 goes down: power is lost' run.txt
claim scripts_are_told says 'world the script says: the lights go out' run.txt
claim no_negative_number_is_a_huge_one never_says 18446744073709 run.txt

"$syncsim" trace run.trace --node n2 --from 2s --to 2100ms >some.txt
claim a_filter_by_node_and_time bash -c '[ "$(grep -c . some.txt)" -gt 1 ] && ! grep -v "^syncsim-timeline" some.txt | grep -qvE "^  2\.(0[0-9]{8}|100000000) s .* n2( |$)"'
"$syncsim" trace run.trace --subsystem disk >disk.txt
claim a_filter_by_subsystem bash -c 'grep -q " writes " disk.txt && ! grep -q message disk.txt'

event=$(grep -m1 ' n2 applied ' run.txt | sed 's/.*#\([0-9]*\) .*/\1/')
"$syncsim" trace run.trace --why "$event" >why.txt
claim why_tells_the_submit_behind_an_apply grep -qE ' submitted n[13]/' why.txt
claim why_begins_at_the_start grep -qE '#0 .* n1 starts' why.txt
claim replay_tells_the_same_causes bash -c "'$syncsim' replay office.lua --seed 7 --why $event | tail -n +7 | cmp - why.txt"
claim an_event_that_never_was usage_error 'has no event 99999999' "$syncsim" trace run.trace --why 99999999

head -c 3000 run.trace >cut.trace
claim a_cut_recording_is_refused usage_error 'not a whole recording' "$syncsim" trace cut.trace
claim text_is_no_recording usage_error 'not a whole recording' "$syncsim" trace run.txt
claim an_unknown_subsystem_is_refused usage_error 'timeline, network, disk' "$syncsim" trace run.trace --subsystem discs
claim an_output_without_form_is_refused usage_error '.txt or .json' "$syncsim" trace run.trace --output some.where
claim recording_changes_no_hash bash -c "[ \"\$('$syncsim' replay office.lua --seed 7 --hashes)\" = \"\$('$syncsim' replay office.lua --seed 7 --hashes --trace x.trace)\" ]"

# One loss taken away: the runs agree up to it.
replay --record choices >/dev/null
grep -vE '^[0-9]+ [0-9]+ [0-9]+ 0$' choices | awk 'NR > 2 && $4 == 1 && !cut && n++ == 3 { cut = 1; next } { print }' >fewer
"$syncsim" diff office.lua 7 choices >equal.txt
claim a_seed_equals_its_recording says 'equal in all' equal.txt
"$syncsim" diff office.lua 7 fewer >differ.txt
claim a_loss_taken_away_is_the_first_difference grep -qE '^a .* message dropped: lost on the way$' differ.txt
claim the_neighbourhood_is_told bash -c '[ "$(grep -c "^  " differ.txt)" -eq 6 ] && grep -q "^b .* n[123] " differ.txt'

"$syncsim" replay fails.lua --seed 1 >fails.txt
claim a_failure_without_subject_tells_its_last_steps grep -qE '^ +[0-9.]+ s  #[0-9]+ +(n[0-9]|world) ' fails.txt
claim the_violation_is_told_in_words says "VIOLATION of 'the first second never passes'" fails.txt
exit $failed
