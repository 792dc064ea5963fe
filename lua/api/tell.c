#include "lua/api/tell.h"

#include <lauxlib.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lua/language/literal.h"
#include "lua/language/objects.h"
#include "lua/text/units.h"

#define STATEMENT_BYTES 960u /* names of a recording have 1000 */

void tell(struct script *script, const char *format, ...) {
  char text[STATEMENT_BYTES];
  if (!sim_trace_recording(script->world)) return;
  int head =
      snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 " ", sim_now(script->world), sim_event_id(script->world));
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(text + head, sizeof text - (size_t)head, format, arguments);
  va_end(arguments);
  sim_trace_statement(script->world, SIM_STATEMENT_OF_SCRIPT, text);
}

/* "node:wipe" is said of world:node(3), "world:forge" of world. */
static void add_callee(struct literal *literal, const char *what, uint32_t node) {
  char object[32] = "world";
  const char *method = strchr(what, ':');
  if (strncmp(what, "node:", 5) == 0) (void)snprintf(object, sizeof object, "world:node(%u)", node);
  literal_add(literal, object);
  literal_add(literal, method != NULL ? method : what);
}

void tell_call(lua_State *lua, const char *what, uint32_t node, uint32_t handle) {
  struct script *script = script_of(lua);
  char text[STATEMENT_BYTES];
  struct literal literal;
  if (!sim_trace_recording(script->world)) return;
  int count = lua_gettop(lua);
  while (count > 1 && lua_isuserdata(lua, count) && !luaL_testudata(lua, count, NODE_TYPE))
    count--; /* what C has pushed since is no argument */
  literal_begin(&literal, text, sizeof text);
  add_callee(&literal, what, node);
  const bool one_table = count == 2 && lua_istable(lua, 2);
  literal_add(&literal, one_table ? " " : "(");
  for (int i = 2; i <= count; i++) {
    if (i > 2) literal_add(&literal, ", ");
    literal_value(&literal, lua, i);
  }
  if (!one_table) literal_add(&literal, ")");
  if (!literal.whole)
    tell(script, "-- %s: what it was given cannot be written down", what);
  else if (handle != 0)
    tell(script, "local cut%u = %s", handle, text);
  else
    tell(script, "%s", text);
}

void tell_crash(struct script *script, const char *method, uint32_t node, const char *key, uint64_t nth,
                uint32_t calls) {
  uint32_t call = 1;
  while (call < SIM_CALL_COUNT && calls != UINT32_C(1) << call)
    call++;
  if (nth == 0)
    tell(script, "world:node(%u):%s()", node, method);
  else if (calls == SIM_CALLS_CHANGES)
    tell(script, "world:node(%u):%s { %s = %" PRIu64 " }", node, method, key, nth);
  else if (call < SIM_CALL_COUNT)
    tell(script, "world:node(%u):%s { %s = { call = \"%s\", nth = %" PRIu64 " } }", node, method, key,
         sim_call_name((enum sim_call)call), nth);
  else
    tell(script, "world:node(%u):%s { %s = %" PRIu64 ", calls = \"all\" }", node, method, key, nth);
}

/* --- Cuts --------------------------------------------------------------------------------- */

static bool has_link(const struct link_set *links, uint32_t from, uint32_t to) {
  for (uint32_t i = 0; i < links->count; i++)
    if (links->names[i].from == from && links->names[i].to == to) return true;
  return false;
}

struct side {
  uint32_t count;
  uint32_t nodes[SCRIPT_GROUP_MAX];
};

/* Those to whom `node` has a link that is cut. */
static void others_of(const struct link_set *links, uint32_t node, struct side *side) {
  side->count = 0;
  for (uint32_t other = 1; other <= SCRIPT_GROUP_MAX; other++)
    if (has_link(links, node, other)) side->nodes[side->count++] = other;
}

static void add_side(struct literal *literal, const struct side *side) {
  literal_add(literal, "{ ");
  for (uint32_t i = 0; i < side->count; i++) {
    char number[16];
    (void)snprintf(number, sizeof number, i == 0 ? "%u" : ", %u", side->nodes[i]);
    literal_add(literal, number);
  }
  literal_add(literal, " }");
}

/* "{ 1 }, { 2, 3 }" when the links are all those between two groups, both ways. */
static bool two_sides(const struct link_set *links, char *text, size_t size) {
  struct side a, b;
  struct literal literal;
  if (links->count == 0) return false;
  others_of(links, links->names[0].from, &b);
  others_of(links, b.nodes[0], &a);
  bool whole = links->count == 2u * a.count * b.count;
  for (uint32_t i = 0; i < a.count && whole; i++)
    for (uint32_t j = 0; j < b.count && whole; j++)
      whole = has_link(links, a.nodes[i], b.nodes[j]) && has_link(links, b.nodes[j], a.nodes[i]);
  if (!whole) return false;
  literal_begin(&literal, text, size);
  add_side(&literal, &a);
  literal_add(&literal, ", ");
  add_side(&literal, &b);
  return literal.whole;
}

uint32_t tell_cut(struct script *script, const struct link_set *links, uint32_t handle) {
  char sides[STATEMENT_BYTES / 2];
  uint32_t parts = 0;
  if (!sim_trace_recording(script->world)) return 0;
  if (two_sides(links, sides, sizeof sides)) {
    tell(script, "local cut%u = world:partition(%s)", handle, sides);
    return 0;
  }
  for (uint32_t i = 0; i < links->count; i++) {
    const uint32_t from = links->names[i].from, to = links->names[i].to;
    const bool both = has_link(links, to, from);
    if (both && from > to) continue;
    parts++;
    tell(script, "local cut%u_%u = world:%s(%u, %u)", handle, parts, both ? "partition" : "partition_one_way", from,
         to);
  }
  return parts;
}

void tell_flap(struct script *script, const struct link_set *links, const struct sim_flap_config *config,
               uint32_t handle) {
  char sides[STATEMENT_BYTES / 2];
  if (!sim_trace_recording(script->world)) return;
  if (!two_sides(links, sides, sizeof sides)) {
    tell(script, "-- world:flap: links that are not all those between two groups cannot be written down");
    return;
  }
  tell(script, "local cut%u = world:flap(%s, \"%" PRIu64 "ns..%" PRIu64 "ns\", \"%" PRIu64 "ns..%" PRIu64 "ns\")",
       handle, sides, config->down_min_ns, config->down_max_ns, config->up_min_ns, config->up_max_ns);
}

void tell_heal(struct script *script, uint32_t handle, uint32_t parts) {
  if (parts == 0) tell(script, "cut%u:heal()", handle);
  for (uint32_t i = 1; i <= parts; i++)
    tell(script, "cut%u_%u:heal()", handle, i);
}

void tell_link(lua_State *lua, uint32_t from, uint32_t to) {
  struct script *script = script_of(lua);
  char text[STATEMENT_BYTES - 64];
  struct literal literal;
  if (!sim_trace_recording(script->world)) return;
  literal_begin(&literal, text, sizeof text);
  literal_value(&literal, lua, 1);
  tell(script, "world:link(%u, %u) %s", from, to, text);
}

void tell_swizzle(struct script *script, const uint32_t *nodes, uint32_t count, uint64_t ns) {
  struct side side = {.count = count < SCRIPT_GROUP_MAX ? count : SCRIPT_GROUP_MAX};
  char text[STATEMENT_BYTES / 2];
  struct literal literal;
  memcpy(side.nodes, nodes, side.count * sizeof *nodes);
  literal_begin(&literal, text, sizeof text);
  add_side(&literal, &side);
  tell(script, "world:swizzle(\"%" PRIu64 "ns\", %s)", ns, text);
}

void tell_resolve(lua_State *lua, uint32_t node) {
  struct script *script = script_of(lua);
  char text[128] = "";
  struct literal literal;
  if (!sim_trace_recording(script->world)) return;
  literal_begin(&literal, text, sizeof text);
  if (!lua_isnoneornil(lua, 4)) {
    literal_add(&literal, ", ");
    literal_value(&literal, lua, 4);
  }
  const long long key = (long long)lua_tointeger(lua, 2);
  tell(script,
       "for _, c in ipairs(world:node(%u):conflicts()) do if c.key == %lld then world:node(%u):resolve(%lld, "
       "c.token%s) end end",
       node, key, node, key, text);
}
