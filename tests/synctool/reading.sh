#!/bin/bash
# What synctool reads: right, safe for a terminal, and without a trace in the
# directory. usage: reading.sh BUILD_FOLDER
. "$(dirname "$0")/../support/synctool.sh"
"$make_store" fill alice 200 && "$make_store" conflict one two || exit 1
esc=$'\x1b'

# --- Not a byte is written -----------------------------------------------------
for command in info log verify snapshot outbox keys export repair; do
  claim "${command}_leaves_the_directory_as_it_is" leaves_alone alice "$synctool" "$command" alice
done
claim get_leaves_the_directory_as_it_is leaves_alone alice "$synctool" get alice key-0001
claim siblings_leaves_the_directory_as_it_is leaves_alone alice "$synctool" siblings alice key-0001
claim backup_leaves_the_directory_as_it_is leaves_alone alice "$synctool" backup alice copy
cp -r alice unlocked && rm unlocked/lock
claim no_lock_file_is_made leaves_alone unlocked "$synctool" info unlocked
if [ "$(id -u)" -ne 0 ]; then
  cp -r alice readonly && chmod 500 readonly && chmod 400 readonly/*
  claim a_directory_that_may_only_be_read_is_read says 0 'whole' verify readonly
  chmod 700 readonly
fi

# --- What it says -----------------------------------------------------------------
claim info_names_the_node says 0 'node              alice' info alice
claim info_counts_keys says 0 'keys              201' info alice
info_json() { "$synctool" info alice --json | jq -e '.node == "alice" and .keys == 201 and .peers == ["bob"]
  and .value_limit == 65536 and .outbox == 201 and .epoch == 1'; }
claim info_is_json_for_scripts info_json
log_json() { "$synctool" log alice --json | jq -se '[.[] | select(.type == "operation")] | length == 201
  and .[0].changes[0].key == "key-0001" and .[0].seq == 1 and .[199].changes[0].value == "value of key 200"
  and all(.[]; .node == "alice" and .hlc > 1600000000000000000)'; }
claim log_tells_every_operation log_json
log_from() {
  local at
  at=$("$synctool" log alice --json | jq -s '.[100].position') &&
    [ "$("$synctool" log alice --json --from "$at" | jq -s '.[0].position')" -eq "$at" ]
}
claim log_begins_where_it_is_told log_from
outbox() { [ "$("$synctool" outbox alice --json | jq -s 'length')" -eq 201 ] &&
  "$synctool" outbox alice --peer bob | grep -q '/201  to bob  queued'; }
claim outbox_tells_what_is_owed outbox
claim an_unknown_peer_is_named says 1 "no peer 'carol'" outbox alice --peer carol
claim get_gives_a_value says 0 'value of key 7' get alice key-0007
claim a_key_that_is_not_there_is_status_1 says 1 'no key here' get alice nothing
raw() { "$synctool" get alice '\x00\x1b[2J\xff\\' --raw | cmp - <(printf '\x1b]0;title\a\xc2\x9b\0\xe2\x82\xac'); }
claim raw_gives_the_bytes raw
siblings() {
  "$synctool" siblings one both >told && [ "$(wc -l <told)" -eq 2 ] && [ "$(grep -c '^\* ' told)" -eq 1 ] &&
    grep '^\* ' told | grep -qF -- "$("$synctool" get one both)" && grep -q 'alice/.*of alice' told && grep -q 'bob/.*of bob' told
}
claim siblings_tell_who_wrote_and_who_wins siblings
same_siblings() { [ "$("$synctool" siblings one both | wc -l)" -eq 2 ] && diff <("$synctool" siblings one both) <("$synctool" siblings two both); }
claim both_nodes_tell_the_same_siblings same_siblings
siblings_json() { "$synctool" siblings one both --json | jq -se 'length == 2 and ([.[] | select(.wins)] | length == 1)
  and (map(.value) | sort == ["of alice", "of bob"])'; }
claim siblings_are_json_for_scripts siblings_json
prefix() { [ "$("$synctool" keys alice --prefix key-001 | wc -l)" -eq 10 ]; }
claim keys_are_chosen_by_their_prefix prefix
every_key() { # what `keys` prints is taken as a key again
  local key count=0
  while IFS= read -r key; do
    "$synctool" get alice "$key" >got || return 1
    count=$((count + 1))
  done < <("$synctool" keys alice --prefix '\x00'; "$synctool" keys alice --prefix key-019)
  [ "$count" -eq 11 ]
}
claim a_printed_key_can_be_given_back every_key
claim no_snapshot_is_told says 0 'no snapshot' snapshot alice

# What came by a snapshot of a peer has indexes in the log of which no operation tells.
"$synctool" backup alice sender >/dev/null && timeout 10 "$make_store" meet sender receiver
merged() { "$synctool" log receiver | grep -q 'snapshot merged' && "$synctool" verify receiver &&
  [ "$("$synctool" log receiver --json | jq -s '[.[] | select(.changes != null and (.changes[0].key | startswith("after-"))) | .node + .incarnation] | length')" -eq 2 ] &&
  [ "$("$synctool" log receiver --json | jq -s '[.[] | select(.changes != null) | .node + .incarnation] | unique | length')" -eq 1 ] &&
  [ "$("$synctool" keys receiver | wc -l)" -eq 203 ]; }
claim operations_behind_a_merged_snapshot_have_names merged

# --- Nothing breaks a terminal ------------------------------------------------------
harmless() { # no byte but newline and what can be seen, and valid UTF-8 without C1
  "$synctool" "$@" >text 2>&1
  [ -s text ] && ! LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]' text && iconv -f UTF-8 -t UTF-8 text >text.again &&
    cmp text text.again && ! grep -qP '\xc2[\x80-\x9f]' text
}
key='\x00\x1b[2J\xff\\'
claim keys_are_harmless harmless keys alice
claim a_value_is_harmless harmless get alice "$key"
claim siblings_are_harmless harmless siblings alice "$key"
claim the_log_is_harmless harmless log alice
claim its_json_is_harmless harmless log alice --json
claim an_export_is_harmless harmless export alice
claim a_value_is_escaped says 0 '\x1b]0;title\x07\xc2\x9b\x00€' get alice "$key"
claim an_absent_key_in_a_message_is_harmless harmless get alice "x${esc}[2J"

# --- What people do wrong ---------------------------------------------------------------
claim an_unknown_command_is_named says 2 "unknown command 'lgo'" lgo alice
claim the_nearest_command_is_named says 2 "did you mean 'log'?" lgo alice
claim one_that_is_near_to_none_is_not_guessed eval '! "$synctool" frobnicate alice 2>&1 | grep -q mean'
claim an_unknown_option_is_named says 2 "unknown option '--jsno'" info alice --jsno
claim the_nearest_option_is_named says 2 "did you mean '--json'?" info alice --jsno
version=$("$repository"/tools/version)
claim its_version_is_that_of_the_library says 0 "synctool $version" --version
claim a_missing_directory_is_asked_for says 2 'an argument is missing' info
claim one_too_many_is_named says 2 "too many: 'more'" info alice more
claim a_position_must_be_a_number says 2 "'12x' is not a number" log alice --from 12x
claim a_wrong_escape_is_told says 2 'backslash' get alice '\q'
claim an_absent_directory_is_named says 3 "'nowhere': there is no such directory" info nowhere
mkdir hollow
claim a_directory_of_nothing_is_told says 3 'no files of an engine' info hollow
claim a_file_is_no_directory says 3 'Not a directory' info says.out
claim nothing_is_made_in_a_hollow_directory leaves_alone hollow "$synctool" compact hollow
for command in info log verify snapshot outbox get siblings keys compact backup export import repair; do
  claim "${command}_has_help" says 0 "Usage: synctool $command DIR" "$command" --help
  claim "help_${command}_is_the_same" says 0 "Usage: synctool $command DIR" help "$command"
done

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
  chmod 755 "$scratch" && cp -r alice secret && chmod 600 secret/wal-* && chmod 755 secret
  as_nobody() {
    local status=0
    (cd / && setpriv --reuid=65534 --regid=65534 --clear-groups "$synctool" info "$scratch/secret") >nobody.out 2>&1 || status=$?
    cat nobody.out
    [ "$status" -eq 3 ] && grep -q 'Permission denied' nobody.out
  }
  claim files_that_may_not_be_read_are_no_damage as_nobody
fi

# --- A directory in use -------------------------------------------------------------------
cp -r alice held
coproc holder { exec "$make_store" hold held; }
read -r -u "${holder[0]}" _
# shellcheck disable=SC2154 # coproc sets it, and takes it away when the program ends
holder_pid=$holder_PID
for command in info log verify export repair compact import 'repair --yes'; do
  # shellcheck disable=SC2086
  claim "${command// /_}_says_that_an_engine_has_it_open" says 3 "an engine has it open" ${command%% *} held ${command#"${command%% *}"}
done
eval "exec ${holder[1]}>&-"
wait "$holder_pid" 2>/dev/null
claim and_reads_when_it_has_ended says 0 'whole' verify held

# --- Output that is cut ----------------------------------------------------------------------
full() { says 5 'No space left' "$@"; }
to_full() { # COMMAND...
  local status=0
  "$synctool" "$@" >/dev/full 2>err || status=$?
  cat err
  [ "$status" -eq 5 ] && grep -q 'standard output: No space left' err
}
for command in info log verify keys export; do
  claim "a_full_device_under_${command}_is_told" to_full "$command" alice
done
closed_pipe() {
  local status
  { env --default-signal=PIPE "$synctool" "$@" 2>err; echo $? >status; } | head -c 1 >/dev/null
  read -r status <status
  cat err
  [ "$status" -eq 5 ] && grep -q 'Broken pipe' err
}
"$make_store" fill large 3000
claim a_closed_pipe_is_told closed_pipe export large
claim a_closed_pipe_under_the_log_is_told closed_pipe log large --json
exit $failed
