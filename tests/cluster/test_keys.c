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

static void a_key_of_a_script_gets_a_number_once_it_is_written_by_one(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct sim_config config = {.source = {.seed = 1}};
  struct keys keys;
  char shown[KEYS_SHOWN_BYTES];
  uint8_t longest[KEYS_BYTES_MAX];
  keys_init(&keys, sim_world_begin(sim, &config));
  uint32_t slot = keys_take_named(&keys, "key-00000012", 12);
  assert_true(keys.entries[slot].named);
  assert_string_equal(keys_show(&keys, slot, shown), "\"key-00000012\"");
  assert_int_equal(keys_take(&keys, 12, "key-00000012", 12), slot);
  assert_string_equal(keys_show(&keys, slot, shown), "key-00000012");
  assert_int_equal(keys_take_named(&keys, "key-00000012", 12), slot);
  assert_false(keys.entries[slot].named);
  slot = keys_take_named(&keys, "a\0\"\\\n\xff", 6);
  assert_string_equal(keys_show(&keys, slot, shown), "\"a\\x00\\x22\\x5c\\x0a\\xff\"");
  for (uint8_t byte = 0; byte < 2; byte++) {
    memset(longest, byte ? 'l' : 0, sizeof longest);
    slot = keys_take_named(&keys, longest, sizeof longest);
    size_t size = strlen(keys_show(&keys, slot, shown));
    assert_true(size < KEYS_SHOWN_BYTES && size > KEYS_SHOWN_BYTES - 10u);
    assert_string_equal(shown + size - 4, "...\"");
  }
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keys_of_different_numbers_differ_and_are_of_all_lengths),
      cmocka_unit_test(some_keys_begin_with_others),
      cmocka_unit_test(a_key_of_a_script_gets_a_number_once_it_is_written_by_one),
  };
  return cmocka_run_group_tests_name("keys", tests, NULL, NULL) != 0;
}
