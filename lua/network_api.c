/* Links and partitions as a script sees them. */
#include <string.h>

#include "lua/settings.h"

struct group {
  uint32_t count;
  uint32_t nodes[SCRIPT_GROUP_MAX];
};

/* What a cut cut: directed links; heals once. */
struct cut {
  uint64_t generation; /* heal_all in between leaves nothing to heal */
  uint32_t count;      /* 0: healed */
  struct {
    uint32_t from, to;
  } links[]; /* the greatest cut: 32 x 32 x 2 */
};

static struct script *world_check(lua_State *lua) {
  (void)object_check(lua, 1, WORLD_TYPE, "world");
  return script_of(lua);
}

/* A list of nodes, or one node. */
static void group_check(lua_State *lua, int index, struct group *group) {
  group->count = 0;
  if (!lua_istable(lua, index)) {
    group->nodes[group->count++] = node_check(lua, index);
    return;
  }
  lua_Integer count = tables_length(lua, index);
  if (count < 1 || count > (lua_Integer)SCRIPT_GROUP_MAX)
    script_raise(lua, "a group has 1 to %u nodes", SCRIPT_GROUP_MAX);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(lua, index, i);
    group->nodes[group->count++] = node_check(lua, -1);
    lua_pop(lua, 1);
  }
}

static void refuse_overlap(lua_State *lua, const struct group *a, const struct group *b) {
  for (uint32_t i = 0; i < a->count; i++)
    for (uint32_t j = 0; j < b->count; j++)
      if (a->nodes[i] == b->nodes[j]) script_raise(lua, "node %u is in both groups", a->nodes[i]);
}

static void trace_link(struct script *script, enum script_step step, uint32_t from, uint32_t to) {
  uint64_t fields[] = {from, to};
  script_trace(script, step, 0, fields, 2);
}

/* Cuts every link from a to b, and back when `both`; pushes the cut. */
static int make_cut(lua_State *lua, const struct group *a, const struct group *b, bool both, const char *what) {
  struct script *script = script_of(lua);
  refuse_overlap(lua, a, b);
  bool cuts = script_fault(lua, SCRIPT_STEP_CUT, 0, what);
  size_t most = (size_t)a->count * b->count * (both ? 2u : 1u);
  struct cut *cut = lua_newuserdatauv(lua, sizeof *cut + most * sizeof *cut->links, 0);
  cut->generation = script->heal_generation;
  cut->count = 0;
  luaL_setmetatable(lua, CUT_TYPE);
  if (!cuts) return 1;
  for (uint32_t i = 0; i < a->count; i++)
    for (uint32_t j = 0; j < b->count; j++)
      for (uint32_t back = 0; back <= (uint32_t)both; back++) {
        uint32_t from = back ? b->nodes[j] : a->nodes[i], to = back ? a->nodes[i] : b->nodes[j];
        cut->links[cut->count].from = from;
        cut->links[cut->count].to = to;
        cut->count++;
        trace_link(script, SCRIPT_STEP_CUT, from, to);
        sim_link_cut(script->world, from, to);
      }
  return 1;
}

int network_partition(lua_State *lua) {
  struct group a, b;
  (void)world_check(lua);
  if (lua_gettop(lua) != 3) script_raise(lua, "write world:partition({ 1 }, { 2, 3 })");
  group_check(lua, 2, &a);
  group_check(lua, 3, &b);
  return make_cut(lua, &a, &b, true, "world:partition");
}

int network_partition_one_way(lua_State *lua) {
  struct group a, b;
  (void)world_check(lua);
  if (lua_gettop(lua) != 3) script_raise(lua, "write world:partition_one_way({ 1 }, { 2, 3 }): nothing arrives from 1");
  group_check(lua, 2, &a);
  group_check(lua, 3, &b);
  return make_cut(lua, &a, &b, false, "world:partition_one_way");
}

int network_isolate(lua_State *lua) {
  struct script *script = world_check(lua);
  struct group one = {.count = 1}, rest = {.count = 0};
  one.nodes[0] = node_check(lua, 2);
  for (uint32_t i = 1; i <= cluster_nodes(script->cluster); i++)
    if (i != one.nodes[0]) rest.nodes[rest.count++] = i;
  return make_cut(lua, &one, &rest, true, "world:isolate");
}

static int cut_heal(lua_State *lua) {
  struct cut *cut = object_check(lua, 1, CUT_TYPE, "cut");
  struct script *script = script_of(lua);
  script_must_act(lua, "cut:heal");
  bool stale = cut->generation != script->heal_generation;
  for (uint32_t i = 0; i < cut->count && !stale; i++) {
    trace_link(script, SCRIPT_STEP_HEAL, cut->links[i].from, cut->links[i].to);
    sim_link_heal(script->world, cut->links[i].from, cut->links[i].to);
  }
  cut->count = 0;
  return 0;
}

int network_heal_all(lua_State *lua) {
  struct script *script = world_check(lua);
  script_must_act(lua, "world:heal_all");
  script->heal_generation++;
  trace_link(script, SCRIPT_STEP_HEAL, 0, 0);
  sim_link_heal_all(script->world);
  return 0;
}

/* Upvalues: from, to. Called with the options. */
static int link_configure(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t from = (uint32_t)lua_tointeger(lua, lua_upvalueindex(1));
  uint32_t to = (uint32_t)lua_tointeger(lua, lua_upvalueindex(2));
  struct sim_link_config link = script->link;
  settings_read_network(lua, 1, &link, NULL);
  if (!script_fault(lua, SCRIPT_STEP_LINK, 0, "world:link")) return 0;
  trace_link(script, SCRIPT_STEP_LINK, from, to);
  sim_link_set(script->world, from, to, &link);
  return 0;
}

int network_link(lua_State *lua) {
  (void)world_check(lua);
  uint32_t from = node_check(lua, 2), to = node_check(lua, 3);
  if (from == to) script_raise(lua, "world:link: a node has no link to itself");
  lua_pushinteger(lua, from);
  lua_pushinteger(lua, to);
  lua_pushcclosure(lua, link_configure, 2);
  return 1;
}

void network_open(lua_State *lua) {
  static const struct script_method methods[] = {{"heal", cut_heal}, {NULL, NULL}};
  object_type(lua, CUT_TYPE, "cut", methods);
}
