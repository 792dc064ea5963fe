#!/bin/bash
# A failing seed is the same failure again: from the line that is printed, from
# its bundle, and from a recording of its choices. usage: replay.sh BUILD_FOLDER
if [ $# -ne 1 ] || [ ! -x "$1/syncsim" ]; then
  echo "usage: $0 BUILD_FOLDER (with syncsim built)" >&2
  exit 2
fi
syncsim=$(realpath "$1/syncsim")
. "$(dirname "$0")/../support/shell.sh"
mkdir "$scratch/a folder" && cd "$scratch/a folder" || exit 1

# Fails for the seeds that draw a three.
cat >"some seeds.lua" <<'END'
local sim = require "sim"
local odd = false
return sim.scenario {
  name = "some seeds fail",
  nodes = 3, duration = "5s",
  workload = sim.kv { keys = 8, rate = "100/s", deletes = "10%" },
  network = { delay = "1ms..20ms", loss = "2%", duplicate = "2%" },
  disk = { on_crash = "adversarial" },
  run = function(world)
    local n = world:pick(3)
    world:sleep "2s"
    world:node(2):crash()
    world:sleep "500ms"
    world:node(2):restart()
    odd = n == 3
  end,
  properties = { sim.always("three is never drawn", function(world) return not odd end) },
}
END

status_of() { # STATUS OUT COMMAND...
  local wanted=$1 out=$2 status=0
  shift 2
  "$@" >"$out" 2>&1 || status=$?
  cat "$out"
  [ "$status" -eq "$wanted" ] || { echo "status $status, not $wanted"; return 1; }
}
hash_in() { # FILE: the trace hash of a replay
  sed -n 's/^trace  *\(0x[0-9a-f]*\)$/\1/p' "$1"
}
same_hash() { # FILE...
  local file
  [ -n "$hash" ] || { echo "no hash at all"; return 1; }
  for file in "$@"; do
    [ "$(hash_in "$file")" = "$hash" ] || { echo "$file: $(hash_in "$file"), not $hash"; return 1; }
  done
}
without_times() { sed -E 's/ in [0-9.]+ [mu]?s.*//; s/ +[0-9.]+ (ms|us|s)$//; s/ +/ /g' "$1"; }

claim some_seeds_fail status_of 1 run.out "$syncsim" run "some seeds.lua" --seeds 12 --json run.json --hashes
seed=$(sed -n 's/.*replay.*--seed \([0-9]*\)$/\1/p' run.out | head -1)
hash=$(sed -n "s/^some seeds.lua $seed \(0x[0-9a-f]*\)$/\1/p" run.out)
claim the_failure_names_its_property grep -q 'three is never drawn' run.out
line=$(grep -m1 ' replay .*--seed' run.out | sed 's/^ *//')
claim the_line_to_paste_shows_it_again status_of 1 paste.out bash -c "$line"
claim the_seed_gives_the_same_failure status_of 1 seed.out "$syncsim" replay "some seeds.lua" --seed "$seed"
bundle=build/failures/"some seeds-$seed"
claim the_bundle_is_whole test -s "$bundle/scenario.lua" -a -s "$bundle/manifest" -a -s "$bundle/choices" -a -s "$bundle/history"
claim the_bundle_gives_the_same_failure status_of 1 bundle.out "$syncsim" replay "$bundle"
claim the_bundle_says_that_it_is_the_same grep -q '^same as in the bundle$' bundle.out
claim a_recording_is_written status_of 1 record.out "$syncsim" replay "some seeds.lua" --seed "$seed" --record choices --trace trace
claim the_recording_gives_the_same_failure status_of 1 choices.out "$syncsim" replay "some seeds.lua" --choices choices
claim recorded_again_it_is_the_same status_of 1 again.out "$syncsim" replay "$bundle" --record again
claim two_recordings_are_equal cmp choices again
claim all_have_one_trace_hash same_hash paste.out seed.out bundle.out record.out choices.out again.out
claim the_trace_has_all_steps test "$(wc -l <trace)" -gt 1000
claim another_seed_beside_a_recording_is_refused status_of 2 refused.out "$syncsim" replay "some seeds.lua" --choices choices --seed 77
claim a_run_equals_its_recording status_of 0 equal.out "$syncsim" diff "some seeds.lua" "$seed" choices
claim two_seeds_differ_at_a_named_step status_of 1 differ.out "$syncsim" diff "some seeds.lua" "$seed" 0x7777
claim until_stops_before_the_failure status_of 0 until.out "$syncsim" replay "some seeds.lua" --seed "$seed" --until 1s

# A bundle that was written by another build, and one that lies.
cp -r "$bundle" other
sed -i 's/^build=.*/build=0123456789abcdef/' other/manifest
claim another_build_is_told status_of 1 other.out "$syncsim" replay other
claim both_builds_are_named grep -q 'written by build 0123456789abcdef' other.out
sed -i 's/^trace_hash=.*/trace_hash=0x1/' other/manifest
claim another_hash_by_another_build_is_told status_of 1 other2.out "$syncsim" replay other
claim the_other_hash_is_named grep -q '^DIFFERS: the bundle has trace 0x0000000000000001' other2.out
cp -r "$bundle" liar
sed -i 's/^trace_hash=.*/trace_hash=0x1/' liar/manifest
claim another_hash_by_this_build_is_not_deterministic status_of 4 liar.out "$syncsim" replay liar

# The table depends on scenarios and seeds alone.
hashes() { "$syncsim" run "some seeds.lua" --seeds 12 --hashes --bundles again "$@" >hashes.out; grep '^some seeds.lua' hashes.out; }
hashes --jobs 1 >one
hashes --jobs 3 >three
hashes --jobs 2 --fill 0xA5 --arena-base 0x300000000000 >filled
cd / && "$syncsim" run "$scratch/a folder/some seeds.lua" --seeds 12 --hashes --bundles "$scratch/b" | grep '^some seeds.lua' >"$scratch/elsewhere"
cd "$scratch/a folder" || exit 1
claim twelve_hashes_were_printed test "$(sort -u one | wc -l)" -eq 12
claim one_job_and_three_give_the_same_hashes cmp one three
claim filled_memory_at_another_base_gives_the_same_hashes cmp one filled
claim another_directory_gives_the_same_hashes cmp one "$scratch/elsewhere"
"$syncsim" run "some seeds.lua" --seeds 12 --jobs 1 --bundles again | sed 's/ with [0-9] job.*//' >table1
"$syncsim" run "some seeds.lua" --seeds 12 --jobs 3 --bundles again | sed 's/ with [0-9] job.*//' >table3
claim one_job_and_three_give_the_same_table diff <(without_times table1) <(without_times table3)
from() { "$syncsim" run "some seeds.lua" --seeds 2 --seed-from "$1" --hashes --quiet --bundles again | grep '^some seeds.lua'; }
from 1f2e3d >text1
from 1f2e3d >text2
from 1f2e3e >text3
claim a_text_gives_as_many_seeds_as_asked test "$(wc -l <text1)" -eq 2
claim a_text_gives_the_same_seeds_each_time cmp text1 text2
claim another_text_gives_other_seeds test -s text3 -a "$(cat text1)" != "$(cat text3)"

cat >calm.lua <<'END'
local sim = require "sim"
return sim.scenario { name = "calm", nodes = 1, duration = "1s" }
END
says_nothing() { "$@" >quiet.out 2>&1 && ! [ -s quiet.out ]; }
claim a_quiet_replay_of_what_holds_says_nothing says_nothing "$syncsim" replay calm.lua --seed 1 --quiet
quiet_seed=$(for seed in $(seq 1 20); do "$syncsim" replay "some seeds.lua" --seed "$seed" >quiet.out 2>&1 || { echo "$seed"; break; }; done)
claim a_quiet_replay_of_a_failure_says_all status_of 1 quiet.out "$syncsim" replay "some seeds.lua" --seed "$quiet_seed" --quiet
claim and_its_property grep -q 'three is never drawn' quiet.out
exit "$failed"
