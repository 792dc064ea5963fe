#!/bin/bash
# The loop in libuv's words works. Built without libuv (packages.txt has it) the program ends with 77, and this fails. usage: uv_loop.sh BUILD_FOLDER
# shellcheck disable=SC1091,SC2154,SC2317 # tests/support/shell.sh is found there, sets scratch, and calls what claims name
if [ $# -ne 1 ]; then
  echo "usage: $0 BUILD_FOLDER" >&2
  exit 2
fi
. "$(dirname "$0")/../support/shell.sh"
program=$1/examples/uv_loop
status=0
timeout 60 "$program" "$scratch" >"$scratch/said" 2>&1 || status=$?
equal() {
  cat "$scratch/said"
  [ "$status" -eq 0 ] && [ "$(grep -c 'holds 40 keys' "$scratch/said")" -eq 2 ] &&
    [ "$(sed 's/.*, state //' "$scratch/said" | sort -u | wc -l)" -eq 1 ]
}
claim two_nodes_in_one_loop_of_libuv_end_equal equal
exit "$failed"
