#include <stdlib.h>
#include <string.h>

#include "search/shrink_work.h"

/* --- Passes --------------------------------------------------------------------------- */

/* The deviations that a pass is about, by place. */
struct targets {
  const struct deviations *of;
  size_t *at;
  size_t count;
  size_t chunk;
};

static bool drop_chunk(const struct shrink *shrink, void *arg, size_t number, struct candidate *candidate) {
  const struct targets *targets = arg;
  bool any = false;
  (void)shrink;
  for (size_t i = number * targets->chunk; i < (number + 1) * targets->chunk && i < targets->count; i++) {
    any = any || candidate->there[targets->at[i]];
    candidate->there[targets->at[i]] = 0;
  }
  return any;
}

static void forget_gone(const struct shrink *shrink, struct targets *targets) {
  size_t kept = 0;
  for (size_t i = 0; i < targets->count; i++)
    if (shrink->best.there[targets->at[i]]) targets->at[kept++] = targets->at[i];
  targets->count = kept;
}

/* Takes away chunks, at first all, then halves, down to single ones. */
static void reduce(struct shrink *shrink, struct targets *targets) {
  forget_gone(shrink, targets);
  for (targets->chunk = targets->count; targets->chunk > 0 && !shrink->stopped; targets->chunk /= 2) {
    size_t next = 0;
    const size_t chunks = (targets->count + targets->chunk - 1) / targets->chunk;
    while (next < chunks && !shrink->stopped)
      next = shrink_try(shrink, drop_chunk, targets, next, chunks) + 1;
    forget_gone(shrink, targets);
    if (targets->chunk > targets->count) targets->chunk = targets->count;
  }
}

static bool targets_of(const struct shrink *shrink, enum deviation_form form, uint32_t kind, struct targets *targets) {
  *targets =
      (struct targets){.of = &shrink->deviations, .at = malloc((shrink->deviations.count + 1) * sizeof *targets->at)};
  if (targets->at == NULL) return false;
  for (size_t i = 0; i < shrink->deviations.count; i++) {
    const struct deviation *deviation = &shrink->deviations.items[i];
    if (deviation->form != form || (kind != 0 && deviation->tag.kind != kind) || !shrink->best.there[i]) continue;
    targets->at[targets->count++] = i;
  }
  return true;
}

static void reduce_form(struct shrink *shrink, enum deviation_form form) {
  struct targets targets;
  if (!targets_of(shrink, form, 0, &targets)) return;
  reduce(shrink, &targets);
  free(targets.at);
}

static bool drop_form(const struct shrink *shrink, void *arg, size_t number, struct candidate *candidate) {
  const enum deviation_form form = *(const enum deviation_form *)arg;
  bool any = false;
  (void)number;
  for (size_t i = 0; i < shrink->deviations.count; i++) {
    if (shrink->deviations.items[i].form != form || !candidate->there[i]) continue;
    candidate->there[i] = 0;
    any = true;
  }
  return any;
}

static bool drop_kind(const struct shrink *shrink, void *arg, size_t number, struct candidate *candidate) {
  const uint32_t kind = ((const uint32_t *)arg)[number];
  bool any = false;
  for (size_t i = 0; i < shrink->deviations.count; i++) {
    if (shrink->deviations.items[i].form != DEVIATION_FATE || shrink->deviations.items[i].tag.kind != kind) continue;
    any = any || candidate->there[i];
    candidate->there[i] = 0;
  }
  return any;
}

/* Everything of a kind as slow as it may be, instead of each by itself. */
static bool slow_kind(const struct shrink *shrink, void *arg, size_t number, struct candidate *candidate) {
  const uint32_t kind = candidate_slow_kind(number);
  size_t there = 0;
  (void)arg;
  for (size_t i = 0; i < shrink->deviations.count; i++) {
    if (shrink->deviations.items[i].form != DEVIATION_FATE || shrink->deviations.items[i].tag.kind != kind) continue;
    there += candidate->there[i];
    candidate->there[i] = 0;
  }
  candidate->slow[number] = true;
  return there > 1;
}

/* And what is slow without need. */
static bool quick_kind(const struct shrink *shrink, void *arg, size_t number, struct candidate *candidate) {
  (void)shrink;
  (void)arg;
  if (!candidate->slow[number]) return false;
  candidate->slow[number] = false;
  return true;
}

/* All fates at once, then one kind after another. */
static void calm_kinds(struct shrink *shrink) {
  uint32_t kinds[SIM_CHOICE_USER];
  bool there[SIM_CHOICE_USER + 1] = {false};
  size_t count = 0, next = 0;
  enum deviation_form form = DEVIATION_FATE;
  if (shrink_try(shrink, drop_form, &form, 0, 1) == 0) return;
  for (size_t i = 0; i < shrink->deviations.count; i++) {
    const uint32_t kind = shrink->deviations.items[i].tag.kind;
    if (shrink->deviations.items[i].form != DEVIATION_FATE || kind >= SIM_CHOICE_USER || there[kind]) continue;
    there[kind] = true;
    kinds[count++] = kind;
  }
  while (next < count && !shrink->stopped)
    next = shrink_try(shrink, drop_kind, kinds, next, count) + 1;
  for (next = 0; next < CANDIDATE_SLOW_KINDS && !shrink->stopped;)
    next = shrink_try(shrink, quick_kind, NULL, next, CANDIDATE_SLOW_KINDS) + 1;
  for (next = 0; next < CANDIDATE_SLOW_KINDS && !shrink->stopped;)
    next = shrink_try(shrink, slow_kind, NULL, next, CANDIDATE_SLOW_KINDS) + 1;
}

/* --- Fates drawn anew -------------------------------------------------------------------- */

/* A submit that is gone moves what comes after it, so that the fate that hit is now beside the mark: which sector was
 * torn, which fsync was late. So, with some submits and acts gone, fates are drawn anew, a few times. Whatever is
 * drawn then, there are fewer submits and acts than before; the passes after it calm what is of no use. */
#define DRAWS 4u

static bool is_thing(const struct deviation *deviation) {
  return deviation->form == DEVIATION_SUBMIT || deviation->form == DEVIATION_ACT || deviation->form == DEVIATION_FAULT;
}

static bool draw_without(const struct shrink *shrink, void *arg, size_t number, struct candidate *candidate) {
  const struct targets *targets = arg;
  if (!drop_chunk(shrink, arg, number / DRAWS, candidate)) return false;
  for (size_t i = 0; i < targets->of->count; i++)
    if (targets->of->items[i].form == DEVIATION_FATE) candidate->there[i] = 0;
  candidate->drawn = true;
  memset(candidate->slow, 0, sizeof candidate->slow);
  candidate->seed = sim_hash_fold(shrink->best.seed, number + 1);
  return true;
}

static bool things_of(const struct shrink *shrink, struct targets *targets) {
  *targets =
      (struct targets){.of = &shrink->deviations, .at = malloc((shrink->deviations.count + 1) * sizeof *targets->at)};
  if (targets->at == NULL) return false;
  for (size_t i = 0; i < shrink->deviations.count; i++)
    if (is_thing(&shrink->deviations.items[i]) && shrink->best.there[i]) targets->at[targets->count++] = i;
  return true;
}

static void pass_draw(struct shrink *shrink) {
  struct targets targets;
  if (!things_of(shrink, &targets)) return;
  size_t chunk = targets.count / 2, next = 0;
  while (chunk > 0 && !shrink->stopped) {
    targets.chunk = chunk;
    const size_t chunks = (targets.count + chunk - 1) / chunk;
    const size_t hit = shrink_try(shrink, draw_without, &targets, next * DRAWS, chunks * DRAWS);
    if (hit < chunks * DRAWS) {
      const size_t before = targets.count;
      free(targets.at);
      if (!shrink_look_again(shrink) || !things_of(shrink, &targets)) {
        shrink->stopped = true;
        return;
      }
      calm_kinds(shrink);
      next = hit / DRAWS;
      if (targets.count >= before) chunk /= 2; /* a script that goes another way may do more */
      if (chunk > targets.count) chunk = targets.count;
    } else {
      chunk /= 2;
      next = 0;
    }
  }
  free(targets.at);
}

/* Outcomes downwards: to 0, to a quarter, to a half, to three quarters, to one less. */
static uint64_t smaller(uint64_t outcome, size_t number) {
  const uint64_t to[] = {0, outcome / 16, outcome / 4, outcome / 2, outcome - outcome / 4};
  return to[number];
}
#define SMALLER_WAYS 5u

static bool lower_one(const struct shrink *shrink, void *arg, size_t number, struct candidate *candidate) {
  const size_t at = *(const size_t *)arg;
  const uint64_t lower = smaller(shrink->best.outcomes[at], number);
  if (lower >= candidate->outcomes[at]) return false;
  candidate->outcomes[at] = lower;
  return true;
}

static void lower_values(struct shrink *shrink, enum deviation_form form) {
  for (size_t i = 0; i < shrink->deviations.count && !shrink->stopped; i++) {
    if (shrink->deviations.items[i].form != form || !shrink->best.there[i]) continue;
    while (!shrink->stopped && shrink->best.outcomes[i] > 1 &&
           shrink_try(shrink, lower_one, &i, 0, SMALLER_WAYS) < SMALLER_WAYS) {
    }
  }
}

/* All sleeps at once. */
static bool lower_sleeps(const struct shrink *shrink, void *arg, size_t number, struct candidate *candidate) {
  bool any = false;
  (void)arg;
  for (size_t i = 0; i < shrink->deviations.count; i++) {
    if (shrink->deviations.items[i].form != DEVIATION_SLEEP) continue;
    const uint64_t lower = smaller(candidate->outcomes[i], number);
    any = any || lower < candidate->outcomes[i];
    candidate->outcomes[i] = lower;
  }
  return any;
}

/* When faults stop: at the failure, or earlier. */
static bool end_earlier(const struct shrink *shrink, void *arg, size_t number, struct candidate *candidate) {
  const uint64_t now = *(const uint64_t *)arg, failed = shrink->result->last.time_ns + 1;
  const uint64_t ends[] = {now / 16, now / 8, now / 4, now / 2, now - now / 4, now - now / 8, now - now / 16, failed};
  if (ends[number] == 0 || ends[number] >= now) return false;
  candidate->duration_ns = ends[number];
  return true;
}
#define ENDS 8u

static void shorten(struct shrink *shrink) {
  for (;;) {
    uint64_t now = shrink->best.duration_ns;
    if (shrink->stopped || shrink_try(shrink, end_earlier, &now, 0, ENDS) == ENDS) return;
  }
}

static void note_step(struct shrink *shrink, const char *what, size_t before, uint64_t runs) {
  struct shrink_result *result = shrink->result;
  const size_t after = candidate_events(&shrink->best);
  const struct shrink_step step = {.what = what,
                                   .before = before,
                                   .after = after,
                                   .runs = result->runs - runs,
                                   .duration_ns = shrink->best.duration_ns};
  if (step.runs > 0 && result->step_count < SHRINK_STEPS_MAX) result->steps[result->step_count++] = step;
  if (shrink->options->progress != NULL)
    shrink->options->progress(shrink->options->progress_arg, &step, after, result->runs);
}

static void pass_shorten(struct shrink *shrink) {
  shorten(shrink);
}
static void pass_kinds(struct shrink *shrink) {
  calm_kinds(shrink);
}
static void pass_submits(struct shrink *shrink) {
  reduce_form(shrink, DEVIATION_SUBMIT);
}
static void pass_faults(struct shrink *shrink) {
  reduce_form(shrink, DEVIATION_FAULT);
}
static void pass_acts(struct shrink *shrink) {
  reduce_form(shrink, DEVIATION_ACT);
}
static void pass_rules(struct shrink *shrink) {
  reduce_form(shrink, DEVIATION_RULE);
}
static void pass_nodes(struct shrink *shrink) {
  reduce_form(shrink, DEVIATION_NODE);
}
static void pass_fates(struct shrink *shrink) {
  reduce_form(shrink, DEVIATION_FATE);
}
static void pass_details(struct shrink *shrink) {
  reduce_form(shrink, DEVIATION_DETAIL);
}
static void pass_sleeps(struct shrink *shrink) {
  while (!shrink->stopped && shrink_try(shrink, lower_sleeps, NULL, 0, SMALLER_WAYS) < SMALLER_WAYS) {
  }
  lower_values(shrink, DEVIATION_SLEEP);
}
static void pass_values(struct shrink *shrink) {
  lower_values(shrink, DEVIATION_FAULT);
  lower_values(shrink, DEVIATION_FATE);
  lower_values(shrink, DEVIATION_DETAIL);
}

static const struct pass {
  const char *what;
  void (*run)(struct shrink *shrink);
} PASSES[] = {
    {"the end", pass_shorten},
    {"kinds of fates", pass_kinds},
    {"submits", pass_submits},
    {"faults of the script", pass_faults},
    {"acts of the script", pass_acts},
    {"messages under a rule", pass_rules},
    {"nodes", pass_nodes},
    {"fates drawn anew", pass_draw},
    {"kinds of fates", pass_kinds},
    {"fates", pass_fates},
    {"details of submits", pass_details},
    {"sleeps", pass_sleeps},
    {"values", pass_values},
    {"the end", pass_shorten},
};

/* false: nothing got smaller, or there is no time for more. */
bool shrink_round(struct shrink *shrink) {
  const uint64_t before = candidate_hash(&shrink->best);
  for (size_t i = 0; i < sizeof PASSES / sizeof PASSES[0] && !shrink->stopped; i++) {
    const size_t events = candidate_events(&shrink->best);
    const uint64_t runs = shrink->result->runs, hash = candidate_hash(&shrink->best);
    PASSES[i].run(shrink);
    note_step(shrink, PASSES[i].what, events, runs);
    if (!shrink->stopped && candidate_hash(&shrink->best) != hash && !shrink_look_again(shrink)) shrink->stopped = true;
  }
  return !shrink->stopped && candidate_hash(&shrink->best) != before;
}
