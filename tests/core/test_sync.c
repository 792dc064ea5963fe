/* Two and three engines, frames moved by hand. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/frame.h"
#include "tests/support/replica.h"

static struct replicas *world;

static void two_engines_exchange_their_writes(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 0, "a", "from n0");
  replica_put(world, 1, "b", "from n1");
  size_t frames = replicas_settle(world, 40);
  assert_true(frames <= 12);
  assert_true(replica_reads(world, 1, "a", "from n0"));
  assert_true(replica_reads(world, 0, "b", "from n1"));
  assert_true(replicas_agree(world));
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  assert_int_equal(sync_outbox_size(world->at[1].engine), 0);
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_engines_exchange_their_writes),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
