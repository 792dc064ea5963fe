#include "cluster/conflicts.h"

#include "cluster/lookup.h"
#include "cluster/policies.h"
#include "cluster/state.h"
#include "sim/memory/mix.h"

struct conflict_key {
  const struct cluster *cluster;
  const struct replica *replica;
  uint32_t first; /* place + 1 of its first sibling */
  enum cluster_policy policy;
};

static struct conflict_key key_of(const struct cluster *cluster, uint32_t node, uint32_t slot) {
  const struct keys *keys = &cluster->ledger.keys;
  const struct replica *replica = &cluster->nodes[node].replica;
  return (struct conflict_key){
      cluster, replica, replica_first(replica, slot),
      policies_find(&cluster->nodes[node].policies, keys_bytes(keys, slot), keys->entries[slot].size)};
}

static const struct ledger_change *change_of(const struct conflict_key *key, uint32_t place) {
  return &key->cluster->ledger.changes[key->replica->siblings[place - 1u].number - 1u];
}

static struct conflicts_reading count(const struct conflict_key *key) {
  struct conflicts_reading reading = {.settled = true};
  for (uint32_t place = key->first; place; place = key->replica->siblings[place - 1u].next) {
    const struct ledger_change *change = change_of(key, place);
    reading.count++;
    reading.put += change->kind == SYNC_PUT;
    reading.settled = reading.settled && change->automatic;
  }
  reading.conflict = reading.count > 1 && reading.put > 0;
  return reading;
}

/* Which siblings a winner is sought among. */
enum among { AMONG_ALL, AMONG_VALUES, AMONG_OWN, AMONG_OTHERS };

static bool is_among(const struct conflict_key *key, uint32_t node, uint32_t place, enum among among) {
  const struct ledger *ledger = &key->cluster->ledger;
  const struct ledger_change *change = change_of(key, place);
  bool own = ledger->lives[ledger->operations[change->operation].life].node == node; /* in whatever life */
  switch (among) {
  case AMONG_ALL:
    return true;
  case AMONG_VALUES:
    return change->kind == SYNC_PUT;
  case AMONG_OWN:
    return own;
  case AMONG_OTHERS:
    return !own;
  }
  return false;
}

/* By (clock, node, incarnation, sequence); 0: there is none. */
static uint32_t greatest(const struct conflict_key *key, uint32_t node, enum among among) {
  uint32_t best = 0;
  for (uint32_t place = key->first; place; place = key->replica->siblings[place - 1u].next) {
    uint32_t number = key->replica->siblings[place - 1u].number;
    if (!is_among(key, node, place, among)) continue;
    if (!best || replica_beats(key->cluster, number, best)) best = number;
  }
  return best;
}

struct conflicts_reading conflicts_look(const struct cluster *cluster, uint32_t node, uint32_t slot) {
  struct conflict_key key = key_of(cluster, node, slot);
  struct conflicts_reading reading = count(&key);
  bool merges = reading.conflict && policies_kind(key.policy) == SYNC_MERGE;
  reading.number = greatest(&key, node, merges ? AMONG_VALUES : AMONG_ALL);
  if (merges && reading.put > 1) {
    struct sync_policy policy = policies_given(&cluster->config.own_merges, key.policy);
    reading.merge = policy.merge;
    reading.merge_arg = policy.merge_arg;
  }
  return reading;
}

uint32_t conflicts_due(const struct cluster *cluster, uint32_t node, uint32_t slot) {
  struct conflict_key key = key_of(cluster, node, slot);
  if (key.policy != CLUSTER_KEEP_LOCAL && key.policy != CLUSTER_KEEP_REMOTE) return 0;
  struct conflicts_reading reading = count(&key);
  uint32_t own = greatest(&key, node, AMONG_OWN), others = greatest(&key, node, AMONG_OTHERS);
  if (!reading.conflict || reading.settled || !own) return 0;
  return key.policy == CLUSTER_KEEP_LOCAL || !others ? own : others;
}

static uint32_t first_unresolved(const struct cluster *cluster, uint32_t node) {
  const struct replica *replica = &cluster->nodes[node].replica;
  for (uint32_t slot = 0; slot < cluster->ledger.keys.count; slot++) {
    uint32_t place = replica_first(replica, slot);
    if (place && replica->siblings[place - 1u].next && conflicts_due(cluster, node, slot)) return slot;
  }
  return KEYS_NONE;
}

static int count_origin(void *arg, const struct sync_origin *origin, uint64_t seq) {
  (void)origin, (void)seq;
  ++*(uint32_t *)arg;
  return 0;
}

/* Whether it can write: it has room, and is in a life that may begin. */
static bool writes(struct cluster *cluster, uint32_t node, struct sync_engine *engine) {
  struct sync_stats stats;
  sync_stats_get(engine, &stats);
  uint32_t life = cluster->nodes[node].life, origins = 0, most = cluster_options(cluster, node)->origins_max;
  if (stats.full || stats.failed || life == LEDGER_NONE) return false;
  if (!most || cluster->ledger.lives[life].incarnation) return true;
  (void)sync_vector(engine, false, count_origin, &origins);
  return origins < most;
}

uint32_t conflicts_overdue(struct cluster *cluster, uint32_t node) {
  struct sync_engine *engine = cluster_engine(cluster, node);
  if (!engine || !cluster->nodes[node].replica.following || !writes(cluster, node, engine)) return KEYS_NONE;
  return first_unresolved(cluster, node);
}

bool conflicts_resolved(struct cluster *cluster) {
  for (uint32_t node = 1; node <= cluster->config.nodes; node++)
    if (conflicts_overdue(cluster, node) != KEYS_NONE) return false;
  return true;
}

uint64_t conflicts_mark(const struct replica *replica, uint32_t slot) {
  uint64_t mark = 0;
  for (uint32_t place = replica_first(replica, slot); place; place = replica->siblings[place - 1u].next)
    mark += sim_mix(replica->siblings[place - 1u].number);
  return mark;
}
