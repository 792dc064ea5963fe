#include "lua/api/act.h"

#include <string.h>

#include "lua/api/tell.h"
#include "lua/language/script.h"
#include "lua/language/steps.h"

void script_must_act(lua_State *lua, const char *what) {
  struct script *script = script_of(lua);
  if (script->watching) script_raise(lua, "%s: a property or condition may look, not act", what);
  if (!script->current) script_raise(lua, "%s works inside run = function(world) ... end only", what);
}

uint64_t script_identity(lua_State *lua, const char *what, uint32_t node) {
  struct script *script = script_of(lua);
  uint64_t name = script->current ? script->tasks[script->current - 1].name : 0;
  name = sim_hash_fold(sim_hash_fold(name, sim_hash_bytes(what, strlen(what))), node);
  return sim_hash_fold(name, sim_nth(script->world, name));
}

static void trace_skipped(struct script *script, enum script_step step, uint32_t node) {
  uint64_t fields[] = {step};
  script_trace(script, SCRIPT_STEP_SKIPPED, node, fields, 1);
}

bool script_fault_untold(lua_State *lua, enum script_step step, uint32_t node, const char *what) {
  struct script *script = script_of(lua);
  script_must_act(lua, what);
  /* Always 1 under a seed; an override can leave this one act out. */
  struct sim_tag tag = sim_tag(SIM_CHOICE_SCENARIO, node, script_identity(lua, what, node));
  if (sim_chance(script->world, tag, 1000000)) return true;
  trace_skipped(script, step, node);
  return false;
}

bool script_act_untold(lua_State *lua, enum script_step step, uint32_t node, const char *what) {
  struct script *script = script_of(lua);
  script_must_act(lua, what);
  struct sim_tag tag = sim_tag(SIM_CHOICE_SCENARIO_SKIP, node, script_identity(lua, what, node));
  if (!sim_left_out(script->world, tag)) return true;
  trace_skipped(script, step, node);
  return false;
}

bool script_fault(lua_State *lua, enum script_step step, uint32_t node, const char *what) {
  if (!script_fault_untold(lua, step, node, what)) return false;
  tell_call(lua, what, node, 0);
  return true;
}

bool script_act(lua_State *lua, enum script_step step, uint32_t node, const char *what) {
  if (!script_act_untold(lua, step, node, what)) return false;
  tell_call(lua, what, node, 0);
  return true;
}
