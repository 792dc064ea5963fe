/* Replicas without an engine: a state, the operations that it wrote, and snapshots of it as bytes. No log, no
 * peers; operations and snapshots are carried from one to another by the test. */
#ifndef TESTS_SUPPORT_IMAGE_FIXTURE_H
#define TESTS_SUPPORT_IMAGE_FIXTURE_H

#include "core/snapshot/snapshot.h"
#include "tests/support/memory_env.h"

#define IMAGE_PAYLOAD_MAX 4096u /* of a block, unless a test says another one */
#define IMAGE_VALUE_MAX 1024u
#define IMAGE_FILE "image"
#define IMAGE_ID UINT64_C(0x1122334455667788)

struct image_replica {
  struct memory_env memory;
  struct state state;
  const char *node_id;
  struct origin *own;   /* its present life; NULL: none yet */
  uint64_t lives;       /* so many it had */
  uint64_t incarnation; /* of its present life */
  uint64_t clock;
  uint64_t position; /* of the next record, if there were a log */
};

struct image_bytes {
  uint8_t *bytes;
  size_t size;
};
void image_bytes_free(struct image_bytes *bytes);

void image_replica_init(struct image_replica *replica, const char *node_id);
/* Fails the test when it leaked. */
void image_replica_deinit(struct image_replica *replica);
/* Forgets its life: the next write draws an incarnation. */
void image_replica_reborn(struct image_replica *replica);

struct image_change {
  uint8_t kind;
  bool automatic;
  const char *key; /* NUL-terminated */
  const uint8_t *value;
  size_t value_size;
};
/* Writes one operation of changes that are ordered by key, and gives it as the body of an OPS frame; it sees what is
 * there. */
struct image_bytes image_replica_write(struct image_replica *replica, const struct image_change *changes, size_t count);
struct image_bytes image_replica_put(struct image_replica *replica, const char *key, const char *value);
/* enum apply_verdict, or an error. */
int image_replica_receive(struct image_replica *replica, struct image_bytes operation);

bool image_replica_holds(const struct image_replica *replica, struct image_bytes operation);

/* All that a replica says of its content, as bytes that equal states share: origins with what is held of them and
 * their births, keys, siblings with dots, clocks, flags, values. Checks digests and counts from scratch. */
struct image_bytes image_replica_dump(const struct image_replica *replica);
bool image_replicas_equal(const struct image_replica *a, const struct image_replica *b);

struct snapshot_order image_order(const char *author, uint64_t id, size_t payload_bytes_max);
/* The whole snapshot of the replica, taken at once. */
struct image_bytes image_replica_snapshot(struct image_replica *replica);
struct image_bytes image_replica_snapshot_with(struct image_replica *replica, size_t payload_bytes_max);

struct merge_source image_source(struct image_replica *replica, size_t size);
/* Stages the bytes there, plans and commits: what merge_plan() gave. */
int image_replica_merge(struct image_replica *replica, struct image_bytes snapshot);

#endif
