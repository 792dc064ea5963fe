#include "core/sweep.h"

#include "core/own_write.h"

#define SWEEP_EARLY 16u           /* part of the interval after which tombstones that fill an operation are looked at */
#define SWEEP_TURN_OPERATIONS 4u  /* that one tick writes; the next goes on */
#define SWEEP_AGING_LOOKS 4u      /* of so many whole looks one is for tombstones of others */
#define SWEEP_CONTESTED_LOOKS 64u /* contested tombstones of one whole look */
#define SWEEP_DOT_BYTES 15u       /* at most */
#define SWEEP_CHANGE_BYTES 4u     /* of a change besides key and dots */
#define SWEEP_CHANGE_NOMINAL_BYTES 40u

/* --- What may go ------------------------------------------------------------------- */

/* Up to where all that hold the origin's operations durably are known to: this node and its peers. */
static uint64_t sweep_held(const struct sync_engine *engine, const struct origin *origin) {
  uint64_t held = origin->durable;
  uint32_t handles = peer_handles(&engine->peers);
  for (uint32_t handle = 0; handle < handles; handle++) {
    const struct peer *peer = peer_at(&engine->peers, handle);
    if (peer == NULL) continue;
    uint64_t known = peer->known_session == 0 ? 0 : vector_get(&peer->known, origin->index);
    if (known < held) held = known;
  }
  return held;
}

/* Whether nobody is there who sweeps them: their author is neither this node nor a peer of it. */
static bool sweep_is_orphan(const struct sync_engine *engine, const struct origin *origin) {
  return !origin->own_node && peer_find(&engine->peers, (const uint8_t *)origin->node_id, origin->node_id_size) == NULL;
}

static bool sweep_may(const struct sync_engine *engine, const struct store_sibling *sibling) {
  const struct origin *origin = sibling->origin;
  if (!sibling->tombstone || sibling->seq > sweep_held(engine, origin)) return false;
  return origin->own_node || sweep_is_orphan(engine, origin);
}

static bool sweep_sees(void *arg, const struct store_sibling *sibling) {
  return sweep_may(arg, sibling);
}

/* --- What is to go in one operation --------------------------------------------------- */

struct sweeping {
  struct sync_engine *engine;
  bool whole;   /* not only what fills operations */
  bool orphans; /* those of others, too */
  bool full;    /* there is no more room in the operation */
  size_t bytes;
  int status;
};

static bool sweep_has(const struct sweeping *sweeping, const struct store_key *key) {
  const struct memory_array *taken = &sweeping->engine->sweep.changes;
  const struct own_change *changes = taken->items;
  for (size_t i = 0; key->sibling_count > 1 && i < taken->count; i++)
    if (changes[i].key == key->bytes) return true;
  return false;
}

static void sweep_take(struct sweeping *sweeping, const struct store_key *key) {
  struct sync_engine *engine = sweeping->engine;
  struct memory_array *taken = &engine->sweep.changes;
  if (sweep_has(sweeping, key)) return;
  size_t bytes = SWEEP_CHANGE_BYTES + key->size + (size_t)key->sibling_count * SWEEP_DOT_BYTES;
  bool fits = taken->count < engine->options.changes_max && sweeping->bytes + bytes <= engine->limits.bytes_max / 2;
  if (!fits && taken->count > 0) {
    sweeping->full = true;
    return;
  }
  sweeping->status = memory_array_reserve(engine->env, taken, sizeof(struct own_change), SWEEP_CHANGE_NOMINAL_BYTES,
                                          taken->count + 1, UINT32_MAX);
  if (sweeping->status != SYNC_OK) return;
  sweeping->bytes += bytes;
  ((struct own_change *)taken->items)[taken->count++] =
      (struct own_change){.kind = SYNC_SWEEP, .key = key->bytes, .key_size = key->size};
}

static bool sweep_goes_on(const struct sweeping *sweeping) {
  return !sweeping->full && sweeping->status == SYNC_OK;
}

static void sweep_take_origin(struct sweeping *sweeping, struct origin *origin) {
  struct sync_engine *engine = sweeping->engine;
  if (!origin->own_node && (!sweeping->orphans || !sweep_is_orphan(engine, origin))) return;
  uint64_t until = sweep_held(engine, origin);
  if (!origin->own_node && origin->graves.aged < until) until = origin->graves.aged;
  struct store_sibling *next = graves_of(origin);
  while (next != NULL && next->seq <= until && sweep_goes_on(sweeping)) {
    struct store_sibling *tombstone = next;
    next = grave_of(tombstone)->after;
    const struct store_key *key = grave_of(tombstone)->key;
    if (graves_only(key))
      sweep_take(sweeping, key);
    else
      graves_contest(&engine->state.store.graves, tombstone);
  }
}

/* Those whose keys had values are looked at in turn: one may have become the only thing there. */
static void sweep_take_contested(struct sweeping *sweeping) {
  struct graves *graves = &sweeping->engine->state.store.graves;
  const struct store_sibling *first = NULL;
  for (size_t i = 0; i < SWEEP_CONTESTED_LOOKS && sweep_goes_on(sweeping); i++) {
    struct store_sibling *tombstone = graves->contested_first;
    if (tombstone == NULL || tombstone == first) return;
    if (first == NULL) first = tombstone;
    const struct store_key *key = grave_of(tombstone)->key;
    if (graves_only(key) && sweep_may(sweeping->engine, tombstone)) sweep_take(sweeping, key);
    graves_contest(graves, tombstone);
  }
}

static void sweep_collect(struct sweeping *sweeping) {
  struct sync_engine *engine = sweeping->engine;
  engine->sweep.changes.count = 0;
  sweeping->full = false;
  sweeping->bytes = 0;
  sweeping->status = SYNC_OK;
  struct origin *next = engine->state.store.graves.first;
  while (next != NULL && sweep_goes_on(sweeping)) {
    struct origin *origin = next;
    next = origin->graves.after;
    sweep_take_origin(sweeping, origin);
  }
  if (sweeping->whole) sweep_take_contested(sweeping);
}

/* One operation of as many of them as fit. */
static int sweep_write(struct sync_engine *engine) {
  const struct own_change *changes = engine->sweep.changes.items;
  uint64_t before = engine->state.store.siblings;
  int rc = SYNC_E_TOO_BIG;
  for (size_t count = engine->sweep.changes.count; rc == SYNC_E_TOO_BIG && count > 0; count /= 2)
    rc = own_write(engine, changes, count, sweep_sees, engine);
  if (rc != SYNC_OK) return rc;
  engine->stats.sweeps++;
  engine->stats.swept += before - engine->state.store.siblings;
  return SYNC_OK;
}

/* --- When ---------------------------------------------------------------------------- */

static uint64_t sweep_due(const struct sync_engine *engine) {
  const struct sweep *sweep = &engine->sweep;
  const struct graves *graves = &engine->state.store.graves;
  uint64_t interval = engine->options.sweep_interval_ns;
  if (interval == UINT64_MAX || graves->count == 0) return SYNC_NO_DEADLINE;
  if (sweep->going) return 0;
  uint64_t whole = time_add(sweep->whole_ns, interval);
  bool many = graves->added - sweep->added >= engine->options.changes_max;
  uint64_t early = time_add(sweep->looked_ns, interval / SWEEP_EARLY);
  return many && early < whole ? early : whole;
}

uint64_t sweep_deadline(const struct sync_engine *engine) {
  return own_write_can(engine) ? sweep_due(engine) : SYNC_NO_DEADLINE;
}

/* What others have left is older now. */
static void sweep_age(struct sync_engine *engine) {
  for (struct origin *origin = engine->state.store.graves.first; origin != NULL; origin = origin->graves.after)
    if (!origin->own_node && graves_of(origin) != NULL) origin->graves.aged = origin->graves.last->seq;
}

static void sweep_looked(struct sync_engine *engine, const struct sweeping *sweeping, uint64_t now_ns) {
  struct sweep *sweep = &engine->sweep;
  sweep->going = false;
  sweep->looked_ns = now_ns;
  sweep->added = engine->state.store.graves.added;
  if (!sweeping->whole) return;
  sweep->whole_ns = now_ns;
  sweep->looks++;
  if (sweeping->orphans) sweep_age(engine);
}

void sweep_begin(struct sync_engine *engine) {
  engine->sweep.looked_ns = engine->sweep.whole_ns = port_now(engine->env);
  engine->sweep.added = engine->state.store.graves.added;
}

void sweep_run(struct sync_engine *engine) {
  struct sweep *sweep = &engine->sweep;
  uint64_t now_ns = port_now(engine->env);
  if (!own_write_can(engine) || sweep_due(engine) > now_ns) return;
  struct sweeping sweeping = {.engine = engine};
  sweeping.whole = now_ns >= time_add(sweep->whole_ns, engine->options.sweep_interval_ns);
  sweeping.orphans = sweeping.whole && sweep->looks % SWEEP_AGING_LOOKS == 0;
  for (unsigned i = 0; i < SWEEP_TURN_OPERATIONS; i++) {
    sweep_collect(&sweeping);
    bool enough = sweep->changes.count > 0 && (sweeping.whole || sweeping.full) && sweeping.status == SYNC_OK;
    if (enough && sweep_write(engine) == SYNC_OK) continue;
    sweep_looked(engine, &sweeping, now_ns);
    return;
  }
  sweep->going = true; /* there may be more */
}

void sweep_deinit(struct sync_engine *engine) {
  memory_array_free(engine->env, &engine->sweep.changes, sizeof(struct own_change), SWEEP_CHANGE_NOMINAL_BYTES);
}
