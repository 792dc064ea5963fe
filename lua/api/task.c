#include "lua/api/task.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "cluster/settle.h"
#include "lua/api/act.h"
#include "lua/language/argument.h"
#include "lua/language/sandbox.h"
#include "lua/language/script.h"
#include "lua/language/steps.h"
#include "lua/language/world.h"
#include "lua/settings/properties.h"
#include "lua/text/units.h"

#define CHECK_INTERVAL_NS (100u * SIM_MS)
#define POLL_INTERVAL_NS (10u * SIM_MS)
#define COLLECT_EVERY 128u /* wakes */
#define WAITS_TOLD_MAX 3u
/* Below every task's, whose generations begin at 1. */
#define TOKEN_CHECK 1u
#define TOKEN_PHASE 2u

struct script_task *task_running(lua_State *lua, const char *what) {
  struct script *script = script_of(lua);
  if (script->watching) script_raise(lua, "%s: a property or condition may look, not wait", what);
  if (!script->current) script_raise(lua, "%s works inside run = function(world) ... end only", what);
  struct script_task *task = &script->tasks[script->current - 1];
  if (task->co != lua)
    script_raise(lua, "%s works in run and in functions given to world:spawn, not in a coroutine of one's own", what);
  return task;
}

static void schedule(struct script *script, struct script_task *task, uint64_t time_ns) {
  uint64_t slot = (uint64_t)(task - script->tasks);
  task->waiting = true;
  task->generation++;
  sim_driver_at(script->world, script->driver, time_ns, (uint64_t)task->generation << 32 | slot);
}

static void finish(struct script *script, struct script_task *task) {
  luaL_unref(script->lua, LUA_REGISTRYINDEX, task->thread);
  luaL_unref(script->lua, LUA_REGISTRYINDEX, task->predicate);
  task->used = false;
  task->waiting = false;
  task->co = NULL;
  task->generation++;
}

static struct script_task *create(lua_State *lua, int args) {
  struct script *script = script_of(lua);
  uint32_t slot = 0;
  while (slot < script->task_slots && script->tasks[slot].used)
    slot++;
  if (slot >= SCRIPT_TASKS_MAX)
    script_raise(lua, "more than %u tasks at once (world:spawn, and hooks that sleep)", SCRIPT_TASKS_MAX);
  struct script_task *task = &script->tasks[slot];
  if (slot == script->task_slots) script->task_slots++;
  task->co = lua_newthread(lua);
  lua_insert(lua, -(args + 2));
  lua_xmove(lua, task->co, args + 1);
  task->thread = luaL_ref(lua, LUA_REGISTRYINDEX);
  task->predicate = LUA_NOREF;
  task->used = true;
  task->awaits = false;
  task->number = ++script->tasks_started;
  task->sleeps = 0;
  uint64_t fields[] = {task->number};
  script_trace(script, SCRIPT_STEP_SPAWN, 0, fields, 1);
  return task;
}

void task_start(lua_State *lua, int args) {
  struct script *script = script_of(lua);
  struct script_task *task = create(lua, args);
  task->name = script_identity(lua, "world:spawn", 0);
  schedule(script, task, sim_now(script->world));
}

int task_spawn(lua_State *lua) {
  script_must_act(lua, "world:spawn");
  luaL_checktype(lua, 2, LUA_TFUNCTION);
  /* The function's arguments are the world and what follows. */
  int extra = lua_gettop(lua) - 2;
  lua_pushvalue(lua, 1);
  lua_insert(lua, 3);
  task_start(lua, extra + 1);
  return 0;
}

int task_sleep(lua_State *lua) {
  struct script_task *task = task_running(lua, "world:sleep");
  struct script *script = script_of(lua);
  uint64_t ns = script_duration(lua, 2);
  struct sim_tag tag = sim_tag(SIM_CHOICE_SCENARIO_SLEEP, 0, sim_hash_fold(task->name, task->sleeps++));
  uint64_t until = sim_now(script->world) + sim_usual(script->world, tag, ns, 0, ns);
  uint64_t fields[] = {task->number, until};
  script_trace(script, SCRIPT_STEP_SLEEP, 0, fields, 2);
  task->since_ns = sim_now(script->world);
  task->until_ns = until;
  schedule(script, task, until);
  return lua_yield(lua, 0);
}

/* 1, 0, or -1: the script is wrong. `from` has the predicate on top. */
static int predicate_holds(struct script *script, lua_State *from) {
  lua_State *lua = script->lua;
  if (from != lua) {
    if (!lua_checkstack(lua, 4)) return -1;
    lua_xmove(from, lua, 1);
  }
  world_push(lua);
  script->watching = true;
  bool good = script_call(script, 1, 1);
  script->watching = false;
  if (!good) return -1;
  int outcome = lua_toboolean(lua, -1);
  lua_pop(lua, 1);
  return outcome;
}

int task_wait_until(lua_State *lua) {
  struct script_task *task = task_running(lua, "world:wait_until");
  struct script *script = script_of(lua);
  if (lua_type(lua, 2) != LUA_TFUNCTION || lua_gettop(lua) != 3)
    script_raise(lua, "write world:wait_until(function() ... end, \"30s\")");
  task->deadline_ns = sim_now(script->world) + script_duration(lua, 3);
  task->since_ns = sim_now(script->world);
  lua_settop(lua, 2);
  luaL_unref(lua, LUA_REGISTRYINDEX, task->predicate);
  task->predicate = luaL_ref(lua, LUA_REGISTRYINDEX);
  /* First looked at in a wake of its own: a call from here would nest. */
  schedule(script, task, sim_now(script->world));
  return lua_yield(lua, 0);
}

/* false: the task sleeps on (or the script is wrong). */
static bool poll(struct script *script, struct script_task *task, int *outcome) {
  uint64_t now = sim_now(script->world);
  lua_rawgeti(script->lua, LUA_REGISTRYINDEX, task->predicate);
  *outcome = predicate_holds(script, script->lua);
  if (*outcome < 0) return false;
  if (*outcome == 0 && now < task->deadline_ns) {
    uint64_t next = now + POLL_INTERVAL_NS;
    schedule(script, task, next < task->deadline_ns ? next : task->deadline_ns);
    return false;
  }
  luaL_unref(script->lua, LUA_REGISTRYINDEX, task->predicate);
  task->predicate = LUA_NOREF;
  return true;
}

/* Runs it to its next sleep; `args` values on its stack are what its call gave. */
static void go_on(struct script *script, struct script_task *task, int args) {
  int results = 0;
  uint64_t fields[] = {task->number};
  script_trace(script, SCRIPT_STEP_WAKE, 0, fields, 1);
  task->waiting = false;
  script->current = (uint32_t)(task - script->tasks) + 1;
  int status = lua_resume(task->co, script->lua, args, &results);
  script->current = 0;
  if (status == LUA_YIELD && !script_is_spent(script)) {
    lua_pop(task->co, results);
    if (task->waiting) return;
    lua_pushliteral(task->co, "coroutine.yield in a task: use world:sleep or world:wait_until");
    script_failed(script, task->co, LUA_ERRRUN);
    return;
  }
  if (status == LUA_OK && !script_is_spent(script)) {
    script_trace(script, SCRIPT_STEP_DONE, 0, fields, 1);
    finish(script, task);
    return;
  }
  if (status == LUA_OK || status == LUA_YIELD)
    lua_pushliteral(task->co, "the script takes too long, and hid it with pcall");
  script_failed(script, task->co, status);
}

static void resume(struct script *script, struct script_task *task) {
  int args = 0, outcome = 0;
  if (task->awaits) { /* nobody has answered in time */
    task->awaits = false;
    lua_pushnil(task->co);
    args = 1;
  } else if (task->predicate != LUA_NOREF) {
    if (!poll(script, task, &outcome)) return;
    lua_pushboolean(task->co, outcome);
    args = 1;
  } else if (lua_status(task->co) == LUA_OK) {
    args = lua_gettop(task->co) - 1; /* its first run: the function's arguments */
  }
  go_on(script, task, args);
}

void task_run(lua_State *lua, int args, uint64_t name) {
  struct script_task *task = create(lua, args);
  task->name = name;
  task->generation++;
  resume(script_of(lua), task);
}

int task_await(lua_State *lua, struct script_task *task, uint64_t until_ns) {
  task->awaits = true;
  schedule(script_of(lua), task, until_ns);
  return lua_yield(lua, 0);
}

bool task_awaits(const struct script *script, uint32_t slot, uint32_t generation) {
  const struct script_task *task = &script->tasks[slot];
  return task->used && task->awaits && task->generation == generation;
}

void task_answer(struct script *script, uint32_t slot) {
  struct script_task *task = &script->tasks[slot];
  task->awaits = false;
  task->generation++; /* the wake at the end of its patience says nothing any more */
  lua_xmove(script->lua, task->co, 1);
  go_on(script, task, 1);
}

/* --- The end of a run: settling and the final word, an event for each step ------- */

static void next_phase(struct script *script, enum script_phase phase, uint64_t time_ns) {
  script->phase = phase;
  sim_driver_at(script->world, script->driver, time_ns, TOKEN_PHASE);
}

static void phase_step(struct script *script) {
  uint64_t now = sim_now(script->world), next_ns;
  switch (script->phase) {
  case SCRIPT_SETTLES:
    if (!cluster_settle_step(script->cluster, &next_ns))
      next_phase(script, SCRIPT_SETTLES, next_ns);
    else
      next_phase(script, SCRIPT_WAITS, properties_pending(script, &next_ns) && next_ns > now ? next_ns : now);
    return;
  case SCRIPT_WAITS:
    /* An engine may have written by itself meanwhile. What is judged is judged in this very event. */
    if (!cluster_settle_step(script->cluster, &next_ns)) {
      next_phase(script, SCRIPT_SETTLES, next_ns);
      return;
    }
    properties_check(script, true);
    script->phase = SCRIPT_JUDGED; /* fall through */
  case SCRIPT_JUDGED:
    if (!cluster_judge_step(script->cluster)) {
      next_phase(script, SCRIPT_JUDGED, now);
      return;
    }
    script->phase = SCRIPT_OVER;
    sim_stop(script->world);
    return;
  case SCRIPT_RUNS:
  case SCRIPT_OVER:
    return;
  }
}

void task_end(struct script *script, uint64_t settle_ns) {
  script->settle_start_ns = sim_now(script->world);
  cluster_settle_begin(script->cluster, settle_ns);
  next_phase(script, SCRIPT_SETTLES, script->settle_start_ns);
}

bool task_wake_begins(struct script *script) {
  if (script->wrong) return false;
  script_slice(script);
  if (++script->wakes % COLLECT_EVERY == 0 || script->great_text_born) {
    if (!sandbox_check(script)) return false;
    script_collect(script);
  }
  return true;
}

static void wake(struct sim_world *world, void *self, uint64_t token) {
  struct script *script = self;
  if (!task_wake_begins(script)) return;
  if (token == TOKEN_CHECK) {
    properties_check(script, false);
    sim_driver_at(world, script->driver, sim_now(world) + CHECK_INTERVAL_NS, TOKEN_CHECK);
    return;
  }
  if (token == TOKEN_PHASE) {
    phase_step(script);
    return;
  }
  struct script_task *task = &script->tasks[(uint32_t)token];
  if (script->phase != SCRIPT_RUNS || !task->used || task->generation != (uint32_t)(token >> 32)) return;
  resume(script, task);
}

/* --- What is not finished --------------------------------------------------------- */

static size_t tell_wait(const struct script_task *task, const char *path, char *text, size_t size) {
  struct stack stack;
  char where[600] = "", since[32], until[32];
  bool condition = task->predicate != LUA_NOREF;
  stack_take(task->co, &stack);
  if (stack.count) stack_frame_text(&stack.frames[0], path, where, sizeof where);
  units_format_duration(task->since_ns, since, sizeof since);
  units_format_duration(condition ? task->deadline_ns : task->until_ns, until, sizeof until);
  int length =
      snprintf(text, size, "task %u %s at %s since %s, until %s%s", task->number,
               condition ? "waits for a condition" : "sleeps", where, since, until, condition ? " at the latest" : "");
  return length > 0 && (size_t)length < size ? (size_t)length : size - 1u;
}

void task_tell_waits(const struct script *script, const char *path, char *text, size_t size) {
  uint32_t told = 0, waiting = 0;
  size_t used = 0;
  text[0] = '\0';
  for (uint32_t i = 0; i < script->task_slots; i++) {
    const struct script_task *task = &script->tasks[i];
    if (!task->used || !task->waiting || lua_status(task->co) != LUA_YIELD) continue;
    waiting++;
    if (told >= WAITS_TOLD_MAX || used + 2u >= size) continue;
    if (told++) used += (size_t)snprintf(text + used, size - used, "; ");
    used += tell_wait(task, path, text + used, size - used);
  }
  if (waiting > told && used < size) (void)snprintf(text + used, size - used, "; and %u more", waiting - told);
}

void task_drive(struct script *script) {
  script->driver = sim_driver_add(script->world, wake, script);
  if (script->property_count)
    sim_driver_at(script->world, script->driver, sim_now(script->world) + CHECK_INTERVAL_NS, TOKEN_CHECK);
}
