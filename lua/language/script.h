/* A script in a world: the Lua state and all that belongs to it, in the arena.
 * For the files of this folder.
 */
#ifndef LUA_LANGUAGE_SCRIPT_H
#define LUA_LANGUAGE_SCRIPT_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/config.h"
#include "lua/scenario.h"
#include "sim/sim.h"

/* Messages of the compiler and of Lua begin with this, whatever the file is
 * called, so that no path reaches a run; the path is put in at the end. */
#define SCRIPT_CHUNK "scenario"

#define SCRIPT_MEMORY_BYTES (32u * 1024u * 1024u)
#define SCRIPT_SLICE_STEPS UINT64_C(20000000)  /* from one wake to the next */
#define SCRIPT_TOTAL_STEPS UINT64_C(400000000) /* of a run */
#define SCRIPT_HOOK_STEPS 2000
#define SCRIPT_TASKS_MAX 256u
#define SCRIPT_PROPERTIES_MAX 32u
#define SCRIPT_GROUP_MAX 64u

struct settings; /* settings.h */

/* What a script did, field 0 of SIM_STEP_SCRIPT; part of every trace hash:
 * append only. */
enum script_step {
  SCRIPT_STEP_WAKE = 1,      /* {task} */
  SCRIPT_STEP_SLEEP = 2,     /* {task, until} */
  SCRIPT_STEP_SPAWN = 3,     /* {task} */
  SCRIPT_STEP_DONE = 4,      /* {task} */
  SCRIPT_STEP_CRASH = 5,     /* {calls, process; calls 0: at once} */
  SCRIPT_STEP_RESTART = 6,   /* {1 if up} */
  SCRIPT_STEP_STOP = 7,      /* {blocks leaked} */
  SCRIPT_STEP_PAUSE = 8,     /* {1: pause, 0: resume} */
  SCRIPT_STEP_WIPE = 9,      /* {} */
  SCRIPT_STEP_CLOCK = 10,    /* {what, value} */
  SCRIPT_STEP_CUT = 11,      /* {from, to} */
  SCRIPT_STEP_HEAL = 12,     /* {from, to; 0, 0: all} */
  SCRIPT_STEP_LINK = 13,     /* {from, to} */
  SCRIPT_STEP_DISK = 14,     /* {} */
  SCRIPT_STEP_WRITE = 15,    /* {kind, key, size, status} */
  SCRIPT_STEP_LOG = 16,      /* {hash, size, text ...} */
  SCRIPT_STEP_TEXT = 17,     /* {text ...}: more of it */
  SCRIPT_STEP_CHECK = 18,    /* {property, outcome} */
  SCRIPT_STEP_SKIPPED = 19,  /* {enum script_step} an override left it out */
  SCRIPT_STEP_WORKLOAD = 20, /* {1: start, 0: stop} */
  SCRIPT_STEP_CLOG = 21,     /* {from, to, time} */
  SCRIPT_STEP_FLAP = 22,     /* {links, number} */
  SCRIPT_STEP_SWIZZLE = 23,  /* {nodes, time} */
  SCRIPT_STEP_RULE = 24,     /* {from, to, kind, action, count} */
  SCRIPT_STEP_RULE_END = 25, /* {} */
  SCRIPT_STEP_BACKUP = 26,   /* {} */
  SCRIPT_STEP_RESTORE = 27,  /* {} */
  SCRIPT_STEP_MEMORY = 28,   /* {bytes; 0: no bound} */
  SCRIPT_STEP_ALLOC = 29     /* {count; 0: none fails} */
};

enum script_property_kind { SCRIPT_ALWAYS = 1, SCRIPT_SOMETIMES = 2, SCRIPT_EVENTUALLY = 3 };

struct script_property {
  enum script_property_kind kind;
  char name[SCENARIO_NAME_BYTES];
  uint64_t within_ns; /* SCRIPT_EVENTUALLY */
  int function;       /* registry reference */
  bool satisfied;
};

/* A coroutine that the timeline wakes. */
struct script_task {
  bool used;
  bool waiting; /* it sleeps, or waits for a predicate */
  uint32_t number;
  uint32_t generation; /* of its wake: a late one of an earlier user of the slot is ignored */
  uint32_t count;      /* of its decisions and acts: their identity */
  int thread;          /* registry reference */
  lua_State *co;
  int predicate; /* registry reference, LUA_NOREF */
  uint64_t deadline_ns;
};

struct script {
  struct sim_world *world;
  struct cluster *cluster; /* NULL while loading */
  lua_State *lua;
  uint32_t driver;

  uint64_t bytes; /* Lua's memory */
  size_t refused; /* the size of the last request that was refused; 0: none since */
  bool memory_spent, arena_spent;
  uint64_t slice_steps, total_steps; /* left */
  bool steps_spent;

  /* The file's text, for the lines of messages; only while loading (it is
   * outside the arena). */
  const char *text;
  size_t text_size;

  struct settings *settings; /* where sim.scenario puts them; only while loading */
  char name[SCENARIO_NAME_BYTES];
  struct sim_link_config link; /* as the settings say */
  struct cluster_workload workload;
  bool has_workload;

  uint32_t current; /* the running task + 1; 0: none */
  bool watching;    /* a property or predicate runs: it may look, not act */
  bool ended;       /* faults stopped: no task runs any more */
  uint64_t settle_start_ns;
  uint64_t heal_generation;
  uint32_t tasks_started;
  uint64_t wakes;
  uint32_t task_slots; /* slots ever used */
  struct script_task tasks[SCRIPT_TASKS_MAX];
  uint32_t property_count;
  struct script_property properties[SCRIPT_PROPERTIES_MAX];

  bool wrong;
  char error[sizeof(struct scenario_error)]; /* begins with SCRIPT_CHUNK ":" */
};

/* --- state.c -------------------------------------------------------------------- */

/* A Lua state with the sandbox opened. NULL: the arena is used up. */
struct script *script_create(struct sim_world *world);
struct script *script_of(lua_State *lua);
/* Begins a slice: the steps that may be taken until the next wake. */
void script_slice(struct script *script);
/* Takes steps for work done in C; raises an error when they are spent. */
void script_charge(lua_State *lua, uint64_t steps);
/* Calls with `args` arguments on the stack; nothing may yield. false: the
 * script is wrong (recorded, the world stops), the stack is as before the
 * function and its arguments. */
bool script_call(struct script *script, int args, int results);
/* Records that the script is wrong, from the error object on top of `lua`. */
void script_failed(struct script *script, lua_State *lua, int status);
/* The error for users, with the path in place of SCRIPT_CHUNK. */
void script_error_text(const struct script *script, const char *path, struct scenario_error *error);

/* Raises an error at the nearest line of the script. */
#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 2, 3)))
#endif
void script_raise(lua_State *lua, const char *format, ...);
/* The same, at a given line. */
#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 3, 4)))
#endif
void script_raise_at(lua_State *lua, int line, const char *format, ...);
/* The line of the script that runs now, 0 when none does. */
int script_line(lua_State *lua);

/* --- sandbox.c, strings.c, tables.c, sort.c, pairs.c ------------------------------- */

void sandbox_open(lua_State *lua);
void strings_open(lua_State *lua);
void tables_open(lua_State *lua);
int sort_table(lua_State *lua); /* table.sort: a stable merge sort */
int pairs_sorted(lua_State *lua);
/* The length of a list; raises an error when it has holes or a metatable. */
lua_Integer tables_length(lua_State *lua, int index);
/* Pushes the text of any value: like tostring, without addresses. */
void sandbox_tostring(lua_State *lua, int index);

/* --- objects.c: userdata with methods ------------------------------------------------ */

struct script_method {
  const char *name;
  lua_CFunction call;
};
/* Makes the metatable `type` with these methods; an unknown one is an error
 * that names the nearest. The list ends in NULL. */
void object_type(lua_State *lua, const char *type, const char *noun, const struct script_method *methods);
/* The object at `index`, or an error that says how to call a method. */
void *object_check(lua_State *lua, int index, const char *type, const char *noun);

#define WORLD_TYPE "sim.world"
#define NODE_TYPE "sim.node"
#define CUT_TYPE "sim.cut"
#define RULE_TYPE "sim.rule"
#define KV_TYPE "sim.kv"
#define PROPERTY_TYPE "sim.property"
#define SCENARIO_TYPE "sim.scenario"

/* --- world_api.c, node_api.c --------------------------------------------------------- */

void world_open(lua_State *lua);
void node_open(lua_State *lua);
void network_open(lua_State *lua);
void world_push(lua_State *lua);
void node_push(lua_State *lua, uint32_t number);
/* The number of a node given as a number or a node object. */
uint32_t node_check(lua_State *lua, int index);
/* The world's methods that network_api.c, partition_api.c and rule_api.c have. */
int network_partition(lua_State *lua);
int network_partition_one_way(lua_State *lua);
int network_isolate(lua_State *lua);
int network_heal_all(lua_State *lua);
int network_link(lua_State *lua);
int network_clog(lua_State *lua);
int network_flap(lua_State *lua);
int network_swizzle(lua_State *lua);
int partition_halves(lua_State *lua);
int partition_bridge(lua_State *lua);
int partition_ring(lua_State *lua);
int partition_random(lua_State *lua);
int rule_add(lua_State *lua);
void rule_open(lua_State *lua);

/* --- network_api.c: sets of directed links --------------------------------------------- */

#define SCRIPT_LINKS_MAX (SCRIPT_GROUP_MAX * SCRIPT_GROUP_MAX)
struct link_set {
  uint32_t count;
  struct sim_link_name names[SCRIPT_LINKS_MAX];
};
void link_set_add(struct link_set *links, uint32_t from, uint32_t to);
void link_set_add_both(struct link_set *links, uint32_t a, uint32_t b);
/* Cuts the links, or makes them flap, and pushes the handle. An act: an
 * override may leave it out. */
int network_cut_links(lua_State *lua, const struct link_set *links, const char *what);
int network_flap_links(lua_State *lua, const struct link_set *links, const struct sim_flap_config *config,
                       const char *what);
/* The nodes 1 to n in an order that the seed chooses. Returns n. */
uint32_t network_shuffle(lua_State *lua, uint32_t nodes[SCRIPT_GROUP_MAX]);
/* A duration or range of them at `index`. */
void script_durations(lua_State *lua, int index, uint64_t *min_ns, uint64_t *max_ns);
/* Folds an action into the trace. */
/* Sentences for enum script_step, in a recording. */
void script_name_steps(struct sim_world *world);
void script_trace(struct script *script, enum script_step step, uint32_t node, const uint64_t *fields, size_t count);
/* The identity of the next decision or act of the running task. */
uint64_t script_identity(lua_State *lua);
/* Raises an error unless a task of the script runs (properties only look). */
void script_must_act(lua_State *lua, const char *what);
/* The same for a fault; false when an override leaves it out. */
bool script_fault(lua_State *lua, enum script_step step, uint32_t node, const char *what);
/* A duration at `index`, in nanoseconds. */
uint64_t script_duration(lua_State *lua, int index);

/* --- task.c --------------------------------------------------------------------------- */

/* Starts the function on top of the stack with `args` arguments below... above
 * it as a task, at the present time. Pops them. */
void task_start(lua_State *lua, int args);
int task_sleep(lua_State *lua);
int task_wait_until(lua_State *lua);
int task_spawn(lua_State *lua);
/* Adds the script's driver to the world and starts the checks of properties. */
void task_drive(struct script *script);

/* --- properties.c ---------------------------------------------------------------------- */

int property_always(lua_State *lua);
int property_sometimes(lua_State *lua);
int property_eventually(lua_State *lua);
/* Takes the list of properties at `index`. */
void properties_take(lua_State *lua, int index);
/* Evaluates them now. `final`: an `eventually` that never held is violated. */
void properties_check(struct script *script, bool final);
bool properties_pending(const struct script *script, uint64_t *until_ns);

#endif
