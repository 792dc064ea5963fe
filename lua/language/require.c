#include "lua/language/require.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "lua/language/script.h"
#include "lua/language/word.h"
#include "lua/text/source.h"

#define LOADED "helpers" /* in the registry: what each gave, by name */

#define DEPTH_MAX 16u /* helpers that require each other, one below the other */

/* The helpers that are being loaded are those whose main chunks are on the stack. */
static void refuse_circle(lua_State *lua, const struct helper *helper) {
  char chain[DEPTH_MAX * (HELPER_NAME_BYTES + 4u)] = "", longer[sizeof chain];
  uint32_t depth = 0;
  lua_Debug debug;
  for (int level = 0; lua_getstack(lua, level, &debug); level++) {
    if (!lua_getinfo(lua, "S", &debug) || strcmp(debug.what, "main") != 0) continue;
    if (strncmp(debug.source, "=" SCRIPT_CHUNK "/", sizeof SCRIPT_CHUNK + 1) != 0) continue;
    const char *path = debug.source + sizeof SCRIPT_CHUNK + 1;
    if (strcmp(path, helper->path) == 0)
      script_raise(lua, "helpers require each other in a circle: %s -> %s%s", path, chain, helper->path);
    if (++depth >= DEPTH_MAX) script_raise(lua, "more than %u helpers require one the other", DEPTH_MAX);
    (void)snprintf(longer, sizeof longer, "%.*s -> %.*s", (int)HELPER_NAME_BYTES, path,
                   (int)(sizeof chain - HELPER_NAME_BYTES - 8u), chain);
    memcpy(chain, longer, sizeof chain);
  }
}

static const struct helper *find(lua_State *lua, const struct script *script, const char *name) {
  char path[HELPER_NAME_BYTES];
  if (!helper_path(name, strlen(name), path))
    script_raise(lua,
                 "no module \"%s\": there are \"sim\", and files of the folder helpers beside the scenario, named like "
                 "\"helpers.partitions\" for helpers/partitions.lua (small letters, digits, _)",
                 name);
  if (!script->helpers)
    script_raise(lua, "require \"%s\": a helper is required at the top of the file, before anything runs", name);
  const struct helper *helper = helpers_find(script->helpers, name);
  if (!helper)
    script_raise(lua, "require \"%s\": write the name in quotes where it stands, for a bundle must hold the helper too",
                 name);
  if (!helper->text) script_raise(lua, "no helper \"%s\": %s: %s", name, helper->path, helper->why);
  return helper;
}

/* Pushes the helper as a function. */
static void compile(lua_State *lua, const struct helper *helper) {
  char chunk[sizeof SCRIPT_CHUNK + HELPER_NAME_BYTES + 2], message[300];
  int line = 1;
  const char *refused = source_refused(helper->text, helper->size);
  if (!refused && !source_has_no_floats(helper->text, helper->size, &line, message, sizeof message)) refused = message;
  (void)snprintf(chunk, sizeof chunk, "=" SCRIPT_CHUNK "/%s", helper->path);
  if (refused) {
    lua_pushfstring(lua, "%s:%d: %s", chunk + 1, line, refused);
    lua_error(lua);
  }
  size_t begin = source_begin(helper->text, helper->size);
  script_charge_bytes(lua, helper->size);
  if (luaL_loadbufferx(lua, helper->text + begin, helper->size - begin, chunk, "t") != LUA_OK) lua_error(lua);
}

int require_module(lua_State *lua) {
  struct script *script = script_of(lua);
  const char *name = word_check(lua, 1, "require");
  if (strcmp(name, "sim") == 0) {
    lua_getfield(lua, LUA_REGISTRYINDEX, "sim");
    return 1;
  }
  (void)luaL_getsubtable(lua, LUA_REGISTRYINDEX, LOADED);
  if (lua_getfield(lua, -1, name) != LUA_TNIL) return 1;
  lua_pop(lua, 1);
  const struct helper *helper = find(lua, script, name);
  refuse_circle(lua, helper);
  compile(lua, helper);
  lua_call(lua, 0, 1);
  if (lua_isnil(lua, -1)) {
    lua_pop(lua, 1);
    lua_pushboolean(lua, 1);
  }
  lua_pushvalue(lua, -1);
  lua_setfield(lua, -3, helper->name);
  return 1;
}
