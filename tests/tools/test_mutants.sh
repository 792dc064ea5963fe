#!/bin/bash
# tools/mutants over a small tree, whose "simulator" is a program that looks at
# what core/small.c does, and whose tests look at something else.
. "$(dirname "$0")/../support/shell.sh"

tree="$scratch/tree"
mkdir -p "$tree"/{core/base,tests/core,tests/mutants,scenarios}
touch "$tree/core/base/banned.h"
cat >"$tree/core/small.h" <<'END'
int least(int a, int b);
int most(int a, int b);
int steps(int n);
int unseen(int n);
END
cat >"$tree/core/small.c" <<'END'
#include "core/small.h"
int least(int a, int b) {
  return a < b ? a : b;
}
int most(int a, int b) {
  return a > b ? a : b;
}
int steps(int n) {
  int done = 0;
  while (done != n)
    done++;
  return done;
}
int unseen(int n) {
  int twice = n;
  twice *= 2;
  return twice;
}
END
cat >"$tree/sim.c" <<'END'
#include "core/small.h"
int main(void) {
  return least(2, 3) == 2 && least(3, 2) == 2 && steps(3) == 3 ? 0 : 1;
}
END
cat >"$tree/tests/core/test_small.c" <<'END'
#include "core/small.h"
int main(void) {
  return most(2, 3) == 3 && most(3, 2) == 3 ? 0 : 1;
}
END
cat >"$tree/Makefile" <<'END'
OUT := build/$(VARIANT)
$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) -I. $(OPT) $(CFLAGS) -c $< -o $@
$(OUT)/syncsim: $(OUT)/sim.o $(OUT)/core/small.o
	$(CC) -o $@ $^
$(OUT)/tests/core/test_small: $(OUT)/tests/core/test_small.o $(OUT)/core/small.o
	$(CC) -o $@ $^
print-tests:
	@echo $(OUT)/tests/core/test_small
END
known() { printf '%s\n' "$@" >"$tree/tests/mutants/known.txt"; }
known 'suite | core/small.c | a < b | a > b | the suite looks at it'
mutants() { tools/mutants --tree "$tree" --jobs 1 --seeds 2 --patience 2 "$@"; }
says() { # TEXT COMMAND...: it succeeds, and a line is TEXT, a pattern
  local text=$1
  shift
  "$@" >"$scratch/says" 2>&1 || { cat "$scratch/says" && return 1; }
  grep -qE -- "$text" "$scratch/says" || { cat "$scratch/says" && return 1; }
}
sum() { cat "$tree"/core/*.[ch] | cksum; }
before=$(sum)

claim what_the_suite_finds_is_said says 'small.c:3 negate: suite \(' mutants --count 99
cp "$scratch/says" "$scratch/whole"
in_whole() { grep -qE -- "$1" "$scratch/whole" || { cat "$scratch/whole" && return 1; }; }
claim known_mutants_come_first in_whole '^ok known 1: suite'
claim what_only_a_test_finds_is_said in_whole 'small.c:6 negate: tests \(core/test_small fails'
claim what_hangs_is_found in_whole 'small.c:11 assign: suite \(it hangs'
claim what_nothing_finds_is_said in_whole 'small.c:16 constant: nothing'
claim a_survivor_has_its_lines in_whole '^\+ twice \*= [13];'
claim the_same_object_code_does_not_count in_whole ' equal$'
claim there_is_a_table_by_operator in_whole '^\| negate \| [0-9]+ \|'
claim there_is_a_table_by_file in_whole '^\| core/small.c \| [0-9]+ \|'
claim the_tree_is_untouched [ "$before" = "$(sum)" ]
goes_on() {
  mutants --count 99 >"$scratch/again" 2>&1 && ! grep -q '^\[' "$scratch/again" &&
    diff <(grep '^|' "$scratch/whole") <(grep '^|' "$scratch/again")
}
claim a_second_call_knows_what_the_first_found goes_on
claim what_too_few_are_found_of_fails refuses 'expected 100 and 100' mutants --count 99 --least 100,100
claim what_enough_are_found_of_does_not mutants --count 99 --least 20,40
survivor=$(sed -nE 's/^\[.*\] (\w+) .*:16 constant: nothing.*/\1/p' "$scratch/whole")
claim one_is_found_by_its_id says "^$survivor core/small.c:16" mutants --list "$survivor"
echo "$survivor | nobody calls it" >"$tree/tests/mutants/equivalent.txt"
claim what_is_called_equivalent_is_said says 'equivalent: nobody calls it' mutants --count 99
claim an_id_of_another_tree_is_refused refuses 'no such mutant in this tree: 0123456789' mutants --list 0123456789
same_sample() { [ "$(mutants --list --count 5)" = "$(mutants --list --count 5)" ] && [ "$(mutants --list --count 5)" != "$(mutants --list --count 5 --seed 2)" ]; }
claim the_seed_chooses same_sample

sed -i 's/twice \*= 2/twice *= 3/' "$tree/core/small.c"
claim another_tree_is_looked_at_anew says '^\[' mutants --count 3
known 'suite | core/small.c | twice *= 3 | twice *= 4 | nobody looks at it'
claim a_known_mutant_that_is_missed_fails refuses 'expected suite, found by nothing' mutants --count 1
known 'suite | core/small.c | four | five | it is not there'
claim a_known_mutant_that_moved_fails refuses "has 'four' 0 times" mutants --count 1
known
sed -i 's/a < b/a > b/' "$tree/core/small.c"
claim a_tree_that_is_not_clean_fails refuses 'finds something in the tree itself' mutants --count 1
sed -i 's/a > b ? a : b/a + b/' "$tree/core/small.c"

cat >"$tree/core/small.c" <<'END'
#include "core/small.h"
#define ROOM 64u /* a size */
struct pair {
  int a, b;
};
int least(int a, int b) {
  struct pair pair = {.a = a, .b = b};
  if (pair.a <= pair.b && a != 0) a = most(a, b);
  most(a, ROOM);
  a += 1;
  return a;
}
END
kinds() { mutants --list --count 99 | grep -qxF -- "$1" || { mutants --list --count 99 && return 1; }; }
claim a_condition_is_negated kinds '+ if (!(pair.a <= pair.b && a != 0)) a = most(a, b);'
claim an_operator_is_swapped kinds '+ if (((pair.a <= pair.b) || (a != 0))) a = most(a, b);'
claim arguments_are_swapped kinds '+ if (pair.a <= pair.b && a != 0) a = most(b, a);'
claim an_error_is_ignored kinds '+ if (pair.a <= pair.b && a != 0) a = ((void)most(a, b), 0);'
claim a_call_is_removed kinds '+ (void)0;'
claim an_initializer_is_removed kinds '+ struct pair pair = { .b = b};'
claim success_is_returned kinds '+ return 0;'
claim a_bound_is_off_by_one eval "mutants --list --count 99 --operator bound | grep -qE 'pair.a <(= \(pair.b\) \+ 1| pair.b)'"
claim a_named_number_is_another eval "mutants --list --count 99 --operator constant | grep -qE '^. #define ROOM (128|32)u'"
echo 'int nothing;' >"$tree/core/empty.c"
claim a_file_without_places_was_overlooked refuses 'no place is found in core/empty.c' mutants --list
exit $failed
