/* Failures that are known, each with a reason and a day until which it counts for nothing. */
#ifndef SEARCH_KNOWN_H
#define SEARCH_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUITE_KNOWN_TOLD_BYTES 320u

struct suite_known {
  char scenario[512]; /* PATH or PATH#VARIANT, or how it ends behind a / */
  char property[64];
  char told[SUITE_KNOWN_TOLD_BYTES]; /* "until 2026-12-31: the reason" */
  bool expired;
  /* Of a result: finished runs of that scenario, and those that failed so. */
  uint64_t runs, seen;
};

/* Whether an entry is about the scenario of this path. */
bool suite_known_is_of(const struct suite_known *known, const char *path);

#endif
