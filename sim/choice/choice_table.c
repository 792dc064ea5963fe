#include "sim/choice/choice_table.h"

#include "sim/choice/draw.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "syncsim-choices 1"

struct entry {
  struct sim_tag tag;
  uint64_t outcome;
};

struct replaced {
  size_t entry;
  uint64_t outcome;
};

struct sim_choice_table {
  struct entry *entries; /* in order of arrival */
  size_t count, capacity;
  uint32_t *slots;           /* entry number + 1; 0: empty */
  size_t slot_count;         /* a power of two */
  struct replaced *replaced; /* in order, so that a cut can put them back */
  size_t replaced_count, replaced_capacity;
  struct sim_choice_of_kind kinds[SIM_CHOICE_KINDS_MAX];
  size_t kind_count;
  struct sim_reseed *reseeds;
  size_t reseed_count, reseed_capacity;
};

struct sim_choice_table *sim_choice_table_create(void) {
  return calloc(1, sizeof(struct sim_choice_table));
}

void sim_choice_table_destroy(struct sim_choice_table *table) {
  if (table == NULL) return;
  free(table->entries);
  free(table->slots);
  free(table->replaced);
  free(table->reseeds);
  free(table);
}

size_t sim_choice_table_count(const struct sim_choice_table *table) {
  return table->count;
}

struct sim_tag sim_choice_table_at(const struct sim_choice_table *table, size_t i, uint64_t *outcome) {
  *outcome = table->entries[i].outcome;
  return table->entries[i].tag;
}

static bool same(struct sim_tag a, struct sim_tag b) {
  return a.identity == b.identity && a.kind == b.kind && a.where == b.where;
}

static size_t find_slot(const struct sim_choice_table *table, struct sim_tag tag) {
  size_t slot = (size_t)draw_mixed(draw_mix_seed(0), tag) & (table->slot_count - 1);
  while (table->slots[slot] != 0 && !same(table->entries[table->slots[slot] - 1].tag, tag)) {
    slot = (slot + 1) & (table->slot_count - 1);
  }
  return slot;
}

/* The items with room for one more; NULL: no memory, and they stay as they are. */
static void *reserve(void *items, size_t *capacity, size_t count, size_t item_bytes) {
  if (count < *capacity) return items;
  size_t wanted = *capacity == 0 ? 64 : *capacity * 2;
  if (wanted > UINT32_MAX / 4) return NULL;
  void *grown = realloc(items, wanted * item_bytes);
  if (grown != NULL) *capacity = wanted;
  return grown;
}

static bool grow(struct sim_choice_table *table) {
  struct entry *entries = reserve(table->entries, &table->capacity, table->count, sizeof *entries);
  if (entries == NULL) return false;
  table->entries = entries;
  if (table->slot_count >= (table->count + 1) * 2) return true;
  size_t slot_count = table->slot_count == 0 ? 256 : table->slot_count * 2;
  uint32_t *slots = calloc(slot_count, sizeof *slots);
  if (slots == NULL) return false;
  free(table->slots);
  table->slots = slots;
  table->slot_count = slot_count;
  for (size_t i = 0; i < table->count; i++) {
    slots[find_slot(table, table->entries[i].tag)] = (uint32_t)(i + 1);
  }
  return true;
}

bool sim_choice_table_set(struct sim_choice_table *table, struct sim_tag tag, uint64_t outcome) {
  if (!grow(table)) return false;
  size_t slot = find_slot(table, tag);
  if (table->slots[slot] != 0) {
    struct entry *entry = &table->entries[table->slots[slot] - 1];
    if (entry->outcome == outcome) return true;
    struct replaced *replaced =
        reserve(table->replaced, &table->replaced_capacity, table->replaced_count, sizeof *replaced);
    if (replaced == NULL) return false;
    table->replaced = replaced;
    table->replaced[table->replaced_count++] = (struct replaced){table->slots[slot] - 1, entry->outcome};
    entry->outcome = outcome;
    return true;
  }
  table->entries[table->count] = (struct entry){tag, outcome};
  table->slots[slot] = (uint32_t)++table->count;
  return true;
}

void sim_choice_table_clear(struct sim_choice_table *table) {
  table->count = table->replaced_count = table->reseed_count = table->kind_count = 0;
  if (table->slot_count > 0) memset(table->slots, 0, table->slot_count * sizeof *table->slots);
}

bool sim_choice_table_set_kind(struct sim_choice_table *table, uint32_t kind, uint64_t outcome) {
  size_t at = 0;
  while (at < table->kind_count && table->kinds[at].kind != kind)
    at++;
  if (at == SIM_CHOICE_KINDS_MAX) return false;
  table->kinds[at] = (struct sim_choice_of_kind){kind, outcome};
  if (at == table->kind_count) table->kind_count++;
  return true;
}

bool sim_choice_table_get_kind(const struct sim_choice_table *table, uint32_t kind, uint64_t *outcome) {
  for (size_t i = 0; i < table->kind_count; i++) {
    if (table->kinds[i].kind != kind) continue;
    *outcome = table->kinds[i].outcome;
    return true;
  }
  return false;
}

const struct sim_choice_of_kind *sim_choice_table_kinds(const struct sim_choice_table *table, size_t *count) {
  *count = table->kind_count;
  return table->kinds;
}

bool sim_choice_table_reseed(struct sim_choice_table *table, struct sim_reseed reseed) {
  struct sim_reseed *reseeds = reserve(table->reseeds, &table->reseed_capacity, table->reseed_count, sizeof *reseeds);
  if (reseeds == NULL) return false;
  table->reseeds = reseeds;
  table->reseeds[table->reseed_count++] = reseed;
  return true;
}

const struct sim_reseed *sim_choice_table_reseeds(const struct sim_choice_table *table, size_t *count) {
  *count = table->reseed_count;
  return table->reseeds;
}

struct sim_choice_mark sim_choice_table_mark(const struct sim_choice_table *table) {
  return (struct sim_choice_mark){table->count, table->replaced_count, table->reseed_count};
}

void sim_choice_table_cut(struct sim_choice_table *table, struct sim_choice_mark mark) {
  while (table->replaced_count > mark.replaced) {
    const struct replaced *replaced = &table->replaced[--table->replaced_count];
    table->entries[replaced->entry].outcome = replaced->outcome;
  }
  if (table->reseed_count > mark.reseeds) table->reseed_count = mark.reseeds;
  /* Backwards, the last one of a run of slots is the one that came last. */
  while (table->count > mark.outcomes) {
    table->slots[find_slot(table, table->entries[table->count - 1].tag)] = 0;
    table->count--;
  }
}

bool sim_choice_table_get(const struct sim_choice_table *table, struct sim_tag tag, uint64_t *outcome) {
  if (table->slot_count == 0) return false;
  uint32_t number = table->slots[find_slot(table, tag)];
  if (number == 0) return false;
  *outcome = table->entries[number - 1].outcome;
  return true;
}

static int by_tag(const void *left, const void *right) {
  const struct sim_tag *a = &((const struct entry *)left)->tag;
  const struct sim_tag *b = &((const struct entry *)right)->tag;
  if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
  if (a->where != b->where) return a->where < b->where ? -1 : 1;
  if (a->identity != b->identity) return a->identity < b->identity ? -1 : 1;
  return 0;
}

bool sim_choice_table_write(const struct sim_choice_table *table, uint64_t seed, FILE *file) {
  size_t bytes = table->count * sizeof *table->entries;
  struct entry *sorted = malloc(bytes + 1);
  if (sorted == NULL) return false;
  if (bytes > 0) memcpy(sorted, table->entries, bytes);
  qsort(sorted, table->count, sizeof *sorted, by_tag);
  bool ok = fprintf(file, HEADER "\nseed %" PRIu64 "\n", seed) > 0;
  for (size_t i = 0; ok && i < table->count; i++) {
    const struct entry *entry = &sorted[i];
    ok = fprintf(file, "%" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 "\n", entry->tag.kind, entry->tag.where,
                 entry->tag.identity, entry->outcome) > 0;
  }
  for (size_t i = 0; ok && i < table->reseed_count; i++) {
    const struct sim_reseed *reseed = &table->reseeds[i];
    ok = fprintf(file, "reseed %" PRIu64 " %" PRIu64 "\n", reseed->event, reseed->seed) > 0;
  }
  free(sorted);
  return fflush(file) == 0 && ok;
}

/* --- Reading: any bytes --- */

static bool read_number(const char **text, uint64_t max, uint64_t *value) {
  const char *at = *text;
  if (*at < '0' || *at > '9') return false;
  uint64_t number = 0;
  for (; *at >= '0' && *at <= '9'; at++) {
    uint64_t digit = (uint64_t)(*at - '0');
    if (number > (max - digit) / 10) return false;
    number = number * 10 + digit;
  }
  *value = number;
  *text = at;
  return true;
}

static bool read_entry(const char *line, struct entry *entry) {
  uint64_t values[4];
  static const uint64_t max[4] = {UINT32_MAX, UINT32_MAX, UINT64_MAX, UINT64_MAX};
  for (size_t i = 0; i < 4; i++) {
    if (i > 0 && *line++ != ' ') return false;
    if (!read_number(&line, max[i], &values[i])) return false;
  }
  *entry = (struct entry){sim_tag((uint32_t)values[0], (uint32_t)values[1], values[2]), values[3]};
  return *line == '\0';
}

static bool read_reseed(const char *line, struct sim_reseed *reseed) {
  if (!read_number(&line, UINT64_MAX, &reseed->event) || *line++ != ' ') return false;
  return read_number(&line, UINT64_MAX, &reseed->seed) && *line == '\0';
}

static bool read_line(FILE *file, char *line, size_t size) {
  if (fgets(line, (int)size, file) == NULL) return false;
  size_t length = strlen(line);
  if (length > 0 && line[length - 1] == '\n') line[length - 1] = '\0';
  return true;
}

static bool take_line(struct sim_choice_table *table, unsigned long number, const char *line, uint64_t *seed,
                      const char **problem) {
  if (number == 1) {
    *problem = "not a choice recording of this version (expected \"" HEADER "\")";
    return strcmp(line, HEADER) == 0;
  }
  if (number == 2) {
    *problem = "expected \"seed\" and a number";
    if (strncmp(line, "seed ", 5) != 0) return false;
    line += 5;
    return read_number(&line, UINT64_MAX, seed) && *line == '\0';
  }
  if (strncmp(line, "reseed ", 7) == 0) {
    struct sim_reseed reseed;
    *problem = "expected \"reseed\" and two numbers: event, seed";
    if (!read_reseed(line + 7, &reseed)) return false;
    *problem = "memory ran out";
    return sim_choice_table_reseed(table, reseed);
  }
  struct entry entry;
  *problem = "expected four numbers: kind, where, identity, outcome";
  if (!read_entry(line, &entry)) return false;
  *problem = "memory ran out";
  return sim_choice_table_set(table, entry.tag, entry.outcome);
}

struct sim_choice_table *sim_choice_table_read(FILE *file, uint64_t *seed, char *error, size_t error_size) {
  struct sim_choice_table *table = sim_choice_table_create();
  const char *problem = "memory ran out";
  unsigned long number = 0;
  char line[128];
  bool ok = table != NULL;
  while (ok && read_line(file, line, sizeof line))
    ok = take_line(table, ++number, line, seed, &problem);
  if (ok && number < 2) {
    ok = false;
    problem = number == 0 ? "the file is empty" : "the seed is missing";
  }
  if (ok && ferror(file)) {
    ok = false;
    problem = "the file cannot be read";
  }
  if (ok) return table;
  if (error_size > 0) (void)snprintf(error, error_size, "line %lu: %s", number, problem);
  sim_choice_table_destroy(table);
  return NULL;
}
