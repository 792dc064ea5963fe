#include "lua/language/literal.h"

#include <lauxlib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lua/language/objects.h"
#include "lua/language/show.h"

#define DEPTH_MAX 8u
#define KEYS_MAX 64u

void literal_begin(struct literal *literal, char *text, size_t size) {
  *literal = (struct literal){text, size, 0, true};
  text[0] = '\0';
}

void literal_add(struct literal *literal, const char *text) {
  size_t length = strlen(text);
  if (length >= literal->size - literal->used) {
    literal->whole = false;
    return;
  }
  memcpy(literal->text + literal->used, text, length + 1);
  literal->used += length;
}

static void add_text(struct literal *literal, const char *bytes, size_t size) {
  literal_add(literal, "\"");
  for (size_t i = 0; i < size; i++) {
    unsigned char byte = (unsigned char)bytes[i];
    char one[8];
    if (byte == '"' || byte == '\\')
      (void)snprintf(one, sizeof one, "\\%c", byte);
    else if (byte < 32 || byte > 126)
      (void)snprintf(one, sizeof one, "\\x%02x", byte);
    else
      (void)snprintf(one, sizeof one, "%c", byte);
    literal_add(literal, one);
  }
  literal_add(literal, "\"");
}

static bool is_name(const char *text, size_t size) {
  static const char *const words[] = {"and",      "break",  "do",   "else", "elseif", "end",  "false", "for",
                                      "function", "goto",   "if",   "in",   "local",  "nil",  "not",   "or",
                                      "repeat",   "return", "then", "true", "until",  "while"};
  if (size == 0 || (text[0] >= '0' && text[0] <= '9') || strlen(text) != size) return false;
  for (size_t i = 0; i < size; i++) {
    char c = text[i];
    bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!good) return false;
  }
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(words[i], text) == 0) return false;
  return true;
}

static void add_value(struct literal *literal, lua_State *lua, int index, unsigned depth);

static void add_key(struct literal *literal, lua_State *lua, const char *key, size_t size) {
  (void)lua;
  if (is_name(key, size)) {
    literal_add(literal, key);
  } else {
    literal_add(literal, "[");
    add_text(literal, key, size);
    literal_add(literal, "]");
  }
  literal_add(literal, " = ");
}

/* The keys that are texts, in bytewise order; none of more than KEYS_MAX. */
static uint32_t sorted_keys(struct literal *literal, lua_State *lua, int index, const char *keys[KEYS_MAX]) {
  uint32_t count = 0;
  for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
    if (lua_type(lua, -2) != LUA_TSTRING) continue;
    const char *key = show_text(lua, -2, NULL);
    uint32_t at = count;
    if (count == KEYS_MAX) {
      literal->whole = false;
      continue;
    }
    for (; at > 0 && strcmp(keys[at - 1], key) > 0; at--)
      keys[at] = keys[at - 1];
    keys[at] = key;
    count++;
  }
  return count;
}

/* Whole numbers that are no places of the list. */
static uint32_t sorted_numbers(struct literal *literal, lua_State *lua, int index, lua_Integer list,
                               lua_Integer numbers[KEYS_MAX]) {
  uint32_t count = 0;
  for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
    if (lua_type(lua, -2) == LUA_TSTRING) continue;
    lua_Integer key = lua_isinteger(lua, -2) ? lua_tointeger(lua, -2) : 0;
    if (key >= 1 && key <= list) continue;
    uint32_t at = count;
    if (count == KEYS_MAX || !lua_isinteger(lua, -2)) {
      literal->whole = false;
      continue;
    }
    for (; at > 0 && numbers[at - 1] > key; at--)
      numbers[at] = numbers[at - 1];
    numbers[at] = key;
    count++;
  }
  return count;
}

static void separate(struct literal *literal, bool *first) {
  literal_add(literal, *first ? " " : ", ");
  *first = false;
}

static void add_table(struct literal *literal, lua_State *lua, int index, unsigned depth) {
  const char *keys[KEYS_MAX];
  lua_Integer numbers[KEYS_MAX], list = 0;
  bool first = true;
  literal_add(literal, "{");
  for (; lua_rawgeti(lua, index, list + 1) != LUA_TNIL; list++) {
    separate(literal, &first);
    add_value(literal, lua, lua_gettop(lua), depth + 1);
    lua_pop(lua, 1);
  }
  lua_pop(lua, 1);
  uint32_t count = sorted_numbers(literal, lua, index, list, numbers);
  for (uint32_t i = 0; i < count; i++) {
    char number[32];
    separate(literal, &first);
    (void)snprintf(number, sizeof number, "[%lld] = ", (long long)numbers[i]);
    literal_add(literal, number);
    (void)lua_rawgeti(lua, index, numbers[i]);
    add_value(literal, lua, lua_gettop(lua), depth + 1);
    lua_pop(lua, 1);
  }
  count = sorted_keys(literal, lua, index, keys);
  for (uint32_t i = 0; i < count; i++) {
    separate(literal, &first);
    add_key(literal, lua, keys[i], strlen(keys[i]));
    lua_pushstring(lua, keys[i]);
    (void)lua_rawget(lua, index);
    add_value(literal, lua, lua_gettop(lua), depth + 1);
    lua_pop(lua, 1);
  }
  literal_add(literal, first ? "}" : " }");
}

static void add_value(struct literal *literal, lua_State *lua, int index, unsigned depth) {
  char number[32];
  size_t size = 0;
  if (depth > DEPTH_MAX || !lua_checkstack(lua, 8)) {
    literal->whole = false;
    return;
  }
  switch (lua_type(lua, index)) {
  case LUA_TBOOLEAN:
    literal_add(literal, lua_toboolean(lua, index) ? "true" : "false");
    return;
  case LUA_TNUMBER:
    if (!lua_isinteger(lua, index)) break;
    (void)snprintf(number, sizeof number, "%lld", (long long)lua_tointeger(lua, index));
    literal_add(literal, number);
    return;
  case LUA_TSTRING: {
    const char *text = show_text(lua, index, &size);
    add_text(literal, text, size);
    return;
  }
  case LUA_TTABLE:
    add_table(literal, lua, index, depth);
    return;
  case LUA_TUSERDATA: {
    const uint32_t *node = luaL_testudata(lua, index, NODE_TYPE);
    if (node == NULL) break;
    (void)snprintf(number, sizeof number, "%u", *node);
    literal_add(literal, number);
    return;
  }
  default:
    break;
  }
  literal->whole = false;
}

void literal_value(struct literal *literal, lua_State *lua, int index) {
  add_value(literal, lua, lua_absindex(lua, index), 0);
}
