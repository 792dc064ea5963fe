/* Scenarios: Lua files that describe a world, what happens in it, and what
 * must hold. One file returns one scenario (sim.scenario{...}).
 *
 * The Lua state lives in the world's arena, so a checkpoint holds it; scripts
 * are sandboxed and deterministic.
 */
#ifndef LUA_SCENARIO_H
#define LUA_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lua/file.h"
#include "lua/text/info.h"
#include "sim/sim.h"

/* 0, or -1 with *error. Uses the arena of `sim` (forgets the world in it). */
int scenario_describe(struct sim *sim, const struct scenario_file *file, struct scenario_info *info,
                      struct scenario_error *error);

enum scenario_verdict {
  SCENARIO_HELD = 0,
  SCENARIO_VIOLATED = 1,
  SCENARIO_WRONG = 2,   /* the script is in error: see `error` */
  SCENARIO_HARNESS = 3, /* the harness failed (arena used up) */
};

struct scenario_result {
  enum scenario_verdict verdict;
  struct sim_violation violation; /* when violated */
  struct scenario_error error;    /* when wrong */
  uint64_t seed;
  uint64_t trace_hash;
  uint64_t trace_hash_of[SIM_SUB_COUNT];
  uint64_t events; /* that entered a node */
  uint64_t simulated_ns;
  uint64_t peak_bytes; /* of the arena */
  struct sim_fault_count faults[SIM_FAULT_COUNT];
  char waits[400]; /* when violated: where its tasks wait; may be empty */
  uint32_t sometimes_count;
  bool sometimes[SCENARIO_SOMETIMES_MAX];  /* by index of scenario_info.sometimes */
  uint8_t reached[SCENARIO_SOMETIMES_MAX]; /* steps of a sequence that were reached */
  bool silenced[SCENARIO_WITHOUT_MAX];     /* by index of scenario_info.without: it would have spoken */
};

struct scenario_options {
  struct sim_choice_source source; /* the seed, overrides, recording of choices */
  struct sim_trace_log *trace;     /* NULL: hash only */
  struct sim_trace_marks *marks;   /* NULL: none */
  uint64_t until_ns;               /* 0: to the end; else stop there, without a final word */
  uint64_t until_events;           /* the same after so many events (sim_events_run) */
  uint64_t duration_ns;            /* not 0: faults stop that early, if it is earlier */
  bool no_oracles;                 /* for benches only: see struct cluster_config */
};

/* One world, from birth to verdict. Forgets the world before it in `sim`. */
void scenario_run(struct sim *sim, const struct scenario_file *file, const struct scenario_options *options,
                  struct scenario_result *result);

/* The same in steps. What happens is in the arena alone, settling and the final word
 * too: between two steps a checkpoint can be saved and restored, and the run goes on from there, any
 * number of times, under another choice source if one was set (sim_set_source). */
struct scenario_world;
/* To time 0: the nodes are up, run() has come to its first sleep. `file` must
 * outlive it; options.until_ns and until_events say nothing here. NULL: *result tells why. */
struct scenario_world *scenario_begin(struct sim *sim, const struct scenario_file *file,
                                      const struct scenario_options *options, struct scenario_result *result);
/* Runs to a time, the end of the scenario's duration at the latest. */
void scenario_continue(struct scenario_world *run, uint64_t until_ns);
/* Runs on, through settling and the final word too, to a time or for so many events
 * (those of drivers included). false: the run is over. */
bool scenario_step(struct scenario_world *run, uint64_t until_ns, uint64_t events);
/* Runs to the end, settles and judges: *result is what scenario_run would have
 * given. Of the source only the seed of the beginning is told in it. */
void scenario_finish(struct scenario_world *run, struct scenario_result *result);
/* Frees what is outside the arena; also after a finish. NULL: nothing. */
void scenario_free(struct scenario_world *run);

#endif
