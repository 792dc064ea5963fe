#!/bin/bash
# Three machines of syncnote over loopback TCP: they are killed at random moments and end equal, nothing that was said to be
# saved is lost, and whatever is wrong is said. usage: syncnote.sh BUILD_FOLDER; SEED=N repeats a run's choices.
# shellcheck disable=SC1091,SC2154,SC2317 # tests/support/shell.sh is found there, sets scratch, and calls what claims name
if [ $# -ne 1 ]; then
  echo "usage: $0 BUILD_FOLDER" >&2
  exit 2
fi
syncnote=$(realpath "$1/examples/syncnote/syncnote")
. "$(dirname "$0")/../support/shell.sh"
if [ ! -x "$syncnote" ]; then
  echo "not ok syncnote: it is not built"
  exit 1
fi
repository=$(realpath "$(dirname "$0")/../..")
cd "$scratch" || exit 1
exec 2>"$scratch/shell.err" # where bash tells of the processes that are killed
seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$((seed % 32768))
echo "# SEED=$seed"
declare -A pid fd port lives
limit=${LIMIT:-10} # seconds until a condition is taken for one that never comes
trap 'kill -KILL ${pid[@]} 2>/dev/null; rm -rf "$scratch"' EXIT

# The condition holds within the limit.
soon() { # COMMAND...
  local until=$((${EPOCHREALTIME/./} + limit * 1000000))
  until "$@" >soon.out 2>&1; do
    [ "${EPOCHREALTIME/./}" -lt "$until" ] || { echo "never: $*"; cat soon.out; return 1; }
    sleep 0.02
  done
}
says() { # TEXT FILE
  grep -qF -- "$1" "$2" || { echo "not there: $1"; cat "$2"; return 1; }
}
# A node begins; each life has files of its own: what one was told when it died is not told to the next.
begin() { # NAME OPTIONS...
  local name=$1 life=${lives[$1]:-0}
  shift
  lives[$name]=$((life + 1))
  local handle=${fd[$name]:-}
  [ -z "$handle" ] || exec {handle}>&-
  mkfifo "$name.in.$life"
  : >"$name.out.$life"
  ln -sfn "$name.out.$life" "$name.out"
  exec {handle}<>"$name.in.$life"
  fd[$name]=$handle
  "$syncnote" "$name" --name "$name" --cluster test "$@" serve <"$name.in.$life" >>"$name.out" 2>&1 &
  pid[$name]=$!
}
tell() { # NAME LINE...
  printf '%s\n' "${@:2}" >&"${fd[$1]}"
}
# What the node answers, up to a line that only this question can have.
asked=0
ask() { # NAME LINE...
  local name=$1 lines
  shift
  asked=$((asked + 1))
  lines=$(wc -l <"$name.out")
  tell "$name" "$@" "show end-$asked-$BASHPID"
  soon grep -q "end-$asked-$BASHPID' is no note" "$name.out" || return 1
  tail -n "+$((lines + 1))" "$name.out" | grep -v -e "end-$asked-" -e '^\* ' # what happens meanwhile is no answer
}
crash() { # NAME
  kill -KILL "${pid[$1]}" 2>/dev/null
  wait "${pid[$1]}" 2>/dev/null
}
end() { # NAME
  tell "$1" quit
  wait "${pid[$1]}"
}
once() { # NAME WORDS...
  timeout 20 "$syncnote" "$1" --name "$1" --cluster test "${@:2}"
}
listens() { # NAME: and where is known from now on
  soon says 'listening at ' "$1.out" || return 1
  port[$1]=$(sed -n 's/^listening at //p' "$1.out")
}
everything() { # NAME: of a node that does not run; its lines come from a file, and it ends with them
  {
    echo list
    once "$1" list | sed 's/^..\(.*\)$/show "\1"/'
    echo quit
  } >"$1.questions"
  once "$1" serve <"$1.questions"
}
# What each is owed is known later than it is there, so the states are compared.
all_equal() {
  local state
  state=$(ask a state) && [ -n "$state" ] && [ "$(ask b state)" = "$state" ] && [ "$(ask c state)" = "$state" ]
}
all_have() { # TITLE
  ask a list | grep -qF -- "$1" && ask b list | grep -qF -- "$1" && ask c list | grep -qF -- "$1"
}

# --- What the documents show -------------------------------------------------------
# A function as it stands in a source, and as the page has it.
is_shown() { # FUNCTION SOURCE
  sed -n "/^static void $1(/,/^}/p" "$repository/$2" >source.shown
  sed -n "/^static void $1(/,/^}/p" "$repository/docs/embedding.md" >page.shown
  [ -s source.shown ] && diff source.shown page.shown
}
claim the_loop_with_epoll_is_the_one_of_the_source is_shown turn examples/syncnote/serve.c
claim the_loop_with_libuv_is_the_one_of_the_source is_shown turn_ends examples/uv_loop.c
# shellcheck disable=SC2016 # those are no commands
claim help_names_every_command_of_the_readme diff <("$syncnote" --help | sed -n 's/^  \([a-z]* .*\)$/\1/p' | grep -v DIR) \
  <(sed -n '/^```commands/,/^```/p' "$repository/examples/syncnote/README.md" | grep -v '^```')

# --- Three nodes ------------------------------------------------------------------
begin a --listen 127.0.0.1:0 --peer b --peer c
claim a_free_port_is_chosen_and_printed listens a
begin_a() { begin a --listen "${port[a]}" --peer b --peer c; }
begin b --listen 127.0.0.1:0 --peer "a=${port[a]}" --peer c
claim another_port_is_chosen_and_printed listens b
begin_b() { begin b --listen "${port[b]}" --peer "a=${port[a]}" --peer c; }
begin_c() { begin c --peer "a=${port[a]}" --peer "b=${port[b]}"; }
begin_c
tell a 'add "to do" milk'
tell b 'add b-note' 'two' 'lines' '.'
tell c 'add c-note text'
claim a_note_is_said_to_be_saved soon says "saved 'to do'" a.out
claim a_note_that_arrives_is_told soon says "* 'to do' came from a" c.out
claim a_text_of_several_lines_arrives soon says "* 'b-note' came from b" a.out
claim all_have_the_third soon all_have c-note
claim all_hold_the_same soon all_equal
claim the_lines_are_those_that_were_typed [ "$(ask c 'show b-note')" = $'two\nlines' ]
tell c 'edit "to do" milk and bread'
claim an_edit_arrives soon says "* 'to do' was changed by c" b.out
tell b 'remove c-note'
claim a_removal_arrives soon says "* 'c-note' was removed by b" a.out
claim a_note_that_is_removed_is_not_listed [ "$(ask a list)" = $'  b-note\n  to do' ]

# --- What is wrong is said -----------------------------------------------------------
claim a_directory_in_use_is_refused refuses 'a is in use by another syncnote' once a list
claim a_port_in_use_is_refused refuses "cannot listen at ${port[a]}: Address already in use" \
  once d --listen "${port[a]}" serve
claim an_address_that_is_none_is_refused refuses 'it is ADDRESS:PORT' once d --listen nowhere serve
claim a_peer_that_is_none_is_refused refuses 'it is NAME=HOST:PORT' once d --peer 'a=127.0.0.1:99999' serve
claim our_own_name_is_no_peer refuses 'our own name' once d --peer d serve
claim a_name_is_asked_for status_is 2 "$syncnote" d list
claim no_command_is_usage status_is 2 "$syncnote" d
claim an_unknown_command_is_usage status_is 2 once d lisst
cp -r b b.copy
claim the_directory_of_another_node_is_refused refuses 'belongs to node b' \
  "$syncnote" b.copy --name z --cluster test list

"$syncnote" w --name w --cluster wrong --peer "a=${port[a]}" serve </dev/null >w.out 2>&1 &
pid[w]=$!
claim a_wrong_cluster_is_told_here soon says "a stranger at 127.0.0.1:" a.out
claim a_wrong_cluster_is_told_with_both_names soon says "w is of the cluster 'wrong', a of 'test'" a.out
claim a_wrong_cluster_is_told_there soon says "it refuses us: w is of the cluster 'wrong', a of 'test'" w.out
begin s --peer "a=${port[a]}" --peer "x=${port[b]}"
claim a_stranger_is_refused soon says "s is no peer of a: start that with --peer s" a.out
claim a_stranger_is_told soon says "it refuses us: s is no peer of a" s.out
crash w
crash s

# --- Garbage ---------------------------------------------------------------------------
# Sends bytes to a, which must close the connection.
garbage() { # BYTES AS OF printf
  local there
  exec {there}<>"/dev/tcp/${port[a]/://}" || return 1
  # shellcheck disable=SC2059 # it is a format
  printf "$1" >&"$there"
  timeout "$limit" cat <&"$there" >/dev/null || { echo "it was not closed"; return 1; }
  exec {there}>&-
}
claim bytes_that_are_no_frame_are_closed garbage 'GET / HTTP/1.1\r\n\r\n'
claim bytes_that_are_no_frame_are_told says 'what it sends are no frames of syncnote' a.out
claim a_frame_that_is_no_greeting_is_closed garbage '\0\0\0\5hello'
claim a_frame_that_is_no_greeting_is_told says 'what it sends is no greeting' a.out
crash c
# As c would: a greeting of 17 bytes, and then what no engine sends.
claim a_corrupt_frame_of_a_peer_is_closed garbage '\0\0\0\x11syncnote 1 test c\0\0\0\5hello'
claim who_sends_it_is_told says 'syncnote: c: the bytes are not a valid frame' a.out
claim a_frame_of_a_peer_that_is_too_long_is_closed garbage '\0\0\0\x11syncnote 1 test c\x7f\xff\xff\xff'
claim the_node_goes_on [ "$(ask a list)" = $'  b-note\n  to do' ]
begin_c

# --- Killed at any moment -----------------------------------------------------------------
nodes=(a b c)
for round in 1 2 3 4 5 6 7; do
  for name in a b c; do
    for i in 1 2 3 4; do tell "$name" "add $name-$round-$i text of $name, round $round" "edit $name-$round-1 round $round.$i"; done
  done
  victim=${nodes[RANDOM % 3]}
  [ "$round" -lt 7 ] || victim=a # the others must find it again
  sleep "0.$(printf '%03d' $((RANDOM % 90)))"
  crash "$victim"
  "begin_$victim"
done
restarted() { # the port may have been taken meanwhile by somebody's connection
  local name
  for name in a b c; do kill -0 "${pid[$name]}" 2>/dev/null || "begin_$name"; done
  all_equal
}
claim all_are_equal_after_the_kills soon restarted
for name in a b c; do claim "${name}_ends_well" end "$name"; done
for name in a b c; do everything "$name" >"$name.everything"; done
claim a_and_b_end_equal diff a.everything b.everything
claim a_and_c_end_equal diff a.everything c.everything
cat ./?.out.* | sed -n "s/^saved '\(.*\)'$/  \1/p" | grep -- '-[0-9]-' | sort -u >saved
claim much_was_said_to_be_saved [ "$(wc -l <saved)" -gt 20 ]
nothing_is_lost() {
  local lost
  lost=$(sort -u <(once a list) | comm -23 saved -)
  [ -z "$lost" ] || { echo "lost: $lost"; return 1; }
}
claim nothing_that_was_said_to_be_saved_is_lost nothing_is_lost

# --- Without a server, and conflicts --------------------------------------------------------
claim a_note_is_added_without_a_server once a add plan first
claim a_title_twice_is_refused refuses "'plan' is there already" once a add plan second
claim a_note_that_is_not_there_is_no_note refuses "'nothing' is no note" once a show nothing
once b add plan ours >/dev/null
printf 'theirs\n' | once c add plan >/dev/null
claim a_text_comes_from_standard_input [ "$(once c show plan)" = theirs ]
begin_a && begin_b && begin_c
claim all_meet_again soon all_equal
claim a_conflict_is_marked [ "$(ask b list | grep plan)" = '! plan' ]
claim a_conflict_is_listed [ "$(ask b conflicts)" = 'plan (3 versions)' ]
ask b 'show plan' >plan
token=$(sed -n "s/.*resolve 'plan' \([0-9a-f]*\)-N$/\1/p" plan)
printf "%s\n" "'plan' is in conflict. One of these stays with: resolve 'plan' $token-N" "--- $token-1, by a" first "--- $token-2, by b" \
  ours "--- $token-3, by c" theirs >plan.wanted
claim a_conflict_is_shown_with_all_versions_and_what_to_type diff plan plan.wanted
claim a_conflict_is_not_edited_unseen [ "$(ask b 'edit plan over')" = "syncnote: 'plan' is in conflict: \`show\` it, then \`resolve\` it" ]
claim a_token_of_something_else_is_refused [ "$(ask b 'resolve plan 0123abcd-1')" = "syncnote: 'plan' has changed since: \`show\` it again" ]
claim a_version_that_is_not_there_is_refused [ "$(ask b "resolve plan $token-4")" = "syncnote: 'plan' has no such version" ]
claim a_quote_without_an_end_is_told [ "$(ask b 'show "plan')" = 'syncnote: a quote has no end, and the line is not taken' ]
tell b "resolve plan $token-2"
claim a_resolution_is_said_to_be_saved soon says "resolved 'plan'" b.out
claim a_resolution_arrives soon says "* 'plan' was changed by b" c.out
claim all_agree_again soon all_equal
claim what_was_chosen_stays [ "$(ask a 'show plan')$(ask b 'show plan')$(ask c 'show plan')" = oursoursours ]
claim no_conflict_is_left [ -z "$(ask a conflicts)" ]

# --- A peer that reads nothing, and one that is forgotten -------------------------------------
kill -STOP "${pid[c]}"
printf -v long '%060000d' 0
goes_on() {
  local i # `tell` would wait for a node that stands still, too
  for i in {1..12}; do timeout "$limit" printf '%s\n' "add long-$i $long" >&"${fd[a]}" || return 1; done
  soon says "* 'long-12' came from a" b.out
}
claim a_peer_that_stands_still_holds_up_nobody goes_on
kill -CONT "${pid[c]}"
claim who_stood_still_gets_all soon says "* 'long-12' came from a" c.out
crash c
tell a 'forget c'
claim a_peer_is_forgotten soon says "forgotten 'c'" a.out
only_b() { [ "$(ask a peers)" = 'b is here, and is owed 0' ]; }
claim who_was_forgotten_is_owed_nothing soon only_b

# --- A disk that is full ------------------------------------------------------------------------
full() { (ulimit -f 32 && once f add long "$long"); }
once f add short text >/dev/null
claim what_finds_no_room_is_not_said_to_be_saved refuses "'long' is not saved" full
claim what_was_saved_before_is_there [ "$(once f show short)" = text ]
claim with_room_again_it_is_saved once f edit short "$long"
# While `serve` runs: it takes the note, but does not say that it is saved until it is.
mkfifo f.in
exec {handle}<>f.in
fd[f]=$handle
: >f.out
(ulimit -S -f 128 && exec "$syncnote" f --name f --cluster test serve <f.in >>f.out 2>&1) &
pid[f]=$!
tell f "add more-1 $long" "add more-2 $long" "add more-3 $long"
claim a_full_disk_is_told soon says 'syncnote: the disk refused pwrite' f.out
claim what_waits_for_room_is_not_said_to_be_saved [ "$(grep -c "^saved 'more-3'" f.out)" -eq 0 ]
prlimit --pid "${pid[f]}" --fsize=unlimited
claim what_waited_for_room_is_saved soon says "saved 'more-3'" f.out
exit "$failed"
