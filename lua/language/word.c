#include "lua/language/word.h"

#include <lauxlib.h>
#include <string.h>

#include "lua/language/script.h"
#include "lua/language/show.h"

void word_of_value(lua_State *lua, int index) {
  index = lua_absindex(lua, index);
  if (lua_type(lua, index) == LUA_TNUMBER && !lua_isinteger(lua, index))
    script_raise(lua,
                 "a floating-point number is in the script (from a text used as a number?): it has whole ones only");
  if (show_plain(lua, index)) return;
  if (luaL_callmeta(lua, index, "__tostring")) {
    if (lua_type(lua, -1) != LUA_TSTRING) script_raise(lua, "__tostring must return a string");
    return;
  }
  lua_pushstring(lua, luaL_typename(lua, index));
}

const char *word_check(lua_State *lua, int index, const char *what) {
  size_t size;
  if (lua_type(lua, index) == LUA_TNUMBER && show_plain(lua, index)) return show_text(lua, -1, NULL);
  const char *text = show_text(lua, index, &size);
  if (!text) script_raise(lua, "%s takes a text in quotes, not a %s", what, luaL_typename(lua, index));
  if (memchr(text, 0, size)) script_raise(lua, "%s: the text has a zero byte (\\0), where it would end", what);
  return text;
}
