/* Encoding, reserving all memory, appending, applying. */
#include "core/draft.h"

#include "core/backup.h"
#include "core/compaction.h"

/* --- Keys in order --------------------------------------------------------------- */

static int draft_compare(const struct operation_change *a, const struct operation_change *b) {
  int order = memcmp(a->key, b->key, a->key_size < b->key_size ? a->key_size : b->key_size);
  if (order != 0) return order;
  return a->key_size < b->key_size ? -1 : a->key_size > b->key_size ? 1 : 0;
}

static void draft_sift(struct operation_change *changes, size_t root, size_t count) {
  struct operation_change moving = changes[root];
  for (;;) {
    size_t child = 2 * root + 1;
    if (child >= count) break;
    if (child + 1 < count && draft_compare(&changes[child], &changes[child + 1]) < 0) child++;
    if (draft_compare(&moving, &changes[child]) >= 0) break;
    changes[root] = changes[child];
    root = child;
  }
  changes[root] = moving;
}

static void draft_sort(struct operation_change *changes, size_t count) {
  for (size_t i = count / 2; i-- > 0;)
    draft_sift(changes, i, count);
  for (size_t end = count; end-- > 1;) {
    struct operation_change last = changes[end];
    changes[end] = changes[0];
    changes[0] = last;
    draft_sift(changes, 0, end);
  }
}

int draft_begin(struct sync_engine *engine, size_t count) {
  return memory_array_reserve(engine->env, &engine->changes, sizeof(struct operation_change), 64, count, UINT32_MAX);
}

/* In key order. SYNC_E_INVALID: a key is there twice. */
static int draft_order(struct sync_engine *engine, size_t count) {
  struct operation_change *changes = engine->changes.items;
  draft_sort(changes, count);
  for (size_t i = 1; i < count; i++)
    if (draft_compare(&changes[i - 1], &changes[i]) == 0) return SYNC_E_INVALID;
  return SYNC_OK;
}

/* --- What it says besides its changes --------------------------------------------- */

/* Puts the changed origins in order: few, and mostly in order already. */
static void draft_sort_changed(struct origin **changed, size_t count) {
  for (size_t i = 1; i < count; i++) {
    struct origin *moving = changed[i];
    size_t to = i;
    while (to > 0 && origin_compare(changed[to - 1], moving) > 0) {
      changed[to] = changed[to - 1];
      to--;
    }
    changed[to] = moving;
  }
}

/* Whether to hold other operations that the new one names means to hold all that is held of this origin. These are,
 * of a dead life, the birth of a later one; else what was written by one who held it. The first operation of a life
 * names all lives of its node that births do not imply: these are its own birth. */
static bool draft_is_implied(const struct sync_engine *engine, const struct origin *origin) {
  if (origin->applied == origin->covered) return true;
  bool birth = engine->own == NULL && origin->own_node;
  return !birth && origin->applied <= origin->reached;
}

/* The delta: everything at the first operation of a life, else what changed; without what is implied by the rest. So
 * an operation does not grow with the number of opens ever, nor with that of nodes that write: of what was seen, it
 * names what nobody else is known to have seen. */
static size_t draft_delta(struct sync_engine *engine, struct operation_dot *dots) {
  bool first = engine->own == NULL;
  struct origin **changed = engine->state.origins.changed.items;
  size_t candidates = first ? origins_count(&engine->state.origins) : engine->state.origins.changed.count;
  if (!first) draft_sort_changed(changed, candidates);
  size_t count = 0;
  for (size_t i = 0; i < candidates; i++) {
    struct origin *origin = first ? origins_sorted(&engine->state.origins, i) : changed[i];
    if (origin == engine->own || origin->applied == 0 || draft_is_implied(engine, origin)) continue;
    dots[count++] = (struct operation_dot){.origin = origin->index, .seq = origin->applied};
  }
  return count;
}

static uint64_t draft_hlc(const struct sync_engine *engine) {
  uint64_t now = engine->env->ops->wall_ns(engine->env->ctx);
  uint64_t bound = time_add(now, engine->options.clock_bound_ns);
  uint64_t adopted = engine->state.hlc_last < bound ? engine->state.hlc_last : bound;
  return time_add(adopted > now ? adopted : now, 1);
}

/* What every operation says besides its changes. */
static struct operation draft_head(struct sync_engine *engine, uint64_t incarnation, struct operation_dot *dots) {
  struct operation operation = {.seq = 1, .hlc = draft_hlc(engine), .delta = dots};
  operation.delta_count = draft_delta(engine, dots);
  if (engine->own != NULL) {
    operation.origin = engine->own->index;
    operation.seq = engine->own->applied + 1;
    operation.hlc_before = engine->own->hlc;
    return operation;
  }
  operation.origin = (uint32_t)origins_count(&engine->state.origins);
  operation.own = (struct operation_origin){
      .node_id = (const uint8_t *)engine->node_id, .node_id_size = strlen(engine->node_id), .incarnation = incarnation};
  return operation;
}

/* --- What its changes replace ------------------------------------------------------ */

static bool draft_is_seen(const struct draft *draft, const struct store_sibling *sibling) {
  return draft->sees == NULL || draft->sees(draft->arg, sibling);
}

/* How much of what is held of its key each change replaces. SYNC_E_INVALID: a sweep that sees nothing. */
static int draft_count_seen(struct sync_engine *engine, const struct draft *draft, size_t *total) {
  struct operation_change *changes = engine->changes.items;
  *total = 0;
  for (size_t i = 0; i < draft->count; i++) {
    const struct store_key *key = store_seek(&engine->state.store, changes[i].key, changes[i].key_size);
    changes[i].seen_count = key == NULL ? 0 : key->sibling_count;
    if (key != NULL && draft->sees != NULL) {
      changes[i].seen_count = 0;
      for (const struct store_sibling *s = key->siblings; s != NULL; s = s->next)
        changes[i].seen_count += draft_is_seen(draft, s);
    }
    if (changes[i].kind == SYNC_SWEEP && changes[i].seen_count == 0) return SYNC_E_INVALID;
    *total += changes[i].seen_count;
  }
  return SYNC_OK;
}

static void draft_list_seen(struct sync_engine *engine, const struct draft *draft, struct operation_dot *dots) {
  struct operation_change *changes = engine->changes.items;
  for (size_t i = 0; i < draft->count; i++) {
    changes[i].seen = dots;
    if (changes[i].seen_count == 0) continue;
    const struct store_key *key = store_seek(&engine->state.store, changes[i].key, changes[i].key_size);
    for (const struct store_sibling *s = key->siblings; s != NULL; s = s->next)
      if (draft_is_seen(draft, s)) *dots++ = (struct operation_dot){.origin = s->origin->index, .seq = s->seq};
  }
}

/* --- The operation ------------------------------------------------------------------ */

/* Encodes the changes into engine->bytes. */
static int draft_encode(struct sync_engine *engine, uint64_t incarnation, const struct draft *draft,
                        struct operation_view *view) {
  size_t origins = origins_count(&engine->state.origins);
  size_t seen_count = 0;
  int rc = draft_count_seen(engine, draft, &seen_count);
  if (rc != SYNC_OK) return rc;
  rc = memory_array_reserve(engine->env, &engine->dots, sizeof(struct operation_dot), 16, origins + seen_count,
                            UINT32_MAX);
  if (rc != SYNC_OK) return rc;
  struct operation_dot *dots = engine->dots.items;
  struct operation operation = draft_head(engine, incarnation, dots);
  if (operation.delta_count > 0) dots += operation.delta_count;
  draft_list_seen(engine, draft, dots);
  operation.changes = engine->changes.items;
  operation.change_count = draft->count;
  size_t size = operation_size(&operation);
  if (size > engine->limits.bytes_max) return SYNC_E_TOO_BIG;
  rc = memory_array_reserve(engine->env, &engine->bytes, 1, 1, size, engine->limits.bytes_max);
  if (rc != SYNC_OK) return rc;
  operation_encode(&operation, engine->bytes.items);
  rc = operation_parse(engine->bytes.items, size, &engine->limits, view);
  sync_check(engine->env, rc == SYNC_OK);
  return rc;
}

static int draft_apply(struct sync_engine *engine, const struct draft *draft, struct operation_view *view,
                       struct sync_receipt *receipt) {
  int rc = apply_judge(&engine->state, view);
  if (rc < 0) return rc;
  sync_check(engine->env, rc == APPLY_READY);
  struct apply_plan plan;
  rc = apply_prepare(&engine->state, view, &plan);
  if (rc != SYNC_OK) return rc;
  uint64_t position = 0;
  uint64_t end = 0;
  rc = engine_append(engine, WAL_OPERATION, view->bytes, view->size, &position, &end);
  if (rc != SYNC_OK) {
    apply_cancel(&engine->state, &plan);
    return rc;
  }
  engine->own = apply_commit(&engine->state, &plan, position, end);
  struct origin **changed = engine->state.origins.changed.items;
  for (size_t i = 0; i < engine->state.origins.changed.count; i++)
    changed[i]->changed = false;
  engine->state.origins.changed.count = 0;
  if (draft->by_itself)
    PORT_TRACE(engine->env, SYNC_TRACE_OWN_WRITE, engine->own->node_hash, engine->own->incarnation, view->seq, end,
               view->hlc, position);
  else
    PORT_TRACE(engine->env, SYNC_TRACE_SUBMIT, engine->own->node_hash, engine->own->incarnation, view->seq, end,
               view->hlc);
  if (receipt != NULL)
    *receipt = (struct sync_receipt){.dot = {.origin = origin_public(engine->own), .seq = view->seq}, .position = end};
  return SYNC_OK;
}

int draft_write(struct sync_engine *engine, const struct draft *draft, struct sync_receipt *receipt) {
  int rc = draft_order(engine, draft->count);
  if (rc != SYNC_OK) return rc;
  /* A life begins with its first operation; one that fails never was. */
  bool first = engine->own == NULL;
  if (first && origins_count(&engine->state.origins) >= engine->options.origins_max) return SYNC_E_TOO_MANY;
  uint64_t incarnation = first ? port_unique(engine->env) : engine->own->incarnation;
  struct operation_view view;
  rc = draft_encode(engine, incarnation, draft, &view);
  return rc == SYNC_OK ? draft_apply(engine, draft, &view, receipt) : rc;
}

void draft_written(struct sync_engine *engine) {
  engine_commit_soon(engine);
  compaction_relieve(engine);
  backup_relieve(engine);
}
