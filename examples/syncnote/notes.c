#include "examples/syncnote/notes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void notes_print(FILE *to, const char *text, size_t size, bool strict) {
  bool guarded = strict || isatty(fileno(to));
  for (size_t i = 0; i < size; i++) {
    unsigned char byte = (unsigned char)text[i];
    bool commands = byte < 0x20 || byte == 0x7f;
    if (!strict && (byte == '\n' || byte == '\t')) commands = false;
    if (guarded && commands)
      fprintf(to, "\\x%02x", byte);
    else
      putc(byte, to);
  }
}

static bool complain(const char *title, const char *what) {
  fprintf(stderr, "syncnote: '%s' %s\n", title, what);
  return false;
}

static bool refused(const char *title, int status) {
  fprintf(stderr, "syncnote: '%s' is not saved: %s\n", title, sync_status_message(status));
  return false;
}

/* --- Reading ------------------------------------------------------------------- */

static int list_one(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  (void)arg;
  if (winner->tombstone && !winner->conflict) return 0;
  fputs(winner->conflict ? "! " : "  ", stdout);
  notes_print(stdout, key, key_size, true);
  putchar('\n');
  return 0;
}

static void print_text(const char *text, size_t size) {
  notes_print(stdout, text, size, false);
  if (size == 0 || text[size - 1] != '\n') putchar('\n');
}

struct versions {
  const struct command *command;
  char token[9];
  unsigned at;
  struct sync_change chosen; /* points into the engine */
};

static void token_text(const struct sync_token *token, char text[9]) {
  snprintf(text, 9, "%02x%02x%02x%02x", token->bytes[0], token->bytes[1], token->bytes[2], token->bytes[3]);
}

static int show_version(void *arg, const struct sync_sibling *sibling) {
  struct versions *versions = arg;
  printf("--- %s-%u, by %s%s\n", versions->token, ++versions->at, sibling->dot.origin.node_id,
         sibling->tombstone ? ": removed" : "");
  if (!sibling->tombstone) print_text(sibling->value, sibling->value_size);
  return 0;
}

static bool show(struct store *store, const struct command *command) {
  const char *title = command->title, *text;
  size_t size;
  struct sync_conflict conflict;
  if (sync_conflict(store->engine, title, strlen(title), &conflict) == SYNC_OK) {
    struct versions versions = {.command = command};
    token_text(&conflict.token, versions.token);
    printf("'%s' is in conflict. One of these stays with: resolve '%s' %s-N\n", title, title, versions.token);
    sync_siblings(store->engine, title, strlen(title), show_version, &versions);
    return true;
  }
  if (!notes_text(store, title, &text, &size)) return complain(title, "is no note");
  print_text(text, size);
  return true;
}

bool notes_text(struct store *store, const char *title, const char **text, size_t *size) {
  struct sync_sibling winner;
  if (sync_get(store->engine, title, strlen(title), &winner) != SYNC_OK) return false;
  *text = winner.value_size > 0 ? winner.value : "";
  *size = winner.value_size;
  return true;
}

static int list_conflict(void *arg, const struct sync_conflict *conflict) {
  (void)arg;
  notes_print(stdout, conflict->key, conflict->key_size, true);
  printf(" (%" PRIu64 " versions)\n", conflict->siblings);
  return 0;
}

static int list_peer(void *arg, uint32_t peer) {
  const struct store *store = arg;
  struct sync_peer_info info;
  if (sync_peer_info(store->engine, peer, &info) != SYNC_OK) return 0;
  printf("%s is owed %" PRIu64 "\n", info.node_id, info.owed_ops);
  return 0;
}

static void print_state(const struct store *store) {
  struct sync_digest digest;
  sync_digest_get(store->engine, &digest);
  printf("state %016" PRIx64 "\n", digest.state);
}

/* --- Writing ------------------------------------------------------------------- */

bool notes_may(struct store *store, const struct command *command) {
  const char *title = command->title, *text;
  size_t size;
  struct sync_conflict conflict;
  bool in_conflict = sync_conflict(store->engine, title, strlen(title), &conflict) == SYNC_OK;
  bool is_there = notes_text(store, title, &text, &size);
  switch (command->kind) {
  case COMMAND_ADD:
  case COMMAND_EDIT:
  case COMMAND_REMOVE:
    /* It would replace versions that nobody here has looked at. */
    if (in_conflict) return complain(title, "is in conflict: `show` it, then `resolve` it");
    if (command->kind == COMMAND_ADD && is_there) return complain(title, "is there already: `edit` changes it");
    if (command->kind != COMMAND_ADD && !is_there) return complain(title, "is no note");
    return true;
  case COMMAND_RESOLVE:
    if (!in_conflict) return complain(title, "is not in conflict");
    char token[9];
    token_text(&conflict.token, token);
    if (strcmp(token, command->token) != 0) return complain(title, "has changed since: `show` it again");
    if (command->version > conflict.siblings) return complain(title, "has no such version");
    return true;
  default:
    return true;
  }
}

static int choose_version(void *arg, const struct sync_sibling *sibling) {
  struct versions *versions = arg;
  if (++versions->at != versions->command->version) return 0;
  versions->chosen.kind = sibling->tombstone ? SYNC_DELETE : SYNC_PUT;
  versions->chosen.value = sibling->value;
  versions->chosen.value_size = sibling->value_size;
  return 1;
}

static int resolve(struct store *store, const struct command *command, struct sync_receipt *receipt) {
  size_t title_size = strlen(command->title);
  struct versions versions = {.command = command,
                              .chosen = {.kind = SYNC_PUT,
                                         .key = command->title,
                                         .key_size = title_size,
                                         .value = command->text,
                                         .value_size = command->size}};
  if (command->version > 0) sync_siblings(store->engine, command->title, title_size, choose_version, &versions);
  /* The version is the engine's memory, and goes when it is replaced. */
  char *copy = malloc(versions.chosen.value_size + 1);
  if (!copy) return SYNC_E_NO_MEMORY;
  if (versions.chosen.value_size > 0) memcpy(copy, versions.chosen.value, versions.chosen.value_size);
  versions.chosen.value = copy;
  struct sync_conflict conflict;
  int status = sync_conflict(store->engine, command->title, title_size, &conflict);
  if (status == SYNC_OK) status = sync_resolve(store->engine, &conflict.token, &versions.chosen, receipt);
  free(copy);
  return status;
}

static bool write_note(struct store *store, const struct command *command, uint64_t *position) {
  if (!notes_may(store, command)) return false;
  const char *title = command->title;
  struct sync_receipt receipt = {0};
  int status;
  if (command->kind == COMMAND_REMOVE)
    status = sync_delete(store->engine, title, strlen(title), &receipt);
  else if (command->kind == COMMAND_RESOLVE)
    status = resolve(store, command, &receipt);
  else
    status = sync_put(store->engine, title, strlen(title), command->text, command->size, &receipt);
  if (status != SYNC_OK) return refused(title, status);
  *position = receipt.position;
  return true;
}

void notes_done(const struct command *command) {
  const char *what = command->kind == COMMAND_REMOVE    ? "removed"
                     : command->kind == COMMAND_RESOLVE ? "resolved"
                     : command->kind == COMMAND_FORGET  ? "forgotten"
                                                        : "saved";
  printf("%s '%s'\n", what, command->title);
}

struct search {
  const struct store *store;
  const char *name;
  uint32_t handle;
};
static int is_peer(void *arg, uint32_t peer) {
  struct search *search = arg;
  struct sync_peer_info info;
  if (sync_peer_info(search->store->engine, peer, &info) != SYNC_OK || strcmp(info.node_id, search->name) != 0)
    return 0;
  search->handle = peer;
  return 1;
}

static bool forget(struct store *store, const struct command *command, uint64_t *position) {
  struct search search = {store, command->title, SYNC_PEER_NONE};
  sync_peers(store->engine, is_peer, &search);
  if (search.handle == SYNC_PEER_NONE) return complain(command->title, "is no peer");
  int status = sync_peer_remove(store->engine, search.handle);
  if (status != SYNC_OK) return refused(command->title, status);
  *position = sync_appended_position(store->engine);
  return true;
}

bool notes_do(struct store *store, const struct command *command, uint64_t *position) {
  *position = 0;
  switch (command->kind) {
  case COMMAND_LIST:
    return sync_iterate(store->engine, "", 0, "", 0, true, list_one, NULL) == SYNC_OK;
  case COMMAND_SHOW:
    return show(store, command);
  case COMMAND_CONFLICTS:
    return sync_conflicts(store->engine, "", 0, list_conflict, NULL) == SYNC_OK;
  case COMMAND_PEERS:
    return sync_peers(store->engine, list_peer, store) == SYNC_OK;
  case COMMAND_STATE:
    print_state(store);
    return true;
  case COMMAND_FORGET:
    return forget(store, command, position);
  case COMMAND_HELP:
    fputs(command_help, stdout);
    return true;
  case COMMAND_QUIT:
    return true;
  default:
    return write_note(store, command, position);
  }
}
