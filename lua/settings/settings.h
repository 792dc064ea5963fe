/* What a scenario's options say, as the world and the cluster take it. */
#ifndef LUA_SETTINGS_SETTINGS_H
#define LUA_SETTINGS_SETTINGS_H

#include <lua.h>

#include <stdbool.h>

#include "cluster/config.h"
#include "lua/text/info.h"
#include "sim/sim.h"

#define SETTINGS_CHOICES_MAX 256u
struct settings_choice {
  struct sim_tag tag;
  uint64_t outcome;
};

struct settings {
  bool complete; /* sim.scenario was called */
  struct scenario_info info;
  struct sim_link_config link;
  struct sim_disk_config disk;
  bool shuffle, swarm, vary;
  bool fixed; /* chance decides nothing: `choices` says what, and all else is calm */
  uint32_t choice_count;
  struct settings_choice choices[SETTINGS_CHOICES_MAX];
  bool swarm_all;      /* faults = "swarm" */
  bool plain_workload; /* this seed of a swarm has no variety of keys and values */
  struct cluster_config cluster;
  bool has_node_options;
  struct cluster_node_options node_options[64]; /* by number - 1 */
};

/* sim.scenario{...} and sim.kv{...} */
int settings_scenario(lua_State *lua);
int settings_kv(lua_State *lua);
/* Disk options onto *disk. */
void settings_read_disk(lua_State *lua, int index, struct sim_disk_config *disk, const char *path);
/* The fault of this name, or an error that names the nearest. */
enum sim_fault settings_fault(lua_State *lua, const char *name, const char *path, const char *key);
/* Turns off the faults that this seed leaves out; each is one choice. */
void settings_swarm(struct sim_world *world, struct settings *settings);

#endif
