/* Room `node`: machines that run software.
 * Takes: the ground, a network, kinds of software (kind.h), and what is done to nodes
 * (boot, crash, pause, wipe). Gives: a port (core/env.h) whose calls power can fail
 * in, a disk, clocks and timers, and events that wait while a node is busy.
 * Knows the world by name only: it is handed to callbacks.
 */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include "sim/clock/clock.h"
#include "sim/disk/disk.h"
#include "sim/ground/ground.h"
#include "sim/network/network.h"
#include "sim/node/kind.h"

struct node_options {
  struct sim_disk_config disk;
  uint64_t wall_start_ns;
  uint64_t calls_per_event_max; /* more environment calls in one event are a livelock */
};

/* All nodes of a world. */
struct nodes {
  struct ground *ground;
  struct network *network;
  struct sim_world *world; /* for callbacks */
  struct node_options options;
  struct sim_node **nodes; /* by number - 1 */
  uint32_t count, capacity;
  struct sim_node *running; /* the node whose code runs now */
  uint64_t events;          /* that entered a node */
  sim_lifecycle_fn lifecycle;
  void *lifecycle_self;
  sim_node_trace_fn traced;
  void *traced_self;
};

/* At most one live timeline entry per timer: it is pushed when the deadline
 * comes earlier, and pushed again when it finds the deadline moved later. */
struct sim_timer {
  uint64_t deadline_ns; /* monotonic; SIM_TIME_NEVER: not set */
  uint64_t pending_ns;  /* true time of the live entry; SIM_TIME_NEVER: none */
  uint64_t generation;  /* entries of another generation are stale */
  uint64_t cause;       /* the event that set it */
};

/* How often a message was sent, by receiver and name, in a span of time (node_send.c). */
struct node_sent {
  uint64_t key;
  uint32_t span, count;
};
struct node_sends {
  struct node_sent *slots; /* open addressing */
  uint32_t capacity, used; /* in this span */
  uint32_t span;
};

#define SIM_NODE_LOG_HANDLES 256u /* as many as a disk has (sim/disk) */

struct sim_node {
  struct nodes *nodes;
  struct ground *ground; /* the nodes' */
  struct sync_env env;
  const struct sim_node_kind *kind;
  void *config;
  size_t config_size;
  void *state;
  struct sim_heap *heap; /* of this life; NULL: down */
  struct sim_disk *disk;
  uint32_t number;
  uint32_t run_state; /* enum sim_node_state */
  uint64_t lives;

  /* Environment calls. Below call_limit a call is free to go; at it the slow
   * path asks why. 0 while no code of the node runs, or a crash is armed. */
  uint64_t calls, call_limit;
  uint64_t budget_end;  /* a livelock */
  uint64_t armed_left;  /* calls until the one that power does not survive; 0: none is armed */
  uint32_t armed_calls; /* which calls count (SIM_CALLS_) */
  bool armed_process;
  bool entered;     /* its code runs */
  bool off;         /* power was lost during this call */
  bool off_process; /* ... only the process */
  bool powered;     /* the machine: false from a power loss to the next boot */

  uint64_t refusals;                                /* sim_node_refusals() */
  uint64_t wall_reads;                              /* sim_node_wall_reads() */
  uint64_t picked, picks;                           /* sim_node_picked() */
  bool write_failed;                                /* sim_node_write_failed() */
  uint64_t log_handles[SIM_NODE_LOG_HANDLES / 64u]; /* one bit for each handle of a file that it looks at */
  uint32_t interrupts;                              /* in a row */

  uint64_t alloc_fail_in; /* 0: disarmed */
  uint64_t nominal_quota; /* 0: none */
  uint64_t nominal_bytes;

  struct sim_clock clock;
  struct sim_timer timers[SIM_TIMERS_MAX];

  uint32_t waiting_first, waiting_last; /* slot + 1; events that wait for a busy or paused node */
  bool drain_pending;

  struct node_sends sends;
};

void nodes_init(struct nodes *nodes, struct ground *ground, struct network *network, struct sim_world *world,
                const struct node_options *options);
/* Adds one, down; numbered from 1. 0: no memory. */
uint32_t nodes_add(struct nodes *nodes, const struct sim_node_kind *kind, const void *config, size_t config_size);
struct sim_node *nodes_at(struct nodes *nodes, uint32_t number);
/* Its code or its invariants failed. Does not return. */
__attribute__((noreturn)) void node_fatal(struct sim_node *node, const char *file, int line, const char *what);

/* --- Events ------------------------------------------------------------------- */

/* Between these two the node's code runs. end says whether it is still up. */
void node_begin(struct sim_node *node);
bool node_end(struct sim_node *node);
/* true: the event waits (node_wait keeps the slot); false: run it now. */
bool node_must_wait(const struct sim_node *node);
void node_wait(struct sim_node *node, uint32_t slot);
/* Takes what has waited longest, and plans for the rest. false: nothing, or not
 * yet. The slot is released. */
bool node_take_waiting(struct sim_node *node, struct sim_event *event);
/* Makes sure that what waits is taken when the node can. */
void node_schedule_drain(struct sim_node *node);

/* --- What is done to nodes: sim/sim.h says what each means ----------------------- */

bool node_boot(struct sim_node *node);
void node_power_loss(struct sim_node *node);
void node_process_crash(struct sim_node *node);
uint64_t node_stop(struct sim_node *node);
void node_pause(struct sim_node *node);
void node_resume(struct sim_node *node);
void node_wipe(struct sim_node *node);
bool node_restore(struct sim_node *node);
void node_arm(struct sim_node *node, uint32_t calls, uint64_t nth, bool process);
/* Faults end: armed crashes, failing allocations, quotas, the clock's rate, freeze
 * and strobe, pauses; the disk does no more harm. */
void node_calm(struct sim_node *node);
void node_clock_rate(struct sim_node *node, int32_t ppm);

/* --- The node's own files -------------------------------------------------------- */

extern const struct sync_env_ops sim_node_env_ops;

/* Counts a call, of these kinds (bits as in SIM_CALLS_). false: power is off, the call
 * must fail. */
bool node_call_slow(struct sim_node *node, uint32_t kinds);
static inline bool node_call(struct sim_node *node, uint32_t kinds) {
  return ++node->calls < node->call_limit ? true : node_call_slow(node, kinds);
}
static inline uint32_t node_call_kind(enum sim_call call) {
  return UINT32_C(1) << (uint32_t)call;
}
static inline uint32_t node_call_change(enum sim_call call) {
  return node_call_kind(call) | SIM_CALLS_CHANGES;
}

/* After the rate of the clock changed. */
void node_timers_rearm(struct sim_node *node);
void node_timers_clear(struct sim_node *node);
/* A timer's entry came up. true: the timer fires now. */
bool node_timer_due(struct sim_node *node, const struct sim_event *event);

#endif
