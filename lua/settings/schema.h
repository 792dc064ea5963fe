/* Options, checked against a table: types, units, ranges, and the nearest word
 * for what is not an option. Errors name the line of the option. */
#ifndef LUA_SETTINGS_SCHEMA_H
#define LUA_SETTINGS_SCHEMA_H

#include <lua.h>

#include <stddef.h>
#include <stdint.h>

enum schema_type {
  SCHEMA_COUNT,          /* a whole number, min to max */
  SCHEMA_DURATION,       /* "5s" */
  SCHEMA_DURATION_RANGE, /* "5ms..50ms" */
  SCHEMA_SIZE,           /* "64KiB" */
  SCHEMA_SIZE_RANGE,
  SCHEMA_SHARE, /* "1%" in parts per million */
  SCHEMA_RATE,  /* "50/s" as an interval */
  SCHEMA_BOOL,
  SCHEMA_TEXT,     /* a char array of `max` bytes */
  SCHEMA_WORD,     /* one of `words`, as its index */
  SCHEMA_TABLE,    /* for the caller to read */
  SCHEMA_FUNCTION, /* for the caller to read */
  SCHEMA_VALUE,    /* of any type, for the caller to read */
};

struct schema_field {
  const char *key;
  enum schema_type type;
  size_t offset, width;       /* of the member; 4 or 8 bytes; a bool for SCHEMA_BOOL */
  size_t offset_hi, width_hi; /* of the upper end of a range */
  uint64_t min, max;          /* of the value; 0 max: no bound */
  const char *const *words;   /* SCHEMA_WORD; ends in NULL */
};

#define SCHEMA_AT(type, member) offsetof(type, member), sizeof(((type *)0)->member)

/* Reads the table at `index` into `out`; what it does not name is left as it
 * is. `noun` is how messages call the table ("network"); `path` its place in
 * the file for finding lines ("network", or "" for the outermost), or NULL when
 * the present line is the one to name. Raises an error. */
void schema_read(lua_State *lua, int index, const struct schema_field *fields, size_t count, void *out,
                 const char *noun, const char *path);
/* Raises an error about `key` of the table at `path`. */
#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 4, 5)))
#endif
void schema_raise(lua_State *lua, const char *path, const char *key, const char *format, ...);

#endif
