#!/bin/bash
# A writer is killed at random moments; whatever it had printed as durable must
# be there after every reopening. usage: killed_and_reopened.sh BUILD_FOLDER
#
# (A killed process loses nothing that reached the page cache; power loss is the
# simulator's subject. This shows that real files, the lock and recovery work.)
set -u
if [ $# -ne 1 ]; then
  echo "usage: $0 BUILD_FOLDER" >&2
  exit 2
fi
program=$1/examples/durable_kv
if [ ! -x "$program" ]; then
  echo "not ok killed_and_reopened: $program is not built"
  exit 1
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/sync-killed-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# check NAME CONDITION...: prints one line, remembers a failure.
check() {
  local name=$1
  shift
  if "$@"; then
    echo "ok $name"
  else
    echo "not ok $name"
    failed=1
  fi
}

# Everything that any round so far printed as durable is listed with its value.
holds_what_was_promised() {
  LC_ALL=C sort "$work/promised" > "$work/promised.sorted"
  "$program" "$work/node" list > "$work/listed" || return 1
  LC_ALL=C sort "$work/listed" > "$work/listed.sorted"
  local missing
  missing=$(LC_ALL=C comm -23 "$work/promised.sorted" "$work/listed.sorted" | head -3)
  [ -z "$missing" ] && return 0
  echo "# promised and not there: $missing"
  return 1
}

: > "$work/promised"
killed_while_writing=0
for round in $(seq 1 20); do
  "$program" "$work/node" fill 1000000 "r$round-" > "$work/output" 2> "$work/errors" &
  writer=$!
  sleep "0.$(printf '%03d' $((RANDOM % 80 + 5)))"
  kill -KILL "$writer" 2> /dev/null
  wait "$writer" 2> /dev/null
  [ $? -eq 137 ] && killed_while_writing=$((killed_while_writing + 1))
  if [ -s "$work/errors" ]; then sed 's/^/# /' "$work/errors"; fi
  # The last line may be cut short by the kill: only whole lines count.
  durable=$(awk '/^durable [0-9]+$/ { last = $2 } END { print last + 0 }' "$work/output")
  if [ "$(tail -c 1 "$work/output" | od -An -c | tr -d ' ')" != '\n' ]; then
    durable=$(sed '$d' "$work/output" | awk '/^durable [0-9]+$/ { last = $2 } END { print last + 0 }')
  fi
  awk -v count="$durable" -v prefix="r$round-" \
    'BEGIN { for (i = 1; i <= count; i++) print prefix i "=value of " prefix i }' >> "$work/promised"
  echo "# round $round: $durable entries were durable"
  check "round_${round}_keeps_its_durable_entries_and_all_before" holds_what_was_promised
done
check every_writer_was_killed_while_writing [ "$killed_while_writing" -eq 20 ]
check something_was_durable [ -s "$work/promised" ]

# The check itself must be able to fail.
echo "r1-0=never written" >> "$work/promised"
if holds_what_was_promised > /dev/null; then missed=1; else missed=0; fi
check a_missing_entry_is_noticed [ "$missed" -eq 0 ]

check a_finished_put_is_there_after_reopening \
  eval '"$program" "$work/node" put last "a value" && [ "$("$program" "$work/node" get last)" = "a value" ]'
exit $failed
