#include "cluster/health.h"

#include <string.h>

#include "cluster/cluster.h"
#include "cluster/log_damage.h"
#include "cluster/lookup.h"

/* --- Who is sick -------------------------------------------------------------------- */

static bool cannot_write(struct cluster *cluster, uint32_t node, uint64_t appended) {
  return appended && log_damage_unreadable(cluster, node) && log_damage_in(cluster, node, appended - 1u, appended);
}

bool cluster_sick(struct cluster *cluster, uint32_t number) {
  const struct cluster_node *node = &cluster->nodes[number];
  struct sync_engine *engine = cluster_engine(cluster, number);
  if (!cluster_present(cluster, number)) return true; /* it takes no part */
  if (!sim_disk_damage_count(sim_node_disk(sim_node_at(cluster->world, number)))) return false;
  if (!engine)
    return (node->open_status == SYNC_E_DAMAGED && node->damage.told) ||
           (node->open_status == SYNC_E_IO && log_damage_unreadable(cluster, number));
  return cannot_write(cluster, number, sync_appended_position(engine));
}

static bool is_healthy(struct cluster *cluster, const struct cluster_health *health, uint32_t node) {
  return !health->sick[node] && cluster_engine(cluster, node);
}

/* Lowers the number of a group to that of a neighbour's, once. */
static bool join(struct cluster *cluster, struct cluster_health *health, uint32_t node) {
  bool joined = false;
  for (uint32_t other = 1; other <= cluster->config.nodes; other++) {
    if (!health->group[other] || health->group[other] >= health->group[node]) continue;
    if (!cluster_linked(cluster, node, other)) continue;
    health->group[node] = health->group[other];
    joined = true;
  }
  return joined;
}

void cluster_health(struct cluster *cluster, struct cluster_health *health) {
  memset(health, 0, sizeof *health);
  for (uint32_t i = 1; i <= cluster->config.nodes; i++) {
    health->sick[i] = cluster_sick(cluster, i);
    if (is_healthy(cluster, health, i)) health->group[i] = i;
  }
  bool again = true;
  while (again) {
    again = false;
    for (uint32_t i = 1; i <= cluster->config.nodes; i++)
      if (health->group[i] && join(cluster, health, i)) again = true;
  }
}

/* --- What is owed -------------------------------------------------------------------- */

struct owed {
  const struct cluster_software *software;
  const struct cluster_health *health;
  struct sync_dot last;
  struct cluster_debt debt;
};

static int count_owed(void *arg, const struct sync_outbox_entry *entry) {
  struct owed *owed = arg;
  struct cluster_debt *debt = &owed->debt;
  uint32_t peer = entry->peer <= CLUSTER_NODES_MAX ? owed->software->node_of[entry->peer] : 0;
  if (!peer || !owed->health->group[peer]) return 0;
  const struct cluster_node *node = owed->software->node;
  if (!cluster_linked(node->cluster, node->number, peer)) return 0; /* who has removed it takes nothing from it */
  bool same = debt->operations && owed->last.seq == entry->dot.seq &&
              owed->last.origin.incarnation == entry->dot.origin.incarnation;
  owed->last = entry->dot;
  if (same || debt->operations++ > 0) return 0;
  debt->subject[0] = sync_node_hash(entry->dot.origin.node_id);
  debt->subject[1] = entry->dot.origin.incarnation;
  debt->subject[2] = entry->dot.seq;
  debt->peer = peer;
  return 0;
}

struct cluster_debt cluster_owed(struct cluster *cluster, uint32_t node, const struct cluster_health *health) {
  struct owed owed = {.software = sim_node_peek(cluster->world, node), .health = health};
  if (owed.software && sync_outbox_size(owed.software->engine)) sync_outbox(owed.software->engine, count_owed, &owed);
  return owed.debt;
}

/* The first operation of the life that the peer lacks. */
static uint32_t first_lacked(struct cluster *cluster, const struct ledger_life *life, struct sync_engine *peer) {
  const char *name = cluster->nodes[life->node].name;
  for (uint32_t seq = 1; seq <= life->promised; seq++)
    if (!sync_holds(peer, name, life->incarnation, seq)) return life->operations[seq - 1u];
  return LEDGER_NONE;
}

/* Whether damage lies in what precedes the position in the log and is none of the
 * node's own operations before it (all of which the peer holds), or behind. */
static bool is_blocked(struct cluster *cluster, uint32_t sick, const struct ledger_operation *operation) {
  const struct ledger *ledger = &cluster->ledger;
  uint64_t at = 0;
  for (uint32_t i = 0; i < ledger->life_count; i++) {
    const struct ledger_life *life = &ledger->lives[i];
    for (uint32_t seq = 1; life->node == sick && !life->lost && seq <= life->promised; seq++) {
      const struct ledger_operation *before = &ledger->operations[life->operations[seq - 1u]];
      if (before->position > operation->start || before->start < at) continue;
      if (before->start > at && log_damage_in(cluster, sick, at, before->start)) return true;
      at = before->position;
    }
  }
  return log_damage_in(cluster, sick, at, operation->position);
}

uint32_t cluster_undelivered(struct cluster *cluster, uint32_t sick, uint32_t peer) {
  const struct ledger *ledger = &cluster->ledger;
  uint32_t first = LEDGER_NONE;
  for (uint32_t i = 0; i < ledger->life_count; i++) {
    const struct ledger_life *life = &ledger->lives[i];
    if (life->node != sick || life->lost) continue;
    uint32_t lacked = first_lacked(cluster, life, cluster_engine(cluster, peer));
    if (lacked == LEDGER_NONE) continue;
    if (first == LEDGER_NONE || ledger->operations[lacked].position < ledger->operations[first].position)
      first = lacked;
  }
  if (first == LEDGER_NONE || is_blocked(cluster, sick, &ledger->operations[first])) return LEDGER_NONE;
  return first;
}

/* --- Converged, drained ---------------------------------------------------------------- */

bool cluster_drained(struct cluster *cluster) {
  struct cluster_health health;
  cluster_health(cluster, &health);
  for (uint32_t i = 1; i <= cluster->config.nodes; i++) {
    if (health.sick[i]) continue;
    if (!health.group[i] || cluster_owed(cluster, i, &health).operations) return false;
  }
  return true;
}

/* What sick nodes can read is delivered. */
static bool sick_delivered(struct cluster *cluster, const struct cluster_health *health) {
  for (uint32_t sick = 1; sick <= cluster->config.nodes; sick++) {
    if (!health->sick[sick] || !cluster_engine(cluster, sick)) continue;
    for (uint32_t peer = 1; peer <= cluster->config.nodes; peer++)
      if (health->group[peer] && cluster_linked(cluster, sick, peer) &&
          cluster_undelivered(cluster, sick, peer) != LEDGER_NONE)
        return false;
  }
  return true;
}

bool cluster_converged(struct cluster *cluster) {
  struct cluster_health health;
  struct sync_digest digests[CLUSTER_NODES_MAX + 1u];
  cluster_health(cluster, &health);
  for (uint32_t i = 1; i <= cluster->config.nodes; i++) {
    if (health.sick[i]) continue;
    uint32_t first = health.group[i];
    if (!first) return false;
    sync_digest_get(cluster_engine(cluster, i), &digests[i]);
    if (digests[i].state != digests[first].state || digests[i].vector != digests[first].vector) return false;
  }
  return sick_delivered(cluster, &health);
}
