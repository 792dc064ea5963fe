/* Errors that calls give back: each fires, as each of its statuses, and leaves what
 * the table says; docs/world.md shows that table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/sync.h"
#include "sim/disk/disk_error.h"
#include "tests/support/disk_fixture.h"

#define SECTOR 512
#define SEEDS 400u

static struct disk_fixture fixture;

/* A durable file "f" of one sector, under a disk that strict losses leave alone. */
static sync_file begin(uint64_t seed, const struct sim_disk_config *config) {
  struct sim_disk_config calm = {.on_crash = SIM_DISK_STRICT};
  disk_fixture_begin(&fixture, seed, &calm, NULL);
  sync_file file = disk_fixture_create(&fixture, "f");
  disk_fixture_write(&fixture, file, 0, 'a', SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  sim_disk_configure(fixture.disk, config);
  return file;
}

static void calm_down(void) {
  struct sim_disk_config calm = {.on_crash = SIM_DISK_STRICT};
  sim_disk_configure(fixture.disk, &calm);
}

/* Size of a file by name, -1 when it is not there. */
static int64_t size_of(const char *name) {
  uint8_t bytes[8192];
  size_t size = disk_fixture_read(&fixture, name, bytes, sizeof bytes);
  return size == SIZE_MAX ? -1 : (int64_t)size;
}

/* How often a call ended with each status, and how often it had an effect then. */
static struct { uint32_t count[32], done[32]; } seen;

static void see(int status, bool done) {
  assert_true(status < 0 && status > -32);
  assert_true(sim_disk_told(fixture.disk, status));
  seen.count[-status]++;
  seen.done[-status] += done;
}

/* The statuses seen are those of the table, in equal shares, done where it says so. */
static void assert_as_the_table_says(enum sim_disk_call call, enum sim_fault fault, bool takes_room) {
  uint32_t rows = 0;
  bool allowed[32] = {false};
  for (size_t i = 0; sim_disk_error_at(i) != NULL; i++)
    rows += sim_disk_error_at(i)->call == call && (takes_room || !sim_disk_error_at(i)->needs_room);
  assert_true(rows > 0);
  if (rows == 0) return; /* for the analyzer */
  for (size_t i = 0; sim_disk_error_at(i) != NULL; i++) {
    const struct sim_disk_error *error = sim_disk_error_at(i);
    if (error->call != call || (!takes_room && error->needs_room)) continue;
    uint32_t count = seen.count[-error->status], done = seen.done[-error->status];
    assert_int_equal(error->fault, fault);
    allowed[-error->status] = true;
    assert_in_range(count, SEEDS / rows / 2, SEEDS / rows * 2);
    assert_in_range(done, error->may_be_done ? count / 4 : 0, error->may_be_done ? count - count / 4 : 0);
  }
  for (int status = 0; status < 32; status++)
    assert_true(allowed[status] || seen.count[status] == 0);
  memset(&seen, 0, sizeof seen);
}

static void opens_fail_and_may_have_created_or_cut_the_file(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .open_error_ppm = 1000000};
  for (int creates = 0; creates < 2; creates++) {
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
      sync_file file;
      begin(seed, &config);
      int status = sim_disk_open(fixture.disk, creates ? "g" : "f",
                                 creates ? SYNC_OPEN_CREATE | SYNC_OPEN_EXCLUSIVE : SYNC_OPEN_TRUNCATE, &file);
      assert_int_equal(file, -1);
      assert_int_equal(sim_disk_open_handles(fixture.disk), 1);
      assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_OPEN_ERROR), 1);
      calm_down();
      see(status, creates ? size_of("g") == 0 : size_of("f") == 0);
      assert_int_equal(sim_disk_used_bytes(fixture.disk), size_of("f"));
    }
    assert_as_the_table_says(SIM_DISK_OPEN, SIM_FAULT_DISK_OPEN_ERROR, creates != 0);
  }
}

static void a_close_that_fails_has_closed_all_the_same(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .close_error_ppm = 1000000};
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    sync_file file = begin(seed, &config);
    uint64_t size;
    see(sim_disk_close(fixture.disk, file), false);
    assert_int_equal(sim_disk_open_handles(fixture.disk), 0);
    assert_int_equal(sim_disk_size(fixture.disk, file, &size), SYNC_E_INVALID);
    assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_CLOSE_ERROR), 1);
    calm_down();
    assert_int_equal(size_of("f"), SECTOR);
  }
  assert_as_the_table_says(SIM_DISK_CLOSE, SIM_FAULT_DISK_CLOSE_ERROR, false);
}

static void a_truncate_that_fails_may_have_happened(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .truncate_error_ppm = 1000000};
  for (int grows = 0; grows < 2; grows++) {
    uint64_t to = grows ? 2 * SECTOR : 100;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
      sync_file file = begin(seed, &config);
      int status = sim_disk_truncate(fixture.disk, file, to);
      assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_TRUNCATE_ERROR), 1);
      int64_t size = size_of("f");
      assert_true(size == SECTOR || size == (int64_t)to);
      assert_int_equal(sim_disk_used_bytes(fixture.disk), size);
      see(status, size == (int64_t)to);
      sim_disk_power_loss(fixture.disk);
      assert_int_equal(size_of("f"), SECTOR);
    }
    assert_as_the_table_says(SIM_DISK_TRUNCATE, SIM_FAULT_DISK_TRUNCATE_ERROR, grows != 0);
  }
}

static void a_size_may_not_be_known(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .size_error_ppm = 1000000};
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    sync_file file = begin(seed, &config);
    uint64_t size = 7;
    see(sim_disk_size(fixture.disk, file, &size), false);
    assert_int_equal(size, 0);
    assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_SIZE_ERROR), 1);
  }
  assert_as_the_table_says(SIM_DISK_SIZE, SIM_FAULT_DISK_SIZE_ERROR, false);
}

static void a_rename_that_fails_may_have_happened(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .rename_error_ppm = 1000000};
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    begin(seed, &config);
    int status = sim_disk_rename(fixture.disk, "f", "g");
    assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_RENAME_ERROR), 1);
    bool done = size_of("g") == SECTOR;
    assert_int_equal(size_of("f"), done ? -1 : SECTOR);
    assert_int_equal(sim_disk_pending_changes(fixture.disk), done);
    see(status, done);
    sim_disk_power_loss(fixture.disk);
    assert_int_equal(size_of("f"), SECTOR);
  }
  assert_as_the_table_says(SIM_DISK_RENAME, SIM_FAULT_DISK_RENAME_ERROR, false);
}

static void an_unlink_that_fails_may_have_happened(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .unlink_error_ppm = 1000000};
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    assert_int_equal(sim_disk_close(fixture.disk, begin(seed, &config)), SYNC_OK);
    int status = sim_disk_unlink(fixture.disk, "f");
    assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_UNLINK_ERROR), 1);
    bool done = size_of("f") == -1;
    assert_int_equal(sim_disk_used_bytes(fixture.disk), done ? 0 : SECTOR);
    see(status, done);
    sim_disk_power_loss(fixture.disk);
    assert_int_equal(size_of("f"), SECTOR);
  }
  assert_as_the_table_says(SIM_DISK_UNLINK, SIM_FAULT_DISK_UNLINK_ERROR, false);
}

static int count_name(void *arg, const char *name) {
  (void)name;
  ++*(int *)arg;
  return 0;
}
static int refuse_name(void *arg, const char *name) {
  (void)arg, (void)name;
  return SYNC_E_FULL;
}

static void a_listing_that_fails_tells_no_name(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .list_error_ppm = 1000000};
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    int names = 0;
    begin(seed, &config);
    see(sim_disk_list(fixture.disk, count_name, &names), false);
    assert_int_equal(names, 0);
    assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_LIST_ERROR), 1);
    calm_down(); /* what the caller's own function says is no error of the disk */
    assert_int_equal(sim_disk_list(fixture.disk, refuse_name, NULL), SYNC_E_FULL);
    assert_false(sim_disk_told(fixture.disk, SYNC_E_FULL));
  }
  assert_as_the_table_says(SIM_DISK_LIST, SIM_FAULT_DISK_LIST_ERROR, false);
}

static void a_refused_fsync_is_not_under_way(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .fsync_request_error_ppm = 1000000};
  for (int directory = 0; directory < 2; directory++) {
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
      sync_file file = begin(seed, &config);
      uint64_t id = fixture.fsyncs + 1, token;
      disk_fixture_write(&fixture, file, 0, 'b', SECTOR);
      assert_int_equal(sim_disk_rename(fixture.disk, "f", "g"), SYNC_OK);
      see(directory ? sim_disk_fsync_dir(fixture.disk, 9) : sim_disk_fsync_file(fixture.disk, file, 9), false);
      assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_FSYNC_REQUEST_ERROR), 1);
      assert_int_equal(sim_disk_fsync_finish(fixture.disk, id, &token), SYNC_E_NOT_FOUND);
      assert_int_equal(sim_disk_pending_changes(fixture.disk), 2);
      calm_down(); /* the next one covers it */
      assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
      assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
      assert_int_equal(sim_disk_pending_changes(fixture.disk), 0);
    }
    assert_as_the_table_says(SIM_DISK_FSYNC_REQUEST, SIM_FAULT_DISK_FSYNC_REQUEST_ERROR, false);
  }
}

/* What it covered may be lost for good, as of any failed fsync. */
static void an_fsync_may_find_no_space(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .fsync_no_space_ppm = 1000000};
  uint32_t told = 0, late = 0, lost = 0, kept = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    sync_file file = begin(seed, &config);
    disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR);
    int status = disk_fixture_fsync(&fixture, file);
    assert_true(status == SYNC_E_NO_SPACE || status == SYNC_OK); /* or the next one tells */
    assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_FSYNC_NO_SPACE), 1);
    told += status == SYNC_E_NO_SPACE;
    calm_down();
    if (status == SYNC_OK) late += disk_fixture_fsync(&fixture, file) == SYNC_E_IO;
    sim_disk_power_loss(fixture.disk);
    uint8_t bytes[2 * SECTOR];
    size_t size = disk_fixture_read(&fixture, "f", bytes, sizeof bytes);
    kept += size == 2 * SECTOR && bytes[SECTOR] == 'b';
    lost += size < 2 * SECTOR || bytes[SECTOR] == 0;
  }
  assert_true(told > 50 && late > 20 && told + late == SEEDS && lost > 50 && kept > 50);
  begin(1, &config);
  assert_int_equal(sim_disk_rename(fixture.disk, "f", "g"), SYNC_OK);
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_E_NO_SPACE);
}

static void what_was_told_is_forgotten_after_a_life(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .close_error_ppm = 1000000};
  int status = sim_disk_close(fixture.disk, begin(1, &config));
  assert_true(sim_disk_told(fixture.disk, status));
  assert_false(sim_disk_told(fixture.disk, SYNC_E_TOO_MANY));
  sim_disk_process_crash(fixture.disk);
  assert_true(sim_disk_told(fixture.disk, status)); /* of the life that has just ended */
  sim_disk_process_crash(fixture.disk);
  assert_false(sim_disk_told(fixture.disk, status));
}

/* --- The documentation ------------------------------------------------------------------ */

static char *text_of(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return NULL;
  static char text[1 << 17];
  size_t size = fread(text, 1, sizeof text - 1, file);
  assert_int_equal(fclose(file), 0);
  text[size] = '\0';
  return text;
}

/* Each row is there as the code has it, and no row more. */
static void the_documentation_shows_the_table(void **state) {
  (void)state;
  const char *text = text_of("docs/world.md");
  if (text == NULL) skip(); /* elsewhere than in the project's folder */
  const char *table = strstr(text, "| call | status | errors of Linux | setting | what is left |\n");
  assert_non_null(table);
  size_t rows = 0, lines = 0;
  for (const char *at = table; *at == '|'; at = strchr(at, '\n') + 1)
    lines++;
  for (; sim_disk_error_at(rows) != NULL; rows++) {
    const struct sim_disk_error *error = sim_disk_error_at(rows);
    char line[256];
    (void)snprintf(line, sizeof line, "\n| %s | `%s` | %s | `%s` | %s |\n", sim_disk_call_name(error->call),
                   sync_status_name(error->status), error->errors, error->setting, error->what_is_left);
    if (strstr(table, line) == NULL) fail_msg("docs/world.md lacks this line:%s", line);
  }
  assert_int_equal(lines, rows + 2);
}

/* Each row of the table of kinds names tests, and they exist. */
static void the_tests_that_the_documentation_names_exist(void **state) {
  (void)state;
  static const char *const sources[] = {"tests/sim/disk/test_disk_kinds.c", "tests/sim/disk/test_disk_power_loss.c",
                                        "tests/sim/disk/test_disk_survival.c", "tests/sim/disk/test_disk_directory.c"};
  static char document[1 << 16];
  size_t names = 0;
  const char *text = text_of("docs/world.md");
  if (text == NULL) skip();
  const char *table = strstr(text, "| kind | what may happen | seen to happen | never else |\n");
  assert_non_null(table);
  const char *end = strstr(table, "\n\n");
  assert_true(end != NULL && (size_t)(end - table) < sizeof document);
  memcpy(document, table, (size_t)(end - table));
  for (char *line = strtok(strchr(strchr(document, '\n') + 1, '\n'), "\n"); line != NULL; line = strtok(NULL, "\n")) {
    char *cell = strchr(strchr(line + 1, '|') + 1, '|'); /* behind what may happen */
    for (char *from = strchr(cell, '`'); from != NULL; from = strchr(strchr(from + 1, '`') + 1, '`'), names++) {
      char unit[160];
      bool found = false;
      int size = (int)(strchr(from + 1, '`') - from - 1);
      (void)snprintf(unit, sizeof unit, "cmocka_unit_test(%.*s)", size, from + 1);
      for (size_t i = 0; i < sizeof sources / sizeof *sources && !found; i++) {
        const char *source = text_of(sources[i]);
        found = source != NULL && strstr(source, unit) != NULL;
      }
      if (!found) fail_msg("docs/world.md names a test that there is not: %s", unit);
    }
  }
  assert_true(names >= 20);
}

static int setup(void **state) {
  (void)state;
  disk_fixture_open(&fixture);
  return 0;
}
static int teardown(void **state) {
  (void)state;
  disk_fixture_close(&fixture);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(opens_fail_and_may_have_created_or_cut_the_file),
      cmocka_unit_test(a_close_that_fails_has_closed_all_the_same),
      cmocka_unit_test(a_truncate_that_fails_may_have_happened),
      cmocka_unit_test(a_size_may_not_be_known),
      cmocka_unit_test(a_rename_that_fails_may_have_happened),
      cmocka_unit_test(an_unlink_that_fails_may_have_happened),
      cmocka_unit_test(a_listing_that_fails_tells_no_name),
      cmocka_unit_test(a_refused_fsync_is_not_under_way),
      cmocka_unit_test(an_fsync_may_find_no_space),
      cmocka_unit_test(what_was_told_is_forgotten_after_a_life),
      cmocka_unit_test(the_documentation_shows_the_table),
      cmocka_unit_test(the_tests_that_the_documentation_names_exist),
  };
  return cmocka_run_group_tests_name("disk_errors", tests, setup, teardown) != 0;
}
