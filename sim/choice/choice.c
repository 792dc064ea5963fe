#include "sim/world/world.h"

#include "sim/choice/choice_source.h"
#include "sim/memory/mix.h"

#define SALT_IDENTITY UINT64_C(0x9e3779b97f4a7c15)
#define SALT_UNIQUE UINT64_C(0xd1342543de82ef95)

static inline uint64_t draw_mixed(uint64_t mixed_seed, struct sim_tag tag) {
  uint64_t where = (uint64_t)tag.kind << 32 | tag.where;
  uint64_t mixed = sim_mix(mixed_seed ^ where);
  return sim_mix(sim_mix(mixed + tag.identity * SALT_IDENTITY) ^ tag.identity);
}

uint64_t sim_mix_seed(uint64_t seed) {
  return sim_mix(seed + SALT_IDENTITY);
}

uint64_t sim_draw(uint64_t seed, struct sim_tag tag) {
  return draw_mixed(sim_mix_seed(seed), tag);
}

/* A table may hold an outcome that this edition of the world does not allow. */
static uint64_t clamp(uint64_t value, uint64_t lo, uint64_t hi) {
  if (value < lo) return lo;
  return value > hi ? hi : value;
}

static inline uint64_t draw_chance(uint64_t mixed_seed, struct sim_tag tag, uint32_t ppm) {
  return sim_scale(draw_mixed(mixed_seed, tag), 1000000) < ppm;
}

static inline uint64_t draw_between(uint64_t mixed_seed, struct sim_tag tag, uint64_t lo, uint64_t hi) {
  uint64_t bits = draw_mixed(mixed_seed, tag), n = hi - lo + 1;
  return lo + (n == 0 ? bits : sim_scale(bits, n));
}

/* --- What is not simply drawn --- */

static uint64_t from_seed(struct sim *sim, const struct sim_question *question) {
  uint64_t mixed_seed = sim->mixed_seed;
  size_t reseed = sim->world->reseed, count = 0;
  if (reseed > 0 && sim->source.overrides != NULL) {
    const struct sim_reseed *reseeds = sim_choice_table_reseeds(sim->source.overrides, &count);
    if (reseed <= count) mixed_seed = sim_mix_seed(reseeds[reseed - 1].seed);
  }
  if (question->ppm > 0) return draw_chance(mixed_seed, question->tag, question->ppm);
  return draw_between(mixed_seed, question->tag, question->lo, question->hi);
}

static bool is_asked(const struct sim_choice_source *source, uint32_t kind) {
  if (source->only == NULL) return true;
  for (size_t i = 0; i < source->only_count; i++) {
    if (source->only[i] == kind) return true;
  }
  return false;
}

static uint64_t from_rest(struct sim *sim, const struct sim_question *question) {
  const struct sim_choice_source *source = &sim->source;
  uint64_t outcome = question->lo;
  switch (source->rest) {
  case SIM_REST_SEED:
    return from_seed(sim, question);
  case SIM_REST_CALM:
    break;
  case SIM_REST_BYTES:
    if (!is_asked(source, question->tag.kind)) break;
    SIM_ASSERT(sim->world, sim_choice_bytes_decide(source->bytes, question, &outcome));
    break;
  case SIM_REST_ENUMERATE:
    if (!is_asked(source, question->tag.kind)) break;
    SIM_ASSERT(sim->world, sim_enumerator_decide(source->enumerator, question, &outcome));
    break;
  }
  return clamp(outcome, question->lo, question->hi);
}

static uint64_t decide(struct sim *sim, const struct sim_question *question) {
  uint64_t outcome;
  if (sim->source.overrides != NULL && sim_choice_table_get(sim->source.overrides, question->tag, &outcome)) {
    outcome = clamp(outcome, question->lo, question->hi);
  } else {
    outcome = from_rest(sim, question);
  }
  if (sim->source.record != NULL) {
    SIM_ASSERT(sim->world, sim_choice_table_set(sim->source.record, question->tag, outcome));
  }
  return outcome;
}

uint32_t sim_chance(struct sim_world *world, struct sim_tag tag, uint32_t ppm) {
  if (ppm == 0) return 0;
  struct sim *sim = world_sim(world);
  if (sim->plain_seed) return (uint32_t)draw_chance(sim->mixed_seed, tag, ppm);
  struct sim_question question = {.tag = tag, .hi = 1, .ppm = ppm};
  return (uint32_t)decide(sim, &question);
}

uint64_t sim_pick(struct sim_world *world, struct sim_tag tag, uint64_t n) {
  SIM_ASSERT(world, n >= 1);
  struct sim *sim = world_sim(world);
  if (sim->plain_seed) return draw_between(sim->mixed_seed, tag, 0, n - 1);
  struct sim_question question = {.tag = tag, .hi = n - 1};
  return decide(sim, &question);
}

uint64_t sim_range(struct sim_world *world, struct sim_tag tag, uint64_t lo, uint64_t hi) {
  SIM_ASSERT(world, lo <= hi);
  struct sim *sim = world_sim(world);
  if (sim->plain_seed) return draw_between(sim->mixed_seed, tag, lo, hi);
  struct sim_question question = {.tag = tag, .lo = lo, .hi = hi, .is_range = true};
  return decide(sim, &question);
}

/* --- Sources --- */

void sim_set_source(struct sim *sim, const struct sim_choice_source *source) {
  sim->source = *source;
  sim->mixed_seed = sim_mix_seed(source->seed);
  sim->plain_seed = source->overrides == NULL && source->record == NULL && source->rest == SIM_REST_SEED;
  size_t count = 0;
  if (source->overrides != NULL) (void)sim_choice_table_reseeds(source->overrides, &count);
  sim->has_reseeds = count > 0;
}

void world_reseed(struct sim_world *world, uint64_t event) {
  const struct sim_choice_source *source = &world_sim(world)->source;
  size_t count = 0;
  const struct sim_reseed *reseeds = sim_choice_table_reseeds(source->overrides, &count);
  for (size_t i = 0; i < count; i++) {
    if (reseeds[i].event != event) continue;
    world->reseed = (uint32_t)i + 1;
    if (source->record != NULL) SIM_ASSERT(world, sim_choice_table_reseed(source->record, reseeds[i]));
  }
}

struct sim_mark sim_mark(const struct sim *sim) {
  struct sim_mark mark = {0};
  const struct sim_choice_source *source = &sim->source;
  if (source->record != NULL) mark.record = sim_choice_table_mark(source->record);
  if (source->rest == SIM_REST_BYTES) mark.position = sim_choice_bytes_mark(source->bytes, &mark.memo);
  if (source->rest == SIM_REST_ENUMERATE) mark.position = sim_enumerator_mark(source->enumerator, &mark.memo);
  if (sim->trace != NULL) mark.trace = sim_trace_log_count(sim->trace);
  return mark;
}

void sim_rewind(struct sim *sim, struct sim_mark mark) {
  const struct sim_choice_source *source = &sim->source;
  if (source->record != NULL) sim_choice_table_cut(source->record, mark.record);
  if (source->rest == SIM_REST_BYTES) sim_choice_bytes_cut(source->bytes, mark.position, mark.memo);
  if (source->rest == SIM_REST_ENUMERATE) sim_enumerator_cut(source->enumerator, mark.position, mark.memo);
  if (sim->trace != NULL) sim_trace_log_cut(sim->trace, mark.trace);
}

/* --- Identities --- */

/* Keys of the counter map: bit 63 tells identities from decisions, bit 62
 * keeps them from being 0. */
static uint64_t next_count(struct sim_world *world, uint64_t kind_bit, uint32_t kind, uint32_t where) {
  SIM_ASSERT(world, kind < (UINT32_C(1) << 30));
  uint64_t key = kind_bit << 63 | UINT64_C(1) << 62 | (uint64_t)kind << 32 | where;
  uint64_t *count = sim_map_at(world, &world->counters, key);
  SIM_ASSERT(world, count != NULL);
  return (*count)++;
}

uint64_t sim_counter(struct sim_world *world, uint32_t kind, uint32_t where) {
  return next_count(world, 0, kind, where);
}

/* A bijection of (kind, where, count) under each seed: no two are equal. */
uint64_t sim_unique(struct sim_world *world, uint32_t kind, uint32_t where) {
  uint64_t seed = world->seed;
  SIM_ASSERT(world, kind < 64 && where < (UINT32_C(1) << 26));
  for (;;) {
    uint64_t count = next_count(world, 1, kind, where);
    SIM_ASSERT(world, count <= UINT32_MAX);
    uint64_t packed = (uint64_t)kind << 58 | (uint64_t)where << 32 | count;
    uint64_t value = sim_mix(sim_mix(packed ^ sim_mix(seed + SALT_UNIQUE)) ^ sim_mix(seed ^ SALT_UNIQUE));
    if (value != 0) return value;
  }
}
