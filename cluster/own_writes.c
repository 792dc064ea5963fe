#include "cluster/own_writes.h"

#include "cluster/claims.h"
#include "cluster/clocks.h"
#include "cluster/lookup.h"
#include "cluster/replica.h"
#include "cluster/state.h"
#include "cluster/sweeps.h"

/* Who wrote it, and about when: the same in a run in which something else is left out. */
static uint64_t name_of(const struct cluster *cluster, uint32_t node) {
  return sim_hash_fold(UINT64_C(1) << 61 | sim_now(cluster->world) / (2u * SIM_SECOND), node);
}

void own_writes_traced(struct cluster *cluster, struct cluster_node *node, const uint64_t *fields) {
  struct ledger *ledger = &cluster->ledger;
  if (cluster_violated(cluster) || node->life == LEDGER_NONE) return;
  uint32_t next = ledger->lives[node->life].count + 1u;
  if (fields[2] != next) {
    sim_violation(cluster->world, CLUSTER_UNIQUE_IDS, node->number, fields,
                  "%s gave an operation that it wrote by itself the id %s/%016llx/%llu; expected sequence number %u",
                  node->name, node->name, (unsigned long long)fields[1], (unsigned long long)fields[2], next);
    return;
  }
  uint32_t operation = ledger_submit(ledger, node->life, fields[5]);
  ledger->operations[operation].name = name_of(cluster, node->number);
  ledger->operations[operation].own = LEDGER_OWN_UNREAD;
  bool looked_at = !cluster->config.no_oracles;
  if (looked_at) claims_expect(cluster, node->number, operation);
  if (looked_at) clocks_judge(cluster, node, operation, fields[4]);
  ledger_accept(ledger, operation, fields[3]);
  if (cluster->config.promise_at_submit) ledger_promise(ledger, node->life, UINT64_MAX);
  if (!looked_at) return;
  sweeps_begun(cluster, node, operation);
  replica_accept(cluster, node->number, operation, fields[3]);
  node->counts.own_writes++;
}
