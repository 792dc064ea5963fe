/* The JSON report. Runs are written one by one, so that a suite of a hundred
 * thousand runs needs no tree of them in memory. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "reports/report.h"
#include "reports/utf8.h"

/* Seeds and hashes are strings: many readers keep numbers as doubles. */
static json_t *decimal(uint64_t value) {
  char text[24];
  (void)snprintf(text, sizeof text, "%" PRIu64, value);
  return json_string(text);
}

static json_t *hexadecimal(uint64_t value) {
  char text[24];
  (void)snprintf(text, sizeof text, "0x%016" PRIx64, value);
  return json_string(text);
}

static json_t *count(uint64_t value) {
  return json_integer(value > (uint64_t)INT64_MAX ? (json_int_t)INT64_MAX : (json_int_t)value);
}

static json_t *string(const char *text) {
  char *clean = utf8_clean(text, UTF8_FOR_JSON, SIZE_MAX / 2);
  json_t *value = clean == NULL ? NULL : json_string_nocheck(clean);
  free(clean);
  return value;
}

/* Adds a value and takes it; a NULL value (no memory) sticks in *ok. */
static void put(json_t *object, const char *key, json_t *value, bool *ok) {
  if (json_object_set_new_nocheck(object, key, value) != 0) *ok = false;
}

/* `all`: also the kinds that never had an opportunity. */
static json_t *faults_of(const struct sim_fault_count *faults, bool all, bool *ok) {
  json_t *object = json_object();
  for (int kind = 0; kind < SIM_FAULT_COUNT; kind++) {
    if (!all && faults[kind].opportunities == 0 && faults[kind].firings == 0) continue;
    json_t *counts = json_object();
    put(counts, "opportunities", count(faults[kind].opportunities), ok);
    put(counts, "firings", count(faults[kind].firings), ok);
    put(object, sim_fault_name((enum sim_fault)kind), counts, ok);
  }
  return object;
}

static json_t *steps_of(const struct suite_scenario *scenario, uint32_t sometimes, bool *ok) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < scenario->info.step_count && i < SCENARIO_STEPS_MAX; i++) {
    if (scenario->info.steps[i].sometimes != sometimes) continue;
    json_t *one = json_object();
    put(one, "name", string(scenario->info.steps[i].name), ok);
    put(one, "runs", count(scenario->steps[i]), ok);
    if (json_array_append_new(list, one) != 0) *ok = false;
  }
  return list;
}

static json_t *without_of(const struct suite_scenario *scenario, bool *ok) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < scenario->info.without_count && i < SCENARIO_WITHOUT_MAX; i++) {
    json_t *one = json_object();
    put(one, "oracle", string(scenario->info.without[i].oracle), ok);
    put(one, "reason", string(scenario->info.without[i].reason), ok);
    put(one, "runs", count(scenario->silenced[i]), ok);
    if (json_array_append_new(list, one) != 0) *ok = false;
  }
  return list;
}

static json_t *sometimes_of(const struct suite_scenario *scenario, bool *ok) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < scenario->info.sometimes_count && i < SCENARIO_SOMETIMES_MAX; i++) {
    json_t *one = json_object();
    put(one, "name", string(scenario->info.sometimes[i]), ok);
    put(one, "runs", count(scenario->sometimes[i]), ok);
    put(one, "steps", steps_of(scenario, i, ok), ok);
    if (json_array_append_new(list, one) != 0) *ok = false;
  }
  return list;
}

static const char *const param_kinds[] = {
    [SCENARIO_PARAM_NUMBER] = "number",     [SCENARIO_PARAM_BOOL] = "bool",           [SCENARIO_PARAM_TEXT] = "text",
    [SCENARIO_PARAM_SHARE] = "share",       [SCENARIO_PARAM_SIZE] = "size",           [SCENARIO_PARAM_RATE] = "rate",
    [SCENARIO_PARAM_DURATION] = "duration", [SCENARIO_PARAM_BANDWIDTH] = "bandwidth",
};

/* Values are texts, whatever they are: a reader that wants a number knows from `kind`. */
static json_t *params_of(const struct suite_scenario *scenario, bool *ok) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < scenario->info.param_count; i++) {
    const struct scenario_param *param = &scenario->info.params[i];
    json_t *one = json_object();
    put(one, "name", string(param->name), ok);
    put(one, "kind", json_string(param_kinds[param->kind]), ok);
    put(one, "value", string(param->value), ok);
    put(one, "standard", string(param->standard), ok);
    put(one, "set", json_boolean(params_get(&scenario->set, param->name) != NULL), ok);
    if (json_array_append_new(list, one) != 0) *ok = false;
  }
  return list;
}

static json_t *scenario_object(const struct suite_scenario *scenario, bool *ok) {
  json_t *object = json_object();
  put(object, "path", string(scenario->path), ok);
  put(object, "name", string(scenario->info.name), ok);
  put(object, "variant", scenario->info.variant[0] == '\0' ? json_null() : string(scenario->info.variant), ok);
  put(object, "params", params_of(scenario, ok), ok);
  put(object, "text_hash", hexadecimal(scenario->text_hash), ok);
  put(object, "story", string(scenario->info.story), ok);
  put(object, "must_fail", scenario->info.must_fail[0] == '\0' ? json_null() : string(scenario->info.must_fail), ok);
  put(object, "verdict", json_string(report_verdict_name(scenario->verdict)), ok);
  put(object, "runs", count(scenario->runs), ok);
  put(object, "failed", count(scenario->failed), ok);
  put(object, "events", count(scenario->events), ok);
  put(object, "simulated_ns", count(scenario->simulated_ns), ok);
  put(object, "real_ns", count(scenario->real_ns), ok);
  put(object, "faults", faults_of(scenario->faults, true, ok), ok);
  put(object, "sometimes", sometimes_of(scenario, ok), ok);
  put(object, "without", without_of(scenario, ok), ok);
  return object;
}

static json_t *run_object(const struct suite_result *result, const struct suite_run *run, bool *ok) {
  json_t *object = json_object();
  const bool known = run->scenario < result->scenario_count;
  put(object, "scenario", string(known ? result->scenarios[run->scenario].path : ""), ok);
  put(object, "seed", decimal(run->seed), ok);
  put(object, "verdict", json_string(report_verdict_name(run->verdict)), ok);
  put(object, "trace_hash", hexadecimal(run->trace_hash), ok);
  put(object, "events", count(run->events), ok);
  put(object, "simulated_ns", count(run->simulated_ns), ok);
  put(object, "real_ns", count(run->real_ns), ok);
  put(object, "peak_bytes", count(run->peak_bytes), ok);
  put(object, "faults", faults_of(run->faults, false, ok), ok);
  return object;
}

static json_t *failure_object(const struct suite_result *result, const struct suite_failure *failure, bool *ok) {
  json_t *object = json_object();
  const bool known = failure->scenario < result->scenario_count;
  put(object, "scenario", string(known ? result->scenarios[failure->scenario].path : ""), ok);
  put(object, "seed", decimal(failure->seed), ok);
  put(object, "verdict", json_string(report_verdict_name(failure->verdict)), ok);
  put(object, "property", string(failure->property), ok);
  put(object, "detail", string(failure->detail), ok);
  put(object, "waits", string(failure->waits), ok);
  put(object, "time_ns", count(failure->time_ns), ok);
  put(object, "node", failure->node == 0 ? json_null() : count(failure->node), ok);
  put(object, "trace_hash", hexadecimal(failure->trace_hash), ok);
  put(object, "history", string(failure->history), ok);
  put(object, "shrunk", failure->shrunk[0] == '\0' ? json_null() : string(failure->shrunk), ok);
  put(object, "bundle", failure->bundle[0] == '\0' ? json_null() : string(failure->bundle), ok);
  put(object, "reproduce", string(failure->reproduce), ok);
  put(object, "known", failure->known[0] == '\0' ? json_null() : string(failure->known), ok);
  put(object, "regression", failure->regression[0] == '\0' ? json_null() : string(failure->regression), ok);
  put(object, "same_signature", count(failure->same_signature), ok);
  return object;
}

static json_t *suite_object(const struct suite_result *result, bool *ok) {
  uint64_t failed = 0, not_run = 0;
  for (size_t i = 0; i < result->run_count; i++) {
    if (report_verdict_is_bad(result->runs[i].verdict)) failed++;
    if (result->runs[i].verdict == SUITE_NOT_RUN) not_run++;
  }
  json_t *object = json_object();
  put(object, "exit_status", json_integer(result->exit_status), ok);
  put(object, "interrupted", json_boolean(result->interrupted), ok);
  put(object, "seed_first", decimal(result->seed_first), ok);
  put(object, "seed_last", decimal(result->seed_last), ok);
  put(object, "regressions", count(result->regressions), ok);
  put(object, "jobs", count(result->jobs), ok);
  put(object, "runs", count(result->run_count), ok);
  put(object, "failed", count(failed), ok);
  put(object, "not_run", count(not_run), ok);
  put(object, "real_ns", count(result->real_ns), ok);
  return object;
}

/* One compact value, after `before`; takes it. */
static bool write_value(FILE *file, const char *before, json_t *value) {
  const bool written =
      fputs(before, file) != EOF && value != NULL && json_dumpf(value, file, JSON_COMPACT | JSON_ENCODE_ANY) == 0;
  json_decref(value);
  return written;
}

static json_t *scenario_at(const struct suite_result *result, size_t i, bool *ok) {
  return scenario_object(&result->scenarios[i], ok);
}
static json_t *failure_at(const struct suite_result *result, size_t i, bool *ok) {
  return failure_object(result, &result->failures[i], ok);
}
static json_t *vacuous_at(const struct suite_result *result, size_t i, bool *ok) {
  (void)ok; /* a NULL string is noticed where it is written */
  return string(result->vacuous[i]);
}
static json_t *known_at(const struct suite_result *result, size_t i, bool *ok) {
  const struct suite_known *known = &result->known[i];
  json_t *object = json_object();
  put(object, "scenario", string(known->scenario), ok);
  put(object, "property", string(known->property), ok);
  put(object, "told", string(known->told), ok);
  put(object, "expired", json_boolean(known->expired), ok);
  put(object, "runs", count(known->runs), ok);
  put(object, "seen", count(known->seen), ok);
  return object;
}
static json_t *run_at(const struct suite_result *result, size_t i, bool *ok) {
  return run_object(result, &result->runs[i], ok);
}

typedef json_t *make_fn(const struct suite_result *result, size_t i, bool *ok);

/* A list with one value on each line, which plain text tools can pick. */
static bool write_list(FILE *file, const char *name, const struct suite_result *result, size_t total, make_fn *make,
                       bool *ok) {
  if (fprintf(file, ",\n\"%s\":[", name) < 0) return false;
  for (size_t i = 0; i < total; i++)
    if (!write_value(file, i == 0 ? "\n" : ",\n", make(result, i, ok))) return false;
  return fputs(total == 0 ? "]" : "\n]", file) != EOF;
}

bool report_json(FILE *file, const struct suite_result *result) {
  bool ok = true;
  const bool written = fprintf(file, "{\"format\":%d", REPORT_JSON_FORMAT) > 0 &&
                       write_value(file, ",\n\"suite\":", suite_object(result, &ok)) &&
                       write_list(file, "scenarios", result, result->scenario_count, scenario_at, &ok) &&
                       write_list(file, "failures", result, result->failure_count, failure_at, &ok) &&
                       write_list(file, "vacuous", result, result->vacuous_count, vacuous_at, &ok) &&
                       write_list(file, "known", result, result->known_count, known_at, &ok) &&
                       write_list(file, "runs", result, result->run_count, run_at, &ok) && fputs("}\n", file) != EOF;
  return fflush(file) == 0 && written && ok && !ferror(file);
}
