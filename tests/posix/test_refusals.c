/* What the system refuses is told with the call, the file and the reason; and a
 * directory that cannot be fsynced can be gone on with, knowingly. fsync and
 * fdatasync are defined here, to refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/posix_env.h"
#include "tests/support/temp_directory.h"

static atomic_int directory_error, file_error; /* 0: none */

static int refusing(const char *name, int descriptor, int error) {
  int (*real)(int);
  void *symbol = dlsym(RTLD_NEXT, name);
  if (error != 0) {
    errno = error;
    return -1;
  }
  memcpy(&real, &symbol, sizeof real);
  return real(descriptor);
}
int fdatasync(int descriptor) {
  return refusing("fdatasync", descriptor, atomic_load(&file_error));
}
int fsync(int descriptor) {
  return refusing("fsync", descriptor, atomic_load(&directory_error));
}

struct fixture {
  struct temp_directory directory;
  unsigned told;
  char text[300];
};

static void note(void *arg, const struct sync_posix_failure *failure) {
  struct fixture *f = arg;
  f->told++;
  sync_posix_failure_text(failure, f->text, sizeof f->text);
}

static int set_up(void **state) {
  struct fixture *f = calloc(1, sizeof *f);
  if (f == NULL) return -1;
  atomic_store(&directory_error, 0);
  atomic_store(&file_error, 0);
  temp_directory_init(&f->directory);
  *state = f;
  return 0;
}
static int tear_down(void **state) {
  struct fixture *f = *state;
  temp_directory_deinit(&f->directory);
  free(f);
  return 0;
}

static struct sync_posix_options options_of(struct fixture *f) {
  return (struct sync_posix_options){.directory = f->directory.path, .failed = note, .failed_arg = f};
}

static int completion(struct sync_posix *posix) {
  struct pollfd polled = {.fd = sync_posix_poll_fd(posix), .events = POLLIN};
  uint64_t token;
  int result = 1;
  assert_int_equal(poll(&polled, 1, 10000), 1);
  assert_true(sync_posix_next_completion(posix, &token, &result));
  return result;
}

static int directory_fsync(struct fixture *f, bool accept, enum sync_posix_fsync_mode mode) {
  struct sync_posix_options options = options_of(f);
  struct sync_posix *posix;
  options.accept_no_directory_fsync = accept;
  options.fsync_mode = mode;
  assert_int_equal(sync_posix_open(&posix, &options), SYNC_OK);
  const struct sync_env *env = sync_posix_env(posix);
  assert_int_equal(env->ops->dir_fsync(env->ctx, 7), SYNC_OK);
  int result = completion(posix);
  sync_posix_close(posix);
  return result;
}

#define NO_NAMES                                                                                                       \
  "fsync of the directory: Invalid argument (errno 22): this file system cannot make names durable; "                  \
  "accept_no_directory_fsync goes on without"

static void a_directory_that_cannot_be_fsynced_is_called_that(void **state) {
  struct fixture *f = *state;
  atomic_store(&directory_error, EINVAL);
  assert_int_equal(directory_fsync(f, false, SYNC_POSIX_FSYNC_THREAD), SYNC_E_IO);
  assert_int_equal(f->told, 1);
  assert_string_equal(f->text, NO_NAMES);
  assert_int_equal(directory_fsync(f, false, SYNC_POSIX_FSYNC_INLINE), SYNC_E_IO);
  assert_int_equal(f->told, 2);
}

static void it_can_be_gone_on_with_knowingly(void **state) {
  struct fixture *f = *state;
  static const int errors[] = {EINVAL, EOPNOTSUPP, ENOSYS};
  for (size_t i = 0; i < 3; i++) {
    atomic_store(&directory_error, errors[i]);
    assert_int_equal(directory_fsync(f, true, SYNC_POSIX_FSYNC_THREAD), SYNC_OK);
    assert_int_equal(directory_fsync(f, true, SYNC_POSIX_FSYNC_INLINE), SYNC_OK);
  }
  assert_int_equal(f->told, 0);
}

static void a_directory_fsync_that_failed_is_never_taken_for_one(void **state) {
  struct fixture *f = *state;
  static const int errors[] = {EIO, ENOSPC, EDQUOT, EROFS, EBADF};
  for (size_t i = 0; i < 5; i++) {
    atomic_store(&directory_error, errors[i]);
    assert_int_equal(directory_fsync(f, true, SYNC_POSIX_FSYNC_THREAD), SYNC_E_IO);
  }
  assert_int_equal(f->told, 5);
}

/* Nor does the option excuse the fsync of a file. */
static void a_file_that_cannot_be_fsynced_stays_an_error(void **state) {
  struct fixture *f = *state;
  struct sync_posix_options options = options_of(f);
  struct sync_posix *posix;
  sync_file file;
  options.accept_no_directory_fsync = true;
  assert_int_equal(sync_posix_open(&posix, &options), SYNC_OK);
  const struct sync_env *env = sync_posix_env(posix);
  assert_int_equal(env->ops->file_open(env->ctx, "log", SYNC_OPEN_CREATE, &file), SYNC_OK);
  atomic_store(&file_error, EINVAL);
  assert_int_equal(env->ops->file_fsync(env->ctx, file, 1), SYNC_OK);
  assert_int_equal(env->ops->file_close(env->ctx, file), SYNC_OK);
  assert_int_equal(completion(posix), SYNC_E_IO);
  assert_string_equal(f->text, "fdatasync of file log: Invalid argument (errno 22)");
  sync_posix_close(posix);
}

static void opening_with_create_tells_and_accepts_too(void **state) {
  struct fixture *f = *state;
  struct sync_posix_options options = options_of(f);
  struct sync_posix *posix;
  options.create = true;
  atomic_store(&directory_error, EINVAL);
  assert_int_equal(sync_posix_open(&posix, &options), SYNC_E_IO);
  assert_string_equal(f->text, "fsync of the parent directory: Invalid argument (errno 22): this file system cannot "
                               "make names durable; accept_no_directory_fsync goes on without");
  options.accept_no_directory_fsync = true;
  assert_int_equal(sync_posix_open(&posix, &options), SYNC_OK);
  sync_posix_close(posix);
  assert_int_equal(f->told, 1);
}

static void what_cannot_be_opened_is_told_with_the_reason(void **state) {
  struct fixture *f = *state;
  struct sync_posix_options options = options_of(f);
  struct sync_posix *posix;
  sync_file file;
  char path[1200];
  (void)snprintf(path, sizeof path, "%s/a/b", f->directory.path);
  options.directory = path;
  options.create = true;
  assert_int_equal(sync_posix_open(&posix, &options), SYNC_E_NOT_FOUND);
  assert_string_equal(f->text, "mkdir of the directory: No such file or directory (errno 2)");
  options = options_of(f);
  assert_int_equal(sync_posix_open(&posix, &options), SYNC_OK);
  const struct sync_env *env = sync_posix_env(posix);
  (void)snprintf(path, sizeof path, "%s/folder", f->directory.path);
  assert_int_equal(mkdir(path, 0777), 0);
  assert_int_equal(env->ops->file_open(env->ctx, "folder", SYNC_OPEN_CREATE, &file), SYNC_E_IO);
  assert_string_equal(f->text, "open of file folder: Is a directory (errno 21)");
  const unsigned told = f->told;
  assert_int_equal(env->ops->file_open(env->ctx, "absent", 0, &file), SYNC_E_NOT_FOUND); /* a question */
  assert_int_equal(f->told, told);
  assert_int_equal(rmdir(path), 0);
  sync_posix_close(posix);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_directory_that_cannot_be_fsynced_is_called_that),
      TEST(it_can_be_gone_on_with_knowingly),
      TEST(a_directory_fsync_that_failed_is_never_taken_for_one),
      TEST(a_file_that_cannot_be_fsynced_stays_an_error),
      TEST(opening_with_create_tells_and_accepts_too),
      TEST(what_cannot_be_opened_is_told_with_the_reason),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
