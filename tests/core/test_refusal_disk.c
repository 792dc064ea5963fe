/* Every call of the disk and every allocation fails in turn (tests/support/refusal_sweep.h
 * says how, and what a refusal must be), in each thing that an engine does. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/refusal_sweep.h"

static void a_first_submit_of_a_new_directory_is_refused_whole_or_done(void **state) {
  (void)state;
  refusal_sweep(&(struct refusal_action){"a first submit", 0, 1, "", "put0 commit pump", 0});
}

static void a_submit_that_begins_an_epoch_is_refused_whole_or_done(void **state) {
  (void)state;
  refusal_sweep(&(struct refusal_action){"an epoch after a close", 0, 1, "put0 commit pump tick pump close open",
                                         "put1 commit pump", 0});
  /* Recovery could not rewrite the tail, so that the submit does it. */
  refusal_sweep(&(struct refusal_action){"an epoch that waited for room", 0, 1,
                                         "put0 commit pump put1 put2 flush die fill open clear", "put3 commit pump",
                                         0});
  /* Recovery has just begun it, and nothing of it is durable. */
  refusal_sweep(&(struct refusal_action){"an epoch after a crash", 0, 1, "put0 commit pump put1 flush die open",
                                         "put2 commit pump put3 commit pump", 0});
}

static void a_submit_that_rotates_a_segment_is_refused_whole_or_done(void **state) {
  (void)state;
  refusal_sweep(&(struct refusal_action){"rotation", 840, 1, "put0 commit pump",
                                         "put1 put2 flush put3 put4 put5 commit put6 commit pump", 0});
}

static void a_turn_that_could_not_be_written_keeps_what_it_accepted(void **state) {
  (void)state;
  refusal_sweep(
      &(struct refusal_action){"a turn", 0, 1, "put0 commit pump",
                               "put1 put2 put3 flush put4 put5 commit put6 pump put7 send put8 pump tick pump", 0});
}

static void what_waits_is_written_elsewhere_when_its_place_fails_again_and_again(void **state) {
  (void)state;
  refusal_counts.moves = 0; /* in a segment this large they have no other reason */
  for (uint64_t times = 4; times <= 6; times++)
    refusal_sweep(&(struct refusal_action){"a place that fails", 0, 1, "put0 commit pump put1 commit pump",
                                           "put2 put3 tick tick tick tick tick pump put4 commit pump", times});
  assert_true(refusal_counts.moves > 0);
}

static void a_frame_is_applied_to_a_prefix_and_the_rest_comes_again(void **state) {
  (void)state;
  refusal_sweep(&(struct refusal_action){"a frame and its turn", 0, 2, "meet frame put0 commit pump",
                                         "put1 receive flush put2 commit pump", 0});
  refusal_sweep(&(struct refusal_action){"a frame over several segments", 600, 2, "meet frame put0 commit pump",
                                         "receive send pump", 0});
  refusal_sweep(&(struct refusal_action){"a frame that begins an epoch", 0, 2, "meet frame tick pump close open",
                                         "receive commit pump", 0});
}

static void a_peer_is_added_or_removed_whole_or_not_at_all(void **state) {
  (void)state;
  refusal_sweep(&(struct refusal_action){"peers", 180, 1, "add0 add2 commit pump tick pump close open",
                                         "add4 commit pump remove1 add6 flush add8 remove3 commit pump", 0});
}

static void an_open_that_is_refused_leaves_the_log_to_the_next_one(void **state) {
  (void)state;
  refusal_sweep(&(struct refusal_action){
      "open of several segments and epochs", 800, 1,
      "put0 commit pump put1 put2 commit pump put3 put4 commit pump put5 flush die open pump put6 "
      "put7 commit pump put8 put9 commit pump die open pump put10 commit pump put11 flush die open die",
      "open pump", 0});
}

static void a_mark_that_fails_takes_nothing_with_it(void **state) {
  (void)state;
  refusal_sweep(&(struct refusal_action){"a mark", 0, 1, "put0 commit pump", "tick pump put1 tick pump tick pump", 0});
}

static void a_close_that_fails_frees_all_and_takes_no_promise_with_it(void **state) {
  (void)state;
  refusal_sweep(&(struct refusal_action){"close", 600, 1, "put0 commit pump", "put1 put2 commit put3 close", 0});
}

static void what_cannot_be_read_back_is_sent_later(void **state) {
  (void)state;
  refusal_sweep(&(struct refusal_action){
      "sending from more segments than are kept open", 300, 2,
      "meet put0 commit pump put1 commit pump put2 commit pump put3 commit pump put4 commit pump "
      "put5 commit pump put6 commit pump put7 commit pump put8 commit pump put9 commit pump",
      "send", 0});
}

static void every_kind_of_call_was_met_and_the_log_is_never_truncated(void **state) {
  (void)state;
  for (unsigned call = MEMORY_ENV_OPEN; call < MEMORY_ENV_CALL_KINDS; call++) {
    print_message("%-16s met %" PRIu64 " times\n", refusal_call_names[call], refusal_counts.met[call]);
    assert_int_equal(refusal_counts.met[call] > 0, call != MEMORY_ENV_TRUNCATE);
  }
  print_message("%" PRIu64 " runs, %" PRIu64 " refusals, %" PRIu64 " stops\n", refusal_counts.runs,
                refusal_counts.refusals, refusal_counts.stops);
  assert_true(refusal_counts.refusals > 0 && refusal_counts.stops > 0);
}

#define CLAIM(test) cmocka_unit_test_teardown(test, refusal_tell_where)

int main(void) {
  refusal_begin();
  const struct CMUnitTest tests[] = {
      CLAIM(a_first_submit_of_a_new_directory_is_refused_whole_or_done),
      CLAIM(a_submit_that_begins_an_epoch_is_refused_whole_or_done),
      CLAIM(a_submit_that_rotates_a_segment_is_refused_whole_or_done),
      CLAIM(a_turn_that_could_not_be_written_keeps_what_it_accepted),
      CLAIM(what_waits_is_written_elsewhere_when_its_place_fails_again_and_again),
      CLAIM(a_frame_is_applied_to_a_prefix_and_the_rest_comes_again),
      CLAIM(a_peer_is_added_or_removed_whole_or_not_at_all),
      CLAIM(an_open_that_is_refused_leaves_the_log_to_the_next_one),
      CLAIM(a_mark_that_fails_takes_nothing_with_it),
      CLAIM(a_close_that_fails_frees_all_and_takes_no_promise_with_it),
      CLAIM(what_cannot_be_read_back_is_sent_later),
      cmocka_unit_test(every_kind_of_call_was_met_and_the_log_is_never_truncated),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  refusal_end();
  return r != 0;
}
