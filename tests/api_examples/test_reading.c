/* Examples of reading, of comparing replicas, and of counters. */
#include "tests/api_examples/example.h"

static void a_key_reads_as_its_value(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  example_put(0, "colour", "green");
  char text[16] = "";
  /* example: sync_get */
  struct sync_sibling found;
  int status = sync_get(engine, "colour", 6, &found);
  if (status == SYNC_OK) /* the value is the engine's: copy what you keep */
    (void)snprintf(text, sizeof text, "%.*s", (int)found.value_size, (const char *)found.value);
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_string_equal(text, "green");
  assert_int_equal(sync_get(engine, "size", 4, &found), SYNC_E_NOT_FOUND);
  example_end();
}

/* example: sync_siblings */
static int count_values(void *arg, const struct sync_sibling *sibling) {
  size_t *values = arg;
  if (!sibling->tombstone) ++*values;
  return 0; /* go on */
}
/* end */

static void concurrent_writes_stand_beside_each_other(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(2);
  example_put(0, "colour", "green");
  example_put(1, "colour", "red");
  example_settle();
  /* example: sync_siblings */
  size_t values = 0;
  int status = sync_siblings(engine, "colour", 6, count_values, &values);
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_int_equal(values, 2);
  example_end();
}

/* example: sync_iterate */
static int add_size(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  size_t *bytes = arg;
  (void)key;
  *bytes += key_size + winner->value_size;
  return 0;
}
/* end */

static void keys_are_listed_by_prefix(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  example_put(0, "cart/1", "apple");
  example_put(0, "cart/2", "pear");
  example_put(0, "user", "ann");
  /* example: sync_iterate */
  size_t bytes = 0;
  int status = sync_iterate(engine, "cart/", 5, NULL, 0, false, add_size, &bytes);
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_int_equal(bytes, 6 + 5 + 6 + 4);
  example_end();
}

/* example: sync_vector */
static int add_seq(void *arg, const struct sync_origin *origin, uint64_t seq) {
  uint64_t *operations = arg;
  (void)origin; /* node id and incarnation: one life of one writer */
  *operations += seq;
  return 0;
}
/* end */

static void replicas_are_compared(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(2);
  struct sync_engine *other = example_world.at[1].engine;
  struct sync_receipt receipt;
  assert_int_equal(sync_put(engine, "colour", 6, "green", 5, &receipt), SYNC_OK);
  example_settle();
  /* example: sync_digest_get */
  struct sync_digest here, there;
  sync_digest_get(engine, &here);
  sync_digest_get(other, &there); /* on another machine: send these numbers over */
  bool equal = here.vector == there.vector && here.state == there.state;
  /* end */
  assert_true(equal);
  /* example: sync_digest_recompute */
  struct sync_digest fresh;
  sync_digest_recompute(engine, &fresh);
  bool sound = fresh.state == here.state && fresh.vector == here.vector;
  /* end */
  assert_true(sound);
  /* example: sync_vector */
  uint64_t operations = 0;
  int status = sync_vector(engine, true, add_seq, &operations); /* true: only what is durable */
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_int_equal(operations, 1);
  /* example: sync_holds */
  bool arrived = sync_holds(other, receipt.dot.origin.node_id, receipt.dot.origin.incarnation, receipt.dot.seq);
  /* end */
  assert_true(arrived);
  example_end();
}

static void counters_tell_what_happened(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  example_put(0, "colour", "green");
  /* example: sync_stats_get */
  struct sync_stats stats;
  sync_stats_get(engine, &stats);
  if (stats.failed) puts("the engine has stopped: close it, and open it again");
  /* end */
  assert_int_equal(stats.submits, 1);
  /* example: sync_node_hash */
  uint64_t in_traces = sync_node_hash("n0"); /* what `node` is in the fields of a trace */
  /* end */
  assert_true(in_traces != sync_node_hash("n1"));
  example_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_key_reads_as_its_value),    cmocka_unit_test(concurrent_writes_stand_beside_each_other),
      cmocka_unit_test(keys_are_listed_by_prefix),   cmocka_unit_test(replicas_are_compared),
      cmocka_unit_test(counters_tell_what_happened),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
