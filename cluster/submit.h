/* Submits through the ledger. */
#ifndef CLUSTER_SUBMIT_H
#define CLUSTER_SUBMIT_H

#include <stdint.h>

#include "cluster/config.h"

/* One submit of `count` changes through the ledger; a put's size in sizes[i]. `name`: struct
 * ledger_operation. */
int cluster_submit(struct cluster *cluster, uint32_t node, uint64_t name, const enum sync_change_kind *kinds,
                   const uint32_t *keys, const uint32_t *sizes, uint32_t count);

/* One submit by a script: `key` is a number, written as the workload writes
 * keys. Gives the engine's status, or SYNC_E_POWERED_OFF when the node is not
 * up. `value_size` at least 16. */
int cluster_put(struct cluster *cluster, uint32_t node, uint32_t key, uint32_t value_size);
int cluster_delete(struct cluster *cluster, uint32_t node, uint32_t key);
/* The ledger number of the winning value, 0 when absent or the node is down. */
uint64_t cluster_get(struct cluster *cluster, uint32_t node, uint32_t key);

#endif
