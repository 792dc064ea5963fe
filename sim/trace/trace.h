/* Room `trace`: what happened.
 * Takes: the steps of devices and nodes, faults (fault.h), violations (violation.h).
 * Gives: a running 64-bit hash chain per subsystem, marks of it, and, when it is
 * switched on, a record of each step, as words, files and Chrome's events.
 * Knows memory; decides nothing. Steps enter through steps.h.
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

#include "sim/trace/fault.h"
#include "sim/trace/violation.h"

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
  SIM_STEP_FSYNC_REFUSED = 22,   /* {file or UINT32_MAX for the directory, token, result} */
  SIM_STEP_DISK_DAMAGE = 23,     /* {enum sim_damage_kind, name hash, offset, size} */
  SIM_STEP_NODE_BOOT = 30,
  SIM_STEP_NODE_DOWN = 31, /* {enum sim_node_down} */
  SIM_STEP_NODE_TIMER = 32,
  SIM_STEP_NODE_TRACE = 33, /* {enum sync_trace_kind, fields...}: env->trace */
  SIM_STEP_NODE_CLOCK = 34,
  SIM_STEP_NODE_PICK = 35,
  SIM_STEP_NODE_PAUSE = 36,
  SIM_STEP_NODE_WIPE = 37,
  SIM_STEP_NODE_RESTORE = 38, /* {1, or 0: there was no image} */
  SIM_STEP_LINK = 40,         /* {from, to, change} cut, heal, settings */
  SIM_STEP_CLUSTER = 50,      /* {cluster's own kind, ...} */
  SIM_STEP_SCRIPT = 60,
  SIM_STEP_VIOLATION = 70,
};

#define SIM_STEP_FIELDS_MAX 7u

/* Kinds of events (SIM_STEP_EVENT); append only. */
enum sim_event_kind {
  SIM_EVENT_MESSAGE = 1,
  SIM_EVENT_TIMER = 2,
  SIM_EVENT_DISK = 3,
  SIM_EVENT_DRIVER = 4,
  SIM_EVENT_DRAIN = 5,   /* a node that was busy or paused takes what waited */
  SIM_EVENT_NETWORK = 6, /* a clog ends, a flap turns */
  SIM_EVENT_STROBE = 7,  /* a wall clock jumps */
};
/* Why a message is dropped (SIM_STEP_DROP): enum sim_fault, or one of these. */
#define SIM_DROP_RECEIVER_DOWN UINT64_C(1000)
#define SIM_DROP_NO_SUCH_NODE UINT64_C(1001)

/* The hash of bytes that traces use (XXH3, 64 bits). */
uint64_t sim_hash_bytes(const void *bytes, size_t size);
/* One step of the chain: order matters. */
static inline uint64_t sim_hash_fold(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * UINT64_C(0x9fb21c651e98df25);
  return hash ^ (hash >> 29) ^ (hash >> 47);
}

/* --- Names: what people call the numbers of a recording ---------------------- */

/* Part of the format of recordings: append only.
 *
 * A template is the sentence for such a step: % with a letter and the place of
 * a field, %u0 a number, %x a hash, %t a time, %d a duration, %r nothing or
 * how the call failed, %s a status, %f an open file, %n a file's name, %p a
 * peer, %N a node, %o an operation (three fields), %T a text by its hash, %c
 * text in the fields from here on. */
enum sim_statement {
  SIM_STATEMENT_OF_OPTIONS = 0,  /* an option of the scenario and its value */
  SIM_STATEMENT_OF_SCRIPT = 1,   /* time, event, statement: an act of its script */
  SIM_STATEMENT_OF_WORKLOAD = 2, /* the same: a submit of its workload */
};
enum sim_name_kind {
  SIM_NAME_FILE = 1,      /* {0, sim_name_hash} */
  SIM_NAME_NODE = 2,      /* {0, sync_node_hash of a node id} */
  SIM_NAME_PEER = 3,      /* {node, peer handle} the peer's node id */
  SIM_NAME_TEXT = 4,      /* {0, sim_hash_bytes of it} */
  SIM_NAME_STEP = 5,      /* {enum sim_step, field 0} a template */
  SIM_NAME_STATEMENT = 6, /* {enum sim_statement, place in the recording} what was done, as a scenario would say it */
};

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

struct sim_trace_log; /* steps, coded (docs/formats.md), and names; grows in ordinary memory */
struct sim_trace_log *sim_trace_log_create(void);
void sim_trace_log_destroy(struct sim_trace_log *log);
void sim_trace_log_clear(struct sim_trace_log *log);
/* Records only steps that are part of the first-th to last-th event of a world
 * (sim_events_run). Without it: all. */
void sim_trace_log_window(struct sim_trace_log *log, uint64_t first, uint64_t last);
size_t sim_trace_log_count(const struct sim_trace_log *log);
/* Forgets all but the first `count` records; not more than it has. */
void sim_trace_log_cut(struct sim_trace_log *log, size_t count);
/* Coded bytes so far. */
size_t sim_trace_log_bytes(const struct sim_trace_log *log);
/* Decoded; valid until the next call for this log. NULL: past the end. Cheap in
 * rising order. */
const struct sim_trace_record *sim_trace_log_at(const struct sim_trace_log *log, size_t index);
/* NULL: none. */
/* The i-th name of all, in the order in which they were remembered; NULL: there are no more. */
const char *sim_trace_log_name_at(const struct sim_trace_log *log, size_t i, enum sim_name_kind *kind, uint32_t *scope);
const char *sim_trace_log_name(const struct sim_trace_log *log, enum sim_name_kind kind, uint32_t scope,
                               uint64_t value);
/* The recording as a file, and back. Any bytes may be read: NULL and *error
 * for those that are no whole recording. */
bool sim_trace_log_write(const struct sim_trace_log *log, FILE *file);
struct sim_trace_log *sim_trace_log_read(FILE *file, char *error, size_t error_size);
struct sim_trace_log *sim_trace_log_decode(const uint8_t *bytes, size_t size, char *error, size_t error_size);

/* --- For people ------------------------------------------------------------ */

struct sim_trace_filter { /* zero: everything */
  uint32_t node;          /* what it did, and messages to it */
  uint64_t from_ns, to_ns;
  uint32_t subsystems; /* bit 1 << enum sim_subsystem; 0: all */
};
bool sim_trace_passes(const struct sim_trace_filter *filter, const struct sim_trace_record *record);
/* -1: no such subsystem. */
int sim_subsystem_find(const char *name);

/* Tells records as sentences. It must see them in order, for it follows which
 * file a handle is. Lives in ordinary memory. */
struct sim_trace_teller;
struct sim_trace_teller *sim_trace_teller_create(const struct sim_trace_log *log);
void sim_trace_teller_destroy(struct sim_trace_teller *teller);
/* Sees one record without telling it. */
void sim_trace_see(struct sim_trace_teller *teller, const struct sim_trace_record *record);
/* Sees it and writes its sentence, "n1 ..."; or the line of the timeline: time,
 * event and sentence, without newline. Returns the length. */
size_t sim_trace_sentence(struct sim_trace_teller *teller, const struct sim_trace_record *record, char *text,
                          size_t size);
size_t sim_trace_line(struct sim_trace_teller *teller, const struct sim_trace_record *record, char *text, size_t size);

/* The timeline, one line for each step. filter may be NULL. false on a write
 * error or without memory. */
bool sim_trace_log_write_text(const struct sim_trace_log *log, const struct sim_trace_filter *filter, FILE *file);
/* Chrome's trace events (JSON), for chrome://tracing and Perfetto. */
bool sim_trace_log_write_chrome(const struct sim_trace_log *log, const struct sim_trace_filter *filter, FILE *file);
/* The last so many lines of the timeline; clocks that were read are left out.
 * Returns the length. */
size_t sim_trace_log_tail(const struct sim_trace_log *log, size_t lines, char *text, size_t size);

enum sim_trace_why { SIM_WHY_TOLD, SIM_WHY_NO_EVENT, SIM_WHY_NO_MEMORY, SIM_WHY_WRITE_ERROR };
/* The chain of causes that leads to an event, the start first. */
enum sim_trace_why sim_trace_log_why(const struct sim_trace_log *log, uint64_t event, FILE *file);

/* Compares two recordings. false: they are equal. true: *index is the first
 * differing record and `text` says in a few lines what each run did there,
 * with its neighbourhood. */
bool sim_trace_diff(const struct sim_trace_log *a, const struct sim_trace_log *b, size_t *index, char *text,
                    size_t text_size);

/* --- Marks (outside the arena) ----------------------------------------------- */

struct sim_trace_mark {
  uint64_t events; /* run when it was made: a multiple of the interval */
  uint64_t time_ns;
  uint64_t hash; /* sim_trace_hash */
  uint64_t chains[SIM_SUB_COUNT];
};
struct sim_trace_marks;
/* `interval`: events between marks; 0: 1024. NULL: no memory. */
struct sim_trace_marks *sim_trace_marks_create(uint64_t interval);
void sim_trace_marks_destroy(struct sim_trace_marks *marks);
/* A world that goes back (a checkpoint restored, another begun) drops what it
 * passes again. When memory runs out the marks end early. */
size_t sim_trace_marks_count(const struct sim_trace_marks *marks);
const struct sim_trace_mark *sim_trace_marks_at(const struct sim_trace_marks *marks, size_t index);
/* The number of marks that agree from the start. Chains never agree again once
 * they differ, so it halves. */
size_t sim_trace_marks_agree(const struct sim_trace_marks *a, const struct sim_trace_marks *b);

#endif
