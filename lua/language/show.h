/* Values of a script as text. Nowhere else may C turn a value that a script
 * gave into text (tools/check-symbols): here no address can come out. */
#ifndef LUA_LANGUAGE_SHOW_H
#define LUA_LANGUAGE_SHOW_H

#include <lua.h>

#include <stdbool.h>
#include <stddef.h>

/* Pushes the text of a number, text, boolean or nil; false, and nothing is pushed: it is
 * another value. */
bool show_plain(lua_State *lua, int index);
/* Any value in a message: pushed without zero bytes (they read "\0") and cut to a
 * line; never calls the script. Valid while it is on the stack. */
const char *show_name(lua_State *lua, int index);
/* The bytes of a text; NULL when the value is none (a number is none). */
const char *show_text(lua_State *lua, int index, size_t *size);
#endif
