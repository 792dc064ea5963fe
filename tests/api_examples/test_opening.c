/* Examples of opening and closing: on real files. */
#include "tests/api_examples/example.h"

#include <poll.h>

#include "posix/posix_env.h"
#include "tests/support/temp_directory.h"

static struct temp_directory temp;
static char directory[TEMP_DIRECTORY_BYTES + 8];

static int set_up(void **state) {
  (void)state;
  temp_directory_init(&temp);
  (void)temp_directory_file(&temp, "node", directory, sizeof directory);
  return 0;
}
static int tear_down(void **state) {
  (void)state;
  temp_directory_deinit(&temp);
  return 0;
}

/* example: sync_posix_open sync_posix_env sync_posix_close sync_open sync_close */
static int open_node(const char *path, struct sync_posix **posix, struct sync_engine **engine) {
  struct sync_posix_options where = {.directory = path, .create = true};
  int status = sync_posix_open(posix, &where);
  if (status != SYNC_OK) return status;

  struct sync_options options = {.node_id = "alpha", .cluster_id = "my-cluster"};
  struct sync_open_report report;
  status = sync_open(engine, sync_posix_env(*posix), &options, &report);
  if (status != SYNC_OK) {
    fprintf(stderr, "%s: %s\n", sync_status_name(status), report.detail);
    sync_posix_close(*posix);
  }
  return status;
}

static void close_node(struct sync_posix *posix, struct sync_engine *engine) {
  sync_close(engine); /* first: the environment must outlive it */
  sync_posix_close(posix);
}
/* end */

static void a_node_opens_and_opens_again(void **state) {
  (void)state;
  struct sync_posix *posix;
  struct sync_engine *engine;
  for (int i = 0; i < 2; i++) {
    assert_int_equal(open_node(directory, &posix, &engine), SYNC_OK);
    close_node(posix, engine);
  }
}

static void one_directory_is_opened_once_at_a_time(void **state) {
  (void)state;
  struct sync_posix *posix;
  struct sync_engine *engine;
  assert_int_equal(open_node(directory, &posix, &engine), SYNC_OK);
  struct sync_posix *second;
  struct sync_engine *other;
  int status = open_node(directory, &second, &other);
  assert_int_equal(status, SYNC_E_LOCKED);
  char text[128];
  /* example: sync_status_name sync_status_message */
  (void)snprintf(text, sizeof text, "%s: %s", sync_status_name(status), sync_status_message(status));
  /* end */
  assert_memory_equal(text, "SYNC_E_LOCKED: ", 15);
  close_node(posix, engine);
}

/* example: sync_disk_done sync_posix_poll_fd sync_posix_next_completion */
/* Waits for the disk, at most a second, and hands over what is done. */
static int take_completions(struct sync_posix *posix, struct sync_engine *engine) {
  struct pollfd disk = {.fd = sync_posix_poll_fd(posix), .events = POLLIN};
  (void)poll(&disk, 1, 1000);
  uint64_t token;
  int result;
  int status = SYNC_OK;
  while (status == SYNC_OK && sync_posix_next_completion(posix, &token, &result))
    status = sync_disk_done(engine, token, result);
  return status;
}
/* end */

static void a_put_becomes_durable_on_real_files(void **state) {
  (void)state;
  struct sync_posix *posix;
  struct sync_engine *engine;
  assert_int_equal(open_node(directory, &posix, &engine), SYNC_OK);
  struct sync_receipt receipt;
  assert_int_equal(sync_put(engine, "colour", 6, "green", 5, &receipt), SYNC_OK);
  for (int i = 0; i < 100 && sync_durable_position(engine) < receipt.position; i++) {
    assert_int_equal(sync_commit(engine), SYNC_OK);
    assert_int_equal(take_completions(posix, engine), SYNC_OK);
  }
  assert_true(sync_durable_position(engine) >= receipt.position);
  close_node(posix, engine);
}

static char failure_line[256];
/* example: sync_posix_failure_text */
/* options.failed: told of each call that the system refused. */
static void log_failure(void *arg, const struct sync_posix_failure *failure) {
  char *line = arg;
  sync_posix_failure_text(failure, line, 256);
}
/* end */

static void a_refusal_is_told_in_the_words_of_the_system(void **state) {
  (void)state;
  struct sync_posix_options where = {.directory = "/dev/null", .failed = log_failure, .failed_arg = failure_line};
  struct sync_posix *posix = NULL;
  assert_int_not_equal(sync_posix_open(&posix, &where), SYNC_OK);
  assert_non_null(strstr(failure_line, "errno"));
}

static void the_presets_space_fsyncs(void **state) {
  (void)state;
  /* example: sync_options_durable */
  struct sync_options careful = {.node_id = "alpha", .cluster_id = "my-cluster"};
  sync_options_durable(&careful); /* the default; only says so */
  /* end */
  /* example: sync_options_fast */
  struct sync_options phone = {.node_id = "beta", .cluster_id = "my-cluster"};
  sync_options_fast(&phone); /* fewer fsyncs, each promise up to 10 ms later */
  /* end */
  assert_int_equal(careful.fsync_spacing_ns, 0);
  assert_true(phone.fsync_spacing_ns > 0);
  assert_string_equal(phone.node_id, "beta");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_node_opens_and_opens_again, set_up, tear_down),
      cmocka_unit_test_setup_teardown(one_directory_is_opened_once_at_a_time, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_put_becomes_durable_on_real_files, set_up, tear_down),
      cmocka_unit_test(a_refusal_is_told_in_the_words_of_the_system),
      cmocka_unit_test(the_presets_space_fsyncs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
