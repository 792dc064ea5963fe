/* Merging: as if all operations had been received, whatever is merged with what in which order; or nothing at all. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/emulated.h"
#include "tests/support/image_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- Random histories ----------------------------------------------------------------- */

#define WRITERS 3u
#define OPERATIONS_MAX 64u

static struct image_replica replicas[WRITERS];
static struct image_bytes history[OPERATIONS_MAX];
static size_t history_count;
static uint64_t random_state;

static uint64_t draw(uint64_t below) {
  return memory_env_random(&random_state) % below;
}

static void begin(uint64_t seed) {
  static const char *const ids[WRITERS] = {"a", "b", "c"};
  random_state = seed;
  history_count = 0;
  for (size_t i = 0; i < WRITERS; i++)
    image_replica_init(&replicas[i], ids[i]);
}
static void end(void) {
  for (size_t i = 0; i < WRITERS; i++)
    image_replica_deinit(&replicas[i]);
  while (history_count > 0)
    image_bytes_free(&history[--history_count]);
}

static void write_one(struct image_replica *writer) {
  static const char *const keys[] = {"p", "q", "r", "s"};
  struct image_change changes[2];
  size_t first = (size_t)draw(3), count = 1 + draw(2);
  for (size_t i = 0; i < count; i++) {
    const char *key = keys[first + i];
    bool there = store_find(&writer->state.store, (const uint8_t *)key, 1) != NULL;
    uint64_t kind = draw(6);
    changes[i] = (struct image_change){.kind = kind == 0 && there ? SYNC_SWEEP
                                               : kind < 3         ? SYNC_DELETE
                                                                  : SYNC_PUT,
                                       .automatic = draw(5) == 0,
                                       .key = key,
                                       .value = (const uint8_t *)"some value",
                                       .value_size = (size_t)draw(11)};
    if (changes[i].kind == SYNC_SWEEP) changes[i].automatic = false;
    if (changes[i].kind != SYNC_PUT) changes[i].value_size = 0;
  }
  history[history_count++] = image_replica_write(writer, changes, count);
}

/* Writes, and hands on some of what there is; a replica may begin a new life. */
static void live(unsigned steps) {
  for (unsigned i = 0; i < steps; i++) {
    struct image_replica *one = &replicas[draw(WRITERS)];
    uint64_t what = draw(8);
    if (what == 0) image_replica_reborn(one);
    if (what < 4 && history_count < OPERATIONS_MAX) write_one(one);
    if (what >= 4 && history_count > 0) (void)image_replica_receive(one, history[draw(history_count)]);
  }
}

/* Another replica that received the same operations. */
static void receive_all_of(struct image_replica *to, const struct image_replica *of) {
  for (size_t pass = 0; pass < 2; pass++) /* an order that all writers lived in is among the history's own */
    for (size_t i = 0; i < history_count; i++) {
      if (image_replica_holds(of, history[i])) (void)image_replica_receive(to, history[i]);
    }
}

static void merge_of(struct image_replica *to, struct image_replica *from) {
  struct image_bytes snapshot = image_replica_snapshot_with(from, 200 + (size_t)draw(300));
  assert_int_equal(image_replica_merge(to, snapshot), SYNC_OK);
  image_bytes_free(&snapshot);
}

static uint64_t seeds(void) {
  return emulated() ? 20 : 300; /* they differ in luck alone */
}

static void a_merge_equals_receiving_the_operations_one_by_one(void **state) {
  (void)state;
  size_t newer = 0;
  for (uint64_t seed = 1; seed <= seeds(); seed++) {
    begin(seed);
    live(10 + (unsigned)draw(40));
    struct image_replica received;
    image_replica_init(&received, "a");
    receive_all_of(&received, &replicas[0]);
    assert_true(image_replicas_equal(&received, &replicas[0]));
    receive_all_of(&received, &replicas[1]);
    if (!image_replicas_equal(&received, &replicas[0])) newer++;
    merge_of(&replicas[0], &replicas[1]);
    assert_true(image_replicas_equal(&received, &replicas[0]));
    image_replica_deinit(&received);
    end();
  }
  assert_true(newer > seeds() / 2);
}

static void a_merge_is_commutative_associative_and_idempotent(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= seeds(); seed++) {
    begin(seed * 7919);
    live(10 + (unsigned)draw(40));
    struct image_replica copies[4];
    for (size_t i = 0; i < COUNT(copies); i++)
      image_replica_init(&copies[i], "d");
    /* (a + b) + c, and a + (b + c), and c + b + a + b. */
    static const unsigned orders[][4] = {{0, 1, 2, 2}, {2, 1, 0, 1}, {1, 0, 1, 2}};
    for (size_t i = 0; i < COUNT(orders); i++)
      for (size_t k = 0; k < 4; k++)
        merge_of(&copies[i], &replicas[orders[i][k]]);
    merge_of(&replicas[1], &replicas[2]);
    merge_of(&replicas[0], &replicas[1]);
    for (size_t i = 0; i < COUNT(orders); i++)
      assert_true(image_replicas_equal(&copies[i], &replicas[0]));
    merge_of(&copies[0], &copies[0]);
    assert_true(image_replicas_equal(&copies[0], &replicas[0]));
    for (size_t i = 0; i < COUNT(copies); i++)
      image_replica_deinit(&copies[i]);
    end();
  }
}

/* Whatever was merged, writing and receiving go on as if it had been received. */
static void life_goes_on_behind_a_merge(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= seeds(); seed++) {
    begin(seed * 104729);
    for (unsigned i = 0; i < 4; i++) {
      live(12);
      merge_of(&replicas[draw(WRITERS)], &replicas[draw(WRITERS)]);
    }
    for (unsigned i = 0; i < 3; i++)
      for (size_t to = 0; to < WRITERS; to++)
        for (size_t from = 0; from < WRITERS; from++)
          merge_of(&replicas[to], &replicas[from]);
    struct image_replica received;
    image_replica_init(&received, "d");
    receive_all_of(&received, &replicas[0]);
    for (size_t i = 0; i < WRITERS; i++)
      assert_true(image_replicas_equal(&received, &replicas[i]));
    image_replica_deinit(&received);
    end();
  }
}

static struct image_bytes keep(struct image_bytes operation) {
  history[history_count++] = operation;
  return operation;
}
static size_t siblings_of(const struct image_replica *replica, const char *key) {
  const struct store_key *found = store_find(&replica->state.store, (const uint8_t *)key, strlen(key));
  return found == NULL ? 0 : found->sibling_count;
}

static void what_was_replaced_goes_and_what_was_not_seen_stays(void **state) {
  (void)state;
  begin(1);
  struct image_replica *a = &replicas[0], *b = &replicas[1];
  struct image_bytes first = keep(image_replica_put(a, "k", "first"));
  assert_int_equal(image_replica_receive(b, first), APPLY_READY);
  keep(image_replica_put(b, "k", "replaces the first"));
  keep(image_replica_put(b, "only-b", "v"));
  keep(image_replica_put(a, "own", "never sent"));
  struct image_change sweep = {SYNC_SWEEP, false, "only-b", NULL, 0};
  merge_of(a, b);
  assert_int_equal(siblings_of(a, "k"), 1); /* covered and replaced */
  assert_int_equal(siblings_of(a, "own"), 1);
  keep(image_replica_put(a, "k", "concurrent with the next"));
  keep(image_replica_put(b, "k", "concurrent with that"));
  keep(image_replica_write(b, &sweep, 1));
  merge_of(a, b);
  assert_int_equal(siblings_of(a, "k"), 2);      /* neither had seen the other */
  assert_int_equal(siblings_of(a, "only-b"), 0); /* the last sibling, and so the key */
  merge_of(b, a);
  assert_true(image_replicas_equal(a, b));
  end();
}

static void own_operations_that_nobody_has_stay_in_the_log_and_others_leave_it(void **state) {
  (void)state;
  begin(1);
  struct image_replica *a = &replicas[0], *b = &replicas[1];
  struct image_bytes first = keep(image_replica_put(a, "k", "1"));
  struct image_bytes theirs = keep(image_replica_put(b, "j", "1"));
  assert_int_equal(image_replica_receive(a, theirs), APPLY_READY);
  keep(image_replica_put(a, "k", "2"));
  assert_int_equal(image_replica_receive(b, first), APPLY_READY);
  keep(image_replica_put(b, "j", "2"));
  merge_of(a, b);
  uint64_t ordinal = 0;
  const struct origin *other = origins_find(&a->state.origins, (const uint8_t *)"b", 1, b->incarnation);
  assert_true(a->own->floor == 0 && a->own->applied == 2);
  assert_non_null(oplog_find(&a->state.oplog, a->own, 1, &ordinal));
  assert_non_null(oplog_find(&a->state.oplog, a->own, 2, &ordinal));
  assert_true(other->floor == 2 && other->applied == 2); /* its operations came in no log */
  assert_null(oplog_find(&a->state.oplog, other, 1, &ordinal));
  /* What a merge brought is durable with its record, and not before. */
  assert_int_equal(other->durable, 0);
  oplog_raise_durable(&a->state.oplog, &a->state.origins, a->position - 1);
  assert_int_equal(other->durable, 1);
  oplog_raise_durable(&a->state.oplog, &a->state.origins, a->position);
  assert_int_equal(other->durable, 2);
  end();
}

/* --- Images that somebody made by hand and sealed as the rule says ------------------------ */

static uint8_t file[16384];
static size_t file_size;
static uint64_t file_sum;

static void block(enum block_type type, const uint8_t *payload, size_t size) {
  assert_true(file_size + BLOCK_HEADER_BYTES + size <= sizeof file);
  if (size > 0) memcpy(file + file_size + BLOCK_HEADER_BYTES, payload, size);
  block_seal(file + file_size, type, size, IMAGE_ID, file_size);
  file_sum = block_sum(file_sum, file + file_size);
  file_size += BLOCK_HEADER_BYTES + size;
}

/* What is wrong. The first is right. */
enum wrong {
  NOTHING,
  ORIGIN_TWICE,
  BIRTH_OF_A_HIGHER_PLACE,
  BIRTH_OF_ITSELF,
  BIRTH_OF_ANOTHER_NODE,
  BIRTH_ABOVE_ITS_SEQ,
  ORIGIN_CUT,
  SIBLING_ABOVE_ITS_ORIGIN,
  SIBLING_OF_NO_PLACE,
  SIBLING_CUT,
  KEY_WITHOUT_SIBLINGS,
  VALUE_TOO_LONG,
  SIBLINGS_MISCOUNTED,
  STATE_DIGEST,
  VECTOR_DIGEST,
  SUM,
  END_CUT,
  NO_END,
  NO_HEAD,
  TWO_HEADS,
  KEYS_BEFORE_ORIGINS,
  PEERS_BEHIND_KEYS,
  BYTES_BEHIND_THE_END,
  BLOCK_BEHIND_THE_END,
  PEER_CUT,
  PEER_OF_NO_NAME,
  HEAD_CUT,
  HEAD_OF_ANOTHER_ID,
  HEAD_OF_ANOTHER_CLUSTER,
  HEAD_OF_A_GREATER_LIMIT,
  HEAD_OF_ANOTHER_VERSION,
  OWN_LIFE_AHEAD,
  OTHER_VALUE_UNDER_THE_SAME_DOT,
  EMPTY_FILE,
  CUT_IN_A_BLOCK,
  WRONGS,
  CLOCKS_PAST_THAT_OF_THE_HEAD /* which is taken for what it is */
};

static uint64_t vector_hash(const char *node, uint64_t incarnation, uint64_t seq) {
  struct origin origin;
  memset(&origin, 0, sizeof origin);
  memcpy(origin.node_id, node, strlen(node));
  origin.incarnation = incarnation;
  return origin_hash_at(&origin, seq);
}

static uint64_t origin_hlc = 50;

static void write_origin(struct bytes_writer *out, const char *node, uint64_t incarnation, uint64_t seq,
                         size_t births) {
  image_origin_write(out, &(struct image_origin){.node_id = (const uint8_t *)node,
                                                 .node_id_size = strlen(node),
                                                 .incarnation = incarnation,
                                                 .seq = seq,
                                                 .hlc = origin_hlc,
                                                 .birth_count = births});
}

static const char *const authors[] = {"x", "x", "y"};
static const uint64_t incarnations[] = {1, 2, 5};

static uint64_t write_sibling(struct bytes_writer *out, const char *key, uint64_t place, uint64_t seq,
                              const char *value, size_t value_size) {
  image_sibling_write(out, &(struct image_sibling){.place = place,
                                                   .seq = seq,
                                                   .hlc = 40,
                                                   .tombstone = value == NULL,
                                                   .value = (const uint8_t *)value,
                                                   .value_size = value_size});
  if (place >= COUNT(authors)) return 0;
  struct origin origin;
  memset(&origin, 0, sizeof origin);
  memcpy(origin.node_id, authors[place], strlen(authors[place]));
  origin.incarnation = incarnations[place];
  return store_content_hash(&(struct store_content){.key = (const uint8_t *)key,
                                                    .key_size = strlen(key),
                                                    .origin = &origin,
                                                    .seq = seq,
                                                    .hlc = 40,
                                                    .tombstone = value == NULL,
                                                    .value = (const uint8_t *)value,
                                                    .value_size = value_size});
}

static void make_head(enum wrong wrong) {
  uint8_t payload[256];
  struct bytes_writer out = bytes_writer_to(payload, sizeof payload);
  struct image_head head = image_order("x", IMAGE_ID, IMAGE_PAYLOAD_MAX).head;
  head.hlc_last = wrong == CLOCKS_PAST_THAT_OF_THE_HEAD ? 7 : 60;
  if (wrong == HEAD_OF_ANOTHER_ID) head.id++;
  if (wrong == HEAD_OF_ANOTHER_CLUSTER) head.cluster_id[15]++;
  if (wrong == HEAD_OF_A_GREATER_LIMIT) head.value_bytes_max++;
  image_head_write(&out, &head);
  if (wrong == HEAD_OF_ANOTHER_VERSION) payload[8]++;
  if (wrong == HEAD_CUT) out.size--;
  block(BLOCK_HEAD, payload, out.size);
}

static uint64_t make_origins(enum wrong wrong) {
  uint8_t payload[512];
  struct bytes_writer out = bytes_writer_to(payload, sizeof payload);
  write_origin(&out, "x", 1, 3, 0);
  bool born = wrong == BIRTH_OF_A_HIGHER_PLACE || wrong == BIRTH_OF_ITSELF || wrong == BIRTH_ABOVE_ITS_SEQ;
  write_origin(&out, "x", 2, 2, 1);
  image_edge_write(&out,
                   wrong == BIRTH_OF_A_HIGHER_PLACE ? 2
                   : wrong == BIRTH_OF_ITSELF       ? 1
                                                    : 0,
                   wrong == BIRTH_ABOVE_ITS_SEQ ? 4
                   : born                       ? 1
                                                : 3);
  write_origin(&out, "y", 5, 4, wrong == BIRTH_OF_ANOTHER_NODE ? 1 : 0);
  if (wrong == BIRTH_OF_ANOTHER_NODE) image_edge_write(&out, 0, 1);
  uint64_t hash = vector_hash("x", 1, 3) + vector_hash("x", 2, 2) + vector_hash("y", 5, 4);
  if (wrong == ORIGIN_TWICE) {
    write_origin(&out, "x", 1, 3, 0);
    hash += vector_hash("x", 1, 3);
  }
  if (wrong == ORIGIN_CUT) out.size--;
  block(BLOCK_ORIGINS, payload, out.size);
  return hash;
}

static void make_peers(enum wrong wrong) {
  static const uint8_t good[] = {1, 'y', 0, 1, 'z'}, none[] = {1, '*'};
  if (wrong == PEER_OF_NO_NAME)
    block(BLOCK_PEERS, none, sizeof none);
  else
    block(BLOCK_PEERS, good, sizeof good - (wrong == PEER_CUT ? 1 : 0));
}

static uint64_t make_keys(enum wrong wrong, uint64_t *siblings) {
  static char too_long[IMAGE_VALUE_MAX + 1];
  uint8_t payload[2048];
  struct bytes_writer out = bytes_writer_to(payload, sizeof payload);
  image_key_write(&out, (const uint8_t *)"k", 1, wrong == KEY_WITHOUT_SIBLINGS ? 0 : 1);
  const char *value = wrong == OTHER_VALUE_UNDER_THE_SAME_DOT ? "other" : "value";
  uint64_t hash = write_sibling(&out, "k", 0, 2, value, 5);
  image_key_write(&out, (const uint8_t *)"l", 1, 2);
  hash += write_sibling(&out, "l", wrong == SIBLING_OF_NO_PLACE ? 3 : 1, wrong == SIBLING_ABOVE_ITS_ORIGIN ? 3 : 1,
                        NULL, 0);
  hash += write_sibling(&out, "l", 2, 3, wrong == VALUE_TOO_LONG ? too_long : "v",
                        wrong == VALUE_TOO_LONG ? sizeof too_long : 1);
  if (wrong == SIBLING_CUT) out.size--;
  *siblings = 3;
  assert_false(out.failed);
  block(BLOCK_KEYS, payload, out.size);
  return hash;
}

static void make(enum wrong wrong) {
  struct image_end last = {.keys = 2};
  file_size = 0;
  file_sum = 0;
  if (wrong == EMPTY_FILE) return;
  if (wrong != NO_HEAD) make_head(wrong);
  if (wrong == TWO_HEADS) make_head(wrong);
  if (wrong == KEYS_BEFORE_ORIGINS) last.state = make_keys(wrong, &last.siblings);
  last.vector = make_origins(wrong);
  if (wrong != PEERS_BEHIND_KEYS) make_peers(wrong);
  if (wrong != KEYS_BEFORE_ORIGINS) last.state = make_keys(wrong, &last.siblings);
  if (wrong == PEERS_BEHIND_KEYS) make_peers(wrong);
  last.sum = file_sum;
  if (wrong == SIBLINGS_MISCOUNTED) last.siblings++;
  if (wrong == STATE_DIGEST) last.state++;
  if (wrong == VECTOR_DIGEST) last.vector++;
  if (wrong == SUM) last.sum++;
  uint8_t payload[IMAGE_END_BYTES];
  struct bytes_writer out = bytes_writer_to(payload, sizeof payload);
  image_end_write(&out, &last);
  if (wrong != NO_END) block(BLOCK_END, payload, sizeof payload - (wrong == END_CUT ? 1 : 0));
  if (wrong == BYTES_BEHIND_THE_END) file[file_size++] = 0;
  if (wrong == BLOCK_BEHIND_THE_END) block(BLOCK_END, payload, sizeof payload);
  if (wrong == CUT_IN_A_BLOCK) file_size--;
}

static const int refusals[WRONGS] = {
    [NO_END] = SYNC_E_CORRUPT,
    [EMPTY_FILE] = SYNC_E_DAMAGED,
    [CUT_IN_A_BLOCK] = SYNC_E_DAMAGED,
    [HEAD_OF_ANOTHER_CLUSTER] = SYNC_E_CLUSTER,
    [HEAD_OF_A_GREATER_LIMIT] = SYNC_E_LIMITS,
    [HEAD_OF_ANOTHER_VERSION] = SYNC_E_VERSION,
    [OWN_LIFE_AHEAD] = SYNC_E_ID_CONFLICT,
    [OTHER_VALUE_UNDER_THE_SAME_DOT] = SYNC_E_ID_CONFLICT,
};

static struct image_bytes made(void) {
  return (struct image_bytes){file, file_size};
}

static void prepare(struct image_replica *replica) {
  image_replica_init(replica, "r");
  for (unsigned i = 0; i < 6; i++) {
    char key[8];
    (void)snprintf(key, sizeof key, "own-%u", i % 4);
    struct image_bytes operation = image_replica_put(replica, key, "v");
    image_bytes_free(&operation);
  }
}

/* Another one of its name has written on in its life: a copy of its disk. */
static void make_of_a_twin(void) {
  struct image_replica twin;
  prepare(&twin);
  struct image_bytes operation = image_replica_put(&twin, "k", "v");
  struct image_bytes snapshot = image_replica_snapshot(&twin);
  memcpy(file, snapshot.bytes, snapshot.size);
  file_size = snapshot.size;
  image_bytes_free(&operation);
  image_bytes_free(&snapshot);
  image_replica_deinit(&twin);
}

/* Plans what is right and gives it up, so that arrays that stay have their room. */
static void make_room(struct image_replica *replica) {
  make(NOTHING);
  memory_env_put(&replica->memory, IMAGE_FILE, file, file_size);
  struct merge_source source = image_source(replica, file_size);
  struct merge merge;
  assert_int_equal(merge_plan(&merge, &replica->state, &source), SYNC_OK);
  merge_cancel(&merge);
}

static void expect_the_same(const struct image_replica *replica, struct image_bytes before, uint64_t nominal,
                            uint64_t blocks) {
  struct image_bytes now = image_replica_dump(replica);
  assert_int_equal(now.size, before.size);
  assert_memory_equal(now.bytes, before.bytes, before.size);
  image_bytes_free(&now);
  assert_true(replica->memory.blocks <= blocks && replica->memory.nominal_bytes <= nominal);
  assert_int_equal(memory_env_handles(&replica->memory), 0);
}

static void whatever_is_wrong_is_refused_by_name_and_changes_nothing(void **state) {
  (void)state;
  for (unsigned again = 0; again < 2; again++)
    for (enum wrong wrong = NOTHING + 1; wrong < WRONGS; wrong = (enum wrong)(wrong + 1)) {
      struct image_replica replica;
      prepare(&replica);
      make(NOTHING);
      /* In a replica that has it all already, and in one that has nothing of it. */
      bool has = again == 1 || wrong == OTHER_VALUE_UNDER_THE_SAME_DOT;
      if (has) assert_int_equal(image_replica_merge(&replica, made()), SYNC_OK);
      make_room(&replica);
      if (wrong == OWN_LIFE_AHEAD)
        make_of_a_twin();
      else
        make(wrong);
      struct image_bytes before = image_replica_dump(&replica);
      uint64_t nominal = replica.memory.nominal_bytes, blocks = replica.memory.blocks;
      uint64_t hlc = replica.state.hlc_last;
      int expected = refusals[wrong] == 0 ? SYNC_E_CORRUPT : refusals[wrong];
      /* The birth of a life that is known was told by its first operation, and is not looked at. */
      if (has && wrong >= BIRTH_OF_A_HIGHER_PLACE && wrong <= BIRTH_ABOVE_ITS_SEQ) expected = SYNC_OK;
      int rc = image_replica_merge(&replica, made());
      if (rc != expected) print_error("wrong %u, again %u: %d\n", (unsigned)wrong, again, rc);
      assert_int_equal(rc, expected);
      expect_the_same(&replica, before, nominal, blocks);
      assert_true(replica.state.hlc_last == hlc);
      image_bytes_free(&before);
      /* Nothing of it stands in the way of the next one. */
      make(NOTHING);
      assert_int_equal(image_replica_merge(&replica, made()), SYNC_OK);
      assert_int_equal(siblings_of(&replica, "l"), 2);
      image_replica_deinit(&replica);
    }
}

/* Else the next write would not be past what it saw. */
static void a_head_that_says_less_hides_no_clock_of_an_origin_or_a_sibling(void **state) {
  (void)state;
  for (unsigned later = 0; later < 2; later++) { /* the last of its origin's is older than the sibling is */
    struct image_replica replica;
    image_replica_init(&replica, "r");
    origin_hlc = later == 0 ? 50 : 30;
    make(CLOCKS_PAST_THAT_OF_THE_HEAD);
    origin_hlc = 50;
    assert_int_equal(image_replica_merge(&replica, made()), SYNC_OK);
    assert_int_equal(replica.state.hlc_last, later == 0 ? 50 : 40);
    image_replica_deinit(&replica);
  }
}

/* The same dot twice under one key, sealed with digests that count it twice. */
static void a_sibling_that_stands_there_twice_is_never_held_twice(void **state) {
  (void)state;
  struct image_replica replica;
  prepare(&replica);
  file_size = 0;
  file_sum = 0;
  make_head(NOTHING);
  struct image_end last = {.keys = 1, .siblings = 2, .vector = make_origins(NOTHING)};
  uint8_t payload[256];
  struct bytes_writer out = bytes_writer_to(payload, sizeof payload);
  image_key_write(&out, (const uint8_t *)"k", 1, 2);
  last.state = write_sibling(&out, "k", 0, 2, "value", 5);
  last.state += write_sibling(&out, "k", 0, 2, "value", 5);
  block(BLOCK_KEYS, payload, out.size);
  last.sum = file_sum;
  out = bytes_writer_to(payload, sizeof payload);
  image_end_write(&out, &last);
  block(BLOCK_END, payload, out.size);
  (void)image_replica_merge(&replica, made());
  assert_true(siblings_of(&replica, "k") <= 1);
  struct image_bytes dump = image_replica_dump(&replica); /* digests and counts are honest */
  image_bytes_free(&dump);
  image_replica_deinit(&replica);
}

static void every_bit_of_a_file_that_is_changed_is_found(void **state) {
  (void)state;
  struct image_replica replica;
  prepare(&replica);
  make(NOTHING);
  struct image_bytes before = image_replica_dump(&replica);
  size_t step = emulated() ? 7 : 1; /* of the same kind */
  for (size_t bit = 0; bit < file_size * 8; bit += step) {
    file[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    assert_int_equal(image_replica_merge(&replica, made()), SYNC_E_DAMAGED);
    file[bit / 8] ^= (uint8_t)(1u << (bit % 8));
  }
  for (size_t size = 0; size < file_size; size++) {
    int rc = image_replica_merge(&replica, (struct image_bytes){file, size}); /* of that size it may be meant to be */
    assert_true(rc == SYNC_E_DAMAGED || rc == SYNC_E_CORRUPT);
  }
  struct image_bytes now = image_replica_dump(&replica);
  assert_memory_equal(now.bytes, before.bytes, before.size);
  image_bytes_free(&now);
  image_bytes_free(&before);
  image_replica_deinit(&replica);
}

/* What the log said of the file: another whole snapshot in its place is no snapshot of this merge. */
static void another_file_than_the_one_named_is_refused(void **state) {
  (void)state;
  struct image_replica replica;
  prepare(&replica);
  make(NOTHING);
  memory_env_put(&replica.memory, IMAGE_FILE, file, file_size);
  struct merge merge;
  struct merge_source source = image_source(&replica, file_size);
  source.sum = 12345;
  assert_int_equal(merge_plan(&merge, &replica.state, &source), SYNC_E_CORRUPT);
  source = image_source(&replica, file_size + 1);
  assert_int_equal(merge_plan(&merge, &replica.state, &source), SYNC_E_CORRUPT);
  source = image_source(&replica, file_size);
  source.id++;
  assert_int_equal(merge_plan(&merge, &replica.state, &source), SYNC_E_DAMAGED);
  source = image_source(&replica, file_size);
  source.node_id = "y";
  assert_int_equal(merge_plan(&merge, &replica.state, &source), SYNC_E_CLUSTER);
  source.node_id = "x";
  source.name = "no such file";
  assert_int_equal(merge_plan(&merge, &replica.state, &source), SYNC_E_NOT_FOUND);
  source.name = IMAGE_FILE;
  assert_int_equal(merge_plan(&merge, &replica.state, &source), SYNC_OK);
  merge_cancel(&merge);
  image_replica_deinit(&replica);
}

/* A block longer than this replica's frames could have brought is none. */
static void a_block_past_the_limit_is_refused_before_it_is_read(void **state) {
  (void)state;
  struct image_replica replica;
  prepare(&replica);
  make(NOTHING);
  memory_env_put(&replica.memory, IMAGE_FILE, file, file_size);
  struct merge_source source = image_source(&replica, file_size);
  source.payload_bytes_max = 60;
  struct merge merge;
  assert_int_equal(merge_plan(&merge, &replica.state, &source), SYNC_E_DAMAGED);
  image_replica_deinit(&replica);
}

static void a_merge_past_the_stores_bound_is_refused_and_one_that_frees_enough_is_not(void **state) {
  (void)state;
  begin(3);
  struct image_replica *a = &replicas[0], *b = &replicas[1];
  static const uint8_t big[IMAGE_VALUE_MAX];
  struct image_change put = {SYNC_PUT, false, "k", big, sizeof big};
  struct image_bytes first = keep(image_replica_write(a, &put, 1));
  assert_int_equal(image_replica_receive(b, first), APPLY_READY);
  keep(image_replica_write(b, &put, 1)); /* in its place, as long */
  a->state.store_bytes_max = a->state.store.bytes;
  struct image_bytes same = image_replica_snapshot(b);
  assert_int_equal(image_replica_merge(a, same), SYNC_OK);
  image_bytes_free(&same);
  keep(image_replica_put(b, "l", "one key more"));
  struct image_bytes snapshot = image_replica_snapshot(b);
  struct image_bytes before = image_replica_dump(a);
  uint64_t nominal = a->memory.nominal_bytes, blocks = a->memory.blocks;
  assert_int_equal(image_replica_merge(a, snapshot), SYNC_E_FULL);
  expect_the_same(a, before, nominal, blocks);
  a->state.store_bytes_max += STORE_KEY_NOMINAL_BYTES + STORE_SIBLING_NOMINAL_BYTES + 1 + 12;
  assert_int_equal(image_replica_merge(a, snapshot), SYNC_OK);
  assert_true(image_replicas_equal(a, b));
  image_bytes_free(&snapshot);
  image_bytes_free(&before);
  end();
}

/* --- Failures ------------------------------------------------------------------------------- */

static void an_allocation_that_fails_leaves_everything_as_before_and_the_retry_succeeds(void **state) {
  (void)state;
  unsigned failures = 0;
  for (uint64_t k = 1;; k++) {
    begin(17);
    live(60);
    struct image_replica *a = &replicas[0], *b = &replicas[1], expected;
    image_replica_init(&expected, "d");
    merge_of(&expected, a);
    merge_of(&expected, b);
    struct image_bytes before = image_replica_dump(a), snapshot = image_replica_snapshot_with(b, 250);
    a->memory.fail_alloc_at = a->memory.allocs + k;
    int rc = image_replica_merge(a, snapshot);
    bool met = a->memory.allocs >= a->memory.fail_alloc_at;
    a->memory.fail_alloc_at = 0;
    assert_int_equal(rc, met ? SYNC_E_NO_MEMORY : SYNC_OK);
    if (met) expect_the_same(a, before, UINT64_MAX, UINT64_MAX);
    if (met) assert_int_equal(image_replica_merge(a, snapshot), SYNC_OK);
    assert_true(image_replicas_equal(a, &expected));
    image_bytes_free(&before);
    image_bytes_free(&snapshot);
    image_replica_deinit(&expected);
    end();
    if (!met) break;
    failures++;
  }
  assert_true(failures > 5);
}

static void a_call_that_fails_leaves_everything_as_before_and_the_retry_succeeds(void **state) {
  (void)state;
  static const struct memory_env_fault faults[] = {{MEMORY_ENV_OPEN, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
                                                   {MEMORY_ENV_OPEN, SYNC_E_TOO_MANY, MEMORY_ENV_NO_EFFECT},
                                                   {MEMORY_ENV_READ, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
                                                   {MEMORY_ENV_CLOSE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT}};
  unsigned failures = 0;
  for (size_t f = 0; f < COUNT(faults); f++)
    for (uint64_t k = 1;; k++) {
      struct image_replica replica;
      prepare(&replica);
      make(NOTHING);
      replica.memory.transfer_max = 100; /* many reads */
      struct image_bytes before = image_replica_dump(&replica);
      memory_env_fail(&replica.memory, &faults[f], k, 1);
      int rc = image_replica_merge(&replica, made());
      bool met = replica.memory.fault_met > 0;
      memory_env_heal(&replica.memory);
      assert_int_equal(rc, met && faults[f].call != MEMORY_ENV_CLOSE ? faults[f].status : SYNC_OK);
      if (rc != SYNC_OK) {
        expect_the_same(&replica, before, UINT64_MAX, UINT64_MAX);
        assert_int_equal(image_replica_merge(&replica, made()), SYNC_OK);
      }
      assert_int_equal(siblings_of(&replica, "l"), 2);
      image_bytes_free(&before);
      image_replica_deinit(&replica);
      if (!met) break;
      failures++;
    }
  assert_true(failures > 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_merge_equals_receiving_the_operations_one_by_one),
      cmocka_unit_test(a_merge_is_commutative_associative_and_idempotent),
      cmocka_unit_test(life_goes_on_behind_a_merge),
      cmocka_unit_test(what_was_replaced_goes_and_what_was_not_seen_stays),
      cmocka_unit_test(own_operations_that_nobody_has_stay_in_the_log_and_others_leave_it),
      cmocka_unit_test(whatever_is_wrong_is_refused_by_name_and_changes_nothing),
      cmocka_unit_test(a_head_that_says_less_hides_no_clock_of_an_origin_or_a_sibling),
      cmocka_unit_test(a_sibling_that_stands_there_twice_is_never_held_twice),
      cmocka_unit_test(every_bit_of_a_file_that_is_changed_is_found),
      cmocka_unit_test(another_file_than_the_one_named_is_refused),
      cmocka_unit_test(a_block_past_the_limit_is_refused_before_it_is_read),
      cmocka_unit_test(a_merge_past_the_stores_bound_is_refused_and_one_that_frees_enough_is_not),
      cmocka_unit_test(an_allocation_that_fails_leaves_everything_as_before_and_the_retry_succeeds),
      cmocka_unit_test(a_call_that_fails_leaves_everything_as_before_and_the_retry_succeeds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
