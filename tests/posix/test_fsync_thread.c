/* Fsync completions: once for each token, in order, inline and on the helper
 * thread. fdatasync and fsync are defined here, to hold them and make them fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/posix_env.h"
#include "tests/support/temp_directory.h"

/* --- Controlled fsyncs ------------------------------------------------------------ */

static atomic_int file_fsyncs, directory_fsyncs;
static atomic_int failures, failure_errno;
static atomic_bool held;
static atomic_ullong last_inode;
static sem_t may_go;

static int controlled_fsync(const char *name, int descriptor, atomic_int *counter) {
  if (atomic_load(&held)) {
    while (sem_wait(&may_go) != 0) {
    }
  }
  struct stat about;
  if (fstat(descriptor, &about) != 0) abort();
  atomic_store(&last_inode, (unsigned long long)about.st_ino);
  atomic_fetch_add(counter, 1);
  if (atomic_load(&failures) > 0) {
    atomic_fetch_sub(&failures, 1);
    errno = atomic_load(&failure_errno);
    return -1;
  }
  int (*real)(int);
  void *symbol = dlsym(RTLD_NEXT, name);
  memcpy(&real, &symbol, sizeof real);
  return real(descriptor);
}

int fdatasync(int descriptor) {
  return controlled_fsync("fdatasync", descriptor, &file_fsyncs);
}

int fsync(int descriptor) {
  struct stat about;
  if (fstat(descriptor, &about) != 0 || !S_ISDIR(about.st_mode)) abort();
  return controlled_fsync("fsync", descriptor, &directory_fsyncs);
}

/* --- Fixture ------------------------------------------------------------------------ */

struct fixture {
  struct temp_directory directory;
  struct sync_posix *posix;
  const struct sync_env *env;
  sync_file file;
};

static void set_up_mode(void **state, enum sync_posix_fsync_mode mode) {
  struct fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  atomic_store(&file_fsyncs, 0);
  atomic_store(&directory_fsyncs, 0);
  atomic_store(&failures, 0);
  atomic_store(&held, false);
  sem_init(&may_go, 0, 0);
  temp_directory_init(&f->directory);
  struct sync_posix_options options = {.directory = f->directory.path, .fsync_mode = mode};
  assert_int_equal(sync_posix_open(&f->posix, &options), SYNC_OK);
  f->env = sync_posix_env(f->posix);
  assert_int_equal(f->env->ops->file_open(f->env->ctx, "a", SYNC_OPEN_CREATE, &f->file), SYNC_OK);
  *state = f;
}

static int set_up_inline(void **state) {
  set_up_mode(state, SYNC_POSIX_FSYNC_INLINE);
  return 0;
}

static int set_up_thread(void **state) {
  set_up_mode(state, SYNC_POSIX_FSYNC_THREAD);
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  sync_posix_close(f->posix);
  temp_directory_deinit(&f->directory);
  sem_destroy(&may_go);
  free(f);
  return 0;
}

static bool readable(const struct fixture *f, int timeout_ms) {
  struct pollfd waiting = {.fd = sync_posix_poll_fd(f->posix), .events = POLLIN};
  int ready;
  do {
    ready = poll(&waiting, 1, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  return ready == 1 && (waiting.revents & POLLIN);
}

static void request_file(struct fixture *f, uint64_t token) {
  assert_int_equal(f->env->ops->file_fsync(f->env->ctx, f->file, token), SYNC_OK);
}

static void expect_completion(struct fixture *f, uint64_t token, int result) {
  uint64_t got_token = 0;
  int got_result = 99;
  assert_true(readable(f, 10000));
  assert_true(sync_posix_next_completion(f->posix, &got_token, &got_result));
  assert_int_equal(got_token, token);
  assert_int_equal(got_result, result);
}

static void expect_no_completion(struct fixture *f) {
  uint64_t token;
  int result;
  assert_false(sync_posix_next_completion(f->posix, &token, &result));
  assert_false(readable(f, 0));
}

/* --- Both modes ------------------------------------------------------------------------ */

static void every_request_completes_once_and_in_order(void **state) {
  struct fixture *f = *state;
  expect_no_completion(f);
  for (uint64_t round = 0; round < 100; round++) {
    request_file(f, round * 10 + 1);
    assert_int_equal(f->env->ops->dir_fsync(f->env->ctx, round * 10 + 2), SYNC_OK);
    request_file(f, UINT64_MAX);
    expect_completion(f, round * 10 + 1, SYNC_OK);
    expect_completion(f, round * 10 + 2, SYNC_OK);
    expect_completion(f, UINT64_MAX, SYNC_OK);
    expect_no_completion(f);
  }
  assert_int_equal(atomic_load(&file_fsyncs), 200);
  assert_int_equal(atomic_load(&directory_fsyncs), 100);
}

static void a_failure_is_io_whatever_its_reason_and_is_not_tried_again(void **state) {
  struct fixture *f = *state;
  const int reasons[] = {EIO, ENOSPC, EDQUOT, EROFS};
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
    atomic_store(&file_fsyncs, 0);
    atomic_store(&failure_errno, reasons[i]);
    atomic_store(&failures, 1);
    request_file(f, 5);
    expect_completion(f, 5, SYNC_E_IO);
    assert_int_equal(atomic_load(&file_fsyncs), 1);
    atomic_store(&failures, 1);
    assert_int_equal(f->env->ops->dir_fsync(f->env->ctx, 6), SYNC_OK);
    expect_completion(f, 6, SYNC_E_IO);
  }
  request_file(f, 7);
  expect_completion(f, 7, SYNC_OK);
}

static void an_interrupted_fsync_is_asked_again(void **state) {
  struct fixture *f = *state;
  atomic_store(&failure_errno, EINTR);
  atomic_store(&failures, 3);
  request_file(f, 1);
  expect_completion(f, 1, SYNC_OK);
  assert_int_equal(atomic_load(&file_fsyncs), 4);
}

static void closing_the_file_cancels_no_fsync(void **state) {
  struct fixture *f = *state;
  request_file(f, 9);
  assert_int_equal(f->env->ops->file_close(f->env->ctx, f->file), SYNC_OK);
  expect_completion(f, 9, SYNC_OK);
  assert_int_equal(atomic_load(&file_fsyncs), 1);
}

static void requests_are_bounded_and_a_refused_one_never_completes(void **state) {
  struct fixture *f = *state;
  for (uint64_t i = 0; i < SYNC_POSIX_FSYNCS_MAX; i++)
    request_file(f, i);
  assert_int_equal(f->env->ops->file_fsync(f->env->ctx, f->file, 1000), SYNC_E_TOO_MANY);
  assert_int_equal(f->env->ops->dir_fsync(f->env->ctx, 1001), SYNC_E_TOO_MANY);
  expect_completion(f, 0, SYNC_OK);
  request_file(f, 1002);
  for (uint64_t i = 1; i < SYNC_POSIX_FSYNCS_MAX; i++)
    expect_completion(f, i, SYNC_OK);
  expect_completion(f, 1002, SYNC_OK);
  expect_no_completion(f);
}

static void completions_not_taken_do_not_stop_closing(void **state) {
  struct fixture *f = *state;
  for (uint64_t i = 0; i < 10; i++)
    request_file(f, i);
  sync_posix_close(f->posix);
  f->posix = NULL;
  assert_int_equal(atomic_load(&file_fsyncs), 10);
}

/* --- Inline ------------------------------------------------------------------------------ */

static void inline_the_fsync_is_over_when_the_request_returns(void **state) {
  struct fixture *f = *state;
  request_file(f, 1);
  assert_int_equal(atomic_load(&file_fsyncs), 1);
  assert_true(readable(f, 0));
  expect_completion(f, 1, SYNC_OK);
}

/* --- Helper thread -------------------------------------------------------------------------- */

static void a_request_does_not_wait_for_the_disk(void **state) {
  struct fixture *f = *state;
  atomic_store(&held, true);
  request_file(f, 1);
  request_file(f, 2);
  size_t done = 0;
  assert_int_equal(f->env->ops->file_write(f->env->ctx, f->file, 0, "abc", 3, &done), SYNC_OK);
  assert_false(readable(f, 20));
  expect_no_completion(f);
  sem_post(&may_go);
  expect_completion(f, 1, SYNC_OK);
  assert_false(readable(f, 20));
  sem_post(&may_go);
  expect_completion(f, 2, SYNC_OK);
}

static void a_file_closed_and_its_number_reused_is_still_the_one_fsynced(void **state) {
  struct fixture *f = *state;
  char path[512];
  struct stat about;
  temp_directory_file(&f->directory, "a", path, sizeof path);
  assert_int_equal(stat(path, &about), 0);
  atomic_store(&held, true);
  request_file(f, 1);
  assert_int_equal(f->env->ops->file_close(f->env->ctx, f->file), SYNC_OK);
  sync_file other;
  assert_int_equal(f->env->ops->file_open(f->env->ctx, "b", SYNC_OPEN_CREATE, &other), SYNC_OK);
  assert_int_equal(other, f->file);
  sem_post(&may_go);
  expect_completion(f, 1, SYNC_OK);
  assert_true(atomic_load(&last_inode) == (unsigned long long)about.st_ino);
}

static void closing_waits_for_the_fsync_in_flight(void **state) {
  struct fixture *f = *state;
  atomic_store(&held, true);
  request_file(f, 1);
  request_file(f, 2);
  sem_post(&may_go);
  sem_post(&may_go);
  sync_posix_close(f->posix);
  f->posix = NULL;
  assert_int_equal(atomic_load(&file_fsyncs), 2);
}

static void writes_and_requests_race_safely_with_the_thread(void **state) {
  struct fixture *f = *state;
  uint64_t requested = 0, completed = 0;
  char block[512];
  memset(block, 'x', sizeof block);
  while (completed < 2000) {
    size_t done;
    assert_int_equal(
        f->env->ops->file_write(f->env->ctx, f->file, requested * sizeof block, block, sizeof block, &done), SYNC_OK);
    if (requested < 2000) {
      int status = f->env->ops->file_fsync(f->env->ctx, f->file, requested);
      assert_true(status == SYNC_OK || status == SYNC_E_TOO_MANY);
      if (status == SYNC_OK) requested++;
    }
    uint64_t token;
    int result;
    while (sync_posix_next_completion(f->posix, &token, &result)) {
      assert_int_equal(token, completed);
      assert_int_equal(result, SYNC_OK);
      completed++;
    }
  }
  expect_no_completion(f);
}

#define BOTH(name)                                                                                                     \
  {#name "_inline", name, set_up_inline, tear_down, NULL}, {                                                           \
#name "_thread", name, set_up_thread, tear_down, NULL                                                              \
  }
#define INLINE(name) cmocka_unit_test_setup_teardown(name, set_up_inline, tear_down)
#define THREAD(name) cmocka_unit_test_setup_teardown(name, set_up_thread, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      BOTH(every_request_completes_once_and_in_order),
      BOTH(a_failure_is_io_whatever_its_reason_and_is_not_tried_again),
      BOTH(an_interrupted_fsync_is_asked_again),
      BOTH(closing_the_file_cancels_no_fsync),
      BOTH(requests_are_bounded_and_a_refused_one_never_completes),
      BOTH(completions_not_taken_do_not_stop_closing),
      INLINE(inline_the_fsync_is_over_when_the_request_returns),
      THREAD(a_request_does_not_wait_for_the_disk),
      THREAD(a_file_closed_and_its_number_reused_is_still_the_one_fsynced),
      THREAD(closing_waits_for_the_fsync_in_flight),
      THREAD(writes_and_requests_race_safely_with_the_thread),
  };
  int failed = cmocka_run_group_tests_name("fsync_thread", tests, NULL, NULL);
  return failed != 0;
}
