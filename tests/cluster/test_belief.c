/* Each oracle of what nodes say and believe about durability fires. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/belief.h"
#include "cluster/cluster.h"
#include "cluster/lookup.h"
#include "cluster/model.h"
#include "cluster/replace.h"
#include "cluster/state.h"
#include "cluster/submit.h"
#include "core/engine.h"

static struct cluster *begin(struct sim *sim) {
  struct sim_config config = {.source = {.seed = 3}};
  struct sim_world *world = sim_world_begin(sim, &config);
  struct cluster_config cluster_config = {.nodes = 2};
  struct cluster *cluster = cluster_create(world, &cluster_config);
  assert_non_null(cluster);
  sim_run(sim, SIM_SECOND, UINT64_MAX);
  assert_int_equal(cluster_put(cluster, 1, 1, 16), SYNC_OK);
  sim_run(sim, 2 * SIM_SECOND, UINT64_MAX);
  assert_true(cluster_converged(cluster) && cluster_drained(cluster));
  return cluster;
}

static void a_belief_in_more_than_is_durable_is_found(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim);
  cluster_check_belief(cluster, 1, 2);
  assert_false(cluster_violated(cluster));
  struct sync_engine *engine = cluster_engine(cluster, 1);
  assert_true(vector_raise(&peer_at(&engine->peers, 0)->known, engine->own->index, 2));
  cluster_check_belief(cluster, 1, 2);
  assert_true(cluster_violated(cluster));
  assert_string_equal(sim_violation_get(cluster->world)->property, CLUSTER_HONEST_ACKS);
  sim_close(sim);
}

static void a_belief_about_a_run_that_ended_is_no_lie(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim);
  sim_node_power_loss(cluster->world, 2);
  cluster_wipe(cluster, 2);
  sim_node_boot(cluster->world, 2);
  cluster_check_belief(cluster, 1, 2);
  assert_false(cluster_violated(cluster));
  sim_close(sim);
}

/* The bytes of the newest record of the node's log: its operation is not durable yet. */
static size_t newest_operation(struct cluster *cluster, uint32_t node, uint8_t *bytes) {
  const struct oplog *log = &cluster_engine(cluster, node)->state.oplog;
  const struct oplog_entry *entry = oplog_at(log, oplog_end(log) - 1);
  char name[DECODE_SEGMENT_NAME_BYTES];
  decode_segment_name_write(&cluster->nodes[node].replica.segments[0], name);
  uint64_t offset = DECODE_SEGMENT_HEADER_BYTES + entry->position + entry->head;
  const struct sim_disk *disk = sim_node_disk(sim_node_at(cluster->world, node));
  assert_int_equal(sim_disk_peek(disk, name, offset, bytes, entry->size), entry->size);
  return entry->size;
}

static size_t ops_frame(struct cluster *cluster, uint32_t node, uint8_t *frame, size_t capacity) {
  uint8_t operation[500];
  size_t size = newest_operation(cluster, node, operation);
  struct bytes_writer writer = frame_begin(frame, capacity - FRAME_TRAILER_BYTES);
  ops_write_head(&writer, sync_session(cluster_engine(cluster, node)), 0);
  bytes_write_varint(&writer, size);
  bytes_write(&writer, operation, size);
  ops_write_end(&writer);
  const struct origin *own = cluster_engine(cluster, node)->own;
  const struct operation_origin named = {(const uint8_t *)own->node_id, own->node_id_size, own->incarnation};
  if (own->applied > 1) ops_write_origin(&writer, NULL, &named, own->index);
  return frame_finish(&writer, FRAME_OPS, cluster->config.engine.cluster_id);
}

/* Says that the node holds so many of its own operations, and held one of that life
 * when it began (0: of none). */
static size_t hello_born(struct cluster *cluster, uint32_t node, uint64_t seq, uint64_t elder, uint8_t *frame,
                         size_t capacity) {
  const struct sync_engine *engine = cluster_engine(cluster, node);
  struct bytes_writer writer = frame_begin(frame, capacity - FRAME_TRAILER_BYTES);
  struct hello hello = {.node_id = (const uint8_t *)engine->node_id,
                        .node_id_size = strlen(engine->node_id),
                        .session = engine->session,
                        .nonce = 7};
  hello_write_head(&writer, &hello);
  bytes_write_varint(&writer, 0); /* no peers */
  bytes_write_u8(&writer, 2);
  bytes_write(&writer, engine->node_id, 2);
  bytes_write_varint(&writer, hello_node_count(1, HELLO_WISH_NONE));
  bytes_write_u64(&writer, engine->own->incarnation);
  bytes_write_varint(&writer, seq);
  bytes_write_varint(&writer, elder != 0);
  if (elder) {
    bytes_write_u64(&writer, elder);
    bytes_write_varint(&writer, 1);
  }
  return frame_finish(&writer, FRAME_HELLO, cluster->config.engine.cluster_id);
}

static size_t hello_frame(struct cluster *cluster, uint32_t node, uint64_t seq, uint8_t *frame, size_t capacity) {
  return hello_born(cluster, node, seq, 0, frame, capacity);
}

static void an_operation_sent_before_it_is_durable_is_found(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim);
  uint8_t frame[1000];
  cluster_check_sent(cluster, 1, 0, frame, ops_frame(cluster, 1, frame, sizeof frame));
  assert_false(cluster_violated(cluster));
  assert_int_equal(cluster_put(cluster, 1, 1, 16), SYNC_OK);
  cluster_check_sent(cluster, 1, 0, frame, ops_frame(cluster, 1, frame, sizeof frame));
  assert_true(cluster_violated(cluster));
  assert_string_equal(sim_violation_get(cluster->world)->property, CLUSTER_DURABILITY);
  sim_close(sim);
}

static void a_hello_that_says_more_than_the_disk_holds_is_found(void **state) {
  (void)state;
  for (int lies = 0; lies < 2; lies++) {
    struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
    struct cluster *cluster = begin(sim);
    uint8_t frame[1000];
    assert_int_equal(cluster_put(cluster, 1, 1, 16), SYNC_OK);
    size_t size = hello_frame(cluster, 1, lies ? 2 : 1, frame, sizeof frame);
    cluster_check_sent(cluster, 1, 0, frame, size);
    assert_int_equal(cluster_violated(cluster), lies);
    if (lies) assert_string_equal(sim_violation_get(cluster->world)->property, CLUSTER_HONEST_ACKS);
    sim_close(sim);
  }
}

/* What was true of an entry is not read again: only for the same bytes. */
static void a_birth_that_was_not_is_found_after_a_true_hello(void **state) {
  (void)state;
  static const struct {
    uint64_t seq, elder;
    const char *words; /* in the violation; NULL: true */
  } next[] = {{1, 0, NULL}, {2, 0, "durably up to 2"}, {1, 77, "began with what it did not hold"}};
  for (size_t i = 0; i < sizeof next / sizeof next[0]; i++) {
    struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
    struct cluster *cluster = begin(sim);
    uint8_t frame[1000];
    cluster_check_sent(cluster, 1, 0, frame, hello_frame(cluster, 1, 1, frame, sizeof frame));
    assert_false(cluster_violated(cluster));
    size_t size = hello_born(cluster, 1, next[i].seq, next[i].elder, frame, sizeof frame);
    for (int again = 0; again < 2; again++)
      cluster_check_sent(cluster, 1, 0, frame, size);
    assert_int_equal(cluster_violated(cluster), next[i].words != NULL);
    if (next[i].words) assert_non_null(strstr(sim_violation_get(cluster->world)->detail, next[i].words));
    sim_close(sim);
  }
}

/* Of HELLOs that differ in numbers only the numbers are looked at: each of them, each
 * time, and the last one as the first; what else differs makes it another HELLO. */
static void one_lie_among_many_true_hellos_is_found(void **state) {
  (void)state;
  for (uint64_t said = 127; said < 132; said++) {
    struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
    struct cluster *cluster = begin(sim);
    uint8_t frame[1000];
    for (int i = 1; i < 130; i++)
      assert_int_equal(cluster_put(cluster, 1, 1, 16), SYNC_OK);
    sim_run(sim, 4 * SIM_SECOND, UINT64_MAX);
    for (int again = 0; again < 3; again++)
      for (uint64_t seq = 1; seq <= 130; seq++)
        cluster_check_sent(cluster, 1, 0, frame, hello_born(cluster, 1, seq, 0, frame, sizeof frame));
    assert_false(cluster_violated(cluster));
    cluster_check_sent(cluster, 1, 0, frame, hello_frame(cluster, 1, said, frame, sizeof frame));
    assert_int_equal(cluster_violated(cluster), said > 130);
    sim_close(sim);
  }
}

static void a_byte_that_is_not_a_number_is_found_among_true_hellos(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  uint8_t frame[1000];
  for (size_t at = 0, bytes = 1; at < bytes; at++) { /* of name, count, incarnation; behind the number: the birth */
    struct cluster *cluster = begin(sim);
    size_t size = hello_frame(cluster, 1, 1, frame, sizeof frame);
    cluster_check_sent(cluster, 1, 0, frame, size);
    cluster_check_sent(cluster, 1, 0, frame, size);
    assert_false(cluster_violated(cluster));
    bytes = 1u + 2u + 1u + 8u + 1u + 1u;
    frame[size - FRAME_TRAILER_BYTES - bytes + at] ^= 0x40u;
    cluster_check_sent(cluster, 1, 0, frame, size);
    assert_true(cluster_violated(cluster));
  }
  sim_close(sim);
}

static void a_durable_vector_that_says_more_than_the_disk_holds_is_found(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim);
  assert_int_equal(cluster_put(cluster, 1, 1, 16), SYNC_OK);
  cluster_check_reads(cluster, 1);
  assert_false(cluster_violated(cluster));
  assert_int_equal(cluster_put(cluster, 1, 1, 16), SYNC_OK);
  cluster_engine(cluster, 1)->own->durable = 3;
  cluster_check_reads(cluster, 1);
  assert_true(cluster_violated(cluster));
  assert_string_equal(sim_violation_get(cluster->world)->property, CLUSTER_HONEST_ACKS);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_belief_in_more_than_is_durable_is_found),
      cmocka_unit_test(a_belief_about_a_run_that_ended_is_no_lie),
      cmocka_unit_test(an_operation_sent_before_it_is_durable_is_found),
      cmocka_unit_test(a_hello_that_says_more_than_the_disk_holds_is_found),
      cmocka_unit_test(a_birth_that_was_not_is_found_after_a_true_hello),
      cmocka_unit_test(one_lie_among_many_true_hellos_is_found),
      cmocka_unit_test(a_byte_that_is_not_a_number_is_found_among_true_hellos),
      cmocka_unit_test(a_durable_vector_that_says_more_than_the_disk_holds_is_found),
  };
  int r = cmocka_run_group_tests_name("belief", tests, NULL, NULL);
  return r != 0;
}
