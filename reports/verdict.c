#include "reports/report.h"

const char *report_verdict_name(enum suite_verdict verdict) {
  switch (verdict) {
  case SUITE_HELD:
    return "held";
  case SUITE_VIOLATED:
    return "violated";
  case SUITE_NOT_DETERMINISTIC:
    return "not_deterministic";
  case SUITE_SCENARIO_WRONG:
    return "scenario_wrong";
  case SUITE_HARNESS:
    return "harness";
  case SUITE_FAILED_AS_IT_MUST:
    return "failed_as_it_must";
  case SUITE_CANARY_MISSED:
    return "canary_missed";
  case SUITE_NOT_RUN:
    return "not_run";
  case SUITE_KNOWN:
    return "known";
  }
  return "harness";
}

bool report_verdict_is_bad(enum suite_verdict verdict) {
  return verdict != SUITE_HELD && verdict != SUITE_FAILED_AS_IT_MUST && verdict != SUITE_NOT_RUN &&
         verdict != SUITE_KNOWN;
}
