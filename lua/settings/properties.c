#include "lua/settings/properties.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "lua/language/argument.h"
#include "lua/language/list.h"
#include "lua/language/objects.h"
#include "lua/language/script.h"
#include "lua/language/show.h"
#include "lua/language/steps.h"
#include "lua/language/word.h"
#include "lua/language/world.h"
#include "lua/settings/schema.h"
#include "lua/settings/settings.h"
#include "lua/text/info.h"
#include "lua/text/source.h"
#include "lua/text/units.h"

#define STEPS_OF_ONE_MAX 12u
#define TEXT_BYTES 640u

struct property_object {
  enum script_property_kind kind;
  char name[SCENARIO_NAME_BYTES];
  uint64_t within_ns;
  uint32_t steps;
  char step_names[STEPS_OF_ONE_MAX][sizeof(((struct scenario_step *)0)->name)];
};

/* A name at the top of the stack into `name`. */
static void read_name(lua_State *lua, int index, const char *what, char *name, size_t room) {
  const char *text = word_check(lua, index, what);
  size_t size = strlen(text);
  if (!size || size >= room || memchr(text, '\n', size))
    script_raise(lua, "%s is one line of 1 to %d bytes", what, (int)room - 1);
  memcpy(name, text, size + 1);
}

/* sim.KIND(name, [within,] function): the object holds the function, or the list of those of its steps, as its
 * user value, which is on top. */
static int push_property(lua_State *lua, const struct property_object *property) {
  struct property_object *object = lua_newuserdatauv(lua, sizeof *object, 1);
  *object = *property;
  lua_pushvalue(lua, -2);
  lua_setiuservalue(lua, -2, 1);
  luaL_setmetatable(lua, PROPERTY_TYPE);
  return 1;
}

/* A property that needs nothing of its file but `sim` is told as it is written, for whoever records the run; its line
 * ends as '\r'. */
static void tell_property(lua_State *lua, int function, const char *name) {
  static const char head[] = "property ";
  struct script *script = script_of(lua);
  lua_Debug debug;
  size_t begin = 0;
  char text[960];
  if (!script->text || !sim_trace_recording(script->world)) return;
  for (int i = 1;; i++) {
    const char *upvalue = lua_getupvalue(lua, function, i);
    if (!upvalue) break;
    lua_pop(lua, 1);
    if (strcmp(upvalue, "_ENV") != 0 && strcmp(upvalue, "sim") != 0) return;
  }
  lua_pushvalue(lua, function);
  if (!lua_getinfo(lua, ">S", &debug) || strcmp(debug.source, "=" SCRIPT_CHUNK) != 0) return;
  size_t size = source_call(script->text, script->text_size, debug.linedefined, "sim", name, &begin);
  if (!size || size + sizeof head > sizeof text) return;
  memcpy(text, head, sizeof head);
  memcpy(text + sizeof head - 1, script->text + begin, size);
  text[sizeof head - 1 + size] = '\0';
  for (char *at = text; *at; at++)
    if (*at == '\n') *at = '\r';
  sim_trace_statement(script->world, SIM_STATEMENT_OF_OPTIONS, text);
}

static int make(lua_State *lua, enum script_property_kind kind, const char *call) {
  int function = kind == SCRIPT_EVENTUALLY ? 3 : 2;
  if (lua_gettop(lua) != function || lua_type(lua, 1) != LUA_TSTRING || lua_type(lua, function) != LUA_TFUNCTION)
    script_raise(lua, "write %s", call);
  struct property_object property = {.kind = kind};
  read_name(lua, 1, "the name of a property", property.name, sizeof property.name);
  if (kind == SCRIPT_EVENTUALLY) property.within_ns = script_duration(lua, 2);
  tell_property(lua, function,
                kind == SCRIPT_ALWAYS       ? "always"
                : kind == SCRIPT_NEVER      ? "never"
                : kind == SCRIPT_EVENTUALLY ? "eventually"
                                            : "sometimes");
  return push_property(lua, &property);
}

/* { { "it is cut off", function }, ... } at 2: leaves the list of the functions on top. */
static void read_steps(lua_State *lua, struct property_object *property) {
  lua_Integer count = list_length(lua, 2);
  if (count < 1 || count > (lua_Integer)STEPS_OF_ONE_MAX)
    script_raise(lua, "sim.sometimes has 1 to %u steps", STEPS_OF_ONE_MAX);
  property->steps = (uint32_t)count;
  lua_createtable(lua, (int)count, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    bool good = lua_rawgeti(lua, 2, i) == LUA_TTABLE && lua_rawgeti(lua, -1, 1) == LUA_TSTRING &&
                lua_rawgeti(lua, -2, 2) == LUA_TFUNCTION;
    if (!good)
      script_raise(lua, "step %d of sim.sometimes: write { \"what is seen\", function(world) ... end }", (int)i);
    read_name(lua, -2, "the name of a step", property->step_names[i - 1], sizeof property->step_names[0]);
    lua_rawseti(lua, -4, i);
    lua_pop(lua, 2);
  }
}

int property_always(lua_State *lua) {
  return make(lua, SCRIPT_ALWAYS, "sim.always(\"name\", function(world) ... return true or false end)");
}
int property_never(lua_State *lua) {
  return make(lua, SCRIPT_NEVER, "sim.never(\"name\", function(world) ... return true or false end)");
}
int property_sometimes(lua_State *lua) {
  static const char call[] = "sim.sometimes(\"name\", function(world) ... return true or false end), or a list of "
                             "steps { \"what is seen\", function } in the place of the function";
  struct property_object property = {.kind = SCRIPT_SOMETIMES};
  if (lua_gettop(lua) != 2 || lua_type(lua, 1) != LUA_TSTRING || lua_type(lua, 2) != LUA_TTABLE)
    return make(lua, SCRIPT_SOMETIMES, call);
  read_name(lua, 1, "the name of a property", property.name, sizeof property.name);
  read_steps(lua, &property);
  return push_property(lua, &property);
}
int property_eventually(lua_State *lua) {
  return make(lua, SCRIPT_EVENTUALLY,
              "sim.eventually(\"name\", \"30s\", function(world) ... return true or false end)");
}

static void take_steps(lua_State *lua, const struct property_object *object, uint32_t sometimes) {
  struct scenario_info *info = &script_of(lua)->settings->info;
  for (uint32_t i = 0; i < object->steps; i++) {
    if (info->step_count >= SCENARIO_STEPS_MAX)
      schema_raise(lua, "", "properties", "the properties of a scenario have at most %u steps", SCENARIO_STEPS_MAX);
    struct scenario_step *step = &info->steps[info->step_count++];
    memcpy(step->name, object->step_names[i], sizeof step->name);
    step->sometimes = sometimes;
    step->place = i;
  }
}

void properties_take(lua_State *lua, int index) {
  struct script *script = script_of(lua);
  lua_Integer count = list_length(lua, index);
  uint32_t sometimes = 0;
  if (count > (lua_Integer)SCRIPT_PROPERTIES_MAX)
    schema_raise(lua, "", "properties", "a scenario has at most %u properties", SCRIPT_PROPERTIES_MAX);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(lua, index, i);
    const struct property_object *object = luaL_testudata(lua, -1, PROPERTY_TYPE);
    if (!object)
      schema_raise(lua, "", "properties",
                   "properties[%d] is a %s: write sim.always, sim.never, sim.sometimes or sim.eventually", (int)i,
                   luaL_typename(lua, -1));
    if (object->kind == SCRIPT_SOMETIMES && ++sometimes > SCENARIO_SOMETIMES_MAX)
      schema_raise(lua, "", "properties", "a scenario has at most %u sim.sometimes", SCENARIO_SOMETIMES_MAX);
    struct script_property *property = &script->properties[script->property_count++];
    property->kind = object->kind;
    property->within_ns = object->within_ns;
    property->steps = object->steps;
    memcpy(property->name, object->name, sizeof property->name);
    if (object->steps) take_steps(lua, object, sometimes - 1u);
    lua_getiuservalue(lua, -1, 1);
    property->function = luaL_ref(lua, LUA_REGISTRYINDEX);
    lua_pop(lua, 1);
  }
}

/* Pushes what is to be asked: the function, or that of the next step. */
static void push_function(lua_State *lua, const struct script_property *property) {
  lua_rawgeti(lua, LUA_REGISTRYINDEX, property->function);
  if (!property->steps) return;
  lua_rawgeti(lua, -1, (lua_Integer)property->reached + 1);
  lua_remove(lua, -2);
}

/* Its first result must be true or false; `what` names the type that it is instead. */
static void wrong_result(struct script *script, const struct script_property *property, const char *what,
                         const char *right) {
  lua_State *lua = script->lua;
  lua_Debug debug;
  push_function(lua, property);
  bool known = lua_getinfo(lua, ">S", &debug) && debug.source[0] == '=' && debug.linedefined > 0;
  lua_pushfstring(lua, "%s:%d: the property \"%s\" returned a %s: return %s", known ? debug.source + 1 : SCRIPT_CHUNK,
                  known ? debug.linedefined : 1, property->name, what, right);
  script_failed(script, lua, LUA_ERRRUN);
  lua_pop(lua, 1);
}

/* 1, 0, or -1: the script is wrong. `text` gets what it says beside that, behind ": ". */
static int evaluate(struct script *script, const struct script_property *property, char *text) {
  lua_State *lua = script->lua;
  text[0] = '\0';
  push_function(lua, property);
  world_push(lua);
  script->watching = true;
  script_slice(script);
  bool good = script_call(script, 1, 2);
  script->watching = false;
  if (!good) return -1;
  int type = lua_type(lua, -2), outcome = lua_toboolean(lua, -2), second = lua_type(lua, -1);
  if (second == LUA_TSTRING) {
    size_t size;
    const char *said = show_text(lua, -1, &size);
    (void)snprintf(text, TEXT_BYTES, ": %s", said);
  }
  lua_pop(lua, 2);
  if (type == LUA_TBOOLEAN && (second == LUA_TSTRING || second == LUA_TNIL)) return outcome;
  if (type == LUA_TBOOLEAN)
    wrong_result(script, property, lua_typename(lua, second), "true or false, and perhaps a text");
  else
    wrong_result(script, property, lua_typename(lua, type), "true or false");
  return -1;
}

static void check_eventually(struct script *script, struct script_property *property, bool held, bool final,
                             const char *text) {
  uint64_t now = sim_now(script->world), end = script->settle_start_ns + property->within_ns;
  property->satisfied = held;
  if (held || (now < end && !final)) return;
  char within[32], at[32];
  units_format_duration(property->within_ns, within, sizeof within);
  units_format_duration(now, at, sizeof at);
  sim_violation(script->world, property->name, 0, NULL,
                "did not become true within %s after faults stopped (looked "
                "until %s)%s",
                within, at, text);
}

static void trace_check(struct script *script, const struct script_property *property, uint64_t outcome) {
  uint64_t fields[] = {(uint64_t)(property - script->properties), outcome};
  script_trace(script, SCRIPT_STEP_CHECK, 0, fields, 2);
}

/* An always, or a never. */
static void check_bound(struct script *script, const struct script_property *property, bool broken, const char *text) {
  char at[32];
  if (!broken) return;
  units_format_duration(sim_now(script->world), at, sizeof at);
  sim_violation(script->world, property->name, 0, NULL, "was %s at %s%s",
                property->kind == SCRIPT_ALWAYS ? "false" : "true", at, text);
}

/* One step after the other, as many as are true now. */
static void check_steps(struct script *script, struct script_property *property) {
  char text[TEXT_BYTES];
  while (property->reached < property->steps) {
    if (evaluate(script, property, text) <= 0) return;
    property->reached++;
    property->satisfied = property->reached == property->steps;
    trace_check(script, property, property->satisfied ? 1u : 1u + property->reached);
  }
}

static void check(struct script *script, struct script_property *property, bool final) {
  char text[TEXT_BYTES];
  bool bound = property->kind == SCRIPT_ALWAYS || property->kind == SCRIPT_NEVER;
  if (!bound && property->satisfied) return;
  if (property->kind == SCRIPT_EVENTUALLY && script->phase == SCRIPT_RUNS) return;
  if (property->steps) {
    check_steps(script, property);
    return;
  }
  int outcome = evaluate(script, property, text);
  if (outcome < 0) return;
  if (bound) {
    check_bound(script, property, property->kind == SCRIPT_ALWAYS ? !outcome : outcome, text);
    return;
  }
  if (property->kind == SCRIPT_SOMETIMES)
    property->satisfied = outcome;
  else
    check_eventually(script, property, outcome, final, text);
  if (outcome) trace_check(script, property, 1);
}

void properties_check(struct script *script, bool final) {
  for (uint32_t i = 0; i < script->property_count; i++) {
    if (script->wrong || sim_violation_get(script->world)->found) return;
    check(script, &script->properties[i], final);
  }
}

bool properties_pending(const struct script *script, uint64_t *until_ns) {
  *until_ns = 0;
  for (uint32_t i = 0; i < script->property_count; i++) {
    const struct script_property *property = &script->properties[i];
    if (property->kind != SCRIPT_EVENTUALLY || property->satisfied) continue;
    if (script->settle_start_ns + property->within_ns > *until_ns)
      *until_ns = script->settle_start_ns + property->within_ns;
  }
  return *until_ns != 0;
}
