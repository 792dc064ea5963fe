/* What frames say of snapshots, as bytes: the offer of a HELLO, FETCH, BLOCK. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/wire/frame.h"

#define ID UINT64_C(0x1122334455667788)
#define BYTES_OF_ID 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11

static const uint8_t fetch_bytes[] = {
    BYTES_OF_ID, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* from */
    0x00,        0x10, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00,       /* until */
    0x01,                                                        /* blocks were lost */
};
static const uint8_t block_bytes[] = {
    BYTES_OF_ID, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,                /* offset */
    0x04,        0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 'b',  'y', 't', 'e', /* of so many bytes, the last four */
};
static const uint8_t hello_bytes[] = {
    0x01,        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 'n',  '1',                    /* limits, node */
    0x02,        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, /* session, nonce */
    0x00,        0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, /* echo, known session */
    0x00,        0x00, 0x00, 0x00, 0x04,                                                       /* flags */
    BYTES_OF_ID, 0x80, 0x20,                                     /* the offer: 4096 bytes */
    0x01,        0xac, 0x02, 0x06, 0x07,                         /* its part, operations (300), heard, wanted */
    0x08,        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,       /* lives */
    0x02,        0x09, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x00, /* two peers */
};

static uint8_t room[256];

/* Of heap copies of exactly these bytes. */
static int parse_fetch(const uint8_t *bytes, size_t size, struct fetch_request *request) {
  uint8_t *copy = malloc(size == 0 ? 1 : size);
  assert_non_null(copy);
  if (size > 0) memcpy(copy, bytes, size);
  int rc = fetch_parse(copy, size, request);
  free(copy);
  return rc;
}
static int parse_block(const uint8_t *bytes, size_t size) {
  uint8_t *copy = malloc(size == 0 ? 1 : size);
  assert_non_null(copy);
  if (size > 0) memcpy(copy, bytes, size);
  struct block_frame block;
  int rc = block_parse(copy, size, &block);
  unsigned sum = 0;
  for (size_t i = 0; rc == SYNC_OK && i < block.bytes_size; i++)
    sum += block.bytes[i];
  if (rc == SYNC_OK) assert_true(sum < 256 * size && block.bytes_size <= block.size - block.offset);
  free(copy);
  return rc;
}
static int parse_hello(const uint8_t *bytes, size_t size, struct hello *hello) {
  uint8_t *copy = malloc(size == 0 ? 1 : size);
  assert_non_null(copy);
  if (size > 0) memcpy(copy, bytes, size);
  int rc = hello_parse(copy, size, hello);
  free(copy);
  return rc;
}

static void a_fetch_is_these_bytes(void **state) {
  (void)state;
  struct bytes_writer writer = bytes_writer_to(room, sizeof room);
  struct fetch_request request = {.id = ID, .offset = 0x1000, .until = 0x41000, .flags = FETCH_FLAG_LOST}, read;
  fetch_write(&writer, &request);
  assert_int_equal(writer.size, sizeof fetch_bytes);
  assert_memory_equal(room, fetch_bytes, sizeof fetch_bytes);
  assert_int_equal(parse_fetch(fetch_bytes, sizeof fetch_bytes, &read), SYNC_OK);
  assert_true(read.id == ID && read.offset == 0x1000 && read.until == 0x41000 && read.flags == FETCH_FLAG_LOST);
}

static void a_fetch_of_nothing_is_refused(void **state) {
  (void)state;
  struct fetch_request read;
  for (size_t cut = 0; cut < sizeof fetch_bytes; cut++)
    assert_int_equal(parse_fetch(fetch_bytes, cut, &read), SYNC_E_CORRUPT);
  memcpy(room, fetch_bytes, sizeof fetch_bytes);
  assert_int_equal(parse_fetch(room, sizeof fetch_bytes + 1, &read), SYNC_E_CORRUPT);
  for (unsigned flags = 0; flags < 256; flags++) {
    room[24] = (uint8_t)flags;
    assert_int_equal(parse_fetch(room, sizeof fetch_bytes, &read), flags <= 1 ? SYNC_OK : SYNC_E_CORRUPT);
  }
  room[24] = 0;
  bytes_put_u64(room + 16, 0x1000); /* until where it begins */
  assert_int_equal(parse_fetch(room, sizeof fetch_bytes, &read), SYNC_E_CORRUPT);
  bytes_put_u64(room + 16, 0x1001);
  assert_int_equal(parse_fetch(room, sizeof fetch_bytes, &read), SYNC_OK);
  memset(room, 0, 8); /* of no snapshot */
  assert_int_equal(parse_fetch(room, sizeof fetch_bytes, &read), SYNC_E_CORRUPT);
}

static void a_block_is_these_bytes(void **state) {
  (void)state;
  struct bytes_writer writer = bytes_writer_to(room, sizeof room);
  block_write_head(&writer, ID, 0x1000, 0x1004);
  bytes_write(&writer, "byte", 4);
  assert_int_equal(writer.size, sizeof block_bytes);
  assert_memory_equal(room, block_bytes, sizeof block_bytes);
  struct block_frame block;
  assert_int_equal(block_parse(block_bytes, sizeof block_bytes, &block), SYNC_OK);
  assert_true(block.id == ID && block.offset == 0x1000 && block.size == 0x1004 && block.bytes_size == 4);
  assert_memory_equal(block.bytes, "byte", 4);
}

static void a_block_that_is_not_within_its_file_is_refused(void **state) {
  (void)state;
  for (size_t cut = 0; cut < sizeof block_bytes; cut++)
    assert_int_equal(parse_block(block_bytes, cut), cut > 24 ? SYNC_OK : SYNC_E_CORRUPT);
  memcpy(room, block_bytes, sizeof block_bytes);
  assert_int_equal(parse_block(room, sizeof block_bytes + 1), SYNC_E_CORRUPT); /* behind the end */
  static const uint64_t offsets[] = {0x1001, 0x1004, 0x1005, UINT64_MAX, UINT64_MAX - 3};
  for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
    bytes_put_u64(room + 8, offsets[i]);
    assert_int_equal(parse_block(room, sizeof block_bytes), SYNC_E_CORRUPT);
  }
  bytes_put_u64(room + 8, 0);
  assert_int_equal(parse_block(room, sizeof block_bytes), SYNC_OK);
  bytes_put_u64(room + 16, 3);
  assert_int_equal(parse_block(room, sizeof block_bytes), SYNC_E_CORRUPT);
  memcpy(room, block_bytes, sizeof block_bytes);
  memset(room, 0, 8);
  assert_int_equal(parse_block(room, sizeof block_bytes), SYNC_E_CORRUPT);
}

static void a_hello_offers_in_these_bytes(void **state) {
  (void)state;
  struct bytes_writer writer = bytes_writer_to(room, sizeof room);
  struct hello hello = {.limits_hash = 1,
                        .node_id = (const uint8_t *)"n1",
                        .node_id_size = 2,
                        .session = 2,
                        .nonce = 3,
                        .echo = 4,
                        .known_session = 5,
                        .flags = HELLO_FLAG_ANSWER,
                        .snapshot_id = ID,
                        .snapshot_size = 4096,
                        .part = 1,
                        .operations = 300,
                        .heard = 6,
                        .wanted = 7,
                        .lives = 8};
  hello_write_head(&writer, &hello);
  bytes_write_varint(&writer, 2);
  bytes_write_u32(&writer, 9);
  bytes_write_u32(&writer, 10);
  assert_int_equal(writer.size, sizeof hello_bytes);
  assert_memory_equal(room, hello_bytes, sizeof hello_bytes);
  struct hello read;
  assert_int_equal(parse_hello(hello_bytes, sizeof hello_bytes, &read), SYNC_OK);
  assert_true(read.snapshot_id == ID && read.snapshot_size == 4096 && read.flags == HELLO_FLAG_ANSWER);
  assert_true(read.part == 1 && read.operations == 300 && read.heard == 6 && read.wanted == 7 && read.lives == 8);
  assert_int_equal(hello_parse(hello_bytes, sizeof hello_bytes, &read), SYNC_OK); /* of bytes that stay */
  assert_int_equal(bytes_left(&read.peers), 8);
  assert_int_equal(bytes_read_u32(&read.peers), 9);
  assert_int_equal(bytes_read_u32(&read.peers), 10);
  assert_int_equal(bytes_left(&read.nodes), 0);
  for (size_t cut = 0; cut < sizeof hello_bytes; cut++)
    assert_int_equal(parse_hello(hello_bytes, cut, &read), SYNC_E_CORRUPT);
  room[sizeof hello_bytes - 8] = 11; /* peers that do not ascend */
  assert_int_equal(parse_hello(room, sizeof hello_bytes, &read), SYNC_E_CORRUPT);
  room[sizeof hello_bytes - 8] = 10; /* two that share a tag */
  assert_int_equal(parse_hello(room, sizeof hello_bytes, &read), SYNC_OK);
  for (unsigned flags = 0; flags < 256; flags++) {
    room[43] = (uint8_t)flags;
    assert_int_equal(parse_hello(room, sizeof hello_bytes, &read), flags < 32 ? SYNC_OK : SYNC_E_CORRUPT);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_fetch_is_these_bytes),        cmocka_unit_test(a_fetch_of_nothing_is_refused),
      cmocka_unit_test(a_block_is_these_bytes),        cmocka_unit_test(a_block_that_is_not_within_its_file_is_refused),
      cmocka_unit_test(a_hello_offers_in_these_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
