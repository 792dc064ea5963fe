#include "core/state/state.h"

/* The origin that an index stands for, or NULL. */
static struct origin *apply_named(const struct state *state, uint32_t index) {
  return index < origins_count(&state->origins) ? origins_at(&state->origins, index) : NULL;
}

/* Whether this very payload is what is held under its dot. */
static int apply_judge_duplicate(const struct state *state, const struct operation_view *view,
                                 const struct origin *origin) {
  uint64_t ordinal = 0;
  const struct oplog_entry *entry = oplog_find(&state->oplog, origin, view->seq, &ordinal);
  if (entry != NULL && entry->hash != oplog_hash(view->bytes, view->size)) return SYNC_E_ID_CONFLICT;
  return APPLY_DUPLICATE;
}

/* The first operation of a life gives it its index: the next one. */
static int apply_judge_first(const struct state *state, const struct operation_view *view) {
  if (view->seq != 1 || view->origin != origins_count(&state->origins)) return SYNC_E_CORRUPT;
  const struct operation_origin *own = &view->own;
  bool known = origins_find(&state->origins, own->node_id, own->node_id_size, own->incarnation) != NULL;
  return known ? SYNC_E_CORRUPT : APPLY_READY;
}

/* Weighs the operation (docs/formats.md). What it names is known, save its own origin. */
static int apply_judge_weight(struct state *state, const struct operation_view *view) {
  uint64_t stamp = origins_stamp(&state->origins);
  size_t weight = view->size;
  struct operation_mentions walk = operation_mentions_of(view);
  struct operation_mention mention;
  while (operation_next_mention(&walk, &mention)) {
    struct origin *origin = apply_named(state, mention.index);
    weight += OPERATION_INDEX_BYTES_MAX - mention.size;
    if (origin != NULL && origin->stamp == stamp) continue;
    weight += OPERATION_ORIGIN_BYTES(origin != NULL ? origin->node_id_size : view->own.node_id_size);
    if (origin != NULL) origin->stamp = stamp;
  }
  return weight <= state->operation_bytes_max ? APPLY_READY : SYNC_E_TOO_BIG;
}

/* The delta is in origin order and its origins are held that far. */
static int apply_judge_delta(const struct state *state, const struct operation_view *view) {
  const struct origin *last = NULL;
  struct bytes_reader delta = operation_delta(view);
  for (size_t i = 0; i < view->delta_count; i++) {
    struct operation_dot dot = operation_next_dot(&delta);
    const struct origin *origin = apply_named(state, dot.origin);
    if (origin == NULL || (last != NULL && origin_compare(last, origin) >= 0)) return SYNC_E_CORRUPT;
    if (origin->applied < dot.seq) return APPLY_NOT_YET;
    last = origin;
  }
  return APPLY_READY;
}

/* Resolves what the changes have seen, each list in dot order. */
static int apply_map_seen(struct state *state, const struct operation_view *view) {
  int rc = memory_array_reserve(state->env, &state->seen, sizeof(struct store_dot), 16, view->seen_count, UINT32_MAX);
  if (rc != SYNC_OK) return rc;
  struct store_dot *seen = state->seen.items;
  struct bytes_reader changes = operation_changes(view);
  for (size_t i = 0; i < view->change_count; i++) {
    struct operation_change_view change;
    operation_change_at(view, i, &changes, &change);
    for (size_t k = 0; k < change.seen_count; k++) {
      struct operation_dot dot = operation_next_seen(view, &change);
      const struct origin *origin = apply_named(state, dot.origin);
      if (origin == NULL) return SYNC_E_CORRUPT;
      if (origin->applied < dot.seq) return APPLY_NOT_YET;
      if (k > 0 && origin_dot_compare(seen[-1].origin, seen[-1].seq, origin, dot.seq) >= 0) return SYNC_E_CORRUPT;
      *seen++ = (struct store_dot){.origin = origin, .seq = dot.seq};
    }
  }
  return APPLY_READY;
}

int apply_judge(struct state *state, struct operation_view *view) {
  const struct origin *own = apply_named(state, view->origin);
  uint64_t applied = own == NULL ? 0 : own->applied;
  if (applied >= view->seq) return apply_judge_duplicate(state, view, own);
  if (own != NULL && applied + 1 != view->seq) return APPLY_NOT_YET;
  int verdict = own == NULL ? apply_judge_first(state, view) : APPLY_READY;
  if (verdict == APPLY_READY) verdict = apply_judge_delta(state, view);
  if (verdict == APPLY_READY) verdict = apply_map_seen(state, view);
  if (verdict != APPLY_READY) return verdict;
  view->hlc = view->hlc_step + (own == NULL ? 0 : own->hlc);
  return apply_judge_weight(state, view);
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
    struct origin *other = apply_named(state, dot.origin);
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
  plan->origin = apply_named(state, view->origin);
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

/* What the operation has seen need not be said by one that has seen it. */
static void apply_reach(struct state *state, const struct operation_view *view) {
  struct bytes_reader delta = operation_delta(view);
  for (size_t i = 0; i < view->delta_count; i++) {
    struct operation_dot dot = operation_next_dot(&delta);
    struct origin *origin = apply_named(state, dot.origin);
    if (origin->reached < dot.seq) origin->reached = dot.seq;
  }
}

struct origin *apply_commit(struct state *state, struct apply_plan *plan, uint64_t position, uint64_t end) {
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
  apply_reach(state, view);
  origins_raise(&state->origins, origin, view->seq);
  origin->hlc = view->hlc;
  oplog_add(&state->oplog, &(struct oplog_entry){.position = position,
                                                 .hash = oplog_hash(view->bytes, view->size),
                                                 .seq = view->seq,
                                                 .origin = origin,
                                                 .size = (uint32_t)view->size & OPLOG_SIZE_MASK,
                                                 .head = (uint8_t)(end - position - view->size)});
  if (state->hlc_last < view->hlc) state->hlc_last = view->hlc;
  return origin;
}
