#include "lua/settings/schema.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lua/language/script.h"
#include "lua/language/show.h"
#include "lua/text/nearest.h"
#include "lua/text/source.h"
#include "lua/text/units.h"

#define FIELDS_MAX 64u

struct place {
  lua_State *lua;
  const char *noun;
  const char *path;
};

static int line_of(lua_State *lua, const char *path, const char *key) {
  int here = script_line(lua);
  size_t size;
  const char *text = script_source(lua, &size);
  if (!path || !text) return here;
  char full[200];
  (void)snprintf(full, sizeof full, "%s%s%s", path, *path ? "." : "", key);
  int line = source_line_of(text, size, here, full);
  /* Written elsewhere, as a variable perhaps: the call is the place. */
  return line ? line : here;
}

void schema_raise(lua_State *lua, const char *path, const char *key, const char *format, ...) {
  char text[700];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  script_raise_at(lua, line_of(lua, path, key), "%s", text);
}

/* The bytewise least key that is no option: which one is named must not depend
 * on the order of a table. */
static void refuse_unknown(const struct place *place, int index, const struct schema_field *fields, size_t count) {
  lua_State *lua = place->lua;
  const char *unknown = NULL;
  const char *names[FIELDS_MAX];
  for (size_t i = 0; i < count; i++)
    names[i] = fields[i].key;
  for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
    if (lua_type(lua, -2) != LUA_TSTRING)
      schema_raise(lua, place->path, "", "%s has options by name, not a list", place->noun);
    size_t size, i = 0;
    const char *key = show_text(lua, -2, &size);
    if (memchr(key, 0, size))
      schema_raise(lua, place->path, "", "%s: the name of an option has a zero byte (\\0)", place->noun);
    while (i < count && strcmp(names[i], key) != 0)
      i++;
    if (i == count && (!unknown || strcmp(key, unknown) < 0)) unknown = key;
  }
  if (!unknown) return;
  const char *near = nearest_word(unknown, names, count);
  if (near)
    schema_raise(lua, place->path, unknown, "%s has no option \"%s\"; did you mean \"%s\"?", place->noun, unknown,
                 near);
  char list[500] = "";
  for (size_t i = 0; i < count && strlen(list) + strlen(names[i]) + 3 < sizeof list; i++) {
    if (i) strcat(list, ", ");
    strcat(list, names[i]);
  }
  schema_raise(lua, place->path, unknown, "%s has no option \"%s\"; it has: %s", place->noun, unknown, list);
}

static void store(void *out, size_t offset, size_t width, uint64_t value) {
  if (width == 4) {
    uint32_t narrow = (uint32_t)value;
    memcpy((char *)out + offset, &narrow, 4);
  } else {
    memcpy((char *)out + offset, &value, 8);
  }
}

static void wrong_type(const struct place *place, const struct schema_field *field, const char *want) {
  const char *got = luaL_typename(place->lua, -1);
  if (lua_type(place->lua, -1) == LUA_TNUMBER)
    schema_raise(place->lua, place->path, field->key, "%s.%s is the bare number %s: write %s", place->noun, field->key,
                 show_name(place->lua, -1), want);
  schema_raise(place->lua, place->path, field->key, "%s.%s is a %s: write %s", place->noun, field->key, got, want);
}

static void check_bounds(const struct place *place, const struct schema_field *field, uint64_t value,
                         const char *unit) {
  if (value >= field->min && (!field->max || value <= field->max)) return;
  if (field->max)
    schema_raise(place->lua, place->path, field->key, "%s.%s is outside its range: %llu to %llu%s", place->noun,
                 field->key, (unsigned long long)field->min, (unsigned long long)field->max, unit);
  schema_raise(place->lua, place->path, field->key, "%s.%s is too small: at least %llu%s", place->noun, field->key,
               (unsigned long long)field->min, unit);
}

static void read_count(const struct place *place, const struct schema_field *field, void *out) {
  lua_State *lua = place->lua;
  if (!lua_isinteger(lua, -1)) wrong_type(place, field, "a whole number");
  lua_Integer value = lua_tointeger(lua, -1);
  if (value < 0) check_bounds(place, field, UINT64_MAX, "");
  check_bounds(place, field, (uint64_t)value, "");
  store(out, field->offset, field->width, (uint64_t)value);
}

static void read_quantity(const struct place *place, const struct schema_field *field, void *out) {
  static const char *const wanted[] = {
      [SCHEMA_DURATION] = "a duration like \"5s\"",
      [SCHEMA_DURATION_RANGE] = "a duration like \"5ms\" or a range like \"5ms..50ms\"",
      [SCHEMA_SIZE] = "a size like \"64KiB\"",
      [SCHEMA_SIZE_RANGE] = "a size like \"64B\" or a range like \"16B..64B\"",
      [SCHEMA_SHARE] = "a share like \"1%\" or \"200ppm\"",
      [SCHEMA_RATE] = "a rate like \"50/s\"",
  };
  lua_State *lua = place->lua;
  struct units_error error;
  size_t size;
  uint64_t lo = 0, hi = 0;
  bool good = false, range = field->type == SCHEMA_DURATION_RANGE || field->type == SCHEMA_SIZE_RANGE;
  if (lua_type(lua, -1) != LUA_TSTRING) wrong_type(place, field, wanted[field->type]);
  const char *text = show_text(lua, -1, &size);
  switch (field->type) {
  case SCHEMA_DURATION:
    good = units_duration(text, size, &lo, &error);
    break;
  case SCHEMA_DURATION_RANGE:
    good = units_duration_range(text, size, &lo, &hi, &error);
    break;
  case SCHEMA_SIZE:
    good = units_size(text, size, &lo, &error);
    break;
  case SCHEMA_SIZE_RANGE:
    good = units_size_range(text, size, &lo, &hi, &error);
    break;
  case SCHEMA_SHARE:
    good = units_share(text, size, &lo, &error);
    break;
  default:
    good = units_rate(text, size, &lo, &error);
    break;
  }
  if (!good) schema_raise(lua, place->path, field->key, "%s.%s: %s", place->noun, field->key, error.text);
  const char *unit = field->type == SCHEMA_SIZE || field->type == SCHEMA_SIZE_RANGE ? " bytes"
                     : field->type == SCHEMA_SHARE                                  ? " ppm"
                                                                                    : " ns";
  check_bounds(place, field, lo, unit);
  if (range) check_bounds(place, field, hi, unit);
  if (field->width == 4 && (lo > UINT32_MAX || hi > UINT32_MAX))
    schema_raise(lua, place->path, field->key, "%s.%s is too great: %u%s is the most", place->noun, field->key,
                 UINT32_MAX, unit);
  store(out, field->offset, field->width, lo);
  if (range) store(out, field->offset_hi, field->width_hi, hi);
}

static void read_text(const struct place *place, const struct schema_field *field, void *out) {
  lua_State *lua = place->lua;
  size_t size;
  if (lua_type(lua, -1) != LUA_TSTRING) wrong_type(place, field, "a text in quotes");
  const char *text = show_text(lua, -1, &size);
  if (memchr(text, 0, size))
    schema_raise(lua, place->path, field->key, "%s.%s: the text has a zero byte (\\0), where it would end", place->noun,
                 field->key);
  if (size >= field->width || memchr(text, '\n', size))
    schema_raise(lua, place->path, field->key, "%s.%s must be one line of less than %d bytes", place->noun, field->key,
                 (int)field->width);
  memcpy((char *)out + field->offset, text, size + 1);
}

static void read_word(const struct place *place, const struct schema_field *field, void *out) {
  lua_State *lua = place->lua;
  size_t size;
  const char *word = show_text(lua, -1, &size);
  if (word && memchr(word, 0, size))
    schema_raise(lua, place->path, field->key, "%s.%s: the text has a zero byte (\\0), where it would end", place->noun,
                 field->key);
  char list[200] = "";
  size_t count = 0;
  for (; field->words[count]; count++) {
    if (word && strcmp(word, field->words[count]) == 0) {
      store(out, field->offset, field->width, count);
      return;
    }
    if (strlen(list) + strlen(field->words[count]) + 6 > sizeof list) break;
    if (count) strcat(list, ", ");
    strcat(list, "\"");
    strcat(list, field->words[count]);
    strcat(list, "\"");
  }
  if (!word) wrong_type(place, field, list);
  const char *near = nearest_word(word, field->words, count);
  if (near)
    schema_raise(lua, place->path, field->key, "%s.%s cannot be \"%s\"; did you mean \"%s\"? (%s)", place->noun,
                 field->key, word, near, list);
  schema_raise(lua, place->path, field->key, "%s.%s cannot be \"%s\": write one of %s", place->noun, field->key, word,
               list);
}

static void read_field(const struct place *place, const struct schema_field *field, void *out) {
  lua_State *lua = place->lua;
  switch (field->type) {
  case SCHEMA_COUNT:
    read_count(place, field, out);
    break;
  case SCHEMA_BOOL: {
    if (lua_type(lua, -1) != LUA_TBOOLEAN) wrong_type(place, field, "true or false");
    bool value = lua_toboolean(lua, -1);
    memcpy((char *)out + field->offset, &value, sizeof value);
    break;
  }
  case SCHEMA_TEXT:
    read_text(place, field, out);
    break;
  case SCHEMA_WORD:
    read_word(place, field, out);
    break;
  case SCHEMA_TABLE:
    if (lua_type(lua, -1) != LUA_TTABLE) wrong_type(place, field, "a table { ... }");
    break;
  case SCHEMA_FUNCTION:
    if (lua_type(lua, -1) != LUA_TFUNCTION) wrong_type(place, field, "function(world) ... end");
    break;
  case SCHEMA_VALUE:
    break;
  default:
    read_quantity(place, field, out);
    break;
  }
}

void schema_read(lua_State *lua, int index, const struct schema_field *fields, size_t count, void *out,
                 const char *noun, const char *path) {
  struct place place = {lua, noun, path};
  index = lua_absindex(lua, index);
  if (lua_type(lua, index) != LUA_TTABLE)
    schema_raise(lua, path, "", "%s takes a table of options { ... }, not a %s", noun, luaL_typename(lua, index));
  SIM_ASSERT(script_of(lua)->world, count <= FIELDS_MAX);
  refuse_unknown(&place, index, fields, count);
  for (size_t i = 0; i < count; i++) {
    lua_pushstring(lua, fields[i].key);
    if (lua_rawget(lua, index) != LUA_TNIL) read_field(&place, &fields[i], out);
    lua_pop(lua, 1);
  }
}
