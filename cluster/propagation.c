#include "cluster/propagation.h"

#include <string.h>

#include "cluster/grow.h"
#include "cluster/oracle.h"
#include "cluster/state.h"

_Static_assert(sizeof((struct cluster_propagation *)0)->reached / sizeof((struct cluster_propagation *)0)->reached[0] ==
                   CLUSTER_NODES_MAX + 1u,
               "one for each node");

static void applied(struct cluster *cluster, uint32_t node, const uint64_t *fields) {
  struct cluster_propagation *propagation = cluster->propagation;
  uint32_t operation = ledger_find(&cluster->ledger, fields[1], fields[2]);
  if (operation == LEDGER_NONE) return;
  uint32_t place = operation * propagation->nodes + node - 1u;
  CLUSTER_GROW(cluster->world, propagation->applied_ns, propagation->applied_capacity, place + 1u);
  if (propagation->applied_ns[place]) {
    propagation->applied_again++;
    return;
  }
  propagation->applied_ns[place] = sim_now(cluster->world);
  propagation->applications++;
}

static void durable(struct cluster *cluster, uint32_t node, uint64_t position) {
  struct cluster_propagation *propagation = cluster->propagation;
  const struct ledger *ledger = &cluster->ledger;
  uint32_t number = cluster->nodes[node].life;
  if (number == LEDGER_NONE) return;
  if (propagation->reached[node].life != number) propagation->reached[node].count = 0;
  propagation->reached[node].life = number;
  const struct ledger_life *life = &ledger->lives[number];
  for (uint32_t *count = &propagation->reached[node].count; *count < life->count; ++*count) {
    uint32_t operation = life->operations[*count];
    if (ledger->operations[operation].position > position) break;
    CLUSTER_GROW(cluster->world, propagation->durable_ns, propagation->durable_capacity, operation + 1u);
    propagation->durable_ns[operation] = sim_now(cluster->world);
    propagation->durable++;
  }
}

static void traced(struct sim_world *world, void *self, uint32_t node, enum sync_trace_kind kind,
                   const uint64_t *fields, size_t count) {
  struct cluster *cluster = self;
  if (!cluster->config.no_oracles) cluster_traced(world, self, node, kind, fields, count);
  if (kind == SYNC_TRACE_APPLY && count > 2) applied(cluster, node, fields);
  if (kind == SYNC_TRACE_DURABLE && count > 0) durable(cluster, node, fields[0]);
  cluster->propagation->duplicates += kind == SYNC_TRACE_DUPLICATE;
  cluster->propagation->early += kind == SYNC_TRACE_NOT_YET;
  cluster->propagation->merges += kind == SYNC_TRACE_MERGE;
}

bool cluster_propagation_begin(struct cluster *cluster) {
  struct cluster_propagation *propagation = sim_alloc(cluster->world, sizeof *propagation);
  if (!propagation) return false;
  memset(propagation, 0, sizeof *propagation);
  propagation->nodes = cluster->config.nodes;
  for (uint32_t i = 0; i <= CLUSTER_NODES_MAX; i++)
    propagation->reached[i].life = LEDGER_NONE;
  cluster->propagation = propagation;
  sim_on_node_trace(cluster->world, traced, cluster);
  return true;
}

const struct cluster_propagation *cluster_propagation(const struct cluster *cluster) {
  return cluster->propagation;
}

uint64_t cluster_applied_ns(const struct cluster_propagation *propagation, uint32_t operation, uint32_t node) {
  uint32_t place = operation * propagation->nodes + node - 1u;
  return place < propagation->applied_capacity ? propagation->applied_ns[place] : 0;
}
