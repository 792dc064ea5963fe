/* choices = { ["net_loss n2>n3 9c"] = 1 }: what chance decides, said by a scenario. */
#ifndef LUA_SETTINGS_CHOICES_SETTINGS_H
#define LUA_SETTINGS_CHOICES_SETTINGS_H

#include "lua/settings/settings.h"

/* The table at `index`. Raises an error. */
void settings_read_choices(lua_State *lua, int index, struct settings *settings);
/* The same as a table of outcomes; what it lacks is calm, but for acts of the script, which are done. NULL: no
 * memory. */
struct sim_choice_table *settings_choices(const struct settings *settings);

#endif
