#include "cluster/claims.h"

/* What operations say of themselves, held against what their writers submitted
 * and held: which siblings a change replaced, what else was there (the delta),
 * and when it was (the clock). */
#include <string.h>

#include "cluster/lie.h"
#include "cluster/lookup.h"
#include "cluster/own_content.h"
#include "cluster/replica_state.h"
#include "cluster/seldom.h"
#include "cluster/state.h"

#define CLOCK_BOUND_NS UINT64_C(500000000) /* core/sync.h: the default */

struct claim {
  struct cluster *cluster;
  uint32_t node;
  uint32_t operation;
  struct decode_operation decoded;
};

static void lie(const struct claim *claim, const char *property, const char *what) {
  cluster_lie(claim->cluster, claim->node, claim->operation, property, what);
}

/* --- Before a submit -------------------------------------------------------------------- */

static uint64_t add(uint64_t a, uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void claims_expect(struct cluster *cluster, uint32_t node, uint32_t operation) {
  const struct replica *replica = &cluster->nodes[node].replica;
  uint64_t bound = cluster_options(cluster, node)->clock_bound_ns;
  uint64_t now = sim_clock_wall_peek(cluster->world, node);
  uint64_t adopted = add(now, bound ? bound : CLOCK_BOUND_NS);
  if (replica->hlc_last < adopted) adopted = replica->hlc_last;
  cluster->ledger.operations[operation].hlc = add(adopted > now ? adopted : now, 1);
  for (uint32_t i = 0; i < replica->news_count; i++)
    ledger_held_add(&cluster->ledger, replica->news[i], replica_held(replica, replica->news[i]));
}

/* --- Reading an operation ----------------------------------------------------------------- */

static const struct ledger_held *held_of(const struct ledger *ledger, const struct ledger_operation *operation,
                                         uint32_t life) {
  const struct ledger_held *held = ledger->held + operation->held_first;
  for (uint32_t i = 0; i < operation->held_count; i++)
    if (held[i].life == life) return &held[i];
  return NULL;
}

/* The operation leaves it out: right when a later life of the same node, which
 * its writer holds, began with exactly that. */
static bool is_implied(const struct claim *claim, const struct ledger_held *held) {
  const struct ledger *ledger = &claim->cluster->ledger;
  const struct replica *replica = &claim->cluster->nodes[claim->node].replica;
  for (uint32_t life = 0; life < ledger->life_count; life++) {
    if (life == held->life || ledger->lives[life].node != ledger->lives[held->life].node) continue;
    if (!replica_held(replica, life)) continue;
    const struct ledger_operation *first = &ledger->operations[ledger->lives[life].operations[0]];
    const struct ledger_held *then = held_of(ledger, first, held->life);
    if (then && then->seq == held->seq) return true;
  }
  return false;
}

/* The life that an index stands for in the node's log. */
static uint32_t life_at(const struct claim *claim, uint64_t index) {
  const struct replica *replica = &claim->cluster->nodes[claim->node].replica;
  if (index == claim->decoded.id.index) return claim->cluster->ledger.operations[claim->operation].life;
  return index < replica->named_count ? replica->named_lives[index] : LEDGER_NONE;
}

/* By node id, then incarnation. */
static bool in_order(const struct cluster *cluster, uint32_t life, uint32_t next) {
  const struct ledger_life *a = &cluster->ledger.lives[life], *b = &cluster->ledger.lives[next];
  int order = strcmp(cluster->nodes[a->node].name, cluster->nodes[b->node].name);
  return order < 0 || (order == 0 && a->incarnation < b->incarnation);
}

/* Whether that operation, or one before it in its life, was written by one who held so much of the other life. Who had
 * seen an operation wrote after it: the ledger's numbers say so. */
static bool has_seen(const struct ledger *ledger, const struct ledger_held *by, const struct ledger_held *held) {
  uint32_t seen = ledger->lives[held->life].operations[held->seq - 1u];
  for (uint32_t seq = by->seq; seq > 0; seq--) {
    uint32_t number = ledger->lives[by->life].operations[seq - 1u];
    if (number < seen) return false;
    const struct ledger_held *of = held_of(ledger, &ledger->operations[number], held->life);
    if (of && of->seq >= held->seq) return true;
  }
  return false;
}

/* Whether the rest of what its writer held says so: somebody wrote some of it who held this. */
static bool is_reached(const struct claim *claim, const struct ledger_held *held) {
  const struct ledger *ledger = &claim->cluster->ledger;
  const struct ledger_operation *operation = &ledger->operations[claim->operation];
  for (uint32_t i = 0; i < operation->held_count; i++) {
    const struct ledger_held *by = &ledger->held[operation->held_first + i];
    if (by->life != held->life && has_seen(ledger, by, held)) return true;
  }
  return false;
}

static bool check_delta(const struct claim *claim) {
  const struct ledger *ledger = &claim->cluster->ledger;
  const struct ledger_operation *operation = &ledger->operations[claim->operation];
  struct decode_reader delta = claim->decoded.delta;
  uint32_t said = 0, last = LEDGER_NONE;
  for (uint64_t i = 0; i < claim->decoded.delta_count; i++) {
    struct decode_dot dot = decode_dot_next(&delta);
    uint32_t life = life_at(claim, dot.index);
    const struct ledger_held *held = life == LEDGER_NONE ? NULL : held_of(ledger, operation, life);
    if (!held || held->seq != dot.seq || (last != LEDGER_NONE && !in_order(claim->cluster, last, life))) {
      lie(claim, CLUSTER_CAUSAL, "says that its writer held what it did not hold");
      return false;
    }
    last = life;
    said++;
  }
  for (uint32_t i = 0; said < operation->held_count && i < operation->held_count; i++) {
    const struct ledger_held *held = &ledger->held[operation->held_first + i];
    bool listed = false;
    delta = claim->decoded.delta;
    for (uint64_t k = 0; k < claim->decoded.delta_count && !listed; k++)
      listed = life_at(claim, decode_dot_next(&delta).index) == held->life;
    if (listed || is_implied(claim, held) || is_reached(claim, held)) continue;
    lie(claim, CLUSTER_CAUSAL, "does not say all that its writer held");
    return false;
  }
  return true;
}

static bool check_seen(const struct claim *claim, const struct ledger_change *change, struct decode_change decoded) {
  const struct ledger *ledger = &claim->cluster->ledger;
  bool all = decoded.seen_count == change->seen_count;
  for (uint64_t i = 0; i < decoded.seen_count && all; i++) {
    struct decode_dot dot = decode_seen_next(&decoded);
    uint32_t life = life_at(claim, dot.index), number = 0;
    if (life != LEDGER_NONE && dot.seq - 1u < ledger->lives[life].count)
      number = ledger_change_of(ledger, ledger->lives[life].operations[dot.seq - 1u], change->slot);
    all = false;
    for (uint32_t k = 0; k < change->seen_count && !all; k++)
      all = number != 0 && ledger->seen[change->seen_first + k] == number;
  }
  if (!all) lie(claim, CLUSTER_CAUSAL, "says that it replaces other siblings than its writer had of the key");
  return all;
}

/* The number of the operation's change to that key, which is often the one at that place; 0: none. */
static uint32_t change_to(const struct ledger *ledger, const struct ledger_operation *operation, uint32_t place,
                          const struct decode_change *decoded) {
  for (uint32_t tried = 0; tried < operation->change_count; tried++) {
    uint32_t i = (place + tried) % operation->change_count;
    uint32_t slot = ledger->changes[operation->change_first + i].slot;
    if (ledger->keys.entries[slot].size == decoded->key_size &&
        memcmp(keys_bytes(&ledger->keys, slot), decoded->key, (size_t)decoded->key_size) == 0)
      return operation->change_first + i + 1u;
  }
  return 0;
}

static bool check_changes(const struct claim *claim) {
  const struct ledger *ledger = &claim->cluster->ledger;
  const struct ledger_operation *operation = &ledger->operations[claim->operation];
  struct decode_reader reader = claim->decoded.changes;
  bool right = claim->decoded.change_count == operation->change_count;
  for (uint64_t i = 0; i < claim->decoded.change_count && right; i++) {
    struct decode_change decoded;
    (void)decode_change_next(&claim->decoded, &reader, &decoded);
    uint32_t number = change_to(ledger, operation, (uint32_t)i, &decoded);
    const struct ledger_change *change = number ? &ledger->changes[number - 1u] : NULL;
    right = change && change->kind == decoded.kind && change->automatic == decoded.automatic;
    if (right && change->kind == SYNC_PUT)
      right = ledger_value_is(ledger, number, decoded.value, (size_t)decoded.value_size);
    if (right && !check_seen(claim, change, decoded)) return false;
  }
  if (!right) lie(claim, CLUSTER_PHANTOM, "is not, byte for byte, what was submitted under that id");
  return right;
}

/* All that it says, once: later its hash is enough. */
static bool check_all(struct claim *claim, const uint8_t *payload, size_t size) {
  const struct ledger *ledger = &claim->cluster->ledger;
  const struct ledger_operation *operation = &ledger->operations[claim->operation];
  const struct ledger_life *life = &ledger->lives[operation->life];
  bool readable = decode_operation(payload, size, &claim->decoded);
  if (readable && operation->seq == 1)
    readable = decode_name_is(claim->decoded.id.first.node, claim->cluster->nodes[life->node].name);
  if (!readable) {
    lie(claim, CLUSTER_PHANTOM, "cannot be read as the format says, or names another node");
    return false;
  }
  if (operation->own == LEDGER_OWN_UNREAD &&
      !own_content_read(claim->cluster, claim->node, claim->operation, &claim->decoded))
    return false;
  if (!check_changes(claim) || !check_delta(claim)) return false;
  uint64_t hlc = claim->decoded.hlc_step;
  if (operation->seq > 1) hlc += ledger->operations[life->operations[operation->seq - 2u]].hlc;
  if (hlc != operation->hlc) {
    lie(claim, CLUSTER_CLOCK,
        hlc < operation->hlc ? "has a clock that is not past all that its writer had seen"
                             : "has a clock ahead of its writer's and of all that it had seen");
    return false;
  }
  return true;
}

/* What its author's engine, as it runs now, has made of an operation that it wrote by itself. */
static void take_own(struct cluster *cluster, uint32_t node, uint32_t index) {
  const struct ledger *ledger = &cluster->ledger;
  const struct ledger_operation *operation = &ledger->operations[index];
  struct reads_counts *counts = &cluster->nodes[node].counts;
  bool sweep = ledger->changes[operation->change_first].kind == SYNC_SWEEP;
  counts->sweeps += sweep;
  for (uint32_t i = 0; i < operation->change_count && sweep; i++)
    counts->swept += ledger->changes[operation->change_first + i].seen_count;
  replica_told(cluster, node, index);
}

/* The first time that its bytes are read; or they are not what they were. */
CLUSTER_APART static bool check_content(struct cluster *cluster, uint32_t node, uint32_t index, const uint8_t *payload,
                                        size_t size, uint64_t hash, bool accepted) {
  struct claim claim; /* not cleared: what is decoded is large */
  claim.cluster = cluster;
  claim.node = node;
  claim.operation = index;
  struct ledger_operation *operation = &cluster->ledger.operations[index];
  if (operation->payload_hash) {
    lie(&claim, CLUSTER_UNIQUE_IDS, "has other bytes elsewhere");
    return false;
  }
  bool unread = operation->own == LEDGER_OWN_UNREAD;
  if (!check_all(&claim, payload, size)) return false;
  if (unread && accepted) take_own(cluster, node, index);
  operation->payload_hash = hash;
  return true;
}

CLUSTER_SELDOM static void came_too_early(struct cluster *cluster, uint32_t node, uint32_t index) {
  struct claim claim;
  claim.cluster = cluster;
  claim.node = node;
  claim.operation = index;
  lie(&claim, CLUSTER_CAUSAL, "was applied before an operation that its writer held when it wrote it");
}

CLUSTER_SELDOM static uint32_t unknown(struct cluster *cluster, uint32_t node, uint64_t incarnation, uint64_t seq,
                                       const char *property, const char *what) {
  uint64_t subject[3] = {0, incarnation, seq};
  sim_violation(cluster->world, property, node, subject, "the log of %s has operation %016llx/%llu, %s",
                cluster->nodes[node].name, (unsigned long long)subject[1], (unsigned long long)subject[2], what);
  return LEDGER_NONE;
}

/* Whose operation it is: a life begins with the next index, and goes by it from then on. */
static uint32_t life_of(const struct cluster *cluster, const struct replica *replica, const struct decode_id *id) {
  if (id->seq == 1 && id->index == replica->named_count)
    return ledger_life_find(&cluster->ledger, id->first.incarnation);
  return id->seq != 1 && id->index < replica->named_count ? replica->named_lives[id->index] : LEDGER_NONE;
}

uint32_t claims_check(struct cluster *cluster, uint32_t node, const uint8_t *payload, size_t size, bool accepted) {
  const struct ledger *ledger = &cluster->ledger;
  const struct replica *replica = &cluster->nodes[node].replica;
  struct decode_reader reader = {payload, payload + size, size == 0};
  struct decode_id id = {0};
  uint32_t life = LEDGER_NONE;
  if (decode_operation_id(&reader, &id)) life = life_of(cluster, replica, &id);
  uint64_t incarnation = life == LEDGER_NONE ? id.first.incarnation : ledger->lives[life].incarnation;
  if (life == LEDGER_NONE || id.seq > ledger->lives[life].count)
    return unknown(cluster, node, incarnation, id.seq, CLUSTER_PHANTOM, "which nobody submitted");
  uint32_t index = ledger->lives[life].operations[id.seq - 1u];
  const struct ledger_operation *operation = &ledger->operations[index];
  uint32_t held = replica_held(replica, operation->life);
  if (accepted ? operation->seq > held : operation->seq != held + 1u)
    return unknown(cluster, node, incarnation, id.seq, CLUSTER_EXACTLY_ONCE,
                   "which is not the next one of that origin");
  uint64_t hash = decode_operation_hash(payload, size, life, replica->named_lives, replica->named_count);
  bool known = operation->payload_hash == hash && hash != 0; /* 0 is that of none */
  if (!known && !check_content(cluster, node, index, payload, size, hash, accepted)) return LEDGER_NONE;
  /* It came after all that its writer held when it was made. */
  for (uint32_t i = 0; i < operation->held_count; i++) {
    const struct ledger_held *cause = &ledger->held[operation->held_first + i];
    if (replica_held(replica, cause->life) >= cause->seq) continue;
    came_too_early(cluster, node, index);
    return LEDGER_NONE;
  }
  return index;
}
