#include "lua/api/hook_api.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "lua/api/act.h"
#include "lua/api/happening.h"
#include "lua/api/task.h"
#include "lua/language/argument.h"
#include "lua/language/objects.h"
#include "lua/language/record.h"
#include "lua/language/script.h"
#include "lua/language/steps.h"
#include "lua/language/world.h"

#define HOOKS_MAX 64u
/* Of all hooks, at one instant: more come of a hook that causes what it waits for. */
#define FIRINGS_MAX 20000u

/* A hook, or a task's wait. `used` until what it still has to run has run. */
struct hook {
  bool used;
  bool over;        /* nothing more fires it */
  bool waits;       /* it is a task's wait: the answer goes to it */
  uint32_t removal; /* counts what had this place: an object or a firing of an earlier one is stale */
  struct happening_filter filter;
  uint64_t seen, fired;
  uint64_t name; /* for identities */
  int line;
  int function; /* registry reference; of a wait: LUA_NOREF */
  uint32_t task, generation;
  uint32_t queued; /* firings that have not run yet */
};

struct firing {
  uint32_t hook, removal;
  struct happening_note note;
};

struct hooks {
  uint32_t driver;
  uint32_t slots; /* ever used */
  struct hook hooks[HOOKS_MAX];
  struct firing *queue; /* a ring */
  uint32_t capacity, first, count;
  uint64_t instant_ns; /* of the last firings, and how many they are */
  uint32_t at_instant;
};

/* --- When it happens: notes are taken, and nothing else ------------------------------- */

static void wrong(struct script *script, int line, const char *what) {
  if (script->wrong) return;
  script->wrong = true;
  (void)snprintf(script->error, sizeof script->error, SCRIPT_CHUNK ":%d: %s", line, what);
  sim_stop(script->world);
}

/* The next place in the queue; its room is doubled when it is used up. */
static struct firing *queue_place(struct script *script) {
  struct hooks *hooks = script->hooks;
  if (hooks->count == hooks->capacity) {
    uint32_t wanted = hooks->capacity ? 2 * hooks->capacity : 8;
    struct firing *grown = sim_alloc(script->world, wanted * sizeof *grown);
    SIM_ASSERT(script->world, grown != NULL);
    for (uint32_t i = 0; i < hooks->count; i++)
      grown[i] = hooks->queue[(hooks->first + i) % hooks->capacity];
    if (hooks->queue) sim_free(script->world, hooks->queue, hooks->capacity * sizeof *hooks->queue);
    hooks->queue = grown;
    hooks->capacity = wanted;
    hooks->first = 0;
  }
  return &hooks->queue[(hooks->first + hooks->count++) % hooks->capacity];
}

static void fire(struct script *script, struct hook *hook, struct happening_note *note) {
  struct hooks *hooks = script->hooks;
  if (hooks->instant_ns != note->at_ns) hooks->at_instant = 0;
  hooks->instant_ns = note->at_ns;
  if (++hooks->at_instant > FIRINGS_MAX) {
    wrong(script, hook->line, "hooks fire more than 20000 times at one instant (does one cause what it waits for?)");
    return;
  }
  hook->fired++;
  hook->queued++;
  *queue_place(script) = (struct firing){(uint32_t)(hook - hooks->hooks), hook->removal, *note};
  sim_driver_next(script->world, hooks->driver, 0);
}

static void happened(void *self, const struct sim_happening *happening) {
  struct script *script = self;
  struct hooks *hooks = script->hooks;
  struct happening_note note;
  if (script->phase != SCRIPT_RUNS || script->wrong) return;
  for (uint32_t i = 0; i < hooks->slots; i++) {
    struct hook *hook = &hooks->hooks[i];
    if (!hook->used || hook->over || !happening_matches(script->cluster, &hook->filter, happening, &note)) continue;
    if (hook->waits && !task_awaits(script, hook->task, hook->generation)) continue; /* its patience is over */
    note.nth = ++hook->seen;
    note.at_ns = sim_now(script->world);
    const struct happening_filter *filter = &hook->filter;
    hook->over = filter->nth ? hook->seen >= filter->nth : filter->count && hook->seen >= filter->count;
    if (!filter->nth || hook->seen == filter->nth) fire(script, hook, &note);
  }
}

/* --- Hooks come and go ------------------------------------------------------------------ */

static void watch(struct script *script) {
  uint32_t kinds = 0;
  for (uint32_t i = 0; i < script->hooks->slots; i++)
    if (script->hooks->hooks[i].used && !script->hooks->hooks[i].over)
      kinds |= happening_bit(&script->hooks->hooks[i].filter);
  sim_on_happening(script->world, kinds, happened, script);
}

static void release(struct script *script, struct hook *hook) {
  luaL_unref(script->lua, LUA_REGISTRYINDEX, hook->function);
  hook->used = false;
  hook->removal++;
}

/* Those that fire no more, and have nothing to run any more. */
static void release_spent(struct script *script) {
  for (uint32_t i = 0; i < script->hooks->slots; i++) {
    struct hook *hook = &script->hooks->hooks[i];
    if (hook->used && hook->waits && !task_awaits(script, hook->task, hook->generation)) hook->over = true;
    if (hook->used && hook->over && hook->queued == 0) release(script, hook);
  }
  watch(script);
}

static void wake(struct sim_world *world, void *self, uint64_t token);

static struct hook *create(lua_State *lua, const struct happening_filter *filter) {
  struct script *script = script_of(lua);
  if (!script->hooks) {
    script->hooks = sim_alloc(script->world, sizeof *script->hooks);
    SIM_ASSERT(script->world, script->hooks != NULL);
    memset(script->hooks, 0, sizeof *script->hooks);
    script->hooks->driver = sim_driver_add(script->world, wake, script);
  }
  struct hooks *hooks = script->hooks;
  release_spent(script);
  uint32_t slot = 0;
  while (slot < hooks->slots && hooks->hooks[slot].used)
    slot++;
  if (slot >= HOOKS_MAX) script_raise(lua, "more than %u hooks and waits at once", HOOKS_MAX);
  struct hook *hook = &hooks->hooks[slot];
  uint32_t removal = hook->removal;
  *hook = (struct hook){.used = true, .removal = removal, .filter = *filter, .function = LUA_NOREF};
  hook->line = script_line(lua);
  if (slot == hooks->slots) hooks->slots++;
  return hook;
}

struct hook_object {
  uint32_t hook, removal;
};

static struct hook *hook_of(lua_State *lua) {
  const struct hook_object *object = object_check(lua, 1, HOOK_TYPE, "hook");
  struct hooks *hooks = script_of(lua)->hooks;
  if (!hooks || object->hook >= HOOKS_MAX) return NULL; /* its world:on was left out */
  struct hook *hook = &hooks->hooks[object->hook];
  return hook->used && hook->removal == object->removal ? hook : NULL;
}

/* world:on("delivered", { to = 2 }, function(world, event) ... end) */
int hook_on(lua_State *lua) {
  struct script *script = world_check(lua);
  struct happening_filter filter;
  int function = lua_gettop(lua);
  script_must_act(lua, "world:on");
  if (function < 3 || function > 4 || lua_type(lua, function) != LUA_TFUNCTION)
    script_raise(lua, "write world:on(\"delivered\", { to = 2, kind = \"ops\" }, function(world, event) ... end)");
  happening_read(lua, 2, function == 4 ? 3 : 0, "world:on", &filter);
  uint64_t name = script_identity(lua, "world:on", 0);
  bool acts = script_act(lua, SCRIPT_STEP_HOOK, 0, "world:on");
  struct hook_object *object = lua_newuserdatauv(lua, sizeof *object, 0);
  *object = (struct hook_object){HOOKS_MAX, 0};
  luaL_setmetatable(lua, HOOK_TYPE);
  if (!acts) return 1;
  struct hook *hook = create(lua, &filter);
  hook->name = name;
  lua_pushvalue(lua, function);
  hook->function = luaL_ref(lua, LUA_REGISTRYINDEX);
  *object = (struct hook_object){(uint32_t)(hook - script->hooks->hooks), hook->removal};
  uint64_t fields[] = {object->hook, happening_bit(&filter), filter.nth, filter.count};
  script_trace(script, SCRIPT_STEP_HOOK, filter.node, fields, 4);
  watch(script);
  return 1;
}

static int hook_remove(lua_State *lua) {
  struct script *script = script_of(lua);
  struct hook *hook = hook_of(lua);
  if (!script_act(lua, SCRIPT_STEP_HOOK_END, 0, "hook:remove") || !hook) return 0;
  uint64_t fields[] = {(uint64_t)(hook - script->hooks->hooks)};
  script_trace(script, SCRIPT_STEP_HOOK_END, 0, fields, 1);
  release(script, hook);
  watch(script);
  return 0;
}

/* world:wait_for("boot", { node = 2 }, "10s"): the event, or nil when the time passed. */
int hook_wait_for(lua_State *lua) {
  struct script *script = world_check(lua);
  struct happening_filter filter;
  struct script_task *task = task_running(lua, "world:wait_for");
  int limit = lua_gettop(lua);
  if (limit < 3 || limit > 4) script_raise(lua, "write world:wait_for(\"boot\", { node = 2 }, \"10s\")");
  happening_read(lua, 2, limit == 4 ? 3 : 0, "world:wait_for", &filter);
  if (filter.count) script_raise(lua, "world:wait_for waits for one event: count goes with world:on, write nth");
  if (!filter.nth) filter.nth = 1;
  uint64_t until_ns = sim_now(script->world), ns = script_duration(lua, limit);
  until_ns = ns > UINT64_MAX - until_ns ? UINT64_MAX : until_ns + ns;
  struct hook *hook = create(lua, &filter);
  hook->waits = true;
  hook->task = (uint32_t)(task - script->tasks);
  hook->generation = task->generation + 1; /* task_await() makes it so */
  uint64_t fields[] = {(uint64_t)(hook - script->hooks->hooks), happening_bit(&filter), filter.nth, 0, until_ns};
  script_trace(script, SCRIPT_STEP_HOOK, filter.node, fields, 5);
  watch(script);
  lua_settop(lua, 0);
  return task_await(lua, task, until_ns);
}

/* --- A firing runs ------------------------------------------------------------------------- */

/* Calls in Lua may run out of memory: on the stack of who calls protected. */
static int prepare(lua_State *lua) {
  const struct firing *firing = lua_touserdata(lua, 1);
  const struct hook *hook = &script_of(lua)->hooks->hooks[firing->hook];
  happening_push(lua, &hook->filter, &firing->note);
  return 1;
}

static int run(lua_State *lua) {
  const struct firing *firing = lua_touserdata(lua, 1);
  const struct hook *hook = &script_of(lua)->hooks->hooks[firing->hook];
  lua_rawgeti(lua, LUA_REGISTRYINDEX, hook->function);
  world_push(lua);
  happening_push(lua, &hook->filter, &firing->note);
  task_run(lua, 2, sim_hash_fold(hook->name, firing->note.nth));
  return 0;
}

static void wake(struct sim_world *world, void *self, uint64_t token) {
  struct script *script = self;
  struct hooks *hooks = script->hooks;
  (void)world;
  (void)token;
  SIM_ASSERT(script->world, hooks->count > 0);
  struct firing firing = hooks->queue[hooks->first];
  hooks->first = (hooks->first + 1) % hooks->capacity;
  hooks->count--;
  struct hook *hook = &hooks->hooks[firing.hook];
  if (!hook->used || hook->removal != firing.removal) return; /* removed meanwhile */
  hook->queued--;
  if (script->phase != SCRIPT_RUNS || !task_wake_begins(script)) return;
  uint64_t fields[] = {firing.hook, firing.note.nth};
  script_trace(script, SCRIPT_STEP_HOOK_RUNS, firing.note.node, fields, 2);
  bool waits = hook->waits;
  if (waits && !task_awaits(script, hook->task, hook->generation)) return;
  lua_State *lua = script->lua;
  uint32_t task = hook->task;
  lua_pushcfunction(lua, waits ? prepare : run);
  lua_pushlightuserdata(lua, &firing);
  if (!script_call(script, 1, waits ? 1 : 0)) return;
  release_spent(script);
  if (waits) task_answer(script, task);
}

void hook_open(lua_State *lua) {
  static const struct script_method methods[] = {{"remove", hook_remove}, {NULL, NULL}};
  object_type(lua, HOOK_TYPE, "hook", methods);
}
