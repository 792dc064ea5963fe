#include "cluster/deliveries.h"

#include <string.h>

#include "cluster/grow.h"
#include "cluster/lookup.h"
#include "cluster/state.h"

#define ALL_PAIRS_NODES_MAX 8u

/* By life, into the cluster's scratch. */
static int known_of(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct cluster *cluster = arg;
  uint32_t life = ledger_life_find(&cluster->ledger, origin->incarnation);
  if (life != LEDGER_NONE) cluster->known[life] = (uint32_t)seq;
  return 0;
}

static void read_known(struct cluster *cluster, const struct cluster_software *software, uint32_t peer) {
  uint64_t session = 0;
  CLUSTER_GROW(cluster->world, cluster->known, cluster->known_capacity, cluster->ledger.life_count + 1u);
  memset(cluster->known, 0, cluster->ledger.life_count * sizeof *cluster->known);
  int status = sync_peer_vector(software->engine, peer, &session, known_of, cluster);
  SIM_ASSERT(cluster->world, status == SYNC_OK);
}

struct aim {
  struct cluster *cluster;
  struct delivery *delivery;
};

static int aim_at(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct aim *aim = arg;
  struct delivery *delivery = aim->delivery;
  uint32_t life = ledger_life_find(&aim->cluster->ledger, origin->incarnation);
  if (life == LEDGER_NONE || seq <= aim->cluster->known[life]) return 0;
  CLUSTER_GROW(aim->cluster->world, delivery->goals, delivery->goal_capacity, delivery->goal_count + 1u);
  delivery->goals[delivery->goal_count++] = (struct delivery_goal){.life = life, .seq = (uint32_t)seq};
  delivery->remaining += seq - aim->cluster->known[life];
  return 0;
}

static uint64_t or_default(uint64_t ns, uint64_t seconds) {
  return ns != 0 ? ns : seconds * SIM_SECOND;
}

static uint64_t patience_ns(const struct sync_options *options) {
  uint64_t cap = or_default(options->retry_cap_ns, 30);
  return 2 * (2 * or_default(options->ack_timeout_ns, 10) + cap + cap / 8 + or_default(options->probe_interval_ns, 15) +
              options->fsync_spacing_ns);
}

/* A lost frame is noticed after the acknowledgement timeout, and then a peer is
 * tried again after a wait that is bounded; clocks may go half as fast. */
static uint64_t within_ns(const struct cluster *cluster, uint32_t a, uint32_t b) {
  uint64_t ns = patience_ns(cluster_options(cluster, a)), other = patience_ns(cluster_options(cluster, b));
  if (other > ns) ns = other;
  ns += 8 * (sim_link_health(cluster->world, a, b).slowest_ns + sim_link_health(cluster->world, b, a).slowest_ns);
  for (uint32_t i = 0; i < 2; i++)
    ns += 8 * sim_disk_config(sim_node_disk(sim_node_at(cluster->world, i == 0 ? a : b)))->fsync_max_ns;
  return ns;
}

static bool cannot_take_part(struct cluster *cluster, uint32_t number) {
  struct sim_node *node = sim_node_at(cluster->world, number);
  struct sync_engine *engine = cluster_engine(cluster, number);
  if (!engine || sim_node_state(node) != SIM_NODE_UP || sim_disk_damaged(sim_node_disk(node))) return true;
  struct sync_stats stats;
  sync_stats_get(engine, &stats);
  return stats.failed || stats.full;
}

static void report(struct cluster *cluster, uint32_t a, uint32_t b, const struct delivery *delivery, uint32_t peer) {
  const struct ledger *ledger = &cluster->ledger;
  uint32_t i = 0;
  while (cluster->known[delivery->goals[i].life] >= delivery->goals[i].seq)
    i++;
  const struct ledger_life *life = &ledger->lives[delivery->goals[i].life];
  uint64_t subject[3] = {cluster->nodes[life->node].hash, life->incarnation,
                         cluster->known[delivery->goals[i].life] + UINT64_C(1)};
  struct sync_peer_info info;
  if (sync_peer_info(cluster_engine(cluster, a), peer, &info) != SYNC_OK) info.in_flight_ops = 0;
  sim_violation(
      cluster->world, CLUSTER_DELIVERY, a, subject,
      "%s holds operation n%u/%016llx/%llu durably, and for %llu ms in which both were up and nothing "
      "between them was lost %s has acknowledged none of the %llu that it lacked then (in flight to it: %llu)",
      cluster->nodes[a].name, life->node, (unsigned long long)life->incarnation, (unsigned long long)subject[2],
      (unsigned long long)((sim_now(cluster->world) - delivery->since_ns) / SIM_MS), cluster->nodes[b].name,
      (unsigned long long)delivery->remaining, (unsigned long long)info.in_flight_ops);
}

static void check_pair(struct cluster *cluster, uint32_t a, uint32_t b) {
  struct sim_world *world = cluster->world;
  struct delivery *delivery = &cluster->deliveries[(a - 1u) * cluster->config.nodes + b - 1u];
  struct sim_link_health there = sim_link_health(world, a, b), back = sim_link_health(world, b, a);
  struct delivery_look look = {.now_ns = sim_now(world), .within_ns = within_ns(cluster, a, b)};
  look.excuses = there.harmed + back.harmed;
  look.blocked = there.blocked || back.blocked || cannot_take_part(cluster, a) || cannot_take_part(cluster, b);
  for (uint32_t i = 0; i < 2; i++) {
    const struct sim_node *node = sim_node_at(world, i == 0 ? a : b);
    look.excuses += sim_node_lives(node) + sim_node_refusals(node);
  }
  const struct cluster_software *software = sim_node_peek(world, a);
  uint32_t peer = software ? software->peer_of[b] : SYNC_PEER_NONE;
  if (peer == SYNC_PEER_NONE) look.blocked = true;
  if (!look.blocked) read_known(cluster, software, peer);
  for (uint32_t i = 0; i < delivery->goal_count && !look.blocked; i++) {
    uint32_t known = cluster->known[delivery->goals[i].life];
    if (delivery->goals[i].seq > known) look.remaining += delivery->goals[i].seq - known;
  }
  enum delivery_verdict verdict = delivery_look(delivery, &look);
  if (verdict == DELIVERY_OVERDUE) report(cluster, a, b, delivery, peer);
  if (verdict != DELIVERY_REACHED) return;
  delivery->goal_count = 0;
  struct aim aim = {cluster, delivery};
  if (!look.blocked) (void)sync_vector(software->engine, true, aim_at, &aim);
}

void cluster_check_delivery(struct cluster *cluster) {
  uint32_t nodes = cluster->config.nodes;
  if (!cluster->deliveries || cluster->judging) return;
  cluster->delivery_node = cluster->delivery_node % nodes + 1u;
  for (uint32_t a = 1; a <= nodes; a++)
    for (uint32_t b = 1; b <= nodes && !cluster_violated(cluster); b++)
      if (cluster_linked(cluster, a, b) && (nodes <= ALL_PAIRS_NODES_MAX || a == cluster->delivery_node))
        check_pair(cluster, a, b);
}
