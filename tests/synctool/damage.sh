#!/bin/bash
# Damage of every kind: verify finds it, no reading command gives what it cannot
# vouch for, and a repair does what its dry run said. usage: damage.sh BUILD_FOLDER
. "$(dirname "$0")/../support/synctool.sh"
"$make_store" fill good 300 || exit 1
cp -r good based && "$synctool" compact based >/dev/null || exit 1
first=wal-0000000000000000-00000001
second=$(cd good && printf '%s\n' wal-* | sed -n 2p)
last=$(cd good && printf '%s\n' wal-* | tail -n 1)
base=$(cd based && echo base-*)

# The words of a dry run and of the deed, but for the first and the last line.
deed() { sed '1d;$d' "$1"; }
dry_then_yes() { # DIR
  local status=0
  state_of "$1" >before.state
  "$synctool" repair "$1" >dry.out || status=$?
  [ "$status" -eq 1 ] || { cat dry.out; echo "dry run: status $status"; return 1; }
  diff before.state <(state_of "$1") || { echo "the dry run wrote"; return 1; }
  grep -q '^  kept: ' dry.out || { cat dry.out; echo "it does not say what is kept"; return 1; }
  "$synctool" repair "$1" --yes >yes.out || { cat yes.out; echo "--yes: status $?"; return 1; }
  diff <(deed dry.out) <(deed yes.out) || { echo "the deed is another"; return 1; }
  # What is there is what was said.
  diff <(sed -n 's/^  put aside: .*, as bad-\*-//p' yes.out | sort) \
    <(cd "$1" && find . -name 'bad-*' -printf '%f\n' | sed 's/^bad-[0-9a-f]*-//' | sort) || { echo "not as said"; return 1; }
}
kept_keys() { sed -n 's/^  kept: .*, \([0-9]*\) keys$/\1/p' yes.out; }
mended() { # DIR
  [ "$("$synctool" keys "$1" | wc -l)" -eq "$(kept_keys)" ] && "$synctool" verify "$1" | grep -q '^whole' &&
    "$synctool" repair "$1" | grep -q 'nothing to repair' && "$make_store" hold "$1" </dev/null | grep -q open
}
# kind NAME SOURCE COMMAND...: damages a copy, in it, by the command.
kind() {
  local name=$1 source=$2
  shift 2
  rm -rf broken && cp -r "$source" broken && (cd broken && "$@")
  claim "verify_finds_$name" says 1 'DAMAGED' verify broken
  claim "verify_only_reads_$name" leaves_alone broken "$synctool" verify broken
  claim "get_says_that_$name" says 1 "'synctool repair' what can be done" get broken key-0001
  claim "export_gives_nothing_of_$name" leaves_alone broken "$synctool" export broken -o broken.json
  claim "no_export_is_left_of_$name" test ! -e broken.json
  claim "repair_does_as_the_dry_run_says_of_$name" dry_then_yes broken
  claim "what_is_repaired_is_whole_after_$name" mended broken
}
kind a_flipped_byte good flip "$second" 1000
kind a_flipped_byte_of_the_header good flip "$second" 20
kind a_file_cut_short good truncate -s 2000 "$second"
kind a_missing_file good rm "$second"
kind a_missing_first_file good rm "$first"
kind an_emptied_file good truncate -s 0 "$second"
kind a_flipped_byte_of_the_snapshot based flip "$base" 500
kind a_flipped_head_of_the_snapshot based flip "$base" 20
kind a_snapshot_cut_short based truncate -s 600 "$base"
kind a_snapshot_without_its_log based bash -c 'rm wal-*'

# --- Where ----------------------------------------------------------------------
rm -rf broken && cp -r good broken && flip "broken/$second" 1000
where() {
  local at begins
  at=$("$synctool" verify broken --json | jq -s '.[0].at')
  begins=$((16#${second:4:16}))
  # The byte lies in the record that begins there.
  [ "$at" -le $((begins + 1000 - 144)) ] && [ "$at" -gt $((begins + 1000 - 144 - 64)) ] &&
    "$synctool" log good --json | jq -se --argjson at "$at" 'any(.[]; .position == $at)'
}
claim damage_is_told_with_its_position where
claim the_log_is_told_up_to_it says 1 'key-0100' log broken
lost() { # all that stood behind it, whole, is named
  local last_kept
  "$synctool" repair broken >dry.out
  last_kept=$(sed -n 's/^  kept: .*, \([0-9]*\) keys$/\1/p' dry.out)
  [ $((last_kept + 1 + $(grep -c '^  lost unless' dry.out))) -eq 301 ] # but the record that is damaged itself
}
claim every_operation_behind_it_is_named lost

# --- What is no damage ------------------------------------------------------------
rm -rf torn && cp -r good torn && printf 'half a record' >>"torn/$last"
claim a_torn_tail_is_no_damage says 0 'a torn tail of 13 bytes' verify torn
claim and_nothing_to_repair says 0 'nothing to repair' repair torn
claim yes_without_damage_writes_nothing leaves_alone torn "$synctool" repair torn --yes
claim a_whole_directory_needs_no_repair says 0 'nothing to repair' repair good

# --- Below the snapshot: no state is lost, and a new one replaces it ------------------
rm -rf below && cp -r based below && flip "below/$first" 300
claim damage_below_the_snapshot_is_told says 1 'below the snapshot' verify below
claim it_is_no_case_for_a_repair says 1 'the engine opens all the same' verify below
claim repair_says_so_too says 0 'nothing to repair' repair below
claim it_costs_no_key says 0 'value of key 1' get below key-0001

# --- No header at all -------------------------------------------------------------------
rm -rf nameless && cp -r good nameless && for file in nameless/wal-*; do flip "$file" 20; done
claim a_directory_without_a_name_is_told says 1 'no header says whose' verify nameless
claim and_info_says_what_to_give says 1 '--node and --cluster' info nameless
hex=$(printf 'synctool-tests--' | od -An -tx1 | tr -d ' \n')
claim its_name_can_be_given says 1 'put aside' repair nameless --node alice --cluster "$hex"
claim a_wrong_cluster_is_refused says 2 '32 hexadecimal digits' repair nameless --node alice --cluster 12
claim a_wrong_node_is_refused says 2 'no node id' repair nameless --node 'a b' --cluster "$hex"
claim yes_and_dry_run_are_two_things says 2 'say two things' repair good --yes --dry-run
exit $failed
