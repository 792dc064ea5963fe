/* What a replica's outbox and peers say, by the public API alone. */
#ifndef TESTS_SUPPORT_OUTBOX_FIXTURE_H
#define TESTS_SUPPORT_OUTBOX_FIXTURE_H

#include "tests/support/replica.h"

/* Puts, and gives the operation's id. Its node id is the replica's name: it outlives the engine. */
struct sync_dot outbox_put(struct replicas *replicas, uint32_t index, const char *key, const char *value);
/* How far the operation of `at` is on its way to `to`; fails the test when it has none of that id. */
enum sync_outbox_status outbox_status_of(struct replicas *replicas, uint32_t at, uint32_t to,
                                         const struct sync_dot *dot);
/* Entries of all peers: how many, and how many of that status. */
uint64_t outbox_entries(const struct replicas *replicas, uint32_t at);
uint64_t outbox_count(const struct replicas *replicas, uint32_t at, enum sync_outbox_status status);
struct sync_peer_info outbox_peer(struct replicas *replicas, uint32_t at, uint32_t of);

/* Moves one replica's clocks, and ticks it. */
struct sync_tick_report outbox_tick(struct replicas *replicas, uint32_t at, uint64_t ns);
/* Lets time pass while nothing from `at` arrives anywhere, until it has parked its peer `of`. */
void outbox_park(struct replicas *replicas, uint32_t at, uint32_t of);

#endif
