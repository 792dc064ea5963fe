#!/bin/bash
# The table of guards is as its sources say, and each kind of gap is told.
. "$(dirname "$0")/../support/shell.sh"

tree() { # a fresh copy of what is read
  rm -rf "$scratch/tree"
  mkdir -p "$scratch/tree/"{docs,cluster}
  cp docs/promises.md "$scratch/tree/docs/"
  cp cluster/config.h "$scratch/tree/cluster/"
  cp -r tests scenarios "$scratch/tree/"
}
# change FILE SED: must change something, or the control is none.
change() {
  sed -i "$2" "$scratch/tree/$1"
  ! cmp -s "$1" "$scratch/tree/$1" || { echo "not ok the_change_of_$1_changes_something: $2"; failed=1; }
}
red() { # NAME SAYS: of the tree as it is now
  claim "$1" refuses "$2" tools/guards "$scratch/tree"
  tree
}
is_current() {
  tools/guards >"$scratch/guards.md" && diff -u docs/guards.md "$scratch/guards.md"
}

claim the_table_is_current is_current
tree
claim a_copy_gives_the_same_table cmp <(tools/guards "$scratch/tree") docs/guards.md
change tests/planted/themes '/^theme: the wall clock decides/d'
red a_promise_without_a_guard_is_told 'the promise "clocks that jump, drift, stand still..." has no guard'
change tests/planted/themes 's/^\(theme: numbers overflow.*| \)42 43$/\199/'
red a_theme_without_a_guard_is_told 'theme "numbers overflow, or are compared as text" has no guard'
change tests/planted/themes 's/ 290 / /'
red a_planted_bug_of_no_theme_is_told '290-no-jitter is of no theme'
change tests/planted/themes 's/| clocks that jump |/| clocks that sing |/'
red a_theme_of_no_promise_is_told '"clocks that sing" begins 0 promises'
change tests/planted/themes 's#test_backup.c#test_backup_gone.c#'
red a_test_that_is_not_there_is_told 'tests/core/test_backup_gone.c is named and does not exist'
change tests/planted/themes '1s/^# //'
red a_line_of_no_kind_is_told 'a line that is none of its kinds'
change docs/promises.md 's/, clock safety |/, clock safely |/'
red an_oracle_that_is_not_there_is_told 'names the oracle "clock safely", which does not exist'
change cluster/config.h 's/"clock safety"/"clock sanity"/'
red an_oracle_that_finds_nothing_is_told 'the oracle "clock sanity" finds no planted bug'
change tests/planted/290-no-jitter.patch 's/^# oracle: .*/# oracle: good manners/'
red a_finding_that_nothing_can_find_is_told '290-no-jitter is to be found by "good manners"'
change tests/planted/290-no-jitter.patch 's#^\# scenarios: .*#\# scenarios: scenarios/none.lua#'
red a_scenario_that_is_not_there_is_told 'scenarios/none.lua is named and does not exist'
exit "$failed"
