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
  const struct segment_header header = {.epoch = 7,
                                        .log_id = LOG_ID,
                                        .life = 3,
                                        .first = POSITION,
                                        .durable = POSITION - 40,
                                        .follows = 0x89abcdef,
                                        .node_id = "n1"};
  struct decode_segment segment = {.first = POSITION, .epoch = 7};
  uint8_t bytes[SEGMENT_HEADER_BYTES];
  segment_header_encode(bytes, &header);
  assert_true(decode_segment_header(bytes, &segment) == LOG_ID);
  assert_true(decode_segment_durable(bytes) == POSITION - 40);
  assert_true(decode_segment_follows(bytes) == 0x89abcdef && decode_segment_life(bytes) == 3);
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

#define EPOCH 7u

/* A record as the engine seals it; gives its bytes. */
static size_t sealed(uint8_t bytes[64], const struct segment_record *record, const char *payload, uint64_t position) {
  size_t head = segment_record_begin(bytes, record, position);
  memcpy(bytes + head, payload, record->size);
  segment_record_seal(bytes, head + record->size, segment_key(LOG_ID, EPOCH), position);
  return head + record->size;
}

static void a_record_is_read_and_refused_with_any_bit_flipped_or_elsewhere(void **state) {
  (void)state;
  uint8_t bytes[64];
  const struct segment_record written = {.type = WAL_OPERATION, .size = 5, .claims = true, .durable = POSITION - 99};
  size_t size = sealed(bytes, &written, "hello", POSITION);
  struct decode_record record;
  assert_true(decode_record_header(bytes, size, POSITION, &record));
  assert_int_equal(decode_record_bytes(&record), size);
  assert_true(decode_record(bytes, size, LOG_ID, EPOCH, POSITION, &record));
  assert_int_equal(record.type, DECODE_RECORD_OPERATION);
  assert_int_equal(record.size, 5);
  assert_memory_equal(record.payload, "hello", 5);
  assert_true(record.durable == POSITION - 99);
  assert_false(decode_record(bytes, size, LOG_ID, EPOCH, POSITION + 1, &record));
  assert_false(decode_record(bytes, size, LOG_ID, EPOCH + 1, POSITION, &record));
  assert_false(decode_record(bytes, size, LOG_ID + 1, EPOCH, POSITION, &record));
  for (size_t cut = 0; cut < size; cut++)
    assert_false(decode_record(bytes, cut, LOG_ID, EPOCH, POSITION, &record));
  for (unsigned bit = 0; bit < 8 * size; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    assert_false(decode_record(bytes, size, LOG_ID, EPOCH, POSITION, &record));
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
}

static void a_record_that_claims_nothing_claims_nothing(void **state) {
  (void)state;
  const uint64_t far = UINT64_C(1) << 40;
  uint8_t bytes[64];
  struct decode_record record;
  struct segment_record mark = {.type = WAL_MARK};
  size_t size = sealed(bytes, &mark, "", far);
  assert_true(decode_record(bytes, size, LOG_ID, EPOCH, far, &record) && record.durable == 0);
  mark = (struct segment_record){.type = WAL_MARK, .claims = true, .durable = far};
  size = sealed(bytes, &mark, "", far);
  assert_true(decode_record(bytes, size, LOG_ID, EPOCH, far, &record) && record.durable == far);
  mark.durable = 1;
  size = sealed(bytes, &mark, "", far);
  assert_true(decode_record(bytes, size, LOG_ID, EPOCH, far, &record) && record.durable == 1);
  assert_false(decode_record_header(bytes, size, 7, &record)); /* it would be below the beginning */
}

/* --- Operations and frames --------------------------------------------------------------- */

#define ROOM 512u

static const struct operation_dot seen[] = {{0, 4}, {300, 300}}, delta[] = {{300, 300}};
static const struct operation_change changes[] = {
    {SYNC_PUT, false, (const uint8_t *)"key", 3, (const uint8_t *)"value", 5, seen, 2},
    {SYNC_DELETE, true, (const uint8_t *)"other", 5, NULL, 0, seen, 1}};
static struct operation sample(void) {
  return (struct operation){.origin = 0,
                            .seq = 5,
                            .hlc = UINT64_C(0x123456789a),
                            .hlc_before = UINT64_C(0x123456789b),
                            .delta = delta,
                            .delta_count = 1,
                            .changes = changes,
                            .change_count = 2};
}

static size_t encoded(const struct operation *operation, uint8_t bytes[ROOM]) {
  assert_true(operation_size(operation) <= ROOM);
  operation_encode(operation, bytes);
  return operation_size(operation);
}

static void an_operation_is_read_as_the_engine_wrote_it(void **state) {
  (void)state;
  uint8_t bytes[ROOM];
  struct decode_operation operation;
  struct operation written = sample();
  size_t size = encoded(&written, bytes);
  assert_true(decode_operation(bytes, size, &operation));
  assert_true(operation.id.index == 0 && operation.id.seq == 5 && operation.hlc_step == UINT64_MAX);
  assert_true(operation.delta_count == 1 && operation.change_count == 2);
  struct decode_dot dot = decode_dot_next(&operation.delta);
  assert_true(dot.index == 300 && dot.seq == 300);
  struct decode_change change;
  assert_true(decode_change_next(&operation, &operation.changes, &change));
  assert_true(change.kind == SYNC_PUT && !change.automatic && change.key_size == 3 && change.value_size == 5);
  assert_memory_equal(change.key, "key", 3);
  assert_memory_equal(change.value, "value", 5);
  assert_int_equal(change.seen_count, 2);
  dot = decode_seen_next(&change);
  assert_true(dot.index == 0 && dot.seq == 4);
  dot = decode_seen_next(&change);
  assert_true(dot.index == 300 && dot.seq == 300);
  assert_true(decode_change_next(&operation, &operation.changes, &change));
  assert_true(change.kind == SYNC_DELETE && change.automatic && change.key_size == 5 && change.seen_count == 1);
  dot = decode_seen_next(&change);
  assert_true(dot.index == 0 && dot.seq == 4);
  assert_false(operation.changes.bad);
}

static void a_first_operation_says_whose_life_it_begins(void **state) {
  (void)state;
  uint8_t bytes[ROOM];
  struct decode_operation operation;
  struct decode_change change;
  struct operation written = {
      .origin = 7, .own = {(const uint8_t *)"n1", 2, 11}, .seq = 1, .hlc = 9, .changes = changes, .change_count = 1};
  struct operation_change alone = changes[0];
  alone.seen_count = 0;
  written.changes = &alone;
  assert_true(decode_operation(bytes, encoded(&written, bytes), &operation));
  assert_true(operation.id.index == 7 && operation.id.seq == 1 && operation.hlc_step == 9);
  assert_true(decode_name_is(operation.id.first.node, "n1") && operation.id.first.incarnation == 11);
  assert_true(decode_change_next(&operation, &operation.changes, &change));
  assert_int_equal(change.value_size, 5);
  assert_memory_equal(change.value, "value", 5);
}

/* Two logs that number the same lives otherwise. */
static void one_operation_has_one_hash_in_all_logs_and_another_has_another(void **state) {
  (void)state;
  uint8_t bytes[ROOM], again[ROOM];
  static const uint32_t lives[301] = {[0] = 3, [300] = 5}, others[] = {5, 3};
  struct operation_dot seen_there[] = {{1, 4}, {0, 300}}, delta_there[] = {{0, 300}};
  struct operation_change changes_there[] = {changes[0], changes[1]};
  changes_there[0].seen = changes_there[1].seen = seen_there;
  struct operation here = sample(), there = sample();
  there.origin = 1;
  there.delta = delta_there;
  there.changes = changes_there;
  uint64_t hash = decode_operation_hash(bytes, encoded(&here, bytes), 3, lives, 301);
  assert_true(hash != 0);
  assert_true(decode_operation_hash(again, encoded(&there, again), 3, others, 2) == hash);
  there.hlc++;
  assert_true(decode_operation_hash(again, encoded(&there, again), 3, others, 2) != hash);
  there = here;
  assert_true(decode_operation_hash(bytes, encoded(&here, bytes), 4, lives, 301) != hash);
  static const uint32_t swapped[301] = {[0] = 5, [300] = 3};
  assert_true(decode_operation_hash(bytes, encoded(&here, bytes), 3, swapped, 301) != hash);
  assert_true(decode_operation_hash(bytes, encoded(&here, bytes) - 1, 3, lives, 301) == 0);
}

/* Read from a block of exactly its size, so that the sanitizers see a byte too far. */
static void an_operation_cut_short_is_refused_and_nothing_is_read_behind_it(void **state) {
  (void)state;
  uint8_t bytes[ROOM];
  struct operation written = sample();
  size_t size = encoded(&written, bytes);
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
  ops_write_head(&writer, 77, 0);
  size_t size = frame_finish(&writer, FRAME_OPS, cluster_id);
  assert_int_equal(decode_frame(bytes, size, &body), DECODE_OPS);
  assert_true(decode_ops_session(&body) == 77);
  writer = frame_begin(bytes, sizeof bytes - FRAME_TRAILER_BYTES);
  ops_write_head(&writer, 77, 0);
  bytes_write_varint(&writer, 3);
  bytes_write(&writer, "abc", 3);
  ops_write_end(&writer);
  const struct operation_origin said[] = {{(const uint8_t *)"n1", 2, 8}, {(const uint8_t *)"n1", 2, 9}};
  ops_write_origin(&writer, NULL, &said[0], 300);
  ops_write_origin(&writer, &said[0], &said[1], 2);
  size = frame_finish(&writer, FRAME_OPS, cluster_id);
  assert_int_equal(decode_frame(bytes, size, &body), DECODE_OPS);
  (void)decode_ops_session(&body);
  const uint8_t *operation = NULL;
  struct decode_origin origin = {{NULL, 0}, 0};
  uint64_t index = 0;
  assert_true(decode_ops_next(&body, &operation, &size) && size == 3 && memcmp(operation, "abc", 3) == 0);
  assert_false(decode_ops_next(&body, &operation, &size) || body.bad);
  assert_true(decode_ops_origin_next(&body, &index, &origin) && index == 300 && origin.incarnation == 8);
  assert_true(decode_ops_origin_next(&body, &index, &origin) && index == 2 && origin.incarnation == 9);
  assert_true(decode_name_is(origin.node, "n1"));
  assert_false(decode_ops_origin_next(&body, &index, &origin) || body.bad);

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
  bytes_write_varint(&writer, 0); /* no peers */
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
      cmocka_unit_test(a_first_operation_says_whose_life_it_begins),
      cmocka_unit_test(one_operation_has_one_hash_in_all_logs_and_another_has_another),
      cmocka_unit_test(an_operation_cut_short_is_refused_and_nothing_is_read_behind_it),
      cmocka_unit_test(the_frames_of_the_engine_are_read),
  };
  return cmocka_run_group_tests_name("decode", tests, NULL, NULL) != 0;
}
