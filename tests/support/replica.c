#include "tests/support/replica.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void replicas_init(struct replicas *replicas, uint32_t count) {
  memset(replicas, 0, sizeof *replicas);
  replicas->count = count;
  for (uint32_t i = 0; i < count; i++) {
    struct replica *replica = &replicas->at[i];
    memory_env_init(&replica->memory);
    replica->memory.mono_ns = UINT64_C(1000000000);
    replica->memory.wall_ns = UINT64_C(1700000000000000000);
    replica->memory.next_unique = 1 + (uint64_t)i * 1000000;
    (void)snprintf(replica->node_id, sizeof replica->node_id, "n%u", i);
    replica->options.node_id = replica->node_id;
    memset(replica->options.cluster_id, 7, SYNC_CLUSTER_ID_BYTES);
    replica->options.ack_delay_ns = SYNC_ACK_AT_ONCE; /* the clock stands still unless a test moves it */
    replica_open(replicas, i);
  }
}

void replicas_destroy(struct replicas *replicas) {
  replicas_drop_all(replicas);
  for (uint32_t i = 0; i < replicas->count; i++) {
    replica_close(replicas, i);
    memory_env_destroy(&replicas->at[i].memory);
  }
}

void replica_open(struct replicas *replicas, uint32_t index) {
  struct replica *replica = &replicas->at[index];
  int rc = sync_open(&replica->engine, &replica->memory.env, &replica->options, &replica->report);
  if (rc != SYNC_OK)
    print_error("open of %s: %s: %s\n", replica->node_id, sync_status_name(rc), replica->report.detail);
  assert_int_equal(rc, SYNC_OK);
}

void replica_close(struct replicas *replicas, uint32_t index) {
  struct replica *replica = &replicas->at[index];
  if (replica->engine == NULL) return;
  sync_close(replica->engine);
  replica->engine = NULL;
  assert_int_equal(replica->memory.blocks, 0);
  assert_int_equal(replica->memory.nominal_bytes, 0);
  memory_env_process_crash(&replica->memory);
}

void replica_crash(struct replicas *replicas, uint32_t index, enum memory_env_loss style, uint64_t seed) {
  struct replica *replica = &replicas->at[index];
  /* Every call of the closing engine finds the power off. */
  replica->memory.powered_off = true;
  sync_close(replica->engine);
  replica->engine = NULL;
  assert_int_equal(replica->memory.blocks, 0);
  memory_env_power_loss(&replica->memory, style, seed);
}

void replicas_link(struct replicas *replicas, uint32_t a, uint32_t b) {
  assert_int_equal(sync_peer_add(replicas->at[a].engine, replicas->at[b].node_id, NULL), SYNC_OK);
  assert_int_equal(sync_peer_add(replicas->at[b].engine, replicas->at[a].node_id, NULL), SYNC_OK);
  replicas->linked[a][b] = true;
  replicas->linked[b][a] = true;
}

struct replica_search {
  struct sync_engine *engine;
  const char *node_id;
  uint32_t found;
};

static int replica_match(void *arg, uint32_t peer) {
  struct replica_search *search = arg;
  struct sync_peer_info info;
  assert_int_equal(sync_peer_info(search->engine, peer, &info), SYNC_OK);
  if (strcmp(info.node_id, search->node_id) == 0) search->found = peer;
  return 0;
}

uint32_t replica_peer(struct replicas *replicas, uint32_t at, uint32_t of) {
  struct replica_search search = {replicas->at[at].engine, replicas->at[of].node_id, SYNC_PEER_NONE};
  (void)sync_peers(search.engine, replica_match, &search);
  return search.found;
}

void replica_flush(struct replicas *replicas, uint32_t index) {
  struct replica *replica = &replicas->at[index];
  uint64_t token;
  /* A turn of the embedder's loop ends here. */
  int committed = replica->engine != NULL ? sync_commit(replica->engine) : SYNC_OK;
  (void)committed; /* an engine that has stopped shows it at the next call */
  while (replica->engine != NULL && memory_env_complete(&replica->memory, SYNC_OK, &token))
    assert_int_equal(sync_disk_done(replica->engine, token, SYNC_OK), SYNC_OK);
}

static uint32_t replica_number(struct replicas *replicas, uint32_t at, uint32_t peer) {
  struct sync_peer_info info;
  assert_int_equal(sync_peer_info(replicas->at[at].engine, peer, &info), SYNC_OK);
  for (uint32_t i = 0; i < replicas->count; i++)
    if (strcmp(replicas->at[i].node_id, info.node_id) == 0) return i;
  fail();
  return 0;
}

size_t replica_collect(struct replicas *replicas, uint32_t index) {
  struct sync_engine *engine = replicas->at[index].engine;
  if (engine == NULL) return 0;
  size_t capacity = sync_frame_bytes_max(engine);
  uint8_t *buffer = malloc(capacity);
  assert_non_null(buffer);
  size_t collected = 0;
  uint32_t peer;
  size_t size;
  while (sync_next_frame(engine, &peer, buffer, capacity, &size) == SYNC_OK) {
    if (replicas->frame_count == REPLICA_FRAMES_MAX) replicas_drop(replicas, 0);
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    memcpy(bytes, buffer, size);
    replicas->frames[replicas->frame_count++] = (struct replica_frame){
        .from = index, .to = replica_number(replicas, index, peer), .bytes = bytes, .size = size};
    assert_true(++collected < 10000);
  }
  free(buffer);
  return collected;
}

int replicas_deliver(struct replicas *replicas, size_t place, bool keep) {
  struct replica_frame frame = replicas->frames[place];
  int rc = SYNC_OK;
  if (replicas->at[frame.to].engine != NULL)
    rc = sync_receive(replicas->at[frame.to].engine, replica_peer(replicas, frame.to, frame.from), frame.bytes,
                      frame.size);
  if (!keep) replicas_drop(replicas, place);
  return rc;
}

void replicas_drop(struct replicas *replicas, size_t place) {
  free(replicas->frames[place].bytes);
  replicas->frame_count--;
  memmove(&replicas->frames[place], &replicas->frames[place + 1],
          (replicas->frame_count - place) * sizeof replicas->frames[0]);
}

void replicas_drop_all(struct replicas *replicas) {
  while (replicas->frame_count > 0)
    replicas_drop(replicas, replicas->frame_count - 1);
}

size_t replicas_settle(struct replicas *replicas, size_t limit) {
  size_t delivered = 0;
  for (;;) {
    for (uint32_t i = 0; i < replicas->count; i++) {
      replica_flush(replicas, i);
      (void)replica_collect(replicas, i);
    }
    if (replicas->frame_count == 0) return delivered;
    while (replicas->frame_count > 0) {
      int rc = replicas_deliver(replicas, 0, false);
      if (rc != SYNC_OK) print_error("deliver: %s\n", sync_status_name(rc));
      assert_int_equal(rc, SYNC_OK);
      delivered++;
    }
    assert_true(delivered <= limit);
  }
}

void replicas_advance(struct replicas *replicas, uint64_t ns) {
  for (uint32_t i = 0; i < replicas->count; i++) {
    struct replica *replica = &replicas->at[i];
    replica->memory.mono_ns += ns;
    replica->memory.wall_ns += ns;
    if (replica->engine != NULL) assert_int_equal(sync_tick(replica->engine, NULL), SYNC_OK);
  }
}

void replica_put(struct replicas *replicas, uint32_t index, const char *key, const char *value) {
  struct sync_receipt receipt;
  assert_int_equal(sync_put(replicas->at[index].engine, key, strlen(key), value, strlen(value), &receipt), SYNC_OK);
}

void replica_delete(struct replicas *replicas, uint32_t index, const char *key) {
  assert_int_equal(sync_delete(replicas->at[index].engine, key, strlen(key), NULL), SYNC_OK);
}

bool replica_reads(struct replicas *replicas, uint32_t index, const char *key, const char *value) {
  struct sync_sibling winner;
  int rc = sync_get(replicas->at[index].engine, key, strlen(key), &winner);
  if (value == NULL) return rc == SYNC_E_NOT_FOUND;
  return rc == SYNC_OK && winner.value_size == strlen(value) && memcmp(winner.value, value, winner.value_size) == 0;
}

static bool replica_digest_equal(const struct sync_digest *a, const struct sync_digest *b) {
  return a->state == b->state && a->vector == b->vector && a->keys == b->keys && a->siblings == b->siblings;
}

/* What iterating over everything says of conflicts, against the index of them. */
struct replica_conflicts {
  struct sync_engine *engine;
  size_t expected, listed;
  bool wrong;
};

struct replica_count {
  size_t siblings, values, automatic;
};

static int count_sibling(void *arg, const struct sync_sibling *sibling) {
  struct replica_count *count = arg;
  count->siblings++;
  count->values += !sibling->tombstone;
  count->automatic += sibling->automatic;
  return 0;
}

static int expect_conflict(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  struct replica_conflicts *conflicts = arg;
  struct replica_count count = {0};
  struct sync_conflict conflict;
  (void)sync_siblings(conflicts->engine, key, key_size, count_sibling, &count);
  bool expected = count.siblings > 1 && count.values > 0;
  int rc = sync_conflict(conflicts->engine, key, key_size, &conflict);
  conflicts->expected += expected;
  if (winner->conflict != expected || rc != (expected ? SYNC_OK : SYNC_E_NOT_FOUND)) conflicts->wrong = true;
  if (rc == SYNC_OK && conflict.siblings != count.siblings) conflicts->wrong = true;
  if (rc == SYNC_OK && conflict.settled != (count.automatic == count.siblings)) conflicts->wrong = true;
  return 0;
}

static int take_conflict(void *arg, const struct sync_conflict *conflict) {
  struct replica_conflicts *conflicts = arg;
  struct sync_conflict same;
  conflicts->listed++;
  if (sync_conflict(conflicts->engine, conflict->key, conflict->key_size, &same) != SYNC_OK ||
      memcmp(same.token.bytes, conflict->token.bytes, sizeof same.token.bytes) != 0)
    conflicts->wrong = true;
  return 0;
}

bool replica_conflicts_true(const struct replicas *replicas, uint32_t index) {
  struct sync_engine *engine = replicas->at[index].engine;
  struct replica_conflicts conflicts = {.engine = engine};
  struct sync_stats stats;
  sync_stats_get(engine, &stats);
  if (sync_iterate(engine, NULL, 0, NULL, 0, true, expect_conflict, &conflicts) != SYNC_OK) return false;
  (void)sync_conflicts(engine, NULL, 0, take_conflict, &conflicts);
  return !conflicts.wrong && conflicts.listed == conflicts.expected && stats.conflicts == conflicts.expected;
}

bool replicas_agree(struct replicas *replicas) {
  struct sync_digest first = {0};
  bool have_first = false;
  bool agree = true;
  for (uint32_t i = 0; i < replicas->count; i++) {
    if (replicas->at[i].engine == NULL) continue;
    struct sync_digest kept;
    struct sync_digest computed;
    sync_digest_get(replicas->at[i].engine, &kept);
    sync_digest_recompute(replicas->at[i].engine, &computed);
    agree = agree && replica_digest_equal(&kept, &computed) && replica_conflicts_true(replicas, i);
    if (!have_first) first = kept;
    have_first = true;
    agree = agree && replica_digest_equal(&kept, &first);
  }
  return agree;
}

uint8_t replicas_frame_type(const struct replicas *replicas, size_t place) {
  return replicas->frames[place].bytes[3];
}

void replicas_settle_for(struct replicas *replicas, uint64_t ns) {
  const uint64_t step_ns = UINT64_C(50000000);
  for (uint64_t passed = 0; passed < ns; passed += step_ns) {
    (void)replicas_settle(replicas, 4000);
    replicas_advance(replicas, step_ns);
  }
}

/* --- Files and snapshots ------------------------------------------------------------ */

struct sync_stats replica_stats(const struct replicas *replicas, uint32_t index) {
  struct sync_stats stats;
  sync_stats_get(replicas->at[index].engine, &stats);
  return stats;
}

const char *replica_file(const struct replicas *replicas, uint32_t index, const char *prefix) {
  const struct memory_env *memory = &replicas->at[index].memory;
  for (size_t i = 0; i < memory->live_count; i++)
    if (strncmp(memory->live[i].name, prefix, strlen(prefix)) == 0) return memory->live[i].name;
  return NULL;
}

size_t replica_files(const struct replicas *replicas, uint32_t index, const char *prefix) {
  const struct memory_env *memory = &replicas->at[index].memory;
  size_t count = 0;
  for (size_t i = 0; i < memory->live_count; i++)
    count += strncmp(memory->live[i].name, prefix, strlen(prefix)) == 0 ? 1 : 0;
  return count;
}

void replica_snapshot(struct replicas *replicas, uint32_t index) {
  struct replica *replica = &replicas->at[index];
  uint64_t before = replica_stats(replicas, index).snapshots;
  assert_int_equal(sync_snapshot(replica->engine), SYNC_OK);
  for (unsigned i = 0; i < 1000 && replica_stats(replicas, index).snapshots == before; i++) {
    replica->memory.mono_ns += UINT64_C(1000000);
    assert_int_equal(sync_tick(replica->engine, NULL), SYNC_OK);
    replica_flush(replicas, index);
  }
  assert_int_equal(replica_stats(replicas, index).snapshots, before + 1);
}

void replica_put_many(struct replicas *replicas, uint32_t index, unsigned from, unsigned to, const char *value) {
  for (unsigned i = from; i < to; i++) {
    char key[16];
    (void)snprintf(key, sizeof key, "key-%03u", i);
    replica_put(replicas, index, key, value);
    if (i % 4 == 0) replica_flush(replicas, index);
  }
  replica_flush(replicas, index);
}
