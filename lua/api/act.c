#include "lua/api/act.h"

#include "lua/language/script.h"
#include "lua/language/steps.h"

void script_must_act(lua_State *lua, const char *what) {
  struct script *script = script_of(lua);
  if (script->watching) script_raise(lua, "%s: a property or condition may look, not act", what);
  if (!script->current) script_raise(lua, "%s works inside run = function(world) ... end only", what);
}

uint64_t script_identity(lua_State *lua) {
  struct script *script = script_of(lua);
  struct script_task *task = &script->tasks[script->current - 1];
  return (uint64_t)task->number << 32 | ++task->count;
}

bool script_fault(lua_State *lua, enum script_step step, uint32_t node, const char *what) {
  struct script *script = script_of(lua);
  script_must_act(lua, what);
  /* Always 1 under a seed; an override can leave this one act out. */
  struct sim_tag tag = sim_tag(SIM_CHOICE_SCENARIO, node, script_identity(lua));
  if (sim_chance(script->world, tag, 1000000)) return true;
  uint64_t fields[] = {step};
  script_trace(script, SCRIPT_STEP_SKIPPED, node, fields, 1);
  return false;
}
