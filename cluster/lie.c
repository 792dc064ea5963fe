#include "cluster/lie.h"

#include "cluster/lookup.h"
#include "cluster/seldom.h"
#include "cluster/state.h"

CLUSTER_SELDOM void cluster_lie(struct cluster *cluster, uint32_t node, uint32_t operation, const char *property,
                                const char *what) {
  uint64_t subject[3];
  cluster_subject(cluster, operation, subject);
  sim_violation(cluster->world, property, node, subject, "the log of %s has operation n%u/%016llx/%llu, which %s",
                cluster->nodes[node].name, cluster_node_of_hash(subject[0], cluster->config.nodes),
                (unsigned long long)subject[1], (unsigned long long)subject[2], what);
}
