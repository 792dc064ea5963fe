/* The names of frames: what a frame is about, in terms that outlive an edit of its run. */
#ifndef CLUSTER_IDENTIFY_H
#define CLUSTER_IDENTIFY_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/config.h"

/* A HELLO that `from` never sent: well made, of a session that never was, and holding
 * nothing. Gives its size; `capacity` is 200 at least. */
size_t cluster_forge_hello(struct cluster *cluster, uint32_t from, uint8_t *frame, size_t capacity);

/* OPS: the submit of its first operation. HELLO: its flags, and about when it is sent (to
 * name it by what it acknowledges keeps no more of a run, and costs a walk of its vector).
 * Sessions, nonces, echoes, incarnations, sequence numbers and the values themselves say
 * nothing: one submit or one restart more changes them in all that follows. Any bytes may
 * come. */
uint64_t cluster_identify(const struct cluster *cluster, const uint8_t *bytes, size_t size);

#endif
