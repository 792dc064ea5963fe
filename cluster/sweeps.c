#include "cluster/sweeps.h"

#include <stdio.h>
#include <string.h>

#include "cluster/grow.h"
#include "cluster/lie.h"
#include "cluster/lookup.h"
#include "cluster/replica.h"
#include "cluster/replica_state.h"
#include "cluster/seldom.h"
#include "cluster/state.h"

#define DEFAULT_INTERVAL_NS (30u * SIM_SECOND) /* core/sync.h */
#define ALL_NODES_MAX 8u                       /* of a larger cluster one node is looked at each time */
#define SLACK_NS (4u * SIM_SECOND)             /* two looks of this oracle */

static uint64_t bit_of(uint32_t node) {
  return UINT64_C(1) << (node - 1u);
}

/* --- Honest sweeps ------------------------------------------------------------------------ */

void sweeps_begun(struct cluster *cluster, const struct cluster_node *node, uint32_t operation) {
  const struct cluster_software *software = sim_node_software(node->machine);
  uint64_t peers = 0;
  for (uint32_t other = 1; software && other <= cluster->config.nodes; other++)
    if (software->peer_of[other] != SYNC_PEER_NONE) peers |= bit_of(other);
  CLUSTER_GROW(cluster->world, cluster->own_writes, cluster->own_write_capacity, cluster->own_write_count + 1u);
  cluster->own_writes[cluster->own_write_count++] = (struct cluster_own_write){operation, node->number, peers};
}

/* Damage hides what is durable; then what is held must do. */
static uint32_t at_most_durable(const struct cluster_node *node, uint32_t life) {
  bool damaged = node->damage.any || node->repaired || sim_disk_damaged(node->disk);
  return damaged ? replica_held(&node->replica, life) : replica_durable(&node->replica, life);
}

void sweeps_forgotten(struct cluster *cluster, uint32_t node) {
  struct replica *replica = &cluster->nodes[node].replica;
  CLUSTER_GROW(cluster->world, replica->had, replica->had_capacity, cluster->ledger.life_count + 1u);
  for (uint32_t life = 0; life < cluster->ledger.life_count; life++) {
    uint32_t durable = at_most_durable(&cluster->nodes[node], life);
    if (replica->had[life] < durable) replica->had[life] = durable;
  }
  replica->owed_first = replica->owed_count = 0;
  replica->sweepable = 0;
}

static bool has_held(struct cluster *cluster, uint32_t node, uint32_t life, uint32_t seq) {
  const struct replica *replica = &cluster->nodes[node].replica;
  if (life < replica->had_capacity && replica->had[life] >= seq) return true;
  if (at_most_durable(&cluster->nodes[node], life) >= seq) return true;
  return replica_holds_durably(cluster, node, life, seq);
}

static bool only_tombstones(const struct cluster *cluster, const struct replica *replica, uint32_t slot) {
  for (uint32_t place = replica_first(replica, slot); place; place = replica->siblings[place - 1u].next)
    if (cluster->ledger.changes[replica->siblings[place - 1u].number - 1u].kind != SYNC_DELETE) return false;
  return true;
}

CLUSTER_SELDOM static void too_early(struct cluster *cluster, const struct cluster_own_write *sweep, uint32_t other,
                                     const struct ledger_operation *deleted) {
  const struct ledger_life *life = &cluster->ledger.lives[deleted->life];
  char what[160];
  (void)snprintf(what, sizeof what, "sweeps the delete n%u/%016llx/%u, which %s never held durably", life->node,
                 (unsigned long long)life->incarnation, deleted->seq, cluster->nodes[other].name);
  cluster_lie(cluster, sweep->node, sweep->operation, CLUSTER_SWEEPS, what);
}

/* It sweeps that delete. */
static void judge_delete(struct cluster *cluster, const struct cluster_own_write *sweep,
                         const struct ledger_operation *deleted) {
  uint32_t author = cluster->ledger.lives[deleted->life].node;
  if (author != sweep->node && (sweep->peers & bit_of(author)) != 0) {
    cluster_lie(cluster, sweep->node, sweep->operation, CLUSTER_SWEEPS,
                "sweeps the delete of a peer, who does it itself");
    return;
  }
  for (uint32_t other = 1; other <= cluster->config.nodes; other++) {
    bool asked = other == sweep->node || (sweep->peers & bit_of(other)) != 0;
    if (!asked || has_held(cluster, other, deleted->life, deleted->seq)) continue;
    too_early(cluster, sweep, other, deleted);
    return;
  }
}

static void judge(struct cluster *cluster, const struct cluster_own_write *sweep) {
  const struct ledger *ledger = &cluster->ledger;
  const struct ledger_operation *operation = &ledger->operations[sweep->operation];
  for (uint32_t i = 0; i < operation->change_count; i++) {
    const struct ledger_change *change = &ledger->changes[operation->change_first + i];
    for (uint32_t k = 0; change->kind == SYNC_SWEEP && k < change->seen_count && !cluster_violated(cluster); k++) {
      uint32_t number = ledger->seen[change->seen_first + k];
      judge_delete(cluster, sweep, &ledger->operations[ledger->changes[number - 1u].operation]);
    }
  }
}

void sweeps_judge(struct cluster *cluster) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < cluster->own_write_count; i++) {
    struct cluster_own_write written = cluster->own_writes[i];
    const struct ledger_operation *operation = &cluster->ledger.operations[written.operation];
    if (operation->own == LEDGER_OWN_READ)
      judge(cluster, &written);
    else if (operation->life == cluster->nodes[written.node].life)
      cluster->own_writes[kept++] = written; /* it waits for a write; of a life that is over, it is lost */
  }
  cluster->own_write_count = kept;
}

/* --- Sweeping progresses ------------------------------------------------------------------ */

static bool is_there(const struct cluster *cluster, const struct replica *replica, uint32_t number) {
  uint32_t slot = cluster->ledger.changes[number - 1u].slot;
  for (uint32_t place = replica_first(replica, slot); place; place = replica->siblings[place - 1u].next)
    if (replica->siblings[place - 1u].number == number) return true;
  return false;
}

/* The oldest that is there; 0: none. One that has a value beside it is not watched any more. */
static uint32_t oldest_owed(const struct cluster *cluster, struct replica *replica) {
  for (; replica->owed_first < replica->owed_count; replica->owed_first++) {
    uint32_t number = replica->owed[replica->owed_first];
    uint32_t slot = cluster->ledger.changes[number - 1u].slot;
    if (is_there(cluster, replica, number) && only_tombstones(cluster, replica, slot)) return number;
  }
  return 0;
}

struct asking {
  const struct cluster *cluster;
  uint64_t incarnation;
  uint64_t known;
};
static int known_of(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct asking *asking = arg;
  if (origin->incarnation != asking->incarnation) return 0;
  asking->known = seq;
  return 1;
}

/* Whether its author knows that all have it. */
static bool is_known(struct cluster *cluster, uint32_t node, uint32_t number) {
  const struct ledger *ledger = &cluster->ledger;
  const struct ledger_operation *deleted = &ledger->operations[ledger->changes[number - 1u].operation];
  const struct cluster_software *software = sim_node_peek(cluster->world, node);
  if (!software || !replica_holds_durably(cluster, node, deleted->life, deleted->seq)) return false;
  for (uint32_t other = 1; other <= cluster->config.nodes; other++) {
    if (software->peer_of[other] == SYNC_PEER_NONE) continue;
    struct asking asking = {cluster, ledger->lives[deleted->life].incarnation, 0};
    uint64_t session = 0;
    if (sync_peer_vector(software->engine, software->peer_of[other], &session, known_of, &asking) < 0) return false;
    if (asking.known < deleted->seq) return false;
  }
  return true;
}

static void check_node(struct cluster *cluster, uint32_t number) {
  struct cluster_node *node = &cluster->nodes[number];
  struct replica *replica = &node->replica;
  struct sync_engine *engine = cluster_engine(cluster, number);
  uint64_t interval = cluster_options(cluster, number)->sweep_interval_ns, now = sim_now(cluster->world);
  if (interval == 0) interval = DEFAULT_INTERVAL_NS;
  if (interval > UINT64_MAX / 1024u || !engine || !replica->following) return;
  struct sync_stats stats;
  sync_stats_get(engine, &stats);
  uint64_t excuses = sim_node_lives(node->machine) + sim_node_refusals(node->machine);
  bool excused = stats.failed || stats.full || replica->behind || sim_node_state(node->machine) != SIM_NODE_UP ||
                 sim_disk_damaged(node->disk) || excuses != replica->sweep_excuses;
  replica->sweep_excuses = excuses;
  uint32_t oldest = excused ? 0 : oldest_owed(cluster, replica);
  if (oldest && !is_known(cluster, number, oldest)) oldest = 0;
  if (!oldest || oldest != replica->sweepable) {
    replica->sweepable = oldest;
    replica->sweepable_ns = now;
    return;
  }
  /* A look at all of them is due in an interval of its clock, which may go half as fast. */
  if (now - replica->sweepable_ns <= 2u * interval + SLACK_NS) return;
  uint64_t subject[3];
  cluster_subject(cluster, cluster->ledger.changes[oldest - 1u].operation, subject);
  sim_violation(cluster->world, CLUSTER_SWEEPING, number, subject,
                "%s knows for %llu ms that all its peers hold its delete n%u/%016llx/%llu, and has not swept it",
                node->name, (unsigned long long)((now - replica->sweepable_ns) / SIM_MS), number,
                (unsigned long long)subject[1], (unsigned long long)subject[2]);
}

void sweeps_check(struct cluster *cluster) {
  sweeps_judge(cluster);
  uint32_t nodes = cluster->config.nodes;
  for (uint32_t i = 1; i <= nodes && !cluster_violated(cluster); i++)
    if (nodes <= ALL_NODES_MAX || i == (uint32_t)(cluster->checks % nodes) + 1u) check_node(cluster, i);
}
