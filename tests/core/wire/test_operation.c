/* The canonical encoding of operations. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/wire/operation.h"
#include "core/sync.h"

static const struct operation_limits limits = {
    .bytes_max = 4096, .key_bytes_max = SYNC_KEY_BYTES_MAX, .value_bytes_max = 256, .changes_max = 4};

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static const struct operation_dot delta[] = {{1, 4}, {300, 300}};
static const struct operation_dot seen_a[] = {{1, 2}, {300, 9}};
static const struct operation_dot seen_b[] = {{3, 1}};
static const struct operation_change changes[] = {
    {SYNC_PUT, false, BYTES("a"), BYTES("value"), seen_a, 2},
    {SYNC_DELETE, true, BYTES("ab"), NULL, 0, NULL, 0},
    {SYNC_SWEEP, false, BYTES("b"), NULL, 0, seen_b, 1},
};
static struct operation sample_operation(void) {
  return (struct operation){.origin = 7,
                            .own = {BYTES("alpha"), 11},
                            .seq = 1,
                            .hlc = UINT64_C(0x1122334455667788),
                            .delta = delta,
                            .delta_count = 2,
                            .changes = changes,
                            .change_count = 3};
}
/* What a store mostly gets: a put over what the same life wrote before. */
static const struct operation_dot overwritten[] = {{7, 299}};
static const struct operation_change overwrite = {SYNC_PUT, false, BYTES("key"), BYTES("value"), overwritten, 1};
static struct operation usual_operation(void) {
  return (struct operation){
      .origin = 7, .seq = 300, .hlc = 1100, .hlc_before = 1000, .changes = &overwrite, .change_count = 1};
}

/* Parses a heap copy of exactly these bytes, so that sanitizers see over-reads. */
static int parse_copy(const uint8_t *bytes, size_t size) {
  uint8_t *copy = malloc(size == 0 ? 1 : size);
  assert_non_null(copy);
  if (size > 0) memcpy(copy, bytes, size);
  struct operation_view view;
  int rc = operation_parse(copy, size, &limits, &view);
  struct operation_mentions walk = operation_mentions_of(&view);
  struct operation_mention mention;
  while (rc == SYNC_OK && operation_next_mention(&walk, &mention))
    assert_true(mention.at >= copy && mention.at + mention.size <= copy + size);
  free(copy);
  return rc;
}

static size_t encode(const struct operation *operation, uint8_t bytes[1024]) {
  assert_true(operation_size(operation) <= 1024);
  operation_encode(operation, bytes);
  return operation_size(operation);
}

static int parse_operation(const struct operation *operation) {
  uint8_t bytes[1024];
  size_t size = encode(operation, bytes);
  return parse_copy(bytes, size);
}

static void an_operation_is_read_as_it_was_written(void **state) {
  (void)state;
  struct operation operation = sample_operation();
  uint8_t bytes[1024];
  size_t size = encode(&operation, bytes);
  struct operation_view view;
  assert_int_equal(operation_parse(bytes, size, &limits, &view), SYNC_OK);
  assert_true(view.seq == 1 && view.origin == 7);
  assert_true(view.hlc_step == UINT64_C(0x1122334455667788));
  assert_int_equal(view.seen_count, 3);
  assert_int_equal(view.own.incarnation, 11);
  assert_int_equal(view.own.node_id_size, 5);
  assert_memory_equal(view.own.node_id, "alpha", 5);
  struct bytes_reader reader = operation_delta(&view);
  (void)operation_next_dot(&reader);
  struct operation_dot dot = operation_next_dot(&reader);
  assert_true(dot.origin == 300 && dot.seq == 300);
  reader = operation_changes(&view);
  struct operation_change_view change;
  operation_change_at(&view, 0, &reader, &change);
  assert_int_equal(change.kind, SYNC_PUT);
  assert_int_equal(change.value_size, 5);
  assert_memory_equal(change.value, "value", 5);
  assert_int_equal(change.seen_count, 2);
  (void)operation_next_seen(&view, &change);
  assert_int_equal(operation_next_seen(&view, &change).seq, 9);
  operation_change_at(&view, 1, &reader, &change);
  assert_true(change.kind == SYNC_DELETE && change.automatic && change.seen_count == 0);
  operation_change_at(&view, 2, &reader, &change);
  assert_true(change.kind == SYNC_SWEEP && bytes_left(&reader) == 0);
}

static void the_usual_put_is_read_as_it_was_written(void **state) {
  (void)state;
  struct operation operation = usual_operation();
  uint8_t bytes[1024];
  size_t size = encode(&operation, bytes);
  struct operation_view view;
  assert_int_equal(operation_parse(bytes, size, &limits, &view), SYNC_OK);
  assert_true(view.seq == 300 && view.origin == 7 && view.hlc_step == 100 && view.own.node_id_size == 0);
  assert_true(view.delta_count == 0 && view.change_count == 1 && view.seen_count == 1);
  struct operation_dot dot = operation_next_seen(&view, &view.first);
  assert_true(dot.origin == 7 && dot.seq == 299);
  assert_int_equal(view.first.value_size, 5);
  assert_memory_equal(view.first.value, "value", 5);
}

static void expect_bytes(const struct operation *operation, const uint8_t *expected, size_t size) {
  uint8_t bytes[1024];
  assert_int_equal(encode(operation, bytes), size);
  assert_memory_equal(bytes, expected, size);
  assert_int_equal(parse_copy(bytes, size), SYNC_OK);
}

static void the_bytes_are_those_of_the_format(void **state) {
  (void)state;
  struct operation operation = usual_operation();
  static const uint8_t usual[] = {0x11, 7, 0xac, 2, 0xc8, 1, 3, 'k', 'e', 'y', 1, 'v', 'a', 'l', 'u', 'e'};
  expect_bytes(&operation, usual, sizeof usual);
  operation.hlc = 999; /* the clock went back */
  static const uint8_t back[] = {0x11, 7, 0xac, 2, 1, 3, 'k', 'e', 'y', 1, 'v', 'a', 'l', 'u', 'e'};
  expect_bytes(&operation, back, sizeof back);
  operation = (struct operation){.origin = 300,
                                 .own = {BYTES("n1"), 11},
                                 .seq = 1,
                                 .hlc = 1,
                                 .delta = delta,
                                 .delta_count = 1,
                                 .changes = &changes[1],
                                 .change_count = 1};
  static const uint8_t first[] = {0x0e, 0xac, 2, 1, 2, 'n', '1', 11, 0, 0, 0, 0, 0, 0, 0, 2, 1, 1, 4, 2, 'a', 'b'};
  expect_bytes(&operation, first, sizeof first);
  operation =
      (struct operation){.origin = 7, .seq = 2, .hlc = 2, .hlc_before = 2, .changes = changes, .change_count = 3};
  static const uint8_t several[] = {0,   7,   2,   0,   3,   0x21, 1, 'a', 2,   1,    2, 0xac, 2, 9, 5,
                                    'v', 'a', 'l', 'u', 'e', 0x06, 2, 'a', 'b', 0x23, 1, 'b',  1, 3, 1};
  expect_bytes(&operation, several, sizeof several);
}

static void every_step_of_a_clock_has_one_code(void **state) {
  (void)state;
  static const uint64_t clocks[] = {0, 1, 63, 64, UINT64_C(1) << 62, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX};
  for (size_t i = 0; i < 8; i++)
    for (size_t k = 0; k < 8; k++) {
      struct operation operation = usual_operation();
      operation.hlc = clocks[i];
      operation.hlc_before = clocks[k];
      uint8_t bytes[1024];
      struct operation_view view;
      assert_int_equal(operation_parse(bytes, encode(&operation, bytes), &limits, &view), SYNC_OK);
      assert_true(view.hlc_step + clocks[k] == clocks[i]);
    }
}

static void every_truncation_is_refused(void **state) {
  (void)state;
  struct operation operation = sample_operation();
  uint8_t bytes[1024];
  size_t size = encode(&operation, bytes);
  for (size_t cut = 0; cut < size; cut++)
    assert_int_not_equal(parse_copy(bytes, cut), SYNC_OK);
  bytes[size] = 0;
  assert_int_equal(parse_copy(bytes, size + 1), SYNC_E_CORRUPT);
  /* Of one change the value goes to the end: what is before it cannot be cut. */
  operation = usual_operation();
  size = encode(&operation, bytes);
  for (size_t cut = 0; cut < size; cut++)
    assert_int_equal(parse_copy(bytes, cut) == SYNC_OK, cut >= size - 5);
}

/* Whatever is read is what was written: to encode it again gives the same bytes. */
static void encode_again(const uint8_t *bytes, size_t size) {
  struct operation_view view;
  if (operation_parse(bytes, size, &limits, &view) != SYNC_OK) return;
  struct operation_dot dots[256];
  struct operation_change again_changes[4];
  size_t count = 0;
  struct operation again = {.origin = view.origin,
                            .own = view.own,
                            .seq = view.seq,
                            .hlc = view.hlc_step,
                            .delta = dots,
                            .delta_count = view.delta_count,
                            .changes = again_changes,
                            .change_count = view.change_count};
  struct bytes_reader reader = operation_delta(&view);
  for (size_t i = 0; i < view.delta_count; i++)
    dots[count++] = operation_next_dot(&reader);
  reader = operation_changes(&view);
  for (size_t i = 0; i < view.change_count; i++) {
    struct operation_change_view change;
    operation_change_at(&view, i, &reader, &change);
    again_changes[i] = (struct operation_change){change.kind,  change.automatic,  change.key,   change.key_size,
                                                 change.value, change.value_size, &dots[count], change.seen_count};
    for (size_t k = 0; k < change.seen_count; k++)
      dots[count++] = operation_next_seen(&view, &change);
  }
  uint8_t encoded[1024];
  assert_int_equal(operation_size(&again), size);
  operation_encode(&again, encoded);
  assert_memory_equal(encoded, bytes, size);
}

static void any_changed_bytes_are_read_safely_and_have_one_encoding(void **state) {
  (void)state;
  uint64_t random = 5;
  struct operation operations[] = {sample_operation(), usual_operation(), usual_operation()};
  operations[2].delta = delta;
  operations[2].delta_count = 2;
  for (size_t which = 0; which < 3; which++) {
    uint8_t bytes[1024];
    size_t size = encode(&operations[which], bytes);
    for (size_t bit = 0; bit < size * 8; bit++) {
      bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
      (void)parse_copy(bytes, size);
      encode_again(bytes, size);
      bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    assert_int_equal(parse_copy(bytes, size), SYNC_OK);
    for (size_t round = 0; round < 20000; round++) {
      uint8_t changed[1024];
      memcpy(changed, bytes, size);
      for (size_t i = 0; i < 1 + round % 4; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        changed[(random >> 33) % size] = (uint8_t)((random >> 56) % (round % 2 ? 8u : 255u));
      }
      (void)parse_copy(changed, size);
      encode_again(changed, size);
    }
  }
}

static void other_forms_of_the_same_are_refused(void **state) {
  (void)state;
  /* One own dot as a list; a list of none; an unused bit; both forms; a delta of none; one change as several. */
  static const uint8_t own_list[] = {0x22, 7, 5, 2, 1, 'k', 1, 7, 4}, no_list[] = {0x22, 7, 5, 2, 1, 'k', 0},
                       unused[] = {0x42, 7, 5, 2, 1, 'k'}, unused_too[] = {0x82, 7, 5, 2, 1, 'k'},
                       both[] = {0x32, 7, 5, 2, 1, 'k', 1, 7, 4}, no_delta[] = {0x0a, 7, 5, 2, 0, 1, 'k'},
                       one[] = {0x00, 7, 5, 2, 1, 0x02, 1, 'k'}, marked[] = {0x04, 7, 5, 2, 2, 2, 1, 'k', 2, 1, 'l'},
                       marked_too[] = {0x10, 7, 5, 2, 2, 2, 1, 'k', 2, 1, 'l'},
                       delta_inside[] = {0x00, 7, 5, 2, 2, 0x0a, 1, 'k', 2, 1, 'l'},
                       long_index[] = {0x02, 0x87, 0, 5, 2, 1, 'k'},
                       huge[] = {0x02, 0xff, 0xff, 0xff, 0xff, 0x1f, 5, 2, 1, 'k'},
                       no_kind[] = {0x00, 7, 5, 2, 2, 0x00, 1, 'k', 2, 1, 'l'};
  static const uint8_t good[] = {0x02, 7, 5, 2, 1, 'k'}, good_two[] = {0x00, 7, 5, 2, 2, 2, 1, 'k', 2, 1, 'l'};
  assert_int_equal(parse_copy(good, sizeof good), SYNC_OK);
  assert_int_equal(parse_copy(good_two, sizeof good_two), SYNC_OK);
#define REFUSED(bytes) assert_int_equal(parse_copy((bytes), sizeof(bytes)), SYNC_E_CORRUPT)
  REFUSED(own_list);
  REFUSED(no_list);
  REFUSED(unused);
  REFUSED(unused_too);
  REFUSED(both);
  REFUSED(no_delta);
  REFUSED(one);
  REFUSED(marked);
  REFUSED(marked_too);
  REFUSED(delta_inside);
  REFUSED(long_index);
  REFUSED(huge);
  REFUSED(no_kind);
}

static void other_orders_and_numbers_that_are_none_are_refused(void **state) {
  (void)state;
  struct operation operation = sample_operation();
  assert_int_equal(parse_operation(&operation), SYNC_OK);

  struct operation_change swapped[] = {changes[1], changes[0], changes[2]};
  operation.changes = swapped;
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);
  struct operation_change twice[] = {changes[0], changes[0], changes[2]};
  operation.changes = twice;
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);

  operation = sample_operation();
  struct operation_dot own[] = {{7, 4}, {2, 300}}, nothing[] = {{1, 0}, {2, 300}};
  operation.delta = own;
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);
  operation.delta = nothing;
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);

  operation = sample_operation();
  operation.change_count = 0;
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);
  operation = sample_operation();
  operation.seq = 0;
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);
  operation = sample_operation();
  operation.own.incarnation = 0;
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);
  operation = sample_operation();
  operation.own.node_id = (const uint8_t *)"al/ha";
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);
  operation.own.node_id_size = 0;
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);
}

static void own_dots_at_or_past_the_operation_are_refused(void **state) {
  (void)state;
  struct operation_dot own[] = {{0, 6}, {1, 6}};
  struct operation_change change = changes[1];
  change.seen = own;
  for (size_t count = 1; count <= 2; count++) { /* in both forms */
    change.seen_count = count;
    struct operation operation = {.seq = 6, .hlc = 1, .changes = &change, .change_count = 1};
    assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);
    operation.seq = 5;
    assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);
    operation.seq = 7;
    assert_int_equal(parse_operation(&operation), SYNC_OK);
  }
  own[0].seq = 0;
  change.seen_count = 1;
  struct operation operation = {.seq = 7, .hlc = 1, .changes = &change, .change_count = 1};
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);
}

static void indexes_are_found_where_they_stand(void **state) {
  (void)state;
  struct operation operation = sample_operation();
  uint8_t bytes[1024];
  struct operation_view view;
  assert_int_equal(operation_parse(bytes, encode(&operation, bytes), &limits, &view), SYNC_OK);
  static const uint32_t expected[] = {7, 1, 300, 1, 300, 3};
  struct operation_mentions walk = operation_mentions_of(&view);
  struct operation_mention mention;
  for (size_t i = 0; i < 6; i++) {
    uint64_t read = 0;
    assert_true(operation_next_mention(&walk, &mention));
    assert_int_equal(mention.index, expected[i]);
    assert_int_equal(bytes_get_varint(mention.at, mention.size, &read), mention.size);
    assert_int_equal(read, expected[i]);
  }
  assert_false(operation_next_mention(&walk, &mention));
  operation = usual_operation();
  assert_int_equal(operation_parse(bytes, encode(&operation, bytes), &limits, &view), SYNC_OK);
  walk = operation_mentions_of(&view);
  assert_true(operation_next_mention(&walk, &mention) && mention.index == 7);
  assert_false(operation_next_mention(&walk, &mention));
}

static void limits_are_named(void **state) {
  (void)state;
  static const uint8_t big[300] = {0};
  struct operation_change change = changes[0];
  change.seen_count = 0;
  change.value = big;
  change.value_size = sizeof big;
  struct operation operation = {.seq = 2, .hlc = 1, .changes = &change, .change_count = 1};
  assert_int_equal(parse_operation(&operation), SYNC_E_TOO_BIG);
  change.value_size = 256;
  assert_int_equal(parse_operation(&operation), SYNC_OK);
  struct operation_change five[5];
  for (size_t i = 0; i < 5; i++)
    five[i] = (struct operation_change){SYNC_DELETE, false, (const uint8_t *)&"abcde"[i], 1, NULL, 0, NULL, 0};
  operation.changes = five;
  operation.change_count = 5;
  assert_int_equal(parse_operation(&operation), SYNC_E_TOO_BIG);
  operation.change_count = 4;
  assert_int_equal(parse_operation(&operation), SYNC_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_operation_is_read_as_it_was_written),
      cmocka_unit_test(the_usual_put_is_read_as_it_was_written),
      cmocka_unit_test(the_bytes_are_those_of_the_format),
      cmocka_unit_test(every_step_of_a_clock_has_one_code),
      cmocka_unit_test(every_truncation_is_refused),
      cmocka_unit_test(any_changed_bytes_are_read_safely_and_have_one_encoding),
      cmocka_unit_test(other_forms_of_the_same_are_refused),
      cmocka_unit_test(other_orders_and_numbers_that_are_none_are_refused),
      cmocka_unit_test(own_dots_at_or_past_the_operation_are_refused),
      cmocka_unit_test(indexes_are_found_where_they_stand),
      cmocka_unit_test(limits_are_named),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  return r != 0;
}
