/* Examples of time. */
#include "tests/api_examples/example.h"

static void what_is_due_is_done(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(2);
  const struct sync_env *env = &example_world.at[0].memory.env;
  example_put(0, "colour", "green");
  /* example: sync_next_deadline */
  uint64_t deadline = sync_next_deadline(engine); /* ask again after every call */
  uint64_t now = env->ops->mono_ns(env->ctx);
  uint64_t wait = deadline == SYNC_NO_DEADLINE ? SYNC_NO_DEADLINE : deadline > now ? deadline - now : 0;
  /* end */
  assert_true(wait == 0); /* what was put wants to be written */
  /* example: sync_tick */
  struct sync_tick_report report;
  int status = sync_tick(engine, &report); /* more often than needed does no harm */
  if (status == SYNC_OK && report.retried > 0) puts("a peer did not answer in time");
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_int_equal(report.retried, 0);
  example_settle();
  example_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_due_is_done),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
