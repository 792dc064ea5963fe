/* The trace: a running 64-bit hash chain of everything that happens in a
 * world, per subsystem, and, when it is switched on, a record of each step.
 *
 * Two runs of one seed must give equal hashes everywhere; the diff names the
 * first step in which they do not.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sim_world;

enum sim_subsystem {
  SIM_SUB_TIMELINE, /* every event: time, kind, node, id, cause */
  SIM_SUB_NETWORK,  /* sends, fates, deliveries, message bytes */
  SIM_SUB_DISK,     /* every disk call: arguments, bytes, results */
  SIM_SUB_NODE,     /* lifecycle, clocks read, timers, what nodes report */
  SIM_SUB_CLUSTER,  /* workload, ledger, oracles */
  SIM_SUB_SCRIPT,   /* what a scenario did and saw */
  SIM_SUB_COUNT
};

/* Kinds of steps; part of the trace format: append only. */
enum sim_step {
  SIM_STEP_EVENT = 1,      /* {event kind, ...}: begins each event */
  SIM_STEP_SEND = 2,       /* {to, size, bytes hash, delivery time} */
  SIM_STEP_DROP = 3,       /* {to, enum sim_fault} */
  SIM_STEP_DELIVER = 4,    /* {from, size, bytes hash} */
  SIM_STEP_FILE_OPEN = 10, /* {name hash, flags, result} and so on: docs/formats.md */
  SIM_STEP_FILE_CLOSE = 11,
  SIM_STEP_FILE_READ = 12,  /* {file, offset, size done, bytes hash, result} */
  SIM_STEP_FILE_WRITE = 13, /* {file, offset, size done, bytes hash, result} */
  SIM_STEP_FILE_TRUNCATE = 14,
  SIM_STEP_FILE_SIZE = 15,
  SIM_STEP_FILE_RENAME = 16,
  SIM_STEP_FILE_UNLINK = 17,
  SIM_STEP_DIR_LIST = 18,
  SIM_STEP_FSYNC_BEGIN = 19,     /* {file or UINT32_MAX for the directory, token, due time} */
  SIM_STEP_FSYNC_DONE = 20,      /* {token, result} */
  SIM_STEP_DISK_POWER_LOSS = 21, /* {name hash, surviving size, bytes hash} one per file */
  SIM_STEP_NODE_BOOT = 30,
  SIM_STEP_NODE_DOWN = 31, /* {enum sim_node_down} */
  SIM_STEP_NODE_TIMER = 32,
  SIM_STEP_NODE_TRACE = 33, /* {enum sync_trace_kind, fields...}: env->trace */
  SIM_STEP_NODE_CLOCK = 34,
  SIM_STEP_NODE_PICK = 35,
  SIM_STEP_NODE_PAUSE = 36,
  SIM_STEP_LINK = 40,    /* {from, to, change} cut, heal, settings */
  SIM_STEP_CLUSTER = 50, /* {cluster's own kind, ...} */
  SIM_STEP_SCRIPT = 60,
  SIM_STEP_VIOLATION = 70,
};

#define SIM_STEP_FIELDS_MAX 7u

/* Folds one step into the chain of its subsystem and, when recording, records
 * it. The time and the running event are added by the world. `node` 0: none. */
void sim_trace(struct sim_world *world, enum sim_subsystem subsystem, enum sim_step step, uint32_t node,
               const uint64_t *fields, size_t count);
/* The hash of bytes that traces use (XXH3, 64 bits). */
uint64_t sim_hash_bytes(const void *bytes, size_t size);
/* One step of the chain: order matters. */
static inline uint64_t sim_hash_fold(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * UINT64_C(0x9fb21c651e98df25);
  return hash ^ (hash >> 29) ^ (hash >> 47);
}

/* All chains as one number: the trace hash of the run so far. */
uint64_t sim_trace_hash(const struct sim_world *world);
uint64_t sim_trace_hash_of(const struct sim_world *world, enum sim_subsystem subsystem);

/* --- Recordings (outside the arena) ---------------------------------------- */

struct sim_trace_record {
  uint64_t time_ns;
  uint64_t event; /* id of the event during which it happened */
  uint64_t cause; /* id of the event that caused that one; 0: the scenario's start */
  uint64_t hash;  /* of its subsystem's chain, after this step */
  uint32_t node;
  uint16_t step;
  uint8_t subsystem;
  uint8_t count;
  uint64_t fields[SIM_STEP_FIELDS_MAX];
};

struct sim_trace_log; /* grows in ordinary memory */
struct sim_trace_log *sim_trace_log_create(void);
void sim_trace_log_destroy(struct sim_trace_log *log);
void sim_trace_log_clear(struct sim_trace_log *log);
size_t sim_trace_log_count(const struct sim_trace_log *log);
/* Forgets all but the first `count` records; not more than it has. */
void sim_trace_log_cut(struct sim_trace_log *log, size_t count);
const struct sim_trace_record *sim_trace_log_at(const struct sim_trace_log *log, size_t index);
/* One record as a line of text, without newline. Returns its length. */
size_t sim_trace_format(const struct sim_trace_record *record, char *text, size_t size);
/* The whole log as text lines with a header line. false on a write error. */
bool sim_trace_log_write_text(const struct sim_trace_log *log, FILE *file);

/* Compares two recordings. false: they are equal. true: *index is the first
 * differing record and `text` says in a few lines what each run did there,
 * with its neighbourhood. */
bool sim_trace_diff(const struct sim_trace_log *a, const struct sim_trace_log *b, size_t *index, char *text,
                    size_t text_size);

#endif
