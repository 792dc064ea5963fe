#!/bin/bash
# Memory errors in the arena are reported: by address sanitizers, and reads of
# uninitialised memory by valgrind.
# timeout: 240
. "$(dirname "$0")/../support/shell.sh"
plain=$1/tests/canaries/arena
sanitized=build/clang-O1-san/tests/canaries/arena
unset MAKEFLAGS MFLAGS MAKELEVEL
claim the_canary_builds_with_sanitizers make --no-print-directory -s CC=clang OPT=-O1 SANITIZE=1 "$sanitized"
claim the_canary_builds_plain make --no-print-directory -s "$plain"

# reported TEXT COMMAND...: the command fails and says TEXT.
reported() {
  local text=$1
  shift
  if "$@" >"$scratch/report" 2>&1; then
    echo "nothing was reported"
    return 1
  fi
  grep -qF -- "$text" "$scratch/report" || { head -n 20 "$scratch/report" && return 1; }
}
memcheck() { valgrind -q --error-exitcode=99 "$@"; }

for moment in "" after_restore; do
  for bug in use_after_free overflow underflow use_after_drop use_after_reset; do
    claim "${bug}_is_reported${moment:+_$moment}" reported use-after-poison "$sanitized" $bug $moment
  done
  claim "an_uninitialised_read_is_reported${moment:+_$moment}" \
    reported 'depends on uninitialised value' memcheck "$plain" uninitialised $moment
  claim "a_clean_program_is_not_reported_by_sanitizers${moment:+_$moment}" "$sanitized" none $moment
  claim "a_clean_program_is_not_reported_by_valgrind${moment:+_$moment}" memcheck "$plain" none $moment
done
exit $failed
