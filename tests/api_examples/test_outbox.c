/* Examples of the outbox. */
#include "tests/api_examples/example.h"

/* example: sync_outbox */
static int count_failed(void *arg, const struct sync_outbox_entry *entry) {
  size_t *failed = arg;
  if (entry->status == SYNC_OUTBOX_FAILED) ++*failed; /* still owed, and tried again */
  return 0;
}
/* end */

static void an_operation_is_followed_to_its_peers(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(2);
  uint32_t peer = replica_peer(&example_world, 0, 1);
  struct sync_receipt receipt;
  assert_int_equal(sync_put(engine, "colour", 6, "green", 5, &receipt), SYNC_OK);
  /* example: sync_outbox_size */
  if (sync_outbox_size(engine) > 0) puts("not everybody has everything yet");
  /* end */
  assert_int_equal(sync_outbox_size(engine), 1);
  /* example: sync_outbox */
  size_t failed = 0;
  int status = sync_outbox(engine, count_failed, &failed);
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_int_equal(failed, 0);
  /* example: sync_outbox_count */
  struct sync_outbox_counts counts;
  status = sync_outbox_count(engine, SYNC_PEER_NONE, &counts); /* or of one peer */
  if (status == SYNC_OK)
    printf("%" PRIu64 " wait, %" PRIu64 " are on their way, %" PRIu64 " are for peers that do not answer\n",
           counts.pending + counts.queued, counts.in_flight, counts.failed);
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_int_equal(counts.pending + counts.queued, 1);
  example_settle();
  /* example: sync_outbox_find */
  struct sync_outbox_entry entry;
  status = sync_outbox_find(engine, &receipt.dot, peer, &entry);
  if (status == SYNC_OK && entry.status == SYNC_OUTBOX_ACKNOWLEDGED) puts("durable there");
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_int_equal(entry.status, SYNC_OUTBOX_ACKNOWLEDGED);
  assert_int_equal(sync_outbox_size(engine), 0);
  example_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_operation_is_followed_to_its_peers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
