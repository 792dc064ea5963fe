#include "lua/language/sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "lua/language/numbers.h"
#include "lua/language/pairs.h"
#include "lua/language/require.h"
#include "lua/language/script.h"
#include "lua/language/show.h"
#include "lua/language/word.h"
#include "lua/text/nearest.h"
#include "lua/text/source.h"

#define LOAD_BYTES_MAX 65536u

/* Names that people will try, and what to use instead. */
static const char *const absent[][2] = {
    {"print", "use world:log(text)"},
    {"next", "use pairs, whose order is the same in every run"},
    {"collectgarbage", "the collector is not a script's business"},
    {"os", "a script sees no clock or file of the machine; use world:now()"},
    {"io", "a script sees no file of the machine"},
    {"debug", "it would show addresses"},
    {"package", "require gives \"sim\", and files of the folder helpers beside the scenario"},
    {"dofile", "require gives files of the folder helpers beside the scenario"},
    {"loadfile", "require gives files of the folder helpers beside the scenario"},
    {"rawlen", "use #"},
    {"warn", "use world:log(text)"},
    {"world", "it is the argument of run = function(world) ... end"},
};

static int base_tostring(lua_State *lua) {
  luaL_checkany(lua, 1);
  word_of_value(lua, 1);
  return 1;
}

/* Whole numbers only; nil for anything else. */
static int base_tonumber(lua_State *lua) {
  int arguments = lua_gettop(lua);
  size_t size = 0;
  luaL_checkany(lua, 1);
  if (show_text(lua, 1, &size)) script_charge_bytes(lua, size * 64u);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, arguments, 1);
  if (!lua_isinteger(lua, -1)) lua_pushnil(lua);
  return 1;
}

static const char *const refused[] = {"__gc", "__mode"};
#define METATABLES "metatables" /* in the registry: those that were given, weakly */

static int check_metatables(lua_State *lua) {
  lua_getfield(lua, LUA_REGISTRYINDEX, METATABLES);
  for (size_t i = 0; i < 2; i++) {
    for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 2)) {
      lua_pushstring(lua, refused[i]);
      if (lua_rawget(lua, -3) != LUA_TNIL)
        script_raise(
            lua,
            "a metatable was given %s after setmetatable: it depends on when the collector runs, which differs "
            "from run to run",
            refused[i]);
    }
  }
  return 0;
}

bool sandbox_check(struct script *script) {
  lua_pushcfunction(script->lua, check_metatables);
  return script_call(script, 0, 0);
}

static int base_setmetatable(lua_State *lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  if (lua_type(lua, 2) == LUA_TTABLE)
    for (size_t i = 0; i < 2; i++) {
      lua_pushstring(lua, refused[i]);
      if (lua_rawget(lua, 2) != LUA_TNIL)
        script_raise(lua, "setmetatable: %s depends on when the collector runs, which differs from run to run",
                     refused[i]);
      lua_pop(lua, 1);
    }
  int arguments = lua_gettop(lua);
  if (lua_type(lua, 2) == LUA_TTABLE) {
    lua_getfield(lua, LUA_REGISTRYINDEX, METATABLES);
    lua_pushvalue(lua, 2);
    lua_pushboolean(lua, 1);
    lua_rawset(lua, -3);
    lua_pop(lua, 1);
  }
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, arguments, 1);
  return 1;
}

static int base_load(lua_State *lua) {
  size_t size;
  int line;
  char message[300];
  if (lua_type(lua, 1) != LUA_TSTRING) script_raise(lua, "load takes the text of a chunk");
  const char *text = show_text(lua, 1, &size);
  if (size > LOAD_BYTES_MAX) script_raise(lua, "load: more than %u bytes", LOAD_BYTES_MAX);
  script_charge(lua, size);
  if (!source_has_no_floats(text, size, &line, message, sizeof message)) {
    lua_pushnil(lua);
    lua_pushfstring(lua, "load:%d: %s", line, message);
    return 2;
  }
  if (luaL_loadbufferx(lua, text, size, "=load", "t") != LUA_OK) {
    lua_pushnil(lua);
    lua_insert(lua, -2);
    return 2;
  }
  if (!lua_isnone(lua, 4)) {
    lua_pushvalue(lua, 4);
    lua_setupvalue(lua, -2, 1);
  }
  return 1;
}

/* An unknown global is a spelling error, not nil. */
static int unknown_global(lua_State *lua) {
  const char *names[64];
  size_t count = 0;
  if (lua_type(lua, 2) != LUA_TSTRING) return 0;
  const char *name = show_name(lua, 2);
  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
    if (strcmp(name, absent[i][0]) == 0) script_raise(lua, "\"%s\" is not in the language: %s", name, absent[i][1]);
  if (strcmp(name, "sim") == 0)
    script_raise(lua, "no global \"sim\": write local sim = require \"sim\" at the top of the file");
  static const char *const known[] = {
      "assert",   "error", "ipairs", "pairs", "pcall", "select", "setmetatable", "require",      "tonumber", "string",
      "tostring", "type",  "table",  "math",  "utf8",  "xpcall", "coroutine",    "getmetatable", "sim"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    names[count++] = known[i];
  const char *near = nearest_word(name, names, count);
  if (near) script_raise(lua, "no global \"%s\"; did you mean \"%s\"?", name, near);
  script_raise(lua, "no global \"%s\"", name);
}

static void remove_fields(lua_State *lua, const char *const *names) {
  for (; *names; names++) {
    lua_pushnil(lua);
    lua_setfield(lua, -2, *names);
  }
}

/* Puts `guard` round the library's function of this name. */
static void guard(lua_State *lua, const char *name, lua_CFunction function) {
  lua_getfield(lua, -1, name);
  lua_pushcclosure(lua, function, 1);
  lua_setfield(lua, -2, name);
}

static void open_base(lua_State *lua) {
  static const char *const removed[] = {"next",   "collectgarbage", "dofile", "loadfile",
                                        "rawlen", "print",          "warn",   NULL};
  luaL_requiref(lua, LUA_GNAME, luaopen_base, 1);
  remove_fields(lua, removed);
  guard(lua, "tonumber", base_tonumber);
  guard(lua, "setmetatable", base_setmetatable);
  lua_pushcfunction(lua, base_tostring);
  lua_setfield(lua, -2, "tostring");
  lua_pushcfunction(lua, base_load);
  lua_setfield(lua, -2, "load");
  lua_pushcfunction(lua, require_module);
  lua_setfield(lua, -2, "require");
  lua_pushcfunction(lua, pairs_sorted);
  lua_setfield(lua, -2, "pairs");
  lua_createtable(lua, 0, 2);
  lua_pushcfunction(lua, unknown_global);
  lua_setfield(lua, -2, "__index");
  lua_pushliteral(lua, "_G");
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
  lua_pop(lua, 1);
}

/* A coroutine is watched by its own counter, which begins at nothing: what it may
 * do unseen is charged when it is made. */
static int coroutine_make(lua_State *lua) {
  int arguments = lua_gettop(lua);
  script_charge(lua, SCRIPT_HOOK_STEPS);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, arguments, 1);
  return 1;
}

static void open_coroutine(lua_State *lua) {
  /* With `running` a script could resume a task in its sleep. */
  static const char *const removed[] = {"running", NULL};
  luaL_requiref(lua, LUA_COLIBNAME, luaopen_coroutine, 1);
  remove_fields(lua, removed);
  guard(lua, "create", coroutine_make);
  guard(lua, "wrap", coroutine_make);
  lua_pop(lua, 1);
}

void sandbox_open(lua_State *lua) {
  lua_newtable(lua);
  lua_createtable(lua, 0, 1);
  lua_pushliteral(lua, "k");
  lua_setfield(lua, -2, "__mode");
  lua_setmetatable(lua, -2);
  lua_setfield(lua, LUA_REGISTRYINDEX, METATABLES);
  open_base(lua);
  numbers_open(lua);
  open_coroutine(lua);
}
