#include "search/result.h"

#include <stdlib.h>

const char *suite_verdict_name(enum suite_verdict verdict) {
  switch (verdict) {
  case SUITE_HELD:
    return "held";
  case SUITE_VIOLATED:
    return "violated";
  case SUITE_NOT_DETERMINISTIC:
    return "not deterministic";
  case SUITE_SCENARIO_WRONG:
    return "scenario wrong";
  case SUITE_HARNESS:
    return "harness failed";
  case SUITE_FAILED_AS_IT_MUST:
    return "failed as it must";
  case SUITE_CANARY_MISSED:
    return "canary missed";
  case SUITE_NOT_RUN:
    return "not run";
  case SUITE_KNOWN:
    return "known";
  }
  return "?";
}

void suite_result_free(struct suite_result *result) {
  if (result == NULL) return;
  for (size_t i = 0; i < result->failure_count; i++) {
    free(result->failures[i].history);
  }
  for (size_t i = 0; i < result->vacuous_count; i++) {
    free(result->vacuous[i]);
  }
  free(result->known);
  free(result->failures);
  free(result->vacuous);
  free(result->runs);
  free(result->scenarios);
  free(result);
}
