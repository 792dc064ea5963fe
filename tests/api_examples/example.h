/* What stands around an example, and is no part of it: nodes with memory environments, n0, n1, ... An example is what
 * tools/man-pages puts on the page of a function: the lines between its name and `end`. It uses the public API only. */
#ifndef TESTS_API_EXAMPLES_EXAMPLE_H
#define TESTS_API_EXAMPLES_EXAMPLE_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/replica.h"

static struct replicas example_world;

/* `count` nodes, each a peer of all others. */
static inline struct sync_engine *example_begin(uint32_t count) {
  replicas_init(&example_world, count);
  for (uint32_t a = 0; a < count; a++)
    for (uint32_t b = a + 1; b < count; b++)
      replicas_link(&example_world, a, b);
  return example_world.at[0].engine;
}
static inline void example_end(void) {
  replicas_destroy(&example_world);
}
static inline void example_put(uint32_t node, const char *key, const char *value) {
  replica_put(&example_world, node, key, value);
}
/* Everything is delivered and durable. */
static inline void example_settle(void) {
  (void)replicas_settle(&example_world, 1000);
}

#endif
