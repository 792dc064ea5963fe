#include "lua/language/sort.h"

#include <lauxlib.h>

#include "lua/language/list.h"
#include "lua/language/script.h"

#define SORT_MAX 100000

/* Whether the second of two values belongs before the first. Stack: 1 the
 * list, 2 the comparator or nil, 3 the other half of the buffers. */
static bool swapped(lua_State *lua, int first, int second) {
  bool before;
  if (lua_isnil(lua, 2)) {
    size_t a = lua_type(lua, first) == LUA_TSTRING ? (size_t)lua_rawlen(lua, first) : 0;
    size_t b = lua_type(lua, second) == LUA_TSTRING ? (size_t)lua_rawlen(lua, second) : 0;
    script_charge_bytes(lua, a < b ? a : b);
    return lua_compare(lua, second, first, LUA_OPLT);
  }
  lua_pushvalue(lua, 2);
  lua_pushvalue(lua, second);
  lua_pushvalue(lua, first);
  lua_call(lua, 2, 1);
  before = lua_toboolean(lua, -1);
  lua_pop(lua, 1);
  return before;
}

static void copy(lua_State *lua, int from, lua_Integer i, int to, lua_Integer k) {
  lua_rawgeti(lua, from, i);
  lua_rawseti(lua, to, k);
}

static void merge(lua_State *lua, int from, int to, lua_Integer lo, lua_Integer middle, lua_Integer hi) {
  lua_Integer a = lo, b = middle;
  for (lua_Integer k = lo; k < hi; k++) {
    bool take_second = a >= middle;
    if (a < middle && b < hi) {
      lua_rawgeti(lua, from, a);
      lua_rawgeti(lua, from, b);
      take_second = swapped(lua, lua_absindex(lua, -2), lua_absindex(lua, -1));
      lua_pop(lua, 2);
    }
    copy(lua, from, take_second ? b++ : a++, to, k);
  }
}

int sort_table(lua_State *lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  if (!lua_isnoneornil(lua, 2)) luaL_checktype(lua, 2, LUA_TFUNCTION);
  lua_settop(lua, 2);
  lua_Integer count = list_length(lua, 1);
  if (count > SORT_MAX) script_raise(lua, "table.sort: the list has more than %d items", SORT_MAX);
  script_charge(lua, (uint64_t)count * 20u);
  lua_createtable(lua, (int)count, 0);
  lua_createtable(lua, (int)count, 0);
  /* Sort copies, so that a comparator which looks at the list sees it whole. */
  for (lua_Integer i = 1; i <= count; i++)
    copy(lua, 1, i, 3, i);
  int from = 3, to = 4;
  for (lua_Integer width = 1; width < count; width *= 2) {
    for (lua_Integer lo = 1; lo <= count; lo += 2 * width) {
      lua_Integer middle = lo + width < count + 1 ? lo + width : count + 1;
      lua_Integer hi = lo + 2 * width < count + 1 ? lo + 2 * width : count + 1;
      merge(lua, from, to, lo, middle, hi);
    }
    int spare = from;
    from = to;
    to = spare;
  }
  for (lua_Integer i = 1; i <= count; i++)
    copy(lua, from, i, 1, i);
  return 0;
}
