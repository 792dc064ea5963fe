/* The oracle "honest backoff": over histories made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/backoff.h"

#define NEVER UINT64_MAX

static const struct backoff_schedule SCHEDULE = {
    .ack_timeout_ns = 1000, .retry_interval_ns = 80, .retry_cap_ns = 300, .probe_interval_ns = 500, .max_retries = 4};

/* A try at that time, after so many, with that draw, and its greeting. */
static enum backoff_finding try_again(struct backoff *backoff, uint64_t now_ns, uint32_t tries, uint64_t wait_ns,
                                      uint64_t drawn) {
  struct backoff_try said = {.tries = tries, .due_ns = now_ns + wait_ns + drawn, .drew = true, .drawn = drawn};
  enum backoff_finding finding = backoff_timeout(backoff, &SCHEDULE, now_ns, &said);
  if (finding == BACKOFF_HONEST) finding = backoff_greeted(backoff, &(struct backoff_greeting){.goes_on = false});
  return finding == BACKOFF_HONEST ? backoff_end(backoff, backoff->due_ns) : finding;
}

/* It was never heard, and was tried twice. */
static struct backoff waiting(void) {
  struct backoff backoff;
  backoff_begin(&backoff, 1, 1000, true);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.goes_on = false}), BACKOFF_HONEST);
  assert_int_equal(try_again(&backoff, 1085, 1, 160, 20), BACKOFF_HONEST);
  assert_int_equal(try_again(&backoff, 1265, 2, 300, 0), BACKOFF_HONEST);
  return backoff;
}

static struct backoff parked(void) {
  struct backoff backoff = waiting();
  assert_int_equal(try_again(&backoff, 1565, 3, 300, 37), BACKOFF_HONEST);
  assert_int_equal(try_again(&backoff, 1902, 4, 300, 1), BACKOFF_HONEST);
  assert_int_equal(backoff_parked(&backoff, &SCHEDULE, 2203, false), BACKOFF_HONEST);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.goes_on = false}), BACKOFF_HONEST);
  assert_int_equal(backoff_end(&backoff, 2703), BACKOFF_HONEST);
  return backoff;
}

static void waits_are_doubled_up_to_the_cap(void **state) {
  (void)state;
  assert_int_equal(backoff_wait_ns(&SCHEDULE, 0), 80);
  assert_int_equal(backoff_wait_ns(&SCHEDULE, 1), 160);
  assert_int_equal(backoff_wait_ns(&SCHEDULE, 2), 300);
  assert_int_equal(backoff_wait_ns(&SCHEDULE, 1000), 300);
  struct backoff_schedule endless = {.retry_interval_ns = UINT64_MAX / 2, .retry_cap_ns = UINT64_MAX};
  assert_true(backoff_wait_ns(&endless, 9) == UINT64_MAX);
}

static void a_peer_that_is_tried_as_it_should_be_is_left_alone(void **state) {
  (void)state;
  struct backoff backoff = parked();
  for (uint64_t now_ns = 2703; now_ns < 5000; now_ns += 500) {
    assert_int_equal(backoff_ticked(&backoff, &SCHEDULE, now_ns), BACKOFF_HONEST);
    assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.goes_on = false}), BACKOFF_HONEST);
    assert_int_equal(backoff_end(&backoff, now_ns + 500), BACKOFF_HONEST);
  }
  assert_int_equal(backoff_revived(&backoff, 5203, true), BACKOFF_HONEST);
  backoff_met(&backoff, 5203);
  assert_int_equal(backoff_heard(&backoff), BACKOFF_HONEST);
  assert_int_equal(backoff_operations(&backoff), BACKOFF_HONEST);
  assert_int_equal(try_again(&backoff, 6203, 1, 160, 0), BACKOFF_HONEST);
}

static void a_try_before_its_time_is_found(void **state) {
  (void)state;
  struct backoff backoff = waiting();
  assert_int_equal(try_again(&backoff, 1564, 3, 300, 0), BACKOFF_EARLY);
  backoff_begin(&backoff, 1, 1000, true);
  assert_int_equal(try_again(&backoff, 1079, 1, 160, 0), BACKOFF_EARLY);
  backoff_begin(&backoff, 1, 1000, false); /* nobody knows since when it waits */
  assert_int_equal(try_again(&backoff, 1079, 1, 160, 0), BACKOFF_HONEST);
  assert_int_equal(backoff_revived(&backoff, 1100, true), BACKOFF_HONEST);
  backoff_met(&backoff, 1100); /* it was heard: that an answer is missing takes longer to find out */
  assert_int_equal(try_again(&backoff, 2099, 1, 160, 0), BACKOFF_EARLY);
  backoff = parked();
  assert_int_equal(backoff_parked(&backoff, &SCHEDULE, 2300, false), BACKOFF_MISCOUNTS);
}

static void a_try_that_is_not_made_is_found(void **state) {
  (void)state;
  struct backoff backoff = waiting();
  assert_int_equal(backoff_ticked(&backoff, &SCHEDULE, 1564), BACKOFF_HONEST);
  assert_int_equal(backoff_ticked(&backoff, &SCHEDULE, 1565), BACKOFF_LATE);
  assert_int_equal(backoff_end(&backoff, 1566), BACKOFF_LATE); /* it would sleep past it */
  assert_int_equal(backoff_end(&backoff, NEVER), BACKOFF_LATE);
  backoff = parked();
  assert_int_equal(backoff_end(&backoff, 2704), BACKOFF_LATE);
  assert_int_equal(backoff_ticked(&backoff, &SCHEDULE, 2703), BACKOFF_HONEST);
  assert_int_equal(backoff_end(&backoff, 3203), BACKOFF_UNSAID);
}

static void another_wait_than_the_drawn_one_is_found(void **state) {
  (void)state;
  static const struct backoff_try wrong[] = {
      {.tries = 3, .due_ns = 1565 + 300, .drew = true, .drawn = 37},    /* drawn for nothing */
      {.tries = 3, .due_ns = 1565 + 300, .drew = false},                /* not drawn */
      {.tries = 3, .due_ns = 1565 + 338, .drew = true, .drawn = 38},    /* drawn among too many */
      {.tries = 3, .due_ns = 1565 + 640 + 1, .drew = true, .drawn = 1}, /* beyond the cap */
      {.tries = 3, .due_ns = 1565 + 160 + 1, .drew = true, .drawn = 1}, /* not doubled */
      {.tries = 3, .due_ns = NEVER, .drew = true, .drawn = 1},          /* given up */
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct backoff backoff = waiting();
    assert_int_equal(backoff_timeout(&backoff, &SCHEDULE, 1565, &wrong[i]), BACKOFF_WAIT);
  }
}

static void tries_that_are_miscounted_are_found(void **state) {
  (void)state;
  struct backoff backoff = waiting();
  assert_int_equal(try_again(&backoff, 1565, 2, 300, 0), BACKOFF_MISCOUNTS);
  assert_int_equal(try_again(&backoff, 1565, 4, 300, 0), BACKOFF_MISCOUNTS);
  assert_int_equal(backoff_parked(&backoff, &SCHEDULE, 1565, false), BACKOFF_MISCOUNTS); /* two more are due */
  assert_int_equal(try_again(&backoff, 1565, 3, 300, 0), BACKOFF_HONEST);
  assert_int_equal(try_again(&backoff, 1865, 4, 300, 0), BACKOFF_HONEST);
  assert_int_equal(try_again(&backoff, 2165, 5, 300, 0), BACKOFF_MISCOUNTS); /* it is to be parked */
  assert_int_equal(backoff_parked(&backoff, &SCHEDULE, 2164, false), BACKOFF_EARLY);
}

static void a_try_without_a_greeting_is_found(void **state) {
  (void)state;
  struct backoff backoff = waiting();
  struct backoff_try said = {.tries = 3, .due_ns = 1565 + 300, .drew = true, .drawn = 0};
  assert_int_equal(backoff_timeout(&backoff, &SCHEDULE, 1565, &said), BACKOFF_HONEST);
  assert_int_equal(backoff_end(&backoff, 1865), BACKOFF_UNSAID);
}

static void what_leaves_between_two_tries_is_found_but_for_what_all_are_told(void **state) {
  (void)state;
  struct backoff backoff = waiting();
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.goes_on = false}), BACKOFF_BETWEEN);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.full = true}), BACKOFF_HONEST);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.full = true}), BACKOFF_BETWEEN);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.full = false}), BACKOFF_HONEST);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.to_all = true}), BACKOFF_HONEST);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.refusals = 1}), BACKOFF_HONEST);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.refusals = 1}), BACKOFF_BETWEEN);
  backoff.refusals = 0;
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.offered = 7}), BACKOFF_HONEST);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.offered = 7}), BACKOFF_BETWEEN);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.to_all = true, .goes_on = true}),
                   BACKOFF_HONEST);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.goes_on = false}), BACKOFF_HONEST);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.goes_on = false}), BACKOFF_BETWEEN);
  backoff.took = true; /* it did send something, which is acknowledged once it is durable */
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.all_durable = false}), BACKOFF_BETWEEN);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.acknowledges = true, .all_durable = true}),
                   BACKOFF_HONEST);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.acknowledges = true}), BACKOFF_BETWEEN);
  backoff.kept = true; /* what was too early is, when it can be taken */
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.acknowledges = true}), BACKOFF_HONEST);
  assert_int_equal(backoff_greeted(&backoff, &(struct backoff_greeting){.acknowledges = true}), BACKOFF_BETWEEN);
  assert_int_equal(backoff_operations(&backoff), BACKOFF_HONEST);
  backoff = parked();
  assert_int_equal(backoff_operations(&backoff), BACKOFF_BETWEEN);
}

static void who_is_heard_is_waited_for_no_more_and_nobody_else(void **state) {
  (void)state;
  struct backoff backoff = waiting();
  assert_int_equal(backoff_heard(&backoff), BACKOFF_DEAF);
  assert_int_equal(backoff_revived(&backoff, 1400, false), BACKOFF_FORGETS);
  assert_int_equal(backoff_revived(&backoff, 1400, true), BACKOFF_HONEST);
  assert_int_equal(backoff_revived(&backoff, 1400, true), BACKOFF_FORGETS);
  assert_int_equal(backoff_end(&backoff, NEVER), BACKOFF_HONEST);
}

static void who_is_parked_for_what_it_sent_is_probed(void **state) {
  (void)state;
  struct backoff backoff = waiting();
  assert_int_equal(backoff_revived(&backoff, 1400, true), BACKOFF_HONEST);
  assert_int_equal(backoff_parked(&backoff, &SCHEDULE, 1400, true), BACKOFF_HONEST);
  assert_int_equal(backoff_end(&backoff, 1900), BACKOFF_HONEST);
  assert_int_equal(backoff_end(&backoff, 1901), BACKOFF_LATE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(waits_are_doubled_up_to_the_cap),
      cmocka_unit_test(a_peer_that_is_tried_as_it_should_be_is_left_alone),
      cmocka_unit_test(a_try_before_its_time_is_found),
      cmocka_unit_test(a_try_that_is_not_made_is_found),
      cmocka_unit_test(another_wait_than_the_drawn_one_is_found),
      cmocka_unit_test(tries_that_are_miscounted_are_found),
      cmocka_unit_test(a_try_without_a_greeting_is_found),
      cmocka_unit_test(what_leaves_between_two_tries_is_found_but_for_what_all_are_told),
      cmocka_unit_test(who_is_heard_is_waited_for_no_more_and_nobody_else),
      cmocka_unit_test(who_is_parked_for_what_it_sent_is_probed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
