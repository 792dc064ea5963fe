#include "cluster/oracle_names.h"

#include "cluster/config.h"

const char *const cluster_oracle_names[] = {
    CLUSTER_DURABILITY,   CLUSTER_CONVERGENCE, CLUSTER_PHANTOM,
    CLUSTER_EXACTLY_ONCE, CLUSTER_UNIQUE_IDS,  CLUSTER_DRAINED,
    CLUSTER_NO_LEAK,      CLUSTER_RECOVERY,    CLUSTER_HONEST_ACKS,
    CLUSTER_PROGRESS,     CLUSTER_DELIVERY,    CLUSTER_TRAFFIC,
    CLUSTER_CAUSAL,       CLUSTER_READS,       CLUSTER_POLICIES,
    CLUSTER_SWEEPS,       CLUSTER_SWEEPING,    CLUSTER_FEED,
    CLUSTER_CLOCK,        CLUSTER_BACKOFF,     NULL,
};

size_t cluster_oracle_count(void) {
  return sizeof cluster_oracle_names / sizeof *cluster_oracle_names - 1u;
}
