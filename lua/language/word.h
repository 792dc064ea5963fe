/* Values that must be text, or become it: what is none raises an error. */
#ifndef LUA_LANGUAGE_WORD_H
#define LUA_LANGUAGE_WORD_H

#include <lua.h>

/* Pushes the text of any value: numbers, texts, booleans and nil as they are, what
 * has __tostring as that says, all else as the name of its type. */
void word_of_value(lua_State *lua, int index);
/* A text (or number) in which a zero byte would end what is read of it: raises an error when
 * it has one, or is no text. `what` begins the message. */
const char *word_check(lua_State *lua, int index, const char *what);

#endif
