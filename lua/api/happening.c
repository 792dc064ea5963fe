#include "lua/api/happening.h"

#include <stdio.h>
#include <string.h>

#include "cluster/lookup.h"
#include "lua/api/message_words.h"
#include "lua/api/node_object.h"
#include "lua/language/record.h"
#include "lua/language/script.h"
#include "lua/language/word.h"
#include "lua/settings/schema.h"
#include "lua/text/nearest.h"

#define COUNT_MAX INT64_C(1000000000)
#define FIELDS_MAX 6u

/* How a field is told. */
enum form {
  FORM_NONE = 0, /* not at all */
  FORM_NUMBER,
  FORM_HEX,
  FORM_BOOL,
  FORM_NODE,
  FORM_AUTHOR,  /* a node, by the hash of its name */
  FORM_PEER,    /* a node, by the handle that the engine gave it */
  FORM_MESSAGE, /* the kind of a message; 0 reads "write" of what was refused, else "other" */
  FORM_STATUS,
  FORM_LOST,
  FORM_DOWN,
  FORM_FAULT,
};

/* What a filter may name beside nth and count, bits. */
enum option {
  OPTION_NODE = 1,
  OPTION_LINK = 2, /* from, to and kind */
  OPTION_PEER = 4,
  OPTION_AUTHOR = 8,
  OPTION_FILE = 16,
  OPTION_WHY = 32,
  OPTION_FAILED = 64,
};

struct happening_word {
  const char *name;
  enum sim_happening_kind kind;
  uint32_t step; /* of the engine, enum sync_trace_kind: it is field 0, and those below begin with field 1 */
  uint32_t options;
  struct {
    const char *name;
    enum form form;
  } fields[FIELDS_MAX];
};

#define LINK (OPTION_NODE | OPTION_LINK)
#define FILES (OPTION_NODE | OPTION_FILE | OPTION_FAILED)
#define NODE OPTION_NODE
#define PEER (OPTION_NODE | OPTION_PEER)
#define DOT                                                                                                            \
  {"author", FORM_AUTHOR}, {"incarnation", FORM_HEX}, {                                                                \
    "seq", FORM_NUMBER                                                                                                 \
  }

static const struct happening_word words[] = {
    {"sent", SIM_HAPPENED_SENT, 0, LINK, {{"to", FORM_NODE}, {"kind", FORM_MESSAGE}, {"size", FORM_NUMBER}}},
    {"delivered",
     SIM_HAPPENED_DELIVERED,
     0,
     LINK,
     {{"from", FORM_NODE}, {"kind", FORM_MESSAGE}, {"size", FORM_NUMBER}}},
    {"lost",
     SIM_HAPPENED_LOST,
     0,
     LINK | OPTION_WHY,
     {{"to", FORM_NODE}, {"kind", FORM_MESSAGE}, {"size", FORM_NUMBER}, {"why", FORM_LOST}}},
    {"fsync_requested", SIM_HAPPENED_FSYNC_BEGUN, 0, NODE | OPTION_FILE, {{"directory", FORM_BOOL}}},
    {"fsync_done", SIM_HAPPENED_FSYNC_DONE, 0, FILES, {{"directory", FORM_BOOL}, {"result", FORM_STATUS}}},
    {"file_written",
     SIM_HAPPENED_WRITE,
     0,
     FILES,
     {{"offset", FORM_NUMBER}, {"size", FORM_NUMBER}, {"result", FORM_STATUS}}},
    {"file_renamed", SIM_HAPPENED_RENAME, 0, FILES, {{"result", FORM_STATUS}}},
    {"file_unlinked", SIM_HAPPENED_UNLINK, 0, FILES, {{"result", FORM_STATUS}}},
    {"boot", SIM_HAPPENED_BOOT, 0, NODE, {{NULL, FORM_NONE}}},
    {"down", SIM_HAPPENED_DOWN, 0, NODE | OPTION_WHY, {{"why", FORM_DOWN}}},
    {"fault", SIM_HAPPENED_FAULT, 0, OPTION_WHY, {{"why", FORM_FAULT}}},

    {"open",
     SIM_HAPPENED_STEP,
     SYNC_TRACE_OPEN,
     NODE,
     {{"status", FORM_STATUS},
      {"epoch", FORM_NUMBER},
      {"durable", FORM_NUMBER},
      {"appended", FORM_NUMBER},
      {"cut", FORM_NUMBER}}},
    {"submit", SIM_HAPPENED_STEP, SYNC_TRACE_SUBMIT, NODE, {DOT, {"position", FORM_NUMBER}}},
    {"own_write", SIM_HAPPENED_STEP, SYNC_TRACE_OWN_WRITE, NODE, {DOT, {"position", FORM_NUMBER}}},
    {"apply",
     SIM_HAPPENED_STEP,
     SYNC_TRACE_APPLY,
     PEER | OPTION_AUTHOR,
     {DOT, {"position", FORM_NUMBER}, {"peer", FORM_PEER}}},
    {"duplicate", SIM_HAPPENED_STEP, SYNC_TRACE_DUPLICATE, PEER | OPTION_AUTHOR, {DOT, {"peer", FORM_PEER}}},
    {"not_yet", SIM_HAPPENED_STEP, SYNC_TRACE_NOT_YET, PEER | OPTION_AUTHOR, {DOT, {"peer", FORM_PEER}}},
    {"send_op", SIM_HAPPENED_STEP, SYNC_TRACE_SEND_OP, PEER | OPTION_AUTHOR, {DOT, {"peer", FORM_PEER}}},
    {"durable", SIM_HAPPENED_STEP, SYNC_TRACE_DURABLE, NODE, {{"position", FORM_NUMBER}}},
    {"send_hello", SIM_HAPPENED_STEP, SYNC_TRACE_SEND_HELLO, PEER, {{"peer", FORM_PEER}}},
    {"send_news",
     SIM_HAPPENED_STEP,
     SYNC_TRACE_SEND_NEWS,
     PEER,
     {{"peer", FORM_PEER}, {"lives", FORM_NUMBER}, {"told", FORM_NUMBER}, {"asked", FORM_NUMBER}}},
    {"known",
     SIM_HAPPENED_STEP,
     SYNC_TRACE_KNOWN,
     PEER,
     {{"peer", FORM_PEER}, {"session", FORM_HEX}, {"replaced", FORM_BOOL}}},
    {"ignored_hello", SIM_HAPPENED_STEP, SYNC_TRACE_IGNORED_HELLO, PEER, {{"peer", FORM_PEER}, {"session", FORM_HEX}}},
    {"timeout",
     SIM_HAPPENED_STEP,
     SYNC_TRACE_TIMEOUT,
     PEER,
     {{"peer", FORM_PEER}, {"retries", FORM_NUMBER}, {"next", FORM_NUMBER}}},
    {"parked", SIM_HAPPENED_STEP, SYNC_TRACE_PARKED, PEER, {{"peer", FORM_PEER}}},
    {"revived", SIM_HAPPENED_STEP, SYNC_TRACE_REVIVED, PEER, {{"peer", FORM_PEER}}},
    {"refused", SIM_HAPPENED_STEP, SYNC_TRACE_REFUSED, NODE, {{"status", FORM_STATUS}, {"kind", FORM_MESSAGE}}},
    {"fail_stop", SIM_HAPPENED_STEP, SYNC_TRACE_FAIL_STOP, NODE, {{"status", FORM_STATUS}}},
    {"rotate", SIM_HAPPENED_STEP, SYNC_TRACE_ROTATE, NODE, {{"position", FORM_NUMBER}, {"epoch", FORM_NUMBER}}},
    {"mark", SIM_HAPPENED_STEP, SYNC_TRACE_MARK, NODE, {{"from", FORM_NUMBER}, {"position", FORM_NUMBER}}},
    {"close", SIM_HAPPENED_STEP, SYNC_TRACE_CLOSE, NODE, {{"durable", FORM_NUMBER}, {"appended", FORM_NUMBER}}},
    {"snapshot",
     SIM_HAPPENED_STEP,
     SYNC_TRACE_SNAPSHOT,
     NODE,
     {{"position", FORM_NUMBER}, {"id", FORM_HEX}, {"size", FORM_NUMBER}}},
    {"snapshot_fail", SIM_HAPPENED_STEP, SYNC_TRACE_SNAPSHOT_FAIL, NODE, {{"status", FORM_STATUS}, {"id", FORM_HEX}}},
    {"trim", SIM_HAPPENED_STEP, SYNC_TRACE_TRIM, NODE, {{"position", FORM_NUMBER}}},
    {"offer",
     SIM_HAPPENED_STEP,
     SYNC_TRACE_OFFER,
     PEER,
     {{"peer", FORM_PEER}, {"id", FORM_HEX}, {"size", FORM_NUMBER}}},
    {"fetch",
     SIM_HAPPENED_STEP,
     SYNC_TRACE_FETCH,
     PEER,
     {{"peer", FORM_PEER}, {"id", FORM_HEX}, {"offset", FORM_NUMBER}, {"again", FORM_BOOL}}},
    {"send_block",
     SIM_HAPPENED_STEP,
     SYNC_TRACE_SEND_BLOCK,
     PEER,
     {{"peer", FORM_PEER}, {"id", FORM_HEX}, {"offset", FORM_NUMBER}}},
    {"merge",
     SIM_HAPPENED_STEP,
     SYNC_TRACE_MERGE,
     PEER,
     {{"id", FORM_HEX}, {"position", FORM_NUMBER}, {"peer", FORM_PEER}}},
};
#define WORDS (sizeof words / sizeof words[0])

/* --- Reading a filter ------------------------------------------------------------------ */

static const struct happening_word *word_find(lua_State *lua, const char *name, const char *noun) {
  const char *names[WORDS];
  char list[700] = "";
  for (size_t i = 0; i < WORDS; i++) {
    if (strcmp(words[i].name, name) == 0) return &words[i];
    names[i] = words[i].name;
    if (i > 0) strcat(list, ", ");
    strcat(list, names[i]);
  }
  const char *near = nearest_word(name, names, WORDS);
  if (near) script_raise(lua, "%s: there is no event \"%s\"; did you mean \"%s\"?", noun, name, near);
  script_raise(lua, "%s: there is no event \"%s\"; there are: %s", noun, name, list);
}

#define FILTER struct happening_filter
struct option_field {
  uint32_t option; /* 0: of all */
  struct schema_field field;
};
static const struct option_field option_fields[] = {
    {OPTION_NODE, {"node", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL}},
    {OPTION_LINK, {"from", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL}},
    {OPTION_LINK, {"to", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL}},
    {OPTION_LINK, {"kind", SCHEMA_WORD, SCHEMA_AT(FILTER, sort), 0, 0, 0, 0, message_words}},
    {OPTION_PEER, {"peer", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL}},
    {OPTION_AUTHOR, {"author", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL}},
    {OPTION_FILE, {"file", SCHEMA_TEXT, SCHEMA_AT(FILTER, file), 0, 0, 0, 0, NULL}},
    {OPTION_WHY, {"why", SCHEMA_TEXT, SCHEMA_AT(FILTER, why), 0, 0, 0, 0, NULL}},
    {OPTION_FAILED, {"failed", SCHEMA_BOOL, SCHEMA_AT(FILTER, failed), 0, 0, 0, 0, NULL}},
    {0, {"nth", SCHEMA_COUNT, SCHEMA_AT(FILTER, nth), 0, 0, 1, COUNT_MAX, NULL}},
    {0, {"count", SCHEMA_COUNT, SCHEMA_AT(FILTER, count), 0, 0, 1, COUNT_MAX, NULL}},
};
#define OPTIONS (sizeof option_fields / sizeof option_fields[0])

static uint32_t node_option(lua_State *lua, int options, const char *key) {
  uint32_t node = 0;
  lua_pushstring(lua, key);
  if (lua_rawget(lua, options) != LUA_TNIL) node = node_check(lua, -1);
  lua_pop(lua, 1);
  return node;
}

static const char *lost_word(uint64_t why) {
  if (why == SIM_DROP_RECEIVER_DOWN) return "receiver_down";
  if (why == SIM_DROP_NO_SUCH_NODE) return "no_such_node";
  return sim_fault_name((enum sim_fault)why);
}

static const char *down_word(uint64_t why) {
  static const char *const names[] = {"", "power_loss", "process_crash", "stop", "refused"};
  return why < sizeof names / sizeof names[0] ? names[why] : "";
}

static const char *why_word(enum form form, uint64_t why) {
  return form == FORM_DOWN ? down_word(why) : lost_word(why);
}

static enum form why_form(const struct happening_word *word, uint32_t *at) {
  for (*at = 0; *at < FIELDS_MAX; ++*at) {
    enum form form = word->fields[*at].form;
    if (form == FORM_LOST || form == FORM_DOWN || form == FORM_FAULT) return form;
  }
  return FORM_NONE;
}

/* A reason that never comes would wait in silence. */
static void check_why(lua_State *lua, const struct happening_filter *filter, const char *noun) {
  const char *names[SIM_FAULT_COUNT + 2u];
  size_t count = 0;
  uint32_t at;
  enum form form = why_form(filter->word, &at);
  if (form == FORM_DOWN)
    for (uint64_t why = 1; *down_word(why); why++)
      names[count++] = down_word(why);
  for (uint64_t fault = 0; form != FORM_DOWN && fault < SIM_FAULT_COUNT; fault++)
    names[count++] = sim_fault_name((enum sim_fault)fault);
  if (form == FORM_LOST) {
    names[count++] = lost_word(SIM_DROP_RECEIVER_DOWN);
    names[count++] = lost_word(SIM_DROP_NO_SUCH_NODE);
  }
  for (size_t i = 0; i < count; i++)
    if (strcmp(names[i], filter->why) == 0) return;
  const char *near = nearest_word(filter->why, names, count);
  if (near) script_raise(lua, "%s: why cannot be \"%s\"; did you mean \"%s\"?", noun, filter->why, near);
  script_raise(lua, "%s: why cannot be \"%s\": write one of %s (docs/scenarios.md, \"Hooks\")", noun, filter->why,
               form == FORM_DOWN ? "power_loss, process_crash, stop, refused" : "the names of faults");
}

void happening_read(lua_State *lua, int name, int options, const char *noun, struct happening_filter *filter) {
  struct schema_field fields[OPTIONS];
  char call[80];
  size_t count = 0;
  memset(filter, 0, sizeof *filter);
  filter->word = word_find(lua, word_check(lua, name, noun), noun);
  if (!options) return;
  for (size_t i = 0; i < OPTIONS; i++)
    if (!option_fields[i].option || (option_fields[i].option & filter->word->options) != 0)
      fields[count++] = option_fields[i].field;
  (void)snprintf(call, sizeof call, "%s(\"%s\")", noun, filter->word->name);
  schema_read(lua, options, fields, count, filter, call, NULL);
  filter->node = node_option(lua, options, "node");
  filter->from = node_option(lua, options, "from");
  filter->to = node_option(lua, options, "to");
  filter->peer = node_option(lua, options, "peer");
  filter->author = node_option(lua, options, "author");
  if (filter->nth && filter->count) script_raise(lua, "%s takes one of nth and count", call);
  if (*filter->why) check_why(lua, filter, call);
}

uint32_t happening_bit(const struct happening_filter *filter) {
  return UINT32_C(1) << (uint32_t)filter->word->kind;
}

/* --- Is this it? ---------------------------------------------------------------------- */

static bool link_matches(const struct happening_filter *filter, const struct sim_happening *happening) {
  bool delivered = happening->kind == SIM_HAPPENED_DELIVERED;
  uint32_t other = (uint32_t)happening->fields[0];
  uint32_t from = delivered ? other : happening->node, to = delivered ? happening->node : other;
  return (!filter->from || filter->from == from) && (!filter->to || filter->to == to) &&
         (!filter->sort || filter->sort == happening->fields[1]);
}

static bool field_matches(struct cluster *cluster, const struct happening_filter *filter, enum form form,
                          uint64_t value, struct happening_note *note) {
  switch (form) {
  case FORM_PEER:
    note->peer = cluster_peer_node(cluster, note->node, value);
    return !filter->peer || filter->peer == note->peer;
  case FORM_AUTHOR:
    return !filter->author || cluster_node_of_hash(value, cluster_nodes(cluster)) == filter->author;
  case FORM_STATUS:
    return !filter->failed || value != (uint64_t)SYNC_OK;
  case FORM_LOST:
  case FORM_DOWN:
  case FORM_FAULT:
    return !*filter->why || strcmp(filter->why, why_word(form, value)) == 0;
  default:
    return true;
  }
}

bool happening_matches(struct cluster *cluster, const struct happening_filter *filter,
                       const struct sim_happening *happening, struct happening_note *note) {
  const struct happening_word *word = filter->word;
  uint32_t first = word->step ? 1 : 0;
  if (happening->kind != word->kind || (word->step && happening->fields[0] != word->step)) return false;
  if (filter->node && filter->node != happening->node) return false;
  if ((word->options & OPTION_LINK) != 0 && !link_matches(filter, happening)) return false;
  size_t begins = strlen(filter->file);
  if (begins && (!happening->text || strncmp(happening->text, filter->file, begins) != 0)) return false;
  memset(note, 0, sizeof *note);
  note->node = happening->node;
  note->count = happening->count - first;
  for (uint32_t i = 0; i < note->count; i++) {
    note->fields[i] = happening->fields[first + i];
    if (i < FIELDS_MAX && !field_matches(cluster, filter, word->fields[i].form, note->fields[i], note)) return false;
  }
  if (happening->text) (void)snprintf(note->text, sizeof note->text, "%s", happening->text);
  return true;
}

/* --- Telling ------------------------------------------------------------------------------ */

static const char *message_word(const struct happening_word *word, uint64_t sort) {
  if (sort == 0 || sort >= MESSAGE_WORDS) return word->step == SYNC_TRACE_REFUSED ? "write" : "other";
  return message_words[sort];
}

static void set_field(lua_State *lua, const struct happening_word *word, uint32_t at,
                      const struct happening_note *note) {
  const char *name = word->fields[at].name;
  uint64_t value = note->fields[at];
  switch (word->fields[at].form) {
  case FORM_NONE:
    break;
  case FORM_NUMBER:
  case FORM_NODE:
    record_set(lua, name, value);
    break;
  case FORM_HEX:
    record_set_hex(lua, name, value);
    break;
  case FORM_BOOL:
    record_set_bool(lua, name, value != 0);
    break;
  case FORM_AUTHOR:
    record_set(lua, name, cluster_node_of_hash(value, cluster_nodes(script_of(lua)->cluster)));
    break;
  case FORM_PEER:
    record_set(lua, name, note->peer);
    break;
  case FORM_MESSAGE:
    record_set_text(lua, name, message_word(word, value));
    break;
  case FORM_STATUS:
    record_set_text(lua, name, sync_status_name((int)(int64_t)value));
    break;
  case FORM_LOST:
  case FORM_DOWN:
  case FORM_FAULT:
    record_set_text(lua, name, why_word(word->fields[at].form, value));
    break;
  }
}

void happening_push(lua_State *lua, const struct happening_filter *filter, const struct happening_note *note) {
  const struct happening_word *word = filter->word;
  lua_createtable(lua, 0, 10);
  record_set_text(lua, "what", word->name);
  record_set(lua, "at", note->at_ns);
  record_set(lua, "nth", note->nth);
  if (note->node) {
    node_push(lua, note->node);
    lua_setfield(lua, -2, "node");
  }
  if ((word->options & OPTION_LINK) != 0)
    record_set(lua, word->kind == SIM_HAPPENED_DELIVERED ? "to" : "from", note->node);
  if ((word->options & OPTION_FILE) != 0) record_set_text(lua, "file", note->text);
  for (uint32_t i = 0; i < FIELDS_MAX; i++)
    if (word->fields[i].form != FORM_NONE) set_field(lua, word, i, note);
  record_guard(lua, "field");
}
