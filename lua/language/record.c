#include "lua/language/record.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "lua/language/script.h"
#include "lua/language/show.h"
#include "lua/text/nearest.h"

#define NAMES_MAX 64u

void record_push(lua_State *lua, uint64_t value) {
  lua_pushinteger(lua, value > (uint64_t)INT64_MAX ? INT64_MAX : (lua_Integer)value);
}

void record_set(lua_State *lua, const char *name, uint64_t value) {
  record_push(lua, value);
  lua_setfield(lua, -2, name);
}

void record_set_text(lua_State *lua, const char *name, const char *text) {
  lua_pushstring(lua, text);
  lua_setfield(lua, -2, name);
}

void record_set_bool(lua_State *lua, const char *name, int value) {
  lua_pushboolean(lua, value);
  lua_setfield(lua, -2, name);
}

void record_set_hex(lua_State *lua, const char *name, uint64_t value) {
  char text[17];
  (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
  record_set_text(lua, name, text);
}

/* In bytewise order: what is said must not depend on the table's. */
static size_t names_of(lua_State *lua, const char *names[NAMES_MAX]) {
  size_t count = 0;
  for (lua_pushnil(lua); lua_next(lua, 1) && count < NAMES_MAX; lua_pop(lua, 1)) {
    const char *name = show_text(lua, -2, NULL);
    if (!name) continue; /* the items of a list */
    size_t at = count++;
    for (; at > 0 && strcmp(names[at - 1], name) > 0; at--)
      names[at] = names[at - 1];
    names[at] = name;
  }
  return count;
}

/* Upvalue: the noun. */
static int unknown_name(lua_State *lua) {
  const char *names[NAMES_MAX], *noun = show_text(lua, lua_upvalueindex(1), NULL);
  if (lua_isinteger(lua, 2)) return 0; /* past the end of a list */
  const char *name = show_name(lua, 2);
  size_t count = names_of(lua, names);
  const char *near = nearest_word(name, names, count);
  if (near) script_raise(lua, "there is no %s \"%s\"; did you mean \"%s\"?", noun, name, near);
  char list[500] = "";
  for (size_t i = 0; i < count && strlen(list) + strlen(names[i]) + 3 < sizeof list; i++) {
    if (i) strcat(list, ", ");
    strcat(list, names[i]);
  }
  script_raise(lua, "there is no %s \"%s\"; there are: %s", noun, name, list);
}

void record_guard(lua_State *lua, const char *noun) {
  char type[40];
  (void)snprintf(type, sizeof type, "sim.record.%s", noun);
  if (luaL_newmetatable(lua, type)) {
    lua_pushstring(lua, noun);
    lua_pushcclosure(lua, unknown_name, 1);
    lua_setfield(lua, -2, "__index");
  }
  lua_setmetatable(lua, -2);
}
