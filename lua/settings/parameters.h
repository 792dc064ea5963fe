/* Parameters of a scenario: sim.param("nodes", 5), and variants = { ["three nodes"] = { nodes = 3 } }. */
#ifndef LUA_SETTINGS_PARAMETERS_H
#define LUA_SETTINGS_PARAMETERS_H

#include <lua.h>

#include "lua/text/info.h"
#include "lua/text/params.h"

/* The variants of a file, in the order of their names. */
struct variants {
  uint32_t count;
  char names[SCENARIO_VARIANTS_MAX][SCENARIO_VARIANT_BYTES];
  struct params params[SCENARIO_VARIANTS_MAX];
};

/* sim.param(name, standard [, about]): what is set, or the standard. */
int parameters_param(lua_State *lua);
/* Takes `variants` from the table at `index`, and names them in *info. */
void parameters_take_variants(lua_State *lua, int index, struct scenario_info *info);
/* The first that is set and that the file does not ask for, in words; false: there is none. */
bool parameters_unknown(const struct params *set, const struct scenario_info *info, char *text, size_t size);

#endif
