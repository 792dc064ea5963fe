/* Records: tables of answers that refuse unknown names. A property that reads a misspelt one must not be true or false
 * by accident. */
#ifndef LUA_LANGUAGE_RECORD_H
#define LUA_LANGUAGE_RECORD_H

#include <lua.h>

#include <stdint.h>

/* Pushes a number of 64 bits; one past what a script can hold reads as the greatest. */
void record_push(lua_State *lua, uint64_t value);
/* Puts it into the table on top of the stack. */
void record_set(lua_State *lua, const char *name, uint64_t value);
void record_set_text(lua_State *lua, const char *name, const char *text);
void record_set_bool(lua_State *lua, const char *name, int value);
/* As 16 hexadecimal digits, for what is a name and no quantity. */
void record_set_hex(lua_State *lua, const char *name, uint64_t value);
/* From now on the table on top refuses names that it does not have. `noun` is a constant: "counter". */
void record_guard(lua_State *lua, const char *noun);

#endif
