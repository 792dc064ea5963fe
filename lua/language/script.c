#include "lua/language/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lua/language/show.h"
#include "lua/text/info.h"

#define MEMORY_SPENT "the script uses more than 32 MiB of memory"
#define PLACES_SPENT "the script uses more than 128 MiB of memory for the places of its tables"
#define STEP_BYTES 16u             /* of a new text or table cost a step */
#define GREAT_TEXT_BYTES 4096u     /* from here on a text makes every step dearer */
#define DEAR_BYTES 128u            /* by one for each of these */
#define SCRIPT_LAST_BYTES 1048576u /* to say so, when a bound was passed */
#define TEXT_SPENT "the script uses too much memory for one text: more than 1 MiB"

/* --- Memory ---------------------------------------------------------------------- */

/* How much room a table takes for its keys, and when it takes more, depends on
 * hashes, which differ from process to process. So what counts for the bound of
 * memory and for steps is objects alone (texts, tables, functions, ...), and
 * vectors (the places of tables, stacks, buffers) have wide bounds of their own,
 * which only something quite out of hand comes near to. */
enum block_kind { BLOCK_OBJECT = 1, BLOCK_TEXT = 2, BLOCK_VECTOR = 3 };

struct block_header {
  uint32_t kind;
  uint32_t unused; /* Lua wants 8 bytes of alignment */
};
_Static_assert(sizeof(struct block_header) == 8, "blocks stay aligned");

static uint64_t *counted(struct script *script, uint32_t kind) {
  return kind == BLOCK_VECTOR ? &script->place_bytes : &script->bytes;
}

static unsigned great_class(size_t size) {
  unsigned class = 0;
  for (size >>= 13; size && class + 1 < SCRIPT_TEXT_CLASSES; size >>= 1)
    class ++;
  return class;
}

static void count_great_text(struct script *script, size_t size, bool born) {
  uint32_t *count = &script->great_texts[great_class(size)];
  if (born)
    ++*count, script->great_text_born = true;
  else
    --*count;
}

/* Lua asks again after a full collection: the script is out of memory when the
 * same request is refused twice. */
static void *refuse(struct script *script, size_t size, bool *spent) {
  if (script->refused == size) *spent = true;
  script->refused = size;
  return NULL;
}

static void charge_block(struct script *script, uint32_t kind, size_t size) {
  uint64_t *left = kind == BLOCK_VECTOR ? &script->slice_places : &script->slice_steps;
  uint64_t steps = size / STEP_BYTES;
  *left -= steps < *left ? steps : *left;
}

static void give_back(struct script *script, struct block_header *header, size_t size) {
  if (header->kind == BLOCK_TEXT && size >= GREAT_TEXT_BYTES) count_great_text(script, size, false);
  *counted(script, header->kind) -= size;
  sim_free(script->world, header, size + sizeof *header);
}

static void *allocate(void *ud, void *block, size_t old_size, size_t new_size) {
  struct script *script = ud;
  struct block_header *old = block ? (struct block_header *)block - 1 : NULL;
  /* For a new block Lua passes what it is to be. */
  uint32_t kind = old ? old->kind : old_size == LUA_TSTRING ? BLOCK_TEXT : old_size ? BLOCK_OBJECT : BLOCK_VECTOR;
  if (!block) old_size = 0;
  if (!new_size) {
    if (old) give_back(script, old, old_size);
    return NULL;
  }
  if (kind == BLOCK_TEXT && new_size > SCRIPT_TEXT_BYTES + 64u) return refuse(script, new_size, &script->text_spent);
  uint64_t *bytes = counted(script, kind);
  uint64_t most = kind == BLOCK_VECTOR ? SCRIPT_PLACE_BYTES : SCRIPT_MEMORY_BYTES;
  if (script_is_spent(script)) most += SCRIPT_LAST_BYTES;
  if (new_size > old_size && *bytes + (new_size - old_size) > most)
    return refuse(script, new_size, kind == BLOCK_VECTOR ? &script->places_spent : &script->memory_spent);
  struct block_header *fresh = sim_alloc(script->world, new_size + sizeof *fresh);
  SIM_ASSERT(script->world, fresh || new_size > old_size); /* Lua relies on shrinking */
  if (!fresh) return refuse(script, new_size, &script->arena_spent);
  *fresh = (struct block_header){kind, 0};
  if (old) {
    memcpy(fresh + 1, block, old_size < new_size ? old_size : new_size);
    sim_free(script->world, old, old_size + sizeof *old);
  }
  if (new_size > old_size) script->refused = 0;
  if (new_size > old_size) charge_block(script, kind, new_size);
  if (kind == BLOCK_TEXT && new_size >= GREAT_TEXT_BYTES) count_great_text(script, new_size, true);
  *bytes = *bytes - old_size + new_size;
  return fresh + 1;
}

/* --- Steps ------------------------------------------------------------------------ */

static bool memory_is_spent(const struct script *script) {
  return script->memory_spent || script->places_spent || script->text_spent;
}

bool script_is_spent(const struct script *script) {
  return script->steps_spent || memory_is_spent(script);
}

static const char *memory_message(const struct script *script) {
  return script->text_spent ? TEXT_SPENT : script->places_spent ? PLACES_SPENT : MEMORY_SPENT;
}

static void spent(lua_State *lua) {
  struct script *script = script_of(lua);
  script->steps_spent = true;
  /* From now on every instruction raises the error again: no pcall in a loop
   * outlives it. */
  lua_sethook(lua, lua_gethook(lua), LUA_MASKCOUNT, 1);
  if (memory_is_spent(script)) script_raise(lua, "%s", memory_message(script));
  if (script->merging) script_raise(lua, "a merge function takes too long (an endless loop?)");
  script_raise(lua,
               "the script takes too long without world:sleep (an endless loop?): more than %d million steps in one go",
               (int)(SCRIPT_SLICE_STEPS / 1000000u));
}

static void take(lua_State *lua, uint64_t steps) {
  struct script *script = script_of(lua);
  if (script_is_spent(script) || script->slice_steps < steps || !script->slice_places) spent(lua);
  script->slice_steps -= steps;
}

/* An instruction that compares texts takes as long as they are, and nobody is
 * told of it: while there are great ones, every step counts for more. */
static uint64_t dearness(const struct script *script) {
  for (unsigned class = SCRIPT_TEXT_CLASSES; class -- > 0;)
    if (script->great_texts[class]) return 1u + ((uint64_t)GREAT_TEXT_BYTES << class) / DEAR_BYTES;
  return 1;
}

static void count_hook(lua_State *lua, lua_Debug *debug) {
  uint64_t dear = dearness(script_of(lua));
  int steps = dear < SCRIPT_HOOK_STEPS ? (int)(SCRIPT_HOOK_STEPS / dear) : 1;
  (void)debug;
  if (steps != lua_gethookcount(lua)) lua_sethook(lua, count_hook, LUA_MASKCOUNT, steps);
  take(lua, (uint64_t)steps * dear);
}

void script_charge(lua_State *lua, uint64_t steps) {
  take(lua, steps);
}

void script_charge_bytes(lua_State *lua, uint64_t bytes) {
  take(lua, bytes / 16u);
}

void script_slice(struct script *script) {
  script->slice_steps = SCRIPT_SLICE_STEPS;
  script->slice_places = SCRIPT_SLICE_STEPS;
}

void script_collect(struct script *script) {
  script->great_text_born = false;
  (void)lua_gc(script->lua, LUA_GCCOLLECT);
}

/* --- Creation ---------------------------------------------------------------------- */

struct script *script_of(lua_State *lua) {
  struct script *script;
  memcpy(&script, lua_getextraspace(lua), sizeof(struct script *));
  return script;
}

struct script *script_create(struct sim_world *world, lua_CFunction open) {
  struct script *script = sim_alloc(world, sizeof *script);
  if (!script) return NULL;
  memset(script, 0, sizeof *script);
  script->world = world;
  script->lua = lua_newstate(allocate, script);
  if (!script->lua) return NULL;
  memcpy(lua_getextraspace(script->lua), &script, sizeof(struct script *));
  /* The collector runs between events only, at counted wakes: its timing
   * depends on addresses. */
  lua_gc(script->lua, LUA_GCSTOP);
  lua_pushcfunction(script->lua, open);
  if (lua_pcall(script->lua, 0, 0, 0) != LUA_OK) return NULL;
  lua_sethook(script->lua, count_hook, LUA_MASKCOUNT, SCRIPT_HOOK_STEPS);
  script_slice(script);
  return script;
}

/* --- Errors -------------------------------------------------------------------------- */

/* Whether a text begins with the name of a file of the script: "scenario", "scenario/helpers/x.lua". Gives its
 * length, or 0. */
static size_t chunk_length(const char *text) {
  size_t length = sizeof SCRIPT_CHUNK - 1u;
  if (strncmp(text, SCRIPT_CHUNK, length) != 0) return 0;
  if (text[length] != '/') return length;
  size_t words = strspn(text + length, "abcdefghijklmnopqrstuvwxyz0123456789_/");
  return strncmp(text + length + words, ".lua", 4) == 0 ? length + words + 4u : 0;
}

/* The innermost function that a file of the script has. */
static bool find_place(lua_State *lua, lua_Debug *debug) {
  for (int level = 0; lua_getstack(lua, level, debug); level++) {
    if (!lua_getinfo(lua, "Sl", debug) || debug->currentline <= 0 || debug->source[0] != '=') continue;
    size_t length = chunk_length(debug->source + 1);
    if (length && !debug->source[1 + length]) return true;
  }
  return false;
}

int script_line(lua_State *lua) {
  lua_Debug debug;
  return find_place(lua, &debug) ? debug.currentline : 0;
}

const char *script_chunk(lua_State *lua) {
  lua_Debug debug;
  return find_place(lua, &debug) ? debug.source + 1 : SCRIPT_CHUNK;
}

const char *script_source(lua_State *lua, size_t *size) {
  const struct script *script = script_of(lua);
  const char *chunk = script_chunk(lua) + sizeof SCRIPT_CHUNK - 1u;
  *size = script->text_size;
  if (!*chunk) return script->text;
  for (size_t i = 0; script->helpers && i < script->helpers->count; i++) {
    *size = script->helpers->items[i].size;
    if (strcmp(script->helpers->items[i].path, chunk + 1) == 0) return script->helpers->items[i].text;
  }
  return NULL;
}

/* "scenario:12: ..." */
static bool begins_with_place(const char *text) {
  size_t length = chunk_length(text);
  return length && text[length] == ':';
}

static void raise_message(lua_State *lua, int line, const char *format, va_list args) {
  char text[800];
  (void)vsnprintf(text, sizeof text, format, args);
  if (line > 0)
    lua_pushfstring(lua, "%s:%d: %s", script_chunk(lua), line, text);
  else
    lua_pushstring(lua, text);
}

void script_raise(lua_State *lua, const char *format, ...) {
  va_list args;
  va_start(args, format);
  raise_message(lua, script_line(lua), format, args);
  va_end(args);
  lua_error(lua);
  __builtin_unreachable();
}

void script_raise_at(lua_State *lua, int line, const char *format, ...) {
  va_list args;
  va_start(args, format);
  raise_message(lua, line, format, args);
  va_end(args);
  lua_error(lua);
  __builtin_unreachable();
}

/* Texts and numbers; a table would have to be asked, and may not even answer.
 * Allocates nothing: memory may be what failed. A zero byte reads "\0". */
static void describe_object(lua_State *lua, char *out, size_t room) {
  size_t size = 0, used = 0;
  const char *text = show_text(lua, -1, &size);
  if (!text && lua_isinteger(lua, -1)) {
    (void)snprintf(out, room, "%lld", (long long)lua_tointeger(lua, -1));
    return;
  }
  if (!text) {
    (void)snprintf(out, room, "the script raised an error that is no text");
    return;
  }
  for (size_t i = 0; i < size && used + 3 < room; i++) {
    if (!text[i]) out[used++] = '\\';
    out[used++] = text[i] ? text[i] : '0';
  }
  out[used] = 0;
}

void script_failed(struct script *script, lua_State *lua, int status) {
  if (script->wrong) return;
  char object[sizeof script->error - 32] = "";
  const char *what = object;
  describe_object(lua, object, sizeof object);
  int line = script_line(lua);
  /* Of a task it is still there; else add_line() took it. */
  if (!script->stack.count) stack_take(lua, &script->stack);
  script->wrong = true;
  if (memory_is_spent(script) || status == LUA_ERRMEM) {
    script->memory_spent = !script->arena_spent;
    what = memory_message(script);
  }
  if (begins_with_place(what))
    (void)snprintf(script->error, sizeof script->error, "%s", what);
  else
    (void)snprintf(script->error, sizeof script->error, "%s:%d: %s", script_chunk(lua), line > 0 ? line : 1, what);
  sim_stop(script->world);
}

/* Runs on the failing stack: takes it, and adds the line to messages of C functions. */
static int add_line(lua_State *lua) {
  const char *text = show_text(lua, 1, NULL);
  int line = script_line(lua);
  stack_take(lua, &script_of(lua)->stack);
  if (!text || line <= 0 || begins_with_place(text)) return 1;
  lua_pushfstring(lua, "%s:%d: ", script_chunk(lua), line);
  lua_pushvalue(lua, 1);
  lua_concat(lua, 2);
  return 1;
}

bool script_call(struct script *script, int args, int results) {
  lua_State *lua = script->lua;
  int base = lua_gettop(lua) - args;
  lua_pushcfunction(lua, add_line);
  lua_insert(lua, base);
  int status = lua_pcall(lua, args, results, base);
  lua_remove(lua, base);
  if (status == LUA_OK && !script_is_spent(script)) return true;
  if (status == LUA_OK) {
    lua_settop(lua, base - 1);
    lua_pushliteral(lua, "the script takes too long, and hid it with pcall");
  }
  script_failed(script, lua, status);
  lua_settop(lua, base - 1);
  return false;
}

void script_error_text(const struct script *script, const char *path, struct scenario_error *error) {
  const char *rest = script->error + sizeof SCRIPT_CHUNK - 1u, *slash = strrchr(path, '/');
  char stack[sizeof error->text / 2];
  stack_text(&script->stack, path, stack, sizeof stack);
  if (*rest != '/')
    (void)snprintf(error->text, sizeof error->text, "%s%s", path, rest);
  else
    (void)snprintf(error->text, sizeof error->text, "%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, rest + 1);
  size_t used = strlen(error->text);
  (void)snprintf(error->text + used, sizeof error->text - used, "%s", stack);
}
