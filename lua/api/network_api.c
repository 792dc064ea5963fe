#include "lua/api/network_api.h"

#include <lauxlib.h>
#include <string.h>

#include "cluster/lookup.h"
#include "lua/api/act.h"
#include "lua/api/node_object.h"
#include "lua/api/tell.h"
#include "lua/language/argument.h"
#include "lua/language/list.h"
#include "lua/language/objects.h"
#include "lua/language/script.h"
#include "lua/language/steps.h"
#include "lua/language/world.h"
#include "lua/settings/link_settings.h"

struct group {
  uint32_t count;
  uint32_t nodes[SCRIPT_GROUP_MAX];
};

enum handle_kind { HANDLE_CUT, HANDLE_FLAP, HANDLE_CLOG };

/* What a cut, flap or clog did, so that it can be undone; once. */
struct cut {
  enum handle_kind kind;
  uint64_t generation;    /* heal_all in between leaves nothing to heal */
  uint64_t number;        /* of the flap; of the first clog: those of a handle follow one another */
  uint32_t count;         /* 0: healed */
  uint32_t handle, parts; /* its name in statements (tell.h) */
  struct sim_link_name links[];
};

/* A list of nodes, or one node. */
static void group_check(lua_State *lua, int index, struct group *group) {
  group->count = 0;
  if (!lua_istable(lua, index)) {
    group->nodes[group->count++] = node_check(lua, index);
    return;
  }
  lua_Integer count = list_length(lua, index);
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

/* Every link from a to b, and back when `both`. */
static void links_between(lua_State *lua, const struct group *a, const struct group *b, bool both,
                          struct link_set *links) {
  refuse_overlap(lua, a, b);
  links->count = 0;
  for (uint32_t i = 0; i < a->count; i++)
    for (uint32_t j = 0; j < b->count; j++) {
      if ((links->count + 2u) > SCRIPT_LINKS_MAX) script_raise(lua, "a node is named twice in a group");
      link_set_add(links, a->nodes[i], b->nodes[j]);
      if (both) link_set_add(links, b->nodes[j], a->nodes[i]);
    }
}

/* Pushes a handle that has nothing to heal yet. */
static struct cut *push_handle(lua_State *lua, enum handle_kind kind, uint32_t most) {
  struct cut *cut = lua_newuserdatauv(lua, sizeof *cut + most * sizeof *cut->links, 0);
  cut->kind = kind;
  cut->generation = script_of(lua)->heal_generation;
  cut->number = 0;
  cut->count = 0;
  cut->handle = ++script_of(lua)->handles;
  cut->parts = 0;
  luaL_setmetatable(lua, CUT_TYPE);
  return cut;
}

int network_cut_links(lua_State *lua, const struct link_set *links, const char *what) {
  struct script *script = script_of(lua);
  bool cuts = script_fault_untold(lua, SCRIPT_STEP_CUT, 0, what);
  struct cut *cut = push_handle(lua, HANDLE_CUT, links->count);
  if (cuts) cut->parts = tell_cut(script, links, cut->handle);
  for (uint32_t i = 0; cuts && i < links->count; i++) {
    cut->links[cut->count++] = links->names[i];
    trace_link(script, SCRIPT_STEP_CUT, links->names[i].from, links->names[i].to);
    sim_link_cut(script->world, links->names[i].from, links->names[i].to);
  }
  return 1;
}

int network_flap_links(lua_State *lua, const struct link_set *links, const struct sim_flap_config *config,
                       const char *what) {
  struct script *script = script_of(lua);
  bool flaps = script_fault_untold(lua, SCRIPT_STEP_FLAP, 0, what);
  struct cut *cut = push_handle(lua, HANDLE_FLAP, 1);
  if (!flaps) return 1;
  tell_flap(script, links, config, cut->handle);
  cut->number = sim_flap_begin(script->world, config, links->names, links->count);
  cut->count = 1;
  cut->links[0] = (struct sim_link_name){0, 0};
  uint64_t fields[] = {links->count, cut->number};
  script_trace(script, SCRIPT_STEP_FLAP, 0, fields, 2);
  return 1;
}

int network_partition(lua_State *lua) {
  struct group a, b;
  struct link_set links;
  (void)world_check(lua);
  if (lua_gettop(lua) != 3) script_raise(lua, "write world:partition({ 1 }, { 2, 3 })");
  group_check(lua, 2, &a);
  group_check(lua, 3, &b);
  links_between(lua, &a, &b, true, &links);
  return network_cut_links(lua, &links, "world:partition");
}

int network_partition_one_way(lua_State *lua) {
  struct group a, b;
  struct link_set links;
  (void)world_check(lua);
  if (lua_gettop(lua) != 3) script_raise(lua, "write world:partition_one_way({ 1 }, { 2, 3 }): nothing arrives from 1");
  group_check(lua, 2, &a);
  group_check(lua, 3, &b);
  links_between(lua, &a, &b, false, &links);
  return network_cut_links(lua, &links, "world:partition_one_way");
}

int network_isolate(lua_State *lua) {
  struct script *script = world_check(lua);
  struct link_set links = {.count = 0};
  uint32_t one = node_check(lua, 2);
  for (uint32_t i = 1; i <= cluster_nodes(script->cluster); i++)
    if (i != one) link_set_add_both(&links, one, i);
  return network_cut_links(lua, &links, "world:isolate");
}

static int cut_heal(lua_State *lua) {
  struct cut *cut = object_check(lua, 1, CUT_TYPE, "cut");
  struct script *script = script_of(lua);
  if (!script_act_untold(lua, SCRIPT_STEP_HEAL, 0, "cut:heal")) return 0;
  tell_heal(script, cut->handle, cut->parts);
  bool stale = cut->generation != script->heal_generation;
  for (uint32_t i = 0; i < cut->count && !stale; i++) {
    uint32_t from = cut->links[i].from, to = cut->links[i].to;
    trace_link(script, SCRIPT_STEP_HEAL, from, to);
    if (cut->kind == HANDLE_CUT) sim_link_heal(script->world, from, to);
    if (cut->kind == HANDLE_FLAP) sim_flap_end(script->world, cut->number);
    if (cut->kind == HANDLE_CLOG) sim_link_unclog(script->world, from, to, cut->number + i);
  }
  cut->count = 0;
  return 0;
}

int network_heal_all(lua_State *lua) {
  struct script *script = world_check(lua);
  if (!script_act(lua, SCRIPT_STEP_HEAL, 0, "world:heal_all")) return 0;
  script->heal_generation++;
  trace_link(script, SCRIPT_STEP_HEAL, 0, 0);
  sim_link_heal_all(script->world);
  return 0;
}

/* --- Flaps, clogs, swizzles --------------------------------------------------------- */

int network_flap(lua_State *lua) {
  struct group a, b;
  struct link_set links;
  struct sim_flap_config config;
  (void)world_check(lua);
  if (lua_gettop(lua) != 5) script_raise(lua, "write world:flap({ 1 }, { 2, 3 }, \"200ms\", \"500ms\"): down, up");
  group_check(lua, 2, &a);
  group_check(lua, 3, &b);
  script_durations(lua, 4, &config.down_min_ns, &config.down_max_ns);
  script_durations(lua, 5, &config.up_min_ns, &config.up_max_ns);
  if (config.down_min_ns < SIM_US || config.up_min_ns < SIM_US)
    script_raise(lua, "world:flap: each time is at least \"1us\"");
  links_between(lua, &a, &b, true, &links);
  return network_flap_links(lua, &links, &config, "world:flap");
}

int network_clog(lua_State *lua) {
  struct group a, b;
  struct link_set links;
  struct script *script = world_check(lua);
  if (lua_gettop(lua) < 3) script_raise(lua, "write world:clog(1, 2, \"2s\")");
  group_check(lua, 2, &a);
  group_check(lua, 3, &b);
  uint64_t ns = lua_isnoneornil(lua, 4) ? UINT64_MAX : script_duration(lua, 4);
  links_between(lua, &a, &b, true, &links);
  bool clogs = script_fault_untold(lua, SCRIPT_STEP_CLOG, 0, "world:clog");
  if (clogs) tell_call(lua, "world:clog", 0, script->handles + 1u);
  struct cut *cut = push_handle(lua, HANDLE_CLOG, links.count);
  for (uint32_t i = 0; clogs && i < links.count; i++) {
    uint64_t fields[] = {links.names[i].from, links.names[i].to, ns};
    script_trace(script, SCRIPT_STEP_CLOG, 0, fields, 3);
    uint64_t number = sim_link_clog(script->world, links.names[i].from, links.names[i].to, ns);
    if (i == 0) cut->number = number;
    SIM_ASSERT(script->world, number == cut->number + i);
    cut->links[cut->count++] = links.names[i];
  }
  return 1;
}

/* Each node with one chance in two, but one at least. */
static void draw_subset(lua_State *lua, struct group *group) {
  struct script *script = script_of(lua);
  uint32_t all = cluster_nodes(script->cluster);
  group->count = 0;
  for (uint32_t i = 1; i <= all; i++)
    if (sim_chance(script->world, sim_tag(SIM_CHOICE_SCENARIO, 0, script_identity(lua, "swizzle subset", i)), 500000))
      group->nodes[group->count++] = i;
  if (group->count) return;
  uint64_t one = sim_pick(script->world, sim_tag(SIM_CHOICE_SCENARIO, 0, script_identity(lua, "swizzle one", 0)), all);
  group->nodes[group->count++] = (uint32_t)one + 1u;
}

int network_swizzle(lua_State *lua) {
  struct script *script = world_check(lua);
  struct group group;
  uint64_t ns = script_duration(lua, 2);
  script_must_act(lua, "world:swizzle");
  if (lua_isnoneornil(lua, 3))
    draw_subset(lua, &group);
  else
    group_check(lua, 3, &group);
  if (!script_fault_untold(lua, SCRIPT_STEP_SWIZZLE, 0, "world:swizzle")) return 0;
  tell_swizzle(script, group.nodes, group.count, ns);
  uint64_t fields[] = {group.count, ns};
  script_trace(script, SCRIPT_STEP_SWIZZLE, 0, fields, 2);
  sim_swizzle(script->world, group.nodes, group.count, ns);
  return 0;
}

uint32_t network_shuffle(lua_State *lua, uint32_t nodes[SCRIPT_GROUP_MAX]) {
  struct script *script = script_of(lua);
  uint32_t count = cluster_nodes(script->cluster);
  for (uint32_t i = 0; i < count; i++)
    nodes[i] = i + 1u;
  for (uint32_t i = 0; i + 1u < count; i++) {
    struct sim_tag tag = sim_tag(SIM_CHOICE_SCENARIO, 0, script_identity(lua, "shuffle", i));
    uint32_t other = i + (uint32_t)sim_pick(script->world, tag, count - i);
    uint32_t node = nodes[i];
    nodes[i] = nodes[other];
    nodes[other] = node;
  }
  return count;
}

/* --- One link ------------------------------------------------------------------------ */

/* Upvalues: from, to. Called with the options. */
static int link_configure(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t from = (uint32_t)lua_tointeger(lua, lua_upvalueindex(1));
  uint32_t to = (uint32_t)lua_tointeger(lua, lua_upvalueindex(2));
  struct sim_link_config link = script->link;
  settings_read_network(lua, 1, &link, NULL);
  if (!script_fault_untold(lua, SCRIPT_STEP_LINK, 0, "world:link")) return 0;
  tell_link(lua, from, to);
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
