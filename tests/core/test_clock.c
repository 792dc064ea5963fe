/* Clocks that show anything: wall clocks at both ends of 64 bits, frozen, jumping between any two calls; peers with
 * such clocks; monotonic clocks with any zero. The order of concurrent writes may suffer, within the clock bound;
 * nothing else does. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/base.h"
#include "tests/support/replica.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define HOUR (3600 * SECOND)
#define CENTURY (UINT64_C(36525) * 24 * HOUR)
#define TODAY UINT64_C(1700000000000000000)
#define END UINT64_MAX
#define BOUND (500 * MS) /* core/sync.h: the default */
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct replicas *world;

/* --- Wall clocks that the test bends ------------------------------------------------ */

static struct {
  struct sync_env_ops ops;
  bool jumps;      /* at every reading */
  uint64_t random; /* ... from here */
  uint64_t reads, last;
} wall;

static const uint64_t extremes[] = {0,
                                    1,
                                    SECOND,
                                    TODAY,
                                    TODAY + 1,
                                    TODAY - BOUND,
                                    TODAY + HOUR,
                                    TODAY + CENTURY,
                                    END - BOUND - 1,
                                    END - BOUND,
                                    END - BOUND / 2,
                                    END - 10,
                                    END - 1,
                                    END};

static uint64_t bent_wall_ns(void *ctx) {
  const struct memory_env *memory = ctx;
  wall.reads++;
  wall.last = wall.jumps ? extremes[memory_env_random(&wall.random) % COUNT(extremes)] : memory->wall_ns;
  return wall.last;
}

static void begin(uint32_t count) {
  replicas_init(world, count);
  memset(&wall, 0, sizeof wall);
  wall.ops = *world->at[0].memory.env.ops;
  wall.ops.wall_ns = bent_wall_ns;
  for (uint32_t i = 0; i < count; i++)
    world->at[i].memory.env.ops = &wall.ops;
}

static void all_linked(uint32_t count) {
  begin(count);
  for (uint32_t i = 0; i < count; i++)
    for (uint32_t k = i + 1; k < count; k++)
      replicas_link(world, i, k);
}

static void set_wall(uint32_t index, uint64_t ns) {
  world->at[index].memory.wall_ns = ns;
}

static uint64_t hlc_of(uint32_t index, const char *key) {
  struct sync_sibling winner;
  assert_int_equal(sync_get(world->at[index].engine, key, strlen(key), &winner), SYNC_OK);
  return winner.hlc;
}

/* Writes with the wall clock at `ns`; its time. */
static uint64_t write_at(uint32_t index, uint64_t ns, const char *key) {
  set_wall(index, ns);
  replica_put(world, index, key, "value");
  return hlc_of(index, key);
}

static void reopen(uint32_t index) {
  replica_close(world, index);
  replica_open(world, index);
}

/* What every write must be, whatever its node's clock showed and whatever had the greatest time there. */
static void is_safe(uint64_t hlc, uint64_t now, uint64_t greatest, uint64_t bound) {
  uint64_t furthest = time_add(now, bound);
  assert_true(hlc <= time_add(furthest, 1));
  assert_true(hlc > now || now == END);
  if (greatest <= furthest) assert_true(hlc > greatest || greatest == END);
}

/* --- Adoption ----------------------------------------------------------------------- */

static void a_write_passes_its_own_clock_and_what_its_node_held_up_to_the_bound_at_both_ends_of_time(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(extremes); i++)
    for (size_t k = 0; k < COUNT(extremes); k++) {
      all_linked(2);
      uint64_t seen = write_at(0, extremes[i], "k");
      is_safe(seen, extremes[i], 0, BOUND);
      (void)replicas_settle(world, 40);
      uint64_t now = extremes[k];
      set_wall(1, now);
      replica_put(world, 1, "k", "later");
      uint64_t hlc = hlc_of(1, "k");
      is_safe(hlc, now, seen, BOUND);
      /* Nothing is adopted that need not be. */
      assert_true(hlc == time_add(now, 1) || hlc == time_add(seen, 1) || hlc == time_add(time_add(now, BOUND), 1));
      (void)replicas_settle(world, 40);
      assert_true(replica_reads(world, 0, "k", "later"));
      assert_true(replicas_agree(world));
      replicas_destroy(world);
    }
}

static void the_bound_itself_is_adopted_and_a_nanosecond_more_is_not(void **state) {
  (void)state;
  for (uint64_t past = 0; past < 3; past++) {
    all_linked(2);
    set_wall(1, TODAY);
    uint64_t seen = write_at(0, TODAY + BOUND - 1 + past, "k");
    assert_true(seen == TODAY + BOUND + past);
    (void)replicas_settle(world, 40);
    assert_int_equal(replica_stats(world, 1).future_clock, past > 0);
    assert_true(write_at(1, TODAY, "k") == TODAY + BOUND + 1);
    replicas_destroy(world);
  }
}

/* Each adopts from the others what it may, a thousand times: that must not add up. */
static void bounds_do_not_add_up_from_node_to_node(void **state) {
  (void)state;
  all_linked(4);
  (void)write_at(0, END, "poison");
  (void)replicas_settle(world, 100);
  for (uint32_t i = 1; i < 4; i++)
    assert_int_equal(replica_stats(world, i).future_clock, 1);
  for (uint32_t round = 0; round < 300; round++) {
    uint32_t writer = round % 4;
    uint64_t now = TODAY + writer * (BOUND / 2) + round;
    uint64_t hlc = write_at(writer, now, "k");
    is_safe(hlc, now, 0, BOUND);
    for (uint32_t i = 0; i < 4; i++)
      set_wall(i, TODAY);
    (void)replicas_settle(world, 100);
    for (uint32_t i = 0; i < 4; i++)
      assert_true(hlc_of(i, "k") == hlc);
  }
  /* He who was in 2554 is back, and writes as the others do: his time goes back, on the wire too. */
  is_safe(write_at(0, TODAY, "poison"), TODAY, 0, BOUND);
  (void)replicas_settle(world, 100);
  assert_true(replicas_agree(world));
  assert_true(hlc_of(3, "poison") == TODAY + BOUND + 1);
  reopen(3);
  assert_true(hlc_of(3, "poison") == TODAY + BOUND + 1);
  replicas_destroy(world);
}

static void a_bound_of_all_time_adopts_all_and_does_not_begin_again_at_zero(void **state) {
  (void)state;
  all_linked(2);
  world->at[1].options.clock_bound_ns = END;
  reopen(1);
  replicas_link(world, 0, 1);
  for (uint64_t left = 4; left-- > 0;) {
    (void)write_at(0, END - left, "k");
    (void)replicas_settle(world, 40);
    assert_true(write_at(1, 0, "k") == time_add(END - left, 2));
    (void)replicas_settle(world, 40);
  }
  assert_true(hlc_of(0, "k") == END);
  assert_int_equal(replica_stats(world, 1).future_clock, 0);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

/* --- Frozen, jumping ---------------------------------------------------------------- */

static void a_frozen_clock_counts_on_up_to_the_bound_and_writes_stay_in_order_behind_it(void **state) {
  (void)state;
  static const uint64_t stands[] = {0, TODAY, END - 12, END - 3, END};
  for (size_t i = 0; i < COUNT(stands); i++) {
    all_linked(2);
    world->at[0].options.clock_bound_ns = 5;
    reopen(0);
    replicas_link(world, 0, 1);
    uint64_t before = 0;
    char value[16];
    for (uint64_t n = 1; n <= 40; n++) {
      set_wall(0, stands[i]);
      set_wall(1, stands[i]);
      (void)snprintf(value, sizeof value, "%u", (unsigned)n);
      replica_put(world, 0, "k", value);
      uint64_t hlc = hlc_of(0, "k");
      is_safe(hlc, stands[i], before, 5);
      assert_true(hlc == time_add(stands[i], n < 6 ? n : 6));
      before = hlc;
      if (n % 3 == 0) { /* a life ends, and time stands still */
        replica_flush(world, 0);
        reopen(0);
      }
      if (n % 5 == 0) (void)replicas_settle(world, 60);
      assert_true(replica_reads(world, 0, "k", value));
    }
    (void)replicas_settle(world, 60);
    assert_true(replica_reads(world, 1, "k", "40"));
    assert_true(replicas_agree(world));
    replicas_destroy(world);
  }
}

static void a_clock_that_jumps_between_any_two_calls_disturbs_the_order_of_concurrent_writes_alone(void **state) {
  (void)state;
  static const char *const keys[] = {"a", "b", "c"};
  for (uint64_t seed = 1; seed <= 30; seed++) {
    all_linked(3);
    wall.jumps = true;
    wall.random = seed;
    uint64_t random = seed, greatest[3] = {0};
    for (uint32_t step = 0; step < 120; step++) {
      uint32_t index = (uint32_t)(memory_env_random(&random) % 3);
      const char *key = keys[memory_env_random(&random) % 3];
      if (memory_env_random(&random) % 4 == 0) {
        (void)replicas_settle(world, 400);
        for (uint32_t i = 0; i < 3; i++)
          greatest[i] = 0; /* those of the others too: not known here */
        continue;
      }
      uint64_t reads = wall.reads;
      replica_put(world, index, key, "v");
      assert_true(wall.reads == reads + 1); /* one time for one operation */
      uint64_t hlc = hlc_of(index, key);
      is_safe(hlc, wall.last, greatest[index], BOUND);
      if (greatest[index] < hlc) greatest[index] = hlc;
      struct sync_digest digest;
      sync_digest_get(world->at[index].engine, &digest);
      assert_true(digest.siblings <= 9);
    }
    for (uint32_t k = 0; k < COUNT(keys); k++) { /* each sees all there is, and wins over it */
      (void)replicas_settle(world, 400);
      replica_put(world, k, keys[k], "last");
    }
    (void)replicas_settle(world, 400);
    for (uint32_t i = 0; i < 3; i++)
      for (uint32_t k = 0; k < COUNT(keys); k++)
        assert_true(replica_reads(world, i, keys[k], "last"));
    assert_true(replicas_agree(world));
    replicas_destroy(world);
  }
}

/* --- Starts ------------------------------------------------------------------------- */

/* `base`: from a base alone, of which the log has nothing behind. */
static void starts_behind(bool base, uint64_t back_ns) {
  begin(1);
  world->at[0].options.snapshot_bytes = UINT64_MAX;
  reopen(0);
  uint64_t greatest = write_at(0, TODAY, "greatest");
  uint64_t now = TODAY - back_ns;
  (void)write_at(0, now, "greatest"); /* what had it is replaced */
  if (hlc_of(0, "greatest") > greatest) greatest = hlc_of(0, "greatest");
  replica_flush(world, 0);
  if (base) {
    replica_snapshot(world, 0);
    set_wall(0, now);
  }
  reopen(0);
  uint64_t hlc = write_at(0, now, "after");
  is_safe(hlc, now, greatest, BOUND);
  assert_true(hlc == (greatest <= now + BOUND ? greatest + 1 : now + BOUND + 1));
  replicas_destroy(world);
}

static void a_start_with_the_clock_before_what_is_held_goes_on_past_it_up_to_the_bound(void **state) {
  (void)state;
  static const uint64_t backs[] = {0, 1, BOUND - 2, BOUND - 1, BOUND, BOUND + 1, HOUR, TODAY};
  for (size_t i = 0; i < COUNT(backs); i++)
    for (int base = 0; base < 2; base++)
      starts_behind(base != 0, backs[i]);
}

static void a_merged_snapshot_is_adopted_as_its_operations_are(void **state) {
  (void)state;
  static const uint64_t ahead[] = {BOUND - 100, BOUND - 1, BOUND, BOUND + 1, HOUR, END - TODAY};
  for (size_t i = 0; i < COUNT(ahead); i++) {
    begin(2);
    for (uint32_t k = 0; k < 2; k++) {
      world->at[k].options.segment_bytes = 4096;
      world->at[k].options.snapshot_bytes = UINT64_MAX;
      world->at[k].options.retain_bytes = 1;
      reopen(k);
    }
    set_wall(0, TODAY);
    replica_put_many(world, 0, 0, 150, "a value that fills segments of four kibibytes, so that the log is cut");
    uint64_t seen = write_at(0, TODAY + ahead[i], "key-001");
    set_wall(0, TODAY);
    replica_snapshot(world, 0);
    replicas_link(world, 0, 1);
    replicas_settle_for(world, 20 * SECOND);
    assert_int_equal(replica_stats(world, 1).merges, 1);
    assert_true(hlc_of(1, "key-001") == seen);
    uint64_t hlc = write_at(1, TODAY, "k");
    is_safe(hlc, TODAY, seen, BOUND);
    assert_true(hlc == (seen <= TODAY + BOUND ? seen + 1 : TODAY + BOUND + 1));
    reopen(1);
    assert_true(write_at(1, TODAY, "k") == (hlc <= TODAY + BOUND ? hlc + 1 : hlc));
    replicas_destroy(world);
  }
}

/* --- Timers ------------------------------------------------------------------------- */

#define RUN_STEPS 400u
#define RUN_NOTES 20000u

/* All that three engines do, and when, by their monotonic clock. */
struct run {
  uint64_t notes[RUN_NOTES];
  size_t count;
  uint64_t sweeps;
};

static void note(struct run *run, uint64_t value) {
  assert_true(run->count < RUN_NOTES);
  run->notes[run->count++] = value;
}

static void note_deadlines(struct run *run) {
  for (uint32_t i = 0; i < world->count; i++) {
    uint64_t deadline = sync_next_deadline(world->at[i].engine);
    uint64_t now = world->at[i].memory.mono_ns;
    note(run, deadline == SYNC_NO_DEADLINE ? END : deadline <= now ? 0 : deadline - now);
  }
}

static void note_frames(struct run *run, uint32_t index) {
  size_t before = world->frame_count;
  (void)replica_collect(world, index);
  for (size_t i = before; i < world->frame_count; i++)
    note(run, index * 100u + world->frames[i].to * 10u + replicas_frame_type(world, i));
}

/* Writes, losses, long silences and a start, the same in every run. */
static void run_with(struct run *run, uint64_t zero_ns, bool bent) {
  run->count = run->sweeps = 0;
  begin(3);
  for (uint32_t i = 0; i < 3; i++) {
    replica_close(world, i);
    world->at[i].memory.mono_ns = zero_ns;
    world->at[i].memory.pick_result = UINT64_C(1234567);
    world->at[i].options.ack_delay_ns = 0;
    world->at[i].options.fsync_spacing_ns = 10 * MS;
    world->at[i].options.sweep_interval_ns = 200 * MS;
    replica_open(world, i);
  }
  for (uint32_t i = 0; i < 3; i++)
    replicas_link(world, i, (i + 1) % 3);
  wall.jumps = bent;
  uint64_t random = 9;
  for (uint32_t step = 0; step < RUN_STEPS; step++) {
    uint64_t what = memory_env_random(&random) % 16;
    uint32_t index = (uint32_t)(memory_env_random(&random) % 3);
    char key[8];
    (void)snprintf(key, sizeof key, "k%u", (unsigned)(memory_env_random(&random) % 9));
    if (what < 4) replica_put(world, index, key, "value");
    if (what == 4) (void)snprintf(key, sizeof key, "d%u", (unsigned)step);
    if (what == 4) replica_delete(world, index, key);
    if (what == 5 && step % 5 == 0) {
      reopen(index);
      replicas_link(world, index, (index + 1) % 3);
      replicas_link(world, index, (index + 2) % 3);
    }
    if (what >= 6) {
      uint64_t token;
      while (memory_env_complete(&world->at[index].memory, SYNC_OK, &token))
        assert_int_equal(sync_disk_done(world->at[index].engine, token, SYNC_OK), SYNC_OK);
    }
    for (uint32_t i = 0; i < 3; i++)
      note_frames(run, i);
    bool silent = step / 60 % 3 == 1; /* nothing arrives: timeouts, backoff, parking */
    for (uint64_t n = memory_env_random(&random) % 16; n > 0 && world->frame_count > 0; n--) {
      if (silent)
        replicas_drop(world, 0);
      else
        (void)replicas_deliver(world, 0, false);
    }
    uint64_t reads = wall.reads;
    note_deadlines(run);
    uint64_t passes = silent ? 2 * SECOND : memory_env_random(&random) % (50 * MS);
    for (uint32_t i = 0; i < 3; i++) {
      uint64_t written = replica_stats(world, i).own_writes;
      world->at[i].memory.mono_ns += passes;
      assert_int_equal(sync_tick(world->at[i].engine, NULL), SYNC_OK);
      written = replica_stats(world, i).own_writes - written;
      reads += written;
      run->sweeps += written;
    }
    assert_true(wall.reads == reads); /* to tell the time of sweeps alone */
    note_deadlines(run);
  }
  replicas_destroy(world);
}

static void runs_are_equal(const struct run *a, const struct run *b) {
  for (size_t i = 0; i < a->count && i < b->count; i++)
    if (a->notes[i] != b->notes[i]) {
      print_error("note %zu of %zu: %llu and %llu\n", i, a->count, (unsigned long long)a->notes[i],
                  (unsigned long long)b->notes[i]);
      fail();
    }
  assert_true(a->count == b->count);
}

static struct run first_run, other_run;

static void no_timer_follows_the_wall_clock(void **state) {
  (void)state;
  run_with(&first_run, SECOND, false);
  assert_true(first_run.sweeps > 10);
  run_with(&other_run, SECOND, true);
  runs_are_equal(&first_run, &other_run);
}

static void the_monotonic_clock_may_have_any_zero(void **state) {
  (void)state;
  static const uint64_t zeros[] = {0, 1, HOUR, TODAY, UINT64_C(1) << 63, END - 1000 * HOUR};
  run_with(&first_run, SECOND, false);
  for (size_t i = 0; i < COUNT(zeros); i++) {
    run_with(&other_run, zeros[i], false);
    runs_are_equal(&first_run, &other_run);
  }
}

/* A wait that goes past the end of 64 bits is one for ever; it is not over. */
static void no_wait_wraps_around_the_end_of_the_clock(void **state) {
  (void)state;
  static const uint64_t waits[] = {0, 100 * HOUR, END - 1, END}; /* 0: the defaults */
  static const uint64_t starts[] = {SECOND, END - 8 * SECOND, END - 4 * SECOND, END};
  for (size_t i = 0; i < COUNT(waits); i++)
    for (size_t from = 0; from < 3 * COUNT(starts); from++) {
      begin(3);
      replica_close(world, 2); /* it never answers */
      for (uint32_t k = 0; k < 2; k++) {
        replica_close(world, k);
        world->at[k].memory.mono_ns = starts[from / 3];
        world->at[k].memory.pick_result = from % 3 < 2 ? from % 3 : END;
        struct sync_options *options = &world->at[k].options;
        options->retry_interval_ns = options->retry_cap_ns = options->probe_interval_ns = waits[i];
        options->ack_timeout_ns = options->idle_hello_ns = options->idle_mark_ns = waits[i];
        options->sweep_interval_ns = options->clock_bound_ns = waits[i];
        options->ack_delay_ns = 0;
        replica_open(world, k);
      }
      replicas_link(world, 0, 1);
      for (uint32_t k = 0; k < 2; k++)
        assert_int_equal(sync_peer_add(world->at[k].engine, world->at[2].node_id, NULL), SYNC_OK);
      for (uint32_t turn = 0; turn < 50; turn++) {
        replica_put(world, turn % 2, "k", "value");
        if (turn % 3 == 0) replica_delete(world, turn % 2, "k");
        (void)replicas_settle(world, 40);
        uint64_t now = world->at[0].memory.mono_ns;
        for (uint32_t k = 0; k < 2; k++) {
          assert_int_equal(sync_tick(world->at[k].engine, NULL), SYNC_OK);
          replica_flush(world, k);
          (void)replica_collect(world, k);
          replicas_drop_all(world);
          uint64_t deadline = sync_next_deadline(world->at[k].engine);
          assert_true(deadline > now || now == END);
        }
        if (END - now >= 100 * MS)
          for (uint32_t k = 0; k < 2; k++)
            world->at[k].memory.mono_ns += 100 * MS;
      }
      replicas_destroy(world);
    }
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_write_passes_its_own_clock_and_what_its_node_held_up_to_the_bound_at_both_ends_of_time),
      cmocka_unit_test(the_bound_itself_is_adopted_and_a_nanosecond_more_is_not),
      cmocka_unit_test(bounds_do_not_add_up_from_node_to_node),
      cmocka_unit_test(a_bound_of_all_time_adopts_all_and_does_not_begin_again_at_zero),
      cmocka_unit_test(a_frozen_clock_counts_on_up_to_the_bound_and_writes_stay_in_order_behind_it),
      cmocka_unit_test(a_clock_that_jumps_between_any_two_calls_disturbs_the_order_of_concurrent_writes_alone),
      cmocka_unit_test(a_start_with_the_clock_before_what_is_held_goes_on_past_it_up_to_the_bound),
      cmocka_unit_test(a_merged_snapshot_is_adopted_as_its_operations_are),
      cmocka_unit_test(no_timer_follows_the_wall_clock),
      cmocka_unit_test(the_monotonic_clock_may_have_any_zero),
      cmocka_unit_test(no_wait_wraps_around_the_end_of_the_clock),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
