#include "lua/language/argument.h"

#include <lauxlib.h>

#include "lua/language/script.h"
#include "lua/language/show.h"
#include "lua/text/units.h"

uint64_t script_duration(lua_State *lua, int index) {
  struct units_error error;
  uint64_t ns;
  size_t size;
  if (lua_type(lua, index) == LUA_TNUMBER)
    script_raise(lua, "%s has no unit: write a duration like \"5s\" or \"20ms\"", show_name(lua, index));
  if (lua_type(lua, index) != LUA_TSTRING)
    script_raise(lua, "expected a duration like \"5s\", got %s", luaL_typename(lua, index));
  const char *text = show_text(lua, index, &size);
  if (!units_duration(text, size, &ns, &error)) script_raise(lua, "%s", error.text);
  return ns;
}

void script_durations(lua_State *lua, int index, uint64_t *min_ns, uint64_t *max_ns) {
  struct units_error error;
  size_t size;
  if (lua_type(lua, index) != LUA_TSTRING)
    script_raise(lua, "expected a duration like \"200ms\" or \"100ms..1s\", got %s", luaL_typename(lua, index));
  const char *text = show_text(lua, index, &size);
  if (!units_duration_range(text, size, min_ns, max_ns, &error)) script_raise(lua, "%s", error.text);
}
