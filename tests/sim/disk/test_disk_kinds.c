/* Kinds of disks, apart: what each may do at a power loss, seen to happen, and
 * what it never does. docs/world.md has the table that names these tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/disk_fixture.h"

#define SECTOR 512u

static struct disk_fixture fixture;

/* --- Outcomes over seeds, as texts --------------------------------------------------- */

#define SET_MAX 256
static struct {
  size_t count;
  char items[SET_MAX][128];
} seen;

static void see(const char *text) {
  for (size_t i = 0; i < seen.count; i++)
    if (strcmp(seen.items[i], text) == 0) return;
  assert_true(seen.count < SET_MAX && strlen(text) < sizeof seen.items[0]);
  strcpy(seen.items[seen.count++], text);
}

static bool was_seen(const char *text) {
  for (size_t i = 0; i < seen.count; i++)
    if (strcmp(seen.items[i], text) == 0) return true;
  return false;
}

/* Exactly these outcomes, no other. */
static void assert_seen(const char *const *allowed, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!was_seen(allowed[i])) fail_msg("never occurred: %s", allowed[i]);
  for (size_t i = 0; i < seen.count; i++) {
    bool found = false;
    for (size_t j = 0; j < count && !found; j++)
      found = strcmp(seen.items[i], allowed[j]) == 0;
    if (!found) fail_msg("forbidden: %s", seen.items[i]);
  }
}
#define ASSERT_SEEN(...)                                                                                               \
  assert_seen((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* A file by its half sectors, each a letter; 0 for zeros, ? for a mixture; - when it is not there. */
static int tell(char *text, size_t text_size, const char *name) {
  uint8_t bytes[8192];
  size_t size = disk_fixture_read(&fixture, name, bytes, sizeof bytes);
  int at = 0;
  text[0] = '\0';
  if (size == SIZE_MAX) return snprintf(text, text_size, "-");
  for (size_t from = 0; from < size; from += SECTOR / 2) {
    size_t to = from + SECTOR / 2 < size ? from + SECTOR / 2 : size;
    uint8_t byte = bytes[from];
    for (size_t i = from; i < to; i++)
      if (bytes[i] != bytes[from]) byte = '?';
    at += snprintf(text + at, text_size - (size_t)at, "%c", byte == 0 ? '0' : byte);
  }
  return at;
}

/* Overrides for lose_power(); NULL: none. */
static struct sim_choice_table *overrides;

/* One power loss after `prepare`, for many seeds; the files are told in order. */
static void lose_power(uint64_t seeds, const struct sim_disk_config *config, void (*prepare)(void),
                       const char *const *names, size_t count) {
  seen.count = 0;
  for (uint64_t seed = 1; seed <= seeds; seed++) {
    char text[128];
    int at = 0;
    disk_fixture_begin(&fixture, seed, config, overrides);
    prepare();
    sim_disk_power_loss(fixture.disk);
    for (size_t i = 0; i < count; i++) {
      if (i > 0) at += snprintf(text + at, sizeof text - (size_t)at, " ");
      at += tell(text + at, sizeof text - (size_t)at, names[i]);
    }
    see(text);
  }
}
#define LOSE_POWER(seeds, config, prepare, ...)                                                                        \
  lose_power((seeds), (config), (prepare), (const char *const[]){__VA_ARGS__},                                         \
             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* A file with `size` bytes of a letter, durable with its name. */
static sync_file durable(const char *name, char letter, size_t size) {
  sync_file file = disk_fixture_create(&fixture, name);
  if (size > 0) disk_fixture_write(&fixture, file, 0, (uint8_t)letter, size);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  return file;
}

/* --- Cuts -------------------------------------------------------------------------- */

static void write_cut_write(void) {
  sync_file file = durable("f", 'a', 3 * SECTOR);
  disk_fixture_write(&fixture, file, 2 * SECTOR, 'b', SECTOR);
  assert_int_equal(sim_disk_truncate(fixture.disk, file, SECTOR), SYNC_OK);
  disk_fixture_write(&fixture, file, SECTOR, 'c', SECTOR / 2);
}

static void cut_to_nothing(void) {
  assert_int_equal(sim_disk_truncate(fixture.disk, durable("f", 'a', 3 * SECTOR), 0), SYNC_OK);
}

/* Never the old size with some sectors zeroed. */
static void a_lost_cut_is_lost_whole_with_all_after_it(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_ADVERSARIAL};
  overrides = sim_choice_table_create();
  sim_choice_table_set(overrides,
                       sim_tag(SIM_CHOICE_DISK_STYLE, 1, sim_hash_fold(sim_hash_fold(1, sim_hash_bytes("f", 1)), 0)),
                       SIM_DISK_SECTORS);
  LOSE_POWER(500, &config, cut_to_nothing, "f");
  ASSERT_SEEN("aaaaaa", "");
  LOSE_POWER(1000, &config, write_cut_write, "f");
  ASSERT_SEEN("aaaaaa", "aaaabb", "aa", "aac", "aa0");
  sim_choice_table_destroy(overrides);
  overrides = NULL;
  LOSE_POWER(4000, &config, write_cut_write, "f");
  /* Not cut: b or not, or (lost) spoiled. Cut: c or not, its size or not, or spoiled. */
  for (size_t i = 0; i < seen.count; i++)
    assert_true(strncmp(seen.items[i], "aaaa", 4) == 0 ? strlen(seen.items[i]) == 6 : strlen(seen.items[i]) <= 3);
  assert_true(was_seen("aaaaaa") && was_seen("aaaabb") && was_seen("aa") && was_seen("aac") && was_seen("aa0"));
}

/* --- One order ----------------------------------------------------------------------- */

static void names_and_contents(void) {
  sync_file x = durable("x", 'a', SECTOR);
  disk_fixture_write(&fixture, x, 0, 'b', SECTOR);
  sync_file y = disk_fixture_create(&fixture, "y");
  disk_fixture_write(&fixture, y, 0, 'c', SECTOR);
  assert_int_equal(sim_disk_rename(fixture.disk, "y", "z"), SYNC_OK);
  disk_fixture_write(&fixture, x, SECTOR, 'd', 2 * SECTOR);
}

static void an_ordered_disk_has_one_order_of_names_and_contents(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_ORDERED};
  LOSE_POWER(1000, &config, names_and_contents, "x", "y", "z");
  ASSERT_SEEN("aa - -", "bb - -", "bb  -", "bb cc -", "bb - cc", "bbdd - cc", "bbdddd - cc");
}

static void changes_then_fsync_of_another_file(void) {
  sync_file x = durable("x", 'a', SECTOR), y = disk_fixture_create(&fixture, "y");
  disk_fixture_write(&fixture, x, 0, 'b', SECTOR);
  sync_file z = disk_fixture_create(&fixture, "z");
  disk_fixture_write(&fixture, y, 0, 'c', SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, z), SYNC_OK);
  disk_fixture_write(&fixture, y, 0, 'd', SECTOR);
}

static void changes_then_fsync_of_the_directory(void) {
  sync_file x = durable("x", 'a', SECTOR), y = disk_fixture_create(&fixture, "y");
  disk_fixture_write(&fixture, x, 0, 'b', SECTOR);
  disk_fixture_write(&fixture, y, 0, 'c', SECTOR);
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  disk_fixture_write(&fixture, y, 0, 'd', SECTOR);
}

static void an_fsync_on_an_ordered_disk_makes_all_before_it_durable(void **state) {
  (void)state;
  struct sim_disk_config ordered = {.on_crash = SIM_DISK_ORDERED};
  LOSE_POWER(200, &ordered, changes_then_fsync_of_another_file, "x", "y", "z");
  ASSERT_SEEN("bb cc ", "bb dd ");
  LOSE_POWER(200, &ordered, changes_then_fsync_of_the_directory, "x", "y");
  ASSERT_SEEN("bb cc", "bb dd");
  struct sim_disk_config strict = {.on_crash = SIM_DISK_STRICT}; /* each fsync for itself */
  LOSE_POWER(20, &strict, changes_then_fsync_of_another_file, "x", "y", "z");
  ASSERT_SEEN("aa - -");
  LOSE_POWER(20, &strict, changes_then_fsync_of_the_directory, "x", "y");
  ASSERT_SEEN("aa ");
}

/* Write-back keeps the order, too. */
static void write_back_on_an_ordered_disk_takes_the_oldest_of_all(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_ORDERED, .write_back_ppm = 400000};
  LOSE_POWER(1000, &config, names_and_contents, "x", "y", "z");
  for (size_t i = 0; i < seen.count; i++)
    assert_true(strchr(seen.items[i], 'c') == NULL || strncmp(seen.items[i], "bb", 2) == 0);
}

/* --- Tearing --------------------------------------------------------------------------- */

static void two_writes(void) {
  sync_file file = durable("f", 'a', 3 * SECTOR);
  disk_fixture_write(&fixture, file, 0, 'b', 3 * SECTOR);
  disk_fixture_write(&fixture, file, 0, 'c', 3 * SECTOR);
}

static void a_disk_that_never_tears_keeps_whole_writes_in_order(void **state) {
  (void)state;
  static const enum sim_disk_on_crash kinds[] = {SIM_DISK_ADVERSARIAL, SIM_DISK_ORDERED};
  for (int i = 0; i < 2; i++) {
    struct sim_disk_config config = {.on_crash = kinds[i], .tearing = SIM_DISK_TEARS_NEVER};
    LOSE_POWER(500, &config, two_writes, "f");
    ASSERT_SEEN("aaaaaa", "bbbbbb", "cccccc");
  }
}

static void a_strict_disk_never_tears_unless_asked_to(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  LOSE_POWER(200, &config, two_writes, "f");
  ASSERT_SEEN("aaaaaa");
  config.tearing = SIM_DISK_TEARS_ALWAYS;
  LOSE_POWER(500, &config, two_writes, "f");
  ASSERT_SEEN("aaaaaa", "bbaaaa", "bbbbaa");
}

/* --- Overwriting ------------------------------------------------------------------------- */

static void append_into_a_durable_sector(void) {
  sync_file file = durable("f", 'a', SECTOR / 2);
  disk_fixture_write(&fixture, file, SECTOR / 2, 'b', SECTOR);
}

/* The first half sector is durable, and stays. */
static void a_file_that_grew_past_a_synced_partial_sector_keeps_what_was_durable(void **state) {
  (void)state;
  for (int kind = SIM_DISK_ADVERSARIAL; kind <= SIM_DISK_STRICT; kind++) {
    struct sim_disk_config config = {.on_crash = (enum sim_disk_on_crash)kind};
    LOSE_POWER(3000, &config, append_into_a_durable_sector, "f");
    for (size_t i = 0; i < seen.count; i++)
      assert_int_equal(seen.items[i][0], 'a');
    assert_true(kind == SIM_DISK_STRICT || seen.count > 2);
  }
}

static void without_power_safe_overwrite_a_sector_may_be_lost_whole(void **state) {
  (void)state;
  for (int kind = SIM_DISK_ADVERSARIAL; kind <= SIM_DISK_STRICT; kind++) {
    struct sim_disk_config config = {.on_crash = (enum sim_disk_on_crash)kind, .overwrite = SIM_DISK_OVERWRITE_UNSAFE};
    bool zeros = false, garbage = false;
    LOSE_POWER(3000, &config, append_into_a_durable_sector, "f");
    for (size_t i = 0; i < seen.count; i++) {
      zeros = zeros || seen.items[i][0] == '0';
      garbage = garbage || seen.items[i][0] == '?';
    }
    assert_int_equal(zeros && garbage, kind != SIM_DISK_STRICT);
    config.tearing = SIM_DISK_TEARS_NEVER;
    LOSE_POWER(1000, &config, append_into_a_durable_sector, "f");
    for (size_t i = 0; i < seen.count; i++)
      assert_int_equal(seen.items[i][0], 'a');
  }
}

static void append_behind_durable_sectors(void) {
  sync_file file = durable("f", 'a', 2 * SECTOR);
  disk_fixture_write(&fixture, file, 2 * SECTOR, 'b', SECTOR);
}

/* Sectors that nobody was writing are as they were. */
static void an_unsafe_overwrite_spoils_no_other_sector(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_ADVERSARIAL, .overwrite = SIM_DISK_OVERWRITE_UNSAFE};
  LOSE_POWER(2000, &config, append_behind_durable_sectors, "f");
  for (size_t i = 0; i < seen.count; i++)
    assert_memory_equal(seen.items[i], "aaaa", 4);
}

/* --- Names --------------------------------------------------------------------------------- */

static void a_new_file_is_fsynced(void) {
  sync_file a = disk_fixture_create(&fixture, "a"), b = disk_fixture_create(&fixture, "b");
  sync_file c = disk_fixture_create(&fixture, "c");
  (void)a, (void)c;
  disk_fixture_write(&fixture, b, 0, 'b', SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, b), SYNC_OK);
}

static void an_fsync_of_a_new_file_keeps_its_name_where_the_disk_says_so(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  LOSE_POWER(20, &config, a_new_file_is_fsynced, "a", "b", "c");
  ASSERT_SEEN("- - -");
  config.fsync_names = true;
  LOSE_POWER(20, &config, a_new_file_is_fsynced, "a", "b", "c");
  ASSERT_SEEN(" bb -"); /* a journal is one list: a is before b in it, c is not */
}

static void rename_over_another(void) {
  (void)durable("old", 'a', SECTOR);
  (void)durable("new", 'b', SECTOR);
  assert_int_equal(sim_disk_rename(fixture.disk, "new", "old"), SYNC_OK);
}
static void rename_to_a_free_name(void) {
  (void)durable("new", 'b', SECTOR);
  assert_int_equal(sim_disk_rename(fixture.disk, "new", "old"), SYNC_OK);
}
static void rename_that_a_later_one_follows(void) {
  (void)durable("new", 'b', SECTOR);
  assert_int_equal(sim_disk_rename(fixture.disk, "new", "old"), SYNC_OK);
  assert_int_equal(sim_disk_rename(fixture.disk, "old", "x"), SYNC_OK);
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
}

static void a_loose_rename_may_be_seen_half_done(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_ADVERSARIAL};
  LOSE_POWER(300, &config, rename_over_another, "new", "old");
  ASSERT_SEEN("bb aa", "- bb");
  config.rename = SIM_DISK_RENAME_LOOSE;
  LOSE_POWER(1000, &config, rename_over_another, "new", "old");
  ASSERT_SEEN("bb aa", "- bb", "bb bb", "- -", "bb -");
  LOSE_POWER(1000, &config, rename_to_a_free_name, "new", "old");
  ASSERT_SEEN("bb -", "- bb", "bb bb", "- -");
  LOSE_POWER(300, &config, rename_that_a_later_one_follows, "new", "old", "x");
  ASSERT_SEEN("- - bb"); /* what was fsynced is whole */
  config.on_crash = SIM_DISK_ORDERED;
  LOSE_POWER(300, &config, rename_over_another, "new", "old");
  ASSERT_SEEN("bb aa", "- bb");
}

/* Both names of a file that was renamed in half: either goes, the other stays. */
static void a_file_with_two_names_lives_until_both_are_gone(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_ADVERSARIAL, .rename = SIM_DISK_RENAME_LOOSE};
  uint64_t both = 0;
  for (uint64_t seed = 1; seed <= 100; seed++) {
    char text[64];
    disk_fixture_begin(&fixture, seed, &config, NULL);
    rename_to_a_free_name();
    sim_disk_power_loss(fixture.disk);
    if (tell(text, sizeof text, "new") != 2 || tell(text, sizeof text, "old") != 2) continue;
    both++;
    assert_int_equal(sim_disk_used_bytes(fixture.disk), SECTOR);
    sim_disk_image_save(fixture.disk);
    assert_int_equal(sim_disk_unlink(fixture.disk, seed % 2 ? "new" : "old"), SYNC_OK);
    assert_int_equal(sim_disk_used_bytes(fixture.disk), SECTOR);
    (void)tell(text, sizeof text, seed % 2 ? "old" : "new");
    assert_string_equal(text, "bb");
    assert_int_equal(sim_disk_unlink(fixture.disk, seed % 2 ? "old" : "new"), SYNC_OK);
    assert_int_equal(sim_disk_used_bytes(fixture.disk), 0);
    assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
    assert_true(sim_disk_image_restore(fixture.disk));
    assert_int_equal(tell(text, sizeof text, "old"), 2);
  }
  assert_true(both > 5);
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
      cmocka_unit_test(a_lost_cut_is_lost_whole_with_all_after_it),
      cmocka_unit_test(an_ordered_disk_has_one_order_of_names_and_contents),
      cmocka_unit_test(an_fsync_on_an_ordered_disk_makes_all_before_it_durable),
      cmocka_unit_test(write_back_on_an_ordered_disk_takes_the_oldest_of_all),
      cmocka_unit_test(a_disk_that_never_tears_keeps_whole_writes_in_order),
      cmocka_unit_test(a_strict_disk_never_tears_unless_asked_to),
      cmocka_unit_test(a_file_that_grew_past_a_synced_partial_sector_keeps_what_was_durable),
      cmocka_unit_test(without_power_safe_overwrite_a_sector_may_be_lost_whole),
      cmocka_unit_test(an_unsafe_overwrite_spoils_no_other_sector),
      cmocka_unit_test(an_fsync_of_a_new_file_keeps_its_name_where_the_disk_says_so),
      cmocka_unit_test(a_loose_rename_may_be_seen_half_done),
      cmocka_unit_test(a_file_with_two_names_lives_until_both_are_gone),
  };
  return cmocka_run_group_tests_name("disk_kinds", tests, setup, teardown) != 0;
}
