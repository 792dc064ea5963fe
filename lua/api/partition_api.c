#include "lua/api/partition_api.h"

#include "cluster/lookup.h"
#include "lua/api/act.h"
#include "lua/api/network_api.h"
#include "lua/api/node_object.h"
#include "lua/language/script.h"
#include "lua/language/world.h"

static uint32_t shuffled(lua_State *lua, uint32_t nodes[SCRIPT_GROUP_MAX], uint32_t least, const char *what) {
  (void)world_check(lua);
  script_must_act(lua, what);
  uint32_t count = cluster_nodes(script_of(lua)->cluster);
  if (count < least) script_raise(lua, "%s needs %u nodes at least", what, least);
  return network_shuffle(lua, nodes);
}

/* All links between nodes[0 .. middle - 1] and nodes[middle .. end - 1]. */
static void split(struct link_set *links, const uint32_t *nodes, uint32_t middle, uint32_t end) {
  links->count = 0;
  for (uint32_t i = 0; i < middle; i++)
    for (uint32_t j = middle; j < end; j++)
      link_set_add_both(links, nodes[i], nodes[j]);
}

static int cut_halves(lua_State *lua, const uint32_t *nodes, uint32_t count, const char *what) {
  struct link_set links;
  split(&links, nodes, count / 2u, count);
  return network_cut_links(lua, &links, what);
}

/* nodes[count - 1] talks to both halves of the others. */
static int cut_bridge(lua_State *lua, const uint32_t *nodes, uint32_t count, const char *what) {
  struct link_set links;
  split(&links, nodes, (count - 1u) / 2u, count - 1u);
  return network_cut_links(lua, &links, what);
}

/* Each node talks to its nearest neighbours in a ring, on both sides, so many
 * that it sees a majority; no two nodes see the same one. */
static int cut_ring(lua_State *lua, const uint32_t *nodes, uint32_t count, const char *what) {
  struct link_set links = {.count = 0};
  uint32_t reach = (count / 2u + 1u) / 2u;
  for (uint32_t i = 0; i < count; i++)
    for (uint32_t j = i + 1u; j < count; j++) {
      uint32_t distance = j - i < count - (j - i) ? j - i : count - (j - i);
      if (distance > reach) link_set_add_both(&links, nodes[i], nodes[j]);
    }
  return network_cut_links(lua, &links, what);
}

static int cut_one_way(lua_State *lua, const uint32_t *nodes, const char *what) {
  struct link_set links = {.count = 0};
  link_set_add(&links, nodes[0], nodes[1]);
  return network_cut_links(lua, &links, what);
}

static int flap_halves(lua_State *lua, const uint32_t *nodes, uint32_t count, const char *what) {
  static const struct sim_flap_config config = {50 * SIM_MS, SIM_SECOND, 50 * SIM_MS, SIM_SECOND};
  struct link_set links;
  split(&links, nodes, count / 2u, count);
  return network_flap_links(lua, &links, &config, what);
}

int partition_halves(lua_State *lua) {
  uint32_t nodes[SCRIPT_GROUP_MAX], count = shuffled(lua, nodes, 2, "world:partition_halves");
  return cut_halves(lua, nodes, count, "world:partition_halves");
}

int partition_bridge(lua_State *lua) {
  bool given = !lua_isnoneornil(lua, 2);
  uint32_t bridge = given ? node_check(lua, 2) : 0;
  uint32_t nodes[SCRIPT_GROUP_MAX], count = shuffled(lua, nodes, 3, "world:partition_bridge");
  for (uint32_t i = 0; given && i < count; i++) {
    if (nodes[i] != bridge) continue;
    nodes[i] = nodes[count - 1u];
    nodes[count - 1u] = bridge;
  }
  return cut_bridge(lua, nodes, count, "world:partition_bridge");
}

int partition_ring(lua_State *lua) {
  uint32_t nodes[SCRIPT_GROUP_MAX], count = shuffled(lua, nodes, 4, "world:partition_ring");
  return cut_ring(lua, nodes, count, "world:partition_ring");
}

/* The smallest first: outcome 0 is the calm one. */
enum shape { SHAPE_ONE_WAY, SHAPE_ISOLATED, SHAPE_HALVES, SHAPE_FLAPPING, SHAPE_BRIDGE, SHAPE_RING };

int partition_random(lua_State *lua) {
  static const char what[] = "world:partition_random";
  uint32_t nodes[SCRIPT_GROUP_MAX], count = shuffled(lua, nodes, 2, what);
  struct link_set links;
  uint64_t shapes = count >= 4 ? 6 : count == 3 ? 5 : 4;
  struct sim_tag tag = sim_tag(SIM_CHOICE_SCENARIO, 0, script_identity(lua, "partition shape", 0));
  switch ((enum shape)sim_pick(script_of(lua)->world, tag, shapes)) {
  case SHAPE_ONE_WAY:
    return cut_one_way(lua, nodes, what);
  case SHAPE_ISOLATED:
    split(&links, nodes, 1, count);
    return network_cut_links(lua, &links, what);
  case SHAPE_HALVES:
    return cut_halves(lua, nodes, count, what);
  case SHAPE_FLAPPING:
    return flap_halves(lua, nodes, count, what);
  case SHAPE_BRIDGE:
    return cut_bridge(lua, nodes, count, what);
  case SHAPE_RING:
    break;
  }
  return cut_ring(lua, nodes, count, what);
}
