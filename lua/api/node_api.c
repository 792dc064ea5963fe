#include "lua/api/node_api.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "cluster/cluster.h"
#include "cluster/lookup.h"
#include "cluster/replace.h"
#include "cluster/follower.h"
#include "cluster/verify.h"
#include "lua/api/act.h"
#include "lua/api/conflict_api.h"
#include "lua/api/data_api.h"
#include "lua/api/disk_api.h"
#include "lua/api/member_api.h"
#include "lua/api/node_object.h"
#include "lua/api/tell.h"
#include "lua/language/objects.h"
#include "lua/language/script.h"
#include "lua/language/show.h"
#include "lua/language/steps.h"
#include "lua/settings/schema.h"
#include "lua/settings/settings.h"
#include "lua/text/units.h"

#define RATE_PPM_MAX 500000
#define CRASH_CALLS_MAX 1000000000
#define ALLOC_COUNT_MAX 1000000000

static uint32_t self(lua_State *lua) {
  return ((struct node_object *)object_check(lua, 1, NODE_TYPE, "node"))->number;
}

/* --- Life and death --------------------------------------------------------------- */

struct moment {
  uint64_t within;
};
#define MOMENT_FIELDS 3u
static const struct schema_field crash_fields[MOMENT_FIELDS] = {
    {"within", SCHEMA_COUNT, SCHEMA_AT(struct moment, within), 0, 0, 1, CRASH_CALLS_MAX, NULL},
    {"at", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL},
    {"calls", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL},
};
static const struct schema_field restart_fields[MOMENT_FIELDS] = {
    {"crash_within", SCHEMA_COUNT, SCHEMA_AT(struct moment, within), 0, 0, 1, CRASH_CALLS_MAX, NULL},
    {"crash_at", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL},
    {"calls", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL},
};
struct nth_call {
  uint64_t nth;
};
static const struct schema_field nth_fields[] = {
    {"call", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL},
    {"nth", SCHEMA_COUNT, SCHEMA_AT(struct nth_call, nth), 0, 0, 1, CRASH_CALLS_MAX, NULL},
};

static bool push_option(lua_State *lua, int index, const char *key) {
  lua_pushstring(lua, key);
  if (lua_rawget(lua, index) != LUA_TNIL) return true;
  lua_pop(lua, 1);
  return false;
}

/* The calls that the word on top of the stack names. */
static uint32_t calls_check(lua_State *lua, const char *noun, const char *key) {
  const char *word = show_text(lua, -1, NULL);
  if (!word) word = "";
  const char *names[SIM_CALL_COUNT + 1] = {"changes", "all"};
  char list[200] = "";
  for (uint32_t call = 1; call < SIM_CALL_COUNT; call++)
    names[call + 1] = sim_call_name((enum sim_call)call);
  for (uint32_t i = 0; i <= SIM_CALL_COUNT; i++) {
    if (strcmp(word, names[i]) == 0)
      return i == 0 ? SIM_CALLS_CHANGES : i == 1 ? SIM_CALLS_ALL : UINT32_C(1) << (i - 1);
    (void)snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i == 0 ? "" : ", ", names[i]);
  }
  script_raise(lua, "%s: %s is one of %s", noun, key, list);
}

/* `at = 17`, or `at = { call = "unlink", nth = 2 }`, on top of the stack. */
static uint64_t nth_check(lua_State *lua, const char *noun, const char *key, uint32_t *calls) {
  if (lua_isinteger(lua, -1)) {
    lua_Integer nth = lua_tointeger(lua, -1);
    if (nth < 1 || nth > CRASH_CALLS_MAX) script_raise(lua, "%s: %s is outside 1 to %d", noun, key, CRASH_CALLS_MAX);
    return (uint64_t)nth;
  }
  if (!lua_istable(lua, -1))
    script_raise(lua, "%s: %s is a number of calls, or { call = \"unlink\", nth = 2 }", noun, key);
  struct nth_call call = {.nth = 1};
  int index = lua_absindex(lua, -1);
  schema_read(lua, index, nth_fields, 2, &call, noun, NULL);
  if (!push_option(lua, index, "call")) script_raise(lua, "%s: %s needs call = \"unlink\" or its like", noun, key);
  *calls = calls_check(lua, noun, "call");
  lua_pop(lua, 1);
  return call.nth;
}

struct crash_point {
  uint32_t calls; /* SIM_CALLS_ */
  uint64_t nth;   /* 0: at once */
};

static struct crash_point crash_point(lua_State *lua, uint32_t node, const struct schema_field *fields,
                                      const char *noun) {
  struct script *script = script_of(lua);
  struct moment moment = {0};
  struct crash_point point = {SIM_CALLS_CHANGES, 0};
  if (lua_isnoneornil(lua, 2)) return point;
  schema_read(lua, 2, fields, MOMENT_FIELDS, &moment, noun, NULL);
  if (push_option(lua, 2, "calls")) {
    point.calls = calls_check(lua, noun, "calls");
    lua_pop(lua, 1);
  }
  if (push_option(lua, 2, fields[1].key)) {
    if (moment.within) script_raise(lua, "%s takes one of %s and %s", noun, fields[0].key, fields[1].key);
    point.nth = nth_check(lua, noun, fields[1].key, &point.calls);
    lua_pop(lua, 1);
    return point;
  }
  if (!moment.within) return point;
  struct sim_tag tag = sim_tag(SIM_CHOICE_NODE_CRASH_CALL, node, script_identity(lua, noun, node));
  point.nth = sim_pick(script->world, tag, moment.within) + 1u;
  return point;
}

static int crash(lua_State *lua, bool process, const char *what) {
  struct script *script = script_of(lua);
  uint32_t node = self(lua);
  if (!script_fault_untold(lua, SCRIPT_STEP_CRASH, node, what)) return 0;
  struct crash_point point = crash_point(lua, node, crash_fields, what);
  uint64_t fields[] = {point.nth, process, point.calls};
  script_trace(script, SCRIPT_STEP_CRASH, node, fields, 3);
  tell_crash(script, process ? "process_crash" : "crash", node, "at", point.nth, point.calls);
  if (point.nth)
    sim_node_arm_at(script->world, node, point.calls, point.nth, process);
  else if (process)
    sim_node_process_crash(script->world, node);
  else
    sim_node_power_loss(script->world, node);
  return 0;
}

static int node_crash(lua_State *lua) {
  return crash(lua, false, "node:crash");
}

static int node_process_crash(lua_State *lua) {
  return crash(lua, true, "node:process_crash");
}

/* true when it is up afterwards. */
static int node_restart(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t node = self(lua);
  bool acts =
      script_act_untold(lua, SCRIPT_STEP_RESTART, node, "node:restart") && cluster_present(script->cluster, node);
  struct crash_point point = crash_point(lua, node, restart_fields, "node:restart");
  enum sim_node_state state = sim_node_state(sim_node_at(script->world, node));
  bool up = state == SIM_NODE_UP || state == SIM_NODE_PAUSED;
  if (acts) tell_crash(script, "restart", node, "crash_at", point.nth, point.calls);
  if (!up && acts) {
    /* A crash that never struck must not strike in this life. */
    sim_node_arm_at(script->world, node, point.calls, point.nth, false);
    up = sim_node_boot(script->world, node);
  }
  uint64_t fields[] = {up, point.nth, point.calls};
  script_trace(script, SCRIPT_STEP_RESTART, node, fields, 3);
  lua_pushboolean(lua, up);
  return 1;
}

static bool is_up(const struct script *script, uint32_t node) {
  enum sim_node_state state = sim_node_state(sim_node_at(script->world, node));
  return state == SIM_NODE_UP || state == SIM_NODE_PAUSED;
}

static int node_stop(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t node = self(lua);
  if (!script_fault(lua, SCRIPT_STEP_STOP, node, "node:stop") || !is_up(script, node)) return 0;
  sim_node_resume(script->world, node);
  uint64_t fields[] = {sim_node_stop(script->world, node)};
  script_trace(script, SCRIPT_STEP_STOP, node, fields, 1);
  /* A stop cut short by an armed crash frees nothing and leaks nothing. */
  if (fields[0] && sim_node_state(sim_node_at(script->world, node)) == SIM_NODE_DOWN)
    sim_violation(script->world, CLUSTER_NO_LEAK, node, NULL, "n%u was closed and still holds %llu blocks of memory",
                  node, (unsigned long long)fields[0]);
  return 0;
}

static int pause(lua_State *lua, bool paused) {
  struct script *script = script_of(lua);
  uint32_t node = self(lua);
  if (paused && !script_fault(lua, SCRIPT_STEP_PAUSE, node, "node:pause")) return 0;
  if (!paused && !script_act(lua, SCRIPT_STEP_PAUSE, node, "node:resume")) return 0;
  uint64_t fields[] = {paused};
  script_trace(script, SCRIPT_STEP_PAUSE, node, fields, 1);
  if (paused)
    sim_node_pause(script->world, node);
  else
    sim_node_resume(script->world, node);
  return 0;
}

static int node_pause(lua_State *lua) {
  return pause(lua, true);
}

static int node_resume(lua_State *lua) {
  return pause(lua, false);
}

static int node_wipe(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t node = self(lua);
  if (!script_fault(lua, SCRIPT_STEP_WIPE, node, "node:wipe")) return 0;
  if (is_up(script, node)) sim_node_power_loss(script->world, node);
  script_trace(script, SCRIPT_STEP_WIPE, node, NULL, 0);
  cluster_wipe(script->cluster, node);
  return 0;
}

static int node_backup(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t node = self(lua);
  if (!script_act(lua, SCRIPT_STEP_BACKUP, node, "node:backup")) return 0;
  script_trace(script, SCRIPT_STEP_BACKUP, node, NULL, 0);
  cluster_backup(script->cluster, node);
  return 0;
}

static int node_restore(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t node = self(lua);
  if (!script_fault(lua, SCRIPT_STEP_RESTORE, node, "node:restore")) return 0;
  if (is_up(script, node)) sim_node_power_loss(script->world, node);
  script_trace(script, SCRIPT_STEP_RESTORE, node, NULL, 0);
  if (!cluster_restore(script->cluster, node))
    script_raise(lua, "node:restore: node %u has no backup: call node:backup() first", node);
  return 0;
}

/* --- Memory --------------------------------------------------------------------------- */

static int node_memory_quota(lua_State *lua) {
  struct script *script = script_of(lua);
  struct units_error error;
  uint32_t node = self(lua);
  uint64_t bytes = 0;
  size_t length;
  if (lua_type(lua, 2) != LUA_TSTRING)
    script_raise(lua, "node:memory_quota(size): write the size like \"64KiB\"; \"0B\" is no bound");
  const char *text = show_text(lua, 2, &length);
  if (!units_size(text, length, &bytes, &error)) script_raise(lua, "node:memory_quota: %s", error.text);
  if (!script_fault(lua, SCRIPT_STEP_MEMORY, node, "node:memory_quota")) return 0;
  uint64_t fields[] = {bytes};
  script_trace(script, SCRIPT_STEP_MEMORY, node, fields, 1);
  sim_node_memory_quota(script->world, node, bytes);
  return 0;
}

static int node_fail_alloc(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t node = self(lua);
  lua_Integer count = lua_isinteger(lua, 2) ? lua_tointeger(lua, 2) : -1;
  if (count < 0 || count > ALLOC_COUNT_MAX)
    script_raise(lua, "node:fail_alloc(n): n is a whole number, 1 for the next allocation, 0 for none");
  if (!script_fault(lua, SCRIPT_STEP_ALLOC, node, "node:fail_alloc")) return 0;
  uint64_t fields[] = {(uint64_t)count};
  script_trace(script, SCRIPT_STEP_ALLOC, node, fields, 1);
  sim_node_fail_alloc(script->world, node, (uint64_t)count);
  return 0;
}

/* --- Clock and disk ------------------------------------------------------------------ */

struct clock_change {
  char step[40], rate[40], strobe[40];
  uint64_t every_ns, lasting_ns;
  bool freeze;
};
static const struct schema_field clock_fields[] = {
    {"step", SCHEMA_TEXT, SCHEMA_AT(struct clock_change, step), 0, 0, 0, 0, NULL},
    {"rate", SCHEMA_TEXT, SCHEMA_AT(struct clock_change, rate), 0, 0, 0, 0, NULL},
    {"freeze", SCHEMA_BOOL, SCHEMA_AT(struct clock_change, freeze), 0, 0, 0, 0, NULL},
    {"strobe", SCHEMA_TEXT, SCHEMA_AT(struct clock_change, strobe), 0, 0, 0, 0, NULL},
    {"every", SCHEMA_DURATION, SCHEMA_AT(struct clock_change, every_ns), 0, 0, SIM_US, 0, NULL},
    {"lasting", SCHEMA_DURATION, SCHEMA_AT(struct clock_change, lasting_ns), 0, 0, 0, 0, NULL},
};

static bool has_option(lua_State *lua, const char *key) {
  lua_pushstring(lua, key);
  bool has = lua_rawget(lua, 2) != LUA_TNIL;
  lua_pop(lua, 1);
  return has;
}

static void trace_clock(struct script *script, uint32_t node, uint64_t what, uint64_t value) {
  uint64_t fields[] = {what, value};
  script_trace(script, SCRIPT_STEP_CLOCK, node, fields, 2);
}

static int node_clock(lua_State *lua) {
  struct script *script = script_of(lua);
  struct clock_change change = {.every_ns = 10 * SIM_MS, .lasting_ns = SIM_SECOND};
  struct units_error error;
  int64_t step = 0, rate = 0, strobe = 0;
  uint32_t node = self(lua);
  schema_read(lua, 2, clock_fields, sizeof clock_fields / sizeof *clock_fields, &change, "node:clock", NULL);
  if (change.step[0] && !units_signed_duration(change.step, strlen(change.step), &step, &error))
    script_raise(lua, "node:clock.step: %s", error.text);
  if (change.rate[0] && !units_signed_share(change.rate, strlen(change.rate), &rate, &error))
    script_raise(lua, "node:clock.rate: %s", error.text);
  if (change.strobe[0] && !units_signed_duration(change.strobe, strlen(change.strobe), &strobe, &error))
    script_raise(lua, "node:clock.strobe: %s", error.text);
  if (rate < -RATE_PPM_MAX || rate > RATE_PPM_MAX) script_raise(lua, "node:clock.rate is outside -50%% to 50%%");
  if (!script_fault(lua, SCRIPT_STEP_CLOCK, node, "node:clock")) return 0;
  if (change.step[0]) {
    trace_clock(script, node, 1, (uint64_t)step);
    sim_clock_step(script->world, node, step);
  }
  if (change.rate[0]) {
    trace_clock(script, node, 2, (uint64_t)rate);
    sim_clock_rate(script->world, node, (int32_t)rate);
  }
  if (has_option(lua, "freeze")) {
    trace_clock(script, node, 3, change.freeze);
    sim_clock_freeze(script->world, node, change.freeze);
  }
  if (change.strobe[0]) {
    trace_clock(script, node, 4, (uint64_t)strobe);
    sim_clock_strobe(script->world, node, strobe, change.every_ns, change.lasting_ns);
  }
  return 0;
}

static int node_disk(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t node = self(lua);
  struct sim_disk *disk = sim_node_disk(sim_node_at(script->world, node));
  struct sim_disk_config config = *sim_disk_config(disk);
  settings_read_disk(lua, 2, &config, NULL);
  if (!script_fault(lua, SCRIPT_STEP_DISK, node, "node:disk")) return 0;
  script_trace(script, SCRIPT_STEP_DISK, node, NULL, 0);
  sim_disk_configure(disk, &config);
  return 0;
}

/* --- Looking -------------------------------------------------------------------------------- */

static int node_number(lua_State *lua) {
  lua_pushinteger(lua, self(lua));
  return 1;
}

static int node_tombstones(lua_State *lua) {
  struct sync_stats stats = {0};
  (void)cluster_node_stats(script_of(lua)->cluster, self(lua), &stats);
  lua_createtable(lua, 0, 3);
  lua_pushinteger(lua, (lua_Integer)stats.tombstones);
  lua_setfield(lua, -2, "size");
  lua_pushinteger(lua, (lua_Integer)stats.sweeps);
  lua_setfield(lua, -2, "sweeps");
  lua_pushinteger(lua, (lua_Integer)stats.swept);
  lua_setfield(lua, -2, "swept");
  return 1;
}

static int node_outbox(lua_State *lua) {
  lua_createtable(lua, 0, 1);
  lua_pushinteger(lua, (lua_Integer)cluster_outbox_size(script_of(lua)->cluster, self(lua)));
  lua_setfield(lua, -2, "size");
  return 1;
}

/* How many records of its log are damaged; nil when it is not up. */
static int node_verify(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t node = self(lua);
  uint64_t damaged = 0;
  if (!script_act(lua, SCRIPT_STEP_VERIFY, node, "node:verify") || !cluster_verify(script->cluster, node, &damaged))
    return 0;
  script_trace(script, SCRIPT_STEP_VERIFY, node, &damaged, 1);
  lua_pushinteger(lua, (lua_Integer)damaged);
  return 1;
}

/* Operations that the reader of its changes was told of, and how often it had to begin anew; nil when it is not up. */
static int node_follow(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t node = self(lua);
  struct follower_counts counts;
  if (!script_act(lua, SCRIPT_STEP_FOLLOW, node, "node:follow") || !cluster_follow(script->cluster, node, &counts))
    return 0;
  const uint64_t fields[] = {counts.told, counts.stale};
  script_trace(script, SCRIPT_STEP_FOLLOW, node, fields, 2);
  lua_pushinteger(lua, (lua_Integer)counts.told);
  lua_pushinteger(lua, (lua_Integer)counts.stale);
  return 2;
}

static int node_snapshot(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t node = self(lua);
  if (!script_act(lua, SCRIPT_STEP_SNAPSHOT, node, "node:snapshot")) return 0;
  script_trace(script, SCRIPT_STEP_SNAPSHOT, node, NULL, 0);
  lua_pushboolean(lua, cluster_snapshot(script->cluster, node));
  return 1;
}

static int node_retire(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t node = self(lua);
  if (!script_act(lua, SCRIPT_STEP_RETIRE, node, "node:retire")) return 0;
  script_trace(script, SCRIPT_STEP_RETIRE, node, NULL, 0);
  cluster_retire(script->cluster, node);
  return 0;
}

static int node_repair(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t node = self(lua);
  if (!script_act(lua, SCRIPT_STEP_REPAIR, node, "node:repair")) return 0;
  uint64_t up = cluster_repair(script->cluster, node);
  script_trace(script, SCRIPT_STEP_REPAIR, node, &up, 1);
  lua_pushboolean(lua, up != 0);
  return 1;
}

static int node_state(lua_State *lua) {
  static const char *const names[] = {"down", "up", "paused", "refused"};
  uint32_t node = self(lua);
  lua_pushstring(lua, names[sim_node_state(sim_node_at(script_of(lua)->world, node))]);
  return 1;
}

static int node_up(lua_State *lua) {
  uint32_t node = self(lua);
  lua_pushboolean(lua, sim_node_state(sim_node_at(script_of(lua)->world, node)) == SIM_NODE_UP);
  return 1;
}

static int node_calls(lua_State *lua) {
  uint32_t node = self(lua);
  lua_pushinteger(lua, (lua_Integer)sim_node_calls(sim_node_at(script_of(lua)->world, node)));
  return 1;
}

static int node_lives(lua_State *lua) {
  uint32_t node = self(lua);
  lua_pushinteger(lua, (lua_Integer)sim_node_lives(sim_node_at(script_of(lua)->world, node)));
  return 1;
}

static int node_disk_used(lua_State *lua) {
  uint32_t node = self(lua);
  lua_pushinteger(lua, (lua_Integer)sim_disk_used_bytes(sim_node_disk(sim_node_at(script_of(lua)->world, node))));
  return 1;
}

void node_open(lua_State *lua) {
  static const struct script_method methods[] = {
      {"crash", node_crash},
      {"process_crash", node_process_crash},
      {"restart", node_restart},
      {"stop", node_stop},
      {"pause", node_pause},
      {"resume", node_resume},
      {"wipe", node_wipe},
      {"clock", node_clock},
      {"disk", node_disk},
      {"put", data_api_put},
      {"delete", data_api_delete},
      {"submit", data_api_submit},
      {"get", data_api_get},
      {"read", data_api_read},
      {"siblings", data_api_siblings},
      {"list", data_api_list},
      {"conflicts", conflict_api_conflicts},
      {"resolve", conflict_api_resolve},
      {"resolved", conflict_api_resolved},
      {"policy", conflict_api_policy},
      {"number", node_number},
      {"outbox", node_outbox},
      {"verify", node_verify},
      {"follow", node_follow},
      {"snapshot", node_snapshot},
      {"repair", node_repair},
      {"retire", node_retire},
      {"add_peer", member_add_peer},
      {"remove_peer", member_remove_peer},
      {"retry", member_retry},
      {"tombstones", node_tombstones},
      {"state", node_state},
      {"up", node_up},
      {"calls", node_calls},
      {"lives", node_lives},
      {"disk_used", node_disk_used},
      {"files", disk_api_files},
      {"disk_flip", disk_api_flip},
      {"disk_unreadable", disk_api_unreadable},
      {"backup", node_backup},
      {"restore", node_restore},
      {"memory_quota", node_memory_quota},
      {"fail_alloc", node_fail_alloc},
      {NULL, NULL},
  };
  object_type(lua, NODE_TYPE, "node", methods);
  lua_newtable(lua);
  lua_setfield(lua, LUA_REGISTRYINDEX, "nodes");
}
