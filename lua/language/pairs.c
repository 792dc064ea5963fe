#include "lua/language/pairs.h"

#include <lauxlib.h>
#include <string.h>

#include "lua/language/script.h"
#include "lua/language/show.h"

struct key {
  int type; /* LUA_TNUMBER, LUA_TSTRING, LUA_TBOOLEAN */
  int64_t number;
  const char *text; /* the table anchors it */
  size_t size;
};

static int rank(int type) {
  return type == LUA_TNUMBER ? 0 : type == LUA_TSTRING ? 1 : 2;
}

/* Keys of one table are distinct, so this never says equal. */
static bool below(const struct key *a, const struct key *b) {
  if (a->type != b->type) return rank(a->type) < rank(b->type);
  if (a->type != LUA_TSTRING) return a->number < b->number;
  size_t common = a->size < b->size ? a->size : b->size;
  int order = common ? memcmp(a->text, b->text, common) : 0;
  return order ? order < 0 : a->size < b->size;
}

static void sift(struct key *keys, size_t root, size_t count) {
  for (;;) {
    size_t child = 2 * root + 1;
    if (child >= count) return;
    if (child + 1 < count && below(&keys[child], &keys[child + 1])) child++;
    if (!below(&keys[root], &keys[child])) return;
    struct key key = keys[root];
    keys[root] = keys[child];
    keys[child] = key;
    root = child;
  }
}

static void sort_keys(struct key *keys, size_t count) {
  for (size_t i = count / 2; i-- > 0;)
    sift(keys, i, count);
  for (size_t end = count; end-- > 1;) {
    struct key key = keys[0];
    keys[0] = keys[end];
    keys[end] = key;
    sift(keys, 0, end);
  }
}

static struct key read_key(lua_State *lua) {
  struct key key = {lua_type(lua, -2), 0, NULL, 0};
  switch (key.type) {
  case LUA_TNUMBER:
    if (!lua_isinteger(lua, -2)) script_raise(lua, "pairs: a key is a floating-point number");
    key.number = lua_tointeger(lua, -2);
    break;
  case LUA_TSTRING:
    key.text = show_text(lua, -2, &key.size);
    script_charge_bytes(lua, key.size * 8u); /* it is compared with others */
    break;
  case LUA_TBOOLEAN:
    key.number = lua_toboolean(lua, -2);
    break;
  default:
    script_raise(lua,
                 "pairs: a key is a %s, which has no order that is the same in every run; use numbers, "
                 "strings or booleans as keys",
                 luaL_typename(lua, -2));
  }
  return key;
}

/* Upvalues: the table, the sorted keys, the last index given. */
static int next_pair(lua_State *lua) {
  lua_Integer i = lua_tointeger(lua, lua_upvalueindex(3));
  for (;;) {
    i++;
    if (lua_rawgeti(lua, lua_upvalueindex(2), i) == LUA_TNIL) return 1;
    lua_pushvalue(lua, -1);
    if (lua_rawget(lua, lua_upvalueindex(1)) != LUA_TNIL) break;
    lua_pop(lua, 2); /* removed meanwhile */
  }
  lua_pushinteger(lua, i);
  lua_replace(lua, lua_upvalueindex(3));
  return 2;
}

int pairs_sorted(lua_State *lua) {
  luaL_checkany(lua, 1);
  lua_settop(lua, 1);
  if (luaL_getmetafield(lua, 1, "__pairs") != LUA_TNIL) {
    lua_insert(lua, 1);
    lua_call(lua, 1, 3);
    return 3;
  }
  luaL_checktype(lua, 1, LUA_TTABLE);
  size_t count = 0;
  for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 1))
    count++;
  script_charge(lua, 16u * count);
  struct key *keys = lua_newuserdatauv(lua, (count ? count : 1) * sizeof *keys, 0);
  size_t i = 0;
  for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 1))
    keys[i++] = read_key(lua);
  sort_keys(keys, count);
  lua_pushvalue(lua, 1);
  lua_createtable(lua, count < 1000000u ? (int)count : 0, 0);
  for (i = 0; i < count; i++) {
    if (keys[i].type == LUA_TSTRING)
      lua_pushlstring(lua, keys[i].text, keys[i].size);
    else if (keys[i].type == LUA_TNUMBER)
      lua_pushinteger(lua, keys[i].number);
    else
      lua_pushboolean(lua, keys[i].number != 0);
    lua_rawseti(lua, -2, (lua_Integer)i + 1);
  }
  lua_pushinteger(lua, 0);
  lua_pushcclosure(lua, next_pair, 3);
  return 1;
}
