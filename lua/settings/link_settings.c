#include "lua/settings/link_settings.h"

#include <lauxlib.h>

#include "lua/language/script.h"
#include "lua/language/show.h"
#include "lua/settings/schema.h"
#include "lua/text/units.h"

#define YEAR_NS (UINT64_C(365) * 24u * 3600u * SIM_SECOND)
#define BANDWIDTH_MAX (UINT64_C(1) << 40)

#define LINK struct sim_link_config
#define NO_WORDS 0, 0, 0, 0, NULL
#define DURATION(key, member)                                                                                          \
  { key, SCHEMA_DURATION, SCHEMA_AT(LINK, member), 0, 0, 0, YEAR_NS, NULL }
#define SHARE(key, member)                                                                                             \
  { key, SCHEMA_SHARE, SCHEMA_AT(LINK, member), NO_WORDS }
#define READ_LATER(key)                                                                                                \
  { key, SCHEMA_VALUE, 0, 0, NO_WORDS }

static const struct schema_field fields[] = {
    READ_LATER("delay"),
    SHARE("loss", loss_ppm),
    SHARE("duplicate", duplicate_ppm),
    DURATION("duplicate_within", duplicate_max_ns),
    SHARE("reorder", reorder_ppm),
    DURATION("reorder_within", reorder_max_ns),
    SHARE("corrupt", corrupt_ppm),
    SHARE("truncate", truncate_ppm),
    SHARE("extend", extend_ppm),
    SHARE("splice", splice_ppm),
    SHARE("misdeliver", misdeliver_ppm),
    SHARE("slow", slow_ppm),
    DURATION("slow_within", slow_max_ns),
    SHARE("burst", burst_enter_ppm),
    {"burst_end", SCHEMA_SHARE, SCHEMA_AT(LINK, burst_leave_ppm), 0, 0, 1, 1000000, NULL},
    {"burst_loss", SCHEMA_SHARE, SCHEMA_AT(LINK, burst_loss_ppm), 0, 0, 1, 1000000, NULL},
    SHARE("clog", clog_ppm),
    {"clog_time", SCHEMA_DURATION_RANGE, SCHEMA_AT(LINK, clog_min_ns), SCHEMA_AT(LINK, clog_max_ns), 0, YEAR_NS, NULL},
    READ_LATER("bandwidth"),
    READ_LATER("queue"),
};

/* Pushes the option and gives whether it is there. */
static bool push_option(lua_State *lua, int index, const char *key) {
  lua_pushstring(lua, key);
  if (lua_rawget(lua, index) != LUA_TNIL) return true;
  lua_pop(lua, 1);
  return false;
}

static const char *text_of(lua_State *lua, const char *path, const char *key, const char *want, size_t *size) {
  if (lua_type(lua, -1) == LUA_TNUMBER)
    schema_raise(lua, path, key, "network.%s is the bare number %s: write %s", key, show_name(lua, -1), want);
  if (lua_type(lua, -1) != LUA_TSTRING)
    schema_raise(lua, path, key, "network.%s is a %s: write %s", key, luaL_typename(lua, -1), want);
  return show_text(lua, -1, size);
}

static void read_delay(lua_State *lua, struct sim_link_config *link, const char *path) {
  struct units_error error;
  size_t size;
  const char *text = text_of(lua, path, "delay", "a delay like \"5ms\", \"5ms..50ms\" or \"5ms mean 20ms\"", &size);
  uint64_t min_ns, max_ns, mean_ns;
  if (!units_delay(text, size, &min_ns, &max_ns, &mean_ns, &error))
    schema_raise(lua, path, "delay", "network.delay: %s", error.text);
  if (max_ns > YEAR_NS || mean_ns > YEAR_NS) schema_raise(lua, path, "delay", "network.delay is more than a year");
  link->delay_min_ns = min_ns;
  link->delay_max_ns = max_ns;
  link->delay_mean_ns = mean_ns;
}

static void read_bandwidth(lua_State *lua, struct sim_link_config *link, const char *path) {
  struct units_error error;
  size_t size;
  const char *text = text_of(lua, path, "bandwidth", "a bandwidth like \"64KiB/s\"", &size);
  uint64_t bytes;
  if (!units_bandwidth(text, size, &bytes, &error))
    schema_raise(lua, path, "bandwidth", "network.bandwidth: %s", error.text);
  if (bytes > BANDWIDTH_MAX) schema_raise(lua, path, "bandwidth", "network.bandwidth is more than 1 TiB/s");
  link->bandwidth_bytes_per_s = bytes;
}

/* A number of messages, or a size. */
static void read_queue(lua_State *lua, struct sim_link_config *link, const char *path) {
  if (lua_isinteger(lua, -1)) {
    lua_Integer count = lua_tointeger(lua, -1);
    if (count < 0 || count > 1000000)
      schema_raise(lua, path, "queue", "network.queue has 1 to 1000000 messages (0: no bound)");
    link->queue_messages = (uint32_t)count;
    link->queue_bytes = 0;
    return;
  }
  struct units_error error;
  size_t size;
  const char *text = text_of(lua, path, "queue", "a number of messages like 20, or a size like \"64KiB\"", &size);
  if (!units_size(text, size, &link->queue_bytes, &error))
    schema_raise(lua, path, "queue", "network.queue: %s", error.text);
  link->queue_messages = 0;
}

void settings_read_network(lua_State *lua, int index, struct sim_link_config *link, const char *path) {
  index = lua_absindex(lua, index);
  schema_read(lua, index, fields, sizeof fields / sizeof *fields, link, "network", path);
  if (push_option(lua, index, "delay")) {
    read_delay(lua, link, path);
    lua_pop(lua, 1);
  }
  if (push_option(lua, index, "bandwidth")) {
    read_bandwidth(lua, link, path);
    lua_pop(lua, 1);
  }
  if (push_option(lua, index, "queue")) {
    read_queue(lua, link, path);
    lua_pop(lua, 1);
  }
}
