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

static const struct operation_origin origins[] = {
    {BYTES("alpha"), 11}, {BYTES("alpha"), 5}, {BYTES("beta"), 7}, {BYTES("gamma"), 3}};
static const struct operation_dot delta[] = {{1, 4}, {2, 300}};
static const struct operation_dot seen_a[] = {{1, 2}, {2, 9}};
static const struct operation_dot seen_b[] = {{3, 1}};
static const struct operation_change changes[] = {
    {SYNC_PUT, false, BYTES("a"), BYTES("value"), seen_a, 2},
    {SYNC_DELETE, true, BYTES("ab"), NULL, 0, NULL, 0},
    {SYNC_SWEEP, false, BYTES("b"), NULL, 0, seen_b, 1},
};
static struct operation sample_operation(void) {
  return (struct operation){.origins = origins,
                            .origin_count = 4,
                            .seq = 1,
                            .hlc = UINT64_C(0x1122334455667788),
                            .delta = delta,
                            .delta_count = 2,
                            .changes = changes,
                            .change_count = 3};
}

/* Parses a heap copy of exactly these bytes, so that sanitizers see over-reads. */
static int parse_copy(const uint8_t *bytes, size_t size) {
  uint8_t *copy = malloc(size == 0 ? 1 : size);
  assert_non_null(copy);
  if (size > 0) memcpy(copy, bytes, size);
  struct operation_view view;
  int rc = operation_parse(copy, size, &limits, &view);
  free(copy);
  return rc;
}

static int parse_operation(const struct operation *operation) {
  uint8_t bytes[1024];
  assert_true(operation_size(operation) <= sizeof bytes);
  operation_encode(operation, bytes);
  return parse_copy(bytes, operation_size(operation));
}

static void an_operation_is_read_as_it_was_written(void **state) {
  (void)state;
  struct operation operation = sample_operation();
  uint8_t bytes[1024];
  size_t size = operation_size(&operation);
  operation_encode(&operation, bytes);
  struct operation_view view;
  assert_int_equal(operation_parse(bytes, size, &limits, &view), SYNC_OK);
  assert_int_equal(view.seq, 1);
  assert_true(view.hlc == UINT64_C(0x1122334455667788));
  assert_int_equal(view.origin_count, 4);
  assert_int_equal(view.seen_count, 3);
  assert_int_equal(view.own.incarnation, 11);
  struct bytes_reader reader = operation_delta(&view);
  (void)operation_next_dot(&reader);
  struct operation_dot dot = operation_next_dot(&reader);
  assert_int_equal(dot.origin, 2);
  assert_int_equal(dot.seq, 300);
  reader = operation_changes(&view);
  struct operation_change_view change;
  operation_next_change(&reader, &change);
  assert_int_equal(change.kind, SYNC_PUT);
  assert_int_equal(change.value_size, 5);
  assert_memory_equal(change.value, "value", 5);
  assert_int_equal(change.seen_count, 2);
  (void)operation_next_dot(&change.seen);
  assert_int_equal(operation_next_dot(&change.seen).seq, 9);
  operation_next_change(&reader, &change);
  assert_true(change.kind == SYNC_DELETE && change.automatic);
  operation_next_change(&reader, &change);
  assert_true(change.kind == SYNC_SWEEP && bytes_left(&reader) == 0);
}

static void the_bytes_are_those_of_the_format(void **state) {
  (void)state;
  struct operation operation = {
      .origins = origins, .origin_count = 1, .seq = 300, .hlc = 1, .changes = &changes[1], .change_count = 1};
  static const uint8_t expected[] = {1,    1, 5, 'a', 'l', 'p', 'h', 'a', 11, 0, 0, 0,    0, 0,   0,   0, 0xac,
                                     0x02, 1, 0, 0,   0,   0,   0,   0,   0,  0, 1, 0x12, 2, 'a', 'b', 0};
  uint8_t bytes[64];
  assert_int_equal(operation_size(&operation), sizeof expected);
  operation_encode(&operation, bytes);
  assert_memory_equal(bytes, expected, sizeof expected);
}

static void every_truncation_is_refused(void **state) {
  (void)state;
  struct operation operation = sample_operation();
  uint8_t bytes[1024];
  size_t size = operation_size(&operation);
  operation_encode(&operation, bytes);
  for (size_t cut = 0; cut < size; cut++)
    assert_int_not_equal(parse_copy(bytes, cut), SYNC_OK);
  bytes[size] = 0;
  assert_int_equal(parse_copy(bytes, size + 1), SYNC_E_CORRUPT);
}

static void any_flipped_bit_is_read_safely_and_never_as_the_same_bytes(void **state) {
  (void)state;
  struct operation operation = sample_operation();
  uint8_t bytes[1024];
  size_t size = operation_size(&operation);
  operation_encode(&operation, bytes);
  for (size_t bit = 0; bit < size * 8; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    (void)parse_copy(bytes, size);
    bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
  }
  assert_int_equal(parse_copy(bytes, size), SYNC_OK);
}

static void other_orders_and_idle_entries_are_refused(void **state) {
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
  operation.change_count = 2; /* "gamma" is mentioned by nobody now */
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);

  operation = sample_operation();
  struct operation_dot unordered[] = {{2, 300}, {1, 4}};
  operation.delta = unordered;
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);

  operation = sample_operation();
  struct operation_origin descending[] = {origins[0], origins[2], origins[1], origins[3]};
  operation.origins = descending;
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);

  operation = sample_operation();
  operation.change_count = 0;
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);
  operation = sample_operation();
  operation.seq = 0;
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);
}

static void own_dots_at_or_past_the_operation_are_refused(void **state) {
  (void)state;
  struct operation_dot own[] = {{0, 6}};
  struct operation_change change = changes[1];
  change.seen = own;
  change.seen_count = 1;
  struct operation operation = {
      .origins = origins, .origin_count = 1, .seq = 6, .hlc = 1, .changes = &change, .change_count = 1};
  assert_int_equal(parse_operation(&operation), SYNC_E_CORRUPT);
  operation.seq = 7;
  assert_int_equal(parse_operation(&operation), SYNC_OK);
}

static void limits_are_named(void **state) {
  (void)state;
  static const uint8_t big[300] = {0};
  struct operation_change change = changes[0];
  change.seen_count = 0;
  change.value = big;
  change.value_size = sizeof big;
  struct operation operation = {
      .origins = origins, .origin_count = 1, .seq = 1, .hlc = 1, .changes = &change, .change_count = 1};
  assert_int_equal(parse_operation(&operation), SYNC_E_TOO_BIG);
  change.value_size = 256;
  assert_int_equal(parse_operation(&operation), SYNC_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_operation_is_read_as_it_was_written),
      cmocka_unit_test(the_bytes_are_those_of_the_format),
      cmocka_unit_test(every_truncation_is_refused),
      cmocka_unit_test(any_flipped_bit_is_read_safely_and_never_as_the_same_bytes),
      cmocka_unit_test(other_orders_and_idle_entries_are_refused),
      cmocka_unit_test(own_dots_at_or_past_the_operation_are_refused),
      cmocka_unit_test(limits_are_named),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  return r != 0;
}
