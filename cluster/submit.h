/* Submits through the ledger. */
#ifndef CLUSTER_SUBMIT_H
#define CLUSTER_SUBMIT_H

#include <stdint.h>

#include "cluster/config.h"

/* What a put's value is made from (ledger.h). */
enum cluster_value {
  CLUSTER_VALUE_OWN = 0,    /* its own number: like no other */
  CLUSTER_VALUE_EMPTY = 1,  /* no bytes */
  CLUSTER_VALUE_SHARED = 2, /* nothing: equal to others of its size */
  CLUSTER_VALUE_AGAIN = 3,  /* what was put to the key last, by anybody */
  CLUSTER_VALUE_CHOSEN = 4, /* nothing: its bytes are given */
};
#define CLUSTER_CHANGES_MAX 1024u /* of one submit */
struct cluster_change {
  enum sync_change_kind kind;
  uint32_t key;         /* by number, as the workload writes it; */
  const void *key_text; /* ... or these bytes, 1 to KEYS_BYTES_MAX; NULL: the number. The caller's, read at once */
  size_t key_size;
  uint32_t size; /* of a put's value */
  enum cluster_value value;
  const void *text; /* CLUSTER_VALUE_CHOSEN: its bytes, the caller's, read at once */
};

/* What a script saw of a conflict: the engine's token, and what the model says of the siblings then. */
struct cluster_token {
  struct sync_token engine;
  uint64_t mark; /* conflicts_mark() */
};
struct cluster_conflict {
  const void *key; /* valid during the call */
  size_t key_size;
  uint32_t slot, siblings; /* of its key among ledger.keys */
  bool settled;
  enum sync_policy_kind kind;
  struct cluster_token token;
};

/* A turn of the node's loop: any number of submits, which share one write and one
 * fsync. NULL: the node is not up; else the turn must be ended. */
struct cluster_software;
struct cluster_software *cluster_turn_begin(struct cluster *cluster, uint32_t node);
/* One submit of `count` changes, at most CLUSTER_CHANGES_MAX, through the ledger. `name`: struct ledger_operation. */
int cluster_turn_submit(struct cluster *cluster, struct cluster_software *software, uint64_t name,
                        const struct cluster_change *changes, uint32_t count);
/* One that resolves a conflict, or is refused as SYNC_E_STALE. */
int cluster_turn_resolve(struct cluster *cluster, struct cluster_software *software, uint64_t name,
                         const struct cluster_change *change, const struct cluster_token *token);
void cluster_turn_end(struct cluster *cluster, struct cluster_software *software);
/* A turn of one submit. SYNC_E_POWERED_OFF also when the node went down in that turn, so
 * that its caller cannot know. */
int cluster_submit(struct cluster *cluster, uint32_t node, uint64_t name, const struct cluster_change *changes,
                   uint32_t count);

/* One submit by a script. Gives the engine's status, or SYNC_E_POWERED_OFF when the node is not
 * up. */
int cluster_script_submit(struct cluster *cluster, uint32_t node, const struct cluster_change *changes, uint32_t count);
/* The same of one key, by number; `value_size` at least 16. */
int cluster_put(struct cluster *cluster, uint32_t node, uint32_t key, uint32_t value_size);
int cluster_delete(struct cluster *cluster, uint32_t node, uint32_t key);
int cluster_resolve(struct cluster *cluster, uint32_t node, const struct cluster_change *change,
                    const struct cluster_token *token);
/* Calls `each` for the conflicts that the node's engine lists, in its order. false: it is down. */
bool cluster_conflicts(struct cluster *cluster, uint32_t node,
                       void (*each)(void *arg, const struct cluster_conflict *conflict), void *arg);

#endif
