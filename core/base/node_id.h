/* Node ids: which bytes are one. */
#ifndef SYNC_CORE_BASE_NODE_ID_H
#define SYNC_CORE_BASE_NODE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODE_ID_ROOM 64u /* padded with zeros, so that memcmp orders ids bytewise */

/* Whether these bytes are a node id: 1 to 63 of [A-Za-z0-9._-]. */
bool node_id_valid(const uint8_t *id, size_t size);
/* strlen() that never reads past what a node id may have. */
size_t node_id_length(const char *node_id);

#endif
