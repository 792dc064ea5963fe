#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/toy_world.h"

#include <string.h>

/* Node 1 talks, node 2 and 3 listen; what arrives is in their state. */
static struct sim_world *begin(struct sim *sim, uint64_t seed, struct sim_link_config link, uint32_t burst) {
  struct sim_config config = {.source = {.seed = seed}, .link = link};
  struct sim_world *world = sim_world_begin(sim, &config);
  struct toy_config listener = {.hops = 0}, talker = {.peers = 3, .burst = burst};
  assert_int_equal(sim_node_add(world, &toy_node_kind, &talker, sizeof talker), 1);
  assert_int_equal(sim_node_add(world, &toy_node_kind, &listener, sizeof listener), 2);
  assert_int_equal(sim_node_add(world, &toy_node_kind, &listener, sizeof listener), 3);
  assert_true(sim_node_boot(world, 2) && sim_node_boot(world, 3));
  return world;
}

static uint64_t received(struct sim_world *world, uint32_t node) {
  const struct toy_state *toy = sim_node_peek(world, node);
  return toy->messages;
}

static void messages_arrive_within_the_delay(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {.delay_min_ns = 5 * SIM_MS, .delay_max_ns = 9 * SIM_MS};
  struct sim_world *world = begin(sim, 1, link, 100);
  assert_true(sim_node_boot(world, 1));
  assert_int_equal(sim_messages_in_flight(world), 200);
  assert_int_equal(sim_run(sim, 5 * SIM_MS - 1, UINT64_MAX), SIM_END_TIME);
  assert_int_equal(received(world, 2), 0);
  (void)sim_run(sim, 7 * SIM_MS, UINT64_MAX);
  assert_in_range(received(world, 2), 20, 80);
  assert_int_equal(sim_run(sim, 9 * SIM_MS, UINT64_MAX), SIM_END_IDLE);
  assert_int_equal(received(world, 2) + received(world, 3), 200);
  assert_int_equal(sim_messages_in_flight(world), 0);
  sim_close(sim);
}

static void lost_messages_are_about_as_many_as_asked_for(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {.loss_ppm = 250000};
  struct sim_world *world = begin(sim, 1, link, 2000);
  assert_true(sim_node_boot(world, 1));
  (void)sim_run(sim, SIM_SECOND, UINT64_MAX);
  assert_in_range(received(world, 2) + received(world, 3), 2850, 3150);
  assert_int_equal(sim_fault(world, SIM_FAULT_NET_LOSS)->opportunities, 4000);
  assert_int_equal(sim_fault(world, SIM_FAULT_NET_LOSS)->firings + received(world, 2) + received(world, 3), 4000);
  sim_close(sim);
}

static void a_duplicate_arrives_later_and_whole(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {.duplicate_ppm = 1000000, .duplicate_max_ns = SIM_SECOND};
  struct sim_world *world = begin(sim, 1, link, 50);
  assert_true(sim_node_boot(world, 1));
  (void)sim_run(sim, SIM_MS, UINT64_MAX);
  assert_int_equal(received(world, 2), 50);
  (void)sim_run(sim, 2 * SIM_SECOND, UINT64_MAX);
  assert_int_equal(received(world, 2), 100);
  assert_int_equal(sim_fault(world, SIM_FAULT_NET_DUPLICATE)->firings, 100);
  sim_close(sim);
}

static void reordered_and_slow_messages_are_overtaken(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {.reorder_ppm = 500000, .reorder_max_ns = 100 * SIM_MS, .slow_ppm = 100000};
  struct sim_world *world = begin(sim, 1, link, 500);
  assert_true(sim_node_boot(world, 1));
  (void)sim_run(sim, SIM_MS, UINT64_MAX);
  uint64_t prompt = received(world, 2);
  assert_in_range(prompt, 180, 270);
  (void)sim_run(sim, 102 * SIM_MS, UINT64_MAX);
  assert_in_range(received(world, 2), 430, 480);
  (void)sim_run(sim, 2 * SIM_SECOND, UINT64_MAX);
  assert_int_equal(received(world, 2), 500);
  assert_true(sim_fault(world, SIM_FAULT_NET_REORDER)->firings > 400);
  assert_true(sim_fault(world, SIM_FAULT_NET_SLOW)->firings > 60);
  sim_close(sim);
}

/* What a message looked like on arrival, by the trace. */
static void corruption_flips_bits_and_truncation_cuts_the_end(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  for (int truncate = 0; truncate < 2; truncate++) {
    struct sim_link_config link = {.corrupt_ppm = truncate ? 0 : 1000000, .truncate_ppm = truncate ? 1000000 : 0};
    struct sim_world *world = begin(sim, 1, link, 0);
    struct sim_trace_log *log = sim_trace_log_create();
    sim_set_trace(sim, log);
    assert_true(sim_node_boot(world, 1));
    assert_non_null(sim_node_enter(world, 1));
    uint8_t bytes[64] = {1, 2, 3};
    for (int i = 0; i < 200; i++)
      sim_send(sim_node_at(world, 1), 2, bytes, sizeof bytes);
    assert_true(sim_node_leave(world, 1));
    (void)sim_run(sim, SIM_SECOND, UINT64_MAX);
    uint64_t sizes = 0;
    for (size_t i = 0; i < sim_trace_log_count(log); i++) {
      const struct sim_trace_record *record = sim_trace_log_at(log, i);
      if (record->step != SIM_STEP_DELIVER) continue;
      assert_true(record->fields[2] != sim_hash_bytes(bytes, sizeof bytes));
      assert_true(truncate ? record->fields[1] < 64 : record->fields[1] == 64);
      sizes |= UINT64_C(1) << record->fields[1] % 64;
    }
    if (truncate) assert_true((sizes & 1) != 0 && (sizes >> 63) != 0);
    enum sim_fault fault = truncate ? SIM_FAULT_NET_TRUNCATE : SIM_FAULT_NET_CORRUPT;
    assert_int_equal(sim_fault(world, fault)->firings, 200);
    sim_trace_log_destroy(log);
  }
  sim_close(sim);
}

static void a_cut_link_is_one_way_and_nests(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {0};
  struct sim_world *world = begin(sim, 1, link, 1);
  sim_link_cut(world, 1, 2);
  sim_link_cut(world, 1, 2);
  assert_true(sim_link_is_cut(world, 1, 2));
  assert_false(sim_link_is_cut(world, 2, 1));
  assert_true(sim_node_boot(world, 1));
  (void)sim_run(sim, 10 * SIM_MS, UINT64_MAX);
  assert_int_equal(received(world, 2), 0);
  assert_int_equal(received(world, 3), 1);
  assert_int_equal(sim_fault(world, SIM_FAULT_NET_PARTITION)->firings, 1);
  sim_link_heal(world, 1, 2);
  assert_true(sim_link_is_cut(world, 1, 2));
  sim_link_heal(world, 1, 2);
  assert_false(sim_link_is_cut(world, 1, 2));
  sim_link_heal(world, 1, 2);
  sim_link_cut(world, 1, 2);
  assert_true(sim_link_is_cut(world, 1, 2));
  sim_link_heal_all(world);
  assert_false(sim_link_is_cut(world, 1, 2));
  sim_close(sim);
}

static void messages_in_flight_are_lost_at_a_cut_link_and_not_after_it_healed(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {.delay_min_ns = 10 * SIM_MS};
  struct sim_world *world = begin(sim, 1, link, 4);
  assert_true(sim_node_boot(world, 1));
  sim_link_cut(world, 1, 2);
  sim_link_cut(world, 1, 3);
  (void)sim_run(sim, 5 * SIM_MS, UINT64_MAX);
  sim_link_heal(world, 1, 3);
  (void)sim_run(sim, 20 * SIM_MS, UINT64_MAX);
  assert_int_equal(received(world, 2), 0);
  assert_int_equal(received(world, 3), 4);
  assert_int_equal(sim_messages_in_flight(world), 0);
  sim_close(sim);
}

static void one_link_can_have_settings_of_its_own_until_all_are_set(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config plain = {0}, lossy = {.loss_ppm = 1000000};
  struct sim_world *world = begin(sim, 1, plain, 5);
  sim_link_set(world, 1, 2, &lossy);
  assert_true(sim_node_boot(world, 1));
  (void)sim_run(sim, 10 * SIM_MS, UINT64_MAX);
  assert_int_equal(received(world, 2), 0);
  assert_int_equal(received(world, 3), 5);
  sim_link_set_all(world, &plain);
  assert_int_equal(sim_node_stop(world, 1), 0);
  assert_true(sim_node_boot(world, 1));
  (void)sim_run(sim, 20 * SIM_MS, UINT64_MAX);
  assert_int_equal(received(world, 2), 5);
  sim_close(sim);
}

static uint64_t due_of(const struct sim_trace_log *log, size_t number) {
  for (size_t i = 0; i < sim_trace_log_count(log); i++) {
    const struct sim_trace_record *record = sim_trace_log_at(log, i);
    if (record->step == SIM_STEP_SEND && number-- == 0) return record->fields[3];
  }
  return 0;
}

/* Sends a byte each microsecond, but not the `without`-th, and all `late_ns` later; how
 * long each takes. */
static void delays_of(struct sim *sim, const uint8_t bytes[10], size_t without, uint64_t late_ns, uint64_t delays[10]) {
  struct sim_link_config link = {.delay_min_ns = SIM_MS, .delay_max_ns = SIM_SECOND};
  struct sim_world *world = begin(sim, 11, link, 0);
  struct sim_trace_log *log = sim_trace_log_create();
  size_t sent = 0;
  sim_set_trace(sim, log);
  assert_true(sim_node_boot(world, 1));
  for (size_t i = 0; i < 10; i++) {
    (void)sim_run(sim, i * SIM_US + late_ns, UINT64_MAX);
    if (i == without) continue;
    assert_non_null(sim_node_enter(world, 1));
    sim_send(sim_node_at(world, 1), 2, &bytes[i], 1);
    assert_true(sim_node_leave(world, 1));
    delays[i] = due_of(log, sent++) - sim_now(world);
  }
  sim_trace_log_destroy(log);
}

static void a_message_left_out_or_late_keeps_the_fate_of_all_that_say_something_else(void **unused) {
  (void)unused;
  static const uint8_t bytes[10] = "abcdcfghij"; /* the fifth says what the third said */
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  uint64_t whole[10], fewer[10], late[10];
  delays_of(sim, bytes, 10, 0, whole);
  delays_of(sim, bytes, 2, 0, fewer);
  delays_of(sim, bytes, 10, 7, late);
  assert_true(whole[2] != whole[4]);
  for (size_t i = 0; i < 10; i++) {
    assert_int_equal(late[i], whole[i]);
    if (i != 2 && i != 4) assert_int_equal(fewer[i], whole[i]);
  }
  assert_int_equal(fewer[4], whole[2]); /* it is the first now */
  sim_close(sim);
}

static void what_is_said_again_and_again_falls_into_step_a_second_later(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  uint64_t due[2][40];
  for (size_t run = 0; run < 2; run++) {
    struct sim_link_config link = {.delay_min_ns = SIM_MS, .delay_max_ns = SIM_SECOND};
    struct sim_world *world = begin(sim, 11, link, 0);
    struct sim_trace_log *log = sim_trace_log_create();
    size_t sent = 0;
    sim_set_trace(sim, log);
    assert_true(sim_node_boot(world, 1));
    for (size_t i = 0; i < 40; i++) {
      (void)sim_run(sim, i * 100 * SIM_MS, UINT64_MAX);
      if (run == 1 && i == 2) continue;
      assert_non_null(sim_node_enter(world, 1));
      sim_send(sim_node_at(world, 1), 2, "x", 1);
      assert_true(sim_node_leave(world, 1));
      due[run][i] = due_of(log, sent++);
    }
    sim_trace_log_destroy(log);
  }
  for (size_t i = 11; i < 40; i++)
    assert_int_equal(due[0][i], due[1][i]);
  assert_true(due[0][3] != due[1][3]);
  sim_close(sim);
}

static void injected_bytes_arrive_now_and_through_a_cut(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {.loss_ppm = 1000000};
  struct sim_world *world = begin(sim, 1, link, 0);
  sim_link_cut(world, 1, 2);
  sim_inject(world, 1, 2, "hello", 5);
  sim_inject(world, 1, 2, NULL, 0);
  (void)sim_run(sim, 0, UINT64_MAX);
  assert_int_equal(received(world, 2), 2);
  sim_close(sim);
}

static void a_thousand_nodes_need_no_memory_for_links_that_nobody_touched(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = sim_world_begin(sim, &config);
  struct toy_config toy = {0};
  for (uint32_t i = 1; i <= SIM_NODES_MAX; i++) {
    assert_int_equal(sim_node_add(world, &toy_node_kind, &toy, sizeof toy), i);
    assert_true(sim_node_boot(world, i));
  }
  for (uint32_t i = 1; i <= SIM_NODES_MAX; i++) {
    assert_non_null(sim_node_enter(world, i));
    sim_send(sim_node_at(world, i), SIM_NODES_MAX + 1 - i, "x", 1);
    assert_true(sim_node_leave(world, i));
  }
  (void)sim_run(sim, SIM_SECOND, UINT64_MAX);
  for (uint32_t i = 1; i <= SIM_NODES_MAX; i++)
    assert_int_equal(received(world, i), 1);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(messages_arrive_within_the_delay),
      cmocka_unit_test(lost_messages_are_about_as_many_as_asked_for),
      cmocka_unit_test(a_duplicate_arrives_later_and_whole),
      cmocka_unit_test(reordered_and_slow_messages_are_overtaken),
      cmocka_unit_test(corruption_flips_bits_and_truncation_cuts_the_end),
      cmocka_unit_test(a_cut_link_is_one_way_and_nests),
      cmocka_unit_test(messages_in_flight_are_lost_at_a_cut_link_and_not_after_it_healed),
      cmocka_unit_test(one_link_can_have_settings_of_its_own_until_all_are_set),
      cmocka_unit_test(a_message_left_out_or_late_keeps_the_fate_of_all_that_say_something_else),
      cmocka_unit_test(what_is_said_again_and_again_falls_into_step_a_second_later),
      cmocka_unit_test(injected_bytes_arrive_now_and_through_a_cut),
      cmocka_unit_test(a_thousand_nodes_need_no_memory_for_links_that_nobody_touched),
  };
  return cmocka_run_group_tests_name("network", tests, NULL, NULL) != 0;
}
