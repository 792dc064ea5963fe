/* Two outcomes of one seed: equal in all that the seed decides, or said in what not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "search/outcome.h"

static struct outcome sample(void) {
  struct outcome outcome = {.verdict = SUITE_VIOLATED,
                            .property = "durability",
                            .detail = "n1 promised it",
                            .time_ns = 5,
                            .event = 3,
                            .node = 1,
                            .subject = {1, 2, 3},
                            .trace_hash = 7,
                            .events = 9,
                            .simulated_ns = 11,
                            .peak_bytes = 4096,
                            .real_ns = 100,
                            .sometimes_count = 1};
  outcome.faults[SIM_FAULT_NET_LOSS].firings = 2;
  return outcome;
}

static void differ_in(const struct outcome *b, const char *part) {
  const struct outcome a = sample();
  char text[1024];
  assert_false(outcome_equal(&a, b));
  outcome_tell_difference(&a, b, text, sizeof text);
  if (strstr(text, part) == NULL) fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static void what_a_machine_decides_makes_no_difference(void **state) {
  (void)state;
  const struct outcome a = sample();
  struct outcome b = sample();
  b.real_ns++;
  b.peak_bytes++;
  assert_true(outcome_equal(&a, &b));
}

static void all_that_a_seed_decides_is_compared_and_named(void **state) {
  (void)state;
#define OTHER(change, part)                                                                                            \
  do {                                                                                                                 \
    struct outcome b = sample();                                                                                       \
    change;                                                                                                            \
    differ_in(&b, "differ in " part ": ");                                                                             \
  } while (0)
  OTHER(b.verdict = SUITE_HELD, "verdict");
  OTHER(b.property[0] = 'x', "property");
  OTHER(b.detail[0] = 'x', "words");
  OTHER(b.trace_hash++, "trace");
  OTHER(b.events++, "events");
  OTHER(b.event++, "events");
  OTHER(b.simulated_ns++, "time");
  OTHER(b.time_ns++, "time");
  OTHER(b.node++, "place");
  OTHER(b.subject[2]++, "place");
  OTHER(b.faults[SIM_FAULT_NET_LOSS].firings++, "faults");
  OTHER(b.faults[SIM_FAULT_WIPE].opportunities++, "faults");
  OTHER(b.sometimes[0] = true, "what sometimes happens");
  OTHER(b.sometimes_count++, "what sometimes happens");
  OTHER((b.verdict = SUITE_HELD, b.detail[0] = 0), "verdict, words");
}

static void words_that_differ_are_quoted(void **state) {
  (void)state;
  struct outcome b = sample();
  (void)snprintf(b.detail, sizeof b.detail, "n2 promised it");
  differ_in(&b, "; 'durability: n1 promised it' and 'durability: n2 promised it'");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_a_machine_decides_makes_no_difference),
      cmocka_unit_test(all_that_a_seed_decides_is_compared_and_named),
      cmocka_unit_test(words_that_differ_are_quoted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
