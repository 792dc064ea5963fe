#include "lua/language/strings.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "lua/language/script.h"
#include "lua/language/word.h"

#define REP_BYTES_MAX (1024u * 1024u)
#define PATTERN_BYTES_MAX 256u
#define PATTERN_WORK_MAX UINT64_C(50000000)

/* Calls the library's function (upvalue 1) with all arguments. */
static int call_library(lua_State *lua) {
  int arguments = lua_gettop(lua);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, arguments, LUA_MULTRET);
  return lua_gettop(lua);
}

/* The number of ways that a match may be tried is at most the length of the
 * subject to the power of the repetitions, + 1 for where it begins. */
static void check_pattern(lua_State *lua, const char *name) {
  size_t subject_size, size;
  (void)luaL_checklstring(lua, 1, &subject_size);
  const char *pattern = luaL_checklstring(lua, 2, &size);
  if (size > PATTERN_BYTES_MAX) script_raise(lua, "string.%s: a pattern has at most %u bytes", name, PATTERN_BYTES_MAX);
  uint64_t work = pattern[0] == '^' ? 1 : subject_size + 1u;
  unsigned repetitions = 0;
  for (size_t i = 0; i < size; i++) {
    if (pattern[i] == '%') {
      if (++i < size && pattern[i] == 'b') repetitions++;
    } else if (i && (pattern[i] == '*' || pattern[i] == '+' || pattern[i] == '-' || pattern[i] == '?')) {
      repetitions++;
    } else {
      continue;
    }
    if (pattern[i] == 'b' || strchr("*+-?", pattern[i])) {
      work = pattern[i] == '?' ? work * 2u : work * (subject_size + 1u);
      if (work > PATTERN_WORK_MAX)
        script_raise(lua,
                     "string.%s: this pattern may take too long: %u repetitions over %u bytes; use a shorter text, "
                     "fewer repetitions, or string.find(text, word, 1, true)",
                     name, repetitions, (unsigned)subject_size);
    }
  }
  script_charge(lua, work / 8u + subject_size / 16u);
}

static int string_find(lua_State *lua) {
  size_t subject_size, size;
  (void)luaL_checklstring(lua, 1, &subject_size);
  (void)luaL_checklstring(lua, 2, &size);
  if (lua_toboolean(lua, 4))
    script_charge(lua, subject_size / 16u + (uint64_t)size * subject_size / 256u);
  else
    check_pattern(lua, "find");
  return call_library(lua);
}
static int string_match(lua_State *lua) {
  check_pattern(lua, "match");
  return call_library(lua);
}
static int string_gmatch(lua_State *lua) {
  check_pattern(lua, "gmatch");
  return call_library(lua);
}
static int string_gsub(lua_State *lua) {
  check_pattern(lua, "gsub");
  return call_library(lua);
}

static int string_rep(lua_State *lua) {
  size_t size, between;
  (void)luaL_checklstring(lua, 1, &size);
  lua_Integer count = luaL_checkinteger(lua, 2);
  (void)luaL_optlstring(lua, 3, "", &between);
  if (count > (lua_Integer)REP_BYTES_MAX || (count > 0 && (uint64_t)count * (size + between) > REP_BYTES_MAX))
    script_raise(lua, "string.rep: the result would have more than %u bytes", REP_BYTES_MAX);
  script_charge(lua, count > 0 ? (uint64_t)count * (size + between + 4u) / 16u : 0);
  return call_library(lua);
}

/* What becomes arguments of a call or results of it: each costs every call that
 * hands them on. */
static void check_spread(lua_State *lua, const char *name, size_t size, lua_Integer first, lua_Integer last) {
  lua_Integer length = (lua_Integer)size;
  if (first < 0) first = first < -length ? 1 : length + first + 1;
  if (last < 0) last = last < -length ? 0 : length + last + 1;
  if (first < 1) first = 1;
  if (last > length) last = length;
  if (last - first >= SCRIPT_SPREAD_MAX) script_raise(lua, "%s: more than %d values at once", name, SCRIPT_SPREAD_MAX);
  if (last > first) script_charge(lua, (uint64_t)(last - first) / 4u);
}

static int string_byte(lua_State *lua) {
  size_t size;
  (void)luaL_checklstring(lua, 1, &size);
  lua_Integer first = luaL_optinteger(lua, 2, 1);
  check_spread(lua, "string.byte", size, first, luaL_optinteger(lua, 3, first));
  return call_library(lua);
}

static int utf8_codepoint(lua_State *lua) {
  size_t size;
  (void)luaL_checklstring(lua, 1, &size);
  lua_Integer first = luaL_optinteger(lua, 2, 1);
  check_spread(lua, "utf8.codepoint", size, first, luaL_optinteger(lua, 3, first));
  return call_library(lua);
}

/* utf8.len, offset and codes go through the text. */
static int utf8_through(lua_State *lua) {
  size_t size;
  (void)luaL_checklstring(lua, 1, &size);
  script_charge_bytes(lua, size * 4u);
  return call_library(lua);
}

/* Replaces the arguments of %s by their texts; refuses what is native. */
static int string_format(lua_State *lua) {
  size_t size;
  const char *format = luaL_checklstring(lua, 1, &size);
  int argument = 1;
  for (size_t i = 0; i < size; i++) {
    if (format[i] != '%') continue;
    if (++i < size && format[i] == '%') continue;
    while (i < size && strchr("-+ #0123456789.", format[i]))
      i++;
    if (i >= size) break; /* the library says what is wrong */
    argument++;
    if (strchr("aAeEfFgG", format[i]))
      script_raise(lua, "string.format: %%%c is for floating-point numbers; scripts have whole numbers only: use %%d",
                   format[i]);
    if (format[i] == 'q' && argument <= lua_gettop(lua) && lua_type(lua, argument) == LUA_TNUMBER &&
        !lua_isinteger(lua, argument))
      script_raise(lua, "string.format: %%q of a floating-point number; scripts have whole numbers only");
    if (format[i] == 'p') script_raise(lua, "string.format: %%p is an address, which differs from run to run");
    if (format[i] != 's' || argument > lua_gettop(lua)) continue;
    word_of_value(lua, argument);
    lua_replace(lua, argument);
  }
  return call_library(lua);
}

/* Only formats that mean the same bytes on every machine. */
static void check_layout(lua_State *lua, const char *name) {
  const char *layout = word_check(lua, 1, "the format");
  const char *p = layout;
  if (*p != '<' && *p != '>')
    script_raise(lua, "string.%s: begin the format with < (little-endian) or >: the machine's own order differs", name);
  for (; *p; p++) {
    bool sized = p[1] >= '0' && p[1] <= '9';
    if (strchr("<> bBjJxz0123456789", *p)) continue;
    if (strchr("iIs", *p) && sized) continue;
    if (*p == 'c' && sized) {
      if (strspn(p + 1, "0123456789") > 5)
        script_raise(lua, "string.%s: a text of fixed size has at most 99999 bytes", name);
      continue;
    }
    if (strchr("iIs", *p)) script_raise(lua, "string.%s: \"%c\" needs a size, like %c4", name, *p, *p);
    script_raise(lua,
                 "string.%s: \"%c\" is native or floating-point; use b, B, j, J, i1 to i8, I1 to I8, s1 to s8, z, x, c",
                 name, *p);
  }
}
static int string_pack(lua_State *lua) {
  check_layout(lua, "pack");
  return call_library(lua);
}
static int string_packsize(lua_State *lua) {
  check_layout(lua, "packsize");
  return call_library(lua);
}
static int string_unpack(lua_State *lua) {
  check_layout(lua, "unpack");
  return call_library(lua);
}

/* The library's depend on the locale. */
static int change_case(lua_State *lua, char first, char last) {
  size_t size;
  luaL_Buffer buffer;
  const char *text = luaL_checklstring(lua, 1, &size);
  script_charge_bytes(lua, size);
  char *out = luaL_buffinitsize(lua, &buffer, size);
  for (size_t i = 0; i < size; i++)
    out[i] = text[i] >= first && text[i] <= last ? (char)(text[i] ^ 32) : text[i];
  luaL_pushresultsize(&buffer, size);
  return 1;
}
static int string_lower(lua_State *lua) {
  return change_case(lua, 'A', 'Z');
}
static int string_upper(lua_State *lua) {
  return change_case(lua, 'a', 'z');
}

/* Puts each function round the one of that name in the library on top. */
static void guard(lua_State *lua, const luaL_Reg *entry) {
  for (; entry->name; entry++) {
    lua_getfield(lua, -1, entry->name);
    lua_pushcclosure(lua, entry->func, 1);
    lua_setfield(lua, -2, entry->name);
  }
}

static void open_utf8(lua_State *lua) {
  static const luaL_Reg guarded[] = {
      {"len", utf8_through}, {"offset", utf8_through}, {"codes", utf8_through}, {"codepoint", utf8_codepoint},
      {NULL, NULL},
  };
  luaL_requiref(lua, LUA_UTF8LIBNAME, luaopen_utf8, 1);
  guard(lua, guarded);
  lua_pop(lua, 1);
}

void strings_open(lua_State *lua) {
  static const luaL_Reg guarded[] = {
      {"find", string_find},
      {"match", string_match},
      {"gmatch", string_gmatch},
      {"gsub", string_gsub},
      {"rep", string_rep},
      {"format", string_format},
      {"pack", string_pack},
      {"packsize", string_packsize},
      {"unpack", string_unpack},
      {"byte", string_byte},
      {NULL, NULL},
  };
  luaL_requiref(lua, "string", luaopen_string, 1);
  guard(lua, guarded);
  lua_pushcfunction(lua, string_lower);
  lua_setfield(lua, -2, "lower");
  lua_pushcfunction(lua, string_upper);
  lua_setfield(lua, -2, "upper");
  lua_pushnil(lua);
  lua_setfield(lua, -2, "dump");
  /* Texts keep their methods and lose arithmetic ("1.5" + 1 is a float). */
  lua_pushliteral(lua, "");
  lua_createtable(lua, 0, 2);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_pushliteral(lua, "string");
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
  lua_pop(lua, 2);
  open_utf8(lua);
}
