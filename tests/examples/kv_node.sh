#!/bin/bash
# The example of docs/your-own-code.md keeps its word: its bug is found, its
# fix holds, its failure comes again. usage: kv_node.sh BUILD_FOLDER
if [ $# -ne 1 ]; then
  echo "usage: $0 BUILD_FOLDER" >&2
  exit 2
fi
. "$(dirname "$0")/../support/shell.sh"
program=$1/examples/kv_node
if [ ! -x "$program" ]; then
  echo "not ok kv_node: $program is not built"
  exit 1
fi

says() { # TEXT FILE
  grep -qF -- "$1" "$2" || { echo "not there: $1"; cat "$2"; return 1; }
}
hash_of() { # FILE
  sed -n 's/^seed [0-9]*: trace hash \([0-9a-f]\{16\}\), .*/\1/p' "$1"
}

claim the_bug_is_found_within_100_seeds status_is 1 "$program" --seeds 100
"$program" --seeds 100 >"$scratch/found"
seed=$(sed -n 's/^seed \([0-9]*\): .*FAILED$/\1/p' "$scratch/found")
claim the_failing_seed_is_named [ -n "$seed" ]
claim the_property_is_named says "property acknowledged_puts_survive" "$scratch/found"
claim the_line_to_paste_is_printed says "again: kv_node --seed $seed" "$scratch/found"
claim the_store_before_the_loss_is_shown says " report 1000 " "$scratch/found"
claim the_power_loss_is_shown says "goes down: power is lost" "$scratch/found"
claim what_matters_is_a_page_at_most [ "$(grep -c '^  ' "$scratch/found")" -le 20 ]

"$program" --seed "$seed" --trace "$scratch/first.trace" >"$scratch/first"
"$program" --seed "$seed" --trace "$scratch/second.trace" >"$scratch/second"
claim the_failing_seed_has_a_trace_hash [ -n "$(hash_of "$scratch/first")" ]
claim one_seed_gives_one_trace_hash [ "$(hash_of "$scratch/first")" = "$(hash_of "$scratch/second")" ]
claim the_search_and_the_replay_agree [ "$(hash_of "$scratch/first")" = "$(hash_of "$scratch/found")" ]
claim the_whole_trace_is_equal cmp "$scratch/first.trace" "$scratch/second.trace"
claim the_trace_has_steps says " starts (life 1)" "$scratch/first.trace"
"$program" --seed $((seed + 1)) >"$scratch/other"
claim another_seed_gives_another_trace_hash [ "$(hash_of "$scratch/first")" != "$(hash_of "$scratch/other")" ]

claim the_fixed_node_holds_over_500_seeds "$program" --fixed --seeds 500
"$program" --fixed --seeds 500 >"$scratch/fixed"
claim all_500_were_run says "500 seeds hold" "$scratch/fixed"
claim the_fixed_node_met_the_faults grep -qE '[1-9][0-9]+ puts acknowledged, [1-9][0-9]+ power losses, [1-9][0-9]+ messages lost' "$scratch/fixed"
claim the_failing_seed_holds_when_fixed "$program" --fixed --seed "$seed"
claim nonsense_is_refused status_is 2 "$program" --seeds many
claim a_trace_that_cannot_be_written_is_told status_is 2 "$program" --fixed --seed 1 --trace "$scratch/none/trace"
exit "$failed"
