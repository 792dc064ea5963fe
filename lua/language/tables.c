#include "lua/language/tables.h"

#include <lauxlib.h>

#include "lua/language/list.h"
#include "lua/language/script.h"
#include "lua/language/sort.h"

#define TABLE_ITEMS_MAX 1000000

static int table_insert(lua_State *lua) {
  lua_Integer count = list_length(lua, 1), at = count + 1;
  int arguments = lua_gettop(lua);
  if (arguments != 2 && arguments != 3) script_raise(lua, "table.insert takes a list, perhaps a place, and a value");
  if (arguments == 3) at = luaL_checkinteger(lua, 2);
  if (at < 1 || at > count + 1)
    script_raise(lua, "table.insert: place %lld is outside 1 to %lld", (long long)at, (long long)(count + 1));
  if (lua_isnil(lua, arguments)) script_raise(lua, "table.insert: nil would make a hole");
  for (lua_Integer i = count; i >= at; i--) {
    lua_rawgeti(lua, 1, i);
    lua_rawseti(lua, 1, i + 1);
  }
  lua_pushvalue(lua, arguments);
  lua_rawseti(lua, 1, at);
  return 0;
}

static int table_remove(lua_State *lua) {
  lua_Integer count = list_length(lua, 1), at = luaL_optinteger(lua, 2, count);
  if (count == 0 && (at == 0 || at == 1)) return 0;
  if (at < 1 || at > count)
    script_raise(lua, "table.remove: place %lld is outside 1 to %lld", (long long)at, (long long)count);
  lua_rawgeti(lua, 1, at);
  for (lua_Integer i = at; i < count; i++) {
    lua_rawgeti(lua, 1, i + 1);
    lua_rawseti(lua, 1, i);
  }
  lua_pushnil(lua);
  lua_rawseti(lua, 1, count);
  return 1;
}

/* The bounds i..j of a call, within what may be touched at once. */
static void bounds(lua_State *lua, int i_index, int j_index, lua_Integer *i, lua_Integer *j, const char *name) {
  *i = luaL_optinteger(lua, i_index, 1);
  *j = lua_isnoneornil(lua, j_index) ? list_length(lua, 1) : luaL_checkinteger(lua, j_index);
  list_plain(lua, 1);
  if (*j >= *i && (uint64_t)*j - (uint64_t)*i >= TABLE_ITEMS_MAX)
    script_raise(lua, "%s: more than %d items at once", name, TABLE_ITEMS_MAX);
  if (*j >= *i) script_charge(lua, (uint64_t)*j - (uint64_t)*i);
}

static int table_concat(lua_State *lua) {
  lua_Integer i, j;
  luaL_Buffer buffer;
  size_t size;
  const char *separator = luaL_optlstring(lua, 2, "", &size);
  bounds(lua, 3, 4, &i, &j, "table.concat");
  luaL_buffinit(lua, &buffer);
  for (lua_Integer k = i; k <= j; k++) {
    lua_rawgeti(lua, 1, k);
    if (!lua_isstring(lua, -1))
      script_raise(lua, "table.concat: item %lld is a %s", (long long)k, luaL_typename(lua, -1));
    script_charge_bytes(lua, lua_rawlen(lua, -1) + size);
    luaL_addvalue(&buffer);
    if (k == j) break; /* j may be the greatest integer */
    luaL_addlstring(&buffer, separator, size);
  }
  luaL_pushresult(&buffer);
  return 1;
}

static int table_unpack(lua_State *lua) {
  lua_Integer i, j;
  bounds(lua, 2, 3, &i, &j, "table.unpack");
  if (i > j) return 0;
  if ((uint64_t)j - (uint64_t)i >= SCRIPT_SPREAD_MAX)
    script_raise(lua, "table.unpack: more than %d values at once", SCRIPT_SPREAD_MAX);
  int count = (int)(j - i) + 1;
  if (!lua_checkstack(lua, count)) script_raise(lua, "table.unpack: %d items are too many at once", count);
  for (int k = 0; k < count; k++)
    lua_rawgeti(lua, 1, i + k);
  return count;
}

static int table_move(lua_State *lua) {
  lua_Integer from = luaL_checkinteger(lua, 2), end = luaL_checkinteger(lua, 3), to = luaL_checkinteger(lua, 4);
  int target = lua_isnoneornil(lua, 5) ? 1 : 5;
  list_plain(lua, 1);
  list_plain(lua, target);
  lua_settop(lua, 5);
  if (end >= from) {
    uint64_t count = (uint64_t)end - (uint64_t)from;
    if (count >= TABLE_ITEMS_MAX || to > INT64_MAX - TABLE_ITEMS_MAX)
      script_raise(lua, "table.move: more than %d items at once", TABLE_ITEMS_MAX);
    script_charge(lua, count);
    bool upwards = to > end || to <= from || !lua_rawequal(lua, 1, target);
    for (uint64_t n = 0; n <= count; n++) {
      lua_Integer step = (lua_Integer)(upwards ? n : count - n);
      lua_rawgeti(lua, 1, from + step);
      lua_rawseti(lua, target, to + step);
    }
  }
  lua_pushvalue(lua, target);
  return 1;
}

static int table_pack(lua_State *lua) {
  int count = lua_gettop(lua);
  lua_createtable(lua, count, 1);
  lua_insert(lua, 1);
  for (int i = count; i >= 1; i--)
    lua_rawseti(lua, 1, i);
  lua_pushinteger(lua, count);
  lua_setfield(lua, 1, "n");
  return 1;
}

void tables_open(lua_State *lua) {
  static const luaL_Reg functions[] = {
      {"concat", table_concat}, {"insert", table_insert}, {"move", table_move},     {"pack", table_pack},
      {"remove", table_remove}, {"sort", sort_table},     {"unpack", table_unpack}, {NULL, NULL},
  };
  luaL_newlib(lua, functions);
  lua_setglobal(lua, "table");
}
