/* Examples of verify and repair. */
#include "tests/api_examples/example.h"

/* example: sync_verify */
static int note_damage(void *arg, const struct sync_damage *damage) {
  size_t *records = arg;
  printf("%" PRIu64 " bytes at %" PRIu64 " are not as they were written\n", damage->size, damage->position);
  ++*records;
  return 0; /* go on */
}
/* end */

static void a_sound_log_verifies(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  replica_put_many(&example_world, 0, 0, 20, "value");
  replica_flush(&example_world, 0);
  size_t records = 0;
  int status = SYNC_OK;
  /* example: sync_verify */
  uint64_t position = 0;
  while (status == SYNC_OK && position != SYNC_VERIFIED) /* or a step now and then, when there is time */
    status = sync_verify(engine, &position, 256 * 1024, note_damage, &records);
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_int_equal(records, 0);
  example_end();
}

/* example: sync_open_repair */
static int note_lost(void *arg, const struct sync_lost *lost) {
  size_t *operations = arg;
  printf("set aside: %s/%" PRIx64 "/%" PRIu64 "\n", lost->dot.origin.node_id, lost->dot.origin.incarnation,
         lost->dot.seq);
  ++*operations;
  return 0;
}

static int open_whatever_comes(struct sync_engine **engine, const struct sync_env *env,
                               const struct sync_options *options, size_t *lost) {
  struct sync_open_report report;
  int status = sync_open(engine, env, options, &report);
  if (status != SYNC_E_DAMAGED) return status;
  fprintf(stderr, "%s\n", report.detail);
  return sync_open_repair(engine, env, options, &report, note_lost, lost);
}
/* end */

/* Turns one byte in the middle of the log over. */
static void damage_the_log(struct replica *replica) {
  const struct sync_env *env = &replica->memory.env;
  const char *name = replica_file(&example_world, 0, "wal-");
  assert_non_null(name);
  sync_file file;
  uint64_t size;
  uint8_t byte;
  size_t done;
  assert_int_equal(env->ops->file_open(env->ctx, name, 0, &file), SYNC_OK);
  assert_int_equal(env->ops->file_size(env->ctx, file, &size), SYNC_OK);
  assert_int_equal(env->ops->file_read(env->ctx, file, size / 2, &byte, 1, &done), SYNC_OK);
  byte ^= 0xff;
  assert_int_equal(env->ops->file_write(env->ctx, file, size / 2, &byte, 1, &done), SYNC_OK);
  assert_int_equal(env->ops->file_close(env->ctx, file), SYNC_OK);
}

static void a_damaged_log_opens_with_what_precedes_the_damage(void **state) {
  (void)state;
  (void)example_begin(1);
  struct replica *replica = &example_world.at[0];
  replica_put_many(&example_world, 0, 0, 40, "value");
  replica_flush(&example_world, 0);
  replicas_advance(&example_world, UINT64_C(5000000000)); /* a mark says what is durable */
  replica_flush(&example_world, 0);
  replica_close(&example_world, 0);
  damage_the_log(replica);
  size_t lost = 0;
  assert_int_equal(open_whatever_comes(&replica->engine, &replica->memory.env, &replica->options, &lost), SYNC_OK);
  assert_true(lost > 0);
  assert_true(replica_reads(&example_world, 0, "key-000", "value"));
  assert_true(replica_reads(&example_world, 0, "key-039", NULL));
  example_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_sound_log_verifies),
      cmocka_unit_test(a_damaged_log_opens_with_what_precedes_the_damage),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
