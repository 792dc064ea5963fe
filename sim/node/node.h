/* One node. Internal to sim/. */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include "sim/clock/clock.h"
#include "sim/world/world.h"

#define SIM_TIME_NEVER UINT64_MAX
#define SIM_PICK_KINDS 16u

/* At most one live timeline entry per timer: it is pushed when the deadline
 * comes earlier, and pushed again when it finds the deadline moved later. */
struct sim_timer {
  uint64_t deadline_ns; /* monotonic; SIM_TIME_NEVER: not set */
  uint64_t pending_ns;  /* true time of the live entry; SIM_TIME_NEVER: none */
  uint64_t generation;  /* entries of another generation are stale */
  uint64_t cause;       /* the event that set it */
};

struct sim_node {
  struct sim_world *world;
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
   * path asks why. 0 while no code of the node runs. */
  uint64_t calls, call_limit;
  uint64_t budget_end; /* a livelock */
  uint64_t armed_at;   /* the call that power does not survive; 0: none */
  bool armed_process;
  bool entered;     /* its code runs */
  bool off;         /* power was lost during this call */
  bool off_process; /* ... only the process */
  bool powered;     /* the machine: false from a power loss to the next boot */

  uint64_t alloc_fail_in; /* 0: disarmed */
  uint64_t nominal_quota; /* 0: none */
  uint64_t nominal_bytes;

  struct sim_clock clock;
  struct sim_timer timers[SIM_TIMERS_MAX];

  uint64_t busy_until_ns;
  uint32_t waiting_first, waiting_last; /* slot + 1; events that wait for a busy or paused node */
  bool drain_pending;

  uint64_t send_time_ns; /* messages of this instant are numbered */
  uint64_t send_index;
  uint64_t picks[SIM_PICK_KINDS];
};

extern const struct sync_env_ops sim_node_env_ops;

/* Counts a call. false: power is off, the call must fail. */
bool node_call_slow(struct sim_node *node);
static inline bool node_call(struct sim_node *node) {
  return ++node->calls < node->call_limit ? true : node_call_slow(node);
}

/* Between these two the node's code runs. end says whether it is still up. */
void node_begin(struct sim_node *node);
bool node_end(struct sim_node *node);

/* It loses its process, and its power when `why` says so. */
void node_die(struct sim_node *node, enum sim_node_down why);

/* true: the event waits (the slot is kept); false: run it now. */
bool node_must_wait(const struct sim_node *node);
void node_wait(struct sim_node *node, uint32_t slot);
/* Makes sure that what waits is taken when the node can. */
void node_schedule_drain(struct sim_node *node);

/* After the rate of the clock changed. */
void node_timers_rearm(struct sim_node *node);
void node_timers_clear(struct sim_node *node);
/* A timer's entry came up. true: the timer fires now. */
bool node_timer_due(struct sim_node *node, const struct sim_event *event);

/* A message will not be delivered to its receiver; frees it. `why`: enum
 * sim_fault, or NETWORK_RECEIVER_DOWN. */
#define NETWORK_RECEIVER_DOWN UINT64_C(1000)
#define NETWORK_NO_SUCH_NODE UINT64_C(1001)
void network_drop(struct sim_world *world, const struct sim_event *event, uint64_t why);
void network_free(struct sim_world *world, const struct sim_event *event);
/* What becomes of a message at the end of its way, while any link was touched.
 * Lost: the caller drops it. Held: the slot stays until the link lets it go. */
enum network_fate { NETWORK_DELIVERED, NETWORK_LOST, NETWORK_HELD };
enum network_fate network_arrives(struct sim_world *world, const struct sim_event *event, uint32_t slot);
/* An event of the network itself. false: it was stale. */
bool network_event(struct sim_world *world, const struct sim_event *event);
/* A wall clock jumps. false: it was stale. */
bool clock_strobes(struct sim_node *node, const struct sim_event *event);
void network_calm(struct sim_world *world);
void network_init(struct sim_world *world, const struct sim_link_config *config);

#endif
