#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/toy_world.h"

#include <string.h>

/* --- A node that keeps the order of what it receives ------------------------------ */

#define SEEN_MAX 4096u
struct seen {
  uint32_t count;
  struct {
    uint64_t at_ns;
    uint32_t from, number;
  } messages[SEEN_MAX];
};

static void *seer_boot(struct sim_node *node, const void *config) {
  (void)config;
  const struct sync_env *env = sim_node_env(node);
  struct seen *seen = env->ops->alloc(env->ctx, sizeof *seen, sizeof *seen);
  if (seen != NULL) memset(seen, 0, sizeof *seen);
  return seen;
}
static void seer_message(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  struct seen *seen = state;
  uint32_t number = 0;
  if (size >= 4) number = bytes[1] | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3] << 16;
  if (seen->count == SEEN_MAX) return;
  seen->messages[seen->count].at_ns = sim_now(sim_node_world(node));
  seen->messages[seen->count].from = from;
  seen->messages[seen->count++].number = number;
}
static void seer_timer(struct sim_node *node, void *state, uint32_t timer) {
  (void)node, (void)state, (void)timer;
}
static void seer_done(struct sim_node *node, void *state, uint64_t token, int result) {
  (void)node, (void)state, (void)token, (void)result;
}
static void seer_stop(struct sim_node *node, void *state) {
  (void)node, (void)state;
}
/* The first byte is the kind. */
static uint32_t seer_classify(const uint8_t *bytes, size_t size) {
  return size == 0 ? 0 : bytes[0];
}
static const struct sim_node_kind seer_kind = {.name = "seer",
                                               .boot = seer_boot,
                                               .message = seer_message,
                                               .timer = seer_timer,
                                               .disk_done = seer_done,
                                               .stop = seer_stop,
                                               .classify = seer_classify};

#define NODES 4u
static struct sim_world *begin_under(struct sim *sim, const struct sim_choice_source *source,
                                     struct sim_link_config link) {
  struct sim_config config = {.source = *source, .link = link};
  struct sim_world *world = sim_world_begin(sim, &config);
  for (uint32_t i = 1; i <= NODES; i++) {
    assert_int_equal(sim_node_add(world, &seer_kind, NULL, 0), i);
    assert_true(sim_node_boot(world, i));
  }
  return world;
}
static struct sim_world *begin(struct sim *sim, uint64_t seed, struct sim_link_config link) {
  struct sim_choice_source source = {.seed = seed};
  return begin_under(sim, &source, link);
}
static const struct seen *seen_by(struct sim_world *world, uint32_t node) {
  return sim_node_peek(world, node);
}
static void say(struct sim_world *world, uint32_t from, uint32_t to, uint8_t kind, uint32_t number, size_t size) {
  uint8_t bytes[2048] = {kind, (uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16)};
  assert_true(size >= 4 && size <= sizeof bytes);
  assert_non_null(sim_node_enter(world, from));
  sim_send(sim_node_at(world, from), to, bytes, size);
  assert_true(sim_node_leave(world, from));
}
static void run_to(struct sim *sim, uint64_t time_ns) {
  (void)sim_run(sim, time_ns, UINT64_MAX);
  /* An idle world stands at the time asked for, too. */
  assert_int_equal(sim_now(sim_world(sim)), time_ns);
}
static uint64_t fired(struct sim_world *world, enum sim_fault fault) {
  return sim_fault(world, fault)->firings;
}

/* --- Delays, bursts --------------------------------------------------------------------- */

static void exponential_delays_have_their_least_and_their_mean(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {.delay_min_ns = 5 * SIM_MS, .delay_mean_ns = 20 * SIM_MS};
  struct sim_world *world = begin(sim, 3, link);
  for (uint32_t i = 0; i < 4000; i++)
    say(world, 1, 2, 0, i, 4);
  run_to(sim, 100 * SIM_SECOND);
  const struct seen *seen = seen_by(world, 2);
  assert_int_equal(seen->count, 4000);
  uint64_t sum = 0;
  for (uint32_t i = 0; i < seen->count; i++)
    sum += seen->messages[i].at_ns;
  assert_in_range(seen->messages[0].at_ns, 5 * SIM_MS, 5 * SIM_MS + 100 * SIM_US);
  assert_in_range(sum / seen->count, 19200 * SIM_US, 20800 * SIM_US);
  assert_true(seen->messages[3999].at_ns > 100 * SIM_MS);
  sim_close(sim);
}

static void a_burst_loses_neighbours_and_only_on_its_link(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {.burst_enter_ppm = 20000, .burst_leave_ppm = 250000}, plain = {0};
  struct sim_world *world = begin(sim, 5, link);
  sim_link_set(world, 1, 3, &plain);
  for (uint32_t i = 0; i < 4000; i++) {
    say(world, 1, 2, 0, i, 4);
    say(world, 1, 3, 0, i, 4);
  }
  run_to(sim, SIM_SECOND);
  const struct seen *seen = seen_by(world, 2);
  uint32_t gaps = 0, lost = 4000 - seen->count;
  for (uint32_t i = 1; i < seen->count; i++)
    gaps += seen->messages[i].number != seen->messages[i - 1].number + 1;
  assert_in_range(lost, 200, 400);                  /* 2 of 27 */
  assert_in_range(lost * 10, gaps * 30, gaps * 55); /* four in a row */
  assert_int_equal(seen_by(world, 3)->count, 4000);
  assert_int_equal(fired(world, SIM_FAULT_NET_BURST), lost);
  assert_int_equal(sim_fault(world, SIM_FAULT_NET_BURST)->opportunities, 4000);
  sim_close(sim);
}

/* --- Bandwidth and queues ------------------------------------------------------------------ */

static void messages_follow_one_another_on_a_narrow_line(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {.delay_min_ns = 10 * SIM_MS, .bandwidth_bytes_per_s = 1000};
  struct sim_world *world = begin(sim, 1, link);
  for (uint32_t i = 0; i < 5; i++)
    say(world, 1, 2, 0, i, 100);
  say(world, 2, 1, 0, 0, 100);
  run_to(sim, SIM_SECOND);
  const struct seen *seen = seen_by(world, 2);
  assert_int_equal(seen->count, 5);
  for (uint32_t i = 0; i < 5; i++) {
    assert_int_equal(seen->messages[i].number, i);
    assert_int_equal(seen->messages[i].at_ns, 10 * SIM_MS + (i + 1) * 100 * SIM_MS);
  }
  assert_int_equal(seen_by(world, 1)->messages[0].at_ns, 110 * SIM_MS);
  assert_int_equal(fired(world, SIM_FAULT_NET_BANDWIDTH), 4);
  say(world, 1, 2, 0, 9, 100); /* the line is free again */
  run_to(sim, 2 * SIM_SECOND);
  assert_int_equal(seen->messages[5].at_ns, SIM_SECOND + 110 * SIM_MS);
  sim_close(sim);
}

static void what_overflows_a_queue_is_lost_and_delivery_makes_room(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config by_count = {.queue_messages = 3}, by_bytes = {.queue_bytes = 250};
  for (int bytes = 0; bytes < 2; bytes++) {
    struct sim_world *world = begin(sim, 1, bytes ? by_bytes : by_count);
    uint32_t room = bytes ? 2 : 3;
    for (uint32_t round = 0; round < 3; round++) {
      for (uint32_t i = 0; i < 5; i++)
        say(world, 1, 2, 0, i, 100);
      assert_int_equal(sim_messages_in_flight(world), room);
      run_to(sim, (round + 1) * SIM_SECOND);
      assert_int_equal(seen_by(world, 2)->count, (round + 1) * room);
    }
    assert_int_equal(fired(world, SIM_FAULT_NET_OVERFLOW), 3 * (5 - room));
    /* An empty queue takes any message, and one lost elsewhere makes room too. */
    say(world, 1, 2, 0, 0, 2000);
    sim_link_cut(world, 1, 2);
    run_to(sim, 4 * SIM_SECOND);
    sim_link_heal(world, 1, 2);
    sim_node_power_loss(world, 2);
    say(world, 1, 2, 0, 0, 2000);
    run_to(sim, 5 * SIM_SECOND);
    assert_int_equal(fired(world, SIM_FAULT_NET_OVERFLOW), 3 * (5 - room));
    assert_int_equal(sim_messages_in_flight(world), 0);
  }
  sim_close(sim);
}

/* --- Clogs, swizzles --------------------------------------------------------------------------- */

static void a_clog_holds_messages_and_delivers_them_in_order(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {.delay_min_ns = SIM_MS, .delay_max_ns = 20 * SIM_MS};
  struct sim_world *world = begin(sim, 1, link);
  (void)sim_link_clog(world, 1, 2, 500 * SIM_MS);
  uint64_t open_end = sim_link_clog(world, 1, 2, UINT64_MAX);
  for (uint32_t i = 0; i < 50; i++) {
    say(world, 1, 2, 0, i, 4);
    say(world, 2, 1, 0, i, 4);
    run_to(sim, (i + 1) * SIM_US);
  }
  run_to(sim, 600 * SIM_MS);
  assert_int_equal(seen_by(world, 1)->count, 50);
  assert_int_equal(seen_by(world, 2)->count, 0);
  assert_int_equal(sim_messages_in_flight(world), 50);
  assert_true(sim_link_is_clogged(world, 1, 2));
  assert_false(sim_link_is_clogged(world, 2, 1));
  sim_link_unclog(world, 1, 2, open_end);
  sim_link_unclog(world, 1, 2, open_end);
  run_to(sim, 600 * SIM_MS);
  const struct seen *seen = seen_by(world, 2);
  assert_int_equal(seen->count, 50);
  assert_int_equal(fired(world, SIM_FAULT_NET_CLOG), 50);
  /* The order of arrival is that of a world without the clog. */
  uint32_t order[50];
  for (uint32_t i = 0; i < 50; i++) {
    order[i] = seen->messages[i].number;
    assert_int_equal(seen->messages[i].at_ns, 600 * SIM_MS);
  }
  world = begin(sim, 1, link);
  for (uint32_t i = 0; i < 50; i++) {
    say(world, 1, 2, 0, i, 4);
    say(world, 2, 1, 0, i, 4);
    run_to(sim, (i + 1) * SIM_US);
  }
  run_to(sim, SIM_SECOND);
  for (uint32_t i = 0; i < 50; i++)
    assert_int_equal(seen_by(world, 2)->messages[i].number, order[i]);
  sim_close(sim);
}

static void chance_clogs_a_link_for_a_time_within_its_bounds(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {.clog_ppm = 10000, .clog_min_ns = 50 * SIM_MS, .clog_max_ns = 200 * SIM_MS};
  struct sim_world *world = begin(sim, 9, link);
  uint64_t began = 0, clogs = 0, shortest = UINT64_MAX, longest = 0;
  for (uint64_t ms = 1; ms < 4000; ms++) {
    say(world, 1, 2, 0, (uint32_t)ms, 4);
    run_to(sim, ms * SIM_MS);
    if (sim_link_is_clogged(world, 1, 2) && began == 0) began = ms;
    if (sim_link_is_clogged(world, 1, 2) || began == 0) continue;
    if (ms - began < shortest) shortest = ms - began;
    if (ms - began > longest) longest = ms - began;
    clogs++;
    began = 0;
  }
  run_to(sim, 5 * SIM_SECOND);
  assert_int_equal(seen_by(world, 2)->count, 3999);
  for (uint32_t i = 0; i < 3999; i++)
    assert_int_equal(seen_by(world, 2)->messages[i].number, i + 1);
  assert_in_range(clogs, 8, 30);
  assert_in_range(shortest, 49, 110);
  assert_in_range(longest, 140, 201);
  assert_true(fired(world, SIM_FAULT_NET_CLOG) > 500);
  sim_close(sim);
}

static void a_swizzle_clogs_in_one_order_and_releases_in_another(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  static const uint32_t nodes[] = {1, 2, 3};
  uint32_t other_order = 0, overlaps = 0;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    struct sim_link_config link = {0};
    struct sim_world *world = begin(sim, seed, link);
    sim_swizzle(world, nodes, 3, SIM_SECOND);
    uint64_t begins[4] = {0}, ends[4] = {0};
    for (uint64_t ms = 1; ms <= 1001; ms++) {
      run_to(sim, ms * SIM_MS);
      for (uint32_t node = 1; node <= 3; node++) { /* to 4, which is not swizzled */
        bool clogged = sim_link_is_clogged(world, node, 4) && sim_link_is_clogged(world, 4, node);
        if (clogged && begins[node] == 0) begins[node] = ms;
        if (!clogged && begins[node] != 0 && ends[node] == 0) ends[node] = ms;
      }
    }
    for (uint32_t node = 1; node <= 3; node++) {
      assert_in_range(begins[node], 1, 501);
      assert_in_range(ends[node], 500, 1001);
    }
    other_order += (begins[1] < begins[2]) != (ends[1] < ends[2]);
    overlaps += begins[1] < ends[2] && begins[2] < ends[1];
    assert_false(sim_link_is_clogged(world, 1, 2));
  }
  assert_in_range(other_order, 8, 32);
  assert_int_equal(overlaps, 40);
  sim_close(sim);
}

/* --- Flaps ---------------------------------------------------------------------------------------- */

static void a_flap_cuts_and_heals_until_it_ends_healed(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {0};
  struct sim_world *world = begin(sim, 1, link);
  const struct sim_flap_config config = {20 * SIM_MS, 20 * SIM_MS, 50 * SIM_MS, 50 * SIM_MS};
  const struct sim_link_name links[] = {{1, 2}, {3, 4}};
  uint64_t flap = sim_flap_begin(world, &config, links, 2);
  for (uint64_t ms = 0; ms < 700; ms++) {
    run_to(sim, ms * SIM_MS);
    assert_int_equal(sim_link_is_cut(world, 1, 2), ms % 70 < 20);
    assert_int_equal(sim_link_is_cut(world, 3, 4), ms % 70 < 20);
    assert_false(sim_link_is_cut(world, 2, 1));
  }
  run_to(sim, 710 * SIM_MS);
  assert_true(sim_link_is_cut(world, 1, 2));
  sim_link_cut(world, 1, 2); /* another's cut stays */
  sim_flap_end(world, flap);
  sim_flap_end(world, flap);
  assert_true(sim_link_is_cut(world, 1, 2));
  assert_false(sim_link_is_cut(world, 3, 4));
  sim_link_heal(world, 1, 2);
  assert_int_equal(sim_run(sim, SIM_SECOND, UINT64_MAX), SIM_END_IDLE);
  assert_false(sim_link_is_cut(world, 1, 2));
  sim_close(sim);
}

/* --- Rules ------------------------------------------------------------------------------------------ */

static void a_rule_takes_so_many_messages_of_its_kind_and_link(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {0};
  struct sim_world *world = begin(sim, 1, link);
  struct sim_rule rule = {.from = 1, .to = 2, .kind = 7, .action = SIM_RULE_DROP, .count = 3};
  (void)sim_rule_add(world, &rule);
  for (uint32_t i = 0; i < 10; i++) {
    say(world, 1, 2, i % 2 ? 7 : 8, i, 4);
    say(world, 1, 3, 7, i, 4);
    say(world, 2, 1, 7, i, 4);
  }
  run_to(sim, SIM_SECOND);
  static const uint32_t left[] = {0, 2, 4, 6, 7, 8, 9};
  assert_int_equal(seen_by(world, 2)->count, 7);
  for (uint32_t i = 0; i < 7; i++)
    assert_int_equal(seen_by(world, 2)->messages[i].number, left[i]);
  assert_int_equal(seen_by(world, 3)->count, 10);
  assert_int_equal(seen_by(world, 1)->count, 10);
  assert_int_equal(fired(world, SIM_FAULT_NET_RULE), 3);
  sim_close(sim);
}

static void rules_delay_duplicate_and_hold(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {.delay_min_ns = SIM_MS};
  struct sim_world *world = begin(sim, 1, link);
  struct sim_rule delay = {.kind = 1, .action = SIM_RULE_DELAY, .count = 1, .delay_ns = 9 * SIM_MS};
  struct sim_rule twice = {.kind = 1, .action = SIM_RULE_DUPLICATE, .delay_ns = 4 * SIM_MS};
  struct sim_rule hold = {.kind = 2, .to = 2, .action = SIM_RULE_HOLD};
  (void)sim_rule_add(world, &delay);
  uint64_t duplicates = sim_rule_add(world, &twice);
  uint64_t held = sim_rule_add(world, &hold);
  say(world, 1, 2, 1, 1, 4); /* at 10 ms */
  say(world, 1, 2, 1, 2, 4); /* at 1 and 5 ms */
  sim_rule_remove(world, duplicates);
  sim_rule_remove(world, duplicates);
  say(world, 1, 2, 1, 3, 4); /* at 1 ms */
  say(world, 1, 2, 2, 4, 4);
  say(world, 3, 2, 2, 5, 4);
  run_to(sim, 100 * SIM_MS);
  assert_int_equal(sim_messages_in_flight(world), 2);
  sim_rule_remove(world, held);
  run_to(sim, 200 * SIM_MS);
  static const uint32_t numbers[] = {2, 3, 2, 1, 4, 5};
  static const uint64_t times_ms[] = {1, 1, 5, 10, 100, 100};
  assert_int_equal(seen_by(world, 2)->count, 6);
  for (uint32_t i = 0; i < 6; i++) {
    assert_int_equal(seen_by(world, 2)->messages[i].number, numbers[i]);
    assert_int_equal(seen_by(world, 2)->messages[i].at_ns, times_ms[i] * SIM_MS);
  }
  sim_close(sim);
}

/* --- Calm --------------------------------------------------------------------------------------------- */

static void after_calm_nothing_is_held_lost_or_slow(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {
      .burst_enter_ppm = 1000000, .clog_ppm = 1000000, .queue_messages = 2, .bandwidth_bytes_per_s = 1};
  struct sim_world *world = begin(sim, 1, link);
  struct sim_link_config plain = {.clog_ppm = 1000000};
  sim_link_set(world, 1, 2, &plain);
  static const uint32_t nodes[] = {3, 4};
  const struct sim_link_name links[] = {{1, 2}};
  const struct sim_flap_config config = {SIM_SECOND, SIM_SECOND, SIM_SECOND, SIM_SECOND};
  struct sim_rule hold = {.from = 3, .action = SIM_RULE_HOLD};
  say(world, 1, 2, 0, 1, 4);
  (void)sim_link_clog(world, 2, 1, UINT64_MAX);
  (void)sim_flap_begin(world, &config, links, 1);
  (void)sim_rule_add(world, &hold);
  say(world, 3, 2, 0, 2, 4);
  sim_swizzle(world, nodes, 2, 10 * SIM_SECOND);
  sim_calm(world);
  run_to(sim, 10 * SIM_MS);
  assert_int_equal(seen_by(world, 2)->count, 2);
  uint64_t clogs = fired(world, SIM_FAULT_NET_CLOG);
  for (uint32_t i = 0; i < 100; i++)
    for (uint32_t to = 2; to <= 4; to++)
      say(world, 1, to, 0, i, 100);
  run_to(sim, 20 * SIM_MS);
  assert_int_equal(seen_by(world, 2)->count, 102);
  assert_int_equal(seen_by(world, 3)->count, 100);
  assert_int_equal(seen_by(world, 4)->count, 100);
  for (uint64_t second = 1; second <= 12; second++) {
    run_to(sim, second * SIM_SECOND);
    for (uint32_t from = 1; from <= NODES; from++)
      for (uint32_t to = 1; to <= NODES; to++)
        assert_false(sim_link_is_cut(world, from, to) || sim_link_is_clogged(world, from, to));
  }
  assert_int_equal(fired(world, SIM_FAULT_NET_CLOG), clogs);
  sim_close(sim);
}

static void what_healing_all_ended_does_not_heal_a_later_cut(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {0};
  struct sim_world *world = begin(sim, 1, link);
  const struct sim_link_name links[] = {{1, 2}};
  const struct sim_flap_config config = {SIM_SECOND, SIM_SECOND, SIM_SECOND, SIM_SECOND};
  uint64_t flap = sim_flap_begin(world, &config, links, 1);
  uint64_t clog = sim_link_clog(world, 1, 2, SIM_SECOND);
  sim_link_heal_all(world);
  sim_link_cut(world, 1, 2);
  (void)sim_link_clog(world, 1, 2, UINT64_MAX);
  sim_flap_end(world, flap);
  sim_link_unclog(world, 1, 2, clog);
  run_to(sim, 3 * SIM_SECOND);
  assert_true(sim_link_is_cut(world, 1, 2) && sim_link_is_clogged(world, 1, 2));
  sim_close(sim);
}

static void a_burst_does_not_outlive_calm_and_a_hold_has_no_duplicates(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {.burst_enter_ppm = 1000000, .burst_leave_ppm = 1};
  struct sim_link_config twice = {.duplicate_ppm = 1000000, .duplicate_max_ns = SIM_MS};
  struct sim_world *world = begin(sim, 1, link);
  say(world, 1, 2, 0, 0, 4);
  sim_calm(world);
  link.burst_enter_ppm = 1;
  sim_link_set(world, 1, 2, &link);
  for (uint32_t i = 0; i < 100; i++)
    say(world, 1, 2, 0, i, 4);
  run_to(sim, 10 * SIM_MS);
  assert_int_equal(seen_by(world, 2)->count, 100);
  sim_link_set(world, 1, 2, &twice);
  struct sim_rule hold = {.action = SIM_RULE_HOLD};
  uint64_t rule = sim_rule_add(world, &hold);
  say(world, 1, 2, 0, 0, 4);
  run_to(sim, SIM_SECOND);
  assert_int_equal(seen_by(world, 2)->count, 100);
  sim_rule_remove(world, rule);
  run_to(sim, 2 * SIM_SECOND);
  assert_int_equal(seen_by(world, 2)->count, 101);
  sim_close(sim);
}

static void a_calm_source_leaves_every_message_alone(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_link_config link = {
      .burst_enter_ppm = 500000, .clog_ppm = 500000, .delay_min_ns = SIM_MS, .delay_mean_ns = SIM_SECOND};
  struct sim_choice_source source = {.seed = 1, .rest = SIM_REST_CALM};
  struct sim_world *world = begin_under(sim, &source, link);
  struct sim_rule rule = {.action = SIM_RULE_DROP};
  (void)sim_rule_add(world, &rule);
  for (uint32_t i = 0; i < 100; i++)
    say(world, 1, 2, 0, i, 4);
  run_to(sim, SIM_MS);
  assert_int_equal(seen_by(world, 2)->count, 100);
  sim_close(sim);
}

static void only_links_that_carried_a_message_cost_memory(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1},
                              .link = {.burst_enter_ppm = 1000, .bandwidth_bytes_per_s = 1000000}};
  struct sim_world *world = sim_world_begin(sim, &config);
  struct toy_config toy = {0};
  for (uint32_t i = 1; i <= SIM_NODES_MAX; i++) {
    assert_int_equal(sim_node_add(world, &toy_node_kind, &toy, sizeof toy), i);
    assert_true(sim_node_boot(world, i));
  }
  size_t before = sim_arena_used_bytes(sim_arena(sim));
  for (uint32_t i = 1; i <= SIM_NODES_MAX; i++)
    say(world, i, i % SIM_NODES_MAX + 1, 0, 0, 4);
  run_to(sim, SIM_SECOND);
  assert_true(sim_arena_used_bytes(sim_arena(sim)) - before < 2u << 20);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exponential_delays_have_their_least_and_their_mean),
      cmocka_unit_test(a_burst_loses_neighbours_and_only_on_its_link),
      cmocka_unit_test(messages_follow_one_another_on_a_narrow_line),
      cmocka_unit_test(what_overflows_a_queue_is_lost_and_delivery_makes_room),
      cmocka_unit_test(a_clog_holds_messages_and_delivers_them_in_order),
      cmocka_unit_test(chance_clogs_a_link_for_a_time_within_its_bounds),
      cmocka_unit_test(a_swizzle_clogs_in_one_order_and_releases_in_another),
      cmocka_unit_test(a_flap_cuts_and_heals_until_it_ends_healed),
      cmocka_unit_test(a_rule_takes_so_many_messages_of_its_kind_and_link),
      cmocka_unit_test(rules_delay_duplicate_and_hold),
      cmocka_unit_test(after_calm_nothing_is_held_lost_or_slow),
      cmocka_unit_test(what_healing_all_ended_does_not_heal_a_later_cut),
      cmocka_unit_test(a_burst_does_not_outlive_calm_and_a_hold_has_no_duplicates),
      cmocka_unit_test(a_calm_source_leaves_every_message_alone),
      cmocka_unit_test(only_links_that_carried_a_message_cost_memory),
  };
  return cmocka_run_group_tests_name("link", tests, NULL, NULL) != 0;
}
