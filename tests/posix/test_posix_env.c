/* The real environment: files, names, the lock, clocks, chance. Faults that a
 * healthy disk does not show are made by defining the C library's calls here. */
#define _FILE_OFFSET_BITS 64

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "posix/posix_env.h"
#include "tests/support/temp_directory.h"

/* --- Faults ------------------------------------------------------------------ */

/* The next `times` calls fail with `error`, or, when it is 0, transfer only
 * `short_size` bytes. */
struct planned_fault {
  int times, error;
  size_t short_size;
  int fired;
};
static struct planned_fault read_fault, write_fault, truncate_fault;

static bool fault_fires(struct planned_fault *fault, size_t *size) {
  if (fault->times == 0) return false;
  fault->times--;
  fault->fired++;
  if (fault->error == 0) {
    *size = fault->short_size;
    return false;
  }
  errno = fault->error;
  return true;
}

static void real_call(const char *name, void *call, size_t size) {
  void *symbol = dlsym(RTLD_NEXT, name);
  assert_non_null(symbol);
  memcpy(call, &symbol, size);
}

ssize_t pread(int descriptor, void *buffer, size_t size, off_t offset) {
  ssize_t (*real)(int, void *, size_t, off_t);
  real_call("pread64", &real, sizeof real);
  return fault_fires(&read_fault, &size) ? -1 : real(descriptor, buffer, size, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset) {
  ssize_t (*real)(int, const void *, size_t, off_t);
  real_call("pwrite64", &real, sizeof real);
  return fault_fires(&write_fault, &size) ? -1 : real(descriptor, bytes, size, offset);
}

/* What the wall clock shows; NULL: what it does. */
static const struct timespec *wall_time;

int clock_gettime(clockid_t clock, struct timespec *now) {
  int (*real)(clockid_t, struct timespec *);
  real_call("clock_gettime", &real, sizeof real);
  if (clock != CLOCK_REALTIME || wall_time == NULL) return real(clock, now);
  *now = *wall_time;
  return 0;
}

int ftruncate(int descriptor, off_t size) {
  int (*real)(int, off_t);
  size_t unused = 0;
  real_call("ftruncate64", &real, sizeof real);
  return fault_fires(&truncate_fault, &unused) ? -1 : real(descriptor, size);
}

/* --- Fixture ------------------------------------------------------------------ */

struct fixture {
  struct temp_directory directory;
  struct sync_posix *posix;
  const struct sync_env *env;
};

static int set_up(void **state) {
  struct fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  temp_directory_init(&f->directory);
  struct sync_posix_options options = {.directory = f->directory.path};
  assert_int_equal(sync_posix_open(&f->posix, &options), SYNC_OK);
  f->env = sync_posix_env(f->posix);
  memset(&read_fault, 0, sizeof read_fault);
  memset(&write_fault, 0, sizeof write_fault);
  memset(&truncate_fault, 0, sizeof truncate_fault);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  sync_posix_close(f->posix);
  temp_directory_deinit(&f->directory);
  free(f);
  return 0;
}

static sync_file open_file(struct fixture *f, const char *name, uint32_t flags) {
  sync_file file = -1;
  assert_int_equal(f->env->ops->file_open(f->env->ctx, name, flags, &file), SYNC_OK);
  return file;
}

static int open_status(struct fixture *f, const char *name, uint32_t flags) {
  sync_file file = -1;
  return f->env->ops->file_open(f->env->ctx, name, flags, &file);
}

static void write_all(struct fixture *f, sync_file file, uint64_t offset, const char *text) {
  size_t done = 0;
  assert_int_equal(f->env->ops->file_write(f->env->ctx, file, offset, text, strlen(text), &done), SYNC_OK);
  assert_int_equal(done, strlen(text));
}

static void expect_bytes(struct fixture *f, sync_file file, uint64_t offset, const char *bytes, size_t size) {
  char buffer[64];
  size_t done = 99;
  assert_int_equal(f->env->ops->file_read(f->env->ctx, file, offset, buffer, sizeof buffer, &done), SYNC_OK);
  assert_int_equal(done, size);
  assert_memory_equal(buffer, bytes, size);
}

static uint64_t size_of(struct fixture *f, sync_file file) {
  uint64_t size = 99;
  assert_int_equal(f->env->ops->file_size(f->env->ctx, file, &size), SYNC_OK);
  return size;
}

/* --- Files --------------------------------------------------------------------- */

static void what_is_written_is_read_back_at_every_offset(void **state) {
  struct fixture *f = *state;
  sync_file file = open_file(f, "wal.1", SYNC_OPEN_CREATE);
  write_all(f, file, 0, "hello world");
  write_all(f, file, 6, "sync!");
  for (uint64_t offset = 0; offset < 11; offset++) {
    expect_bytes(f, file, offset, &"hello sync!"[offset], (size_t)(11 - offset));
  }
  assert_int_equal(size_of(f, file), 11);
  assert_int_equal(f->env->ops->file_close(f->env->ctx, file), SYNC_OK);
  expect_bytes(f, open_file(f, "wal.1", 0), 0, "hello sync!", 11);
}

static void reading_at_or_past_the_end_gives_nothing(void **state) {
  struct fixture *f = *state;
  sync_file file = open_file(f, "a", SYNC_OPEN_CREATE);
  expect_bytes(f, file, 0, "", 0);
  write_all(f, file, 0, "abc");
  expect_bytes(f, file, 3, "", 0);
  expect_bytes(f, file, UINT64_C(1) << 40, "", 0);
}

static void a_gap_before_a_write_reads_as_zeros(void **state) {
  struct fixture *f = *state;
  sync_file file = open_file(f, "a", SYNC_OPEN_CREATE);
  write_all(f, file, 3, "x");
  expect_bytes(f, file, 0, "\0\0\0x", 4);
}

static void open_flags_do_what_they_say(void **state) {
  struct fixture *f = *state;
  assert_int_equal(open_status(f, "a", 0), SYNC_E_NOT_FOUND);
  assert_int_equal(open_status(f, "a", SYNC_OPEN_TRUNCATE), SYNC_E_NOT_FOUND);
  sync_file file = open_file(f, "a", SYNC_OPEN_CREATE | SYNC_OPEN_EXCLUSIVE);
  write_all(f, file, 0, "abc");
  assert_int_equal(open_status(f, "a", SYNC_OPEN_CREATE | SYNC_OPEN_EXCLUSIVE), SYNC_E_EXISTS);
  assert_int_equal(size_of(f, open_file(f, "a", SYNC_OPEN_CREATE)), 3);
  assert_int_equal(size_of(f, open_file(f, "a", SYNC_OPEN_TRUNCATE)), 0);
  assert_int_equal(open_status(f, "a", 8), SYNC_E_INVALID);
}

static void names_outside_the_port_are_refused_by_every_call(void **state) {
  struct fixture *f = *state;
  char longest[65];
  memset(longest, 'n', sizeof longest);
  longest[64] = '\0';
  const char *refused[] = {"", ".", "..", "a/b", "/a", "a b", "\xc3\xa9", SYNC_POSIX_LOCK_NAME, longest};
  open_file(f, "a", SYNC_OPEN_CREATE);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    assert_int_equal(open_status(f, refused[i], SYNC_OPEN_CREATE), SYNC_E_INVALID);
    assert_int_equal(f->env->ops->file_rename(f->env->ctx, "a", refused[i]), SYNC_E_INVALID);
    assert_int_equal(f->env->ops->file_rename(f->env->ctx, refused[i], "a"), SYNC_E_INVALID);
    assert_int_equal(f->env->ops->file_unlink(f->env->ctx, refused[i]), SYNC_E_INVALID);
  }
  open_file(f, longest + 1, SYNC_OPEN_CREATE);
  open_file(f, "..a_-.9Z", SYNC_OPEN_CREATE);
}

static void only_regular_files_are_opened(void **state) {
  struct fixture *f = *state;
  char path[512];
  assert_int_equal(mkdir(temp_directory_file(&f->directory, "folder", path, sizeof path), 0700), 0);
  assert_int_equal(mkfifo(temp_directory_file(&f->directory, "pipe", path, sizeof path), 0600), 0);
  assert_int_equal(symlink("/etc/passwd", temp_directory_file(&f->directory, "link", path, sizeof path)), 0);
  assert_int_equal(open_status(f, "folder", 0), SYNC_E_IO);
  assert_int_equal(open_status(f, "pipe", 0), SYNC_E_IO);
  assert_int_equal(open_status(f, "link", 0), SYNC_E_IO);
}

static void truncate_cuts_and_grows_with_zeros(void **state) {
  struct fixture *f = *state;
  sync_file file = open_file(f, "a", SYNC_OPEN_CREATE);
  write_all(f, file, 0, "abcdef");
  assert_int_equal(f->env->ops->file_truncate(f->env->ctx, file, 2), SYNC_OK);
  assert_int_equal(size_of(f, file), 2);
  assert_int_equal(f->env->ops->file_truncate(f->env->ctx, file, 4), SYNC_OK);
  expect_bytes(f, file, 0, "ab\0\0", 4);
}

static void rename_replaces_and_unlink_removes(void **state) {
  struct fixture *f = *state;
  write_all(f, open_file(f, "new", SYNC_OPEN_CREATE), 0, "new");
  sync_file old = open_file(f, "old", SYNC_OPEN_CREATE);
  write_all(f, old, 0, "old!");
  assert_int_equal(f->env->ops->file_rename(f->env->ctx, "new", "old"), SYNC_OK);
  assert_int_equal(open_status(f, "new", 0), SYNC_E_NOT_FOUND);
  expect_bytes(f, open_file(f, "old", 0), 0, "new", 3);
  expect_bytes(f, old, 0, "old!", 4);
  assert_int_equal(f->env->ops->file_unlink(f->env->ctx, "old"), SYNC_OK);
  assert_int_equal(f->env->ops->file_unlink(f->env->ctx, "old"), SYNC_E_NOT_FOUND);
  assert_int_equal(f->env->ops->file_rename(f->env->ctx, "old", "new"), SYNC_E_NOT_FOUND);
}

struct listing {
  char text[512];
  int stop_after, count;
};

static int list_name(void *arg, const char *name) {
  struct listing *listing = arg;
  strncat(listing->text, name, sizeof listing->text - strlen(listing->text) - 1);
  strncat(listing->text, " ", sizeof listing->text - strlen(listing->text) - 1);
  return ++listing->count == listing->stop_after ? 7 : 0;
}

static void a_listing_is_sorted_bytewise_and_holds_only_the_ports_files(void **state) {
  struct fixture *f = *state;
  const char *names[] = {"b", "a.10", "a-", "B", "_", "a.9", "0", "aa", "-", "...", "Z.z"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    open_file(f, names[i], SYNC_OPEN_CREATE);
  char path[512];
  assert_int_equal(mkdir(temp_directory_file(&f->directory, "folder", path, sizeof path), 0700), 0);
  FILE *stranger = fopen(temp_directory_file(&f->directory, "not ours", path, sizeof path), "w");
  assert_non_null(stranger);
  fclose(stranger);
  struct listing all = {.stop_after = -1};
  assert_int_equal(f->env->ops->dir_list(f->env->ctx, list_name, &all), SYNC_OK);
  assert_string_equal(all.text, "- ... 0 B Z.z _ a- a.10 a.9 aa b ");
  struct listing some = {.stop_after = 2};
  assert_int_equal(f->env->ops->dir_list(f->env->ctx, list_name, &some), 7);
  assert_string_equal(some.text, "- ... ");
}

static void a_long_listing_is_complete(void **state) {
  struct fixture *f = *state;
  for (int i = 0; i < 300; i++) {
    char name[16];
    snprintf(name, sizeof name, "%03d", i);
    sync_file file = open_file(f, name, SYNC_OPEN_CREATE);
    assert_int_equal(f->env->ops->file_close(f->env->ctx, file), SYNC_OK);
  }
  struct listing all = {.stop_after = -1};
  assert_int_equal(f->env->ops->dir_list(f->env->ctx, list_name, &all), SYNC_OK);
  assert_int_equal(all.count, 300);
}

static void the_table_of_files_is_bounded_and_reused(void **state) {
  (void)state;
  struct temp_directory other;
  temp_directory_init(&other);
  struct sync_posix_options options = {.directory = other.path, .files_max = 3};
  struct fixture small = {.directory = other};
  assert_int_equal(sync_posix_open(&small.posix, &options), SYNC_OK);
  small.env = sync_posix_env(small.posix);
  assert_int_equal(open_file(&small, "a", SYNC_OPEN_CREATE), 0);
  assert_int_equal(open_file(&small, "b", SYNC_OPEN_CREATE), 1);
  assert_int_equal(open_file(&small, "c", SYNC_OPEN_CREATE), 2);
  assert_int_equal(open_status(&small, "d", SYNC_OPEN_CREATE), SYNC_E_TOO_MANY);
  struct listing all = {.stop_after = -1};
  assert_int_equal(small.env->ops->dir_list(small.env->ctx, list_name, &all), SYNC_OK);
  assert_string_equal(all.text, "a b c ");
  assert_int_equal(small.env->ops->file_close(small.env->ctx, 1), SYNC_OK);
  assert_int_equal(open_file(&small, "d", SYNC_OPEN_CREATE), 1);
  sync_posix_close(small.posix);
  temp_directory_deinit(&other);
}

static void the_processs_own_descriptor_limit_is_too_many(void **state) {
  struct fixture *f = *state;
  struct rlimit before;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  int next = dup(0);
  assert_true(next > 0);
  close(next);
  struct rlimit tight = {.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
  int status = open_status(f, "a", SYNC_OPEN_CREATE);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  assert_int_equal(status, SYNC_E_TOO_MANY);
  open_file(f, "a", SYNC_OPEN_CREATE);
}

static void numbers_that_name_no_open_file_are_invalid(void **state) {
  struct fixture *f = *state;
  sync_file closed = open_file(f, "a", SYNC_OPEN_CREATE);
  assert_int_equal(f->env->ops->file_close(f->env->ctx, closed), SYNC_OK);
  sync_file numbers[] = {closed, -1, 1023, 1024, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    char byte = 'x';
    size_t done = 99;
    uint64_t size;
    assert_int_equal(f->env->ops->file_close(f->env->ctx, numbers[i]), SYNC_E_INVALID);
    assert_int_equal(f->env->ops->file_read(f->env->ctx, numbers[i], 0, &byte, 1, &done), SYNC_E_INVALID);
    assert_int_equal(f->env->ops->file_write(f->env->ctx, numbers[i], 0, &byte, 1, &done), SYNC_E_INVALID);
    assert_int_equal(done, 0);
    assert_int_equal(f->env->ops->file_truncate(f->env->ctx, numbers[i], 0), SYNC_E_INVALID);
    assert_int_equal(f->env->ops->file_size(f->env->ctx, numbers[i], &size), SYNC_E_INVALID);
    assert_int_equal(f->env->ops->file_fsync(f->env->ctx, numbers[i], 1), SYNC_E_INVALID);
  }
}

static void offsets_that_no_file_can_have_are_invalid(void **state) {
  struct fixture *f = *state;
  sync_file file = open_file(f, "a", SYNC_OPEN_CREATE);
  char byte = 'x';
  size_t done = 99;
  assert_int_equal(f->env->ops->file_write(f->env->ctx, file, UINT64_MAX, &byte, 1, &done), SYNC_E_INVALID);
  assert_int_equal(f->env->ops->file_read(f->env->ctx, file, INT64_MAX, &byte, 1, &done), SYNC_E_INVALID);
  assert_int_equal(f->env->ops->file_truncate(f->env->ctx, file, UINT64_C(1) << 63), SYNC_E_INVALID);
  assert_int_equal(size_of(f, file), 0);
}

/* --- Failing calls ---------------------------------------------------------------- */

static void interrupted_calls_are_repeated_inside(void **state) {
  struct fixture *f = *state;
  sync_file file = open_file(f, "a", SYNC_OPEN_CREATE);
  write_fault = (struct planned_fault){.times = 3, .error = EINTR};
  write_all(f, file, 0, "abc");
  read_fault = (struct planned_fault){.times = 3, .error = EINTR};
  expect_bytes(f, file, 0, "abc", 3);
  truncate_fault = (struct planned_fault){.times = 3, .error = EINTR};
  assert_int_equal(f->env->ops->file_truncate(f->env->ctx, file, 1), SYNC_OK);
  assert_int_equal(write_fault.fired + read_fault.fired + truncate_fault.fired, 9);
}

static void short_transfers_are_reported_as_short(void **state) {
  struct fixture *f = *state;
  sync_file file = open_file(f, "a", SYNC_OPEN_CREATE);
  size_t done = 0;
  char buffer[8];
  write_fault = (struct planned_fault){.times = 1, .short_size = 2};
  assert_int_equal(f->env->ops->file_write(f->env->ctx, file, 0, "abcdef", 6, &done), SYNC_OK);
  assert_int_equal(done, 2);
  assert_int_equal(size_of(f, file), 2);
  write_all(f, file, 2, "cdef");
  read_fault = (struct planned_fault){.times = 1, .short_size = 3};
  assert_int_equal(f->env->ops->file_read(f->env->ctx, file, 0, buffer, sizeof buffer, &done), SYNC_OK);
  assert_int_equal(done, 3);
}

static void a_full_disk_and_a_quota_are_no_space_and_the_rest_is_io(void **state) {
  struct fixture *f = *state;
  sync_file file = open_file(f, "a", SYNC_OPEN_CREATE);
  const struct {
    int error, status;
  } cases[] = {{ENOSPC, SYNC_E_NO_SPACE}, {EDQUOT, SYNC_E_NO_SPACE}, {EFBIG, SYNC_E_NO_SPACE},
               {EIO, SYNC_E_IO},          {EROFS, SYNC_E_IO},        {ENOMEM, SYNC_E_NO_MEMORY}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t done = 99;
    char byte = 'x';
    write_fault = (struct planned_fault){.times = 1, .error = cases[i].error};
    assert_int_equal(f->env->ops->file_write(f->env->ctx, file, 0, &byte, 1, &done), cases[i].status);
    assert_int_equal(done, 0);
    truncate_fault = (struct planned_fault){.times = 1, .error = cases[i].error};
    assert_int_equal(f->env->ops->file_truncate(f->env->ctx, file, 9), cases[i].status);
  }
  char byte;
  size_t done = 99;
  read_fault = (struct planned_fault){.times = 1, .error = EIO};
  assert_int_equal(f->env->ops->file_read(f->env->ctx, file, 0, &byte, 1, &done), SYNC_E_IO);
  assert_int_equal(done, 0);
}

static void a_write_without_progress_is_an_error(void **state) {
  struct fixture *f = *state;
  sync_file file = open_file(f, "a", SYNC_OPEN_CREATE);
  size_t done = 99;
  assert_int_equal(f->env->ops->file_write(f->env->ctx, file, 0, "", 0, &done), SYNC_OK);
  assert_int_equal(done, 0);
  write_fault = (struct planned_fault){.times = 1, .short_size = 0};
  assert_int_equal(f->env->ops->file_write(f->env->ctx, file, 0, "x", 1, &done), SYNC_E_IO);
  assert_int_equal(done, 0);
  assert_int_equal(write_fault.fired, 1);
}

static void a_real_file_size_limit_ends_in_a_short_write_then_no_space(void **state) {
  struct fixture *f = *state;
  sync_file file = open_file(f, "a", SYNC_OPEN_CREATE);
  struct rlimit before;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit tight = {.rlim_cur = 10, .rlim_max = before.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
  size_t first = 0, second = 99;
  int first_status = f->env->ops->file_write(f->env->ctx, file, 0, "0123456789abcdef", 16, &first);
  int second_status = f->env->ops->file_write(f->env->ctx, file, 10, "abcdef", 6, &second);
  int truncate_status = f->env->ops->file_truncate(f->env->ctx, file, 20);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, SIG_DFL);
  assert_int_equal(first_status, SYNC_OK);
  assert_int_equal(first, 10);
  assert_int_equal(second_status, SYNC_E_NO_SPACE);
  assert_int_equal(second, 0);
  assert_int_equal(truncate_status, SYNC_E_NO_SPACE);
  write_all(f, file, 10, "abcdef");
  expect_bytes(f, file, 0, "0123456789abcdef", 16);
}

/* --- Opening, the lock --------------------------------------------------------------- */

static void a_second_environment_in_this_process_is_locked_out(void **state) {
  struct fixture *f = *state;
  struct sync_posix *second = NULL;
  struct sync_posix_options options = {.directory = f->directory.path};
  assert_int_equal(sync_posix_open(&second, &options), SYNC_E_LOCKED);
  assert_null(second);
  sync_posix_close(f->posix);
  assert_int_equal(sync_posix_open(&f->posix, &options), SYNC_OK);
  f->env = sync_posix_env(f->posix);
}

/* Opens in a child process and gives back the status. */
static int status_in_another_process(const char *path) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    struct sync_posix *posix;
    struct sync_posix_options options = {.directory = path, .fsync_mode = SYNC_POSIX_FSYNC_INLINE};
    _exit(-sync_posix_open(&posix, &options));
  }
  int wait_status = 0;
  assert_int_equal(waitpid(child, &wait_status, 0), child);
  assert_true(WIFEXITED(wait_status));
  return -WEXITSTATUS(wait_status);
}

static void another_process_is_locked_out_and_touches_nothing(void **state) {
  struct fixture *f = *state;
  char lock_path[512];
  temp_directory_file(&f->directory, SYNC_POSIX_LOCK_NAME, lock_path, sizeof lock_path);
  struct stat directory_before, directory_after, lock_before, lock_after;
  assert_int_equal(stat(f->directory.path, &directory_before), 0);
  assert_int_equal(stat(lock_path, &lock_before), 0);
  assert_int_equal(status_in_another_process(f->directory.path), SYNC_E_LOCKED);
  assert_int_equal(stat(f->directory.path, &directory_after), 0);
  assert_int_equal(stat(lock_path, &lock_after), 0);
  assert_memory_equal(&directory_before.st_mtim, &directory_after.st_mtim, sizeof directory_before.st_mtim);
  assert_memory_equal(&lock_before.st_mtim, &lock_after.st_mtim, sizeof lock_before.st_mtim);
  assert_int_equal(lock_after.st_size, 0);
  sync_posix_close(f->posix);
  f->posix = NULL;
  assert_int_equal(status_in_another_process(f->directory.path), SYNC_OK);
}

static void the_lock_of_a_killed_process_is_gone(void **state) {
  struct fixture *f = *state;
  sync_posix_close(f->posix);
  f->posix = NULL;
  int ready[2];
  assert_int_equal(pipe(ready), 0);
  struct sync_posix_options options = {.directory = f->directory.path};
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    struct sync_posix *posix;
    char byte = sync_posix_open(&posix, &options) == SYNC_OK ? 'y' : 'n';
    if (write(ready[1], &byte, 1) != 1) _exit(1);
    for (;;)
      pause();
  }
  char byte = 0;
  assert_int_equal(read(ready[0], &byte, 1), 1);
  assert_int_equal(byte, 'y');
  assert_int_equal(sync_posix_open(&f->posix, &options), SYNC_E_LOCKED);
  kill(child, SIGKILL);
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_int_equal(sync_posix_open(&f->posix, &options), SYNC_OK);
  close(ready[0]);
  close(ready[1]);
}

static void a_directory_is_made_only_when_asked(void **state) {
  struct fixture *f = *state;
  char path[512], deeper[600];
  temp_directory_file(&f->directory, "node", path, sizeof path);
  snprintf(deeper, sizeof deeper, "%s/x/y", path);
  struct sync_posix *posix = NULL;
  struct sync_posix_options options = {.directory = path};
  assert_int_equal(sync_posix_open(&posix, &options), SYNC_E_NOT_FOUND);
  options.create = true;
  for (int i = 0; i < 2; i++) {
    assert_int_equal(sync_posix_open(&posix, &options), SYNC_OK);
    sync_posix_close(posix);
  }
  options.directory = deeper;
  assert_int_equal(sync_posix_open(&posix, &options), SYNC_E_NOT_FOUND);
  snprintf(deeper, sizeof deeper, "%s/%s", path, SYNC_POSIX_LOCK_NAME);
  assert_int_equal(sync_posix_open(&posix, &options), SYNC_E_IO);
  assert_int_equal(unlink(deeper), 0);
}

static void bad_options_are_invalid(void **state) {
  struct fixture *f = *state;
  struct sync_posix *posix = NULL;
  struct sync_posix_options none = {0}, empty = {.directory = ""};
  struct sync_posix_options mode = {.directory = f->directory.path, .fsync_mode = (enum sync_posix_fsync_mode)2};
  struct sync_posix_options many = {.directory = f->directory.path, .files_max = UINT32_MAX};
  assert_int_equal(sync_posix_open(&posix, &none), SYNC_E_INVALID);
  assert_int_equal(sync_posix_open(&posix, &empty), SYNC_E_INVALID);
  assert_int_equal(sync_posix_open(&posix, &mode), SYNC_E_INVALID);
  assert_int_equal(sync_posix_open(&posix, &many), SYNC_E_INVALID);
  assert_null(posix);
  sync_posix_close(NULL);
}

/* Descriptors of this process; the greatest below `limit` is enough here. */
static int count_descriptors(bool only_kept_by_exec) {
  int count = 0;
  for (int i = 0; i < 256; i++) {
    int flags = fcntl(i, F_GETFD);
    if (flags >= 0 && (!only_kept_by_exec || (flags & FD_CLOEXEC) == 0)) count++;
  }
  return count;
}

static void descriptors_end_with_exec_and_with_close(void **state) {
  struct fixture *f = *state;
  sync_posix_close(f->posix);
  f->posix = NULL;
  int before = count_descriptors(false), kept_before = count_descriptors(true);
  struct sync_posix_options options = {.directory = f->directory.path, .create = true};
  assert_int_equal(sync_posix_open(&f->posix, &options), SYNC_OK);
  f->env = sync_posix_env(f->posix);
  sync_file file = open_file(f, "a", SYNC_OPEN_CREATE);
  assert_int_equal(f->env->ops->file_fsync(f->env->ctx, file, 1), SYNC_OK);
  struct listing all = {.stop_after = -1};
  assert_int_equal(f->env->ops->dir_list(f->env->ctx, list_name, &all), SYNC_OK);
  assert_int_equal(count_descriptors(true), kept_before);
  assert_true(count_descriptors(false) > before);
  struct sync_posix *second;
  assert_int_equal(sync_posix_open(&second, &options), SYNC_E_LOCKED);
  sync_posix_close(f->posix);
  f->posix = NULL;
  assert_int_equal(count_descriptors(false), before);
}

/* --- Clocks, chance, memory, reports ---------------------------------------------------- */

static void clocks_move_forward_and_wall_time_is_the_systems(void **state) {
  struct fixture *f = *state;
  uint64_t last = 0;
  for (int i = 0; i < 1000; i++) {
    uint64_t now = f->env->ops->mono_ns(f->env->ctx);
    assert_true(now >= last && now > 0);
    last = now;
  }
  uint64_t wall_s = f->env->ops->wall_ns(f->env->ctx) / UINT64_C(1000000000);
  assert_true(wall_s + 5 > (uint64_t)time(NULL) && wall_s < (uint64_t)time(NULL) + 5);
}

static void a_wall_clock_before_1970_shows_0_and_one_from_2554_on_the_end_of_64_bits(void **state) {
  struct fixture *f = *state;
  const uint64_t second = UINT64_C(1000000000);
  const struct {
    struct timespec now;
    uint64_t ns;
  } cases[] = {
      {{.tv_sec = -1, .tv_nsec = 999999999}, 0},
      {{.tv_sec = -100000000000, .tv_nsec = 5}, 0},
      {{.tv_sec = 0, .tv_nsec = 7}, 7},
      {{.tv_sec = 18446744073, .tv_nsec = 709551614}, UINT64_MAX - 1},
      {{.tv_sec = 18446744073, .tv_nsec = 709551616}, UINT64_MAX},
      {{.tv_sec = 18446744074, .tv_nsec = 0}, UINT64_MAX},
      {{.tv_sec = 253402300800, .tv_nsec = 0}, UINT64_MAX}, /* year 10000 */
      {{.tv_sec = 1700000000, .tv_nsec = 1}, 1700000000 * second + 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    wall_time = &cases[i].now;
    uint64_t ns = f->env->ops->wall_ns(f->env->ctx);
    wall_time = NULL;
    assert_true(ns == cases[i].ns);
  }
}

static void unique_is_never_zero_and_never_repeats(void **state) {
  struct fixture *f = *state;
  uint64_t seen[256];
  for (size_t i = 0; i < 256; i++) {
    seen[i] = f->env->ops->unique(f->env->ctx);
    assert_true(seen[i] != 0);
    for (size_t j = 0; j < i; j++)
      assert_true(seen[i] != seen[j]);
  }
}

static void pick_stays_below_n_and_reaches_everything(void **state) {
  struct fixture *f = *state;
  unsigned seen = 0;
  for (int i = 0; i < 500; i++) {
    uint64_t value = f->env->ops->pick(f->env->ctx, SYNC_PICK_BACKOFF_JITTER, 5);
    assert_true(value < 5);
    seen |= 1u << value;
    assert_int_equal(f->env->ops->pick(f->env->ctx, SYNC_PICK_BACKOFF_JITTER, 1), 0);
    uint64_t wide = (UINT64_C(1) << 63) + 1;
    assert_true(f->env->ops->pick(f->env->ctx, SYNC_PICK_BACKOFF_JITTER, wide) < wide);
  }
  assert_int_equal(seen, 31);
}

static void memory_is_given_and_taken_back(void **state) {
  struct fixture *f = *state;
  void *none = f->env->ops->alloc(f->env->ctx, 0, 0);
  char *some = f->env->ops->alloc(f->env->ctx, 100, 64);
  assert_non_null(some);
  memset(some, 1, 100);
  f->env->ops->free(f->env->ctx, some, 100, 64);
  f->env->ops->free(f->env->ctx, none, 0, 0);
  f->env->ops->free(f->env->ctx, NULL, 0, 0);
}

static void observe(void *arg, enum sync_trace_kind kind, const uint64_t *fields, size_t count) {
  uint64_t *sum = arg;
  *sum += (uint64_t)kind;
  for (size_t i = 0; i < count; i++)
    *sum += fields[i];
}

static void log_line(void *arg, enum sync_level level, const char *line) {
  char *all = arg;
  (void)snprintf(all + strlen(all), 400 - strlen(all), "%d %s\n", (int)level, line);
}

static void steps_up_to_a_level_are_logged_in_words(void **state) {
  struct fixture *f = *state;
  const uint64_t parked[] = {3}, trim[] = {4096}, mark[] = {1, 2};
  static const enum sync_level levels[] = {0, SYNC_LEVEL_WARNING, SYNC_LEVEL_DEBUG};
#define PARKED "2 peer 3 is parked: it is probed from now on\n"
#define TRIMMED "3 the log begins at 4096 now\n"
  static const char all_three[] = PARKED TRIMMED "4 marked what is durable, to 2 of the log\n";
  static const char first_two[] = PARKED TRIMMED;
  const char *const expected[] = {first_two, PARKED, all_three};
  for (size_t i = 0; i < 3; i++) {
    char all[400] = "";
    sync_posix_close(f->posix);
    struct sync_posix_options options = {
        .directory = f->directory.path, .log = log_line, .log_arg = all, .log_level = levels[i]};
    assert_int_equal(sync_posix_open(&f->posix, &options), SYNC_OK);
    f->env = sync_posix_env(f->posix);
    f->env->ops->trace(f->env->ctx, SYNC_TRACE_PARKED, parked, 1);
    f->env->ops->trace(f->env->ctx, SYNC_TRACE_TRIM, trim, 1);
    f->env->ops->trace(f->env->ctx, SYNC_TRACE_MARK, mark, 2);
    assert_string_equal(all, expected[i]);
  }
}

static void traces_reach_the_callback_and_need_none(void **state) {
  struct fixture *f = *state;
  const uint64_t fields[] = {1000, 100};
  f->env->ops->trace(f->env->ctx, SYNC_TRACE_MARK, fields, 2);
  sync_posix_close(f->posix);
  uint64_t sum = 0;
  struct sync_posix_options options = {.directory = f->directory.path, .trace = observe, .trace_arg = &sum};
  assert_int_equal(sync_posix_open(&f->posix, &options), SYNC_OK);
  f->env = sync_posix_env(f->posix);
  f->env->ops->trace(f->env->ctx, SYNC_TRACE_MARK, fields, 2);
  assert_int_equal(sum, 1100 + SYNC_TRACE_MARK);
}

static void fatal_names_the_place_and_aborts(void **state) {
  struct fixture *f = *state;
  int messages[2];
  assert_int_equal(pipe(messages), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    struct rlimit no_core = {0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGABRT, SIG_DFL);
    dup2(messages[1], 2);
    f->env->ops->fatal(f->env->ctx, "core/log/wal.c", 42, "the durable position went back");
    _exit(0);
  }
  close(messages[1]);
  char text[256] = {0};
  ssize_t got = read(messages[0], text, sizeof text - 1);
  close(messages[0]);
  int wait_status = 0;
  assert_int_equal(waitpid(child, &wait_status, 0), child);
  assert_true(WIFSIGNALED(wait_status));
  assert_int_equal(WTERMSIG(wait_status), SIGABRT);
  assert_true(got > 0);
  assert_non_null(strstr(text, "core/log/wal.c:42: the durable position went back\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(what_is_written_is_read_back_at_every_offset),
      TEST(reading_at_or_past_the_end_gives_nothing),
      TEST(a_gap_before_a_write_reads_as_zeros),
      TEST(open_flags_do_what_they_say),
      TEST(names_outside_the_port_are_refused_by_every_call),
      TEST(only_regular_files_are_opened),
      TEST(truncate_cuts_and_grows_with_zeros),
      TEST(rename_replaces_and_unlink_removes),
      TEST(a_listing_is_sorted_bytewise_and_holds_only_the_ports_files),
      TEST(a_long_listing_is_complete),
      TEST(the_table_of_files_is_bounded_and_reused),
      TEST(the_processs_own_descriptor_limit_is_too_many),
      TEST(numbers_that_name_no_open_file_are_invalid),
      TEST(offsets_that_no_file_can_have_are_invalid),
      TEST(interrupted_calls_are_repeated_inside),
      TEST(short_transfers_are_reported_as_short),
      TEST(a_full_disk_and_a_quota_are_no_space_and_the_rest_is_io),
      TEST(a_write_without_progress_is_an_error),
      TEST(a_real_file_size_limit_ends_in_a_short_write_then_no_space),
      TEST(a_second_environment_in_this_process_is_locked_out),
      TEST(another_process_is_locked_out_and_touches_nothing),
      TEST(the_lock_of_a_killed_process_is_gone),
      TEST(a_directory_is_made_only_when_asked),
      TEST(bad_options_are_invalid),
      TEST(descriptors_end_with_exec_and_with_close),
      TEST(clocks_move_forward_and_wall_time_is_the_systems),
      TEST(a_wall_clock_before_1970_shows_0_and_one_from_2554_on_the_end_of_64_bits),
      TEST(unique_is_never_zero_and_never_repeats),
      TEST(pick_stays_below_n_and_reaches_everything),
      TEST(memory_is_given_and_taken_back),
      TEST(steps_up_to_a_level_are_logged_in_words),
      TEST(traces_reach_the_callback_and_need_none),
      TEST(fatal_names_the_place_and_aborts),
  };
  int failed = cmocka_run_group_tests_name("posix_env", tests, NULL, NULL);
  return failed != 0;
}
