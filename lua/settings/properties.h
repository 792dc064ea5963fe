/* Properties: what must always, sometimes or eventually hold. */
#ifndef LUA_SETTINGS_PROPERTIES_H
#define LUA_SETTINGS_PROPERTIES_H

#include <lua.h>

#include <stdbool.h>
#include <stdint.h>

#include "lua/language/script.h"

int property_always(lua_State *lua);
int property_never(lua_State *lua);
int property_sometimes(lua_State *lua);
int property_eventually(lua_State *lua);
/* Takes the list of properties at `index`. */
void properties_take(lua_State *lua, int index);
/* Evaluates them now. `final`: an `eventually` that never held is violated. */
void properties_check(struct script *script, bool final);
bool properties_pending(const struct script *script, uint64_t *until_ns);

#endif
