#include "lua/api/member_api.h"

#include <lauxlib.h>

#include "cluster/membership.h"
#include "lua/api/act.h"
#include "lua/api/node_object.h"
#include "lua/language/list.h"
#include "lua/language/objects.h"
#include "lua/language/script.h"
#include "lua/language/steps.h"
#include "lua/language/world.h"
#include "lua/settings/schema.h"

/* The world's own word for what is done, in the trace. */
enum what { REMOVES = 0, ADDS = 1, RETRIES = 2 };

static int change_peer(lua_State *lua, enum what what, const char *name) {
  struct script *script = script_of(lua);
  uint32_t node = ((struct node_object *)object_check(lua, 1, NODE_TYPE, "node"))->number, other = node_check(lua, 2);
  if (node == other) script_raise(lua, "%s: node %u is no peer of itself", name, node);
  if (!script_act(lua, SCRIPT_STEP_PEER, node, name)) {
    lua_pushboolean(lua, 0);
    return 1;
  }
  bool done = what == RETRIES ? cluster_peer_retry(script->cluster, node, other)
                              : cluster_peer_set(script->cluster, node, other, what == ADDS);
  uint64_t fields[] = {other, (uint64_t)what, done};
  script_trace(script, SCRIPT_STEP_PEER, node, fields, 3);
  lua_pushboolean(lua, done);
  return 1;
}

int member_add_peer(lua_State *lua) {
  return change_peer(lua, ADDS, "node:add_peer");
}

int member_remove_peer(lua_State *lua) {
  return change_peer(lua, REMOVES, "node:remove_peer");
}

int member_retry(lua_State *lua) {
  return change_peer(lua, RETRIES, "node:retry");
}

static const struct schema_field node_fields[] = {
    {"peers", SCHEMA_TABLE, 0, 0, 0, 0, 0, 0, NULL},
};

/* add_node(), add_node { peers = { 1, 2 } }: the node. */
int member_add_node(lua_State *lua) {
  struct script *script = world_check(lua);
  uint64_t peers = 0;
  bool named = !lua_isnoneornil(lua, 2);
  if (named) {
    schema_read(lua, 2, node_fields, 1, NULL, "world:add_node", NULL);
    if (lua_getfield(lua, 2, "peers") == LUA_TNIL) script_raise(lua, "write world:add_node { peers = { 1, 2 } }");
    lua_Integer count = list_length(lua, -1);
    for (lua_Integer i = 1; i <= count; i++, lua_pop(lua, 1)) {
      lua_rawgeti(lua, -1, i);
      peers |= UINT64_C(1) << (node_check(lua, -1) - 1u);
    }
  }
  bool acts = script_act(lua, SCRIPT_STEP_ADD_NODE, 0, "world:add_node");
  uint32_t number = cluster_next_spare(script->cluster);
  if (!number) script_raise(lua, "world:add_node: no spare node is left: sim.scenario { spares = 2, ... } has so many");
  node_push(lua, number);
  if (!acts) return 1;
  script_trace(script, SCRIPT_STEP_ADD_NODE, number, NULL, 0);
  (void)cluster_add_node(script->cluster, named ? &peers : NULL);
  return 1;
}
