/* sim: a simulated world for C code. The public header.
 *
 * A world has nodes, each with a disk, clocks and a network place, one
 * timeline, and one source of chance. Anything that implements `struct
 * sim_node_kind` can be a node: it sees the world through a `struct sync_env`
 * (files, clocks, memory) and sim_send / sim_timer. Drivers stand outside the
 * nodes: workloads, scripts, oracles.
 *
 * One `struct sim` is one arena in one thread. Worlds run in it one after
 * another. Everything named struct sim_world, sim_node, sim_disk is in the
 * arena; it is saved and restored whole (arena.h).
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env.h"
#include "sim/memory/arena.h"
#include "sim/choice/choice.h"
#include "sim/disk/disk.h"
#include "sim/trace/fault.h"
#include "sim/network/link.h"
#include "sim/trace/trace.h"

#define SIM_NS UINT64_C(1)
#define SIM_US (UINT64_C(1000) * SIM_NS)
#define SIM_MS (UINT64_C(1000) * SIM_US)
#define SIM_SECOND (UINT64_C(1000) * SIM_MS)
#define SIM_NODES_MAX 1000u
#define SIM_TIMERS_MAX 8u /* timers of one node */
#define SIM_MESSAGE_BYTES_MAX (8u * 1024u * 1024u)

struct sim;
struct sim_world;
struct sim_node;

/* --- The process side --------------------------------------------------------- */

struct sim_options {
  uint64_t arena_bytes; /* 0: 1 GiB of address space */
  uintptr_t arena_base; /* 0: anywhere */
  unsigned fill;        /* SIM_FILL_NONE, or the byte that fills fresh memory; note that 0 fills with zeros */
};
/* NULL when there is no address space. */
struct sim *sim_open(const struct sim_options *options);
void sim_close(struct sim *sim);
struct sim_arena *sim_arena(struct sim *sim);

/* Called for a broken invariant in a node or in the simulator; must not
 * return. The default prints one line and aborts. */
typedef void (*sim_fatal_fn)(void *arg, bool in_node, const char *file, int line, const char *what, uint64_t seed,
                             uint64_t time_ns, uint64_t event, uint32_t node);
void sim_on_fatal(struct sim *sim, sim_fatal_fn fatal, void *arg);
#define SIM_ASSERT(world, cond)                                                                                        \
  do {                                                                                                                 \
    if (!(cond)) sim_fatal((world), __FILE__, __LINE__, #cond);                                                        \
  } while (0)
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
void sim_fatal(struct sim_world *world, const char *file, int line, const char *what);

/* --- Configuration -------------------------------------------------------------- */

struct sim_config {
  struct sim_choice_source source;
  struct sim_link_config link;    /* of every link, until sim_link_set */
  struct sim_disk_config disk;    /* of every node, until sim_disk_configure */
  bool shuffle;                   /* simultaneous events in an order that is a choice */
  uint64_t wall_start_ns;         /* 0: 2024-01-01T00:00:00Z */
  uint64_t calls_per_event_max;   /* environment calls in one event: more is a livelock; 10 million */
  uint64_t events_per_second_max; /* events in one simulated second; 10 million */
  struct sim_trace_log *trace;    /* NULL: hash only; else every step is recorded here */
  struct sim_trace_marks *marks;  /* NULL: none are made */
};

/* Begins a world in the arena, forgetting the one before. NULL: arena used up. */
struct sim_world *sim_world_begin(struct sim *sim, const struct sim_config *config);

/* --- Nodes ------------------------------------------------------------------------ */

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
};

/* Adds a node, down; nodes are numbered from 1. `config` is copied into the
 * world. 0: no memory. */
uint32_t sim_node_add(struct sim_world *world, const struct sim_node_kind *kind, const void *config,
                      size_t config_size);
uint32_t sim_node_count(const struct sim_world *world);
struct sim_node *sim_node_at(struct sim_world *world, uint32_t number);
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

/* Lifecycle, for drivers and tests; never from inside a node's call. */
bool sim_node_boot(struct sim_world *world, uint32_t number); /* true: up */
void sim_node_power_loss(struct sim_world *world, uint32_t number);
void sim_node_process_crash(struct sim_world *world, uint32_t number);
/* Stops cleanly. Returns the blocks that it leaked. */
uint64_t sim_node_stop(struct sim_world *world, uint32_t number);
void sim_node_pause(struct sim_world *world, uint32_t number);
void sim_node_resume(struct sim_world *world, uint32_t number);
void sim_node_wipe(struct sim_world *world, uint32_t number); /* the node must be down */
/* Sets the node's disk back to the image that sim_disk_image_save() kept last, as
 * a restore from backup does: what was written since is gone, names too; all is
 * durable and nothing pending. The image can be restored again. The node must be
 * down. false, and nothing happens: no image was saved. */
bool sim_node_restore(struct sim_world *world, uint32_t number);
/* Power is lost inside the `calls`-th environment call from now (1: the next).
 * 0 disarms. `process` true: the process dies, the page cache lives. */
void sim_node_arm(struct sim_world *world, uint32_t number, uint64_t calls, bool process);
/* Environment calls so far. */
uint64_t sim_node_calls(const struct sim_node *node);
/* The `count`-th allocation from now returns NULL (1: the next). 0 disarms. */
void sim_node_fail_alloc(struct sim_world *world, uint32_t number, uint64_t count);
void sim_node_memory_quota(struct sim_world *world, uint32_t number, uint64_t nominal_bytes);
/* Boots, deaths and such of a node, so that oracles can tell lives apart. */
uint64_t sim_node_lives(const struct sim_node *node);

/* Called after a node went down for whatever reason, and after it came up;
 * for the ledger. */
typedef void (*sim_lifecycle_fn)(struct sim_world *world, void *self, uint32_t node, bool up, enum sim_node_down why);
void sim_on_lifecycle(struct sim_world *world, sim_lifecycle_fn changed, void *self);

/* Called for every env->trace of a node that is powered, after it was folded
 * into the trace: for oracles and counters. Must not call into the node. */
typedef void (*sim_node_trace_fn)(struct sim_world *world, void *self, uint32_t node, enum sync_trace_kind kind,
                                  const uint64_t *fields, size_t count);
void sim_on_node_trace(struct sim_world *world, sim_node_trace_fn traced, void *self);

/* Runs code on a node from outside, as a client of its process would: gives
 * the node's state, or NULL when it is not up. Power may be lost before leave.
 * Every successful enter needs a leave; leave says whether the node is still
 * up. Counts as an event that enters a node. */
void *sim_node_enter(struct sim_world *world, uint32_t number);
bool sim_node_leave(struct sim_world *world, uint32_t number);
/* Looks at a node's state without running it: no event, no power loss. */
void *sim_node_peek(struct sim_world *world, uint32_t number);

/* Clocks, from now on. */
void sim_clock_step(struct sim_world *world, uint32_t number, int64_t wall_ns);
void sim_clock_rate(struct sim_world *world, uint32_t number, int32_t ppm); /* wall and monotonic; -500000 to 500000 */
void sim_clock_freeze(struct sim_world *world, uint32_t number, bool frozen); /* the wall clock */
/* The wall clock jumps by `wall_ns` and back again, one jump each `every_ns`
 * (at least 1), until `lasting_ns` have passed (UINT64_MAX: until told); it ends
 * jumped back. Replaces an earlier strobe; a wall_ns of 0 only ends that. */
void sim_clock_strobe(struct sim_world *world, uint32_t number, int64_t wall_ns, uint64_t every_ns,
                      uint64_t lasting_ns);

/* --- Drivers -------------------------------------------------------------------------- */

typedef void (*sim_driver_fn)(struct sim_world *world, void *self, uint64_t token);
/* Registers a driver (at most 64); `self` is in the arena. */
uint32_t sim_driver_add(struct sim_world *world, sim_driver_fn wake, void *self);
/* Wakes the driver at a simulated time (now or later). */
void sim_driver_at(struct sim_world *world, uint32_t driver, uint64_t time_ns, uint64_t token);
/* Memory for drivers, in the arena, freed with the world. NULL: used up. */
void *sim_alloc(struct sim_world *world, size_t size);
void sim_free(struct sim_world *world, void *block, size_t size);

/* For disks: a completion for `node` at a time; the world then calls
 * sim_disk_fsync_finish(disk, id, ...), unless the node went down meanwhile. */
void sim_schedule_disk(struct sim_world *world, uint32_t node, uint64_t time_ns, uint64_t id);
/* For disks: the node is busy for so much longer. */
void sim_node_busy(struct sim_world *world, uint32_t node, uint64_t ns);

/* --- Running ---------------------------------------------------------------------------- */

enum sim_end {
  SIM_END_TIME = 0,      /* the time was reached */
  SIM_END_IDLE = 1,      /* nothing is left to happen */
  SIM_END_VIOLATION = 2, /* sim_violation() was called */
  SIM_END_EVENTS = 3,    /* the number of events was reached */
  SIM_END_STOPPED = 4,   /* sim_stop() was called */
};
/* Runs until simulated time `until_ns` (events at that time included), or
 * until `events_max` more events have run (UINT64_MAX: no bound). When it
 * returns for time or idleness it is then `until_ns` (unless that is
 * UINT64_MAX). */
enum sim_end sim_run(struct sim *sim, uint64_t until_ns, uint64_t events_max);
/* Ends sim_run after this event; for scripts with errors. */
void sim_stop(struct sim_world *world);
struct sim_world *sim_world(struct sim *sim);
/* Swaps the choice source and the recording (after a restore, to branch).
 * Identities stay those of the seed under which the world began. */
void sim_set_source(struct sim *sim, const struct sim_choice_source *source);
void sim_set_trace(struct sim *sim, struct sim_trace_log *log);
void sim_set_trace_marks(struct sim *sim, struct sim_trace_marks *marks);

/* Stops all faults: probabilities, disk latencies and quotas go to zero, links
 * have no bounds, cuts, flaps, clogs, swizzles, rules (what they held arrives),
 * strobes and pauses end, clocks run at the true rate (a wall clock that was stepped
 * stays where it is), armed crashes and failing allocations are disarmed.
 * Nodes that are down stay down. */
void sim_calm(struct sim_world *world);

uint64_t sim_now(const struct sim_world *world);
uint64_t sim_events(const struct sim_world *world);     /* that entered a node */
uint64_t sim_events_run(const struct sim_world *world); /* all, those of drivers too */
uint64_t sim_event_id(const struct sim_world *world);   /* the running event */
uint64_t sim_seed(const struct sim_world *world);
struct sim_fault_count *sim_fault(struct sim_world *world, enum sim_fault fault);
static inline void sim_fault_chance(struct sim_world *world, enum sim_fault fault, uint32_t fired) {
  struct sim_fault_count *count = sim_fault(world, fault);
  count->opportunities++;
  count->firings += fired != 0;
}

/* --- Verdict ------------------------------------------------------------------------------ */

struct sim_violation {
  bool found;
  char property[64]; /* plain name: "durability" */
  char detail[960];  /* what was seen, expected, where */
  uint64_t time_ns;
  uint64_t event;
  uint32_t node;       /* 0: none in particular */
  uint64_t subject[3]; /* what the history is told of: an operation's {node hash, incarnation, seq}, or zeros */
};
/* A property does not hold. The first one counts; the run ends after this
 * event. Printf format; integers and strings only. */
#if defined(__GNUC__)
__attribute__((format(printf, 5, 6)))
#endif
void sim_violation(struct sim_world *world, const char *property, uint32_t node, const uint64_t subject[3],
                   const char *format, ...);
const struct sim_violation *sim_violation_get(const struct sim_world *world);

#endif
