#include "lua/settings/settings.h"

#include <lauxlib.h>
#include <string.h>

#include "cluster/oracle_names.h"
#include "cluster/zipf.h"
#include "lua/language/list.h"
#include "lua/language/literal.h"
#include "lua/language/objects.h"
#include "lua/language/script.h"
#include "lua/language/word.h"
#include "lua/settings/choices_settings.h"
#include "lua/settings/link_settings.h"
#include "lua/settings/parameters.h"
#include "lua/settings/policy_settings.h"
#include "lua/settings/properties.h"
#include "lua/settings/schema.h"
#include "lua/settings/tag_settings.h"
#include "lua/settings/without.h"
#include "lua/text/info.h"
#include "lua/text/nearest.h"
#include "lua/text/units.h"

#define YEAR_NS (UINT64_C(365) * 24u * 3600u * SIM_SECOND)

static const char *const topologies[] = {"mesh", "line", "ring", "star", "random", NULL};
static const char *const crash_styles[] = {"adversarial", "ordered", "strict", NULL};
static const char *const tearings[] = {"by_kind", "never", "always", NULL};
static const char *const overwrites[] = {"safe", "unsafe", NULL};
static const char *const renames[] = {"whole", "loose", NULL};
static const char *const promises[] = {"durable", "submit", NULL};
static const char *const presets[] = {"durable", "fast", NULL};

static const char *const fault_choices[] = {"written", "swarm", NULL};

#define NO_WORDS 0, 0, 0, 0, NULL
#define DURATION(type, key, member)                                                                                    \
  { key, SCHEMA_DURATION, SCHEMA_AT(type, member), 0, 0, 0, YEAR_NS, NULL }
#define DURATIONS(type, key, lo, hi)                                                                                   \
  { key, SCHEMA_DURATION_RANGE, SCHEMA_AT(type, lo), SCHEMA_AT(type, hi), 0, YEAR_NS, NULL }
#define SHARE(type, key, member)                                                                                       \
  { key, SCHEMA_SHARE, SCHEMA_AT(type, member), NO_WORDS }
#define SIZE(type, key, member, min, max)                                                                              \
  { key, SCHEMA_SIZE, SCHEMA_AT(type, member), 0, 0, min, max, NULL }
#define COUNT(type, key, member, min, max)                                                                             \
  { key, SCHEMA_COUNT, SCHEMA_AT(type, member), 0, 0, min, max, NULL }
#define WORD(type, key, member, words)                                                                                 \
  { key, SCHEMA_WORD, SCHEMA_AT(type, member), 0, 0, 0, 0, words }
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* --- Disk ------------------------------------------------------------------------------- */

#define DISK struct sim_disk_config
static const struct schema_field disk_fields[] = {
    WORD(DISK, "on_crash", on_crash, crash_styles),
    WORD(DISK, "torn", tearing, tearings),
    WORD(DISK, "overwrite", overwrite, overwrites),
    WORD(DISK, "rename", rename, renames),
    {"fsync_names", SCHEMA_BOOL, SCHEMA_AT(DISK, fsync_names), NO_WORDS},
    SIZE(DISK, "sector", sector_bytes, 512, 4096),
    SIZE(DISK, "quota", quota_bytes, 0, 0),
    COUNT(DISK, "handles", handles_max, 1, 65536),
    DURATIONS(DISK, "fsync", fsync_min_ns, fsync_max_ns),
    DURATIONS(DISK, "latency", latency_min_ns, latency_max_ns),
    SHARE(DISK, "stall", stall_ppm),
    DURATION(DISK, "stall_time", stall_ns),
    SHARE(DISK, "write_back", write_back_ppm),
    SHARE(DISK, "read_error", read_error_ppm),
    SHARE(DISK, "write_error", write_error_ppm),
    SHARE(DISK, "short", short_ppm),
    SHARE(DISK, "interrupt", interrupt_ppm),
    SHARE(DISK, "fsync_error", fsync_error_ppm),
    SHARE(DISK, "fsync_no_space", fsync_no_space_ppm),
    SHARE(DISK, "open_error", open_error_ppm),
    SHARE(DISK, "close_error", close_error_ppm),
    SHARE(DISK, "truncate_error", truncate_error_ppm),
    SHARE(DISK, "size_error", size_error_ppm),
    SHARE(DISK, "rename_error", rename_error_ppm),
    SHARE(DISK, "unlink_error", unlink_error_ppm),
    SHARE(DISK, "list_error", list_error_ppm),
    SHARE(DISK, "fsync_request_error", fsync_request_error_ppm),
    SHARE(DISK, "fsync_lie", fsync_lie_ppm),
    SHARE(DISK, "rot", rot_ppm),
    SHARE(DISK, "rot_running", rot_running_ppm),
    SHARE(DISK, "latent", latent_ppm),
    SIZE(DISK, "erase_block", erase_block_bytes, 512, 1048576),
    SHARE(DISK, "unreadable", unreadable_ppm),
    SHARE(DISK, "lost_write", lost_write_ppm),
    SHARE(DISK, "misdirect", misdirect_ppm),
    COUNT(DISK, "damage_budget", damage_budget, 0, 1000000),
};

void settings_read_disk(lua_State *lua, int index, struct sim_disk_config *disk, const char *path) {
  schema_read(lua, index, disk_fields, COUNT_OF(disk_fields), disk, "disk", path);
  if (disk->sector_bytes & (disk->sector_bytes - 1u))
    schema_raise(lua, path, "sector", "disk.sector must be \"512B\", \"1KiB\", \"2KiB\" or \"4KiB\"");
  if (disk->erase_block_bytes & (disk->erase_block_bytes - 1u))
    schema_raise(lua, path, "erase_block", "disk.erase_block must be a power of two, as \"4KiB\" is");
}

/* --- Engine --------------------------------------------------------------------------- */

#define ENGINE struct sync_options
static const struct schema_field engine_fields[] = {
    {"preset", SCHEMA_VALUE, 0, 0, NO_WORDS},
    SIZE(ENGINE, "value_max", value_bytes_max, 16, SYNC_VALUE_BYTES_LIMIT),
    COUNT(ENGINE, "changes_max", changes_max, 1, 65536),
    SIZE(ENGINE, "store_max", store_bytes_max, 4096, UINT64_C(1) << 32),
    COUNT(ENGINE, "peers_max", peers_max, 1, 1000),
    COUNT(ENGINE, "origins_max", origins_max, 1, 1000000),
    SIZE(ENGINE, "segment", segment_bytes, 4096, UINT64_C(1) << 30),
    SIZE(ENGINE, "snapshot", snapshot_bytes, 1024, UINT64_C(1) << 40),
    SIZE(ENGINE, "retain", retain_bytes, 1, UINT64_C(1) << 40),
    COUNT(ENGINE, "batch_size", batch_size, 1, 65536),
    COUNT(ENGINE, "window_ops", window_ops, 1, 65536),
    COUNT(ENGINE, "max_retries", max_retries, 1, 1000),
    DURATION(ENGINE, "retry_interval", retry_interval_ns),
    DURATION(ENGINE, "retry_cap", retry_cap_ns),
    DURATION(ENGINE, "probe_interval", probe_interval_ns),
    DURATION(ENGINE, "ack_timeout", ack_timeout_ns),
    DURATION(ENGINE, "ack_delay", ack_delay_ns),
    DURATION(ENGINE, "idle_hello", idle_hello_ns),
    DURATION(ENGINE, "idle_mark", idle_mark_ns),
    DURATION(ENGINE, "fsync_spacing", fsync_spacing_ns),
    DURATION(ENGINE, "sweep_interval", sweep_interval_ns),
    DURATION(ENGINE, "clock_bound", clock_bound_ns),
};
struct preset {
  uint32_t index;
};
static const struct schema_field preset_field[] = {WORD(struct preset, "preset", index, presets)};

/* The preset first, so that what else is written wins over it. */
static void read_engine(lua_State *lua, int index, struct sync_options *options) {
  struct preset preset = {0};
  lua_createtable(lua, 0, 1);
  lua_pushliteral(lua, "preset");
  lua_rawget(lua, index);
  lua_setfield(lua, -2, "preset");
  schema_read(lua, -1, preset_field, 1, &preset, "engine", "engine");
  lua_pop(lua, 1);
  if (preset.index == 1)
    sync_options_fast(options);
  else
    sync_options_durable(options);
  schema_read(lua, index, engine_fields, COUNT_OF(engine_fields), options, "engine", "engine");
}

/* --- One node ------------------------------------------------------------------------ */

struct node_text {
  char clock[40];
};
static const struct schema_field node_fields[] = {
    {"engine", SCHEMA_TABLE, 0, 0, NO_WORDS},
    {"clock", SCHEMA_TEXT, SCHEMA_AT(struct node_text, clock), NO_WORDS},
    {"policy", SCHEMA_VALUE, 0, 0, NO_WORDS},
    {"policies", SCHEMA_TABLE, 0, 0, NO_WORDS},
};

static void read_node(lua_State *lua, int index, const struct cluster_config *cluster,
                      struct cluster_node_options *options) {
  struct node_text text = {""};
  struct units_error error;
  schema_read(lua, index, node_fields, COUNT_OF(node_fields), &text, "node_options", "node_options");
  if (text.clock[0] && !units_signed_duration(text.clock, strlen(text.clock), &options->clock_ns, &error))
    schema_raise(lua, "node_options", "clock", "node_options.clock: %s", error.text);
  options->policies = cluster->policies;
  options->has_policies = settings_read_policies(lua, index, &options->policies, "node_options");
  lua_pushliteral(lua, "engine");
  if (lua_rawget(lua, index) == LUA_TTABLE) {
    options->engine = cluster->engine;
    options->has_engine = true;
    schema_read(lua, lua_absindex(lua, -1), engine_fields + 1, COUNT_OF(engine_fields) - 1, &options->engine, "engine",
                "node_options");
  }
  lua_pop(lua, 1);
}

/* node_options = { [2] = { engine = { ... }, clock = "-1h" } }, after the cluster's engine. */
static void read_nodes(lua_State *lua, int index, struct settings *settings) {
  index = lua_absindex(lua, index);
  for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
    lua_Integer number = lua_isinteger(lua, -2) ? lua_tointeger(lua, -2) : 0;
    if (number < 1 || number > (lua_Integer)settings->cluster.nodes || !lua_istable(lua, -1))
      schema_raise(lua, "", "node_options",
                   "node_options is { [2] = { engine = { ... }, clock = \"1h\" } }, by numbers from 1 to %u",
                   settings->cluster.nodes);
  }
  for (uint32_t number = 1; number <= settings->cluster.nodes; number++) {
    if (lua_rawgeti(lua, index, number) == LUA_TTABLE) {
      read_node(lua, lua_absindex(lua, -1), &settings->cluster, &settings->node_options[number - 1]);
      settings->has_node_options = true;
    }
    lua_pop(lua, 1);
  }
}

/* --- Workload ---------------------------------------------------------------------------- */

struct kv {
  struct cluster_workload workload;
  uint32_t promise;
  bool swarm;
  char zipf[12];
};
static const struct schema_field kv_fields[] = {
    COUNT(struct kv, "keys", workload.keys, 1, 1000000),
    {"rate", SCHEMA_RATE, SCHEMA_AT(struct kv, workload.interval_ns), NO_WORDS},
    SHARE(struct kv, "deletes", workload.deletes_ppm),
    SHARE(struct kv, "hot", workload.hot_ppm),
    {"value", SCHEMA_SIZE_RANGE, SCHEMA_AT(struct kv, workload.value_bytes_min),
     SCHEMA_AT(struct kv, workload.value_bytes_max), 16, SYNC_VALUE_BYTES_LIMIT, NULL},
    SHARE(struct kv, "batch", workload.batch_ppm),
    COUNT(struct kv, "burst", workload.burst_max, 1, 64),
    {"variety", SCHEMA_BOOL, SCHEMA_AT(struct kv, workload.variety), NO_WORDS},
    COUNT(struct kv, "writers", workload.writers, 1, 64),
    WORD(struct kv, "promise", promise, promises),
    {"swarm", SCHEMA_BOOL, SCHEMA_AT(struct kv, swarm), NO_WORDS},
    {"zipf", SCHEMA_TEXT, SCHEMA_AT(struct kv, zipf), NO_WORDS},
    {"grow", SCHEMA_RATE, SCHEMA_AT(struct kv, workload.grow_interval_ns), NO_WORDS},
    {"busy", SCHEMA_DURATION_RANGE, SCHEMA_AT(struct kv, workload.busy_min_ns),
     SCHEMA_AT(struct kv, workload.busy_max_ns), SIM_MS, YEAR_NS, NULL},
    {"quiet", SCHEMA_DURATION_RANGE, SCHEMA_AT(struct kv, workload.quiet_min_ns),
     SCHEMA_AT(struct kv, workload.quiet_max_ns), SIM_MS, YEAR_NS, NULL},
};

/* "0.99" in hundredths; 0: that is none. */
static uint32_t exponent_of(const char *text) {
  uint32_t whole = 0, hundredths = 0, digits = 0;
  if (*text < '0' || *text > '9') return 0;
  for (; *text >= '0' && *text <= '9' && whole < 100; text++)
    whole = whole * 10u + (uint32_t)(*text - '0');
  if (*text == '.')
    for (text++; *text >= '0' && *text <= '9' && digits < 2; text++, digits++)
      hundredths += (uint32_t)(*text - '0') * (digits == 0 ? 10u : 1u);
  if (*text != '\0' || whole * 100u + hundredths > ZIPF_EXPONENT_MAX) return 0;
  return whole * 100u + hundredths;
}

/* What does not go together. */
static void check_kv(lua_State *lua, struct kv *kv) {
  struct cluster_workload *w = &kv->workload;
  w->zipf = exponent_of(kv->zipf);
  if (kv->zipf[0] && !w->zipf)
    schema_raise(lua, "", "zipf",
                 "sim.kv.zipf is an exponent from \"0.01\" to \"4\", with two digits behind the point "
                 "at most; \"0.99\" is usual");
  if (w->zipf && w->keys > ZIPF_RANKS_MAX)
    schema_raise(lua, "", "zipf", "sim.kv.zipf goes with at most %u keys", ZIPF_RANKS_MAX);
  if (w->zipf && w->hot_ppm) schema_raise(lua, "", "zipf", "sim.kv takes one of hot and zipf");
  if (!w->busy_max_ns != !w->quiet_max_ns)
    schema_raise(lua, "", "busy", "sim.kv takes busy and quiet together, or neither");
}

int settings_kv(lua_State *lua) {
  struct kv kv = {
      .workload = {.keys = 16, .interval_ns = 20 * SIM_MS, .value_bytes_min = 16, .value_bytes_max = 64},
  };
  lua_settop(lua, 1);
  schema_read(lua, 1, kv_fields, COUNT_OF(kv_fields), &kv, "sim.kv", "");
  check_kv(lua, &kv);
  struct kv *object = lua_newuserdatauv(lua, sizeof *object, 0);
  *object = kv;
  luaL_setmetatable(lua, KV_TYPE);
  return 1;
}

/* --- Scenario ------------------------------------------------------------------------------- */

struct outline {
  struct settings *settings;
  char name[SCENARIO_NAME_BYTES];
  char story[sizeof(((struct scenario_info *)0)->story)];
  char must_fail[sizeof(((struct scenario_info *)0)->must_fail)];
  uint32_t nodes, spares, topology, faults;
  uint64_t duration_ns, settle_ns;
  bool shuffle, swarm, vary;
};
#define OUTLINE struct outline
#define READ_LATER(key, type)                                                                                          \
  { key, type, 0, 0, NO_WORDS }
static const struct schema_field scenario_fields[] = {
    {"name", SCHEMA_TEXT, SCHEMA_AT(OUTLINE, name), NO_WORDS},
    {"story", SCHEMA_TEXT, SCHEMA_AT(OUTLINE, story), NO_WORDS},
    COUNT(OUTLINE, "nodes", nodes, 1, 64),
    COUNT(OUTLINE, "spares", spares, 1, 63),
    WORD(OUTLINE, "topology", topology, topologies),
    {"duration", SCHEMA_DURATION, SCHEMA_AT(OUTLINE, duration_ns), 0, 0, 1, YEAR_NS, NULL},
    DURATION(OUTLINE, "settle", settle_ns),
    READ_LATER("absent", SCHEMA_TABLE),
    READ_LATER("choices", SCHEMA_TABLE),
    READ_LATER("workload", SCHEMA_VALUE),
    READ_LATER("network", SCHEMA_TABLE),
    READ_LATER("disk", SCHEMA_TABLE),
    READ_LATER("engine", SCHEMA_TABLE),
    READ_LATER("policy", SCHEMA_VALUE),
    READ_LATER("policies", SCHEMA_TABLE),
    READ_LATER("node_options", SCHEMA_TABLE),
    {"shuffle", SCHEMA_BOOL, SCHEMA_AT(OUTLINE, shuffle), NO_WORDS},
    WORD(OUTLINE, "faults", faults, fault_choices),
    {"swarm", SCHEMA_BOOL, SCHEMA_AT(OUTLINE, swarm), NO_WORDS},
    {"vary", SCHEMA_BOOL, SCHEMA_AT(OUTLINE, vary), NO_WORDS},
    {"must_fail", SCHEMA_TEXT, SCHEMA_AT(OUTLINE, must_fail), NO_WORDS},
    READ_LATER("expects", SCHEMA_TABLE),
    READ_LATER("run", SCHEMA_FUNCTION),
    READ_LATER("properties", SCHEMA_TABLE),
    READ_LATER("variants", SCHEMA_TABLE),
    READ_LATER("without", SCHEMA_TABLE),
    READ_LATER("tags", SCHEMA_TABLE),
};

enum sim_fault settings_fault(lua_State *lua, const char *name, const char *path, const char *key) {
  const char *names[SIM_FAULT_COUNT];
  for (int i = 0; i < SIM_FAULT_COUNT; i++) {
    names[i] = sim_fault_name((enum sim_fault)i);
    if (strcmp(names[i], name) == 0) return (enum sim_fault)i;
  }
  const char *near = nearest_word(name, names, SIM_FAULT_COUNT);
  if (near) schema_raise(lua, path, key, "there is no fault \"%s\"; did you mean \"%s\"?", name, near);
  schema_raise(lua, path, key, "there is no fault \"%s\" (docs/scenarios.md lists them)", name);
}

static void expect(struct settings *settings, enum sim_fault fault, uint64_t amount) {
  if (amount) settings->info.expects[fault] = true;
}

static void expect_enabled(struct settings *settings) {
  const struct sim_link_config *link = &settings->link;
  const struct sim_disk_config *disk = &settings->disk;
  expect(settings, SIM_FAULT_NET_LOSS, link->loss_ppm);
  expect(settings, SIM_FAULT_NET_DUPLICATE, link->duplicate_ppm);
  expect(settings, SIM_FAULT_NET_REORDER, link->reorder_ppm);
  expect(settings, SIM_FAULT_NET_CORRUPT, link->corrupt_ppm);
  expect(settings, SIM_FAULT_NET_TRUNCATE, link->truncate_ppm);
  expect(settings, SIM_FAULT_NET_EXTEND, link->extend_ppm);
  expect(settings, SIM_FAULT_NET_SPLICE, link->splice_ppm);
  expect(settings, SIM_FAULT_NET_MISDELIVER, link->misdeliver_ppm);
  expect(settings, SIM_FAULT_NET_SLOW, link->slow_ppm);
  expect(settings, SIM_FAULT_NET_BURST, link->burst_enter_ppm);
  expect(settings, SIM_FAULT_NET_CLOG, link->clog_ppm);
  expect(settings, SIM_FAULT_NET_BANDWIDTH, link->bandwidth_bytes_per_s);
  expect(settings, SIM_FAULT_NET_OVERFLOW, link->queue_messages | link->queue_bytes);
  expect(settings, SIM_FAULT_DISK_FULL, disk->quota_bytes);
  expect(settings, SIM_FAULT_DISK_LATENCY, disk->latency_max_ns);
  expect(settings, SIM_FAULT_DISK_STALL, disk->stall_ppm);
  expect(settings, SIM_FAULT_DISK_WRITE_BACK, disk->write_back_ppm);
  expect(settings, SIM_FAULT_DISK_READ_ERROR, disk->read_error_ppm);
  expect(settings, SIM_FAULT_DISK_WRITE_ERROR, disk->write_error_ppm);
  expect(settings, SIM_FAULT_DISK_SHORT, disk->short_ppm);
  expect(settings, SIM_FAULT_DISK_INTERRUPT, disk->interrupt_ppm);
  expect(settings, SIM_FAULT_DISK_FSYNC_ERROR, disk->fsync_error_ppm);
  expect(settings, SIM_FAULT_DISK_FSYNC_NO_SPACE, disk->fsync_no_space_ppm);
  expect(settings, SIM_FAULT_DISK_OPEN_ERROR, disk->open_error_ppm);
  expect(settings, SIM_FAULT_DISK_CLOSE_ERROR, disk->close_error_ppm);
  expect(settings, SIM_FAULT_DISK_TRUNCATE_ERROR, disk->truncate_error_ppm);
  expect(settings, SIM_FAULT_DISK_SIZE_ERROR, disk->size_error_ppm);
  expect(settings, SIM_FAULT_DISK_RENAME_ERROR, disk->rename_error_ppm);
  expect(settings, SIM_FAULT_DISK_UNLINK_ERROR, disk->unlink_error_ppm);
  expect(settings, SIM_FAULT_DISK_LIST_ERROR, disk->list_error_ppm);
  expect(settings, SIM_FAULT_DISK_FSYNC_REQUEST_ERROR, disk->fsync_request_error_ppm);
  expect(settings, SIM_FAULT_DISK_FSYNC_LIE, disk->fsync_lie_ppm);
  expect(settings, SIM_FAULT_DISK_ROT, disk->rot_ppm | disk->rot_running_ppm);
  expect(settings, SIM_FAULT_DISK_LATENT, disk->latent_ppm);
  expect(settings, SIM_FAULT_DISK_UNREADABLE, disk->unreadable_ppm);
  expect(settings, SIM_FAULT_DISK_LOST_WRITE, disk->lost_write_ppm);
  expect(settings, SIM_FAULT_DISK_MISDIRECTED, disk->misdirect_ppm);
}

static void read_expects(lua_State *lua, int index, struct settings *settings) {
  lua_Integer count = list_length(lua, index);
  for (lua_Integer i = 1; i <= count; i++) {
    if (lua_rawgeti(lua, index, i) != LUA_TSTRING)
      schema_raise(lua, "", "expects", "expects is a list of fault names in quotes");
    settings->info.expects[settings_fault(lua, word_check(lua, -1, "expects"), "", "expects")] = true;
    lua_pop(lua, 1);
  }
}

/* Pushes the option and gives whether it is there. */
static bool push_option(lua_State *lua, const char *key) {
  lua_pushstring(lua, key);
  if (lua_rawget(lua, 1) != LUA_TNIL) return true;
  lua_pop(lua, 1);
  return false;
}

static void read_absent(lua_State *lua, int index, struct settings *settings) {
  lua_Integer count = list_length(lua, index);
  for (lua_Integer i = 1; i <= count; i++) {
    (void)lua_rawgeti(lua, index, i);
    lua_Integer node = lua_isinteger(lua, -1) ? lua_tointeger(lua, -1) : 0;
    if (node < 1 || node > (lua_Integer)settings->cluster.nodes)
      schema_raise(lua, "", "absent", "absent is a list of nodes, by numbers from 1 to %u", settings->cluster.nodes);
    settings->cluster.absent |= UINT64_C(1) << (node - 1);
    lua_pop(lua, 1);
  }
  if (settings->cluster.absent == UINT64_MAX >> (64u - settings->cluster.nodes))
    schema_raise(lua, "", "absent", "absent names all nodes; one at least takes part");
}

static void read_parts(lua_State *lua, struct script *script, struct settings *settings) {
  if (push_option(lua, "absent")) {
    read_absent(lua, 2, settings);
    lua_pop(lua, 1);
  }
  if (push_option(lua, "choices")) {
    settings_read_choices(lua, 2, settings);
    lua_pop(lua, 1);
  }
  if (push_option(lua, "network")) {
    settings_read_network(lua, 2, &settings->link, "network");
    lua_pop(lua, 1);
  }
  if (push_option(lua, "disk")) {
    settings_read_disk(lua, 2, &settings->disk, "disk");
    lua_pop(lua, 1);
  }
  if (push_option(lua, "engine")) {
    read_engine(lua, 2, &settings->cluster.engine);
    lua_pop(lua, 1);
  }
  (void)settings_read_policies(lua, 1, &settings->cluster.policies, "");
  if (push_option(lua, "node_options")) {
    read_nodes(lua, 2, settings);
    lua_pop(lua, 1);
  }
  if (push_option(lua, "workload")) {
    const struct kv *kv = luaL_testudata(lua, 2, KV_TYPE);
    if (!kv) schema_raise(lua, "", "workload", "workload must be sim.kv { ... }, not a %s", luaL_typename(lua, 2));
    script->workload = kv->workload;
    script->has_workload = true;
    script->swarm_operations = kv->swarm;
    settings->cluster.promise_at_submit = kv->promise == 1;
    lua_pop(lua, 1);
  }
  expect_enabled(settings);
  if (push_option(lua, "expects")) {
    read_expects(lua, 2, settings);
    lua_pop(lua, 1);
  }
  if (push_option(lua, "properties")) {
    properties_take(lua, 2);
    lua_pop(lua, 1);
  }
  if (push_option(lua, "tags")) {
    tags_read(lua, 2, &settings->info);
    lua_pop(lua, 1);
  }
  if (push_option(lua, "without")) {
    without_take(lua, 2, &settings->info);
    lua_pop(lua, 1);
  }
  if (push_option(lua, "variants")) {
    parameters_take_variants(lua, 2, &settings->info);
    lua_pop(lua, 1);
  }
  if (push_option(lua, "run")) lua_setfield(lua, LUA_REGISTRYINDEX, "run");
}

static void keep_outline(struct script *script, struct settings *settings, const struct outline *outline) {
  struct scenario_info *info = &settings->info;
  memcpy(info->name, outline->name, sizeof outline->name);
  memcpy(info->story, outline->story, sizeof info->story);
  memcpy(info->must_fail, outline->must_fail, sizeof info->must_fail);
  memcpy(script->name, outline->name, sizeof script->name);
  info->nodes = outline->nodes + outline->spares;
  info->duration_ns = outline->duration_ns;
  info->settle_ns = outline->settle_ns;
  settings->shuffle = outline->shuffle;
  settings->swarm = outline->swarm;
  settings->swarm_all = outline->faults == 1;
  settings->vary = outline->vary;
  settings->cluster.nodes = outline->nodes + outline->spares;
  settings->cluster.spares = outline->spares;
  settings->cluster.topology = (enum cluster_topology)outline->topology;
}

/* The greatest number of peers that a node may have. */
static uint32_t degree(const struct cluster_config *config) {
  uint32_t others = config->nodes - 1u;
  bool narrow = config->topology == CLUSTER_LINE || config->topology == CLUSTER_RING;
  return narrow && others > 2u ? 2u : others;
}

/* What can be known beforehand to keep the nodes apart for ever. */
static void refuse_apart(lua_State *lua, const struct settings *settings) {
  const struct cluster_config *config = &settings->cluster;
  uint32_t peers = config->engine.peers_max, links = degree(config);
  if (peers && peers < links)
    schema_raise(lua, "engine", "peers_max",
                 "peers_max = %d is less than the %d peers that a node of this topology has: they could never converge",
                 (int)peers, (int)links);
  if (config->nodes > 1u && !settings->info.settle_ns)
    schema_raise(lua, "", "settle", "settle = \"0s\" leaves no time to converge in; give some, or leave it out");
}

/* The options that make the world, as they are written, for whoever records the run. */
static void tell_options(lua_State *lua, struct script *script) {
  static const char *const keys[] = {"nodes", "spares", "absent", "topology", "settle",       "network",
                                     "disk",  "engine", "policy", "policies", "node_options", "shuffle",
                                     "swarm", "vary",   "faults", "without"};
  if (!sim_trace_recording(script->world)) return;
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    char text[960];
    struct literal literal;
    if (!push_option(lua, keys[i])) continue;
    literal_begin(&literal, text, sizeof text);
    literal_add(&literal, keys[i]);
    literal_add(&literal, " = ");
    literal_value(&literal, lua, -1);
    sim_trace_statement(script->world, SIM_STATEMENT_OF_OPTIONS, literal.whole ? text : keys[i]);
    lua_pop(lua, 1);
  }
  if (script->settings->cluster.promise_at_submit) /* what is left of the workload when nothing comes of it */
    sim_trace_statement(script->world, SIM_STATEMENT_OF_OPTIONS,
                        "workload = sim.kv { rate = \"1/h\", promise = \"submit\" }");
}

/* A canary that fails for want of the right word would be missed for ever. */
static void check_must_fail(lua_State *lua, const struct settings *settings) {
  const struct script *script = script_of(lua);
  const char *names[SCRIPT_PROPERTIES_MAX + CLUSTER_ORACLES_MAX + 3u], *wanted = settings->info.must_fail;
  size_t count = 0;
  if (!wanted[0]) return;
  for (size_t i = 0; i < cluster_oracle_count() && i < CLUSTER_ORACLES_MAX; i++)
    names[count++] = cluster_oracle_names[i];
  for (uint32_t i = 0; i < script->property_count; i++)
    names[count++] = script->properties[i].name;
  names[count++] = CLUSTER_LIVELOCK;
  names[count++] = "assertion";
  names[count++] = settings->info.name; /* of world:fail */
  for (size_t i = 0; i < count; i++)
    if (strcmp(names[i], wanted) == 0) return;
  const char *near = nearest_word(wanted, names, count);
  if (near)
    schema_raise(lua, "", "must_fail", "must_fail: there is no oracle or property \"%s\"; did you mean \"%s\"?", wanted,
                 near);
  schema_raise(lua, "", "must_fail",
               "must_fail: there is no oracle or property \"%s\" (docs/promises.md has the oracles)", wanted);
}

int settings_scenario(lua_State *lua) {
  struct script *script = script_of(lua);
  struct settings *settings = script->settings;
  struct outline outline = {.nodes = 3, .duration_ns = 20 * SIM_SECOND, .settle_ns = 120 * SIM_SECOND};
  lua_settop(lua, 1);
  if (!settings) script_raise(lua, "sim.scenario is called at the top of the file, not while it runs");
  if (settings->complete) script_raise(lua, "sim.scenario is called once in a file");
  schema_read(lua, 1, scenario_fields, COUNT_OF(scenario_fields), &outline, "sim.scenario", "");
  if (!outline.name[0]) script_raise(lua, "sim.scenario needs a name: name = \"what must hold, in a few words\"");
  if (outline.nodes + outline.spares > 64) schema_raise(lua, "", "spares", "nodes and spares are more than 64");
  if (outline.spares && outline.vary)
    schema_raise(lua, "", "spares",
                 "spares and vary do not go together: how many nodes there are is the seed's choice");
  if (outline.swarm && outline.faults == 1)
    schema_raise(lua, "", "swarm", "swarm = true is part of faults = \"swarm\": leave it out");
  keep_outline(script, settings, &outline);
  read_parts(lua, script, settings);
  refuse_apart(lua, settings);
  check_must_fail(lua, settings);
  for (uint32_t i = 0; i < script->property_count; i++) {
    struct script_property *property = &script->properties[i];
    if (property->kind != SCRIPT_SOMETIMES) continue;
    memcpy(settings->info.sometimes[settings->info.sometimes_count++], property->name, SCENARIO_NAME_BYTES);
  }
  script->link = settings->link;
  settings->complete = true;
  tell_options(lua, script);
  (void)lua_newuserdatauv(lua, 1, 0);
  luaL_setmetatable(lua, SCENARIO_TYPE);
  return 1;
}

/* --- Swarm ------------------------------------------------------------------------------------ */

/* Identities beside those of the shares, which are their places in the list. */
#define SWARM_BANDWIDTH 1000u
#define SWARM_QUEUE 1001u
#define SWARM_VARIETY 1002u

void settings_swarm(struct sim_world *world, struct settings *settings) {
  struct sim_link_config *link = &settings->link;
  struct sim_disk_config *disk = &settings->disk;
  uint32_t *const shares[] = {
      &link->loss_ppm,
      &link->duplicate_ppm,
      &link->reorder_ppm,
      &link->corrupt_ppm,
      &link->truncate_ppm,
      &link->slow_ppm,
      &disk->stall_ppm,
      &disk->write_back_ppm,
      &disk->read_error_ppm,
      &disk->write_error_ppm,
      &disk->short_ppm,
      &disk->interrupt_ppm,
      &disk->fsync_error_ppm,
      &disk->fsync_lie_ppm,
      &disk->rot_ppm,
      &disk->lost_write_ppm,
      &disk->misdirect_ppm,
      &disk->unreadable_ppm,
      &link->burst_enter_ppm,
      &link->clog_ppm,
      &disk->rot_running_ppm,
      &disk->latent_ppm,
      &disk->fsync_no_space_ppm,
      &disk->open_error_ppm,
      &disk->close_error_ppm,
      &disk->truncate_error_ppm,
      &disk->size_error_ppm,
      &disk->rename_error_ppm,
      &disk->unlink_error_ppm,
      &disk->list_error_ppm,
      &disk->fsync_request_error_ppm,
      &link->extend_ppm,
      &link->splice_ppm,
      &link->misdeliver_ppm,
  };
  for (uint32_t i = 0; i < COUNT_OF(shares); i++)
    if (*shares[i] && !sim_chance(world, sim_tag(SIM_CHOICE_SWARM, 0, i), 500000)) *shares[i] = 0;
  if (link->bandwidth_bytes_per_s && !sim_chance(world, sim_tag(SIM_CHOICE_SWARM, 0, SWARM_BANDWIDTH), 500000))
    link->bandwidth_bytes_per_s = 0;
  if ((link->queue_messages || link->queue_bytes) &&
      !sim_chance(world, sim_tag(SIM_CHOICE_SWARM, 0, SWARM_QUEUE), 500000))
    link->queue_messages = 0, link->queue_bytes = 0;
  settings->plain_workload = !sim_chance(world, sim_tag(SIM_CHOICE_SWARM, 0, SWARM_VARIETY), 500000);
}
