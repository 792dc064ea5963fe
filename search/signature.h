/* Failures by signature: the same scenario, verdict and property. The few with the
 * lowest seeds are kept in full. */
#ifndef SEARCH_SIGNATURE_H
#define SEARCH_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "search/outcome.h"

#define SIGNATURE_KEPT 4u

struct signature {
  uint32_t scenario;
  enum suite_verdict verdict;
  char property[64];
  size_t kept_count;
  struct signature_failure {
    size_t row;
    struct outcome outcome;
  } * kept; /* by row */
};
struct signatures {
  struct signature *items;
  size_t count;
};

/* The index of its signature; SIZE_MAX: no memory. */
size_t signatures_add(struct signatures *signatures, uint32_t scenario, size_t row, const struct outcome *outcome);
void signatures_free(struct signatures *signatures);

#endif
