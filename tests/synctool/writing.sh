#!/bin/bash
# What synctool writes: copies, exports and imports that are equal to what was
# there, or nothing. usage: writing.sh BUILD_FOLDER
. "$(dirname "$0")/../support/synctool.sh"
"$make_store" fill alice 200 && "$make_store" conflict one two || exit 1

# --- compact --------------------------------------------------------------------
cp -r alice dense
"$synctool" export alice >alice.json
claim compact_takes_a_snapshot says 0 'snapshot at ' compact dense
claim it_is_whole says 0 '1 snapshot' verify dense
claim snapshot_tells_of_it says 0 'whole: 201 keys, 201 siblings' snapshot dense
same_content() { [ -s alice.json ] && diff alice.json <("$synctool" export "$1"); }
claim compact_changes_no_key same_content dense
opens_again() { "$make_store" hold dense </dev/null | grep -q open; }
claim the_engine_opens_it_as_before opens_again
claim the_log_has_names_behind_a_snapshot says 0 'alice/' log dense

# --- backup ---------------------------------------------------------------------
claim backup_makes_a_copy says 0 'all 201 keys' backup alice copy
claim the_copy_is_whole says 0 'whole' verify copy
claim the_copy_has_the_same_keys same_content copy
own_node() { "$make_store" hold copy </dev/null | grep -q open && echo '{"key":"new","value":"1"}' |
  "$synctool" import copy && [ "$("$synctool" log copy --json | jq -s '[.[].incarnation // empty] | unique | length')" -eq 1 ] &&
  ! "$synctool" log alice --json | grep -q "$("$synctool" log copy --json | jq -r 'select(.type == "operation").incarnation' | tail -n 1)"; }
claim the_copy_is_a_node_of_its_own own_node
claim a_target_in_use_is_refused says 3 'files of an engine already' backup alice one
claim a_target_without_a_parent_is_named says 3 "cannot open 'no/such'" backup alice no/such
mkdir killed && printf begun >killed/base-0000000000000070-00000000000000aa.new && printf log >killed/wal-0000000000000070-00000001
claim a_backup_goes_where_one_was_killed says 0 'all 201 keys' backup alice killed
claim nothing_of_the_killed_one_is_left [ -z "$(ls killed | grep 0000000000000070)" ]
siblings_kept() { "$synctool" backup one kept && diff <("$synctool" siblings one both) <("$synctool" siblings kept both); }
claim a_backup_has_all_siblings siblings_kept

# --- export and import -----------------------------------------------------------
"$make_store" conflict three four
claim import_writes_and_counts says 0 '201 lines: 201 written and durable, 0 were there already' import three alice.json
claim twice_writes_nothing says 0 '0 written and durable, 201 were there already' import three alice.json
roundtrip() { "$synctool" export three 2>/dev/null | grep -v -e '"both"' -e '"one"' | cmp - alice.json; }
claim what_was_exported_comes_back_equal roundtrip
own_writes() { [ "$("$synctool" log three --json | jq -s '[.[] | select(.node == "alice")] | length')" -eq 202 ]; }
claim imported_lines_are_operations_of_this_node own_writes
opens_three() { "$make_store" hold three </dev/null | grep -q open; }
claim the_engine_opens_what_was_imported opens_three
every_byte() { # each byte as a key and in a value, and the empty value
  local i
  for i in $(seq 0 255); do
    printf '{"key_base64":"%s","value_base64":"%s"}\n' "$(printf "\\x$(printf %02x "$i")k" | base64 -w0)" \
      "$(printf "v\\x$(printf %02x "$i")" | base64 -w0)"
  done >bytes.json
  echo '{"key":"empty","value":""}' >>bytes.json
  "$synctool" import four bytes.json && "$synctool" export four >again.json 2>/dev/null &&
    "$synctool" import four again.json | grep -q ' 0 written'
  diff <(jq -c '[.key_base64 // (.key | @base64), .value_base64 // (.value | @base64)]' bytes.json | sort) \
    <(grep -v -e '"both"' -e '"one"' again.json | jq -c '[.key_base64 // (.key | @base64), .value_base64 // (.value | @base64)]' | sort)
}
claim no_byte_is_lost every_byte
claim a_conflict_is_told says 0 '1 keys are in conflict' export two
export_file() { "$synctool" export alice -o out.json && cmp out.json alice.json && ! ls out.json.part* 2>/dev/null; }
claim an_export_to_a_file_is_the_same export_file
claim an_unwritable_file_is_named says 5 "cannot write 'no/such.json'" export alice -o no/such.json
claim a_full_device_is_named says 5 "cannot write '/dev/full': No space left" export alice -o /dev/full

cut_export() { # a file that may not grow: nothing of the new one is left, and the old one stays
  local status=0
  cp alice.json kept.json
  (ulimit -f 4 && exec env --default-signal=XFSZ "$synctool" export alice -o kept.json) 2>err || status=$?
  cat err
  [ "$status" -eq 5 ] && grep -q "cannot write 'kept.json': File too large" err && cmp kept.json alice.json && ! ls kept.json.*
}
claim an_export_that_is_cut_is_none cut_export

# A bad line is named by its number, and nothing is imported.
bad() { # NAME LINE TEXT
  { head -n 2 alice.json && printf '%s\n' "$2"; } >bad.json
  claim "$1" says 2 "line 3: $3" import two bad.json
}
state_of two >two.before
bad a_line_that_is_no_json_is_named '{"key":' 'it is no JSON'
bad a_line_that_is_no_object_is_named '[1]' 'it is no object'
bad a_line_without_a_key_is_named '{"value":"x"}' 'its key is missing'
bad a_line_without_a_value_is_named '{"key":"x"}' 'its value is missing'
bad a_key_twice_is_named '{"key":"x","key_base64":"eA==","value":""}' 'its key is there twice'
bad a_member_twice_is_named '{"key":"x","key":"y","value":""}' 'it is no JSON'
bad a_number_as_value_is_named '{"key":"x","value":1}' 'its value is no string'
bad an_empty_key_is_named '{"key":"","value":"x"}' 'its key has 0 bytes'
bad a_long_key_is_named "{\"key\":\"$(printf '%01025d' 0)\",\"value\":\"x\"}" 'its key has 1025 bytes'
bad a_long_value_is_named "{\"key\":\"x\",\"value\":\"$(printf '%065537d' 0)\"}" 'its value has 65537 bytes'
bad wrong_base64_is_named '{"key_base64":"eA=","value":"x"}' 'its key is not base64'
bad loose_base64_is_named '{"key_base64":"eB==","value":"x"}' 'its key is not base64'
bad an_unknown_member_is_named '{"key":"x","value":"x","ttl":"1"}' 'it has a member that is none of key'
bad an_empty_line_is_named '' 'it is no JSON'
untouched() { diff two.before <(state_of two); }
claim and_nothing_was_imported untouched
claim an_absent_file_is_named says 2 "cannot read 'nowhere.json'" import two nowhere.json

# --- A full disk: ends with 77 when there is no right to mount -----------------------
full_disk() { # COMMAND... within a file system of 256 KiB that has the store and no room
  unshare -m bash -c 'mkdir -p disk && mount -t tmpfs -o size=256k tmpfs disk || exit 77
    cp -r alice disk/alice && { dd if=/dev/zero of=disk/filler bs=1k status=none 2>/dev/null; :; }
    "$@"; status=$?; rm disk/filler; "$0" verify disk/alice || status=99; exit $status' "$synctool" "$@"
}
for i in $(seq 100); do printf '{"key":"big-%d","value":"%0900d"}\n' "$i" 0; done >big.json
status=0
full_disk "$synctool" import disk/alice big.json >full.out 2>&1 || status=$?
if [ "$status" -eq 77 ] || grep -q unshare full.out; then
  echo "# a full disk under an import is not shown: no right to mount here"
else
  told() { cat full.out; [ "$status" -eq 5 ] && grep -q 'No space left' full.out && grep -q 'whole:' full.out; }
  claim a_full_disk_under_an_import_is_told_and_harms_nothing told
  claim a_full_disk_under_a_backup_is_told bash -c "$(declare -f full_disk); synctool=$synctool
    full_disk $synctool backup alice disk/copy >full.out 2>&1; [ \$? -eq 5 ] && grep -q 'there is no backup' full.out"
fi
exit $failed
