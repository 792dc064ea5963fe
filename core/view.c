#include "core/view.h"

#define VIEW_NOMINAL_BYTES 64u
#define VIEW_VALUE_NOMINAL_BYTES 64u

static int view_reserve(struct view *view, size_t count) {
  return memory_array_reserve(view->env, &view->values, sizeof(struct sync_sibling), VIEW_VALUE_NOMINAL_BYTES, count,
                              UINT32_MAX);
}

struct view *view_new(const struct sync_env *env, size_t value_bytes_max) {
  struct view *view = memory_alloc_zero(env, sizeof *view, VIEW_NOMINAL_BYTES);
  if (view == NULL) return NULL;
  view->env = env;
  view->capacity = value_bytes_max;
  view->merged = memory_alloc_bytes(env, view->capacity);
  int rc = view_reserve(view, VIEW_VALUES);
  if (view->merged != NULL && rc == SYNC_OK) return view;
  view_free(view);
  return NULL;
}

void view_free(struct view *view) {
  if (view == NULL) return;
  const struct sync_env *env = view->env;
  memory_array_free(env, &view->values, sizeof(struct sync_sibling), VIEW_VALUE_NOMINAL_BYTES);
  if (view->merged != NULL) memory_free_bytes(env, view->merged, view->capacity);
  memory_free(env, view, sizeof *view, VIEW_NOMINAL_BYTES);
}

/* Collects the values in dot order; *greatest is the winner among them. */
static int view_collect(struct view *view, const struct store_key *key, const struct store_sibling **greatest) {
  int rc = view_reserve(view, key->sibling_count);
  if (rc != SYNC_OK) return rc;
  struct sync_sibling *values = view->values.items;
  view->values.count = 0;
  for (const struct store_sibling *s = key->siblings; s != NULL; s = s->next) {
    if (s->tombstone) continue;
    if (view->values.count == 0 || s->hlc >= (*greatest)->hlc) *greatest = s;
    values[view->values.count++] = store_sibling_public(s);
  }
  return SYNC_OK;
}

static int view_merge(struct view *view, const struct sync_policy *policy, const struct store_key *key,
                      struct sync_sibling *given) {
  const struct store_sibling *greatest = NULL;
  int rc = view_collect(view, key, &greatest);
  if (rc != SYNC_OK) return rc;
  *given = store_sibling_public(greatest);
  if (view->values.count == 1) return SYNC_OK;
  size_t size = 0;
  rc = policy->merge(policy->merge_arg, key->bytes, key->size, view->values.items, view->values.count, view->merged,
                     view->capacity, &size);
  if (rc != SYNC_OK || size > view->capacity) {
    given->unmerged = true;
    return rc != SYNC_OK ? SYNC_E_MERGE : SYNC_E_TOO_BIG;
  }
  given->value = view->merged;
  given->value_size = size;
  given->merged = true;
  return SYNC_OK;
}

int view_read(struct view *view, const struct policies *policies, const struct store_key *key,
              struct sync_sibling *given) {
  bool conflict = key_in_conflict(key);
  *given = store_sibling_public(store_winner(key));
  int rc = SYNC_OK;
  if (conflict) {
    struct sync_policy policy = policies_of(policies, key->bytes, key->size);
    if (policy.kind == SYNC_MERGE) rc = view_merge(view, &policy, key, given);
  }
  given->conflict = conflict;
  return rc;
}
