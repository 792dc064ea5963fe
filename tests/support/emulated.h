/* Whether this program runs on an emulated processor, where all takes about
 * thirteen times as long (tools/check-arches and, of valgrind, tools/run-tests say so). A test may then repeat a
 * thing less often, with the reason beside it: each claim is still made there,
 * and here it is made in full. */
#ifndef TESTS_SUPPORT_EMULATED_H
#define TESTS_SUPPORT_EMULATED_H

#include <stdbool.h>
#include <stdlib.h>

static inline bool emulated(void) {
  return getenv("TEST_EMULATED") != NULL;
}

#endif
