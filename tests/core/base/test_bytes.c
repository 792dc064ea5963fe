#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/bytes.h"
#include "core/base/checksum.h"

static void integers_are_little_endian(void **state) {
  (void)state;
  uint8_t bytes[8];
  bytes_put_u16(bytes, 0x0102u);
  assert_memory_equal(bytes, "\x02\x01", 2);
  assert_int_equal(bytes_get_u16(bytes), 0x0102);
  bytes_put_u24(bytes, 0x010203u);
  assert_memory_equal(bytes, "\x03\x02\x01", 3);
  assert_int_equal(bytes_get_u24(bytes), 0x010203);
  bytes_put_u32(bytes, 0xf1020304u);
  assert_memory_equal(bytes, "\x04\x03\x02\xf1", 4);
  assert_true(bytes_get_u32(bytes) == 0xf1020304u);
  bytes_put_u64(bytes, UINT64_C(0xf102030405060708));
  assert_memory_equal(bytes, "\x08\x07\x06\x05\x04\x03\x02\xf1", 8);
  assert_true(bytes_get_u64(bytes) == UINT64_C(0xf102030405060708));
}

static void a_varint_comes_back_and_has_the_announced_size(void **state) {
  (void)state;
  for (unsigned shift = 0; shift < 64; shift++) {
    for (uint64_t delta = 0; delta < 3; delta++) {
      uint64_t value = (UINT64_C(1) << shift) + delta - 1, got = 0;
      uint8_t bytes[BYTES_VARINT_MAX];
      size_t size = bytes_put_varint(bytes, value);
      assert_int_equal(size, bytes_varint_size(value));
      assert_int_equal(bytes_get_varint(bytes, size, &got), size);
      assert_true(got == value);
      for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(bytes_get_varint(bytes, cut, &got), 0);
    }
  }
  assert_int_equal(bytes_varint_size(UINT64_MAX), 10);
}

static void a_varint_has_one_encoding(void **state) {
  (void)state;
  uint64_t value = 0;
  const uint8_t padded_zero[] = {0x80, 0x00}, padded_one[] = {0x81, 0x80, 0x00};
  const uint8_t too_wide[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
  const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01};
  assert_int_equal(bytes_get_varint(padded_zero, 2, &value), 0);
  assert_int_equal(bytes_get_varint(padded_one, 3, &value), 0);
  assert_int_equal(bytes_get_varint(too_wide, 10, &value), 0);
  assert_int_equal(bytes_get_varint(endless, 12, &value), 0);
}

static void a_reader_stops_at_the_end_and_stays_failed(void **state) {
  (void)state;
  const uint8_t bytes[] = {1, 2, 3, 0, 0, 0, 9, 5};
  struct bytes_reader reader = bytes_reader_of(bytes, sizeof bytes);
  assert_int_equal(bytes_read_u16(&reader), 0x0201);
  assert_int_equal(bytes_read_u32(&reader), 3);
  assert_int_equal(bytes_read_varint(&reader), 9);
  assert_int_equal(bytes_left(&reader), 1);
  assert_false(bytes_read_all(&reader));
  assert_int_equal(bytes_read_u64(&reader), 0);
  assert_true(reader.failed);
  assert_int_equal(bytes_read_u8(&reader), 0);
  assert_int_equal(bytes_left(&reader), 0);
  assert_null(bytes_take(&reader, 0));
  assert_false(bytes_read_all(&reader));
  struct bytes_reader whole = bytes_reader_of(bytes, 1);
  assert_int_equal(bytes_read_u8(&whole), 1);
  assert_true(bytes_read_all(&whole));
}

static void a_reader_bounds_a_count_before_it_is_believed(void **state) {
  (void)state;
  const uint8_t bytes[] = {200, 1};
  struct bytes_reader reader = bytes_reader_of(bytes, sizeof bytes);
  assert_int_equal(bytes_read_varint_max(&reader, 199), 0);
  assert_true(reader.failed);
  reader = bytes_reader_of(bytes, sizeof bytes);
  assert_int_equal(bytes_read_varint_max(&reader, 200), 200);
  assert_true(bytes_read_all(&reader));
}

static void a_reader_gives_zeros_for_bytes_that_are_not_there(void **state) {
  (void)state;
  uint8_t to[3] = {1, 1, 1};
  struct bytes_reader reader = bytes_reader_of("ab", 2);
  bytes_read(&reader, to, 3);
  assert_memory_equal(to, "\0\0\0", 3);
  assert_true(reader.failed);
}

static void a_writer_never_writes_past_its_capacity(void **state) {
  (void)state;
  uint8_t bytes[8] = {0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee};
  struct bytes_writer writer = bytes_writer_to(bytes, 4);
  bytes_write_u16(&writer, 0x0201);
  bytes_write_u32(&writer, 7);
  assert_true(writer.failed);
  assert_int_equal(writer.size, 2);
  bytes_write_u8(&writer, 1);
  assert_int_equal(writer.size, 2);
  assert_memory_equal(bytes, "\x01\x02\xee\xee\xee\xee\xee\xee", 8);
  writer = bytes_writer_to(bytes, 4);
  bytes_write_varint(&writer, 300);
  bytes_write(&writer, "xy", 2);
  assert_false(writer.failed);
  assert_memory_equal(bytes, "\xac\x02xy\xee", 5);
}

static void the_checksum_is_the_one_of_the_specification(void **state) {
  (void)state;
  assert_true(checksum64("", 0, 0) == UINT64_C(0x2d06800538d394c2));
  assert_true(checksum64("abc", 3, 1) != checksum64("abc", 3, 2));
  assert_true(checksum_mix(0) == 0);
  assert_true(checksum_mix(1) == UINT64_C(0x5692161d100b05e5));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(integers_are_little_endian),
      cmocka_unit_test(a_varint_comes_back_and_has_the_announced_size),
      cmocka_unit_test(a_varint_has_one_encoding),
      cmocka_unit_test(a_reader_stops_at_the_end_and_stays_failed),
      cmocka_unit_test(a_reader_bounds_a_count_before_it_is_believed),
      cmocka_unit_test(a_reader_gives_zeros_for_bytes_that_are_not_there),
      cmocka_unit_test(a_writer_never_writes_past_its_capacity),
      cmocka_unit_test(the_checksum_is_the_one_of_the_specification),
  };
  return cmocka_run_group_tests_name("bytes", tests, NULL, NULL) != 0;
}
