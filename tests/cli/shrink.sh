#!/bin/bash
# A failing run made small: what is written stands alone, fails in the same way under every seed, and does not depend
# on the number of jobs.
# usage: shrink.sh BUILD_FOLDER
syncsim=$(realpath "${1:?usage: shrink.sh BUILD_FOLDER}/syncsim")
root=$(realpath "$(dirname "$0")/../..")
. "$(dirname "$0")/../support/shell.sh"
cd "$scratch" || exit 1
canary=$root/scenarios/canary/canary_early_promise.lua

says() { # STATUS TEXT COMMAND...
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >"$scratch/says.out" 2>&1 </dev/null || status=$?
  cat "$scratch/says.out"
  [ "$status" -eq "$wanted" ] || { echo "status $status, not $wanted"; return 1; }
  grep -qF -- "$text" "$scratch/says.out" || { echo "does not say: $text"; return 1; }
}
statements() { # FILE MOST: so many statements of run at most
  local count
  count=$(sed -n '/run = function/,/^  end/p' "$1" | grep '^    ' | grep -vc '^    world:sleep')
  echo "$count statements"
  [ "$count" -le "$2" ]
}
fails_under_every_seed() { # FILE SEEDS PROPERTY
  says 1 "0 held, $2 failed" "$syncsim" run "$1" --seeds "$2" --json all.json && jq -e --arg property "$3" \
    '[.failures[].property] | unique == [$property]' all.json
}
same_words() { # FILE FILE
  diff <(grep -v '^--' "$1") <(grep -v '^--' "$2")
}

claim a_failing_run_is_made_small says 0 'wrote one.lua' "$syncsim" shrink "$canary" --seed 1 --jobs 1 --out one.lua
claim a_put_and_a_crash_are_left statements one.lua 3
claim it_names_what_it_violates grep -qF 'It violates *durability*, under 20 of 20 seeds' one.lua
claim it_stands_alone_and_fails_under_every_seed fails_under_every_seed one.lua 25 durability
claim two_jobs_come_to_the_same says 0 'wrote two.lua' "$syncsim" shrink "$canary" --seed 1 --jobs 2 --out two.lua
claim word_for_word same_words one.lua two.lua
claim five_jobs_too says 0 'wrote five.lua' "$syncsim" shrink "$canary" --seed 1 --jobs 5 --out five.lua
claim word_for_word_too same_words one.lua five.lua
claim another_seed_is_made_small_as_well says 0 'wrote other.lua' "$syncsim" shrink "$canary" --seed 7 --out other.lua
claim and_is_no_longer statements other.lua 3

sed '/must_fail/d' "$canary" >early.lua
claim a_suite_leaves_a_bundle says 1 'durability' "$syncsim" run early.lua --seed 3
claim a_bundle_is_made_small says 0 'wrote bundle.lua' "$syncsim" shrink build/failures/early-3 --out bundle.lua
claim which_fails_under_every_seed_too fails_under_every_seed bundle.lua 10 durability
claim a_bundle_has_its_seed says 2 'ask for another run' "$syncsim" shrink build/failures/early-3 --seed 4

claim a_suite_makes_its_failures_small says 1 'shrunk     build/failures/early-1/shrunk.lua, with ' "$syncsim" run early.lua --seeds 3 --shrink 20s \
  --json suite.json
claim the_report_names_the_file jq -e '.failures[0].shrunk == "build/failures/early-1/shrunk.lua" and .failures[1].shrunk == null' suite.json
claim the_file_fails_under_every_seed fails_under_every_seed build/failures/early-1/shrunk.lua 10 durability

# Long enough that there is something left to do when it is stopped.
sed '/must_fail/d; s/duration  = "5s"/duration  = "60s"/; s/1, 10 do/1, 150 do/; s#"100/s"#"800/s"#' "$canary" >long.lua
# What each pass left, and the scenario, for a run in which there is much to choose from.
way() { # JOBS SEED
  "$syncsim" shrink long.lua --seed "$2" --jobs "$1" --time 10min --out way.lua | awk '/^what was taken/ { on = 1 } on && NF == 3 { print $1, $2 } on && NF > 3 { $NF = ""; print }'
  grep -v '^--' way.lua
}
same_way() { # JOBS...: as one job
  local jobs seed
  for seed in 2 3; do
    way 1 "$seed" >one.way
    for jobs in "$@"; do diff one.way <(way "$jobs" "$seed") || return 1; done
  done
  [ "$(grep -c left one.way)" -ge 1 ] && cat one.way
}
claim each_pass_leaves_the_same_for_any_number_of_jobs same_way 2 5

# How fast the machine is nobody knows: stopped after ever longer, until there is something to write and something left.
interrupted() {
  local after status
  for after in 0.05 0.1 0.2 0.4 0.8 1.6 3.2 6.4; do
    status=0
    rm -f best.lua
    "$syncsim" shrink long.lua --seed 1 --jobs 2 --out best.lua >stopped.out 2>&1 &
    sleep "$after"
    kill -INT $! 2>/dev/null
    wait $! || status=$?
    if grep -q 'interrupted: this is the best so far' stopped.out; then break; fi
  done
  cat stopped.out
  grep -q 'interrupted: this is the best so far' stopped.out && [ "$status" -eq 0 ] && [ -s best.lua ]
}
out_of_time() {
  local time status
  for time in 50ms 100ms 200ms 400ms 800ms 1600ms 3200ms 6400ms; do
    status=0
    rm -f timed.lua
    "$syncsim" shrink long.lua --seed 1 --jobs 1 --time "$time" --out timed.lua >stopped.out 2>&1 || status=$?
    if grep -q 'out of time' stopped.out && [ "$status" -eq 0 ]; then break; fi
  done
  cat stopped.out
  grep -q 'out of time' stopped.out && [ "$status" -eq 0 ] && [ -s timed.lua ]
}
claim an_interruption_writes_the_best_so_far interrupted
claim which_fails_under_every_seed fails_under_every_seed best.lua 5 durability
claim so_does_the_end_of_the_time out_of_time

printf 'local sim = require "sim"\nreturn sim.scenario { name = "good", duration = "1s", workload = sim.kv {} }\n' >good.lua
claim a_run_that_holds_is_not_made_small says 1 'this run holds' "$syncsim" shrink good.lua --seed 1
claim which_seed_must_be_said says 2 'which seed' "$syncsim" shrink early.lua
claim a_scenario_must_be_right says 3 'did you mean "nodes"' "$syncsim" shrink \
  <(printf 'local sim = require "sim"\nreturn sim.scenario { name = "x", nods = 3 }\n') --seed 1
claim a_file_that_is_not_there_is_named says 2 "cannot read 'none.lua'" "$syncsim" shrink none.lua --seed 1
claim a_place_that_cannot_be_written_is_named says 5 'no/such/folder' "$syncsim" shrink "$canary" --seed 1 --out no/such/folder/x.lua
claim no_folder_for_scratch_is_named says 5 'no/such/place' env TMPDIR=no/such/place "$syncsim" shrink "$canary" --seed 1

own() { # FILE PROPERTY: writes, and watches what is written
  printf 'local sim = require "sim"\nlocal most = 0\nreturn sim.scenario { name = "own", duration = "1s", workload = sim.kv { rate = "20/s" },
  run = function(world) world:sleep "500ms" world:node(1):put(3, "32B") end,
  properties = { %s } }\n' "$2" >"$1"
}
own own.lua 'sim.always("little (at most 3) is written", function(world) -- a bracket: )
    return world:stats().submits < 4 end)'
claim a_property_of_the_script_is_carried_over says 0 'wrote own_small.lua' "$syncsim" shrink own.lua --seed 1 --out own_small.lua
claim and_fails_under_every_seed fails_under_every_seed own_small.lua 10 'little (at most 3) is written'
claim by_four_puts statements own_small.lua 4
own outer.lua 'sim.always("nothing is written", function(world) return world:stats().submits <= most end)'
claim what_cannot_stand_alone_is_shown says 5 'world:node(' "$syncsim" shrink outer.lua --seed 1

scenario() { # FILE CHOICES
  printf 'local sim = require "sim"\nreturn sim.scenario { name = "c", duration = "1s", workload = sim.kv {}, choices = %s }\n' "$2" >"$1"
}
scenario calm.lua '{}'
same_hash() { # FILE: the same trace hash under the seeds 1 to 3, but for identities: so many events
  "$syncsim" run "$1" --seeds 3 --json calm.json >/dev/null && jq -e '[.runs[].events] | unique | length == 1' calm.json
}
claim without_chance_every_seed_does_as_much same_hash calm.lua
scenario kind.lua '{ ["net_los n1>n2 9c"] = 1 }'
claim a_kind_that_is_not_there says 3 'did you mean "net_loss"' "$syncsim" check kind.lua
scenario where.lua '{ ["net_loss here 9c"] = 1 }'
claim a_place_that_is_none says 3 'world, n2, or n2>n3' "$syncsim" check where.lua
scenario which.lua '{ ["net_loss n1>n2 xyz"] = 1 }'
claim a_name_that_is_none says 3 'hexadecimal digits' "$syncsim" check which.lua
scenario outcome.lua '{ ["net_loss n1>n2 9c"] = "lost" }'
claim an_outcome_that_is_none says 3 'whole numbers' "$syncsim" check outcome.lua
exit $failed
