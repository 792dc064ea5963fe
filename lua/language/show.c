#include "lua/language/show.h"

#include <lauxlib.h>
#include <string.h>

#define NAME_BYTES_MAX 200u

/* Numbers, texts, booleans and nil have a text of their own. */
static bool is_plain(int type) {
  return type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TBOOLEAN || type == LUA_TNIL;
}

bool show_plain(lua_State *lua, int index) {
  if (!is_plain(lua_type(lua, index))) return false;
  (void)luaL_tolstring(lua, index, NULL);
  return true;
}

const char *show_name(lua_State *lua, int index) {
  char out[NAME_BYTES_MAX + 8u];
  size_t size, used = 0;
  index = lua_absindex(lua, index);
  if (!is_plain(lua_type(lua, index))) return lua_pushfstring(lua, "a %s", luaL_typename(lua, index));
  const char *text = luaL_tolstring(lua, index, &size);
  for (size_t i = 0; i < size && used < NAME_BYTES_MAX; i++) {
    if (text[i]) {
      out[used++] = text[i];
      continue;
    }
    out[used++] = '\\';
    out[used++] = '0';
  }
  lua_pop(lua, 1);
  return lua_pushlstring(lua, out, used);
}

const char *show_text(lua_State *lua, int index, size_t *size) {
  return lua_type(lua, index) == LUA_TSTRING ? lua_tolstring(lua, index, size) : NULL;
}
