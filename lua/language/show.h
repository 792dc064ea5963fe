/* Values of a script as text. Nowhere else may C turn a value that a script
 * gave into text (tools/check-symbols): here no address can come out. */
#ifndef LUA_LANGUAGE_SHOW_H
#define LUA_LANGUAGE_SHOW_H

#include <lua.h>

#include <stddef.h>

/* Pushes the text of any value: numbers, texts, booleans and nil as they are, what
 * has __tostring as that says, all else as the name of its type. */
void show_value(lua_State *lua, int index);
/* The same for a message: pushed without zero bytes (they read "\0") and cut to a
 * line; never calls the script. Valid while it is on the stack. */
const char *show_name(lua_State *lua, int index);
/* The bytes of a text; NULL when the value is none (a number is none). */
const char *show_text(lua_State *lua, int index, size_t *size);
/* A text (or number) in which a zero byte would end what is read of it: raises an error when
 * it has one, or is no text. `what` begins the message. */
const char *show_word(lua_State *lua, int index, const char *what);

#endif
