/* What many opens leave behind: operations and HELLOs do not grow with them. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "tests/support/replica.h"

#define OPENS 60u
#define VALUE_BYTES_MAX 64u

static struct replicas *world;

static int begin(void **state) {
  world = calloc(1, sizeof *world);
  if (world == NULL) return -1;
  replicas_init(world, 3);
  for (uint32_t i = 0; i < 3; i++) {
    replica_close(world, i);
    world->at[i].options.value_bytes_max = VALUE_BYTES_MAX;
    replica_open(world, i);
  }
  *state = world;
  return 0;
}

static int end(void **state) {
  (void)state;
  replicas_destroy(world);
  free(world);
  return 0;
}

/* A life of n0 with `writes` operations that n1 hears of. */
static void live(uint32_t number, uint32_t writes) {
  replica_flush(world, 0);
  replica_close(world, 0);
  replica_open(world, 0);
  char key[16];
  for (uint32_t i = 0; i < writes; i++) {
    snprintf(key, sizeof key, "k%u", (number + i) % 5u);
    replica_put(world, 0, key, "v");
  }
  replicas_settle(world, 10000);
}

static size_t last_operation_size(uint32_t index) {
  const struct oplog *oplog = &world->at[index].engine->state.oplog;
  return oplog_at(oplog, oplog_end(oplog) - 1)->size;
}

static void an_operation_does_not_grow_with_the_number_of_opens(void **state) {
  (void)state;
  replicas_link(world, 0, 1);
  live(0, 2);
  live(1, 2);
  size_t early = last_operation_size(0);
  for (uint32_t i = 2; i < OPENS; i++)
    live(i, 1 + i % 2);
  assert_true(last_operation_size(0) <= early + 16);
  replica_put(world, 1, "first", "v");
  assert_true(last_operation_size(1) <= 100);
  /* One that heard of everything between two operations of its own. */
  replicas_link(world, 1, 2);
  replica_put(world, 2, "alone", "v");
  replicas_settle(world, 10000);
  replica_put(world, 2, "later", "v");
  assert_true(last_operation_size(2) <= 120);
  replicas_link(world, 0, 2);
  replicas_settle(world, 10000);
  assert_true(replicas_agree(world));
}

/* n0's lives [from, to) are as their writer knew them, whoever is asked. */
static void what_is_left_out_of_a_delta_is_implied_everywhere(void **state) {
  (void)state;
  replicas_link(world, 0, 1);
  for (uint32_t i = 0; i < 10; i++)
    live(i, 1);
  replica_put(world, 1, "k", "has seen them all");
  replica_flush(world, 1);
  const struct sync_engine *writer = world->at[1].engine;
  const struct oplog_entry *entry = oplog_at(&writer->state.oplog, oplog_end(&writer->state.oplog) - 1);
  uint8_t bytes[512];
  enum wal_record_type type;
  size_t size = 0;
  assert_int_equal(wal_read(writer->wal, entry->position, &type, bytes, sizeof bytes, &size), SYNC_OK);
  struct operation_view view;
  assert_int_equal(operation_parse(bytes, size, &writer->limits, &view), SYNC_OK);
  assert_int_equal(view.delta_count, 1); /* n0's last life stands for all */
  struct bytes_reader delta = operation_delta(&view);
  const struct origin *named = origins_at(&writer->state.origins, operation_next_dot(&delta).origin);
  struct origin *last = world->at[0].engine->own;
  assert_int_equal(named->incarnation, last->incarnation);
  /* Its birth, and the births of that, are all the others. */
  struct vector vector = {0};
  struct sync_engine *engine = world->at[0].engine;
  assert_int_equal(vector_reserve(engine->env, &vector, origins_count(&engine->state.origins)), SYNC_OK);
  (void)vector_raise(&vector, last->index, last->applied);
  origins_complete(&engine->state.origins, &vector);
  for (size_t i = 0; i < origins_count(&engine->state.origins); i++) {
    const struct origin *origin = origins_at(&engine->state.origins, i);
    assert_int_equal(vector_get(&vector, origin->index), origin->applied);
  }
  vector_free(engine->env, &vector);
}

static void a_life_that_lost_its_end_is_covered_up_to_there(void **state) {
  (void)state;
  /* A life loses its end with the power: its next one is born to what was left,
   * and n1 has no more than that. */
  replicas_link(world, 0, 1);
  live(0, 1);
  replica_close(world, 0);
  replica_open(world, 0);
  replica_put(world, 0, "a", "first");
  replica_flush(world, 0);
  replica_put(world, 0, "b", "second, not fsynced");
  const struct origin *life = world->at[0].engine->own;
  assert_int_equal(life->covered, 0);
  uint64_t incarnation = life->incarnation;
  replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, 1);
  replica_open(world, 0);
  replica_put(world, 0, "c", "next life");
  replicas_settle(world, 10000);
  struct sync_engine *engine = world->at[1].engine;
  const struct origin *elder = origins_find(&engine->state.origins, (const uint8_t *)"n0", 2, incarnation);
  assert_non_null(elder);
  assert_int_equal(elder->applied, 1);
  assert_int_equal(elder->covered, 1);
}

/* Entries of the last HELLO from n0 to n1, who holds everything, after an idle greeting that names nothing. */
static size_t hello_entries(size_t *bytes) {
  size_t entries = 0;
  replicas_advance(world, UINT64_C(60000000000));
  assert_int_equal(replica_collect(world, 0), 1);
  assert_int_equal(replicas_frame_type(world, 0), FRAME_NEWS);
  assert_true(world->frames[0].size < 64);
  replicas_settle(world, 10000);
  peer_at(&world->at[0].engine->peers, 0)->greet = true;
  replicas_advance(world, UINT64_C(120000000000)); /* an idle greeting */
  (void)replica_collect(world, 0);
  while (world->frame_count > 0) {
    const struct replica_frame *frame = &world->frames[0];
    struct frame_view view;
    struct hello said;
    if (frame->from == 0 && replicas_frame_type(world, 0) == FRAME_HELLO) {
      assert_int_equal(frame_parse(frame->bytes, frame->size, world->at[0].options.cluster_id, &view), SYNC_OK);
      assert_int_equal(hello_parse(view.body, view.body_size, &said), SYNC_OK);
      entries = 0;
      struct hello_walk walk = hello_walk_of(said.nodes);
      for (struct hello_entry entry; hello_next(&walk, &entry);)
        entries++;
      *bytes = frame->size;
    }
    assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  }
  return entries;
}

/* OPENS=N in the environment: so many, and what they cost is printed. */
static void reopenings_cost_one_entry_on_the_wire_and_little_memory(void **state) {
  (void)state;
  const char *asked = getenv("OPENS");
  uint32_t opens = asked == NULL ? 300 : (uint32_t)strtoul(asked, NULL, 10);
  replicas_link(world, 0, 1);
  live(0, 1);
  uint64_t before = world->at[0].memory.nominal_bytes;
  for (uint32_t i = 1; i < opens; i++) {
    live(i, 1);
    for (unsigned turns = 0; turns < 40; turns++) { /* a snapshot may be due, and files may go */
      replicas_advance(world, 1000000);
      replicas_settle(world, 10000);
    }
  }
  size_t bytes = 0;
  size_t entries = hello_entries(&bytes);
  uint64_t each = (world->at[0].memory.nominal_bytes - before) / opens;
  struct sync_stats stats;
  sync_stats_get(world->at[0].engine, &stats);
  if (asked != NULL)
    print_message(
        "%u reopenings, a put in each: a HELLO of %zu bytes with %zu entries, %llu nominal bytes of memory for each, "
        "an operation of %zu bytes, a snapshot of %llu bytes\n",
        opens, bytes, entries, (unsigned long long)each, last_operation_size(0),
        (unsigned long long)stats.snapshot_bytes);
  assert_true(entries == 1 && bytes < 200);
  assert_true(each < 512);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(an_operation_does_not_grow_with_the_number_of_opens, begin, end),
      cmocka_unit_test_setup_teardown(what_is_left_out_of_a_delta_is_implied_everywhere, begin, end),
      cmocka_unit_test_setup_teardown(reopenings_cost_one_entry_on_the_wire_and_little_memory, begin, end),
      cmocka_unit_test_setup_teardown(a_life_that_lost_its_end_is_covered_up_to_there, begin, end),
  };
  int r = cmocka_run_group_tests_name("opens", tests, NULL, NULL);
  return r != 0;
}
