/* Conflicts: which there are, resolving them, and by which policies. */
#include "core/conflict.h"

/* --- Tokens ----------------------------------------------------------------------- */

#define TOKEN_DOT_BYTES (NODE_ID_ROOM + 16u)

/* Each dot is hashed with what came before, in 128 bits: two sets of dots that give one token are not met by chance,
 * and whoever could make them up can write the key anyway. */
static struct sync_token conflict_token(const struct store_key *key) {
  struct sync_token token = {{0}};
  uint8_t bytes[sizeof token.bytes + TOKEN_DOT_BYTES];
  checksum128(token.bytes, key->bytes, key->size);
  for (const struct store_sibling *s = key->siblings; s != NULL; s = s->next) {
    memcpy(bytes, token.bytes, sizeof token.bytes);
    uint8_t *at = bytes + sizeof token.bytes;
    memcpy(at, s->origin->node_id, NODE_ID_ROOM);
    bytes_put_u64(at + NODE_ID_ROOM, s->origin->incarnation);
    bytes_put_u64(at + NODE_ID_ROOM + 8, s->seq);
    checksum128(token.bytes, bytes, sizeof bytes);
  }
  return token;
}

/* --- Listing ------------------------------------------------------------------------ */

static struct sync_conflict conflict_of(const struct sync_engine *engine, const struct store_key *key) {
  return (struct sync_conflict){.key = key->bytes,
                                .key_size = key->size,
                                .token = conflict_token(key),
                                .siblings = key->sibling_count,
                                .policy = policies_of(&engine->policies, key->bytes, key->size).kind,
                                .settled = key_is_settled(key)};
}

int sync_conflicts(const struct sync_engine *engine, const void *start, size_t start_size,
                   int (*each)(void *arg, const struct sync_conflict *conflict), void *arg) {
  struct btree_cursor cursor = btree_lower_bound(&engine->state.store.conflicts.all, start, start_size);
  for (const struct store_key *key; (key = btree_key(&cursor)) != NULL; btree_advance(&cursor)) {
    struct sync_conflict conflict = conflict_of(engine, key);
    int rc = each(arg, &conflict);
    if (rc != 0) return rc;
  }
  return SYNC_OK;
}

static const struct store_key *conflict_find(const struct sync_engine *engine, const void *key, size_t key_size) {
  if (key == NULL || key_size == 0 || key_size > SYNC_KEY_BYTES_MAX) return NULL;
  const struct store_key *found = store_find(&engine->state.store, key, key_size);
  return found != NULL && key_in_conflict(found) ? found : NULL;
}

int sync_conflict(const struct sync_engine *engine, const void *key, size_t key_size, struct sync_conflict *conflict) {
  const struct store_key *found = conflict_find(engine, key, key_size);
  if (found == NULL) return SYNC_E_NOT_FOUND;
  *conflict = conflict_of(engine, found);
  return SYNC_OK;
}

/* --- Resolving ----------------------------------------------------------------------- */

int sync_resolve(struct sync_engine *engine, const struct sync_token *token, const struct sync_change *change,
                 struct sync_receipt *receipt) {
  if (engine->stopped != SYNC_OK) return engine->stopped;
  if (token == NULL || change == NULL) return SYNC_E_INVALID;
  const struct store_key *key = conflict_find(engine, change->key, change->key_size);
  struct sync_token now = {{0}};
  if (key != NULL) now = conflict_token(key);
  if (key != NULL && memcmp(now.bytes, token->bytes, sizeof now.bytes) == 0)
    return sync_write(engine, change, 1, receipt);
  engine->stats.submits_refused++;
  PORT_TRACE(engine->env, SYNC_TRACE_REFUSED, (uint64_t)(int64_t)SYNC_E_STALE, 0);
  return SYNC_E_STALE;
}

/* --- Policies ------------------------------------------------------------------------- */

struct sync_policy sync_policy_of(const struct sync_engine *engine, const void *key, size_t key_size) {
  return policies_of(&engine->policies, key, key_size);
}

/* What a policy needs besides its place in the table. */
static int policy_prepare(struct sync_engine *engine, const struct sync_policy *policy) {
  if (policy == NULL) return SYNC_OK;
  if (policy->kind == SYNC_MERGE && engine->view == NULL) {
    engine->view = view_new(engine->env, engine->options.value_bytes_max);
    if (engine->view == NULL) return SYNC_E_NO_MEMORY;
  }
  return SYNC_OK;
}

int sync_policy_set(struct sync_engine *engine, const void *prefix, size_t prefix_size,
                    const struct sync_policy *policy) {
  if (engine->stopped != SYNC_OK) return engine->stopped;
  struct conflicts *conflicts = &engine->state.store.conflicts;
  int rc = policy_prepare(engine, policy);
  bool writes = policy != NULL && (policy->kind == SYNC_KEEP_LOCAL || policy->kind == SYNC_KEEP_REMOTE);
  /* What is listed needlessly, for what follows may fail, costs a look. */
  if (rc == SYNC_OK && (writes || conflicts->judging)) rc = conflicts_judge_all(conflicts);
  if (rc == SYNC_OK) rc = policies_set(&engine->policies, prefix, prefix_size, policy);
  if (!policies_write(&engine->policies)) conflicts_judge_none(conflicts);
  return rc;
}

static bool policy_is_there(const struct sync_prefix_policy *given, size_t count,
                            const struct sync_prefix_policy *sought) {
  for (size_t i = 0; i < count; i++)
    if (given[i].prefix_size == sought->prefix_size &&
        memcmp(given[i].prefix, sought->prefix, sought->prefix_size) == 0)
      return true;
  return false;
}

int conflict_open(struct sync_engine *engine) {
  struct sync_options *options = &engine->options;
  const struct sync_prefix_policy *given = options->prefix_policies;
  int rc = policies_set(&engine->policies, NULL, 0, &options->conflict_policy);
  if (rc == SYNC_OK) rc = policy_prepare(engine, &options->conflict_policy);
  if (options->prefix_policy_count > SYNC_PREFIX_POLICIES_MAX) return SYNC_E_TOO_MANY;
  for (size_t i = 0; rc == SYNC_OK && i < options->prefix_policy_count; i++) {
    if (given == NULL || given[i].prefix == NULL || given[i].prefix_size == 0) return SYNC_E_INVALID;
    if (policy_is_there(given, i, &given[i])) return SYNC_E_INVALID;
    rc = policies_set(&engine->policies, given[i].prefix, given[i].prefix_size, &given[i].policy);
    if (rc == SYNC_OK) rc = policy_prepare(engine, &given[i].policy);
  }
  options->prefix_policies = NULL; /* the caller's */
  engine->state.store.conflicts.judging = policies_write(&engine->policies);
  return rc;
}

void conflict_close(struct sync_engine *engine) {
  view_free(engine->view);
  policies_deinit(&engine->policies);
}
