#include "core/state/state.h"

static struct origin *apply_mapped(const struct state *state, size_t place) {
  return ((struct origin **)state->map.items)[place];
}

/* Whether this very payload is what is held under its dot. */
static int apply_judge_duplicate(const struct state *state, const struct operation_view *view,
                                 const struct origin *origin) {
  uint64_t ordinal = 0;
  const struct oplog_entry *entry = oplog_find(&state->oplog, origin, view->seq, &ordinal);
  if (entry != NULL && entry->hash != oplog_hash(view->bytes, view->size)) return SYNC_E_ID_CONFLICT;
  return APPLY_DUPLICATE;
}

/* An operation that can be applied names only origins that are held, save its
 * own: so nothing is interned for one that is skipped. */
static int apply_map(struct state *state, const struct operation_view *view, struct origin *own) {
  int rc = memory_array_reserve(state->env, &state->map, sizeof(struct origin *), 8, view->origin_count, UINT32_MAX);
  if (rc == SYNC_OK)
    rc = memory_array_reserve(state->env, &state->seen, sizeof(struct store_dot), 16, view->seen_count, UINT32_MAX);
  if (rc != SYNC_OK) return rc;
  struct origin **map = state->map.items;
  uint64_t stamp = origins_stamp(&state->origins);
  map[0] = own;
  struct bytes_reader table = operation_origins(view);
  (void)operation_next_origin(&table);
  for (size_t i = 1; i < view->origin_count; i++) {
    struct operation_origin named = operation_next_origin(&table);
    map[i] = origins_find(&state->origins, named.node_id, named.node_id_size, named.incarnation);
    if (map[i] == NULL) return APPLY_NOT_YET;
    if (map[i]->stamp == stamp) return SYNC_E_CORRUPT;
    map[i]->stamp = stamp;
  }
  return APPLY_READY;
}

/* Resolves what the changes have seen, each list in dot order. */
static int apply_map_seen(struct state *state, const struct operation_view *view) {
  struct store_dot *seen = state->seen.items;
  struct bytes_reader changes = operation_changes(view);
  for (size_t i = 0; i < view->change_count; i++) {
    struct operation_change_view change;
    operation_change_at(view, i, &changes, &change);
    for (size_t k = 0; k < change.seen_count; k++) {
      struct operation_dot dot = operation_next_dot(&change.seen);
      const struct origin *origin = apply_mapped(state, dot.origin);
      if (origin == NULL || origin->applied < dot.seq) return APPLY_NOT_YET;
      if (k > 0 && origin_dot_compare(seen[-1].origin, seen[-1].seq, origin, dot.seq) >= 0) return SYNC_E_CORRUPT;
      *seen++ = (struct store_dot){.origin = origin, .seq = dot.seq};
    }
  }
  return APPLY_READY;
}

int apply_judge(struct state *state, const struct operation_view *view) {
  struct origin *own = origins_find(&state->origins, view->own.node_id, view->own.node_id_size, view->own.incarnation);
  uint64_t applied = own == NULL ? 0 : own->applied;
  if (applied >= view->seq) return apply_judge_duplicate(state, view, own);
  if (applied + 1 != view->seq) return APPLY_NOT_YET;
  int verdict = apply_map(state, view, own);
  if (verdict != APPLY_READY) return verdict;
  struct bytes_reader delta = operation_delta(view);
  for (size_t i = 0; i < view->delta_count; i++) {
    struct operation_dot dot = operation_next_dot(&delta);
    if (apply_mapped(state, dot.origin)->applied < dot.seq) return APPLY_NOT_YET;
  }
  return apply_map_seen(state, view);
}

/* BIRTH: what the first operation of a life had seen of the node's others. */
static int apply_prepare_birth(struct state *state, const struct operation_view *view, struct apply_plan *plan) {
  int rc = memory_array_reserve(state->env, &state->edges, sizeof(struct origin_edge), ORIGIN_EDGE_NOMINAL_BYTES,
                                view->delta_count, UINT32_MAX);
  if (rc != SYNC_OK) return rc;
  struct origin_edge *edges = state->edges.items;
  size_t count = 0;
  struct bytes_reader delta = operation_delta(view);
  for (size_t i = 0; i < view->delta_count; i++) {
    struct operation_dot dot = operation_next_dot(&delta);
    struct origin *other = apply_mapped(state, dot.origin);
    if (other->node_id_size != view->own.node_id_size) continue;
    if (memcmp(other->node_id, view->own.node_id, view->own.node_id_size) != 0) continue;
    edges[count++] = (struct origin_edge){.origin = other, .seq = dot.seq};
  }
  count = origins_reduce(edges, count);
  if (count == 0) return SYNC_OK;
  plan->birth = memory_alloc(state->env, count * sizeof(struct origin_edge), count * (size_t)ORIGIN_EDGE_NOMINAL_BYTES);
  if (plan->birth == NULL) return SYNC_E_NO_MEMORY;
  memcpy(plan->birth, edges, count * sizeof(struct origin_edge));
  plan->birth_count = count;
  return SYNC_OK;
}

static int apply_prepare_changes(struct state *state, const struct operation_view *view, struct apply_plan *plan) {
  int rc =
      memory_array_reserve(state->env, &state->plans, sizeof(struct store_plan), 32, view->change_count, UINT32_MAX);
  if (rc != SYNC_OK) return rc;
  struct store_plan *plans = state->plans.items;
  const struct store_dot *seen = state->seen.items;
  struct bytes_reader changes = operation_changes(view);
  uint64_t added = 0;
  uint64_t removed = 0;
  for (size_t i = 0; i < view->change_count; i++) {
    struct operation_change_view change;
    operation_change_at(view, i, &changes, &change);
    rc = store_plan_change(&state->store, &change, seen, view->hlc, &plans[i]);
    if (rc != SYNC_OK) return rc;
    plan->planned++;
    added += plans[i].bytes_added;
    removed += plans[i].bytes_removed;
    if (change.seen_count > 0) seen += change.seen_count;
  }
  bool grows = added > removed;
  if (grows && state->store.bytes + (added - removed) > state->store_bytes_max) return SYNC_E_FULL;
  return SYNC_OK;
}

int apply_prepare(struct state *state, const struct operation_view *view, struct apply_plan *plan) {
  memset(plan, 0, sizeof *plan);
  plan->view = view;
  plan->origin = apply_mapped(state, 0);
  int rc = oplog_reserve(&state->oplog, plan->origin);
  if (rc == SYNC_OK && plan->origin == NULL) rc = origins_reserve(&state->origins);
  if (rc == SYNC_OK && view->seq == 1) rc = apply_prepare_birth(state, view, plan);
  if (rc == SYNC_OK) rc = apply_prepare_changes(state, view, plan);
  if (rc != SYNC_OK) apply_cancel(state, plan);
  return rc;
}

void apply_cancel(struct state *state, struct apply_plan *plan) {
  struct store_plan *plans = state->plans.items;
  while (plan->planned > 0)
    store_plan_cancel(&state->store, &plans[--plan->planned]);
  memory_free(state->env, plan->birth, plan->birth_count * sizeof(struct origin_edge),
              plan->birth_count * ORIGIN_EDGE_NOMINAL_BYTES);
  plan->birth = NULL;
  plan->birth_count = 0;
}

struct origin *apply_commit(struct state *state, struct apply_plan *plan, uint64_t position) {
  const struct operation_view *view = plan->view;
  struct origin *origin = plan->origin;
  if (origin == NULL) {
    origin = origins_add(&state->origins, view->own.node_id, view->own.node_id_size, view->own.incarnation);
    origin->birth = plan->birth;
    origin->birth_count = plan->birth_count;
    for (size_t i = 0; i < plan->birth_count; i++) {
      struct origin_edge elder = plan->birth[i];
      if (elder.origin->covered < elder.seq) elder.origin->covered = elder.seq;
    }
  }
  sync_check(state->env, origin->applied + 1 == view->seq);
  struct store_plan *plans = state->plans.items;
  const struct store_dot *seen = state->seen.items;
  struct bytes_reader changes = operation_changes(view);
  for (size_t i = 0; i < plan->planned; i++) {
    struct operation_change_view change;
    operation_change_at(view, i, &changes, &change);
    store_plan_commit(&state->store, &plans[i], origin, view->seq, seen, change.seen_count);
    if (change.seen_count > 0) seen += change.seen_count;
  }
  origins_raise(&state->origins, origin, view->seq);
  origin->hlc = view->hlc;
  oplog_add(&state->oplog, &(struct oplog_entry){.position = position,
                                                 .hash = oplog_hash(view->bytes, view->size),
                                                 .seq = view->seq,
                                                 .origin = origin,
                                                 .size = (uint32_t)view->size});
  if (state->hlc_last < view->hlc) state->hlc_last = view->hlc;
  return origin;
}
