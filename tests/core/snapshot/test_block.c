/* Names of snapshots' files, and blocks: each is bound to its snapshot and its place. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/snapshot/block.h"
#include "tests/support/memory_env.h"

#define POSITION UINT64_C(0x0123456789abcdef)
#define ID UINT64_C(0xfedcba9876543210)
#define BASE "base-0123456789abcdef-fedcba9876543210"
#define STAGE "stage-fedcba9876543210"

static void names_are_these_bytes(void **state) {
  (void)state;
  char name[SNAPSHOT_NAME_BYTES];
  base_name(name, POSITION, ID, false);
  assert_string_equal(name, BASE);
  base_name(name, POSITION, ID, true);
  assert_string_equal(name, BASE ".new");
  base_name(name, 0, 1, false);
  assert_string_equal(name, "base-0000000000000000-0000000000000001");
  stage_name(name, ID);
  assert_string_equal(name, STAGE);
}

static void a_name_says_what_it_was_made_of(void **state) {
  (void)state;
  uint64_t random = 3;
  for (unsigned round = 0; round < 500; round++) {
    uint64_t position = memory_env_random(&random), id = memory_env_random(&random), p = 0, i = 0;
    if (round < 4) position = round % 2 == 0 ? 0 : UINT64_MAX, id = round < 2 ? 0 : UINT64_MAX;
    char name[SNAPSHOT_NAME_BYTES];
    for (unsigned aside = 0; aside < 2; aside++) {
      bool is_aside = aside == 0;
      base_name(name, position, id, aside == 1);
      assert_true(base_name_parse(name, &p, &i, &is_aside));
      assert_true(p == position && i == id && is_aside == (aside == 1));
      assert_false(stage_name_parse(name, &i));
    }
    stage_name(name, id);
    assert_true(stage_name_parse(name, &i) && i == id);
    assert_false(base_name_parse(name, &p, &i, &(bool){false}));
  }
}

/* Parses a heap copy, so that sanitizers see over-reads. */
static bool is_a_name(const char *name) {
  size_t size = strlen(name) + 1;
  char *copy = malloc(size);
  assert_non_null(copy);
  memcpy(copy, name, size);
  uint64_t position = 0, id = 0;
  bool aside = false;
  bool is = base_name_parse(copy, &position, &id, &aside) || stage_name_parse(copy, &id);
  free(copy);
  return is;
}

static void nothing_else_is_a_name(void **state) {
  (void)state;
  static const char *const names[] = {BASE, BASE ".new", STAGE};
  for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
    char name[64];
    memcpy(name, names[n], strlen(names[n]) + 1);
    size_t size = strlen(name);
    assert_true(is_a_name(name));
    for (size_t at = 0; at < size; at++) {
      char held = name[at];
      for (unsigned c = 1; c < 256; c++) {
        name[at] = (char)c;
        bool digit = (held >= '0' && held <= '9') || (held >= 'a' && held <= 'f');
        bool hexadecimal = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        /* A digit may stand for another one where digits stand, and there alone. */
        bool in_digits = n == 2 ? at >= 6 : (at >= 5 && at < 21) || (at >= 22 && at < 38);
        bool valid = (char)c == held || (in_digits && digit && hexadecimal);
        assert_int_equal(is_a_name(name), valid);
      }
      name[at] = '\0'; /* cut */
      bool still = n == 1 && at == 38;
      assert_int_equal(is_a_name(name), still);
      name[at] = held;
    }
    name[size] = 'x';
    name[size + 1] = '\0';
    assert_false(is_a_name(name));
  }
  static const char *const others[] = {"",
                                       "base-",
                                       "stage-",
                                       "wal-0000000000000000-00000001",
                                       STAGE ".new",
                                       "base-0123456789ABCDEF-fedcba9876543210",
                                       "stage-FEDCBA9876543210",
                                       BASE ".old",
                                       BASE ".new.new"};
  for (size_t n = 0; n < sizeof others / sizeof others[0]; n++)
    assert_false(is_a_name(others[n]));
}

#define OFFSET UINT64_C(0x1000)
#define PAYLOAD 41u

static uint8_t bytes[BLOCK_HEADER_BYTES + PAYLOAD];

static void seal(void) {
  for (size_t i = 0; i < PAYLOAD; i++)
    bytes[BLOCK_HEADER_BYTES + i] = (uint8_t)(i * 5);
  block_seal(bytes, BLOCK_KEYS, PAYLOAD, ID, OFFSET);
}
/* As a reader would: header first, then all of it. */
static bool accepts(uint64_t id, uint64_t offset) {
  struct block block;
  if (!block_peek(bytes, PAYLOAD, &block)) return false;
  return block.size <= PAYLOAD && block_verify(bytes, &block, id, offset);
}

static void a_header_is_these_bytes(void **state) {
  (void)state;
  static const uint8_t expected[] = {0x29, 0x00, 0x00, 0x00, 0x04};
  seal();
  assert_memory_equal(bytes + 8, expected, sizeof expected);
  struct block block;
  assert_true(block_peek(bytes, PAYLOAD, &block));
  assert_true(block.type == BLOCK_KEYS && block.size == PAYLOAD);
  /* Two implementations must agree on the checksum, on any processor. */
  static const uint8_t checksum[] = {0x73, 0xa4, 0x2c, 0xaa, 0x78, 0x06, 0x7d, 0x03};
  assert_memory_equal(bytes, checksum, sizeof checksum);
}

static void any_bit_changed_is_refused(void **state) {
  (void)state;
  seal();
  assert_true(accepts(ID, OFFSET));
  for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    assert_false(accepts(ID, OFFSET));
    bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
  }
  for (size_t at = 0; at < sizeof bytes; at++) {
    uint8_t held = bytes[at];
    for (unsigned value = 0; value < 256; value++) {
      bytes[at] = (uint8_t)value;
      assert_int_equal(accepts(ID, OFFSET), value == held);
    }
    bytes[at] = held;
  }
}

static void a_block_of_another_snapshot_or_place_is_refused(void **state) {
  (void)state;
  seal();
  for (unsigned bit = 0; bit < 64; bit++) {
    assert_false(accepts(ID ^ (UINT64_C(1) << bit), OFFSET));
    assert_false(accepts(ID, OFFSET ^ (UINT64_C(1) << bit)));
  }
  for (uint64_t by = 1; by < 2000; by++)
    assert_false(accepts(ID, OFFSET + by) || accepts(ID + by, OFFSET));
  assert_false(accepts(OFFSET, ID));
  assert_false(accepts(0, 0));
}

static void a_header_of_no_type_or_too_long_a_payload_is_refused_before_anything_is_read(void **state) {
  (void)state;
  struct block block;
  seal();
  for (unsigned type = 0; type < 256; type++) {
    bytes[12] = (uint8_t)type;
    assert_int_equal(block_peek(bytes, PAYLOAD, &block), type >= BLOCK_HEAD && type <= BLOCK_END);
  }
  seal();
  assert_false(block_peek(bytes, PAYLOAD - 1, &block));
  memset(bytes + 8, 0xff, 4);
  assert_false(block_peek(bytes, UINT32_MAX - 1, &block));
}

static void an_empty_payload_is_a_block(void **state) {
  (void)state;
  block_seal(bytes, BLOCK_ORIGINS, 0, ID, 0);
  struct block block;
  assert_true(block_peek(bytes, 0, &block) && block.size == 0 && block.type == BLOCK_ORIGINS);
  assert_true(block_verify(bytes, &block, ID, 0));
}

static void the_sum_tells_which_blocks_in_which_order(void **state) {
  (void)state;
  static uint8_t other[BLOCK_HEADER_BYTES];
  seal();
  block_seal(other, BLOCK_END, 0, ID, 7);
  assert_true(block_sum(block_sum(0, bytes), other) != block_sum(block_sum(0, other), bytes));
  assert_true(block_sum(0, bytes) != block_sum(block_sum(0, bytes), bytes));
  assert_true(block_sum(0, bytes) != 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_these_bytes),
      cmocka_unit_test(a_name_says_what_it_was_made_of),
      cmocka_unit_test(nothing_else_is_a_name),
      cmocka_unit_test(a_header_is_these_bytes),
      cmocka_unit_test(any_bit_changed_is_refused),
      cmocka_unit_test(a_block_of_another_snapshot_or_place_is_refused),
      cmocka_unit_test(a_header_of_no_type_or_too_long_a_payload_is_refused_before_anything_is_read),
      cmocka_unit_test(an_empty_payload_is_a_block),
      cmocka_unit_test(the_sum_tells_which_blocks_in_which_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
