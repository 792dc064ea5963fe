/* Values as a script would write them: for statements that are to be run again. */
#ifndef LUA_LANGUAGE_LITERAL_H
#define LUA_LANGUAGE_LITERAL_H

#include <lua.h>

#include <stdbool.h>
#include <stddef.h>

struct literal {
  char *text; /* always ends in a zero */
  size_t size, used;
  bool whole; /* nothing was too long, and nothing was of a kind that cannot be written */
};
void literal_begin(struct literal *literal, char *text, size_t size);
void literal_add(struct literal *literal, const char *text);
/* Booleans, whole numbers, texts of any bytes, tables of these (lists first, then names in bytewise order, to a
 * depth of 8), and nodes as their numbers. */
void literal_value(struct literal *literal, lua_State *lua, int index);

#endif
