#include "cluster/ledger.h"

#include <string.h>

#include "cluster/grow.h"

void ledger_init(struct ledger *ledger, struct sim_world *world) {
  memset(ledger, 0, sizeof *ledger);
  ledger->world = world;
  keys_init(&ledger->keys, world);
}

/* --- Lives ------------------------------------------------------------------ */

static uint32_t slot_of(const struct ledger *ledger, uint64_t incarnation) {
  uint32_t slot = (uint32_t)(incarnation >> 32) & (ledger->slots - 1u); /* drawn at random */
  while (ledger->by_incarnation[slot] && ledger->lives[ledger->by_incarnation[slot] - 1u].incarnation != incarnation)
    slot = (slot + 1u) & (ledger->slots - 1u);
  return slot;
}

void ledger_life_name(struct ledger *ledger, uint32_t life, uint64_t incarnation) {
  if ((ledger->slots_used + 1u) * 2u > ledger->slots) {
    uint32_t old_slots = ledger->slots;
    uint32_t *old = ledger->by_incarnation;
    ledger->slots = old_slots ? old_slots * 2u : 64u;
    ledger->by_incarnation = sim_alloc(ledger->world, ledger->slots * sizeof *ledger->by_incarnation);
    SIM_ASSERT(ledger->world, ledger->by_incarnation != NULL);
    memset(ledger->by_incarnation, 0, ledger->slots * sizeof *ledger->by_incarnation);
    for (uint32_t i = 0; i < old_slots; i++)
      if (old[i]) ledger->by_incarnation[slot_of(ledger, ledger->lives[old[i] - 1u].incarnation)] = old[i];
    sim_free(ledger->world, old, old_slots * sizeof *old);
  }
  ledger->lives[life].incarnation = incarnation;
  ledger->by_incarnation[slot_of(ledger, incarnation)] = life + 1u;
  ledger->slots_used++;
}

uint32_t ledger_life_begin(struct ledger *ledger, uint32_t node) {
  CLUSTER_GROW(ledger->world, ledger->lives, ledger->life_capacity, ledger->life_count + 1u);
  struct ledger_life *life = &ledger->lives[ledger->life_count];
  memset(life, 0, sizeof *life);
  life->node = node;
  return ledger->life_count++;
}

/* --- Submits ----------------------------------------------------------------- */

uint32_t ledger_submit(struct ledger *ledger, uint32_t life, uint64_t start) {
  CLUSTER_GROW(ledger->world, ledger->operations, ledger->operation_capacity, ledger->operation_count + 1u);
  struct ledger_operation *operation = &ledger->operations[ledger->operation_count];
  memset(operation, 0, sizeof *operation);
  operation->time_ns = sim_now(ledger->world);
  operation->life = life;
  operation->start = start;
  operation->change_first = ledger->change_count;
  operation->held_first = ledger->held_count;
  ledger->open = ledger->operation_count;
  return ledger->operation_count++;
}

void ledger_describe(struct ledger *ledger, uint32_t operation) {
  SIM_ASSERT(ledger->world, ledger->operations[operation].change_count == 0);
  ledger->operations[operation].change_first = ledger->change_count;
  ledger->open = operation;
}

uint32_t ledger_change_add(struct ledger *ledger, enum sync_change_kind kind, uint32_t key, uint32_t slot) {
  CLUSTER_GROW(ledger->world, ledger->changes, ledger->change_capacity, ledger->change_count + 1u);
  struct ledger_change *change = &ledger->changes[ledger->change_count];
  memset(change, 0, sizeof *change);
  change->operation = ledger->open;
  change->key = key;
  change->slot = slot;
  change->kind = (uint8_t)kind;
  change->seen_first = ledger->seen_count;
  ledger->operations[change->operation].change_count++;
  return ++ledger->change_count;
}

void ledger_seen_add(struct ledger *ledger, uint32_t number) {
  CLUSTER_GROW(ledger->world, ledger->seen, ledger->seen_capacity, ledger->seen_count + 1u);
  ledger->seen[ledger->seen_count++] = number;
  struct ledger_change *change = &ledger->changes[ledger->change_count - 1u];
  SIM_ASSERT(ledger->world, change->seen_count < UINT16_MAX);
  change->seen_count++;
}

void ledger_held_add(struct ledger *ledger, uint32_t life, uint32_t seq) {
  CLUSTER_GROW(ledger->world, ledger->held, ledger->held_capacity, ledger->held_count + 1u);
  ledger->held[ledger->held_count++] = (struct ledger_held){life, seq};
  ledger->operations[ledger->operation_count - 1u].held_count++;
}

void ledger_value_add(struct ledger *ledger, uint32_t size, uint32_t of) {
  struct ledger_change *change = &ledger->changes[ledger->change_count - 1u];
  change->value_size = size;
  change->value_of = of;
}

/* Counters and flags are put again and again as the same: what the text before was is not kept twice. */
void ledger_value_choose(struct ledger *ledger, const void *bytes, uint32_t size) {
  struct ledger_change *change = &ledger->changes[ledger->change_count - 1u];
  change->value_size = size;
  uint32_t before = ledger->text_size >= size ? ledger->text_size - size : 0;
  bool same = size > 0 && ledger->text_size >= size && memcmp(ledger->texts + before, bytes, size) == 0;
  if (!same) {
    CLUSTER_GROW(ledger->world, ledger->texts, ledger->text_capacity, ledger->text_size + size);
    if (size > 0) memcpy(ledger->texts + ledger->text_size, bytes, size);
    before = ledger->text_size;
    ledger->text_size += size;
  }
  change->value_text = before + 1u;
}

void ledger_value_repeat(struct ledger *ledger, uint32_t number) {
  struct ledger_change *change = &ledger->changes[ledger->change_count - 1u];
  const struct ledger_change *other = &ledger->changes[number - 1u];
  change->value_size = other->value_size;
  change->value_of = other->value_of;
  change->value_text = other->value_text;
}

void ledger_accept(struct ledger *ledger, uint32_t operation, uint64_t position) {
  struct ledger_operation *accepted = &ledger->operations[operation];
  struct ledger_life *life = &ledger->lives[accepted->life];
  CLUSTER_GROW(ledger->world, life->operations, life->capacity, life->count + 1u);
  life->operations[life->count++] = operation;
  accepted->seq = life->count;
  accepted->position = position;
  accepted->result = LEDGER_ACCEPTED;
}

/* --- Promises ------------------------------------------------------------------ */

uint32_t ledger_promise(struct ledger *ledger, uint32_t life_index, uint64_t durable_position) {
  struct ledger_life *life = &ledger->lives[life_index];
  uint32_t before = life->promised;
  while (life->promised < life->count) {
    struct ledger_operation *operation = &ledger->operations[life->operations[life->promised]];
    if (operation->position > durable_position) break;
    operation->result = LEDGER_PROMISED;
    life->promised++;
  }
  ledger->promised += life->promised - before;
  return life->promised - before;
}

void ledger_wiped(struct ledger *ledger, uint32_t node) {
  for (uint32_t i = 0; i < ledger->life_count; i++)
    if (ledger->lives[i].node == node) ledger->lives[i].lost = true;
}

void ledger_image_saved(struct ledger *ledger, uint32_t node, uint32_t present, uint64_t durable_position) {
  for (uint32_t i = 0; i < ledger->life_count; i++) {
    struct ledger_life *life = &ledger->lives[i];
    if (life->node != node) continue;
    life->imaged = life->lost ? 0 : life->promised;
    if (i != present) continue;
    while (life->imaged > 0 && ledger->operations[life->operations[life->imaged - 1u]].position > durable_position)
      life->imaged--;
  }
}

void ledger_image_restored(struct ledger *ledger, uint32_t node) {
  for (uint32_t i = 0; i < ledger->life_count; i++) {
    struct ledger_life *life = &ledger->lives[i];
    if (life->node != node) continue;
    life->promised = life->imaged;
    life->lost = false; /* a wipe or a newer promise: the image knows of neither */
  }
}

uint32_t ledger_change_of(const struct ledger *ledger, uint32_t operation, uint32_t slot) {
  const struct ledger_operation *found = &ledger->operations[operation];
  for (uint32_t i = 0; i < found->change_count; i++)
    if (ledger->changes[found->change_first + i].slot == slot) return found->change_first + i + 1u;
  return 0;
}

/* --- Values --------------------------------------------------------------------- */

/* The first four bytes are the number, eight by eight the rest is filler, the
 * lowest byte of a word first. */
static uint64_t value_word(uint64_t base, uint32_t number, size_t at) {
  return at ? sim_hash_fold(base, at) : number;
}
static size_t word_end(size_t at, size_t size) {
  size_t end = at ? at + 8 : 4;
  return end < size ? end : size;
}

void ledger_value_write(uint32_t number, uint8_t *value, size_t size) {
  uint64_t base = sim_hash_fold(number, size);
  for (size_t i = 0; i < size;) {
    uint64_t word = value_word(base, number, i);
    for (size_t end = word_end(i, size); i < end; i++, word >>= 8)
      value[i] = (uint8_t)word;
  }
}

static uint64_t eight(const uint8_t *b) {
  uint32_t low = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
  uint32_t high = b[4] | (uint32_t)b[5] << 8 | (uint32_t)b[6] << 16 | (uint32_t)b[7] << 24;
  return low | (uint64_t)high << 32;
}

static bool is_value_by_bytes(uint32_t number, const uint8_t *value, size_t size) {
  uint64_t base = sim_hash_fold(number, size);
  for (size_t i = 0; i < size;) {
    uint64_t word = value_word(base, number, i);
    for (size_t end = word_end(i, size); i < end; i++, word >>= 8)
      if (value[i] != (uint8_t)word) return false;
  }
  return true;
}

/* Word by word; the last one as what ends there, of which the rest is shifted out. */
static bool is_value(uint32_t number, const uint8_t *value, size_t size) {
  if (size < LEDGER_VALUE_BYTES_MIN) return is_value_by_bytes(number, value, size);
  uint64_t base = sim_hash_fold(number, size);
  uint64_t differs = (uint32_t)eight(value) ^ number;
  size_t at = 4;
  for (; size - at >= 8; at += 8)
    differs |= eight(value + at) ^ sim_hash_fold(base, at);
  size_t left = 8u * (size - at);
  if (left) differs |= (eight(value + size - 8) >> (64u - left) ^ sim_hash_fold(base, at)) << (64u - left);
  return differs == 0;
}

uint32_t ledger_value_read(const void *value, size_t size) {
  const uint8_t *bytes = value;
  if (size < LEDGER_VALUE_BYTES_MIN) return 0;
  uint32_t number = 0;
  for (size_t i = 0; i < 4; i++)
    number |= (uint32_t)bytes[i] << (8u * i);
  return is_value(number, bytes, size) ? number : 0;
}

bool ledger_value_is(const struct ledger *ledger, uint32_t number, const void *value, size_t size) {
  const struct ledger_change *change = &ledger->changes[number - 1u];
  if (size != change->value_size) return false;
  if (!change->value_text) return is_value(change->value_of, value, size);
  return size == 0 || memcmp(ledger->texts + change->value_text - 1u, value, size) == 0;
}

void ledger_value_give(const struct ledger *ledger, uint32_t number, uint8_t *value) {
  const struct ledger_change *change = &ledger->changes[number - 1u];
  if (!change->value_text)
    ledger_value_write(change->value_of, value, change->value_size);
  else if (change->value_size > 0)
    memcpy(value, ledger->texts + change->value_text - 1u, change->value_size);
}
