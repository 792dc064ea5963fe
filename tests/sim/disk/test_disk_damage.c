/* Damage at rest: unreadable sectors, misdirected writes, the budget, the record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/disk_fixture.h"

#define SECTOR 512u

static struct disk_fixture fixture;

/* Describes each sector of "f": its first byte, or '!' when it cannot be read. */
static const char *sectors(void) {
  static char text[64];
  uint8_t bytes[SECTOR];
  uint64_t size;
  size_t done, at = 0;
  sync_file file;
  assert_int_equal(sim_disk_open(fixture.disk, "f", 0, &file), SYNC_OK);
  assert_int_equal(sim_disk_size(fixture.disk, file, &size), SYNC_OK);
  for (uint64_t offset = 0; offset < size; offset += SECTOR) {
    int status = sim_disk_read(fixture.disk, file, offset, bytes, SECTOR, &done);
    assert_true(status == SYNC_OK || (status == SYNC_E_IO && done == 0));
    text[at++] = status != SYNC_OK ? '!' : bytes[0] == 0 ? '0' : (char)bytes[0];
  }
  text[at] = '\0';
  assert_int_equal(sim_disk_close(fixture.disk, file), SYNC_OK);
  return text;
}

static void configure(const struct sim_disk_config *config) {
  sim_disk_configure(fixture.disk, config);
}
static void calm_down(void) {
  configure(&(struct sim_disk_config){.on_crash = SIM_DISK_STRICT});
}

/* "f" with `count` durable sectors of 'a', under a calm disk; then `config`. */
static sync_file begin(uint64_t seed, const struct sim_disk_config *config, const struct sim_choice_table *table,
                       size_t count) {
  struct sim_disk_config calm = {.on_crash = SIM_DISK_STRICT};
  disk_fixture_begin(&fixture, seed, &calm, table);
  sync_file file = disk_fixture_create(&fixture, "f");
  if (count > 0) disk_fixture_write(&fixture, file, 0, 'a', count * SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  if (config != NULL) configure(config);
  return file;
}

static int try_read(sync_file file, uint64_t offset, size_t size) {
  uint8_t bytes[8192];
  size_t done;
  int status = sim_disk_read(fixture.disk, file, offset, bytes, size, &done);
  assert_int_equal(done, status == SYNC_OK ? size : 0);
  return status;
}

static int try_write(sync_file file, uint64_t offset, uint8_t byte, size_t size) {
  uint8_t bytes[8192];
  size_t done;
  memset(bytes, byte, size);
  int status = sim_disk_write(fixture.disk, file, offset, bytes, size, &done);
  assert_int_equal(done, status == SYNC_OK ? size : 0);
  return status;
}

/* --- Unreadable sectors -------------------------------------------------------------- */

static void a_read_that_touches_an_unreadable_sector_fails_every_time(void **state) {
  (void)state;
  sync_file file = begin(1, NULL, NULL, 4);
  assert_true(sim_disk_unreadable(fixture.disk, "f", 1, 2));
  for (int again = 0; again < 3; again++) {
    assert_string_equal(sectors(), "a!!a");
    assert_int_equal(try_read(file, SECTOR - 1, 2), SYNC_E_IO);
    assert_int_equal(try_read(file, 0, 4 * SECTOR), SYNC_E_IO);
    assert_int_equal(try_read(file, SECTOR + 7, 1), SYNC_E_IO);
    assert_int_equal(try_read(file, 3 * SECTOR - 1, 1), SYNC_E_IO);
    assert_int_equal(try_read(file, 0, SECTOR), SYNC_OK);
    assert_int_equal(try_read(file, 3 * SECTOR, SECTOR), SYNC_OK);
    if (again == 0) sim_disk_process_crash(fixture.disk);
    if (again == 1) sim_disk_power_loss(fixture.disk);
    file = disk_fixture_create(&fixture, "f");
  }
  assert_true(sim_disk_damaged(fixture.disk));
}

static void sectors_out_of_range_are_not_made_unreadable(void **state) {
  (void)state;
  begin(1, NULL, NULL, 2);
  uint64_t digest = sim_disk_digest(fixture.disk);
  assert_false(sim_disk_unreadable(fixture.disk, "f", 2, 1));
  assert_false(sim_disk_unreadable(fixture.disk, "f", 1, 2));
  assert_false(sim_disk_unreadable(fixture.disk, "f", 1, UINT64_MAX));
  assert_false(sim_disk_unreadable(fixture.disk, "f", 0, 0));
  assert_false(sim_disk_unreadable(fixture.disk, "g", 0, 1));
  assert_false(sim_disk_unreadable(fixture.disk, "../f", 0, 1));
  assert_false(sim_disk_damaged(fixture.disk));
  assert_true(digest == sim_disk_digest(fixture.disk));
  assert_true(sim_disk_unreadable(fixture.disk, "f", 1, 1));
  assert_true(digest != sim_disk_digest(fixture.disk));
}

static void an_unreadable_sector_heals_when_its_new_content_is_on_the_platter(void **state) {
  (void)state;
  sync_file file = begin(1, NULL, NULL, 3);
  assert_true(sim_disk_unreadable(fixture.disk, "f", 0, 3));
  disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR);
  assert_string_equal(sectors(), "!b!"); /* from the cache */
  sim_disk_power_loss(fixture.disk);     /* never reached the platter */
  assert_string_equal(sectors(), "!!!");
  file = disk_fixture_create(&fixture, "f");
  disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_string_equal(sectors(), "!b!");
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "!b!");
}

static void a_write_that_would_need_the_rest_of_an_unreadable_sector_fails(void **state) {
  (void)state;
  sync_file file = begin(1, NULL, NULL, 3);
  assert_true(sim_disk_unreadable(fixture.disk, "f", 1, 1));
  uint64_t digest = sim_disk_digest(fixture.disk);
  assert_int_equal(try_write(file, SECTOR, 'b', SECTOR - 1), SYNC_E_IO);
  assert_int_equal(try_write(file, SECTOR + 1, 'b', 2 * SECTOR), SYNC_E_IO);
  assert_int_equal(try_write(file, 0, 'b', SECTOR + 1), SYNC_E_IO);
  assert_int_equal(sim_disk_truncate(fixture.disk, file, SECTOR + 100), SYNC_E_IO);
  assert_true(digest == sim_disk_digest(fixture.disk));
  assert_int_equal(sim_disk_pending_changes(fixture.disk), 0);
  assert_int_equal(try_write(file, 10, 'b', 2 * SECTOR - 10), SYNC_OK);
  assert_string_equal(sectors(), "aba");
  assert_int_equal(try_write(file, SECTOR + 1, 'c', 1), SYNC_OK); /* its sector is in the cache */
  assert_int_equal(sim_disk_truncate(fixture.disk, file, SECTOR + 100), SYNC_OK);
}

static void a_failed_write_changes_no_part_of_an_unreadable_sector(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .write_error_ppm = 1000000};
  /* Of all the amounts that a failed write may do, only a whole number of sectors counts. */
  for (uint64_t amount = 0; amount <= 2 * SECTOR; amount += SECTOR / 2) {
    struct sim_choice_table *table = sim_choice_table_create();
    sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_WRITE_ERROR_DONE, 1, 0), amount);
    sync_file file = begin(1, &config, table, 2);
    assert_true(sim_disk_unreadable(fixture.disk, "f", 0, 2));
    assert_int_equal(try_write(file, 0, 'b', 2 * SECTOR), SYNC_E_IO);
    assert_string_equal(sectors(), amount == SECTOR ? "b!" : amount == 2 * SECTOR ? "bb" : "!!");
    assert_int_equal(sim_disk_pending_changes(fixture.disk), amount == SECTOR || amount == 2 * SECTOR);
    sim_choice_table_destroy(table);
  }
}

static void the_last_sector_is_whole_when_it_is_written_to_the_end_of_the_file(void **state) {
  (void)state;
  sync_file file = begin(1, NULL, NULL, 2);
  disk_fixture_write(&fixture, file, 2 * SECTOR, 'a', 100);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_true(sim_disk_unreadable(fixture.disk, "f", 2, 1));
  assert_int_equal(try_write(file, 2 * SECTOR + 100, 'b', 50), SYNC_E_IO); /* an append needs what is before it */
  assert_int_equal(try_write(file, 2 * SECTOR, 'b', 99), SYNC_E_IO);
  assert_int_equal(try_write(file, 2 * SECTOR, 'b', 100), SYNC_OK);
  assert_string_equal(sectors(), "aab");
}

static void a_truncate_drops_unreadable_sectors_when_it_is_durable(void **state) {
  (void)state;
  sync_file file = begin(1, NULL, NULL, 3);
  assert_true(sim_disk_unreadable(fixture.disk, "f", 1, 2));
  assert_int_equal(sim_disk_truncate(fixture.disk, file, SECTOR), SYNC_OK);
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "a!!");
  file = disk_fixture_create(&fixture, "f");
  assert_int_equal(sim_disk_truncate(fixture.disk, file, SECTOR), SYNC_OK);
  assert_int_equal(sim_disk_truncate(fixture.disk, file, 3 * SECTOR), SYNC_OK);
  assert_string_equal(sectors(), "a00");
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "a00");
}

static void sectors_behind_the_size_that_survived_are_forgotten(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_ADVERSARIAL};
  struct sim_choice_table *table = sim_choice_table_create();
  uint64_t loss = sim_hash_fold(1, sim_hash_bytes("f", 1));
  sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_STYLE, 1, sim_hash_fold(loss, 0)), SIM_DISK_SECTORS);
  sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_SIZE, 1, sim_hash_fold(loss, 0)), 0);
  sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_CUT, 1, sim_hash_fold(loss, 0)), 0);
  sync_file file = begin(1, &config, table, 2);
  assert_true(sim_disk_unreadable(fixture.disk, "f", 1, 1));
  assert_int_equal(sim_disk_truncate(fixture.disk, file, SECTOR), SYNC_OK);
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "a");
  file = disk_fixture_create(&fixture, "f");
  assert_int_equal(sim_disk_truncate(fixture.disk, file, 2 * SECTOR), SYNC_OK);
  assert_string_equal(sectors(), "a0");
  sim_choice_table_destroy(table);
}

static void pending_content_of_an_unreadable_sector_is_read_from_the_cache(void **state) {
  (void)state;
  sync_file file = begin(1, NULL, NULL, 2);
  disk_fixture_write(&fixture, file, SECTOR + 5, 'b', 1);
  assert_true(sim_disk_unreadable(fixture.disk, "f", 0, 2));
  assert_int_equal(try_read(file, SECTOR, SECTOR), SYNC_OK);
  assert_int_equal(try_read(file, SECTOR + 100, 1), SYNC_OK); /* the page is in the cache, not the byte alone */
  assert_string_equal(sectors(), "!a");
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "!a");
}

static void a_lost_write_heals_no_sector(void **state) {
  (void)state;
  struct sim_disk_config lost = {.on_crash = SIM_DISK_STRICT, .lost_write_ppm = 1000000};
  sync_file file = begin(1, NULL, NULL, 2);
  assert_true(sim_disk_unreadable(fixture.disk, "f", 1, 1));
  configure(&lost);
  disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR);
  calm_down();
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_string_equal(sectors(), "ab");
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "a!");
}

static void a_power_loss_of_any_style_heals_just_the_sectors_that_survived(void **state) {
  (void)state;
  int healed = 0, kept = 0;
  for (uint64_t seed = 1; seed <= 300; seed++) {
    struct sim_disk_config config = {.on_crash = (enum sim_disk_on_crash)(seed % 3)};
    sync_file file = begin(seed, &config, NULL, 3);
    assert_true(sim_disk_unreadable(fixture.disk, "f", 0, 3));
    disk_fixture_write(&fixture, file, 0, 'b', 2 * SECTOR);
    sim_disk_power_loss(fixture.disk);
    const char *text = sectors();
    assert_int_equal(text[2], '!');
    for (int i = 0; i < 2; i++) {
      assert_true(text[i] != 'a'); /* what was there cannot come back */
      healed += text[i] == 'b';
      kept += text[i] == '!';
    }
  }
  assert_true(healed > 0 && kept > 0);
}

static void reads_find_any_of_their_sectors_unreadable(void **state) {
  (void)state;
  struct sim_disk_config config = {
      .on_crash = SIM_DISK_STRICT, .unreadable_ppm = 500000, .damage_budget = 1, .erase_block_bytes = SECTOR};
  static const char *const allowed[] = {"aaaa", "a!aa", "aa!a"};
  int found[3] = {0};
  for (uint64_t seed = 1; seed <= 200; seed++) {
    sync_file file = begin(seed, &config, NULL, 4);
    int status = try_read(file, SECTOR + 3, SECTOR); /* sectors 1 and 2 */
    calm_down();
    const char *text = sectors();
    int which = 0;
    while (which < 3 && strcmp(text, allowed[which]) != 0)
      which++;
    assert_true(which < 3);
    found[which]++;
    assert_int_equal(status, which == 0 ? SYNC_OK : SYNC_E_IO);
    assert_int_equal(disk_fixture_chances(&fixture, SIM_FAULT_DISK_UNREADABLE), 1);
    assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_UNREADABLE), which != 0);
    assert_int_equal(sim_disk_damaged(fixture.disk), which != 0);
  }
  assert_true(found[0] > 0 && found[1] > 0 && found[2] > 0);
}

static void what_the_cache_holds_is_never_found_unreadable(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .unreadable_ppm = 1000000};
  sync_file file = begin(1, &config, NULL, 1);
  disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR);
  assert_int_equal(try_read(file, SECTOR, SECTOR), SYNC_OK);
  assert_false(sim_disk_damaged(fixture.disk));
  assert_int_equal(try_read(file, 0, 2 * SECTOR), SYNC_E_IO);
  calm_down();
  assert_string_equal(sectors(), "!b");
}

/* --- Misdirected writes ---------------------------------------------------------------- */

/* Three sectors; the fate of the write is decided by the table, not by luck. */
static void a_misdirected_write_leaves_one_place_old_and_spoils_the_other(void **state) {
  (void)state;
  static const char *const platter[3][2] = {{"aba", "aab"}, {"baa", "aab"}, {"baa", "aba"}};
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .misdirect_ppm = 1};
  for (uint64_t own = 0; own < 3; own++) {
    for (uint64_t where = 0; where < 2; where++) {
      struct sim_choice_table *table = sim_choice_table_create();
      sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_MISDIRECT, 1, 0), 1);
      sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_MISDIRECT_WHERE, 1, 0), where);
      sync_file file = begin(1, &config, table, 3);
      disk_fixture_write(&fixture, file, own * SECTOR, 'b', SECTOR);
      char live[] = "aaa";
      live[own] = 'b';
      assert_string_equal(sectors(), live); /* the cache does not know */
      calm_down();
      assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
      assert_string_equal(sectors(), live);
      sim_disk_power_loss(fixture.disk);
      assert_string_equal(sectors(), platter[own][where]);
      const struct sim_damage *damage = sim_disk_damage_at(fixture.disk, 0);
      assert_int_equal(damage->kind, SIM_DAMAGE_MISDIRECTED);
      assert_int_equal(damage->offset, own * SECTOR);
      assert_int_equal(platter[own][where][damage->stray_offset / SECTOR], 'b');
      sim_choice_table_destroy(table);
    }
  }
}

static void a_misdirected_write_that_did_not_survive_spoils_nothing(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .misdirect_ppm = 1000000};
  sync_file file = begin(1, &config, NULL, 3);
  disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR);
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "aaa");
}

static void a_misdirected_write_makes_the_sector_that_it_hits_readable(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .misdirect_ppm = 1000000};
  sync_file file = begin(1, NULL, NULL, 2);
  assert_true(sim_disk_unreadable(fixture.disk, "f", 0, 2));
  configure(&config);
  disk_fixture_write(&fixture, file, 0, 'b', SECTOR);
  calm_down();
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "!b");
}

/* --- Budget and record -------------------------------------------------------------------- */

static void chance_does_no_more_damage_than_the_budget(void **state) {
  (void)state;
  static const uint32_t budgets[] = {1, 2, 5};
  uint64_t kinds = 0;
  for (uint64_t seed = 1; seed <= 300; seed++) {
    struct sim_disk_config config = {.damage_budget = budgets[seed % 3],
                                     .fsync_error_ppm = 100000,
                                     .fsync_lie_ppm = 300000,
                                     .rot_ppm = 300000,
                                     .unreadable_ppm = 100000,
                                     .lost_write_ppm = 200000,
                                     .misdirect_ppm = 200000};
    sync_file file = begin(seed, &config, NULL, 4);
    uint64_t fired = 0;
    for (uint64_t i = 0; i < 40; i++) {
      (void)try_read(file, i % 4 * SECTOR, 1);
      (void)try_write(file, i % 4 * SECTOR, 'b', SECTOR);
      if (i % 4 == 2) (void)disk_fixture_fsync(&fixture, file);
      if (i % 8 != 7) continue;
      sim_disk_power_loss(fixture.disk);
      file = disk_fixture_create(&fixture, "f");
    }
    assert_int_equal(sim_disk_damage_count(fixture.disk), budgets[seed % 3]);
    for (uint64_t i = 0; i < budgets[seed % 3]; i++)
      kinds |= UINT64_C(1) << sim_disk_damage_at(fixture.disk, i)->kind;
    for (int fault = SIM_FAULT_DISK_ROT; fault <= SIM_FAULT_DISK_MISDIRECTED; fault++)
      fired += disk_fixture_fired(&fixture, (enum sim_fault)fault);
    assert_true(fired <= budgets[seed % 3]);
  }
  assert_int_equal(kinds, 0x7e);
}

static void a_fsync_failure_is_told_at_once_when_the_budget_is_used_up(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .fsync_error_ppm = 1000000, .damage_budget = 1};
  for (int used = 0; used < 2; used++) {
    struct sim_choice_table *table = sim_choice_table_create();
    sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_FSYNC_ERROR_FORM, 1, 0), 2); /* told late */
    sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_PREFIX, 1, 0), 1);
    sync_file file = begin(1, &config, table, 2);
    if (used) assert_true(sim_disk_flip(fixture.disk, "f", 0));
    disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR);
    assert_int_equal(disk_fixture_fsync(&fixture, file), used ? SYNC_E_IO : SYNC_OK);
    assert_int_equal(sim_disk_damage_count(fixture.disk), 1);
    assert_int_equal(sim_disk_damage_at(fixture.disk, 0)->kind, used ? SIM_DAMAGE_ROT : SIM_DAMAGE_FSYNC_LATE);
    sim_choice_table_destroy(table);
  }
}

static void scripted_damage_is_always_done_and_uses_up_the_budget(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .rot_ppm = 1000000, .damage_budget = 2};
  begin(1, &config, NULL, 4);
  for (uint64_t i = 0; i < 3; i++)
    assert_true(sim_disk_flip(fixture.disk, "f", i));
  assert_true(sim_disk_unreadable(fixture.disk, "f", 3, 1));
  sim_disk_power_loss(fixture.disk);
  assert_int_equal(sim_disk_damage_count(fixture.disk), 4);
  assert_int_equal(disk_fixture_chances(&fixture, SIM_FAULT_DISK_ROT), 0);
}

static void expect_damage(uint64_t index, enum sim_damage_kind kind, const char *name, uint64_t offset, uint64_t size) {
  const struct sim_damage *damage = sim_disk_damage_at(fixture.disk, index);
  assert_non_null(damage);
  assert_int_equal(damage->kind, kind);
  assert_true(damage->name_hash == (name != NULL ? sim_hash_bytes(name, strlen(name)) : 0));
  assert_int_equal(damage->offset, offset);
  assert_int_equal(damage->size, size);
  assert_int_equal(damage->time_ns, sim_now(fixture.world));
  if (kind != SIM_DAMAGE_MISDIRECTED) assert_int_equal(damage->stray_offset, offset);
}

static void the_record_tells_kind_file_range_and_time(void **state) {
  (void)state;
  struct sim_disk_config lie = {.on_crash = SIM_DISK_STRICT, .fsync_lie_ppm = 1000000};
  struct sim_disk_config lost = {.on_crash = SIM_DISK_STRICT, .lost_write_ppm = 1000000};
  struct sim_disk_config stray = {.on_crash = SIM_DISK_STRICT, .misdirect_ppm = 1000000};
  struct sim_disk_config unreadable = {
      .on_crash = SIM_DISK_STRICT, .unreadable_ppm = 1000000, .erase_block_bytes = SECTOR};
  sync_file file = begin(1, NULL, NULL, 4);
  sim_run(fixture.sim, 5 * SIM_SECOND, UINT64_MAX);
  assert_null(sim_disk_damage_at(fixture.disk, 0));
  assert_true(sim_disk_flip(fixture.disk, "f", 1000 * 8 + 3));
  assert_true(sim_disk_unreadable(fixture.disk, "f", 2, 2));
  configure(&lost);
  disk_fixture_write(&fixture, file, 700, 'b', 20);
  configure(&stray);
  disk_fixture_write(&fixture, file, 100, 'c', 30);
  configure(&lie);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  disk_fixture_create(&fixture, "g");
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  calm_down();
  sim_disk_power_loss(fixture.disk);
  configure(&unreadable);
  file = disk_fixture_create(&fixture, "f");
  assert_int_equal(try_read(file, 10, 5), SYNC_E_IO);
  expect_damage(0, SIM_DAMAGE_ROT, "f", 1000, 1);
  expect_damage(1, SIM_DAMAGE_UNREADABLE, "f", 2 * SECTOR, 2 * SECTOR);
  expect_damage(2, SIM_DAMAGE_LOST_WRITE, "f", 700, 20);
  expect_damage(3, SIM_DAMAGE_MISDIRECTED, "f", 100, 30);
  expect_damage(4, SIM_DAMAGE_FSYNC_LIE, "f", 100, 620);
  expect_damage(5, SIM_DAMAGE_FSYNC_LIE, NULL, 0, 0);
  expect_damage(6, SIM_DAMAGE_FSYNC_LIE, NULL, 0, 0); /* the name is still pending: a lie again */
  expect_damage(7, SIM_DAMAGE_UNREADABLE, "f", 0, SECTOR);
  assert_int_equal(sim_disk_damage_count(fixture.disk), 8);
}

static void the_record_keeps_every_damage(void **state) {
  (void)state;
  begin(1, NULL, NULL, 1);
  for (uint64_t bit = 0; bit < 100; bit++)
    assert_true(sim_disk_flip(fixture.disk, "f", bit * 8));
  assert_int_equal(sim_disk_damage_count(fixture.disk), 100);
  expect_damage(63, SIM_DAMAGE_ROT, "f", 63, 1);
  expect_damage(99, SIM_DAMAGE_ROT, "f", 99, 1);
  assert_null(sim_disk_damage_at(fixture.disk, 100));
}

static void the_record_outlives_a_wipe(void **state) {
  (void)state;
  begin(1, NULL, NULL, 1);
  assert_true(sim_disk_flip(fixture.disk, "f", 0));
  sim_disk_wipe(fixture.disk);
  assert_int_equal(sim_disk_damage_count(fixture.disk), 1);
  assert_true(sim_disk_damaged(fixture.disk));
}

/* --- Whether it is still there --------------------------------------------------------- */

static void a_damage_is_over_once_its_file_is_gone_or_the_disk_is_wiped(void **state) {
  (void)state;
  begin(1, NULL, NULL, 2);
  assert_true(sim_disk_flip(fixture.disk, "f", 8));
  assert_true(sim_disk_damage_there(fixture.disk, 0));
  assert_int_equal(sim_disk_rename(fixture.disk, "f", "g"), SYNC_OK);
  expect_damage(0, SIM_DAMAGE_ROT, "g", 1, 1); /* under the name that it has now */
  sim_disk_power_loss(fixture.disk);           /* strict: the rename is lost */
  expect_damage(0, SIM_DAMAGE_ROT, "f", 1, 1);
  assert_int_equal(sim_disk_unlink(fixture.disk, "f"), SYNC_OK);
  assert_true(sim_disk_damage_there(fixture.disk, 0)); /* the name may come back */
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  assert_false(sim_disk_damage_there(fixture.disk, 0));
  begin(1, NULL, NULL, 2);
  assert_true(sim_disk_flip(fixture.disk, "f", 8));
  sim_disk_wipe(fixture.disk);
  assert_false(sim_disk_damage_there(fixture.disk, 0));
}

static void a_lost_write_is_over_when_its_sector_is_written_again_and_stays_when_power_was_lost(void **state) {
  (void)state;
  const struct sim_disk_config lose = {.on_crash = SIM_DISK_STRICT, .lost_write_ppm = 1000000};
  for (int again = 0; again < 2; again++) {
    sync_file file = begin(1, &lose, NULL, 2);
    assert_int_equal(try_write(file, 10, 'b', 5), SYNC_OK);
    assert_true(sim_disk_damage_there(fixture.disk, 0)); /* pending still */
    assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
    assert_true(sim_disk_damage_there(fixture.disk, 0));
    calm_down();
    if (again) assert_int_equal(try_write(file, 100, 'c', 5), SYNC_OK);
    assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
    assert_int_equal(sim_disk_damage_there(fixture.disk, 0), !again);
    sim_disk_power_loss(fixture.disk);
    assert_int_equal(sim_disk_damage_there(fixture.disk, 0), !again);
  }
}

static void a_write_that_no_fsync_covered_leaves_no_damage_when_power_is_lost(void **state) {
  (void)state;
  const struct sim_disk_config lose = {.on_crash = SIM_DISK_STRICT, .lost_write_ppm = 1000000};
  sync_file file = begin(1, &lose, NULL, 2);
  assert_int_equal(try_write(file, 10, 'b', 5), SYNC_OK);
  sim_disk_power_loss(fixture.disk);
  assert_false(sim_disk_damage_there(fixture.disk, 0));
}

static void an_unreadable_sector_is_there_until_it_is_written(void **state) {
  (void)state;
  sync_file file = begin(1, NULL, NULL, 2);
  assert_true(sim_disk_unreadable(fixture.disk, "f", 1, 1));
  assert_true(sim_disk_damage_there(fixture.disk, 0));
  assert_int_equal(try_write(file, SECTOR, 'b', SECTOR), SYNC_OK);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_false(sim_disk_damage_there(fixture.disk, 0));
}

static void a_lie_about_names_is_over_when_an_honest_fsync_follows(void **state) {
  (void)state;
  const struct sim_disk_config lie = {.on_crash = SIM_DISK_STRICT, .fsync_lie_ppm = 1000000};
  for (int honest = 0; honest < 2; honest++) {
    begin(1, &lie, NULL, 1);
    disk_fixture_create(&fixture, "g");
    assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
    assert_true(sim_disk_damage_there(fixture.disk, 0));
    calm_down();
    if (honest) assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
    assert_int_equal(sim_disk_damage_there(fixture.disk, 0), !honest);
    sim_disk_power_loss(fixture.disk);
    assert_int_equal(sim_disk_damage_there(fixture.disk, 0), !honest);
  }
}

static void an_image_brings_back_the_damage_that_it_had_and_no_other(void **state) {
  (void)state;
  begin(1, NULL, NULL, 2);
  assert_true(sim_disk_flip(fixture.disk, "f", 8));
  sim_disk_image_save(fixture.disk);
  assert_true(sim_disk_flip(fixture.disk, "f", 80));
  sim_disk_wipe(fixture.disk);
  assert_false(sim_disk_damage_there(fixture.disk, 0));
  assert_true(sim_disk_image_restore(fixture.disk));
  assert_true(sim_disk_damage_there(fixture.disk, 0));
  assert_false(sim_disk_damage_there(fixture.disk, 1));
  expect_damage(0, SIM_DAMAGE_ROT, "f", 1, 1);
}

static void an_image_that_lacks_names_says_so(void **state) {
  (void)state;
  const struct sim_disk_config lie = {.on_crash = SIM_DISK_STRICT, .fsync_lie_ppm = 1000000};
  begin(1, &lie, NULL, 1);
  disk_fixture_create(&fixture, "g");
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  sim_disk_image_save(fixture.disk);
  calm_down();
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  assert_false(sim_disk_damage_there(fixture.disk, 0));
  assert_true(sim_disk_image_restore(fixture.disk));
  assert_true(sim_disk_damage_there(fixture.disk, 0));
  sim_disk_damage_names_seen(fixture.disk);
  assert_false(sim_disk_damage_there(fixture.disk, 0));
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
      cmocka_unit_test(a_read_that_touches_an_unreadable_sector_fails_every_time),
      cmocka_unit_test(sectors_out_of_range_are_not_made_unreadable),
      cmocka_unit_test(an_unreadable_sector_heals_when_its_new_content_is_on_the_platter),
      cmocka_unit_test(a_write_that_would_need_the_rest_of_an_unreadable_sector_fails),
      cmocka_unit_test(a_failed_write_changes_no_part_of_an_unreadable_sector),
      cmocka_unit_test(the_last_sector_is_whole_when_it_is_written_to_the_end_of_the_file),
      cmocka_unit_test(a_truncate_drops_unreadable_sectors_when_it_is_durable),
      cmocka_unit_test(sectors_behind_the_size_that_survived_are_forgotten),
      cmocka_unit_test(pending_content_of_an_unreadable_sector_is_read_from_the_cache),
      cmocka_unit_test(a_lost_write_heals_no_sector),
      cmocka_unit_test(a_power_loss_of_any_style_heals_just_the_sectors_that_survived),
      cmocka_unit_test(reads_find_any_of_their_sectors_unreadable),
      cmocka_unit_test(what_the_cache_holds_is_never_found_unreadable),
      cmocka_unit_test(a_misdirected_write_leaves_one_place_old_and_spoils_the_other),
      cmocka_unit_test(a_misdirected_write_that_did_not_survive_spoils_nothing),
      cmocka_unit_test(a_misdirected_write_makes_the_sector_that_it_hits_readable),
      cmocka_unit_test(chance_does_no_more_damage_than_the_budget),
      cmocka_unit_test(a_fsync_failure_is_told_at_once_when_the_budget_is_used_up),
      cmocka_unit_test(scripted_damage_is_always_done_and_uses_up_the_budget),
      cmocka_unit_test(the_record_tells_kind_file_range_and_time),
      cmocka_unit_test(the_record_keeps_every_damage),
      cmocka_unit_test(the_record_outlives_a_wipe),
      cmocka_unit_test(a_damage_is_over_once_its_file_is_gone_or_the_disk_is_wiped),
      cmocka_unit_test(a_lost_write_is_over_when_its_sector_is_written_again_and_stays_when_power_was_lost),
      cmocka_unit_test(a_write_that_no_fsync_covered_leaves_no_damage_when_power_is_lost),
      cmocka_unit_test(an_unreadable_sector_is_there_until_it_is_written),
      cmocka_unit_test(a_lie_about_names_is_over_when_an_honest_fsync_follows),
      cmocka_unit_test(an_image_brings_back_the_damage_that_it_had_and_no_other),
      cmocka_unit_test(an_image_that_lacks_names_says_so),
  };
  return cmocka_run_group_tests_name("disk_damage", tests, setup, teardown) != 0;
}
