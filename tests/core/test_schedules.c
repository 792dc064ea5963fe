/* Thousands of seeded schedules: writes, frames lost, repeated and reordered,
 * fsyncs late, power lost in every style; then all heals and must agree. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "tests/support/replica.h"

#define SCHEDULES 3000u
#define PROMISES_MAX 512u
#define LIVES_MAX 64u

struct promise {
  uint32_t replica;
  uint64_t incarnation, seq, position;
  bool made;
};

struct belief {
  uint64_t own_session;
  uint32_t life; /* of the peer: which of its sessions is known */
};

static struct replicas *world;
static struct belief beliefs[REPLICAS_MAX][REPLICAS_MAX];
static uint64_t sessions[REPLICAS_MAX][LIVES_MAX];
static uint32_t lives[REPLICAS_MAX];
static struct promise promises[PROMISES_MAX];
static size_t promise_count;
static uint64_t chance;
static uint64_t crashes, deliveries, gaps, duplicates, timeouts, ignored;

static uint32_t pick(uint32_t n) {
  return (uint32_t)(memory_env_random(&chance) % n);
}

static void note_life(uint32_t index) {
  assert_true(lives[index] < LIVES_MAX);
  sessions[index][lives[index]++] = world->at[index].engine->session;
}

/* 0: none; else the number of the session among those of the replica. */
static uint32_t life_of(uint32_t index, uint64_t session) {
  uint32_t life = lives[index];
  while (life > 0 && sessions[index][life - 1] != session)
    life--;
  return life;
}

static void begin(uint64_t seed) {
  /* Pairs (0,1) (0,2) (1,2) (0,3) (1,3) (2,3) (0,4) (1,4) ... */
  static const uint8_t shapes[7][16] = {{2, 1},
                                        {3, 1, 0, 1},
                                        {3, 1, 1, 1},
                                        {4, 1, 0, 1, 0, 0, 1},
                                        {4, 1, 1, 0, 0, 1, 1},
                                        {5, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1},
                                        {6, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1}};
  chance = seed;
  promise_count = 0;
  memset(beliefs, 0, sizeof beliefs);
  memset(lives, 0, sizeof lives);
  const uint8_t *shape = shapes[pick(7)];
  replicas_init(world, shape[0]);
  uint32_t windows[] = {1, 4, 16};
  for (uint32_t i = 0; i < world->count; i++) {
    replica_close(world, i);
    struct sync_options *options = &world->at[i].options;
    options->batch_size = 1 + pick(4);
    options->window_ops = windows[pick(3)];
    options->segment_bytes = pick(2) == 0 ? 1024 : 0;
    options->fsync_spacing_ns = pick(3) == 0 ? UINT64_C(10000000) : 0;
    options->changes_max = 8;
    options->ack_delay_ns = pick(2) == 0 ? SYNC_ACK_AT_ONCE : 0;
    replica_open(world, i);
    note_life(i);
  }
  size_t link = 1;
  for (uint32_t b = 1; b < world->count; b++)
    for (uint32_t a = 0; a < b; a++)
      if (shape[link++] == 1) replicas_link(world, a, b);
}

static void submit(uint32_t index) {
  struct sync_engine *engine = world->at[index].engine;
  char keys[3][2] = {"x", "y", "z"};
  char value[24];
  int size = snprintf(value, sizeof value, "%u.%llu", index, (unsigned long long)(memory_env_random(&chance) % 100000));
  struct sync_change changes[3];
  size_t count = pick(4) == 0 ? 1 + pick(3) : 1;
  uint32_t first = pick(3);
  for (size_t i = 0; i < count; i++)
    changes[i] = (struct sync_change){.kind = pick(4) == 0 ? SYNC_DELETE : SYNC_PUT,
                                      .key = keys[(first + i) % 3],
                                      .key_size = 1,
                                      .value = value,
                                      .value_size = (size_t)size};
  struct sync_receipt receipt;
  assert_int_equal(sync_write(engine, changes, count, &receipt), SYNC_OK);
  if (promise_count == PROMISES_MAX) return;
  promises[promise_count++] = (struct promise){.replica = index,
                                               .incarnation = receipt.dot.origin.incarnation,
                                               .seq = receipt.dot.seq,
                                               .position = receipt.position};
}

static void note_promises(uint32_t index) {
  for (size_t i = 0; i < promise_count; i++)
    if (promises[i].replica == index && promises[i].position <= sync_durable_position(world->at[index].engine))
      promises[i].made = true;
}

static void count(uint32_t index) {
  struct sync_stats stats;
  sync_stats_get(world->at[index].engine, &stats);
  gaps += stats.not_yet;
  duplicates += stats.duplicates;
  timeouts += stats.timeouts;
}

/* A new disk: what nobody else held is lost, and that is no broken promise. */
static void wipe(uint32_t index) {
  struct memory_env *memory = &world->at[index].memory;
  char name[64];
  while (memory->live_count + memory->durable_count > 0) {
    memcpy(name, memory->live_count > 0 ? memory->live[0].name : memory->durable[0].name, sizeof name);
    memory_env_remove(memory, name);
  }
  for (size_t i = 0; i < promise_count; i++)
    if (promises[i].replica == index) promises[i] = (struct promise){.replica = index, .position = UINT64_MAX};
}

static void crash(uint32_t index) {
  struct replica *replica = &world->at[index];
  note_promises(index);
  /* A promise not yet made never will be: the position may mean another record. */
  for (size_t i = 0; i < promise_count; i++)
    if (promises[i].replica == index && !promises[i].made) promises[i].position = UINT64_MAX;
  count(index);
  crashes++;
  if (pick(4) == 0) {
    replica_close(world, index);
  } else {
    replica_crash(world, index, (enum memory_env_loss)pick(MEMORY_ENV_LOSSES), memory_env_random(&chance));
  }
  if (pick(8) == 0) wipe(index);
  replica->memory.wall_ns = UINT64_C(1700000000000000000) + pick(3) * UINT64_C(5000000000);
  replica_open(world, index);
  note_life(index);
  /* Peers whose record was lost: an embedder names them at every start. */
  for (uint32_t i = 0; i < world->count; i++)
    if (world->linked[index][i]) assert_int_equal(sync_peer_add(replica->engine, world->at[i].node_id, NULL), SYNC_OK);
}

/* I4: what is known of a peer's session is durable in it; what is known never
 * goes back to an older session. */
static void check_known(void) {
  for (uint32_t a = 0; a < world->count; a++)
    for (uint32_t b = 0; b < world->count; b++) {
      if (!world->linked[a][b]) continue;
      const struct sync_engine *engine = world->at[a].engine;
      const struct sync_engine *other = world->at[b].engine;
      const struct peer *peer = peer_at(&engine->peers, replica_peer(world, a, b));
      struct belief *belief = &beliefs[a][b];
      uint32_t life = life_of(b, peer->known_session);
      if (belief->own_session == engine->session) assert_true(life >= belief->life);
      *belief = (struct belief){.own_session = engine->session, .life = life};
      if (peer->known_session != other->session) continue;
      for (uint32_t i = 0; i < peer->known.seqs.count; i++) {
        if (i >= origins_count(&engine->state.origins)) break;
        const struct origin *origin = origins_at(&engine->state.origins, i);
        const struct origin *there = origins_find(&other->state.origins, (const uint8_t *)origin->node_id,
                                                  origin->node_id_size, origin->incarnation);
        uint64_t seq = vector_get(&peer->known, i);
        if (seq == 0) continue;
        uint64_t ordinal;
        assert_non_null(there);
        const struct oplog_entry *entry = oplog_find(&other->state.oplog, there, seq, &ordinal);
        assert_true(entry != NULL && oplog_entry_end(entry) <= sync_durable_position(other));
      }
    }
}

static void step(void) {
  uint32_t index = pick(world->count);
  struct replica *replica = &world->at[index];
  uint64_t token;
  switch (pick(16)) {
  case 0:
  case 1:
  case 2:
    submit(index);
    break;
  case 3:
  case 4:
    if (memory_env_complete(&replica->memory, SYNC_OK, &token))
      assert_int_equal(sync_disk_done(replica->engine, token, SYNC_OK), SYNC_OK);
    break;
  case 5:
    replica_flush(world, index);
    break;
  case 6:
  case 7:
    (void)replica_collect(world, index);
    break;
  case 8:
    if (world->frame_count > 0) replicas_drop(world, pick((uint32_t)world->frame_count));
    break;
  case 9:
    if (pick(8) == 0) crash(index);
    break;
  case 10:
    replicas_advance(world, (uint64_t)pick(40) * UINT64_C(250000000));
    break;
  default:
    if (world->frame_count == 0) break;
    assert_int_equal(replicas_deliver(world, pick((uint32_t)world->frame_count), pick(5) == 0), SYNC_OK);
    deliveries++;
  }
  note_promises(index);
}

static void heal(uint64_t seed) {
  uint64_t owed = 1;
  for (uint32_t round = 0; round < 200 && (owed > 0 || !replicas_agree(world)); round++) {
    replicas_advance(world, UINT64_C(1000000000));
    (void)replicas_settle(world, 2000);
    check_known();
    owed = 0;
    for (uint32_t i = 0; i < world->count; i++) {
      owed += sync_outbox_size(world->at[i].engine);
      note_promises(i);
    }
  }
  if (owed > 0 || !replicas_agree(world)) print_error("seed %llu does not heal\n", (unsigned long long)seed);
  assert_int_equal(owed, 0);
  assert_true(replicas_agree(world));
  for (size_t i = 0; i < promise_count; i++)
    for (uint32_t r = 0; promises[i].made && r < world->count; r++)
      assert_true(sync_holds(world->at[r].engine, world->at[promises[i].replica].node_id, promises[i].incarnation,
                             promises[i].seq));
}

static void every_schedule_heals_and_keeps_its_promises(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= SCHEDULES; seed++) {
    begin(seed);
    uint32_t steps = 20 + pick(250);
    for (uint32_t i = 0; i < steps; i++) {
      step();
      if (i % 4 == 0) check_known();
    }
    heal(seed);
    for (uint32_t i = 0; i < world->count; i++)
      count(i);
    for (uint32_t i = 0; i < world->count; i++)
      ignored += world->at[i].memory.traced_kind[SYNC_TRACE_IGNORED_HELLO];
    replicas_destroy(world);
  }
  /* What never happened was not tested. */
  print_message("%llu crashes, %llu deliveries, %llu gaps, %llu duplicates, %llu timeouts, %llu hellos ignored\n",
                (unsigned long long)crashes, (unsigned long long)deliveries, (unsigned long long)gaps,
                (unsigned long long)duplicates, (unsigned long long)timeouts, (unsigned long long)ignored);
  assert_true(crashes > 1000 && gaps > 100 && duplicates > 1000 && timeouts > 1000 && ignored > 1000);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_schedule_heals_and_keeps_its_promises),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
