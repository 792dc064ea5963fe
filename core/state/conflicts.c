#include "core/state/conflicts.h"

#include "core/state/sibling.h"

void conflicts_init(struct conflicts *conflicts, const struct sync_env *env) {
  btree_init(&conflicts->all, env);
  btree_init(&conflicts->unjudged, env);
  conflicts->count = 0;
  conflicts->judging = false;
}

void conflicts_deinit(struct conflicts *conflicts) {
  btree_deinit(&conflicts->all);
  btree_deinit(&conflicts->unjudged);
}

static bool is_in(const struct btree *tree, const struct store_key *key) {
  return btree_find(tree, key->bytes, key->size) != NULL;
}

int conflicts_reserve(struct conflicts *conflicts, struct store_key *key) {
  if (!is_in(&conflicts->all, key)) {
    int rc = btree_insert(&conflicts->all, key);
    if (rc != SYNC_OK) return rc;
    conflicts->count++;
  }
  if (!conflicts->judging || is_in(&conflicts->unjudged, key)) return SYNC_OK;
  int rc = btree_insert(&conflicts->unjudged, key);
  if (rc != SYNC_OK) conflicts_settle(conflicts, key);
  return rc;
}

void conflicts_settle(struct conflicts *conflicts, const struct store_key *key) {
  if (key_in_conflict(key)) return;
  if (is_in(&conflicts->all, key)) {
    btree_remove(&conflicts->all, key);
    conflicts->count--;
  }
  conflicts_judged(conflicts, key);
}

int conflicts_judge_all(struct conflicts *conflicts) {
  conflicts->judging = true;
  for (struct btree_cursor cursor = btree_first(&conflicts->all); btree_key(&cursor) != NULL; btree_advance(&cursor)) {
    struct store_key *key = btree_key(&cursor);
    if (is_in(&conflicts->unjudged, key)) continue;
    int rc = btree_insert(&conflicts->unjudged, key);
    if (rc != SYNC_OK) return rc;
  }
  return SYNC_OK;
}

void conflicts_judge_none(struct conflicts *conflicts) {
  conflicts->judging = false;
  btree_deinit(&conflicts->unjudged);
}

struct store_key *conflicts_unjudged(const struct conflicts *conflicts) {
  struct btree_cursor cursor = btree_first(&conflicts->unjudged);
  return btree_key(&cursor);
}

void conflicts_judged(struct conflicts *conflicts, const struct store_key *key) {
  if (is_in(&conflicts->unjudged, key)) btree_remove(&conflicts->unjudged, key);
}
