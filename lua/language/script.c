#include "lua/language/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lua/text/info.h"

#define MEMORY_SPENT "the script uses more than 32 MiB of memory"
#define CHARGED_BYTES_MIN 4096u

/* --- Memory ---------------------------------------------------------------------- */

/* Lua asks again after a full collection: the script is out of memory when the
 * same request is refused twice. */
static void *refuse(struct script *script, size_t size, bool *spent) {
  if (script->refused == size) *spent = true;
  script->refused = size;
  return NULL;
}

static void *allocate(void *ud, void *block, size_t old_size, size_t new_size) {
  struct script *script = ud;
  if (!block) old_size = 0; /* Lua passes the kind of object there */
  if (!new_size) {
    if (block) sim_free(script->world, block, old_size);
    script->bytes -= old_size;
    return NULL;
  }
  if (new_size > old_size && script->bytes + (new_size - old_size) > SCRIPT_MEMORY_BYTES)
    return refuse(script, new_size, &script->memory_spent);
  void *fresh = sim_alloc(script->world, new_size);
  SIM_ASSERT(script->world, fresh || new_size > old_size); /* Lua relies on shrinking */
  if (!fresh) return refuse(script, new_size, &script->arena_spent);
  if (block) {
    memcpy(fresh, block, old_size < new_size ? old_size : new_size);
    sim_free(script->world, block, old_size);
  }
  if (new_size > old_size) script->refused = 0;
  /* Great blocks cost time too: a loop of them must end like any other. */
  if (new_size >= CHARGED_BYTES_MIN) {
    uint64_t steps = new_size / 64u;
    script->slice_steps -= steps < script->slice_steps ? steps : script->slice_steps;
  }
  script->bytes = script->bytes - old_size + new_size;
  return fresh;
}

/* --- Steps ------------------------------------------------------------------------ */

static void spent(lua_State *lua) {
  struct script *script = script_of(lua);
  script->steps_spent = true;
  /* From now on every instruction raises the error again: no pcall in a loop
   * outlives it. */
  lua_sethook(lua, lua_gethook(lua), LUA_MASKCOUNT, 1);
  if (script->memory_spent) script_raise(lua, MEMORY_SPENT);
  script_raise(lua,
               "the script takes too long without world:sleep (an endless loop?): more than %d million steps in one go",
               (int)(SCRIPT_SLICE_STEPS / 1000000u));
}

static void take(lua_State *lua, uint64_t steps) {
  struct script *script = script_of(lua);
  if (script->steps_spent || script->memory_spent || script->slice_steps < steps || script->total_steps < steps)
    spent(lua);
  script->slice_steps -= steps;
  script->total_steps -= steps;
}

static void count_hook(lua_State *lua, lua_Debug *debug) {
  (void)debug;
  take(lua, SCRIPT_HOOK_STEPS);
}

void script_charge(lua_State *lua, uint64_t steps) {
  take(lua, steps);
}

void script_slice(struct script *script) {
  script->slice_steps = SCRIPT_SLICE_STEPS;
}

/* --- Creation ---------------------------------------------------------------------- */

struct script *script_of(lua_State *lua) {
  struct script *script;
  memcpy(&script, lua_getextraspace(lua), sizeof(struct script *));
  return script;
}

struct script *script_create(struct sim_world *world, lua_CFunction open) {
  struct script *script = sim_alloc(world, sizeof *script);
  if (!script) return NULL;
  memset(script, 0, sizeof *script);
  script->world = world;
  script->lua = lua_newstate(allocate, script);
  if (!script->lua) return NULL;
  memcpy(lua_getextraspace(script->lua), &script, sizeof(struct script *));
  /* The collector runs between events only, at counted wakes: its timing
   * depends on addresses. */
  lua_gc(script->lua, LUA_GCSTOP);
  lua_pushcfunction(script->lua, open);
  if (lua_pcall(script->lua, 0, 0, 0) != LUA_OK) return NULL;
  lua_sethook(script->lua, count_hook, LUA_MASKCOUNT, SCRIPT_HOOK_STEPS);
  script->total_steps = SCRIPT_TOTAL_STEPS;
  script_slice(script);
  return script;
}

/* --- Errors -------------------------------------------------------------------------- */

int script_line(lua_State *lua) {
  lua_Debug debug;
  for (int level = 0; lua_getstack(lua, level, &debug); level++)
    if (lua_getinfo(lua, "Sl", &debug) && debug.currentline > 0 && strcmp(debug.source, "=" SCRIPT_CHUNK) == 0)
      return debug.currentline;
  return 0;
}

static void raise_message(lua_State *lua, int line, const char *format, va_list args) {
  char text[800];
  (void)vsnprintf(text, sizeof text, format, args);
  if (line > 0)
    lua_pushfstring(lua, SCRIPT_CHUNK ":%d: %s", line, text);
  else
    lua_pushstring(lua, text);
}

void script_raise(lua_State *lua, const char *format, ...) {
  va_list args;
  va_start(args, format);
  raise_message(lua, script_line(lua), format, args);
  va_end(args);
  lua_error(lua);
  __builtin_unreachable();
}

void script_raise_at(lua_State *lua, int line, const char *format, ...) {
  va_list args;
  va_start(args, format);
  raise_message(lua, line, format, args);
  va_end(args);
  lua_error(lua);
  __builtin_unreachable();
}

static const char *describe_object(lua_State *lua) {
  if (lua_type(lua, -1) == LUA_TSTRING) return lua_tostring(lua, -1);
  return "the script raised an error that is no text";
}

void script_failed(struct script *script, lua_State *lua, int status) {
  if (script->wrong) return;
  const char *what = describe_object(lua);
  int line = script_line(lua);
  script->wrong = true;
  if (script->memory_spent || status == LUA_ERRMEM) {
    script->memory_spent = !script->arena_spent;
    what = MEMORY_SPENT;
  }
  if (strncmp(what, SCRIPT_CHUNK ":", sizeof SCRIPT_CHUNK) == 0)
    (void)snprintf(script->error, sizeof script->error, "%s", what);
  else
    (void)snprintf(script->error, sizeof script->error, SCRIPT_CHUNK ":%d: %s", line > 0 ? line : 1, what);
  sim_stop(script->world);
}

/* Runs on the failing stack: adds the line to messages of C functions. */
static int add_line(lua_State *lua) {
  const char *text = lua_type(lua, 1) == LUA_TSTRING ? lua_tostring(lua, 1) : NULL;
  int line = script_line(lua);
  if (!text || line <= 0 || strncmp(text, SCRIPT_CHUNK ":", sizeof SCRIPT_CHUNK) == 0) return 1;
  lua_pushfstring(lua, SCRIPT_CHUNK ":%d: %s", line, text);
  return 1;
}

bool script_call(struct script *script, int args, int results) {
  lua_State *lua = script->lua;
  int base = lua_gettop(lua) - args;
  lua_pushcfunction(lua, add_line);
  lua_insert(lua, base);
  int status = lua_pcall(lua, args, results, base);
  lua_remove(lua, base);
  if (status == LUA_OK && !script->steps_spent && !script->memory_spent) return true;
  if (status == LUA_OK) {
    lua_settop(lua, base - 1);
    lua_pushliteral(lua, "the script takes too long, and hid it with pcall");
  }
  script_failed(script, lua, status);
  lua_settop(lua, base - 1);
  return false;
}

void script_error_text(const struct script *script, const char *path, struct scenario_error *error) {
  size_t skip = sizeof SCRIPT_CHUNK - 1u;
  (void)snprintf(error->text, sizeof error->text, "%s%s", path, script->error + skip);
}
