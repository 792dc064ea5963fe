/* Face of room `node`: what lives on nodes, and what it may call. Part of the public header sim/sim.h;
 * what drivers do to nodes is there. */
#ifndef SIM_KIND_H
#define SIM_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env.h"

struct sim_disk;
struct sim_node;
struct sim_world;

#define SIM_TIMERS_MAX 8u /* timers of one node */

/* What lives on a node. Functions are called with the node's environment
 * ready; everything they keep must be in the node's memory (env->alloc). When
 * power is lost during a call, every environment call from then on fails and
 * the function returns as soon as it can; its memory is then dropped. */
struct sim_node_kind {
  const char *name;
  /* Starts the software on the node. Returns its state, or NULL: refused to
   * start. `config` is what sim_node_add copied. */
  void *(*boot)(struct sim_node *node, const void *config);
  void (*message)(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size);
  void (*timer)(struct sim_node *node, void *state, uint32_t timer);
  void (*disk_done)(struct sim_node *node, void *state, uint64_t token, int result);
  /* A hash of the node's state as its user sees it. May be NULL. */
  uint64_t (*digest)(struct sim_node *node, void *state);
  /* A clean stop: must free all memory (what is left is a leak). */
  void (*stop)(struct sim_node *node, void *state);
  /* The kind of a message, for rules; 0: none in particular. Any bytes may
   * come. May be NULL. */
  uint32_t (*classify)(const uint8_t *bytes, size_t size);
  /* What a message is about, as 64 bits: the same for a message of an edited run that
   * says the same, whatever else differs. It names the network's decisions about the
   * message, with how often the link has seen that name before. NULL: a hash of the bytes. */
  uint64_t (*identify)(struct sim_node *node, const void *config, const uint8_t *bytes, size_t size);
  const char *log_prefix; /* of the files that sim_node_write_failed() looks at; NULL: all */
};

uint32_t sim_node_number(const struct sim_node *node);
struct sim_world *sim_node_world(struct sim_node *node);
const struct sync_env *sim_node_env(struct sim_node *node);
struct sim_disk *sim_node_disk(struct sim_node *node);

/* For the software on the node, during its calls. */
/* Sends a message; the bytes are copied. Lost silently, as networks do. */
void sim_send(struct sim_node *node, uint32_t to, const void *bytes, size_t size);
/* Calls `timer` once the monotonic clock reaches `mono_ns`; replaces that
 * timer's earlier setting. UINT64_MAX clears it. timer < SIM_TIMERS_MAX. */
void sim_timer_set(struct sim_node *node, uint32_t timer, uint64_t mono_ns);

enum sim_node_state {
  SIM_NODE_DOWN = 0,
  SIM_NODE_UP = 1,
  SIM_NODE_PAUSED = 2,  /* messages and completions wait */
  SIM_NODE_REFUSED = 3, /* boot returned NULL */
};
enum sim_node_down {
  SIM_DOWN_POWER_LOSS = 1,
  SIM_DOWN_PROCESS_CRASH = 2,
  SIM_DOWN_STOP = 3,
  SIM_DOWN_REFUSED = 4,
};
enum sim_node_state sim_node_state(const struct sim_node *node);

/* Kinds of environment calls, and of calls of this header, in which power can fail. */
enum sim_call {
  SIM_CALL_OPEN = 1,
  SIM_CALL_CLOSE = 2,
  SIM_CALL_READ = 3,
  SIM_CALL_WRITE = 4,
  SIM_CALL_TRUNCATE = 5,
  SIM_CALL_SIZE = 6,
  SIM_CALL_RENAME = 7,
  SIM_CALL_UNLINK = 8,
  SIM_CALL_LIST = 9,
  SIM_CALL_FSYNC_FILE = 10,
  SIM_CALL_FSYNC_DIR = 11,
  SIM_CALL_ALLOC = 12,
  SIM_CALL_FREE = 13,
  SIM_CALL_CLOCK = 14, /* wall or monotonic */
  SIM_CALL_UNIQUE = 15,
  SIM_CALL_PICK = 16,
  SIM_CALL_SEND = 17,
  SIM_CALL_COUNT
};
/* Which calls count: bit 1 << enum sim_call for each kind, or one of these. Those that
 * change something are writes, truncates, renames, unlinks, fsyncs, sends, and opens that
 * may create or empty a file: between two of them a crash is as good as at the latter. */
#define SIM_CALLS_CHANGES 1u
#define SIM_CALLS_ALL UINT32_MAX
/* "write" and so on; NULL: no such kind. */
const char *sim_call_name(enum sim_call call);

/* Environment calls so far. */
uint64_t sim_node_calls(const struct sim_node *node);
/* Boots, deaths and such of a node, so that oracles can tell lives apart. */
uint64_t sim_node_lives(const struct sim_node *node);

/* Calls that the environment refused so far: errors of the disk, allocations
 * that failed, the one at which power is cut. Not: names that are absent, and calls that were interrupted, unless
 * so often in a row that their caller gives up. For oracles of progress. */
uint64_t sim_node_refusals(const struct sim_node *node);
/* Whether its last write to a file failed, since it was booted: to one whose name began, when it was opened, as the
 * kind says (log_prefix). */
bool sim_node_write_failed(const struct sim_node *node);
/* How often its software has read the wall clock so far. */
uint64_t sim_node_wall_reads(const struct sim_node *node);
/* What its software drew last (env->pick), and how often it has drawn so far. */
uint64_t sim_node_picked(const struct sim_node *node, uint64_t *picks);
/* Whether power was cut in the event that runs there now: its software unwinds. */
bool sim_node_unwinds(const struct sim_node *node);
/* Its state, as boot() gave it; NULL: it does not run. To look at: no event, no power loss. */
void *sim_node_software(const struct sim_node *node);

/* Called after a node went down for whatever reason, and after it came up;
 * for the ledger. */
typedef void (*sim_lifecycle_fn)(struct sim_world *world, void *self, uint32_t node, bool up, enum sim_node_down why);

/* Called for every env->trace of a node that is powered, after it was folded
 * into the trace: for oracles and counters. Must not call into the node. */
typedef void (*sim_node_trace_fn)(struct sim_world *world, void *self, uint32_t node, enum sync_trace_kind kind,
                                  const uint64_t *fields, size_t count);

#endif
