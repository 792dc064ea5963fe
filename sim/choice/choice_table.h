/* Face of room `choice`: tables of outcomes by tag, recorded or given. Outside the
 * arena. */
#ifndef SIM_CHOICE_TABLE_H
#define SIM_CHOICE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "sim/choice/tag.h"

struct sim_choice_table; /* outcomes by tag */
struct sim_choice_table *sim_choice_table_create(void);
void sim_choice_table_destroy(struct sim_choice_table *table);
/* Forgets every outcome and reseed; keeps the memory. */
void sim_choice_table_clear(struct sim_choice_table *table);
/* false when memory ran out. A later outcome for the same tag replaces. */
bool sim_choice_table_set(struct sim_choice_table *table, struct sim_tag tag, uint64_t outcome);
bool sim_choice_table_get(const struct sim_choice_table *table, struct sim_tag tag, uint64_t *outcome);
size_t sim_choice_table_count(const struct sim_choice_table *table);
/* The i-th tag in order of first arrival, and its outcome. i < count. */
struct sim_tag sim_choice_table_at(const struct sim_choice_table *table, size_t i, uint64_t *outcome);

/* What decisions of a kind become that the table does not name, before the rest is asked; held within their bounds.
 * At most SIM_CHOICE_KINDS_MAX kinds: false, and nothing changed. Part of no recording. */
#define SIM_CHOICE_KINDS_MAX 8u
bool sim_choice_table_set_kind(struct sim_choice_table *table, uint32_t kind, uint64_t outcome);
bool sim_choice_table_get_kind(const struct sim_choice_table *table, uint32_t kind, uint64_t *outcome);
struct sim_choice_of_kind {
  uint32_t kind;
  uint64_t outcome;
};
const struct sim_choice_of_kind *sim_choice_table_kinds(const struct sim_choice_table *table, size_t *count);

/* From the beginning of event `event` on, draws come from another seed. */
struct sim_reseed {
  uint64_t event; /* sim_event_id() while it runs */
  uint64_t seed;
};
/* Appends a reseed; under SIM_REST_SEED the overrides' reseeds take effect, the
 * one whose event ran last. Outcomes that the table names stay. The arena
 * remembers by its place in the list which one that was: the table of a branch
 * repeats the reseeds that led there. false when memory ran out. */
bool sim_choice_table_reseed(struct sim_choice_table *table, struct sim_reseed reseed);
/* In order of arrival. */
const struct sim_reseed *sim_choice_table_reseeds(const struct sim_choice_table *table, size_t *count);

/* How much a table holds, so that what came later can be cut away again. */
struct sim_choice_mark {
  size_t outcomes, replaced, reseeds;
};
struct sim_choice_mark sim_choice_table_mark(const struct sim_choice_table *table);
/* The table is what it was at the mark, replaced outcomes included. No cut or
 * clear to before the mark has happened since. */
void sim_choice_table_cut(struct sim_choice_table *table, struct sim_choice_mark mark);

/* Recording format: docs/formats.md. false on a write error. */
bool sim_choice_table_write(const struct sim_choice_table *table, uint64_t seed, FILE *file);
/* NULL and a message naming the line when the file is not a recording. */
struct sim_choice_table *sim_choice_table_read(FILE *file, uint64_t *seed, char *error, size_t error_size);

#endif
