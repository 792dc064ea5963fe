/* What an operation is that an engine wrote by itself, told by its bytes, and held against what
 * its author had then:
 *
 * - a put or a delete is flagged automatic, sees all siblings of its key, and puts nothing but the
 *   value of one of them: no value comes into being; and it is what the policy of its author
 *   keeps, in a conflict that has something of that author and is not settled (conflicts.h);
 * - a sweep sees tombstones that are there, and nothing else; which, judges sweeps.h. */
#ifndef CLUSTER_OWN_CONTENT_H
#define CLUSTER_OWN_CONTENT_H

#include <stdint.h>

#include "cluster/config.h"
#include "cluster/decode.h"

/* Gives the ledger the changes of the operation, of which it only knew that there is one
 * (LEDGER_OWN_UNREAD), as `node` has it in its log, where it is read. false: a violation was
 * reported. */
bool own_content_read(struct cluster *cluster, uint32_t node, uint32_t operation,
                      const struct decode_operation *decoded);

#endif
