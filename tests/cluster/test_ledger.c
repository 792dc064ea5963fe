/* The ledger: numbers, values, promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/ledger.h"

struct fixture {
  struct sim *sim;
  struct ledger ledger;
};

static int set_up(void **state) {
  static const struct sim_options options = {.fill = SIM_FILL_NONE};
  static const struct sim_config config = {.source = {.seed = 1}};
  struct fixture *fixture = test_malloc(sizeof *fixture);
  fixture->sim = sim_open(&options);
  assert_non_null(fixture->sim);
  ledger_init(&fixture->ledger, sim_world_begin(fixture->sim, &config));
  *state = fixture;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *fixture = *state;
  sim_close(fixture->sim);
  test_free(fixture);
  return 0;
}

static void a_value_names_its_submit_and_any_flipped_bit_is_seen(void **state) {
  (void)state;
  uint8_t value[100];
  for (size_t size = LEDGER_VALUE_BYTES_MIN; size <= sizeof value; size += 7) {
    ledger_value_write(4711, value, size);
    assert_int_equal(ledger_value_read(value, size), 4711);
    for (size_t bit = 0; bit < 8 * size; bit++) {
      value[bit / 8] ^= (uint8_t)(1u << (bit % 8));
      assert_int_equal(ledger_value_read(value, size), 0);
      value[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    assert_int_equal(ledger_value_read(value, size - 1), 0);
  }
}

static void values_of_any_size_are_known_by_their_change(void **state) {
  struct ledger *ledger = &((struct fixture *)*state)->ledger;
  uint8_t value[100];
  ledger_submit(ledger, ledger_life_begin(ledger, 1), 0);
  for (uint32_t size = 0; size <= sizeof value; size++) {
    uint32_t own = ledger_change_add(ledger, SYNC_PUT, 5, 0);
    ledger_value_add(ledger, size, own);
    uint32_t shared = ledger_change_add(ledger, SYNC_PUT, 6, 1);
    ledger_value_add(ledger, size, 0);
    uint32_t again = ledger_change_add(ledger, SYNC_PUT, 7, 2);
    ledger_value_add(ledger, size, own);
    ledger_value_write(own, value, size);
    assert_true(ledger_value_is(ledger, own, value, size) && ledger_value_is(ledger, again, value, size));
    assert_int_equal(ledger_value_is(ledger, shared, value, size), size == 0);
    if (!size) continue;
    assert_false(ledger_value_is(ledger, own, value, size - 1));
    value[size - 1] ^= 0x80;
    assert_false(ledger_value_is(ledger, own, value, size));
    ledger_value_write(0, value, size);
    assert_true(ledger_value_is(ledger, shared, value, size));
  }
}

static void chosen_values_are_known_by_their_bytes(void **state) {
  static const char *const texts[] = {"", "a", "a", "ab", "", "ab", "b"};
  struct ledger *ledger = &((struct fixture *)*state)->ledger;
  uint8_t value[8];
  ledger_submit(ledger, ledger_life_begin(ledger, 1), 0);
  for (uint32_t i = 0; i < 7; i++) {
    (void)ledger_change_add(ledger, SYNC_PUT, i, i);
    ledger_value_choose(ledger, texts[i], (uint32_t)strlen(texts[i]));
  }
  (void)ledger_change_add(ledger, SYNC_PUT, 7, 7);
  ledger_value_repeat(ledger, 4);
  for (uint32_t number = 1; number <= 8; number++) {
    const char *text = texts[number == 8 ? 3 : number - 1u];
    size_t size = strlen(text);
    for (uint32_t i = 0; i < 7; i++)
      assert_int_equal(ledger_value_is(ledger, number, texts[i], strlen(texts[i])), strcmp(texts[i], text) == 0);
    ledger_value_give(ledger, number, value);
    assert_memory_equal(value, text, size);
    assert_false(ledger_value_is(ledger, number, "abc", 3));
  }
}

static void a_promise_covers_what_lies_below_the_durable_position_only(void **state) {
  struct ledger *ledger = &((struct fixture *)*state)->ledger;
  uint32_t life = ledger_life_begin(ledger, 1);
  ledger_life_name(ledger, life, 77);
  for (uint64_t i = 1; i <= 3; i++) {
    uint32_t operation = ledger_submit(ledger, life, 0);
    ledger_change_add(ledger, SYNC_PUT, 5, 0);
    ledger_accept(ledger, operation, 100 * i);
  }
  assert_int_equal(ledger_promise(ledger, life, 199), 1);
  assert_int_equal(ledger_promise(ledger, life, 199), 0);
  assert_int_equal(ledger_promise(ledger, life, 300), 2);
  assert_int_equal(ledger->operations[ledger_find(ledger, 77, 3)].result, LEDGER_PROMISED);
  assert_int_equal(ledger_find(ledger, 77, 4), LEDGER_NONE);
  assert_int_equal(ledger_find(ledger, 78, 1), LEDGER_NONE);
}

static void an_image_owes_what_was_promised_and_durable_when_it_was_saved(void **state) {
  struct ledger *ledger = &((struct fixture *)*state)->ledger;
  uint32_t old = ledger_life_begin(ledger, 1), other = ledger_life_begin(ledger, 2), now = ledger_life_begin(ledger, 1);
  uint32_t lives[] = {old, other, now};
  for (size_t i = 0; i < 3; i++) {
    ledger_life_name(ledger, lives[i], 70 + i);
    for (uint64_t seq = 1; seq <= 4; seq++) {
      uint32_t operation = ledger_submit(ledger, lives[i], 0);
      ledger_change_add(ledger, SYNC_PUT, 5, 0);
      ledger_accept(ledger, operation, 100 * seq);
    }
    ledger_promise(ledger, lives[i], 300);
  }
  ledger_image_saved(ledger, 1, now, 200); /* of three that are promised two are durable */
  ledger_promise(ledger, now, 400);
  ledger->lives[old].lost = true;
  ledger_image_restored(ledger, 1);
  assert_int_equal(ledger->lives[old].promised, 3);
  assert_false(ledger->lives[old].lost);
  assert_int_equal(ledger->lives[now].promised, 2);
  assert_int_equal(ledger->lives[other].promised, 3);
}

static void many_lives_are_found_by_incarnation(void **state) {
  struct ledger *ledger = &((struct fixture *)*state)->ledger;
  for (uint64_t i = 0; i < 1000; i++)
    ledger_life_name(ledger, ledger_life_begin(ledger, 1), i * 1048576u + 3u);
  for (uint64_t i = 0; i < 1000; i++)
    assert_int_equal(ledger_life_find(ledger, i * 1048576u + 3u), i);
  assert_int_equal(ledger_life_find(ledger, 4), LEDGER_NONE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_value_names_its_submit_and_any_flipped_bit_is_seen),
      cmocka_unit_test_setup_teardown(values_of_any_size_are_known_by_their_change, set_up, tear_down),
      cmocka_unit_test_setup_teardown(chosen_values_are_known_by_their_bytes, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_promise_covers_what_lies_below_the_durable_position_only, set_up, tear_down),
      cmocka_unit_test_setup_teardown(an_image_owes_what_was_promised_and_durable_when_it_was_saved, set_up, tear_down),
      cmocka_unit_test_setup_teardown(many_lives_are_found_by_incarnation, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
