/* Keys of all shapes: different for different numbers, found, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/keys.h"

#define NUMBERS 20000u

static void keys_of_different_numbers_differ_and_are_of_all_lengths(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct sim_config config = {.source = {.seed = 1}};
  struct keys keys;
  keys_init(&keys, sim_world_begin(sim, &config));
  uint8_t bytes[KEYS_BYTES_MAX];
  bool one = false, longest = false, plain = false, binary = false;
  for (uint32_t number = 0; number < NUMBERS; number++) {
    size_t size = keys_write(number, true, bytes);
    assert_true(size >= 1 && size <= KEYS_BYTES_MAX);
    assert_int_equal(keys_find(&keys, bytes, size), KEYS_NONE); /* none before it is the same */
    uint32_t slot = keys_take(&keys, number, bytes, size);
    assert_int_equal(slot, number);
    assert_int_equal(keys_take(&keys, number, bytes, size), slot);
    one = one || size == 1;
    longest = longest || size == KEYS_BYTES_MAX;
    plain = plain || (size == 12 && memcmp(bytes, "key-", 4) == 0);
    binary = binary || bytes[0] == 0xff;
  }
  assert_true(one && longest && plain && binary);
  uint32_t seen = 0;
  for (uint32_t slot = keys_from(&keys, NULL, 0), last = KEYS_NONE; slot != KEYS_NONE;
       last = slot, slot = keys_next(&keys, slot), seen++) {
    if (last == KEYS_NONE) continue;
    size_t a = keys.entries[last].size, b = keys.entries[slot].size;
    int order = memcmp(keys_bytes(&keys, last), keys_bytes(&keys, slot), a < b ? a : b);
    assert_true(order < 0 || (order == 0 && a < b));
    assert_int_equal(keys_from(&keys, keys_bytes(&keys, slot), b), slot);
  }
  assert_int_equal(seen, NUMBERS);
  sim_close(sim);
}

static void some_keys_begin_with_others(void **state) {
  (void)state;
  uint8_t bytes[KEYS_BYTES_MAX], other[KEYS_BYTES_MAX];
  uint32_t found = 0;
  for (uint32_t a = 0; a < 32; a++)
    for (uint32_t b = 0; b < 32; b++) {
      size_t size = keys_write(a, true, bytes), longer = keys_write(b, true, other);
      found += size < longer && memcmp(bytes, other, size) == 0;
    }
  assert_true(found > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keys_of_different_numbers_differ_and_are_of_all_lengths),
      cmocka_unit_test(some_keys_begin_with_others),
  };
  return cmocka_run_group_tests_name("keys", tests, NULL, NULL) != 0;
}
