#include "lua/settings/parameters.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/language/list.h"
#include "lua/language/script.h"
#include "lua/language/show.h"
#include "lua/language/word.h"
#include "lua/settings/schema.h"
#include "lua/settings/settings.h"
#include "lua/text/nearest.h"
#include "lua/text/units.h"

#define LINE "write sim.param(\"name\", standard), where the standard is a whole number, true, false or a text"

/* --- Kinds ------------------------------------------------------------------------------- */

static const char *const kind_nouns[] = {
    [SCENARIO_PARAM_NUMBER] = "a whole number",
    [SCENARIO_PARAM_BOOL] = "true or false",
    [SCENARIO_PARAM_TEXT] = "a text",
    [SCENARIO_PARAM_SHARE] = "a share such as 1% or 200ppm",
    [SCENARIO_PARAM_DURATION] = "a duration such as 5s, or a range such as 5ms..50ms",
    [SCENARIO_PARAM_SIZE] = "a size such as 64KiB, or a range such as 16B..64B",
    [SCENARIO_PARAM_RATE] = "a rate such as 50/s",
    [SCENARIO_PARAM_BANDWIDTH] = "a bandwidth such as 64KiB/s",
};

static bool is_whole_number(const char *text, lua_Integer *value) {
  size_t digits = strspn(text + (*text == '-'), "0123456789");
  if (!digits || digits > 18 || text[(*text == '-') + digits]) return false;
  *value = (lua_Integer)strtoll(text, NULL, 10);
  return true;
}

static bool is_of_kind(const char *text, enum scenario_param_kind kind) {
  struct units_error error;
  size_t size = strlen(text);
  uint64_t a, b, c;
  lua_Integer number;
  switch (kind) {
  case SCENARIO_PARAM_NUMBER:
    return is_whole_number(text, &number);
  case SCENARIO_PARAM_BOOL:
    return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
  case SCENARIO_PARAM_SHARE:
    return units_share(text, size, &a, &error);
  case SCENARIO_PARAM_DURATION:
    return units_duration_range(text, size, &a, &b, &error) || units_delay(text, size, &a, &b, &c, &error);
  case SCENARIO_PARAM_SIZE:
    return units_size_range(text, size, &a, &b, &error);
  case SCENARIO_PARAM_RATE:
    return units_rate(text, size, &a, &error);
  case SCENARIO_PARAM_BANDWIDTH:
    return units_bandwidth(text, size, &a, &error);
  case SCENARIO_PARAM_TEXT:
    return true;
  }
  return false;
}

/* A text that is a quantity stays one of its kind. */
static enum scenario_param_kind kind_of(const char *text) {
  static const enum scenario_param_kind kinds[] = {SCENARIO_PARAM_SHARE, SCENARIO_PARAM_DURATION, SCENARIO_PARAM_SIZE,
                                                   SCENARIO_PARAM_RATE, SCENARIO_PARAM_BANDWIDTH};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (is_of_kind(text, kinds[i])) return kinds[i];
  return SCENARIO_PARAM_TEXT;
}

/* The value at `index` as a text; false: it is none that a parameter can have. */
static bool value_text(lua_State *lua, int index, char *text, size_t size, enum scenario_param_kind *kind) {
  size_t length = 0;
  const char *words = NULL;
  if (lua_isinteger(lua, index)) {
    *kind = SCENARIO_PARAM_NUMBER;
    return snprintf(text, size, "%lld", (long long)lua_tointeger(lua, index)) > 0;
  }
  if (lua_type(lua, index) == LUA_TBOOLEAN) {
    *kind = SCENARIO_PARAM_BOOL;
    return snprintf(text, size, "%s", lua_toboolean(lua, index) ? "true" : "false") > 0;
  }
  if (lua_type(lua, index) == LUA_TSTRING) words = show_text(lua, index, &length);
  if (!words || length >= size || memchr(words, 0, length)) return false;
  memcpy(text, words, length + 1);
  *kind = kind_of(text);
  return true;
}

static void push_value(lua_State *lua, const struct scenario_param *param) {
  lua_Integer number = 0;
  if (param->kind == SCENARIO_PARAM_NUMBER && is_whole_number(param->value, &number))
    lua_pushinteger(lua, number);
  else if (param->kind == SCENARIO_PARAM_BOOL)
    lua_pushboolean(lua, strcmp(param->value, "true") == 0);
  else
    lua_pushstring(lua, param->value);
}

/* --- sim.param ------------------------------------------------------------------------------ */

static struct scenario_param *find(struct scenario_info *info, const char *name) {
  for (uint32_t i = 0; i < info->param_count; i++)
    if (strcmp(info->params[i].name, name) == 0) return &info->params[i];
  return NULL;
}

static void read_about(lua_State *lua, struct scenario_param *param) {
  if (lua_isnoneornil(lua, 3)) return;
  const char *about = word_check(lua, 3, "sim.param");
  if (strlen(about) >= sizeof param->about || strchr(about, '\n'))
    script_raise(lua, "sim.param: what \"%s\" is about is one line of less than %d bytes", param->name,
                 (int)sizeof param->about);
  memcpy(param->about, about, strlen(about) + 1);
}

static void settle_value(lua_State *lua, const struct params *set, struct scenario_param *param) {
  const char *value = set ? params_get(set, param->name) : NULL;
  memcpy(param->value, param->standard, sizeof param->value);
  if (!value) return;
  if (!is_of_kind(value, param->kind))
    script_raise(lua, "the parameter \"%s\" is set to \"%s\": it is %s (%s in the file)", param->name, value,
                 kind_nouns[param->kind], param->standard);
  memset(param->value, 0, sizeof param->value);
  memcpy(param->value, value, strlen(value));
}

int parameters_param(lua_State *lua) {
  struct script *script = script_of(lua);
  struct scenario_param param = {.kind = SCENARIO_PARAM_TEXT};
  if (!script->settings) script_raise(lua, "sim.param is called at the top of the file, not while it runs");
  struct scenario_info *info = &script->settings->info;
  if (lua_gettop(lua) < 2 || lua_gettop(lua) > 3 || lua_type(lua, 1) != LUA_TSTRING) script_raise(lua, LINE);
  const char *name = word_check(lua, 1, "sim.param");
  if (!param_name_is_right(name))
    script_raise(lua, "sim.param: \"%s\" is no name: up to %d letters, digits and _", name, (int)PARAM_NAME_BYTES - 1);
  memcpy(param.name, name, strlen(name) + 1);
  if (!value_text(lua, 2, param.standard, sizeof param.standard, &param.kind)) script_raise(lua, LINE);
  read_about(lua, &param);
  struct scenario_param *known = find(info, name);
  if (known && strcmp(known->standard, param.standard) != 0)
    script_raise(lua, "the parameter \"%s\" is %s here and %s before", name, param.standard, known->standard);
  if (!known) {
    if (info->param_count >= SCENARIO_PARAMS_MAX)
      script_raise(lua, "a scenario has at most %u parameters", SCENARIO_PARAMS_MAX);
    settle_value(lua, script->params, &param);
    known = &info->params[info->param_count++];
    *known = param;
  }
  push_value(lua, known);
  return 1;
}

/* --- Unknown ones ----------------------------------------------------------------------------- */

static const char *nearest_param(const struct scenario_info *info, const char *name) {
  const char *names[SCENARIO_PARAMS_MAX];
  for (uint32_t i = 0; i < info->param_count; i++)
    names[i] = info->params[i].name;
  return nearest_word(name, names, info->param_count);
}

/* "; did you mean ...", or what there is. */
static void tell_known(const struct scenario_info *info, const char *name, char *text, size_t size) {
  const char *near = nearest_param(info, name);
  if (near) {
    (void)snprintf(text, size, "; did you mean \"%s\"?", near);
    return;
  }
  size_t used = (size_t)snprintf(text, size, info->param_count ? "; it has: " : "; it has none (sim.param makes one)");
  for (uint32_t i = 0; i < info->param_count && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", info->params[i].name);
}

bool parameters_unknown(const struct params *set, const struct scenario_info *info, char *text, size_t size) {
  char known[400];
  for (size_t i = 0; set && i < set->count; i++) {
    const char *name = set->items[i].name;
    bool there = false;
    for (uint32_t n = 0; n < info->param_count; n++)
      there = there || strcmp(info->params[n].name, name) == 0;
    if (there) continue;
    tell_known(info, name, known, sizeof known);
    (void)snprintf(text, size, "the scenario has no parameter \"%s\", which is set to \"%s\"%s", name,
                   set->items[i].value, known);
    return true;
  }
  return false;
}

/* --- Variants ----------------------------------------------------------------------------------- */

#define VARIANT_LINE "variants is { [\"three nodes\"] = { nodes = 3 }, ... }: names, and what parameters are in each"

/* The bytewise least name above `last` (NULL: of all) is put into `name`; false: there is none. */
static bool next_name(lua_State *lua, int index, const char *last, char name[SCENARIO_VARIANT_BYTES]) {
  bool found = false;
  for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
    size_t size = 0;
    const char *key = lua_type(lua, -2) == LUA_TSTRING ? show_text(lua, -2, &size) : NULL;
    if (!key || lua_type(lua, -1) != LUA_TTABLE) schema_raise(lua, "", "variants", VARIANT_LINE);
    if (size == 0 || size >= SCENARIO_VARIANT_BYTES || strlen(key) != size || strpbrk(key, "#/\n"))
      schema_raise(lua, "", "variants", "the name of a variant is one line of 1 to %d bytes without # and /",
                   (int)SCENARIO_VARIANT_BYTES - 1);
    if ((last && strcmp(key, last) <= 0) || (found && strcmp(key, name) >= 0)) continue;
    memset(name, 0, SCENARIO_VARIANT_BYTES);
    memcpy(name, key, size);
    found = true;
  }
  return found;
}

/* The parameters of the variant on top of the stack, in the order in which the file asks for them. */
static void read_variant(lua_State *lua, const struct scenario_info *info, const char *variant, struct params *out) {
  enum scenario_param_kind kind;
  char value[PARAM_VALUE_BYTES], known[400];
  int table = lua_gettop(lua);
  list_plain(lua, table);
  out->count = 0;
  for (uint32_t i = 0; i < info->param_count; i++) {
    const struct scenario_param *param = &info->params[i];
    lua_pushstring(lua, param->name);
    if (lua_rawget(lua, table) != LUA_TNIL) {
      if (!value_text(lua, -1, value, sizeof value, &kind) || !is_of_kind(value, param->kind))
        schema_raise(lua, "", "variants", "variants[\"%s\"].%s is not %s", variant, param->name,
                     kind_nouns[param->kind]);
      (void)params_set(out, param->name, value);
    }
    lua_pop(lua, 1);
  }
  const char *unknown = NULL;
  for (lua_pushnil(lua); lua_next(lua, table); lua_pop(lua, 1)) {
    size_t size = 0;
    const char *key = lua_type(lua, -2) == LUA_TSTRING ? show_text(lua, -2, &size) : NULL;
    if (!key) schema_raise(lua, "", "variants", VARIANT_LINE);
    if (!params_get(out, key) && (!unknown || strcmp(key, unknown) < 0)) unknown = key;
  }
  if (!unknown) return;
  tell_known(info, unknown, known, sizeof known);
  schema_raise(lua, "", "variants", "variants[\"%s\"]: the scenario has no parameter \"%s\"%s", variant, unknown,
               known);
}

void parameters_take_variants(lua_State *lua, int index, struct scenario_info *info) {
  struct variants *variants = script_of(lua)->variants;
  char name[SCENARIO_VARIANT_BYTES];
  struct params params;
  index = lua_absindex(lua, index);
  list_plain(lua, index);
  while (next_name(lua, index, info->variant_count ? info->variants[info->variant_count - 1] : NULL, name)) {
    uint32_t at = info->variant_count;
    if (at >= SCENARIO_VARIANTS_MAX)
      schema_raise(lua, "", "variants", "a scenario has at most %u variants", SCENARIO_VARIANTS_MAX);
    memcpy(info->variants[at], name, sizeof name);
    lua_pushstring(lua, name);
    lua_rawget(lua, index);
    read_variant(lua, info, name, variants ? &variants->params[at] : &params);
    lua_pop(lua, 1);
    if (variants) memcpy(variants->names[at], name, sizeof name);
    info->variant_count++;
    if (variants) variants->count = info->variant_count;
  }
}
