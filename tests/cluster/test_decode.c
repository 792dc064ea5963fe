/* The oracles' decoders, beside the encoders that they share no code with: what
 * the engine writes they read as it was, and what was changed they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/decode.h"
#include "core/log/segment.h"
#include "core/wire/frame.h"
#include "core/wire/operation.h"

#define LOG_ID UINT64_C(0x1122334455667788)
#define POSITION UINT64_C(0x123456)

/* --- Log ---------------------------------------------------------------------------- */

static void names_of_segments_are_written_and_read_as_the_engine_does(void **state) {
  (void)state;
  const uint64_t firsts[] = {0, 1, 0x0123456789abcdef, UINT64_MAX};
  for (int i = 0; i < 8; i++) {
    struct decode_segment segment = {.first = firsts[i / 2], .epoch = 0x9abcdefu + (uint32_t)i, .fresh = i % 2 == 1};
    struct decode_segment again = {0};
    char name[DECODE_SEGMENT_NAME_BYTES], other[SEGMENT_NAME_BYTES];
    decode_segment_name_write(&segment, name);
    segment_name(other, segment.first, segment.epoch, segment.fresh);
    assert_string_equal(name, other);
    assert_true(decode_segment_name(other, &again));
    assert_true(again.first == segment.first && again.epoch == segment.epoch && again.fresh == segment.fresh);
  }
}

static void what_is_no_name_of_a_segment_is_refused(void **state) {
  (void)state;
  static const char *const names[] = {"",
                                      "lock",
                                      "wal-",
                                      "wal-0000000000000000-0000000",
                                      "wal-0000000000000000-000000001",
                                      "wal-0000000000000000_00000001",
                                      "wal-000000000000000g-00000001",
                                      "wal-000000000000000A-00000001",
                                      "wal-0000000000000000-00000001.old",
                                      "wal-0000000000000000-00000001.new.",
                                      "WAL-0000000000000000-00000001"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    struct decode_segment segment;
    assert_false(decode_segment_name(names[i], &segment));
  }
}

static void a_header_is_read_and_refused_with_any_bit_flipped_or_under_another_name(void **state) {
  (void)state;
  const struct segment_header header = {
      .epoch = 7, .log_id = LOG_ID, .life = 3, .first = POSITION, .durable = POSITION - 40, .node_id = "n1"};
  struct decode_segment segment = {.first = POSITION, .epoch = 7};
  uint8_t bytes[SEGMENT_HEADER_BYTES];
  segment_header_encode(bytes, &header);
  assert_true(decode_segment_header(bytes, &segment) == LOG_ID);
  assert_true(decode_segment_durable(bytes) == POSITION - 40);
  for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    assert_true(decode_segment_header(bytes, &segment) == 0);
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  segment.epoch++;
  assert_true(decode_segment_header(bytes, &segment) == 0);
  segment = (struct decode_segment){.first = POSITION + 1, .epoch = 7};
  assert_true(decode_segment_header(bytes, &segment) == 0);
}

static void a_record_is_read_and_refused_with_any_bit_flipped_or_elsewhere(void **state) {
  (void)state;
  uint8_t bytes[WAL_RECORD_HEADER_BYTES + 5] = {0};
  memcpy(bytes + WAL_RECORD_HEADER_BYTES, "hello", 5);
  segment_record_seal(bytes, WAL_OPERATION, 5, LOG_ID, POSITION, POSITION - 99, 0xabcdef01);
  struct decode_record record;
  assert_int_equal(decode_record_bytes(bytes), sizeof bytes);
  assert_true(decode_record(bytes, sizeof bytes, LOG_ID, POSITION, &record));
  assert_int_equal(record.type, DECODE_RECORD_OPERATION);
  assert_int_equal(record.size, 5);
  assert_memory_equal(record.payload, "hello", 5);
  assert_int_equal(record.link, 0xabcdef01);
  assert_int_equal(record.next_link, segment_record_link(bytes));
  assert_true(decode_record_durable(bytes, POSITION) == POSITION - 99);
  assert_false(decode_record(bytes, sizeof bytes, LOG_ID, POSITION + 1, &record));
  assert_false(decode_record(bytes, sizeof bytes, LOG_ID + 1, POSITION, &record));
  assert_false(decode_record(bytes, sizeof bytes - 1, LOG_ID, POSITION, &record));
  assert_false(decode_record(bytes, WAL_RECORD_HEADER_BYTES - 1, LOG_ID, POSITION, &record));
  for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    assert_false(decode_record(bytes, sizeof bytes, LOG_ID, POSITION, &record));
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
}

static void a_record_that_claims_nothing_claims_nothing(void **state) {
  (void)state;
  const uint64_t far = UINT64_C(1) << 40; /* more behind its position than the format can say */
  uint8_t bytes[WAL_RECORD_HEADER_BYTES] = {0};
  segment_record_seal(bytes, WAL_MARK, 0, LOG_ID, far, 0, 0);
  assert_true(decode_record_durable(bytes, far) == 0);
  segment_record_seal(bytes, WAL_MARK, 0, LOG_ID, far, far, 0);
  assert_true(decode_record_durable(bytes, far) == far);
  segment_record_seal(bytes, WAL_MARK, 0, LOG_ID, POSITION, 0, 0);
  assert_true(decode_record_durable(bytes, 7) == 0); /* it would be below the beginning */
}

/* --- Operations and frames --------------------------------------------------------------- */

#define ROOM 512u

static size_t encoded(uint8_t bytes[ROOM]) {
  static const struct operation_origin origins[] = {{(const uint8_t *)"n1", 2, 11}, {(const uint8_t *)"n2", 2, 22}};
  static const struct operation_dot seen[] = {{0, 4}, {1, 300}}, delta[] = {{1, 300}};
  static const struct operation_change changes[] = {
      {SYNC_PUT, false, (const uint8_t *)"key", 3, (const uint8_t *)"value", 5, seen, 2},
      {SYNC_DELETE, true, (const uint8_t *)"other", 5, NULL, 0, seen, 1}};
  const struct operation operation = {origins, 2, 5, UINT64_C(0x123456789a), delta, 1, changes, 2};
  assert_true(operation_size(&operation) <= ROOM);
  operation_encode(&operation, bytes);
  return operation_size(&operation);
}

static void an_operation_is_read_as_the_engine_wrote_it(void **state) {
  (void)state;
  uint8_t bytes[ROOM];
  struct decode_operation operation;
  size_t size = encoded(bytes);
  assert_true(decode_operation(bytes, size, &operation));
  assert_true(decode_name_is(operation.own.node, "n1"));
  assert_true(operation.own.incarnation == 11 && operation.seq == 5 && operation.hlc == UINT64_C(0x123456789a));
  assert_true(operation.delta_count == 1 && operation.change_count == 2);
  assert_true(decode_incarnation_at(&operation, 1) == 22);
  struct decode_dot dot = decode_dot_next(&operation.delta);
  assert_true(dot.place == 1 && dot.seq == 300);
  struct decode_change change;
  assert_true(decode_change_next(&operation.changes, &change));
  assert_true(change.kind == SYNC_PUT && !change.automatic && change.key_size == 3 && change.value_size == 5);
  assert_memory_equal(change.key, "key", 3);
  assert_memory_equal(change.value, "value", 5);
  assert_int_equal(change.seen_count, 2);
  (void)decode_dot_next(&change.seen);
  dot = decode_dot_next(&change.seen);
  assert_true(dot.place == 1 && dot.seq == 300);
  assert_true(decode_change_next(&operation.changes, &change));
  assert_true(change.kind == SYNC_DELETE && change.automatic && change.key_size == 5);
  assert_false(operation.changes.bad);
}

/* Read from a block of exactly its size, so that the sanitizers see a byte too far. */
static void an_operation_cut_short_is_refused_and_nothing_is_read_behind_it(void **state) {
  (void)state;
  uint8_t bytes[ROOM];
  size_t size = encoded(bytes);
  for (size_t cut = 0; cut < size; cut++) {
    uint8_t *block = test_malloc(cut + (cut == 0));
    memcpy(block, bytes, cut);
    struct decode_operation operation;
    assert_false(decode_operation(block, cut, &operation));
    test_free(block);
  }
}

static void the_frames_of_the_engine_are_read(void **state) {
  (void)state;
  static const uint8_t cluster_id[SYNC_CLUSTER_ID_BYTES] = {1};
  uint8_t bytes[ROOM];
  struct decode_reader body = {0};
  struct bytes_writer writer = frame_begin(bytes, sizeof bytes - FRAME_TRAILER_BYTES);
  ops_write_head(&writer, 77);
  size_t size = frame_finish(&writer, FRAME_OPS, cluster_id);
  assert_int_equal(decode_frame(bytes, size, &body), DECODE_OPS);
  assert_true(decode_ops_session(&body) == 77);

  const struct hello hello = {.node_id = (const uint8_t *)"n3",
                              .node_id_size = 2,
                              .session = 1,
                              .nonce = 2,
                              .echo = 3,
                              .known_session = 4,
                              .flags = 5};
  struct decode_hello heard = {0};
  struct decode_entry entry;
  writer = frame_begin(bytes, sizeof bytes - FRAME_TRAILER_BYTES);
  hello_write_head(&writer, &hello);
  size = frame_finish(&writer, FRAME_HELLO, cluster_id);
  assert_int_equal(decode_frame(bytes, size, &body), DECODE_HELLO);
  assert_true(decode_hello(body, &heard));
  assert_true(decode_name_is(heard.node, "n3"));
  assert_true(heard.session == 1 && heard.nonce == 2 && heard.echo == 3 && heard.known_session == 4 &&
              heard.flags == 5);
  assert_false(decode_entry_next(&heard, &entry));
  assert_false(heard.entries.bad);
  for (size_t cut = 0; cut < FRAME_HEADER_BYTES; cut++)
    assert_int_equal(decode_frame(bytes, cut, &body), DECODE_NOTHING);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_of_segments_are_written_and_read_as_the_engine_does),
      cmocka_unit_test(what_is_no_name_of_a_segment_is_refused),
      cmocka_unit_test(a_header_is_read_and_refused_with_any_bit_flipped_or_under_another_name),
      cmocka_unit_test(a_record_is_read_and_refused_with_any_bit_flipped_or_elsewhere),
      cmocka_unit_test(a_record_that_claims_nothing_claims_nothing),
      cmocka_unit_test(an_operation_is_read_as_the_engine_wrote_it),
      cmocka_unit_test(an_operation_cut_short_is_refused_and_nothing_is_read_behind_it),
      cmocka_unit_test(the_frames_of_the_engine_are_read),
  };
  return cmocka_run_group_tests_name("decode", tests, NULL, NULL) != 0;
}
