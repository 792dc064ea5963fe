#!/bin/bash
# tools/check-coverage over a small tree, whose "simulator" calls what the name of its scenario says.
. "$(dirname "$0")/../support/shell.sh"

tree="$scratch/tree"
list="$tree/tests/coverage/unreached.txt"
mkdir -p "$tree"/{core,tools,tests/coverage,scenarios}
cp tools/check-coverage "$tree/tools/"
cat >"$tree/core/small.c" <<'END'
int least(int a, int b);
int least(int a, int b) {
  if (a < b) return a;
  return b;
}
END
cat >"$tree/sim.c" <<'END'
#include <stdio.h>
#include <string.h>
int least(int a, int b);
int main(int argc, char **argv) {
  if (argc > 2 && strcmp(argv[1], "list") == 0) {
    FILE *names = fopen("scenarios/names", "r");
    char line[100];
    while (names != NULL && fgets(line, sizeof line, names) != NULL) fputs(line, stdout);
    return 0;
  }
  if (strstr(argv[2], "broken") != NULL) return 3;
  return strstr(argv[2], "both") != NULL ? least(2, 3) + least(3, 2) - 4 : least(2, 3) - 2;
}
END
cat >"$tree/Makefile" <<'END'
OUT := build/$(VARIANT)
$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(OPT) $(CFLAGS) -c $< -o $@
$(OUT)/syncsim: $(OUT)/sim.o $(OUT)/core/small.o
	$(CC) $(CFLAGS) -o $@ $^
END
scenario() { echo "scenarios/$1.lua a story" >"$tree/scenarios/names"; }
check() { "$tree/tools/check-coverage" --seeds 2 "$@"; }
says() { # TEXT COMMAND...
  local text=$1
  shift
  "$@" >"$scratch/says" 2>&1 || { cat "$scratch/says" && return 1; }
  grep -qF -- "$text" "$scratch/says" || { cat "$scratch/says" && return 1; }
}

scenario one
claim too_few_are_reached refuses '1 of 2 are not reached, more than 3 in a hundred' check
claim without_a_list_they_are_counted says '| all | 3 | 2 (66.7 %) | 2 | 1 | 50.0 % |' check --most 50
echo '# Branches.' >"$list"
claim what_is_not_listed_is_told refuses 'not in tests/coverage/unreached.txt: core/small.c | least | 1 of 2 | if (a < b) return a;' check --most 50
claim a_line_without_a_reason_fails refuses 'no reason: core/small.c | least' check --most 50 --write
sed -i 's/return a; | $/return a; | nobody has a greater one | or so/' "$list"
claim with_a_reason_it_is_well says 'ok unreached: each has a reason' check --most 50
claim reasons_stay_when_it_is_written_anew says 'ok unreached' check --most 50 --write
claim comments_stay_too grep -qx '# Branches.' "$list"
claim the_whole_reason_stays grep -q 'nobody has a greater one | or so$' "$list"
sed -i '1i /* a line more */' "$tree/core/small.c"
claim an_edit_above_moves_nothing says 'ok unreached: each has a reason' check --most 50
scenario both
claim what_is_reached_now_is_told refuses 'it is not so any more: core/small.c | least | 1 of 2' check --most 50
rm "$list"
claim all_reached_is_well says 'ok branches: 0 of 2' check
scenario broken
claim a_scenario_that_cannot_run_fails refuses 'not ok broken: it could not be run' check
: >"$tree/scenarios/names"
claim no_scenario_is_no_success refuses 'there is no scenario' check
claim other_words_are_refused status_is 2 check --nonsense
exit $failed
