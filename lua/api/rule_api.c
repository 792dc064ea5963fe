#include "lua/api/rule_api.h"

#include <lauxlib.h>

#include "lua/api/act.h"
#include "lua/api/message_words.h"
#include "lua/api/node_object.h"
#include "lua/api/tell.h"
#include "lua/language/objects.h"
#include "lua/language/script.h"
#include "lua/language/steps.h"
#include "lua/language/world.h"
#include "lua/settings/schema.h"

#define COUNT_MAX INT64_C(1000000000)

/* What a script holds of one. */
struct rule {
  uint64_t number; /* of sim_rule_add(); 0: it is removed, or was left out */
  uint32_t told;   /* its name in statements (tell.h) */
};

/* In the order of enum sim_rule_action. */
static const char *const actions[] = {"drop", "delay", "duplicate", "hold"};

struct options {
  uint32_t kind;
  uint64_t count, delay_ns, after_ns;
};
#define OPTIONS struct options
static const struct schema_field fields[] = {
    {"from", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL},
    {"to", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL},
    {"kind", SCHEMA_WORD, SCHEMA_AT(OPTIONS, kind), 0, 0, 0, 0, message_words},
    {"drop", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL},
    {"delay", SCHEMA_DURATION, SCHEMA_AT(OPTIONS, delay_ns), 0, 0, 1, 0, NULL},
    {"count", SCHEMA_COUNT, SCHEMA_AT(OPTIONS, count), 0, 0, 1, COUNT_MAX, NULL},
    {"duplicate", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL},
    {"after", SCHEMA_DURATION, SCHEMA_AT(OPTIONS, after_ns), 0, 0, 0, 0, NULL},
    {"hold", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL},
};

static bool push_option(lua_State *lua, const char *key) {
  lua_pushstring(lua, key);
  if (lua_rawget(lua, 2) != LUA_TNIL) return true;
  lua_pop(lua, 1);
  return false;
}

static uint32_t end_of(lua_State *lua, const char *key) {
  if (!push_option(lua, key)) return 0;
  uint32_t node = node_check(lua, -1);
  lua_pop(lua, 1);
  return node;
}

/* drop = 3, or drop = true for all. */
static uint64_t count_of(lua_State *lua, const char *key) {
  if (lua_isboolean(lua, -1) && lua_toboolean(lua, -1)) return 0;
  if (!lua_isinteger(lua, -1) || lua_tointeger(lua, -1) < 1 || lua_tointeger(lua, -1) > COUNT_MAX)
    script_raise(lua, "world:rule: %s is a number of messages, or true for all", key);
  return (uint64_t)lua_tointeger(lua, -1);
}

static void read_action(lua_State *lua, const struct options *options, struct sim_rule *rule) {
  bool found = false;
  for (uint32_t i = 0; i < sizeof actions / sizeof *actions; i++) {
    if (!push_option(lua, actions[i])) continue;
    if (found) script_raise(lua, "world:rule does one thing: drop, delay, duplicate or hold");
    found = true;
    rule->action = (enum sim_rule_action)(i + 1u);
    rule->count = rule->action == SIM_RULE_DELAY ? options->count : count_of(lua, actions[i]);
    lua_pop(lua, 1);
  }
  if (!found) script_raise(lua, "world:rule does one thing: drop = 3, delay = \"2s\", duplicate = 3 or hold = 3");
  if (options->count && rule->action != SIM_RULE_DELAY)
    script_raise(lua, "world:rule: count goes with delay; write %s = %d instead", actions[rule->action - 1],
                 (int)options->count);
  if (options->after_ns && rule->action != SIM_RULE_DUPLICATE)
    script_raise(lua, "world:rule: after goes with duplicate");
  rule->delay_ns = rule->action == SIM_RULE_DELAY ? options->delay_ns : options->after_ns;
}

int rule_add(lua_State *lua) {
  struct script *script = script_of(lua);
  struct options options = {0, 0, 0, 0};
  (void)world_check(lua);
  schema_read(lua, 2, fields, sizeof fields / sizeof *fields, &options, "world:rule", NULL);
  struct sim_rule rule = {.from = end_of(lua, "from"), .to = end_of(lua, "to"), .kind = options.kind};
  read_action(lua, &options, &rule);
  bool acts = script_fault_untold(lua, SCRIPT_STEP_RULE, 0, "world:rule");
  const uint32_t told = ++script->handles;
  if (acts) tell_call(lua, "world:rule", 0, told);
  struct rule *made = lua_newuserdatauv(lua, sizeof *made, 0);
  *made = (struct rule){0, told};
  luaL_setmetatable(lua, RULE_TYPE);
  if (!acts) return 1;
  uint64_t steps[] = {rule.from, rule.to, rule.kind, (uint64_t)rule.action, rule.count};
  script_trace(script, SCRIPT_STEP_RULE, 0, steps, 5);
  made->number = sim_rule_add(script->world, &rule);
  return 1;
}

static int rule_remove(lua_State *lua) {
  struct rule *rule = object_check(lua, 1, RULE_TYPE, "rule");
  struct script *script = script_of(lua);
  if (!script_act_untold(lua, SCRIPT_STEP_RULE_END, 0, "rule:remove")) return 0;
  tell(script, "cut%u:remove()", rule->told);
  if (rule->number == 0) return 0;
  script_trace(script, SCRIPT_STEP_RULE_END, 0, NULL, 0);
  sim_rule_remove(script->world, rule->number);
  rule->number = 0;
  return 0;
}

void rule_open(lua_State *lua) {
  static const struct script_method methods[] = {{"remove", rule_remove}, {NULL, NULL}};
  object_type(lua, RULE_TYPE, "rule", methods);
}
