/* What an operation says of itself, against what its writer must have known. */
#ifndef CLUSTER_CLAIMS_H
#define CLUSTER_CLAIMS_H

#include <stddef.h>

#include "cluster/config.h"

/* Reads an operation record of the node's log and says which operation of the
 * ledger it is. `accepted`: the node's state has it already (replica_accept).
 * LEDGER_NONE: a violation was reported. */
uint32_t claims_check(struct cluster *cluster, uint32_t node, const uint8_t *payload, size_t size, bool accepted);
/* Before a submit: what the operation to be made must say of its clock and of
 * what its writer holds. */
void claims_expect(struct cluster *cluster, uint32_t node, uint32_t operation);

#endif
