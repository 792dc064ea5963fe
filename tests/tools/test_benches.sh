#!/bin/bash
# Benches build (tools/run-tests builds them), the echo world has beside it what a bare heap
# does on the same machine, those of economy and of receiving measure a little, and the bench of
# other stores, where they are installed, leaves nothing behind. usage: test_benches.sh BUILD_FOLDER
. "$(dirname "$0")/../support/shell.sh"
echo_bench=${1:?usage: test_benches.sh BUILD_FOLDER}/bench/echo

measured() { "$echo_bench" 10 42000 >"$scratch/$1" && cat "$scratch/$1"; }
claim the_echo_bench_runs measured first
claim it_names_the_heap_of_as_many_entries grep -qE 'bare binary heap of 100: [0-9]+ thousand' "$scratch/first"
claim it_gives_the_ratio grep -qE 'the world takes [0-9]+\.[0-9]{2} times as long$' "$scratch/first"
claim it_runs_again measured second
claim world_and_heap_do_the_same_each_time diff <(grep -oE '\(?\b[0-9a-f]{16}\b' "$scratch/first") \
  <(grep -oE '\(?\b[0-9a-f]{16}\b' "$scratch/second")
claim no_nodes_are_refused status_is 2 "$echo_bench" 0
claim too_many_nodes_are_refused status_is 2 "$echo_bench" 1001

economy_bench=$1/bench/economy
economy_run() { "$economy_bench" --nodes 4 --topology line >"$scratch/economy"; }
claim the_economy_bench_runs economy_run
claim it_has_a_cell_of_each_mode [ "$(grep -cE '^ +4 line .* a link$' "$scratch/economy")" = 2 ]
claim one_node_has_no_economy status_is 2 "$economy_bench" --nodes 1
claim an_unknown_topology_is_refused status_is 2 "$economy_bench" --topology cube

receive_bench=$1/bench/receive
receive_run() { mkdir "$scratch/frames" && "$receive_bench" "$scratch/frames" 8000 0 >"$scratch/receive"; }
claim the_receive_bench_runs receive_run
claim it_has_three_kinds_of_frames [ "$(grep -cE '^  many keys cost ' "$scratch/receive")" = 3 ]
claim it_has_a_word_for_each_goal [ "$(grep -cE '^  (met|NOT met) ' "$scratch/receive")" = 4 ]
claim its_folder_is_empty_again rmdir "$scratch/frames"
claim operations_that_fill_no_slice_are_refused status_is 2 "$receive_bench" "$scratch" 8001

stores_bench=$1/bench/stores
stores_run() { mkdir "$scratch/disk" && "$stores_bench" "$scratch/disk" 20000 1 >"$scratch/stores"; }
if [ -x "$stores_bench" ]; then # packages-bench.txt
  claim the_stores_bench_runs stores_run
  claim it_judges_each_goal [ "$(grep -cE '^  (met|NOT met) ' "$scratch/stores")" = 7 ]
  claim it_leaves_nothing_behind rmdir "$scratch/disk"
  claim odd_operations_are_refused status_is 2 "$stores_bench" "$scratch" 19
fi
exit $failed
