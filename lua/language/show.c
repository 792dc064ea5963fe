#include "lua/language/show.h"

#include <lauxlib.h>
#include <string.h>

#include "lua/language/script.h"

#define NAME_BYTES_MAX 200u

/* Numbers, texts, booleans and nil have a text of their own. */
static bool is_plain(int type) {
  return type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TBOOLEAN || type == LUA_TNIL;
}

void show_value(lua_State *lua, int index) {
  index = lua_absindex(lua, index);
  if (lua_type(lua, index) == LUA_TNUMBER && !lua_isinteger(lua, index))
    script_raise(lua,
                 "a floating-point number is in the script (from a text used as a number?): it has whole ones only");
  if (is_plain(lua_type(lua, index))) {
    (void)luaL_tolstring(lua, index, NULL);
    return;
  }
  if (luaL_callmeta(lua, index, "__tostring")) {
    if (lua_type(lua, -1) != LUA_TSTRING) script_raise(lua, "__tostring must return a string");
    return;
  }
  lua_pushstring(lua, luaL_typename(lua, index));
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

const char *show_word(lua_State *lua, int index, const char *what) {
  size_t size;
  if (lua_type(lua, index) == LUA_TNUMBER) return luaL_tolstring(lua, index, NULL);
  const char *text = show_text(lua, index, &size);
  if (!text) script_raise(lua, "%s takes a text in quotes, not a %s", what, luaL_typename(lua, index));
  if (memchr(text, 0, size)) script_raise(lua, "%s: the text has a zero byte (\\0), where it would end", what);
  return text;
}
