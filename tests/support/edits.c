#include "tests/support/edits.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 8192u

const struct edit edits[EDITS] = {
    {"one message dropped", NULL, NULL, SIM_CHOICE_NET_LOSS, 1, {0}},
    {"one more put", "      cut:heal()", "      if round == 2 then world:node(1):put(3) end cut:heal()", 0, 0, {0}},
    {"one put fewer", NULL, NULL, SIM_CHOICE_WORKLOAD_SKIP, 1, {0}},
    {"a log line", "      cut:heal()", "      world:log 'healing' cut:heal()", 0, 0, {0}},
    {"a property",
     "  run = function",
     "  properties = { sim.always('true', function() return true end) },\n  run = function",
     0,
     0,
     {0}},
    {"duplicates at zero",
     "duplicate = \"1%\", ",
     "",
     0,
     0,
     {SIM_CHOICE_NET_DUPLICATE, SIM_CHOICE_NET_DUPLICATE_DELAY}},
    {"reordering at zero", "reorder = \"5%\"", "", 0, 0, {SIM_CHOICE_NET_REORDER, SIM_CHOICE_NET_REORDER_DELAY}},
    {"a node that does nothing", "nodes    = 3,", "nodes    = 4,", SIM_CHOICE_NODE_SKIP, 1, {0}},
    {"one crash more",
     "      cut:heal()",
     "      cut:heal() if round == 2 then world:spawn(function(w) w:node(3):crash() w:sleep '500ms' "
     "w:node(3):restart() end) end",
     0,
     0,
     {0}},
    {"another duration", NULL, NULL, 0, 0, {0}},
    {"one message delayed", NULL, NULL, SIM_CHOICE_NET_DELAY, 20 * SIM_MS, {0}},
};

static bool replace(char text[TEXT_MAX], const char *from, const char *to) {
  char out[TEXT_MAX];
  const char *at = strstr(text, from);
  if (at == NULL) return false;
  int size = snprintf(out, sizeof out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
  if (size < 0 || (size_t)size >= sizeof out) return false;
  memcpy(text, out, (size_t)size + 1);
  return true;
}

/* `edit` NULL: as it is. NULL: the text is not what the edits expect. */
static struct scenario_file *edited(const char *duration, const struct edit *edit) {
  char text[TEXT_MAX], line[64];
  FILE *file = fopen(EDITS_SCENARIO, "rb");
  size_t size = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
  if (file != NULL) (void)fclose(file);
  text[size] = '\0';
  bool longer = edit != NULL && strcmp(edit->name, "another duration") == 0;
  (void)snprintf(line, sizeof line, "duration = \"%s%s\"", longer ? "1" : "", duration);
  bool ok = replace(text, "duration = \"60s\"", line);
  if (edit != NULL && edit->from != NULL) ok = ok && replace(text, edit->from, edit->to);
  return ok ? scenario_file_from(EDITS_SCENARIO, text, strlen(text)) : NULL;
}

/* A decision of that kind in the second quarter of the run, another one for each seed. */
static struct sim_tag target(const struct sim_choice_table *record, const struct edit *edit, uint64_t seed) {
  if (edit->kind == SIM_CHOICE_NODE_SKIP) return sim_tag(edit->kind, 4, 0);
  size_t count = sim_choice_table_count(record), at = count / 4 + (size_t)(seed * 1009) % (count / 4);
  for (;; at++) {
    uint64_t outcome;
    struct sim_tag tag = sim_choice_table_at(record, at, &outcome);
    if (tag.kind == edit->kind && outcome != edit->outcome) return tag;
  }
}

static enum edit_part part_of(uint32_t kind) {
  if (kind >= SIM_CHOICE_NET_DELAY && kind < SIM_CHOICE_DISK_FSYNC_DELAY) return EDIT_NETWORK;
  if (kind >= SIM_CHOICE_DISK_FSYNC_DELAY && kind < SIM_CHOICE_NODE_PICK) return EDIT_DISK;
  return EDIT_ALL;
}

/* Nothing draws them: they are as the scenario says. */
static bool is_usual(uint32_t kind) {
  return kind == SIM_CHOICE_WORKLOAD_SKIP || kind == SIM_CHOICE_NODE_SKIP || kind == SIM_CHOICE_SCENARIO_SKIP ||
         kind == SIM_CHOICE_SCENARIO_SLEEP;
}

static void count_kept(const struct sim_choice_table *before, const struct sim_choice_table *after,
                       const struct edit *edit, uint64_t all[EDIT_PARTS], uint64_t kept[EDIT_PARTS]) {
  for (size_t i = 0; i < sim_choice_table_count(before); i++) {
    uint64_t outcome, now;
    struct sim_tag tag = sim_choice_table_at(before, i, &outcome);
    if (is_usual(tag.kind) || tag.kind == edit->gone[0] || tag.kind == edit->gone[1]) continue;
    bool same = sim_choice_table_get(after, tag, &now) && now == outcome;
    enum edit_part part = part_of(tag.kind);
    all[EDIT_ALL]++;
    kept[EDIT_ALL] += same;
    if (part == EDIT_ALL) continue;
    all[part]++;
    kept[part] += same;
  }
}

static void count_in_step(const struct sim_choice_table *before, const struct sim_choice_table *after, uint64_t *all,
                          uint64_t *kept) {
  *all = sim_choice_table_count(before);
  for (size_t i = 0; i < *all; i++) {
    uint64_t outcome;
    *kept += sim_choice_table_get(after, sim_choice_table_at(before, i, &outcome), &outcome);
  }
}

struct run {
  struct sim_choice_table *record, *instants;
};

static void run_free(struct run *run) {
  sim_choice_table_destroy(run->record);
  sim_choice_table_destroy(run->instants);
}

static void take_instants(const struct sim_trace_log *log, struct sim_choice_table *instants) {
  const struct sim_trace_record *step;
  for (size_t i = 0; (step = sim_trace_log_at(log, i)) != NULL; i++) {
    uint32_t to = (uint32_t)step->fields[0];
    if (step->step == SIM_STEP_SEND)
      (void)sim_choice_table_set(instants, sim_tag(1, sim_tag_link(step->node, to), step->time_ns), 0);
    if (step->step == SIM_STEP_FSYNC_BEGIN)
      (void)sim_choice_table_set(instants, sim_tag(2, step->node, step->time_ns), 0);
  }
}

static bool run_begin(struct run *run, struct sim *sim, const struct scenario_file *file, uint64_t seed,
                      const struct sim_choice_table *overrides) {
  struct sim_trace_log *log = sim_trace_log_create();
  *run = (struct run){sim_choice_table_create(), sim_choice_table_create()};
  struct scenario_options options = {.source = {.seed = seed, .overrides = overrides, .record = run->record},
                                     .trace = log};
  struct scenario_result result;
  scenario_run(sim, file, &options, &result);
  take_instants(log, run->instants);
  sim_trace_log_destroy(log);
  if (result.verdict == SCENARIO_HELD) return true;
  fprintf(stderr, "seed %llu: %s %s %s\n", (unsigned long long)seed, result.violation.property, result.violation.detail,
          result.error.text);
  return false;
}

static bool edit_run(struct sim *sim, const struct run *whole, const char *duration, uint64_t seed, size_t number,
                     struct edit_counts *counts) {
  const struct edit *edit = &edits[number];
  struct scenario_file *file = edited(duration, edit);
  struct sim_choice_table *overrides = sim_choice_table_create();
  struct run other = {NULL, NULL};
  if (edit->kind != 0) (void)sim_choice_table_set(overrides, target(whole->record, edit, seed), edit->outcome);
  bool held = file != NULL && run_begin(&other, sim, file, seed, overrides);
  if (held) {
    count_kept(whole->record, other.record, edit, counts->all[number], counts->kept[number]);
    count_in_step(whole->instants, other.instants, &counts->all[number][EDIT_IN_STEP],
                  &counts->kept[number][EDIT_IN_STEP]);
  }
  run_free(&other);
  sim_choice_table_destroy(overrides);
  scenario_file_free(file);
  return held;
}

bool edits_run(struct sim *sim, const char *duration, uint64_t seed, struct edit_counts *counts) {
  struct scenario_file *file = edited(duration, NULL);
  struct run whole = {NULL, NULL};
  memset(counts, 0, sizeof *counts);
  bool held = file != NULL && run_begin(&whole, sim, file, seed, NULL);
  for (size_t i = 0; held && i < EDITS; i++)
    held = edit_run(sim, &whole, duration, seed, i, counts);
  run_free(&whole);
  scenario_file_free(file);
  return held;
}
