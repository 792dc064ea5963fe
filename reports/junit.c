/* The JUnit report: a suite for each scenario, a case for each run. The
 * elements and attributes are those that Jenkins' schema, GitLab and GitHub's
 * readers agree on; docs/reports.md says which and why. */
#include <inttypes.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#include "reports/report.h"
#include "reports/utf8.h"
#include "search/reproduce.h"

#define NAME_BYTES_MAX 400u
#define BODY_BYTES_MAX (64u * 1024u)
/* Of the whole file: cases of runs that held stop at the first, the bodies of
 * failures lose their history at the second, and nothing comes after the third. */
#define HELD_BYTES_MAX (16u * 1000u * 1000u)
#define BODIES_BYTES_MAX (24u * 1000u * 1000u)
#define CASES_BYTES_MAX (28u * 1000u * 1000u)

struct junit {
  const struct suite_result *result;
  size_t bytes; /* at most what is to be written so far */
  size_t cases;
  size_t next_run, next_failure;
  bool ok;
  size_t row, row_of; /* the run of a failure, and of which: index + 1 */
};

struct counts {
  uint64_t tests, failures, errors, skipped, left_out;
  uint64_t real_ns;
};

/* --- Elements ----------------------------------------------------------------- */

/* The most that serialising adds: each of these becomes a reference. */
static size_t written_bytes(const char *text) {
  size_t bytes = 0;
  for (; *text != '\0'; text++)
    bytes += strchr("&<>\"\t\n\r", *text) != NULL ? 6 : 1;
  return bytes;
}

static xmlNodePtr element(struct junit *junit, xmlNodePtr parent, const char *name) {
  xmlNodePtr node = parent == NULL ? NULL : xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);
  if (node == NULL) junit->ok = false;
  junit->bytes += 2 * strlen(name) + 16;
  return node;
}

static void attribute(struct junit *junit, xmlNodePtr node, const char *name, const char *value) {
  char *clean = utf8_clean(value, UTF8_FOR_XML, SIZE_MAX / 2);
  if (node == NULL || clean == NULL || xmlNewProp(node, (const xmlChar *)name, (const xmlChar *)clean) == NULL)
    junit->ok = false;
  if (clean != NULL) junit->bytes += strlen(name) + 4 + written_bytes(clean);
  free(clean);
}

static void attribute_count(struct junit *junit, xmlNodePtr node, const char *name, uint64_t value) {
  char text[24];
  (void)snprintf(text, sizeof text, "%" PRIu64, value);
  attribute(junit, node, name, text);
}

static void attribute_seconds(struct junit *junit, xmlNodePtr node, uint64_t real_ns) {
  char text[40];
  (void)snprintf(text, sizeof text, "%" PRIu64 ".%09" PRIu64, real_ns / 1000000000u, real_ns % 1000000000u);
  attribute(junit, node, "time", text);
}

static void content(struct junit *junit, xmlNodePtr node, const char *text) {
  char *clean = utf8_clean(text, UTF8_FOR_XML, BODY_BYTES_MAX);
  xmlNodePtr child = clean == NULL ? NULL : xmlNewText((const xmlChar *)clean);
  if (node == NULL || child == NULL || xmlAddChild(node, child) == NULL) {
    junit->ok = false;
    if (child != NULL && child->parent == NULL) xmlFreeNode(child);
  }
  if (clean != NULL) junit->bytes += written_bytes(clean);
  free(clean);
}

static void property(struct junit *junit, xmlNodePtr properties, const char *name, const char *value) {
  xmlNodePtr node = element(junit, properties, "property");
  attribute(junit, node, "name", name);
  attribute(junit, node, "value", value);
}

/* --- Names ---------------------------------------------------------------------- */

/* "scenarios/crash.lua" becomes "scenarios.crash": readers split a classname at
 * its dots, and take the last part for the class. */
static void class_base(const char *path, char *name, size_t size) {
  while (*path == '.' || *path == '/')
    path++;
  const char *variant = strstr(path, ".lua#");
  size_t length = variant != NULL ? (size_t)(variant - path) : strlen(path);
  if (length > 4 && strcmp(path + length - 4, ".lua") == 0) length -= 4;
  size_t at = 0;
  for (size_t i = 0; i < length && at + 1 < size; i++)
    name[at++] = path[i] == '/' ? '.' : path[i] == '.' ? '_' : path[i];
  for (variant = variant != NULL ? variant + 4 : ""; *variant != '\0' && at + 1 < size; variant++)
    name[at++] = *variant == '.' ? '_' : *variant;
  name[at] = '\0';
  if (at == 0) (void)snprintf(name, size, "scenario");
}

/* GitLab drops all but the first of equal (classname, name): a name that some
 * scenario before bears already, once cleaned, gets its index added. */
static char *class_name(const struct suite_result *result, size_t index) {
  char raw[sizeof result->scenarios[0].path];
  class_base(result->scenarios[index].path, raw, sizeof raw);
  char *name = utf8_clean(raw, UTF8_FOR_XML, NAME_BYTES_MAX);
  if (name == NULL) return NULL;
  bool taken = name[0] == '\0' || strcmp(name, "suite") == 0;
  for (size_t i = 0; i < index && !taken; i++) {
    class_base(result->scenarios[i].path, raw, sizeof raw);
    char *other = utf8_clean(raw, UTF8_FOR_XML, NAME_BYTES_MAX);
    if (other == NULL) {
      free(name);
      return NULL;
    }
    taken = strcmp(name, other) == 0;
    free(other);
  }
  if (!taken) return name;
  const size_t size = strlen(name) + 32;
  char *unique = malloc(size);
  /* No path gives "#": so no scenario is named thus by itself. */
  if (unique != NULL) (void)snprintf(unique, size, "%s#%zu", name, index + 1);
  free(name);
  return unique;
}

/* --- Cases ---------------------------------------------------------------------- */

static xmlNodePtr case_element(struct junit *junit, xmlNodePtr suite, const char *class, const char *name,
                               uint64_t real_ns, struct counts *counts) {
  xmlNodePtr node = element(junit, suite, "testcase");
  attribute(junit, node, "classname", class);
  attribute(junit, node, "name", name);
  attribute_seconds(junit, node, real_ns);
  counts->tests++;
  junit->cases++;
  return node;
}

static void skip(struct junit *junit, xmlNodePtr testcase, const char *message, struct counts *counts) {
  attribute(junit, element(junit, testcase, "skipped"), "message", message);
  counts->skipped++;
}

/* A property that does not hold is a failure; what kept us from knowing is an
 * error. */
static xmlNodePtr bad(struct junit *junit, xmlNodePtr testcase, enum suite_verdict verdict, const char *message,
                      struct counts *counts) {
  const bool failure = verdict == SUITE_VIOLATED || verdict == SUITE_CANARY_MISSED;
  xmlNodePtr node = element(junit, testcase, failure ? "failure" : "error");
  attribute(junit, node, "message", message);
  attribute(junit, node, "type", report_verdict_name(verdict));
  if (failure)
    counts->failures++;
  else
    counts->errors++;
  return node;
}

/* The body's first line is the command that shows the failure again. */
static void told_failure(struct junit *junit, xmlNodePtr testcase, const struct suite_failure *failure,
                         struct counts *counts) {
  char message[sizeof failure->property + sizeof failure->detail + 4];
  (void)snprintf(message, sizeof message, "%s: %s", failure->property, failure->detail);
  xmlNodePtr node = bad(junit, testcase, failure->verdict, message, counts);

  const bool brief = junit->bytes > BODIES_BYTES_MAX;
  const char *history = failure->history == NULL || brief ? "" : failure->history;
  const size_t size = strlen(history) + sizeof *failure + 512;
  char *body = malloc(size);
  if (body == NULL) {
    junit->ok = false;
    return;
  }
  char node_name[24];
  if (failure->node == 0)
    (void)snprintf(node_name, sizeof node_name, "none in particular");
  else
    (void)snprintf(node_name, sizeof node_name, "n%" PRIu32, failure->node);
  (void)snprintf(body, size,
                 "%s\nproperty: %s\nsaw: %s\n%s%s%s%s%s%ssimulated time: %" PRIu64 ".%09" PRIu64
                 " s\nnode: %s\ntrace hash: 0x%016" PRIx64 "\nbundle: %s\nfurther failures like it: %" PRIu64 "\n%s%s",
                 failure->reproduce, failure->property, failure->detail, failure->known[0] == '\0' ? "" : "was known ",
                 failure->known, failure->known[0] == '\0' ? "" : "\n",
                 failure->regression[0] == '\0' ? "" : "regression: ", failure->regression,
                 failure->regression[0] == '\0' ? "" : "\n", failure->time_ns / 1000000000u,
                 failure->time_ns % 1000000000u, node_name, failure->trace_hash,
                 failure->bundle[0] == '\0' ? "none" : failure->bundle, failure->same_signature,
                 history[0] == '\0' ? "" : "history:\n", history);
  content(junit, node, body);
  free(body);
}

/* Appends ` 'text'` for a shell. Returns the new length; writes nothing that
 * does not fit. */
static size_t quote(char *line, size_t at, size_t size, const char *text) {
  if (at + 4 * strlen(text) + 4 > size) return at;
  line[at++] = ' ';
  line[at++] = '\'';
  for (; *text != '\0'; text++) {
    if (*text == '\'') {
      memcpy(line + at, "'\\'", 3);
      at += 3;
    }
    line[at++] = *text;
  }
  line[at++] = '\'';
  line[at] = '\0';
  return at;
}

/* A failure like others that are told: only how to see it. */
static void untold_failure(struct junit *junit, xmlNodePtr testcase, const struct suite_run *run,
                           struct counts *counts) {
  xmlNodePtr node = bad(junit, testcase, run->verdict, "like a failure of this scenario that is told in full", counts);
  char body[sizeof junit->result->scenarios[0].path * 4 + 64];
  const struct suite_scenario *scenario = &junit->result->scenarios[run->scenario];
  reproduce_line(body, sizeof body, NULL, scenario->path, &scenario->set, run->seed);
  content(junit, node, body);
}

/* The command that runs these scenarios with all seeds again. */
static void suite_command(const struct suite_result *result, size_t first, size_t end, char *line, size_t size) {
  size_t at = (size_t)snprintf(line, size, "syncsim run");
  for (size_t i = first; i < end; i++)
    at = quote(line, at, size - 80, result->scenarios[i].path);
  /* One command sets the same in all of them. */
  if (first < end) at = reproduce_params(line, size - 80, at, &result->scenarios[first].set);
  (void)snprintf(line + at, size - at, " --seeds %" PRIu64 "..%" PRIu64 "\n", result->seed_first, result->seed_last);
}

static bool has_room_for_held(const struct junit *junit) {
  return junit->cases < REPORT_JUNIT_CASES_MAX && junit->bytes < HELD_BYTES_MAX;
}

/* The run of a failure, from `first` on; SIZE_MAX: its scenario has none of that seed there. */
static size_t row_of_failure(const struct suite_result *result, size_t first, const struct suite_failure *failure) {
  for (size_t i = first; i < result->run_count && result->runs[i].scenario == failure->scenario; i++)
    if (result->runs[i].seed == failure->seed) return i;
  return SIZE_MAX;
}

static void run_case(struct junit *junit, xmlNodePtr suite, const char *class, const struct suite_run *run,
                     unsigned repeat, const struct suite_failure *failure, const char *known, struct counts *counts) {
  const bool is_bad = failure != NULL || report_verdict_is_bad(run->verdict);
  if (is_bad ? junit->bytes > (failure == NULL ? BODIES_BYTES_MAX : CASES_BYTES_MAX) : !has_room_for_held(junit)) {
    counts->left_out++;
    return;
  }
  char name[60];
  if (run->regression)
    (void)snprintf(name, sizeof name, "regression, seed %" PRIu64, run->seed);
  else if (repeat == 0)
    (void)snprintf(name, sizeof name, "seed %" PRIu64, run->seed);
  else
    (void)snprintf(name, sizeof name, "seed %" PRIu64 " (%u)", run->seed, repeat + 1);
  xmlNodePtr testcase = case_element(junit, suite, class, name, run->real_ns, counts);
  if (failure != NULL)
    told_failure(junit, testcase, failure, counts);
  else if (is_bad)
    untold_failure(junit, testcase, run, counts);
  else if (run->verdict == SUITE_KNOWN)
    skip(junit, testcase, known, counts);
  else if (run->verdict == SUITE_NOT_RUN)
    skip(junit, testcase, "not run: interrupted, out of time, or after the first failure", counts);
}

/* --- Suites --------------------------------------------------------------------- */

static void suite_properties(struct junit *junit, xmlNodePtr suite, const struct suite_scenario *scenario) {
  xmlNodePtr properties = element(junit, suite, "properties");
  char text[64];
  property(junit, properties, "path", scenario->path);
  if (scenario->info.story[0] != '\0') property(junit, properties, "story", scenario->info.story);
  if (scenario->info.variant[0] != '\0') property(junit, properties, "variant", scenario->info.variant);
  for (uint32_t i = 0; i < scenario->info.param_count; i++) {
    char name[PARAM_NAME_BYTES + 8];
    (void)snprintf(name, sizeof name, "param.%s", scenario->info.params[i].name);
    property(junit, properties, name, scenario->info.params[i].value);
  }
  for (uint32_t i = 0; i < scenario->info.without_count && i < SCENARIO_WITHOUT_MAX; i++) {
    char name[sizeof scenario->info.without[i].oracle + 16];
    (void)snprintf(name, sizeof name, "without.%s", scenario->info.without[i].oracle);
    property(junit, properties, name, scenario->info.without[i].reason);
  }
  property(junit, properties, "verdict", report_verdict_name(scenario->verdict));
  (void)snprintf(text, sizeof text, "%" PRIu64, scenario->runs);
  property(junit, properties, "runs", text);
  (void)snprintf(text, sizeof text, "%" PRIu64, scenario->simulated_ns);
  property(junit, properties, "simulated_ns", text);
  for (int kind = 0; kind < SIM_FAULT_COUNT; kind++) {
    const struct sim_fault_count *faults = &scenario->faults[kind];
    if (faults->opportunities == 0 && faults->firings == 0) continue;
    char name[96];
    (void)snprintf(name, sizeof name, "fault.%s", sim_fault_name((enum sim_fault)kind));
    (void)snprintf(text, sizeof text, "%" PRIu64 " of %" PRIu64, faults->firings, faults->opportunities);
    property(junit, properties, name, text);
  }
}

/* The counts are known last; attributes may be added at any time. */
static void suite_counts(struct junit *junit, xmlNodePtr suite, const struct counts *counts) {
  attribute_count(junit, suite, "tests", counts->tests);
  attribute_count(junit, suite, "failures", counts->failures);
  attribute_count(junit, suite, "errors", counts->errors);
  attribute_count(junit, suite, "skipped", counts->skipped);
  attribute_seconds(junit, suite, counts->real_ns);
}

/* The failures that belong to no run: a scenario that could not be described. */
static void failure_without_run(struct junit *junit, xmlNodePtr suite, const char *class,
                                const struct suite_failure *failure, struct counts *counts) {
  if (junit->bytes > CASES_BYTES_MAX) {
    counts->left_out++;
    return;
  }
  char name[64];
  (void)snprintf(name, sizeof name, "scenario (%" PRIu64 ")", counts->tests + 1);
  told_failure(junit, case_element(junit, suite, class, name, 0, counts), failure, counts);
}

static void scenario_cases(struct junit *junit, xmlNodePtr suite, size_t index, const char *class,
                           struct counts *counts) {
  const struct suite_result *result = junit->result;
  const size_t first = junit->next_run;
  unsigned repeat = 0; /* runs before this one with its seed */
  for (; junit->next_run < result->run_count && result->runs[junit->next_run].scenario == index; junit->next_run++) {
    const struct suite_run *run = &result->runs[junit->next_run];
    repeat = junit->next_run > first && run[-1].seed == run->seed && !run[-1].regression ? repeat + 1 : 0;
    const struct suite_failure *failure = NULL;
    while (junit->next_failure < result->failure_count) {
      const struct suite_failure *next = &result->failures[junit->next_failure];
      if (next->scenario != index) break;
      if (junit->row_of != junit->next_failure + 1) {
        junit->row = row_of_failure(result, junit->next_run + (failure != NULL), next);
        junit->row_of = junit->next_failure + 1;
      }
      if (junit->row > junit->next_run && junit->row != SIZE_MAX) break;
      junit->next_failure++;
      if (junit->row != SIZE_MAX && failure == NULL)
        failure = next;
      else
        failure_without_run(junit, suite, class, next, counts);
    }
    char known[SUITE_KNOWN_TOLD_BYTES + 80] = "";
    if (run->known != 0)
      (void)snprintf(known, sizeof known, "known: %s %s", result->known[run->known - 1].property,
                     result->known[run->known - 1].told);
    run_case(junit, suite, class, run, repeat, failure, known, counts);
  }
  for (; junit->next_failure < result->failure_count && result->failures[junit->next_failure].scenario == index;
       junit->next_failure++)
    failure_without_run(junit, suite, class, &result->failures[junit->next_failure], counts);
}

static void scenario_suite(struct junit *junit, xmlNodePtr root, size_t index, struct counts *total) {
  const struct suite_scenario *scenario = &junit->result->scenarios[index];
  struct counts counts = {.real_ns = scenario->real_ns};
  char *class = class_name(junit->result, index);
  if (class == NULL) {
    junit->ok = false;
    return;
  }
  xmlNodePtr suite = element(junit, root, "testsuite");
  attribute(junit, suite, "name", scenario->info.name[0] == '\0' ? scenario->path : scenario->info.name);
  suite_properties(junit, suite, scenario);
  scenario_cases(junit, suite, index, class, &counts);
  const bool told = counts.failures + counts.errors > 0;
  if (scenario->verdict == SUITE_CANARY_MISSED && !told) {
    char message[sizeof scenario->info.must_fail + 80];
    (void)snprintf(message, sizeof message, "no run violated the property that this canary must violate: %s",
                   scenario->info.must_fail);
    xmlNodePtr node =
        bad(junit, case_element(junit, suite, class, "canary", 0, &counts), SUITE_CANARY_MISSED, message, &counts);
    char body[sizeof scenario->path * 4 + 128];
    suite_command(junit->result, index, index + 1, body, sizeof body);
    content(junit, node, body);
  }
  if (counts.left_out > 0) {
    char text[128];
    (void)snprintf(text, sizeof text, "%" PRIu64 " further runs are left out here for size; the JSON report has all",
                   counts.left_out);
    content(junit, element(junit, suite, "system-out"), text);
  }
  suite_counts(junit, suite, &counts);
  free(class);
  total->tests += counts.tests;
  total->failures += counts.failures;
  total->errors += counts.errors;
}

/* What never happened tested nothing. It fails the suite if nothing else
 * explains why the suite failed; else it is a note. */
static void vacuity_suite(struct junit *junit, xmlNodePtr root, struct counts *total) {
  const struct suite_result *result = junit->result;
  if (result->vacuous_count == 0) return;
  const bool fails = result->exit_status != 0 && !result->interrupted && total->failures + total->errors == 0;
  struct counts counts = {0};
  char command[16384];
  suite_command(result, 0, result->scenario_count, command, sizeof command);
  xmlNodePtr suite = element(junit, root, "testsuite");
  attribute(junit, suite, "name", "what never happened");
  for (size_t i = 0; i < result->vacuous_count && junit->bytes < BODIES_BYTES_MAX; i++) {
    char name[NAME_BYTES_MAX];
    (void)snprintf(name, sizeof name, "%zu: %s", i + 1, result->vacuous[i]);
    xmlNodePtr testcase = case_element(junit, suite, "suite", name, 0, &counts);
    if (fails)
      content(junit, bad(junit, testcase, SUITE_VIOLATED, result->vacuous[i], &counts), command);
    else
      skip(junit, testcase, result->vacuous[i], &counts);
  }
  suite_counts(junit, suite, &counts);
  total->tests += counts.tests;
  total->failures += counts.failures;
}

static bool write_document(FILE *file, xmlDocPtr document) {
  xmlChar *bytes = NULL;
  int size = 0;
  xmlDocDumpFormatMemoryEnc(document, &bytes, &size, "UTF-8", 1);
  if (bytes == NULL || size <= 0) return false;
  const bool written = (size_t)size < REPORT_JUNIT_BYTES_MAX && fwrite(bytes, 1, (size_t)size, file) == (size_t)size;
  xmlFree(bytes);
  return fflush(file) == 0 && written && !ferror(file);
}

bool report_junit(FILE *file, const struct suite_result *result) {
  struct junit junit = {.result = result, .ok = true};
  xmlDocPtr document = xmlNewDoc((const xmlChar *)"1.0");
  xmlNodePtr root = document == NULL ? NULL : xmlNewDocNode(document, NULL, (const xmlChar *)"testsuites", NULL);
  if (root == NULL) {
    xmlFreeDoc(document);
    return false;
  }
  (void)xmlDocSetRootElement(document, root);
  struct counts total = {.real_ns = result->real_ns};
  attribute(&junit, root, "name", "syncsim");
  for (size_t i = 0; i < result->scenario_count; i++)
    scenario_suite(&junit, root, i, &total);
  vacuity_suite(&junit, root, &total);
  attribute_count(&junit, root, "tests", total.tests);
  attribute_count(&junit, root, "failures", total.failures);
  attribute_count(&junit, root, "errors", total.errors);
  attribute_seconds(&junit, root, total.real_ns);

  const bool written = junit.ok && write_document(file, document);
  xmlFreeDoc(document);
  return written;
}
