/* Engines over memory environments, and a network that the test moves by hand:
 * frames wait in one queue until the test delivers, drops or repeats them. */
#ifndef TESTS_SUPPORT_REPLICA_H
#define TESTS_SUPPORT_REPLICA_H

#include "core/sync.h"
#include "tests/support/memory_env.h"

#define REPLICAS_MAX 6u
#define REPLICA_FRAMES_MAX 256u

struct replica {
  struct memory_env memory;
  struct sync_engine *engine; /* NULL: down */
  struct sync_options options;
  char node_id[16];
  struct sync_open_report report;
};

struct replica_frame {
  uint32_t from, to;
  uint8_t *bytes;
  size_t size;
};

struct replicas {
  struct replica at[REPLICAS_MAX];
  uint32_t count;
  bool linked[REPLICAS_MAX][REPLICAS_MAX];
  struct replica_frame frames[REPLICA_FRAMES_MAX]; /* oldest first */
  size_t frame_count;
};

/* `count` replicas n0, n1, ... opened, not linked. */
void replicas_init(struct replicas *replicas, uint32_t count);
/* Closes all; fails the test when an engine leaked memory. */
void replicas_destroy(struct replicas *replicas);
void replica_open(struct replicas *replicas, uint32_t index);
void replica_close(struct replicas *replicas, uint32_t index);
/* Power loss; opened again by replica_open. */
void replica_crash(struct replicas *replicas, uint32_t index, enum memory_env_loss style, uint64_t seed);
/* Registers each as the other's peer. */
void replicas_link(struct replicas *replicas, uint32_t a, uint32_t b);
uint32_t replica_peer(struct replicas *replicas, uint32_t at, uint32_t of);

/* Completes every fsync, also those that completing one asks for. */
void replica_flush(struct replicas *replicas, uint32_t index);
/* Moves what an engine has to send into the queue; returns how many frames. */
size_t replica_collect(struct replicas *replicas, uint32_t index);
/* Delivers a frame of the queue; `keep` leaves it there (duplication). */
int replicas_deliver(struct replicas *replicas, size_t place, bool keep);
void replicas_drop(struct replicas *replicas, size_t place);
void replicas_drop_all(struct replicas *replicas);
/* Delivers in order, flushing all the while, until nobody has more to say.
 * Returns the number of frames; fails the test past `limit`. */
size_t replicas_settle(struct replicas *replicas, size_t limit);
/* All clocks, wall and monotonic; then ticks every engine. */
void replicas_advance(struct replicas *replicas, uint64_t ns);
/* Settles, and lets 50 ms pass, for so long. */
void replicas_settle_for(struct replicas *replicas, uint64_t ns);

struct sync_stats replica_stats(const struct replicas *replicas, uint32_t index);
/* The first of its files whose name begins so, NULL: there is none; how many there are. */
const char *replica_file(const struct replicas *replicas, uint32_t index, const char *prefix);
size_t replica_files(const struct replicas *replicas, uint32_t index, const char *prefix);
/* Takes a snapshot, in turns of a millisecond; fails the test when there is none after a second. */
void replica_snapshot(struct replicas *replicas, uint32_t index);

/* Puts key-NNN for each of [from, to), a few in each turn. */
void replica_put_many(struct replicas *replicas, uint32_t index, unsigned from, unsigned to, const char *value);
void replica_put(struct replicas *replicas, uint32_t index, const char *key, const char *value);
void replica_delete(struct replicas *replicas, uint32_t index, const char *key);
/* Whether the key reads as `value` (NULL: absent). */
bool replica_reads(struct replicas *replicas, uint32_t index, const char *key, const char *value);
/* The keys listed as in conflict are those that are. */
bool replica_conflicts_true(const struct replicas *replicas, uint32_t index);
/* Incremental and recomputed digests agree, here and with the others that are up; and as above. */
bool replicas_agree(struct replicas *replicas);
/* The HELLO in the queue's place, without the wait: type of the frame there. */
uint8_t replicas_frame_type(const struct replicas *replicas, size_t place);

#endif
