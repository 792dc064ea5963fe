#include "cluster/clocks.h"

#include "cluster/lookup.h"
#include "cluster/seldom.h"

/* --- The times of operations ------------------------------------------------------------- */

CLUSTER_SELDOM static void report_time(struct cluster *cluster, const struct cluster_node *node, uint32_t operation,
                                       uint64_t hlc) {
  const struct ledger *ledger = &cluster->ledger;
  uint64_t expected = ledger->operations[operation].hlc;
  bool ahead = hlc > expected;
  uint64_t subject[3] = {node->hash, ledger->lives[node->life].incarnation, ledger->lives[node->life].count + 1u};
  sim_violation(
      cluster->world, CLUSTER_CLOCK, node->number, subject,
      "%s gave operation %s/%016llx/%llu the time %llu, %llu ns %s its wall clock (%llu), the greatest time that "
      "it held (%llu) and the clock bound",
      node->name, node->name, (unsigned long long)subject[1], (unsigned long long)subject[2], (unsigned long long)hlc,
      (unsigned long long)(ahead ? hlc - expected : expected - hlc),
      ahead ? "further ahead than allowed by" : "short of what it must be past, by",
      (unsigned long long)sim_clock_wall_peek(cluster->world, node->number),
      (unsigned long long)node->replica.hlc_last);
}

void clocks_judge(struct cluster *cluster, const struct cluster_node *node, uint32_t operation, uint64_t hlc) {
  if (cluster->ledger.operations[operation].hlc != hlc && !cluster_violated(cluster))
    report_time(cluster, node, operation, hlc);
}

void clocks_submitted(struct cluster *cluster, const struct cluster_node *node, uint64_t hlc) {
  const struct ledger *ledger = &cluster->ledger;
  if (ledger->operation_count == 0) return;
  uint32_t newest = ledger->operation_count - 1u;
  const struct ledger_operation *operation = &ledger->operations[newest];
  if (operation->life == node->life && operation->seq == 0) clocks_judge(cluster, node, newest, hlc);
}

/* --- Who reads the wall clock -------------------------------------------------------------- */

CLUSTER_SELDOM static void report_reads(struct cluster *cluster, const struct cluster_node *node, uint64_t reads) {
  static const uint64_t nothing[3] = {0, 0, 0};
  sim_violation(
      cluster->world, CLUSTER_CLOCK, node->number, nothing,
      "%s read its wall clock %llu times in an event that gave or took the times of %llu operations: something "
      "else follows that clock",
      node->name, (unsigned long long)reads, (unsigned long long)node->clock.explained);
}

void clocks_look(struct cluster *cluster, struct cluster_node *node) {
  uint64_t reads = sim_node_wall_reads(node->machine) - node->clock.reads;
  /* When power fails in the middle of a write nobody hears of it. */
  bool looks = !cluster->config.no_oracles && !cluster->judging && !sim_node_unwinds(node->machine);
  if (looks && reads > node->clock.explained && !cluster_violated(cluster)) report_reads(cluster, node, reads);
  node->clock.reads += reads;
  node->clock.explained = 0;
}
