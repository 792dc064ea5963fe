/* Room `choice`: the one source of chance.
 * Takes: a source (a seed, and what overrides it) and tags. Gives: outcomes; what
 * was decided can be recorded and replayed, driven by bytes (choice_bytes.h),
 * enumerated (enumerator.h), or shaped (distribution.h). Knows only memory.
 * Devices draw through choices.h, drivers and nodes through sim/sim.h.
 *
 * Every decision is one call with a tag: what is decided (kind), where (node
 * or directed link), and a stable identity (this message, this submit). Under
 * a seed the outcome is a function of (seed, tag) alone, so a new decision in
 * the network reshuffles no disk, and removing one message shifts no other.
 * Outcome 0 (or `lo`) is always the calm one.
 *
 * A source is a table of outcomes by tag, and something that decides the rest:
 * a seed, calm, bytes (choice_bytes.h), or an enumerator (enumerator.h). What
 * any of them decided can be recorded, and the recording replayed: recordings
 * hold outcomes.
 */
#ifndef SIM_CHOICE_H
#define SIM_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/choice/choice_table.h"
#include "sim/choice/tag.h"

/* --- Sources (outside the arena) ------------------------------------------- */

struct sim_choice_bytes;
struct sim_enumerator;

/* What decides where the table of overrides is silent. */
enum sim_choice_rest {
  SIM_REST_SEED = 0,      /* draws from the seed */
  SIM_REST_CALM = 1,      /* calm: an exact replay of a recording */
  SIM_REST_BYTES = 2,     /* `bytes`, and calm where they end */
  SIM_REST_ENUMERATE = 3, /* `enumerator`: one combination after another */
};
struct sim_choice_source {
  uint64_t seed;
  const struct sim_choice_table *overrides; /* NULL: none */
  const struct sim_choice_table *fixed; /* what a scenario says itself, where the overrides are silent; NULL: nothing */
  enum sim_choice_rest rest;
  struct sim_choice_table *record;   /* NULL: do not record */
  struct sim_choice_bytes *bytes;    /* of SIM_REST_BYTES */
  struct sim_enumerator *enumerator; /* of SIM_REST_ENUMERATE */
  const uint32_t *only;              /* kinds that seed, bytes or enumerator decide, the others are calm; NULL: all */
  size_t only_count;
};

/* Where the recording, and the bytes or enumerator stand. */
struct sim_source_mark {
  struct sim_choice_mark record, memo;
  size_t position;
};

/* The number drawn for a tag: a pure function, for tests and tools. */
uint64_t sim_draw(uint64_t seed, struct sim_tag tag);

#endif
