#include "sim/choice/choices.h"

#include "sim/choice/choice_bytes.h"
#include "sim/choice/draw.h"
#include "sim/choice/enumerator.h"
#include "sim/choice/question.h"

#define SALT_UNIQUE UINT64_C(0xd1342543de82ef95)

static inline struct choice_seat *seat_of(const struct choices *choices) {
  return choices->memory->root->seat;
}

uint64_t sim_draw(uint64_t seed, struct sim_tag tag) {
  return draw_mixed(draw_mix_seed(seed), tag);
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

/* A third each for the first and the last outcome, and for those between. */
static inline uint64_t draw_ends(uint64_t mixed_seed, struct sim_tag tag, uint64_t n) {
  uint64_t bits = draw_mixed(mixed_seed, tag), third = sim_scale(bits, 3);
  if (n < 3) return sim_scale(bits, n);
  if (third < 2) return third == 0 ? 0 : n - 1;
  return 1 + sim_scale(sim_mix(bits), n - 2);
}

/* --- What is not simply drawn --- */

static uint64_t from_seed(const struct choices *choices, const struct sim_question *question) {
  const struct choice_seat *seat = seat_of(choices);
  uint64_t mixed_seed = seat->mixed_seed;
  size_t reseed = choices->reseed, count = 0;
  if (reseed > 0 && seat->source.overrides != NULL) {
    const struct sim_reseed *reseeds = sim_choice_table_reseeds(seat->source.overrides, &count);
    if (reseed <= count) mixed_seed = draw_mix_seed(reseeds[reseed - 1].seed);
  }
  if (question->ppm > 0) return draw_chance(mixed_seed, question->tag, question->ppm);
  if (question->ends) return draw_ends(mixed_seed, question->tag, question->hi + 1);
  return draw_between(mixed_seed, question->tag, question->lo, question->hi);
}

static bool is_asked(const struct sim_choice_source *source, uint32_t kind) {
  if (source->only == NULL) return true;
  for (size_t i = 0; i < source->only_count; i++) {
    if (source->only[i] == kind) return true;
  }
  return false;
}

static uint64_t from_rest(const struct choices *choices, const struct sim_question *question) {
  const struct sim_choice_source *source = &seat_of(choices)->source;
  uint64_t outcome = question->lo;
  switch (source->rest) {
  case SIM_REST_SEED:
    return is_asked(source, question->tag.kind) ? from_seed(choices, question) : question->lo;
  case SIM_REST_CALM:
    break;
  case SIM_REST_BYTES:
    if (!is_asked(source, question->tag.kind)) break;
    MEMORY_ASSERT(choices->memory, sim_choice_bytes_decide(source->bytes, question, &outcome));
    break;
  case SIM_REST_ENUMERATE:
    if (!is_asked(source, question->tag.kind)) break;
    MEMORY_ASSERT(choices->memory, sim_enumerator_decide(source->enumerator, question, &outcome));
    break;
  }
  return clamp(outcome, question->lo, question->hi);
}

/* What a table says of a question; false: nothing. */
static bool from_table(const struct sim_choice_table *table, const struct sim_question *question, uint64_t *outcome) {
  if (table == NULL) return false;
  if (!sim_choice_table_get(table, question->tag, outcome) &&
      !sim_choice_table_get_kind(table, question->tag.kind, outcome))
    return false;
  *outcome = clamp(*outcome, question->lo, question->hi);
  return true;
}

static uint64_t decide(const struct choices *choices, const struct sim_question *question) {
  const struct sim_choice_source *source = &seat_of(choices)->source;
  uint64_t outcome = 0;
  if (!from_table(source->overrides, question, &outcome) && !from_table(source->fixed, question, &outcome))
    outcome = from_rest(choices, question);
  if (source->record != NULL) {
    MEMORY_ASSERT(choices->memory, sim_choice_table_set(source->record, question->tag, outcome));
  }
  return outcome;
}

uint32_t choice_chance(struct choices *choices, struct sim_tag tag, uint32_t ppm) {
  if (ppm == 0) return 0;
  const struct choice_seat *seat = seat_of(choices);
  if (seat->plain_seed) return (uint32_t)draw_chance(seat->mixed_seed, tag, ppm);
  struct sim_question question = {.tag = tag, .hi = 1, .ppm = ppm};
  return (uint32_t)decide(choices, &question);
}

uint64_t choice_pick(struct choices *choices, struct sim_tag tag, uint64_t n) {
  MEMORY_ASSERT(choices->memory, n >= 1);
  const struct choice_seat *seat = seat_of(choices);
  if (seat->plain_seed) return draw_between(seat->mixed_seed, tag, 0, n - 1);
  struct sim_question question = {.tag = tag, .hi = n - 1};
  return decide(choices, &question);
}

uint64_t choice_pick_ends(struct choices *choices, struct sim_tag tag, uint64_t n) {
  MEMORY_ASSERT(choices->memory, n >= 1);
  const struct choice_seat *seat = seat_of(choices);
  if (seat->plain_seed) return draw_ends(seat->mixed_seed, tag, n);
  struct sim_question question = {.tag = tag, .hi = n - 1, .ends = true};
  return decide(choices, &question);
}

uint64_t choice_range(struct choices *choices, struct sim_tag tag, uint64_t lo, uint64_t hi) {
  MEMORY_ASSERT(choices->memory, lo <= hi);
  const struct choice_seat *seat = seat_of(choices);
  if (seat->plain_seed) return draw_between(seat->mixed_seed, tag, lo, hi);
  struct sim_question question = {.tag = tag, .lo = lo, .hi = hi, .is_range = true};
  return decide(choices, &question);
}

uint64_t choice_usual(struct choices *choices, struct sim_tag tag, uint64_t usual, uint64_t lo, uint64_t hi) {
  const struct sim_choice_source *source = &seat_of(choices)->source;
  uint64_t outcome = usual;
  if ((source->overrides != NULL && sim_choice_table_get(source->overrides, tag, &outcome)) ||
      (source->fixed != NULL && sim_choice_table_get(source->fixed, tag, &outcome)))
    outcome = clamp(outcome, lo, hi);
  if (source->record != NULL) MEMORY_ASSERT(choices->memory, sim_choice_table_set(source->record, tag, outcome));
  return outcome;
}

/* --- Sources --- */

void choice_seat_take(struct choice_seat *seat, const struct sim_choice_source *source) {
  seat->source = *source;
  seat->mixed_seed = draw_mix_seed(source->seed);
  seat->plain_seed = source->overrides == NULL && source->fixed == NULL && source->record == NULL &&
                     source->rest == SIM_REST_SEED && source->only == NULL;
  size_t count = 0;
  if (source->overrides != NULL) (void)sim_choice_table_reseeds(source->overrides, &count);
  seat->has_reseeds = count > 0;
}

void choices_reseed(struct choices *choices, uint64_t event) {
  const struct sim_choice_source *source = &seat_of(choices)->source;
  size_t count = 0;
  const struct sim_reseed *reseeds = sim_choice_table_reseeds(source->overrides, &count);
  for (size_t i = 0; i < count; i++) {
    if (reseeds[i].event != event) continue;
    choices->reseed = (uint32_t)i + 1;
    if (source->record != NULL) MEMORY_ASSERT(choices->memory, sim_choice_table_reseed(source->record, reseeds[i]));
  }
}

struct sim_source_mark choice_seat_mark(const struct choice_seat *seat) {
  struct sim_source_mark mark = {0};
  const struct sim_choice_source *source = &seat->source;
  if (source->record != NULL) mark.record = sim_choice_table_mark(source->record);
  if (source->rest == SIM_REST_BYTES) mark.position = sim_choice_bytes_mark(source->bytes, &mark.memo);
  if (source->rest == SIM_REST_ENUMERATE) mark.position = sim_enumerator_mark(source->enumerator, &mark.memo);
  return mark;
}

void choice_seat_rewind(struct choice_seat *seat, struct sim_source_mark mark) {
  const struct sim_choice_source *source = &seat->source;
  if (source->record != NULL) sim_choice_table_cut(source->record, mark.record);
  if (source->rest == SIM_REST_BYTES) sim_choice_bytes_cut(source->bytes, mark.position, mark.memo);
  if (source->rest == SIM_REST_ENUMERATE) sim_enumerator_cut(source->enumerator, mark.position, mark.memo);
}

void choices_init(struct choices *choices, const struct memory *memory, uint64_t seed) {
  *choices = (struct choices){.memory = memory, .seed = seed};
}

/* --- Identities --- */

/* Keys of the counter map: bit 63 tells identities from decisions, bit 62
 * keeps them from being 0. */
static uint64_t *counter_at(struct choices *choices, uint64_t kind_bit, uint32_t kind, uint32_t where) {
  MEMORY_ASSERT(choices->memory, kind < (UINT32_C(1) << 30));
  uint64_t key = kind_bit << 63 | UINT64_C(1) << 62 | (uint64_t)kind << 32 | where;
  uint64_t *count = sim_map_at(choices->memory, &choices->counters, key);
  MEMORY_ASSERT(choices->memory, count != NULL);
  return count;
}

static uint64_t next_count(struct choices *choices, uint64_t kind_bit, uint32_t kind, uint32_t where) {
  return (*counter_at(choices, kind_bit, kind, where))++;
}

uint64_t choice_counter(struct choices *choices, uint32_t kind, uint32_t where) {
  return next_count(choices, 0, kind, where);
}

/* Neither bit of the counters' keys. */
uint64_t choice_nth(struct choices *choices, uint64_t name) {
  uint64_t *count = sim_map_at(choices->memory, &choices->counters, sim_mix(name) >> 2 | 1u);
  MEMORY_ASSERT(choices->memory, count != NULL);
  return (*count)++;
}

#define MOMENT_COUNT_BITS 20u

uint64_t choice_moment(struct choices *choices, uint32_t kind, uint32_t where, uint64_t time_ns) {
  uint64_t *next = counter_at(choices, 0, kind, where);
  uint64_t span = time_ns >> CHOICE_SPAN_SHIFT;
  if (*next >> MOMENT_COUNT_BITS != span) *next = span << MOMENT_COUNT_BITS;
  return (*next)++;
}

/* A bijection of (kind, where, count) under each seed: no two are equal. */
uint64_t choice_unique(struct choices *choices, uint32_t kind, uint32_t where) {
  uint64_t seed = choices->seed;
  MEMORY_ASSERT(choices->memory, kind < 64 && where < (UINT32_C(1) << 26));
  for (;;) {
    uint64_t count = next_count(choices, 1, kind, where);
    MEMORY_ASSERT(choices->memory, count <= UINT32_MAX);
    uint64_t packed = (uint64_t)kind << 58 | (uint64_t)where << 32 | count;
    uint64_t value = sim_mix(sim_mix(packed ^ sim_mix(seed + SALT_UNIQUE)) ^ sim_mix(seed ^ SALT_UNIQUE));
    if (value != 0) return value;
  }
}
