#include "lua/api/world_api.h"

#include <lauxlib.h>
#include <string.h>

#include "cluster/cluster.h"
#include "cluster/identify.h"
#include "cluster/lookup.h"
#include "cluster/membership.h"
#include "cluster/oracle.h"
#include "cluster/workload.h"
#include "lua/api/act.h"
#include "lua/api/hook_api.h"
#include "lua/api/member_api.h"
#include "lua/api/network_api.h"
#include "lua/api/node_object.h"
#include "lua/api/partition_api.h"
#include "lua/api/rule_api.h"
#include "lua/api/task.h"
#include "lua/language/argument.h"
#include "lua/language/list.h"
#include "lua/language/objects.h"
#include "lua/language/record.h"
#include "lua/language/sandbox.h"
#include "lua/language/script.h"
#include "lua/language/show.h"
#include "lua/language/word.h"
#include "lua/language/steps.h"
#include "lua/language/world.h"
#include "lua/settings/merge.h"
#include "lua/settings/parameters.h"
#include "lua/settings/properties.h"
#include "lua/settings/settings.h"
#include "lua/text/nearest.h"
#include "lua/text/units.h"

#define NUMBER_MAX (INT64_C(1) << 53)
#define LOG_BYTES_MAX 240u
#define FORGE_BYTES_MAX 4096u

/* --- Time and chance ---------------------------------------------------------------- */

static int world_sleep(lua_State *lua) {
  (void)world_check(lua);
  return task_sleep(lua);
}

static int world_wait_until(lua_State *lua) {
  (void)world_check(lua);
  return task_wait_until(lua);
}

static int world_spawn(lua_State *lua) {
  (void)world_check(lua);
  return task_spawn(lua);
}

/* The simulated time: a number of nanoseconds, and the same as text. */
static int world_now(lua_State *lua) {
  struct script *script = world_check(lua);
  char text[32];
  units_format_duration(sim_now(script->world), text, sizeof text);
  record_push(lua, sim_now(script->world));
  lua_pushstring(lua, text);
  return 2;
}

static int world_between(lua_State *lua) {
  struct script *script = world_check(lua);
  char text[32];
  uint64_t lo = script_duration(lua, 2), hi = script_duration(lua, 3);
  script_must_act(lua, "world:between");
  if (lo > hi) script_raise(lua, "world:between: \"%s\" is above \"%s\"", show_name(lua, 2), show_name(lua, 3));
  uint64_t value =
      sim_range(script->world, sim_tag(SIM_CHOICE_SCENARIO, 0, script_identity(lua, "world:between", 0)), lo, hi);
  units_format_duration(value, text, sizeof text);
  lua_pushstring(lua, text);
  return 1;
}

/* pick(n): 1 to n; pick{ ... }: one of the list. */
static int world_pick(lua_State *lua) {
  struct script *script = world_check(lua);
  bool list = lua_istable(lua, 2);
  if (!list && !lua_isinteger(lua, 2)) script_raise(lua, "world:pick takes a whole number or a list");
  lua_Integer count = list ? list_length(lua, 2) : lua_tointeger(lua, 2);
  script_must_act(lua, "world:pick");
  if (count < 1 || count > NUMBER_MAX) script_raise(lua, "world:pick has nothing to pick from");
  uint64_t picked =
      sim_pick(script->world, sim_tag(SIM_CHOICE_SCENARIO, 0, script_identity(lua, "world:pick", 0)), (uint64_t)count) +
      1u;
  if (list)
    lua_rawgeti(lua, 2, (lua_Integer)picked);
  else
    record_push(lua, picked);
  return 1;
}

static int world_chance(lua_State *lua) {
  struct script *script = world_check(lua);
  struct units_error error;
  uint64_t ppm;
  size_t size;
  if (lua_type(lua, 2) != LUA_TSTRING) script_raise(lua, "world:chance takes a share like \"10%%\"");
  const char *text = show_text(lua, 2, &size);
  if (!units_share(text, size, &ppm, &error)) script_raise(lua, "%s", error.text);
  script_must_act(lua, "world:chance");
  lua_pushboolean(lua, (int)sim_chance(script->world,
                                       sim_tag(SIM_CHOICE_SCENARIO, 0, script_identity(lua, "world:chance", 0)),
                                       (uint32_t)ppm));
  return 1;
}

/* --- What happened -------------------------------------------------------------------- */

static const char *const trace_names[32] = {
    [SYNC_TRACE_OPEN] = "opens",
    [SYNC_TRACE_SUBMIT] = "submitted",
    [SYNC_TRACE_OWN_WRITE] = "own_writes",
    [SYNC_TRACE_APPLY] = "applied",
    [SYNC_TRACE_DUPLICATE] = "duplicates",
    [SYNC_TRACE_NOT_YET] = "not_yet",
    [SYNC_TRACE_DURABLE] = "durables",
    [SYNC_TRACE_SEND_OP] = "sent",
    [SYNC_TRACE_SEND_HELLO] = "hellos",
    [SYNC_TRACE_SEND_NEWS] = "news",
    [SYNC_TRACE_KNOWN] = "acknowledgements",
    [SYNC_TRACE_IGNORED_HELLO] = "ignored_hellos",
    [SYNC_TRACE_TIMEOUT] = "timeouts",
    [SYNC_TRACE_PARKED] = "parked",
    [SYNC_TRACE_REVIVED] = "revived",
    [SYNC_TRACE_REFUSED] = "refusals",
    [SYNC_TRACE_FAIL_STOP] = "fail_stops",
    [SYNC_TRACE_ROTATE] = "rotations",
    [SYNC_TRACE_MARK] = "marks",
    [SYNC_TRACE_CLOSE] = "closes",
    [SYNC_TRACE_SNAPSHOT] = "snapshots",
    [SYNC_TRACE_SNAPSHOT_FAIL] = "snapshots_failed",
    [SYNC_TRACE_TRIM] = "trims",
    [SYNC_TRACE_OFFER] = "offers",
    [SYNC_TRACE_FETCH] = "fetches",
    [SYNC_TRACE_SEND_BLOCK] = "blocks",
    [SYNC_TRACE_MERGE] = "merges",
};

static int world_stats(lua_State *lua) {
  struct script *script = world_check(lua);
  struct cluster_stats stats;
  cluster_stats(script->cluster, &stats);
  lua_createtable(lua, 0, 24);
  record_set(lua, "submits", stats.submits);
  record_set(lua, "refused", stats.refused);
  record_set(lua, "promised", stats.promised);
  for (size_t i = 0; i < 32; i++)
    if (trace_names[i]) record_set(lua, trace_names[i], stats.by_trace[i]);
  record_set(lua, "retries", stats.by_trace[SYNC_TRACE_TIMEOUT]);
  record_guard(lua, "counter");
  return 1;
}

static int world_fault(lua_State *lua) {
  struct script *script = world_check(lua);
  enum sim_fault fault = settings_fault(lua, word_check(lua, 2, "world:fault"), NULL, "");
  const struct sim_fault_count *count = sim_fault(script->world, fault);
  lua_createtable(lua, 0, 2);
  record_set(lua, "opportunities", count->opportunities);
  record_set(lua, "firings", count->firings);
  record_guard(lua, "counter");
  return 1;
}

static int world_drained(lua_State *lua) {
  lua_pushboolean(lua, cluster_drained(world_check(lua)->cluster));
  return 1;
}

static int world_converged(lua_State *lua) {
  lua_pushboolean(lua, cluster_converged(world_check(lua)->cluster));
  return 1;
}

static int world_check_now(lua_State *lua) {
  cluster_check(world_check(lua)->cluster);
  return 0;
}

/* Text as numbers for the trace: eight bytes in each, little-endian. */
static size_t pack_text(const char *text, size_t size, uint64_t *fields, size_t count) {
  size_t used = 0;
  for (size_t i = 0; i < count; i++) {
    fields[i] = 0;
    for (unsigned shift = 0; shift < 64 && used < size; shift += 8)
      fields[i] |= (uint64_t)(unsigned char)text[used++] << shift;
  }
  return used;
}

static int world_log(lua_State *lua) {
  struct script *script = world_check(lua);
  size_t size;
  uint64_t fields[6];
  word_of_value(lua, 2);
  const char *text = show_text(lua, -1, &size);
  fields[0] = sim_hash_bytes(text, size);
  fields[1] = size;
  size_t shown = size < LOG_BYTES_MAX ? size : LOG_BYTES_MAX;
  size_t used = pack_text(text, shown, fields + 2, 4);
  script_trace(script, SCRIPT_STEP_LOG, 0, fields, 6);
  while (used < shown) {
    used += pack_text(text + used, shown - used, fields, 6);
    script_trace(script, SCRIPT_STEP_TEXT, 0, fields, 6);
  }
  return 0;
}

static int world_fail(lua_State *lua) {
  struct script *script = world_check(lua);
  const char *chunk = script_chunk(lua) + sizeof SCRIPT_CHUNK - 1u; /* of a helper "/helpers/x.lua" */
  sim_violation(script->world, script->name, 0, NULL, "%s%sline %d: %s", *chunk ? chunk + 1 : "", *chunk ? ", " : "",
                script_line(lua), word_check(lua, 2, "world:fail"));
  return 0;
}

/* --- Nodes, writes, workload ------------------------------------------------------------- */

static int world_node(lua_State *lua) {
  (void)world_check(lua);
  node_push(lua, node_check(lua, 2));
  return 1;
}

static int world_nodes(lua_State *lua) {
  struct script *script = world_check(lua);
  uint32_t count = cluster_nodes(script->cluster);
  lua_createtable(lua, (int)count, 0);
  for (uint32_t i = 1; i <= count && !cluster_is_spare(script->cluster, i); i++) {
    node_push(lua, i);
    lua_rawseti(lua, -2, (lua_Integer)i);
  }
  return 1;
}

static int world_workload(lua_State *lua) {
  struct script *script = world_check(lua);
  const char *word = word_check(lua, 2, "world:workload");
  bool start = strcmp(word, "start") == 0;
  if (!start && strcmp(word, "stop") != 0) script_raise(lua, "world:workload takes \"start\" or \"stop\"");
  bool acts = script_act(lua, SCRIPT_STEP_WORKLOAD, 0, "world:workload");
  if (start && !script->has_workload)
    script_raise(lua, "world:workload: the scenario has no workload = sim.kv { ... }");
  if (!acts) return 0;
  uint64_t fields[] = {start};
  script_trace(script, SCRIPT_STEP_WORKLOAD, 0, fields, 1);
  if (start)
    cluster_workload_start(script->cluster, &script->workload);
  else
    cluster_workload_stop(script->cluster);
  return 0;
}

/* At one instant: nobody has heard of what another had not yet made durable. */
static int world_power_loss(lua_State *lua) {
  struct script *script = world_check(lua);
  if (!script_fault(lua, SCRIPT_STEP_POWER, 0, "world:power_loss")) return 0;
  script_trace(script, SCRIPT_STEP_POWER, 0, NULL, 0);
  for (uint32_t i = 1; i <= cluster_nodes(script->cluster); i++)
    sim_node_power_loss(script->world, i);
  return 0;
}

/* forge(from, to, "hello") or forge(from, to, bytes): arrives now, as if `from` had sent it. */
static int world_forge(lua_State *lua) {
  struct script *script = world_check(lua);
  uint32_t from = node_check(lua, 2), to = node_check(lua, 3);
  uint8_t frame[FORGE_BYTES_MAX];
  size_t size;
  if (lua_type(lua, 4) != LUA_TSTRING || lua_gettop(lua) != 4)
    script_raise(lua, "write world:forge(1, 2, \"hello\"), or the bytes in place of \"hello\"");
  const char *bytes = show_text(lua, 4, &size);
  if (size > sizeof frame) script_raise(lua, "world:forge: at most %d bytes", (int)sizeof frame);
  if (strcmp(bytes, "hello") == 0)
    size = cluster_forge_hello(script->cluster, from, frame, sizeof frame);
  else
    memcpy(frame, bytes, size);
  if (!script_fault(lua, SCRIPT_STEP_FORGE, to, "world:forge")) return 0;
  uint64_t fields[] = {from, to, size};
  script_trace(script, SCRIPT_STEP_FORGE, to, fields, 3);
  sim_inject(script->world, from, to, frame, size);
  return 0;
}

/* --- The module ----------------------------------------------------------------------------- */

static const luaL_Reg module_functions[] = {
    {"scenario", settings_scenario},
    {"kv", settings_kv},
    {"param", parameters_param},
    {"always", property_always},
    {"sometimes", property_sometimes},
    {"eventually", property_eventually},
    {"never", property_never},
    {"merge", merge_make},
    {NULL, NULL},
};

static int module_unknown(lua_State *lua) {
  const char *names[sizeof module_functions / sizeof *module_functions], *name = show_name(lua, 2);
  char list[200] = "";
  size_t count = 0;
  for (; module_functions[count].name; count++) {
    names[count] = module_functions[count].name;
    (void)strcat(strcat(list, count ? ", " : ""), names[count]);
  }
  const char *near = nearest_word(name, names, count);
  if (near) script_raise(lua, "sim has no \"%s\"; did you mean \"%s\"?", name, near);
  script_raise(lua, "sim has no \"%s\"; it has: %s", name, list);
}

static int module_assign(lua_State *lua) {
  script_raise(lua, "sim cannot be assigned to");
}

static void open_module(lua_State *lua) {
  (void)lua_newuserdatauv(lua, 1, 0);
  lua_createtable(lua, 0, 3);
  lua_pushcfunction(lua, module_assign);
  lua_setfield(lua, -2, "__newindex");
  lua_pushliteral(lua, "sim");
  lua_setfield(lua, -2, "__metatable");
  luaL_newlib(lua, module_functions);
  lua_createtable(lua, 0, 1);
  lua_pushcfunction(lua, module_unknown);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, -2);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, -2);
  lua_setfield(lua, LUA_REGISTRYINDEX, "sim");
}

void world_open(lua_State *lua) {
  static const struct script_method methods[] = {
      {"sleep", world_sleep},
      {"now", world_now},
      {"between", world_between},
      {"pick", world_pick},
      {"chance", world_chance},
      {"spawn", world_spawn},
      {"wait_until", world_wait_until},
      {"wait_for", hook_wait_for},
      {"on", hook_on},
      {"node", world_node},
      {"nodes", world_nodes},
      {"add_node", member_add_node},
      {"partition", network_partition},
      {"partition_one_way", network_partition_one_way},
      {"isolate", network_isolate},
      {"partition_halves", partition_halves},
      {"partition_bridge", partition_bridge},
      {"partition_ring", partition_ring},
      {"partition_random", partition_random},
      {"flap", network_flap},
      {"clog", network_clog},
      {"swizzle", network_swizzle},
      {"rule", rule_add},
      {"heal_all", network_heal_all},
      {"power_loss", world_power_loss},
      {"forge", world_forge},
      {"link", network_link},
      {"workload", world_workload},
      {"stats", world_stats},
      {"fault", world_fault},
      {"drained", world_drained},
      {"converged", world_converged},
      {"check", world_check_now},
      {"log", world_log},
      {"fail", world_fail},
      {NULL, NULL},
  };
  static const struct script_method none[] = {{NULL, NULL}};
  object_type(lua, WORLD_TYPE, "world", methods);
  object_type(lua, KV_TYPE, "sim.kv", none);
  object_type(lua, MERGE_TYPE, "sim.merge", none);
  object_type(lua, PROPERTY_TYPE, "a property", none);
  object_type(lua, SCENARIO_TYPE, "a scenario", none);
  world_create(lua);
  open_module(lua);
}
