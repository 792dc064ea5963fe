#include "tests/support/outbox_fixture.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

struct sync_dot outbox_put(struct replicas *replicas, uint32_t index, const char *key, const char *value) {
  struct replica *replica = &replicas->at[index];
  struct sync_receipt receipt;
  assert_int_equal(sync_put(replica->engine, key, strlen(key), value, strlen(value), &receipt), SYNC_OK);
  assert_string_equal(receipt.dot.origin.node_id, replica->node_id);
  receipt.dot.origin.node_id = replica->node_id;
  return receipt.dot;
}

enum sync_outbox_status outbox_status_of(struct replicas *replicas, uint32_t at, uint32_t to,
                                         const struct sync_dot *dot) {
  struct sync_outbox_entry entry;
  uint32_t peer = replica_peer(replicas, at, to);
  assert_int_equal(sync_outbox_find(replicas->at[at].engine, dot, peer, &entry), SYNC_OK);
  return entry.status;
}

struct outbox_counting {
  enum sync_outbox_status status; /* 0: any */
  uint64_t count;
};

static int outbox_count_one(void *arg, const struct sync_outbox_entry *entry) {
  struct outbox_counting *counting = arg;
  counting->count += counting->status == 0 || entry->status == counting->status;
  return 0;
}

uint64_t outbox_count(const struct replicas *replicas, uint32_t at, enum sync_outbox_status status) {
  struct outbox_counting counting = {.status = status};
  assert_int_equal(sync_outbox(replicas->at[at].engine, outbox_count_one, &counting), SYNC_OK);
  return counting.count;
}

uint64_t outbox_entries(const struct replicas *replicas, uint32_t at) {
  return outbox_count(replicas, at, (enum sync_outbox_status)0);
}

struct sync_peer_info outbox_peer(struct replicas *replicas, uint32_t at, uint32_t of) {
  struct sync_peer_info info;
  assert_int_equal(sync_peer_info(replicas->at[at].engine, replica_peer(replicas, at, of), &info), SYNC_OK);
  return info;
}

struct sync_tick_report outbox_tick(struct replicas *replicas, uint32_t at, uint64_t ns) {
  struct replica *replica = &replicas->at[at];
  struct sync_tick_report report;
  replica->memory.mono_ns += ns;
  replica->memory.wall_ns += ns;
  assert_int_equal(sync_tick(replica->engine, &report), SYNC_OK);
  return report;
}

void outbox_park(struct replicas *replicas, uint32_t at, uint32_t of) {
  for (uint32_t i = 0; i < 1000 && outbox_peer(replicas, at, of).state != SYNC_PEER_PARKED; i++) {
    (void)outbox_tick(replicas, at, UINT64_C(1000000000));
    replica_flush(replicas, at);
    (void)replica_collect(replicas, at);
    replicas_drop_all(replicas);
  }
  assert_int_equal(outbox_peer(replicas, at, of).state, SYNC_PEER_PARKED);
}
