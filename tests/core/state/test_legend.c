/* Frames name origins by their sender's indexes: what the receiver makes of them. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "tests/support/replica.h"

static struct replicas *world;
static const uint8_t cluster[SYNC_CLUSTER_ID_BYTES] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};

static const struct operation_origin ann = {(const uint8_t *)"ann", 3, 11}, bob = {(const uint8_t *)"bob", 3, 22};

/* A frame that is made by hand. */
struct frame {
  uint8_t bytes[72 * 1024];
  struct bytes_writer writer;
  struct operation_origin last;
  bool named;
};
static void frame_of(struct frame *frame) {
  frame->writer = frame_begin(frame->bytes, sizeof frame->bytes - FRAME_TRAILER_BYTES);
  frame->named = false;
  ops_write_head(&frame->writer, 77, 0);
}
static void add(struct frame *frame, const struct operation *operation) {
  static uint8_t bytes[72 * 1024];
  size_t size = operation_size(operation);
  assert_true(size <= sizeof bytes);
  operation_encode(operation, bytes);
  bytes_write_varint(&frame->writer, size);
  bytes_write(&frame->writer, bytes, size);
}
static void name(struct frame *frame, uint32_t index, const struct operation_origin *origin) {
  if (!frame->named) ops_write_end(&frame->writer);
  ops_write_origin(&frame->writer, frame->named ? &frame->last : NULL, origin, index);
  frame->last = *origin;
  frame->named = true;
}
/* Gives it to n0, as from n1. */
static int take(struct frame *frame) {
  if (!frame->named) ops_write_end(&frame->writer);
  assert_false(frame->writer.failed);
  size_t size = frame_finish(&frame->writer, FRAME_OPS, cluster);
  return sync_receive(world->at[0].engine, replica_peer(world, 0, 1), frame->bytes, size);
}

static const struct operation_change put_k = {SYNC_PUT, false, (const uint8_t *)"k", 1, (const uint8_t *)"v", 1,
                                              NULL,     0};
static struct operation first_of(uint32_t index, const struct operation_origin *origin) {
  return (struct operation){.origin = index, .own = *origin, .seq = 1, .hlc = 5, .changes = &put_k, .change_count = 1};
}
static struct operation second_of(uint32_t index) {
  return (struct operation){.origin = index, .seq = 2, .hlc = 9, .hlc_before = 5, .changes = &put_k, .change_count = 1};
}

static int begin(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 0, "own", "v"); /* index 0 is taken here */
  replica_flush(world, 0);
  return 0;
}
static int end(void **state) {
  (void)state;
  replicas_destroy(world);
  return 0;
}
static uint64_t applied(const struct operation_origin *origin) {
  const struct origin *found =
      origins_find(&world->at[0].engine->state.origins, origin->node_id, origin->node_id_size, origin->incarnation);
  return found == NULL ? 0 : found->applied;
}
static uint64_t conflicts(void) {
  struct sync_stats stats;
  sync_stats_get(world->at[0].engine, &stats);
  return stats.id_conflicts;
}

static void indexes_of_a_sender_become_those_of_the_log(void **state) {
  (void)state;
  static struct frame frame;
  struct operation_dot seen[] = {{900, 1}, {3, 1}};
  struct operation_change over = put_k;
  over.seen = seen;
  over.seen_count = 2;
  struct operation a = first_of(900, &ann), b = first_of(3, &bob), both = second_of(900);
  both.changes = &over;
  struct operation_dot caused[] = {{3, 1}};
  both.delta = caused;
  both.delta_count = 1;
  frame_of(&frame);
  add(&frame, &a);
  add(&frame, &b);
  add(&frame, &both);
  assert_int_equal(take(&frame), SYNC_OK);
  assert_true(applied(&ann) == 2 && applied(&bob) == 1);
  struct sync_sibling winner;
  assert_int_equal(sync_get(world->at[0].engine, "k", 1, &winner), SYNC_OK);
  assert_true(winner.dot.seq == 2 && winner.dot.origin.incarnation == 11 && winner.hlc == 9);
  struct sync_digest digest;
  sync_digest_get(world->at[0].engine, &digest);
  assert_int_equal(digest.siblings, 2); /* "own" and the last of "k" */
  replica_flush(world, 0);
  replica_close(world, 0);
  replica_open(world, 0); /* its log says the same */
  struct sync_digest again;
  sync_digest_get(world->at[0].engine, &again);
  assert_true(digest.state == again.state && digest.vector == again.vector);
}

static void an_operation_is_the_same_whatever_index_its_sender_has(void **state) {
  (void)state;
  static struct frame frame;
  for (uint32_t index = 0; index < 400; index += 133) {
    struct operation a = first_of(index, &ann), then = second_of(index + 1);
    frame_of(&frame);
    add(&frame, &a);
    assert_int_equal(take(&frame), SYNC_OK);
    frame_of(&frame);
    add(&frame, &then);
    name(&frame, index + 1, &ann);
    assert_int_equal(take(&frame), SYNC_OK);
  }
  assert_true(applied(&ann) == 2 && conflicts() == 0);
}

static void other_siblings_under_the_same_id_are_a_conflict(void **state) {
  (void)state;
  static struct frame frame;
  struct operation a = first_of(0, &ann), b = first_of(1, &bob), then = second_of(0);
  struct operation_dot seen[] = {{1, 1}};
  struct operation_change over = put_k;
  over.seen = seen;
  over.seen_count = 1;
  then.changes = &over;
  frame_of(&frame);
  add(&frame, &a);
  add(&frame, &b);
  add(&frame, &then);
  assert_int_equal(take(&frame), SYNC_OK);
  /* The same bytes, but that index 1 is somebody else's now: known here, or not. */
  const struct operation_origin others[] = {{(const uint8_t *)"n0", 2, world->at[0].engine->own->incarnation},
                                            {(const uint8_t *)"bob", 3, 99}};
  for (size_t i = 0; i < 2; i++) {
    frame_of(&frame);
    add(&frame, &then);
    name(&frame, 0, &ann);
    name(&frame, 1, &others[i]);
    assert_int_equal(take(&frame), SYNC_E_ID_CONFLICT);
    assert_int_equal(conflicts(), i + 1);
  }
}

static void an_index_that_nobody_explains_or_two_do_is_refused_and_nothing_is_taken(void **state) {
  (void)state;
  static struct frame frame;
  struct operation a = first_of(0, &ann), b = second_of(1);
  frame_of(&frame); /* nobody says who 1 is */
  add(&frame, &a);
  add(&frame, &b);
  assert_int_equal(take(&frame), SYNC_E_CORRUPT);
  frame_of(&frame); /* 0 is said twice, by an operation and behind */
  add(&frame, &a);
  name(&frame, 0, &ann);
  assert_int_equal(take(&frame), SYNC_E_CORRUPT);
  frame_of(&frame); /* twice by operations */
  add(&frame, &a);
  add(&frame, &a);
  assert_int_equal(take(&frame), SYNC_E_CORRUPT);
  frame_of(&frame); /* twice behind, out of order */
  add(&frame, &b);
  name(&frame, 1, &bob);
  name(&frame, 0, &ann);
  name(&frame, 1, &ann);
  assert_int_equal(take(&frame), SYNC_E_CORRUPT);
  struct operation_dot cause[] = {{7, 1}};
  struct operation caused = first_of(0, &ann);
  caused.delta = cause;
  caused.delta_count = 1;
  frame_of(&frame); /* nor who a cause is of */
  add(&frame, &caused);
  assert_int_equal(take(&frame), SYNC_E_CORRUPT);
  assert_true(applied(&ann) == 0 && applied(&bob) == 0);
}

static void what_a_frame_says_of_origins_is_read_safely(void **state) {
  (void)state;
  static const struct {
    uint8_t bytes[16];
    size_t size;
  } bad[] = {{{1}, 1},
             {{1, 3, 'b', 'o'}, 4},
             {{1, 0, 22, 0, 0, 0, 0, 0, 0, 0}, 10},                /* of the one before, and there is none */
             {{1, 3, 'b', '/', 'b', 22, 0, 0, 0, 0, 0, 0, 0}, 13}, /* no node id */
             {{1, 3, 'b', 'o', 'b', 0, 0, 0, 0, 0, 0, 0, 0}, 13},  /* no incarnation */
             {{1, 3, 'b', 'o', 'b', 22, 0, 0, 0, 0, 0, 0}, 12},
             {{0x81, 0, 3, 'b', 'o', 'b', 22, 0, 0, 0, 0, 0, 0, 0}, 14},
             {{0xff, 0xff, 0xff, 0xff, 0x1f, 1, 'b', 22, 0, 0, 0, 0, 0, 0, 0}, 15}}; /* past 32 bits */
  static struct frame frame;
  struct operation a = first_of(0, &ann);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    frame_of(&frame);
    add(&frame, &a);
    ops_write_end(&frame.writer);
    bytes_write(&frame.writer, bad[i].bytes, bad[i].size);
    frame.named = true;
    assert_int_equal(take(&frame), SYNC_E_CORRUPT);
  }
  frame_of(&frame); /* not ended */
  add(&frame, &a);
  frame.named = true;
  assert_int_equal(take(&frame), SYNC_E_CORRUPT);
  frame_of(&frame); /* none */
  assert_int_equal(take(&frame), SYNC_E_CORRUPT);
  assert_int_equal(applied(&ann), 0);
  frame_of(&frame); /* the greatest index, and some that no operation names */
  struct operation last = first_of(UINT32_MAX, &ann);
  add(&frame, &last);
  name(&frame, 5, &bob);
  name(&frame, 4, &bob);
  assert_int_equal(take(&frame), SYNC_OK);
  assert_true(applied(&ann) == 1 && applied(&bob) == 0);
}

/* Many origins, in no order: each is found. */
static void a_long_legend_is_searched_in_order(void **state) {
  (void)state;
  struct legend legend;
  struct ops ops = {0};
  static uint8_t bytes[1000 * 14];
  struct bytes_writer writer = bytes_writer_to(bytes, sizeof bytes);
  struct operation_origin last = {0};
  for (uint32_t i = 0; i < 997; i++) {
    struct operation_origin origin = {(const uint8_t *)"bob", 3, i + 1};
    ops_write_origin(&writer, i > 0 ? &last : NULL, &origin, (i * 331u) % 997u);
    last = origin;
  }
  assert_false(writer.failed);
  ops.origins = bytes_reader_of(bytes, writer.size);
  legend_init(&legend, world->at[0].engine->env);
  assert_int_equal(legend_begin(&legend, &ops), SYNC_OK);
  assert_int_equal(legend_sort(&legend), SYNC_OK);
  for (uint32_t i = 0; i < 997; i++)
    assert_int_equal(legend_find(&legend, (i * 331u) % 997u)->origin.incarnation, i + 1);
  assert_null(legend_find(&legend, 997));
  legend_deinit(&legend);
}

/* What would not fit in a frame of a node whose indexes are long is written nowhere. */
static void an_operation_that_weighs_too_much_is_refused(void **state) {
  (void)state;
  enum { CAUSES = 300 };
  static struct frame frame;
  struct operation_dot causes[CAUSES];
  struct sync_engine *engine = world->at[0].engine;
  for (uint32_t i = 0; i < CAUSES; i++) {
    struct operation_origin origin = {(const uint8_t *)"bob", 3, i + 1};
    struct operation operation = first_of(i, &origin);
    frame_of(&frame);
    add(&frame, &operation);
    assert_int_equal(take(&frame), SYNC_OK);
    causes[i] = (struct operation_dot){i, 1};
  }
  static uint8_t value[64 * 1024];
  struct operation_change big = put_k;
  big.value = value;
  size_t room = engine->limits.bytes_max;
  for (uint32_t count = 100; count <= CAUSES; count += 100) {
    struct operation_origin origin = {(const uint8_t *)"ann", 3, count};
    struct operation operation = first_of(CAUSES, &origin);
    operation.delta = causes;
    operation.delta_count = count;
    operation.changes = &big;
    size_t weight = operation_size(&operation) - 1 - bytes_varint_size(CAUSES) + 5 + 17;
    for (uint32_t i = 0; i < count; i++)
      weight += 5 - bytes_varint_size(i) + 17;
    if (weight > room) break;
    size_t left = room - weight;
    if (left >= engine->limits.value_bytes_max) continue;
    for (size_t more = 0; more < 2; more++) {
      big.value_size = left + 1 - more;
      frame_of(&frame);
      add(&frame, &operation);
      for (uint32_t i = 0; i < count; i++)
        name(&frame, i, &(struct operation_origin){(const uint8_t *)"bob", 3, i + 1});
      assert_int_equal(take(&frame), more == 0 ? SYNC_E_CORRUPT : SYNC_OK);
      assert_int_equal(applied(&origin), more);
    }
    return;
  }
  fail_msg("no operation of such a weight was made");
}

int main(void) {
  static struct replicas all;
  world = &all;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(indexes_of_a_sender_become_those_of_the_log, begin, end),
      cmocka_unit_test_setup_teardown(an_operation_is_the_same_whatever_index_its_sender_has, begin, end),
      cmocka_unit_test_setup_teardown(other_siblings_under_the_same_id_are_a_conflict, begin, end),
      cmocka_unit_test_setup_teardown(an_index_that_nobody_explains_or_two_do_is_refused_and_nothing_is_taken, begin,
                                      end),
      cmocka_unit_test_setup_teardown(what_a_frame_says_of_origins_is_read_safely, begin, end),
      cmocka_unit_test_setup_teardown(a_long_legend_is_searched_in_order, begin, end),
      cmocka_unit_test_setup_teardown(an_operation_that_weighs_too_much_is_refused, begin, end),
  };
  return cmocka_run_group_tests_name("legend", tests, NULL, NULL) != 0;
}
