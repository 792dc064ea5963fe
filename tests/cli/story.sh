#!/bin/bash
# One run told as a timeline for people. usage: story.sh BUILD_FOLDER
if [ $# -ne 1 ] || [ ! -x "$1/syncsim" ]; then
  echo "usage: $0 BUILD_FOLDER (with syncsim built)" >&2
  exit 2
fi
syncsim=$(realpath "$1/syncsim")
. "$(dirname "$0")/../support/shell.sh"
cd "$scratch" || exit 1

scenario() { # FILE OPTIONS BODY
  printf 'local sim = require "sim"\nreturn sim.scenario {\n  %s\n  run = function(world)\n    %s\n  end,\n}\n' "$2" "$3" >"$1"
}
acts='
    local cut = world:partition({ 1 }, { 2, 3 })
    world:partition_one_way({ 2 }, { 3 })
    world:sleep "1s"
    world:log("a text that is longer than what one step of the trace can hold, so that it comes in several of them")
    world:node(1):crash()
    world:node(2):process_crash()
    world:sleep "1s"
    cut:heal()
    world:node(1):restart()
    world:node(3):restart()
    world:node(3):put(7, "100B")
    world:node(3):delete(7)
    world:sleep "1s"
    world:node(3):disk { rot = "100%" }
    world:node(3):pause()
    world:sleep "100ms"
    world:node(3):resume()
    world:node(1):clock { step = "-1h", rate = "200ppm", freeze = true, strobe = "2s", lasting = "500ms" }
    world:rule { from = 1, to = 2, kind = "hello", drop = 3 }
    world:sleep "1s"
    world:node(3):crash()
    world:node(3):wipe()
    world:node(3):restart { crash_within = 3 }'
scenario acts.lua 'name = "acts", nodes = 3, duration = "6s", workload = sim.kv { rate = "20/s" }, network = { loss = "5%" },' "$acts"
scenario fails.lua 'name = "fails", nodes = 2, duration = "2s",' 'world:sleep "1s" world:fail("as it should")'
scenario wrong.lua 'name = "wrong", nodes = 2, duration = "2s",' 'world:sleep "1s" world:node(1):crash() world:sleeep "1s"'
scenario calm.lua 'name = "calm", nodes = 2, duration = "1s",' ''

"$syncsim" run acts.lua --seed 5 --trace >acts.out 2>acts.err
acts_status=$?
says() { grep -qE -- "$1" acts.out || { echo "not said: $1"; head -n 60 acts.out; return 1; }; }
before() { # FIRST THEN
  local first then
  first=$(grep -nE -m1 -- "$1" acts.out | cut -d: -f1)
  then=$(grep -nE -- "$2" acts.out | tail -n 1 | cut -d: -f1)
  [ -n "$first" ] && [ -n "$then" ] && [ "$first" -lt "$then" ] || { echo "$1 (line $first) is not before $2 (line $then)"; return 1; }
}
claim the_run_holds [ "$acts_status" -eq 0 ]
claim nodes_that_do_the_same_share_a_line says '^ +0\.000000 n1-n3 started$'
claim cut_links_are_one_line_both_ways_and_one_way says ' - +links are cut: n1 - n2, n1 - n3, n2 -> n3$'
claim a_cut_is_told_before_what_follows before 'links are cut' 'links are healed: n1 - n2, n1 - n3'
claim a_text_is_whole says 'the script says: a text that is longer than what one step of the trace can hold, so that it comes in several of them$'
claim an_act_and_what_came_of_it says '^ +1\.000000 n1 +the script cuts its power$'
claim power_loss_is_told says '^ +1\.000000 n1 +down: power is lost$'
claim process_death_is_told says '^ +1\.000000 n2 +down: its process died$'
claim what_was_sent_is_counted_between says '^ +\.\.\. +0\.[0-9]+ s: [0-9]+ writes?, .*[0-9]+ messages? \('
claim losses_are_counted_by_why says '[0-9]+ messages \(.*[0-9]+ cut off.*\)'
claim a_restart_is_told_before_the_start before 'n1 +the script restarts it$' 'n1 +started again$'
claim a_restart_of_what_is_up says 'n3 +the script restarts it, and it was up$'
claim a_put_is_told says 'n3 +the script puts key 7, 100 bytes$'
claim a_delete_is_told says 'n3 +the script deletes key 7$'
claim a_pause_is_told_once eval '[ "$(grep -c "n3 *is paused" acts.out)" -eq 1 ] && says "n3 +goes on"'
claim clocks_are_told says 'n1 +its wall clock jumps by -3600s'
claim strobes_are_one_line eval '[ "$(grep -c strobe acts.out)" -eq 1 ] && says "n1 +the script lets its wall clock strobe by 2s"'
claim clocks_are_told_when_they_are_right_again eval 'says "n1 +its clocks run right again" && ! grep -q "n2 .*run right again" acts.out'
claim rules_are_told says 'the script makes a rule: of messages of one kind from n1 to n2 3 will be lost'
claim damage_is_told says "n3 +its disk rots, at [0-9]+ of wal-[0-9a-f-]+ .[0-9]+ B.$"
claim a_wipe_is_told_once eval '[ "$(grep -c "its disk is empty now" acts.out)" -eq 1 ]'
claim a_death_that_is_to_come says 'n3 +the script restarts it(, in vain)?; its power fails again inside call'
claim the_end_is_told says '^ +[0-9.]+ - +the run ends$'
claim times_never_go_back eval 'grep -oE "^ +[0-9]+\.[0-9]{6} " acts.out | LC_ALL=C sort -c -n'
claim the_verdict_comes_last before 'the run ends' '^HELD: '
claim nothing_is_told_twice eval '! grep -E "^ +[0-9]" acts.out | uniq -d | grep .'
claim no_numbers_without_a_name eval '! grep -E "kind [0-9]|0: |1: it is" acts.out'

"$syncsim" replay acts.lua --seed 5 --trace acts.trace >/dev/null
"$syncsim" trace acts.trace --story >recorded.out
claim a_recording_tells_the_same eval 'sed "/the run ends/q" acts.out | cmp - recorded.out'
claim seed_1_when_nothing_is_said eval '"$syncsim" run calm.lua --trace >one.out && grep -q "seeds 1 to 1" one.out'

run_fails() { "$syncsim" run "$@" --trace --bundles b; }
claim a_failure_is_told_at_its_time eval 'run_fails fails.lua --seed 1 >fails.out; grep -qE "^ +1\.000000 .*VIOLATION of .*as it should" fails.out'
claim its_status_stays status_is 1 run_fails fails.lua --seed 1
claim a_wrong_script_is_told_up_to_its_error eval 'run_fails wrong.lua --seed 1 >wrong.out; grep -qE "n1 +down: power is lost" wrong.out && grep -q "sleeep" wrong.out'
claim its_status_stays_too status_is 3 run_fails wrong.lua --seed 1
claim one_run_only eval '"$syncsim" run calm.lua --seeds 2 --trace 2>&1 | grep -q -- "--trace tells one run" && status_is 2 "$syncsim" run calm.lua --seeds 2 --trace'
claim one_scenario_only status_is 2 "$syncsim" run calm.lua fails.lua --seed 1 --trace
claim a_full_disk_is_an_error eval 'status_is 5 "$syncsim" run calm.lua --seed 1 --trace --quiet >/dev/full'
exit "$failed"
