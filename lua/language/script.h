/* A script in a world: the Lua state and all that belongs to it, in the arena;
 * bounded memory, bounded steps, errors with lines. */
#ifndef LUA_LANGUAGE_SCRIPT_H
#define LUA_LANGUAGE_SCRIPT_H

#include <lua.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/config.h"
#include "lua/language/chunk.h"
#include "lua/language/stack.h"
#include "lua/text/helpers.h"
#include "lua/text/info.h"
#include "sim/sim.h"

#define SCRIPT_MEMORY_BYTES (32u * 1024u * 1024u)
#define SCRIPT_PLACE_BYTES (128u * 1024u * 1024u) /* of tables, beside that */
#define SCRIPT_SLICE_STEPS UINT64_C(20000000)     /* from one wake to the next; of each look of a property */
#define SCRIPT_TEXT_CLASSES 16u                   /* texts of 4 KiB, 8 KiB, ... */
#define SCRIPT_TEXT_BYTES (1024u * 1024u)         /* of one text */
#define SCRIPT_HOOK_STEPS 1000
#define SCRIPT_SPREAD_MAX 5000 /* values that one call takes or gives */
#define SCRIPT_TASKS_MAX 256u
#define SCRIPT_PROPERTIES_MAX 32u

struct settings; /* settings/settings.h */
struct variants; /* settings/parameters.h */

enum script_property_kind { SCRIPT_ALWAYS = 1, SCRIPT_SOMETIMES = 2, SCRIPT_EVENTUALLY = 3, SCRIPT_NEVER = 4 };

struct script_property {
  enum script_property_kind kind;
  char name[SCENARIO_NAME_BYTES];
  uint64_t within_ns; /* SCRIPT_EVENTUALLY */
  int function;       /* registry reference: a function, or the list of those of its steps */
  uint32_t steps;     /* of a sequence; 0: it is none */
  uint32_t reached;   /* so far */
  bool satisfied;
};

enum script_phase {
  SCRIPT_RUNS = 0,
  SCRIPT_SETTLES = 1, /* faults stopped */
  SCRIPT_WAITS = 2,   /* settled; a property still has time to come true */
  SCRIPT_JUDGED = 3,  /* the final word is being said */
  SCRIPT_OVER = 4
};

/* A coroutine that the timeline wakes. */
struct script_task {
  bool used;
  bool waiting; /* it sleeps, or waits for a predicate or an answer */
  bool awaits;  /* it is an answer */
  uint32_t number;
  uint32_t generation; /* of its wake: a late one of an earlier user of the slot is ignored */
  uint64_t name;       /* for identities: which of whose it is */
  uint32_t sleeps;     /* so far */
  int thread;          /* registry reference */
  lua_State *co;
  int predicate; /* registry reference, LUA_NOREF */
  uint64_t deadline_ns;
  uint64_t since_ns; /* when it began to wait */
  uint64_t until_ns; /* of a sleep */
};

struct script;
/* A function that merges values (settings/merge.h). */
struct script_merge {
  struct script *script;
  int function; /* registry reference */
  int line;     /* where it begins */
};

#define SCRIPT_MERGED_MAX 256u
/* What one made of some values. */
struct script_merged {
  uint64_t name; /* of the function, the key and the values; 0: none */
  uint8_t *bytes;
  uint32_t size;
  bool refused; /* it made nothing of them */
};

struct script {
  struct sim_world *world;
  struct cluster *cluster; /* NULL while loading */
  lua_State *lua;
  uint32_t driver;

  uint64_t bytes;       /* Lua's memory: objects */
  uint64_t place_bytes; /* and vectors, such as the places of tables */
  size_t refused;       /* the size of the last request that was refused; 0: none since */
  bool memory_spent, places_spent, text_spent, arena_spent;
  uint64_t slice_steps, slice_places;        /* left */
  uint32_t great_texts[SCRIPT_TEXT_CLASSES]; /* that live */
  bool great_text_born; /* since the last collection: what is no longer held makes nothing dearer */
  bool steps_spent;

  /* The file's text, for the lines of messages; only while loading (it is
   * outside the arena). */
  const char *text;
  size_t text_size;
  const struct helpers *helpers; /* what it may require; NULL: nothing more */
  const struct params *params;   /* what is set; NULL: nothing */
  struct variants *variants;     /* where they go, NULL: nowhere */

  struct settings *settings; /* where sim.scenario puts them; only while loading */
  char name[SCENARIO_NAME_BYTES];
  struct sim_link_config link; /* as the settings say */
  struct cluster_workload workload;
  bool has_workload;
  bool swarm_operations; /* each seed has some kinds of operations */

  uint32_t current; /* the running task + 1; 0: none */
  bool watching;    /* a property or predicate runs: it may look, not act */
  bool merging;     /* a merge function runs: it sees its values alone */
  uint32_t merge_count;
  uint64_t merge_calls; /* while nothing else of the script ran */
  struct script_merge merges[CLUSTER_OWN_MERGES_MAX];
  struct script_merged merged[SCRIPT_MERGED_MAX];
  enum script_phase phase;
  uint64_t settle_start_ns;
  uint64_t heal_generation;
  uint32_t tasks_started;
  uint64_t wakes;
  uint32_t handles;    /* cuts, flaps, clogs and rules so far */
  uint32_t task_slots; /* slots ever used */
  struct script_task tasks[SCRIPT_TASKS_MAX];
  struct hooks *hooks; /* hook_api.c; NULL: none yet */
  uint32_t property_count;
  struct script_property properties[SCRIPT_PROPERTIES_MAX];

  bool wrong;
  struct stack stack;                        /* where it failed */
  char error[sizeof(struct scenario_error)]; /* begins with SCRIPT_CHUNK ":" */
};

/* A Lua state in which `open` has opened what a script can name. NULL: the
 * arena is used up. */
struct script *script_create(struct sim_world *world, lua_CFunction open);
struct script *script_of(lua_State *lua);
/* Begins a slice: the steps that may be taken until the next wake. */
void script_slice(struct script *script);
/* Collects garbage; only between events, at moments that a run decides. */
void script_collect(struct script *script);
/* Takes steps for work done in C; raises an error when they are spent. */
void script_charge(lua_State *lua, uint64_t steps);
/* The same by the bytes that C looks at. */
void script_charge_bytes(lua_State *lua, uint64_t bytes);
/* Whether a bound was passed: no pcall may hide it. */
bool script_is_spent(const struct script *script);
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
/* The file that it is in: SCRIPT_CHUNK, or that of a helper; SCRIPT_CHUNK when none runs. */
const char *script_chunk(lua_State *lua);
/* The text of that file, for the lines of messages; NULL when it is not known (any longer). */
const char *script_source(lua_State *lua, size_t *size);

#endif
