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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env.h"
#include "sim/choice/choice.h"
#include "sim/choice/distribution.h"
#include "sim/disk/disk.h"
#include "sim/memory/arena.h"
#include "sim/memory/units.h"
#include "sim/network/config.h"
#include "sim/node/kind.h"
#include "sim/trace/happening.h"
#include "sim/trace/trace.h"
#include "sim/world/links.h"

struct sim;
struct sim_world;
struct sim_node;

/* --- The process side --------------------------------------------------------- */

struct sim_options {
  uint64_t arena_bytes; /* of address space; 0: 1 GiB */
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
/* Called when the arena is full, before anything in the world may notice: what a
 * world does must not hang on the memory of the machine. Must not return. Without
 * it (NULL) allocations fail. */
struct sim_full {
  uint64_t arena_bytes, used_bytes, wanted_bytes;
  uint64_t seed, time_ns, event;
  uint32_t node;
};
typedef void (*sim_full_fn)(void *arg, const struct sim_full *full);
void sim_on_full(struct sim *sim, sim_full_fn full, void *arg);
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

/* Adds a node, down; nodes are numbered from 1. `config` is copied into the
 * world. 0: no memory. */
uint32_t sim_node_add(struct sim_world *world, const struct sim_node_kind *kind, const void *config,
                      size_t config_size);
uint32_t sim_node_count(const struct sim_world *world);
struct sim_node *sim_node_at(struct sim_world *world, uint32_t number);
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
/* The same, but of calls of certain kinds only (SIM_CALLS_...). */
void sim_node_arm_at(struct sim_world *world, uint32_t number, uint32_t calls, uint64_t nth, bool process);
/* The `count`-th allocation from now returns NULL (1: the next). 0 disarms. */
void sim_node_fail_alloc(struct sim_world *world, uint32_t number, uint64_t count);
void sim_node_memory_quota(struct sim_world *world, uint32_t number, uint64_t nominal_bytes);

void sim_on_lifecycle(struct sim_world *world, sim_lifecycle_fn changed, void *self);

void sim_on_node_trace(struct sim_world *world, sim_node_trace_fn traced, void *self);

/* Tells `happened` of these kinds of happenings from now on (bit 1 << enum sim_happening_kind of `kinds`; 0: of none),
 * in place of who was told before. `self` is in the arena. */
void sim_on_happening(struct sim_world *world, uint32_t kinds, sim_happening_fn happened, void *self);

/* Runs code on a node from outside, as a client of its process would: gives
 * the node's state, or NULL when it is not up. Power may be lost before leave.
 * Every successful enter needs a leave; leave says whether the node is still
 * up. Counts as an event that enters a node. */
void *sim_node_enter(struct sim_world *world, uint32_t number);
bool sim_node_leave(struct sim_world *world, uint32_t number);
/* Looks at a node's state without running it: no event, no power loss. */
void *sim_node_peek(struct sim_world *world, uint32_t number);

/* What the node's wall clock shows now, without a call of the machine. */
uint64_t sim_clock_wall_peek(struct sim_world *world, uint32_t number);
uint64_t sim_clock_mono_peek(struct sim_world *world, uint32_t number); /* the same of the monotonic one */
/* Clocks, from now on. */
void sim_clock_step(struct sim_world *world, uint32_t number, int64_t wall_ns);
void sim_clock_rate(struct sim_world *world, uint32_t number, int32_t ppm); /* wall and monotonic; -500000 to 500000 */
void sim_clock_freeze(struct sim_world *world, uint32_t number, bool frozen); /* the wall clock */
/* The wall clock jumps by `wall_ns` and back again, one jump each `every_ns`
 * (at least 1), until `lasting_ns` have passed (UINT64_MAX: until told); it ends
 * jumped back. Replaces an earlier strobe; a wall_ns of 0 only ends that. */
void sim_clock_strobe(struct sim_world *world, uint32_t number, int64_t wall_ns, uint64_t every_ns,
                      uint64_t lasting_ns);

/* --- Chance (choice.h has tags and sources) -------------------------------------------- */

/* 1 with a probability of `ppm` parts per million, else 0. 0 ppm decides
 * nothing: no draw, no record. */
uint32_t sim_chance(struct sim_world *world, struct sim_tag tag, uint32_t ppm);
/* Uniform below n; n >= 1. */
uint64_t sim_pick(struct sim_world *world, struct sim_tag tag, uint64_t n);
/* The same, but 0 and n - 1 have a third each: for sizes and places, whose ends
 * are the interesting cases and hardly ever drawn otherwise. */
uint64_t sim_pick_ends(struct sim_world *world, struct sim_tag tag, uint64_t n);
/* Uniform in lo..hi, both included; lo is calm. */
uint64_t sim_range(struct sim_world *world, struct sim_tag tag, uint64_t lo, uint64_t hi);
/* `usual`, whatever decides the rest, unless the table of overrides says something else
 * (held within lo .. hi): for what happens as it is written, until somebody who shrinks a
 * run leaves it out (usual 0, left out 1) or cuts it short. Recorded, so that he knows what
 * there is. */
uint64_t sim_usual(struct sim_world *world, struct sim_tag tag, uint64_t usual, uint64_t lo, uint64_t hi);
bool sim_left_out(struct sim_world *world, struct sim_tag tag);
/* Other shapes (distribution.h). */
uint64_t sim_exponential(struct sim_world *world, struct sim_tag tag, uint64_t mean);
bool sim_slow_tail(struct sim_world *world, const struct sim_slow_tail *tail, uint32_t where, uint64_t identity,
                   uint64_t *more);
bool sim_loss_chain(struct sim_world *world, const struct sim_loss_chain *chain, bool *bad, uint32_t where,
                    uint64_t identity);
/* The next identity for decisions at (kind, where) that have none of their
 * own: 0, 1, 2, ... */
uint64_t sim_counter(struct sim_world *world, uint32_t kind, uint32_t where);
/* The next number of that name, a hash: 0, 1, 2, ... */
uint64_t sim_nth(struct sim_world *world, uint64_t name);
/* 64 bits, never 0, that no other (kind, where, count) of this seed gives: the
 * seed under which the world began. No decision: the same under every source. */
uint64_t sim_unique(struct sim_world *world, uint32_t kind, uint32_t where);

/* --- Drivers -------------------------------------------------------------------------- */

typedef void (*sim_driver_fn)(struct sim_world *world, void *self, uint64_t token);
/* Registers a driver (at most 64); `self` is in the arena. */
uint32_t sim_driver_add(struct sim_world *world, sim_driver_fn wake, void *self);
/* Wakes the driver at a simulated time (now or later). */
void sim_driver_at(struct sim_world *world, uint32_t driver, uint64_t time_ns, uint64_t token);
/* Wakes the driver at once: as the next event of all, behind those asked for in the same way before. */
void sim_driver_next(struct sim_world *world, uint32_t driver, uint64_t token);
/* Memory for drivers, in the arena, freed with the world. NULL: used up. */
void *sim_alloc(struct sim_world *world, size_t size);
void sim_free(struct sim_world *world, void *block, size_t size);

/* The node is busy for so much longer: nothing else reaches it until then. */
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
/* --- Trace (trace.h has the steps, recordings and marks) ----------------------------------- */

/* Folds one step into the chain of its subsystem and, when recording, records
 * it, with the time and the running event. `node` 0: none. */
void sim_trace(struct sim_world *world, enum sim_subsystem subsystem, enum sim_step step, uint32_t node,
               const uint64_t *fields, size_t count);
/* All chains as one number: the trace hash of the run so far; and one chain. */
uint64_t sim_trace_hash(const struct sim_world *world);
uint64_t sim_trace_hash_of(const struct sim_world *world, enum sim_subsystem subsystem);
/* Remembers a name in the recording, when there is one; templates are told in
 * trace.h (enum sim_name_kind). */
void sim_trace_name(struct sim_world *world, enum sim_name_kind kind, uint32_t scope, uint64_t value, const char *text);
/* Remembers a statement: what was done, as a scenario would say it (SIM_NAME_STATEMENT). */
void sim_trace_statement(struct sim_world *world, enum sim_statement of, const char *text);
/* Whether anybody would remember it. */
bool sim_trace_recording(const struct sim_world *world);

/* Where the recording, the trace log, and the bytes or enumerator stand. */
struct sim_mark {
  struct sim_source_mark source;
  size_t trace;
};
/* Taken with a checkpoint. */
struct sim_mark sim_mark(const struct sim *sim);
/* After the checkpoint's restore: cuts away what was written since the mark, so
 * that source and log are what they were. They must be the same ones. */
void sim_rewind(struct sim *sim, struct sim_mark mark);

/* --- Verdict ------------------------------------------------------------------------------ */

/* A property does not hold. The first one counts; the run ends after this
 * event. Printf format; integers and strings only. */
#if defined(__GNUC__)
__attribute__((format(printf, 5, 6)))
#endif
void sim_violation(struct sim_world *world, const char *property, uint32_t node, const uint64_t subject[3],
                   const char *format, ...);
const struct sim_violation *sim_violation_get(const struct sim_world *world);

/* From now on what sim_violation() says of this property counts for nothing, but is counted. Before the world
 * runs. false: there are SIM_SILENCED_MAX of them. */
#define SIM_SILENCED_MAX 16u
bool sim_silence(struct sim_world *world, const char *property);
/* How often it would have spoken; 0: never, or it is not silenced. */
uint64_t sim_silenced(const struct sim_world *world, const char *property);

#endif
