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
#include <stdio.h>

/* What is decided. Part of the recording format and of every trace hash:
 * append only, never renumber. sim_choice_kind_name() gives the plain name. */
enum sim_choice_kind {
  SIM_CHOICE_TIE = 1, /* order of simultaneous events */
  SIM_CHOICE_NET_DELAY = 10,
  SIM_CHOICE_NET_LOSS = 11,
  SIM_CHOICE_NET_DUPLICATE = 12,
  SIM_CHOICE_NET_DUPLICATE_DELAY = 13,
  SIM_CHOICE_NET_REORDER = 14,
  SIM_CHOICE_NET_REORDER_DELAY = 15,
  SIM_CHOICE_NET_CORRUPT = 16,
  SIM_CHOICE_NET_CORRUPT_BIT = 17,
  SIM_CHOICE_NET_TRUNCATE = 18,
  SIM_CHOICE_NET_TRUNCATE_SIZE = 19,
  SIM_CHOICE_NET_SLOW = 20,
  SIM_CHOICE_NET_SLOW_DELAY = 21,
  SIM_CHOICE_NET_BURST = 22,
  SIM_CHOICE_NET_CLOG = 23,
  SIM_CHOICE_NET_CLOG_TIME = 24,
  SIM_CHOICE_NET_BURST_STAY = 25,
  SIM_CHOICE_NET_BURST_LOSS = 26,
  SIM_CHOICE_NET_RULE = 27, /* always 1 under a seed; an override can leave one message out */
  SIM_CHOICE_NET_FLAP = 28, /* how long until it turns */
  SIM_CHOICE_NET_SWIZZLE_BEGIN = 29,
  SIM_CHOICE_NET_SWIZZLE_END = 30,
  SIM_CHOICE_DISK_FSYNC_DELAY = 40,
  SIM_CHOICE_DISK_STYLE = 41,  /* how a power loss treats one file */
  SIM_CHOICE_DISK_PREFIX = 42, /* how many pending writes survived */
  SIM_CHOICE_DISK_TORN = 43,   /* sectors of the last of them */
  SIM_CHOICE_DISK_SECTOR = 44, /* one sector: lost or kept */
  SIM_CHOICE_DISK_GARBAGE = 45,
  SIM_CHOICE_DISK_SIZE = 46, /* size apart from data */
  SIM_CHOICE_DISK_DIRECTORY = 47,
  SIM_CHOICE_DISK_WRITE_BACK = 48,
  SIM_CHOICE_DISK_READ_ERROR = 49,
  SIM_CHOICE_DISK_WRITE_ERROR = 50,
  SIM_CHOICE_DISK_WRITE_ERROR_DONE = 51, /* how much of a failed write took effect */
  SIM_CHOICE_DISK_SHORT = 52,
  SIM_CHOICE_DISK_SHORT_SIZE = 53,
  SIM_CHOICE_DISK_INTERRUPT = 54,
  SIM_CHOICE_DISK_FSYNC_ERROR = 55,
  SIM_CHOICE_DISK_FSYNC_ERROR_FORM = 56,
  SIM_CHOICE_DISK_FSYNC_LIE = 57,
  SIM_CHOICE_DISK_LATENCY = 58,
  SIM_CHOICE_DISK_STALL = 59,
  SIM_CHOICE_DISK_ROT = 60,
  SIM_CHOICE_DISK_ROT_WHERE = 61,
  SIM_CHOICE_DISK_MISDIRECT = 62,
  SIM_CHOICE_DISK_MISDIRECT_WHERE = 63,
  SIM_CHOICE_DISK_LOST_WRITE = 64,
  SIM_CHOICE_DISK_UNREADABLE = 65,
  SIM_CHOICE_DISK_UNREADABLE_WHERE = 66,
  SIM_CHOICE_DISK_WRITE_BACK_NAMES = 67,
  SIM_CHOICE_NODE_PICK = 80,       /* env->pick of a node, by its kind in the identity */
  SIM_CHOICE_NODE_CRASH_CALL = 81, /* at which environment call an armed power loss strikes */
  SIM_CHOICE_NODE_ALLOC = 82,
  SIM_CHOICE_SCENARIO = 100, /* world:between and its like, by call site order */
  SIM_CHOICE_SWARM = 101,    /* which faults a seed enables */
  SIM_CHOICE_WORKLOAD_GAP = 120,
  SIM_CHOICE_WORKLOAD_NODE = 121,
  SIM_CHOICE_WORKLOAD_KEY = 122,
  SIM_CHOICE_WORKLOAD_OPERATION = 123,
  SIM_CHOICE_WORKLOAD_SIZE = 124,
  SIM_CHOICE_WORKLOAD_HOT = 125,
  SIM_CHOICE_WORKLOAD_SKIP = 126,
  SIM_CHOICE_USER = 1000, /* strangers' nodes count up from here */
};

/* Identities (sim_unique) have kinds of their own. */
enum sim_unique_kind {
  SIM_UNIQUE_NODE = 1,
};

struct sim_tag {
  uint32_t kind;     /* enum sim_choice_kind */
  uint32_t where;    /* node number from 1, or sim_tag_link(); 0: the world */
  uint64_t identity; /* stable name of the decision within (kind, where) */
};

static inline struct sim_tag sim_tag(uint32_t kind, uint32_t where, uint64_t identity) {
  struct sim_tag tag = {kind, where, identity};
  return tag;
}
static inline uint32_t sim_tag_link(uint32_t from, uint32_t to) {
  return (from << 16) | to;
}

/* The number drawn for a tag: a pure function, for tests and tools. */
uint64_t sim_draw(uint64_t seed, struct sim_tag tag);

/* --- Sources (outside the arena) ------------------------------------------- */

struct sim_choice_table; /* outcomes by tag */
struct sim_choice_table *sim_choice_table_create(void);
void sim_choice_table_destroy(struct sim_choice_table *table);
/* Forgets every outcome and reseed; keeps the memory. */
void sim_choice_table_clear(struct sim_choice_table *table);
/* false when memory ran out. A later outcome for the same tag replaces. */
bool sim_choice_table_set(struct sim_choice_table *table, struct sim_tag tag, uint64_t outcome);
bool sim_choice_table_get(const struct sim_choice_table *table, struct sim_tag tag, uint64_t *outcome);
size_t sim_choice_table_count(const struct sim_choice_table *table);

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

const char *sim_choice_kind_name(uint32_t kind);

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
  enum sim_choice_rest rest;
  struct sim_choice_table *record;   /* NULL: do not record */
  struct sim_choice_bytes *bytes;    /* of SIM_REST_BYTES */
  struct sim_enumerator *enumerator; /* of SIM_REST_ENUMERATE */
  const uint32_t *only;              /* kinds that bytes or enumerator decide, the others are calm; NULL: all */
  size_t only_count;
};

/* Where the recording, and the bytes or enumerator stand. */
struct sim_source_mark {
  struct sim_choice_mark record, memo;
  size_t position;
};

#endif
