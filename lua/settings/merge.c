#include "lua/settings/merge.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "lua/language/objects.h"
#include "lua/language/script.h"
#include "lua/language/show.h"

#define MERGE_STEPS UINT64_C(1000000) /* of one call */
#define MERGE_PLACES UINT64_C(1000000)
#define COLLECT_EVERY 256u /* merges, where no script runs */
#define SHOWN_VALUES 4u
#define SHOWN_BYTES 20u

/* --- Making one ------------------------------------------------------------------------------ */

struct merge_object {
  uint32_t place; /* in script.merges */
};

int merge_make(lua_State *lua) {
  struct script *script = script_of(lua);
  lua_Debug debug;
  if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TFUNCTION)
    script_raise(lua, "write sim.merge(function(key, values) ... return value end)");
  if (script->merging) script_raise(lua, "a merge function makes no other");
  if (script->merge_count == CLUSTER_OWN_MERGES_MAX)
    script_raise(lua, "a scenario has at most %u merge functions: make each once, not in a loop",
                 CLUSTER_OWN_MERGES_MAX);
  struct merge_object *object = lua_newuserdatauv(lua, sizeof *object, 0);
  object->place = script->merge_count;
  luaL_setmetatable(lua, MERGE_TYPE);
  lua_pushvalue(lua, 1);
  (void)lua_getinfo(lua, ">S", &debug);
  lua_pushvalue(lua, 1);
  struct script_merge *merge = &script->merges[script->merge_count++];
  *merge = (struct script_merge){script, luaL_ref(lua, LUA_REGISTRYINDEX), debug.linedefined};
  return 1;
}

bool merge_policy(lua_State *lua, int index, uint32_t *policy) {
  const struct merge_object *object = luaL_testudata(lua, index, MERGE_TYPE);
  if (object) *policy = CLUSTER_MERGE_OWN + object->place;
  return object != NULL;
}

/* --- Calling it ------------------------------------------------------------------------------ */

/* The i-th value that the function is given: i, or count - 1 - i, or i + 1. */
enum merge_order { ORDER_GIVEN, ORDER_REVERSED, ORDER_TURNED };

struct merge_call {
  const struct script_merge *merge;
  const void *key;
  size_t key_size;
  const struct sync_sibling *values;
  size_t count;
  enum merge_order order;
};

static const struct sync_sibling *value_at(const struct merge_call *call, size_t i) {
  if (call->order == ORDER_REVERSED) return &call->values[call->count - 1u - i];
  return &call->values[call->order == ORDER_TURNED ? (i + 1u) % call->count : i];
}

/* Runs protected, with a struct merge_call: leaves a text or nil. */
static int run(lua_State *lua) {
  const struct merge_call *call = lua_touserdata(lua, 1);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, call->merge->function);
  lua_pushlstring(lua, call->key, call->key_size);
  lua_createtable(lua, (int)call->count, 0);
  for (size_t i = 0; i < call->count; i++) {
    const struct sync_sibling *value = value_at(call, i);
    lua_pushlstring(lua, value->value_size ? value->value : "", value->value_size);
    lua_rawseti(lua, -2, (lua_Integer)i + 1);
  }
  lua_call(lua, 2, 1);
  int type = lua_type(lua, -1);
  if (type != LUA_TSTRING && type != LUA_TNIL)
    script_raise_at(lua, call->merge->line,
                    "the merge function returned a %s: return a text, or nil where the values cannot be merged",
                    lua_typename(lua, type));
  return 1;
}

/* In a budget of its own; what it takes of it the script that reads has taken. Pushes the text or nil; false: the
 * script is wrong. */
static bool call_once(const struct merge_call *call) {
  struct script *script = call->merge->script;
  uint64_t steps = script->slice_steps, places = script->slice_places;
  bool running = script->current || script->watching;
  script->slice_steps = MERGE_STEPS;
  script->slice_places = MERGE_PLACES;
  script->merging = true;
  lua_pushcfunction(script->lua, run);
  lua_pushlightuserdata(script->lua, (void *)(uintptr_t)call);
  bool good = script_call(script, 1, 1);
  script->merging = false;
  uint64_t taken = MERGE_STEPS - script->slice_steps, placed = MERGE_PLACES - script->slice_places;
  script->slice_steps = !running ? steps : taken < steps ? steps - taken : 0;
  script->slice_places = !running ? places : placed < places ? places - placed : 0;
  return good;
}

/* --- What is not a function of the values ------------------------------------------------------ */

static void show_bytes(char *text, size_t room, const void *value, size_t size) {
  const uint8_t *bytes = value;
  size_t used = 0;
  text[used++] = '"';
  for (size_t i = 0; i < size && i < SHOWN_BYTES && used + 10 < room; i++) {
    bool plain = bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '"' && bytes[i] != '\\';
    used += (size_t)snprintf(text + used, room - used, plain ? "%c" : "\\x%02x", bytes[i]);
  }
  (void)snprintf(text + used, room - used, size > SHOWN_BYTES ? "...\"" : "\"");
}

static void show_values(char *text, size_t room, const struct merge_call *call) {
  char shown[100];
  size_t used = (size_t)snprintf(text, room, "{ ");
  for (size_t i = 0; i < call->count && used + sizeof shown < room; i++) {
    if (i == SHOWN_VALUES) (void)snprintf(shown, sizeof shown, "... %llu in all", (unsigned long long)call->count);
    if (i < SHOWN_VALUES) show_bytes(shown, sizeof shown, value_at(call, i)->value, value_at(call, i)->value_size);
    used += (size_t)snprintf(text + used, room - used, "%s%s", i ? ", " : "", shown);
    if (i == SHOWN_VALUES) break;
  }
  (void)snprintf(text + used, room - used, " }");
}

static void show_result(char *text, size_t room, lua_State *lua, int index) {
  size_t size = 0;
  const char *bytes = show_text(lua, index, &size);
  if (bytes)
    show_bytes(text, room, bytes, size);
  else
    (void)snprintf(text, room, "nil");
}

/* The result of the values as they came is below the one of `call` on the stack. */
static void differs(const struct merge_call *call) {
  struct script *script = call->merge->script;
  lua_State *lua = script->lua;
  struct merge_call given = *call;
  char key[100], first[500], second[500], made[100], other[100];
  given.order = ORDER_GIVEN;
  show_bytes(key, sizeof key, call->key, call->key_size);
  show_values(first, sizeof first, &given);
  show_values(second, sizeof second, call);
  show_result(made, sizeof made, lua, -2);
  show_result(other, sizeof other, lua, -1);
  if (call->order == ORDER_GIVEN)
    lua_pushfstring(lua,
                    SCRIPT_CHUNK ":%d: the merge function remembers what it did: of key %s, %s gave %s, and then %s",
                    call->merge->line, key, first, made, other);
  else
    lua_pushfstring(lua,
                    SCRIPT_CHUNK ":%d: the merge function goes by the order of its values: of key %s, %s gives %s, "
                                 "and %s gives %s",
                    call->merge->line, key, first, made, second, other);
  script_failed(script, lua, LUA_ERRRUN);
  lua_pop(lua, 1);
}

/* Whether it gives the same in that order; the first result is on the stack, and stays. */
static bool same_in(struct merge_call *call, enum merge_order order) {
  lua_State *lua = call->merge->script->lua;
  call->order = order;
  if (!call_once(call)) return false;
  bool same = lua_rawequal(lua, -1, -2);
  if (!same) differs(call);
  lua_pop(lua, 1);
  return same;
}

/* --- What was made before ------------------------------------------------------------------------ */

/* Oracles and properties read the same conflict many times. What was made of it is found by a hash of the function, the
 * key and the values in their order; what has the same place goes. */
static uint64_t name_of(const struct merge_call *call) {
  uint64_t place = (uint64_t)(call->merge - call->merge->script->merges);
  uint64_t name = sim_hash_fold(sim_hash_bytes(call->key, call->key_size), place);
  for (size_t i = 0; i < call->count; i++) {
    const struct sync_sibling *value = value_at(call, i);
    name = sim_hash_fold(sim_hash_fold(name, value->value_size), sim_hash_bytes(value->value, value->value_size));
  }
  return name;
}

static struct script_merged *place_of(struct script *script, uint64_t name) {
  return &script->merged[name % SCRIPT_MERGED_MAX];
}

/* The result on top of the stack. No memory: it is made again. */
static void remember(const struct merge_call *call) {
  struct script *script = call->merge->script;
  struct script_merged made = {.name = name_of(call)};
  size_t size = 0;
  const char *text = show_text(script->lua, -1, &size);
  made.size = (uint32_t)size;
  made.refused = text == NULL;
  made.bytes = size ? sim_alloc(script->world, size) : NULL;
  if (size && !made.bytes) return;
  if (size && text) memcpy(made.bytes, text, size);
  struct script_merged *place = place_of(script, made.name);
  if (place->size) sim_free(script->world, place->bytes, place->size);
  *place = made;
}

static const struct script_merged *known(const struct merge_call *call) {
  uint64_t name = name_of(call);
  const struct script_merged *place = place_of(call->merge->script, name);
  return place->name == name ? place : NULL;
}

static int give(const struct script_merged *made, void *to, size_t capacity, size_t *size) {
  *size = made->size;
  if (made->size > 0 && made->size <= capacity) memcpy(to, made->bytes, made->size);
  return made->refused ? SYNC_E_MERGE : SYNC_OK;
}

/* --- The callback ------------------------------------------------------------------------------- */

/* false: it is no function of the values, and the script is wrong. */
static bool make(struct merge_call *call) {
  struct script *script = call->merge->script;
  lua_State *lua = script->lua;
  if (!lua_checkstack(lua, 8) || !call_once(call)) return false;
  bool pure =
      same_in(call, ORDER_GIVEN) && (call->count < 3 || same_in(call, ORDER_TURNED)) && same_in(call, ORDER_REVERSED);
  if (pure) remember(call); /* as the model asks for it */
  call->order = ORDER_GIVEN;
  if (pure) remember(call);
  lua_pop(lua, 1);
  if (!script->current && !script->watching && ++script->merge_calls % COLLECT_EVERY == 0) script_collect(script);
  return pure;
}

int merge_callback(void *arg, const void *key, size_t key_size, const struct sync_sibling *values, size_t count,
                   void *to, size_t capacity, size_t *size) {
  const struct script_merge *merge = arg;
  struct merge_call call = {merge, key, key_size, values, count, ORDER_GIVEN};
  if (merge->script->wrong) return SYNC_E_MERGE;
  const struct script_merged *made = known(&call);
  if (!made && make(&call)) made = known(&call);
  return made ? give(made, to, capacity, size) : SYNC_E_MERGE;
}
