#include "lua/language/numbers.h"

#include <lauxlib.h>

#include "lua/language/script.h"

/* Not even a text that could be read as a number: it might be read as a fraction. */
static lua_Integer whole(lua_State *lua, int index, const char *name) {
  if (!lua_isinteger(lua, index))
    script_raise(lua, "math.%s takes whole numbers, not a %s", name,
                 lua_isnone(lua, index) ? "missing argument" : luaL_typename(lua, index));
  return lua_tointeger(lua, index);
}

static int math_abs(lua_State *lua) {
  lua_Integer n = whole(lua, 1, "abs");
  lua_pushinteger(lua, n < 0 ? (lua_Integer)(0u - (lua_Unsigned)n) : n);
  return 1;
}

static int math_ceil(lua_State *lua) {
  lua_pushinteger(lua, whole(lua, 1, "ceil"));
  return 1;
}

static int math_floor(lua_State *lua) {
  lua_pushinteger(lua, whole(lua, 1, "floor"));
  return 1;
}

static int extreme(lua_State *lua, const char *name, bool greatest) {
  lua_Integer best = whole(lua, 1, name);
  int count = lua_gettop(lua);
  for (int i = 2; i <= count; i++) {
    lua_Integer n = whole(lua, i, name);
    if (greatest ? n > best : n < best) best = n;
  }
  lua_pushinteger(lua, best);
  return 1;
}
static int math_max(lua_State *lua) {
  return extreme(lua, "max", true);
}
static int math_min(lua_State *lua) {
  return extreme(lua, "min", false);
}

/* The remainder of a division towards zero. */
static int math_fmod(lua_State *lua) {
  lua_Integer n = whole(lua, 1, "fmod"), by = whole(lua, 2, "fmod");
  if (by == 0) script_raise(lua, "math.fmod: the divisor is zero");
  lua_pushinteger(lua, by == -1 ? 0 : n % by);
  return 1;
}

static int math_ult(lua_State *lua) {
  lua_pushboolean(lua, (lua_Unsigned)whole(lua, 1, "ult") < (lua_Unsigned)whole(lua, 2, "ult"));
  return 1;
}

/* nil for what is no whole number; a text that shows one is taken. */
static int math_tointeger(lua_State *lua) {
  int good = 0;
  luaL_checkany(lua, 1);
  lua_Integer n = lua_tointegerx(lua, 1, &good);
  if (good)
    lua_pushinteger(lua, n);
  else
    lua_pushnil(lua);
  return 1;
}

static int math_type(lua_State *lua) {
  luaL_checkany(lua, 1);
  if (lua_isinteger(lua, 1))
    lua_pushliteral(lua, "integer");
  else
    lua_pushnil(lua);
  return 1;
}

void numbers_open(lua_State *lua) {
  static const luaL_Reg functions[] = {
      {"abs", math_abs}, {"ceil", math_ceil}, {"floor", math_floor},         {"fmod", math_fmod}, {"max", math_max},
      {"min", math_min}, {"ult", math_ult},   {"tointeger", math_tointeger}, {"type", math_type}, {NULL, NULL},
  };
  luaL_newlib(lua, functions);
  lua_pushinteger(lua, LUA_MAXINTEGER);
  lua_setfield(lua, -2, "maxinteger");
  lua_pushinteger(lua, LUA_MININTEGER);
  lua_setfield(lua, -2, "mininteger");
  lua_setglobal(lua, "math");
}
