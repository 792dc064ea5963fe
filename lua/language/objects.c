#include "lua/language/objects.h"

#include <lauxlib.h>
#include <string.h>

#include "lua/language/script.h"
#include "lua/language/show.h"
#include "lua/text/nearest.h"

#define METHODS_MAX 64u

/* Upvalues: the methods by name, the list of names, the noun. */
static int object_index(lua_State *lua) {
  lua_pushvalue(lua, 2);
  if (lua_rawget(lua, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  const char *noun = show_text(lua, lua_upvalueindex(3), NULL);
  if (lua_type(lua, 2) != LUA_TSTRING) script_raise(lua, "%s has named methods only", noun);
  const char *name = show_name(lua, 2);
  const struct script_method *methods = lua_touserdata(lua, lua_upvalueindex(2));
  const char *names[METHODS_MAX];
  size_t count = 0;
  for (; count < METHODS_MAX && methods[count].name; count++)
    names[count] = methods[count].name;
  const char *near = nearest_word(name, names, count);
  if (near) script_raise(lua, "%s has no method \"%s\"; did you mean \"%s\"?", noun, name, near);
  char list[600] = "";
  for (size_t i = 0; i < count; i++) {
    if (strlen(list) + strlen(names[i]) + 3 > sizeof list) break;
    if (i) strcat(list, ", ");
    strcat(list, names[i]);
  }
  script_raise(lua, "%s has no method \"%s\"; it has: %s", noun, name, list);
}

static int object_assign(lua_State *lua) {
  script_raise(lua, "%s cannot be assigned to", show_text(lua, lua_upvalueindex(1), NULL));
}

void object_type(lua_State *lua, const char *type, const char *noun, const struct script_method *methods) {
  luaL_newmetatable(lua, type);
  lua_newtable(lua);
  for (const struct script_method *method = methods; method->name; method++) {
    lua_pushcfunction(lua, method->call);
    lua_setfield(lua, -2, method->name);
  }
  /* A pointer to a constant table: allowed in the arena. */
  lua_pushlightuserdata(lua, (void *)(uintptr_t)methods);
  lua_pushstring(lua, noun);
  lua_pushcclosure(lua, object_index, 3);
  lua_setfield(lua, -2, "__index");
  lua_pushstring(lua, noun);
  lua_pushcclosure(lua, object_assign, 1);
  lua_setfield(lua, -2, "__newindex");
  lua_pushstring(lua, noun);
  lua_setfield(lua, -2, "__metatable");
  lua_pop(lua, 1);
}

void *object_check(lua_State *lua, int index, const char *type, const char *noun) {
  void *object = luaL_testudata(lua, index, type);
  if (object && script_of(lua)->merging)
    script_raise(lua, "a merge function sees its key and its values, and nothing else: no %s", noun);
  if (object) return object;
  script_raise(lua, "expected %s, got %s (call methods with a colon: %s:method(...))", noun, luaL_typename(lua, index),
               noun);
}
