/* Every fault of a disk fires, and does what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/node/node.h"
#include "tests/support/disk_fixture.h"

#define SECTOR 512u

static struct disk_fixture fixture;

/* Reads file "f" and describes each sector by its first byte. */
static const char *sectors(void) {
  static char text[64];
  uint8_t bytes[8192];
  size_t size = disk_fixture_read(&fixture, "f", bytes, sizeof bytes), at = 0;
  assert_true(size != SIZE_MAX);
  for (size_t sector = 0; sector * SECTOR < size; sector++)
    text[at++] = bytes[sector * SECTOR] == 0 ? '0' : (char)bytes[sector * SECTOR];
  text[at] = '\0';
  return text;
}

/* "f" with `count` durable sectors of 'a', under a calm disk. */
static sync_file begin(uint64_t seed, const struct sim_disk_config *config, const struct sim_choice_table *table,
                       size_t count) {
  struct sim_disk_config calm = {.on_crash = config->on_crash};
  disk_fixture_begin(&fixture, seed, &calm, table);
  sync_file file = disk_fixture_create(&fixture, "f");
  if (count > 0) disk_fixture_write(&fixture, file, 0, 'a', count * SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  sim_disk_configure(fixture.disk, config);
  return file;
}

static void calm_down(void) {
  struct sim_disk_config calm = {.on_crash = SIM_DISK_STRICT};
  sim_disk_configure(fixture.disk, &calm);
}

static void a_disk_without_faults_decides_nothing_but_fsync_delays(void **state) {
  (void)state;
  struct sim_disk_config config = {0};
  struct sim_choice_table *record = sim_choice_table_create();
  disk_fixture_begin(&fixture, 7, &config, NULL);
  struct sim_choice_source source = {.seed = 7, .record = record};
  sim_set_source(fixture.sim, &source);
  sync_file file = disk_fixture_create(&fixture, "f");
  uint8_t byte;
  size_t done;
  for (uint64_t i = 0; i < 100; i++) {
    disk_fixture_write(&fixture, file, i * 100, 'x', 100);
    assert_int_equal(sim_disk_read(fixture.disk, file, i, &byte, 1, &done), SYNC_OK);
  }
  for (int i = 0; i < 5; i++)
    disk_fixture_fsync(&fixture, file);
  assert_int_equal(sim_choice_table_count(record), 5);
  for (uint64_t i = 0; i < 5; i++) {
    uint64_t delay;
    assert_true(sim_choice_table_get(record, sim_tag(SIM_CHOICE_DISK_FSYNC_DELAY, 1, i), &delay));
  }
  assert_false(sim_disk_damaged(fixture.disk));
  sim_choice_table_destroy(record);
}

static void a_failed_write_may_have_taken_effect_in_any_prefix(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .write_error_ppm = 1000000};
  bool seen[4] = {false};
  for (uint64_t seed = 1; seed <= 100; seed++) {
    sync_file file = begin(seed, &config, NULL, 0);
    uint64_t size;
    size_t done;
    assert_int_equal(sim_disk_write(fixture.disk, file, 0, "xyz", 3, &done), SYNC_E_IO);
    assert_int_equal(done, 0);
    assert_int_equal(sim_disk_size(fixture.disk, file, &size), SYNC_OK);
    assert_true(size <= 3);
    seen[size] = true;
    assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_WRITE_ERROR), 1);
    assert_int_equal(sim_disk_pending_changes(fixture.disk), size > 0);
    sim_disk_power_loss(fixture.disk);
    assert_string_equal(sectors(), "");
  }
  assert_true(seen[0] && seen[1] && seen[2] && seen[3]);
}

/* Nothing, all and a part in a third of the seeds each, whatever the size. */
static void a_failed_write_that_persisted_whole_is_no_rarity(void **state) {
  (void)state;
  struct sim_disk_config config = {.write_error_ppm = 1000000};
  static const uint8_t bytes[400];
  uint32_t none = 0, all = 0;
  for (uint64_t seed = 1; seed <= 3000; seed++) {
    sync_file file = begin(seed, &config, NULL, 0);
    size_t done;
    uint64_t size;
    assert_int_equal(sim_disk_write(fixture.disk, file, 0, bytes, sizeof bytes, &done), SYNC_E_IO);
    assert_int_equal(sim_disk_size(fixture.disk, file, &size), SYNC_OK);
    none += size == 0;
    all += size == sizeof bytes;
  }
  assert_in_range(none, 900, 1100);
  assert_in_range(all, 900, 1100);
}

static void transfers_are_short_by_any_size(void **state) {
  (void)state;
  struct sim_disk_config config = {.short_ppm = 1000000};
  bool written[6] = {false}, read[6] = {false};
  for (uint64_t seed = 1; seed <= 200; seed++) {
    sync_file file = begin(seed, &config, NULL, 0);
    uint8_t bytes[5];
    size_t done;
    uint64_t size;
    assert_int_equal(sim_disk_write(fixture.disk, file, 0, "12345", 5, &done), SYNC_OK);
    assert_true(done >= 1 && done <= 4);
    written[done] = true;
    assert_int_equal(sim_disk_size(fixture.disk, file, &size), SYNC_OK);
    assert_int_equal(size, done);
    size_t rest = done;
    assert_int_equal(sim_disk_read(fixture.disk, file, 0, bytes, 5, &done), SYNC_OK);
    assert_true(done >= 1 && done <= rest && (rest == 1 || done < rest));
    assert_memory_equal(bytes, "12345", done);
    read[done] = true;
  }
  assert_true(written[1] && written[2] && written[3] && written[4] && read[1] && read[2] && read[3]);
  assert_true(disk_fixture_fired(&fixture, SIM_FAULT_DISK_SHORT) > 0);
}

static void an_interrupted_call_did_nothing(void **state) {
  (void)state;
  struct sim_disk_config config = {.interrupt_ppm = 1000000};
  sync_file file = begin(1, &config, NULL, 1);
  uint64_t digest = sim_disk_digest(fixture.disk);
  uint8_t byte = 9;
  size_t done = 5;
  assert_int_equal(sim_disk_write(fixture.disk, file, 0, "x", 1, &done), SYNC_E_INTERRUPTED);
  assert_int_equal(done, 0);
  assert_int_equal(sim_disk_read(fixture.disk, file, 0, &byte, 1, &done), SYNC_E_INTERRUPTED);
  assert_int_equal(byte, 9);
  assert_true(digest == sim_disk_digest(fixture.disk));
  assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_INTERRUPT), 2);
}

static void a_read_error_is_reported(void **state) {
  (void)state;
  struct sim_disk_config config = {.read_error_ppm = 1000000};
  sync_file file = begin(1, &config, NULL, 1);
  uint8_t byte;
  size_t done = 5;
  assert_int_equal(sim_disk_read(fixture.disk, file, 0, &byte, 1, &done), SYNC_E_IO);
  assert_int_equal(done, 0);
  assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_READ_ERROR), 1);
}

/* How long the node is busy for a call of each sort. */
static uint64_t busy_for(int call, sync_file file) {
  const struct sim_node *node = sim_node_at(fixture.world, 1);
  uint64_t before = sim_disk_busy_until(node->disk), size;
  uint8_t byte = 'x';
  size_t done;
  sync_file other;
  switch (call) {
  case 0:
    assert_int_equal(sim_disk_write(fixture.disk, file, 0, &byte, 1, &done), SYNC_OK);
    break;
  case 1:
    assert_int_equal(sim_disk_read(fixture.disk, file, 0, &byte, 1, &done), SYNC_OK);
    break;
  case 2:
    assert_int_equal(sim_disk_open(fixture.disk, "f", 0, &other), SYNC_OK);
    break;
  case 3:
    assert_int_equal(sim_disk_truncate(fixture.disk, file, 5), SYNC_OK);
    break;
  case 4:
    assert_int_equal(sim_disk_rename(fixture.disk, "f", "g"), SYNC_OK);
    break;
  case 5:
    assert_int_equal(sim_disk_unlink(fixture.disk, "f"), SYNC_OK);
    break;
  case 6:
    disk_fixture_request(&fixture, file);
    break;
  case 7:
    assert_int_equal(sim_disk_fsync_dir(fixture.disk, 1), SYNC_OK);
    break;
  default:
    assert_int_equal(sim_disk_size(fixture.disk, file, &size), SYNC_OK);
    break;
  }
  return sim_disk_busy_until(node->disk) - before;
}

static void reads_and_writes_take_any_latency_of_the_range_and_other_calls_none(void **state) {
  (void)state;
  struct sim_disk_config latency = {.latency_min_ns = 5, .latency_max_ns = 9};
  for (int call = 0; call < 9; call++) {
    int seen[10] = {0};
    for (uint64_t seed = 1; seed <= 100; seed++) {
      sync_file file = begin(seed, &latency, NULL, 1);
      uint64_t busy = busy_for(call, file);
      assert_true(busy == 0 || (busy >= 5 && busy <= 9));
      seen[busy]++;
    }
    assert_int_equal(seen[0], call < 2 ? 0 : 100);
    for (int ns = 5; ns <= 9; ns++)
      assert_int_equal(seen[ns] > 0, call < 2);
  }
}

static void any_call_but_size_and_close_stalls_for_the_whole_time_or_not_at_all(void **state) {
  (void)state;
  struct sim_disk_config stall = {.stall_ppm = 500000, .stall_ns = SIM_SECOND};
  for (int call = 0; call < 9; call++) {
    uint64_t stalled = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
      sync_file file = begin(seed, &stall, NULL, 1);
      uint64_t busy = busy_for(call, file);
      assert_true(busy == 0 || busy >= SIM_SECOND);
      assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_STALL), busy > 0);
      stalled += busy > 0;
    }
    if (call < 8)
      assert_true(stalled > 0 && stalled < 50);
    else
      assert_int_equal(stalled, 0);
  }
}

/* Room for none to all of a write: it does what fits, and never more. */
static void the_quota_cuts_a_write_at_every_byte(void **state) {
  (void)state;
  for (uint64_t room = 0; room <= 6; room++) {
    for (uint64_t offset = 0; offset <= 2; offset++) { /* the first bytes overwrite */
      struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .quota_bytes = 2 + room};
      struct sim_disk_config calm = {.on_crash = SIM_DISK_STRICT};
      size_t done;
      uint64_t size;
      begin(1, &calm, NULL, 0);
      sync_file file = disk_fixture_create(&fixture, "f");
      disk_fixture_write(&fixture, file, 0, 'a', 2);
      sim_disk_configure(fixture.disk, &config);
      int status = sim_disk_write(fixture.disk, file, offset, "12345", 5, &done);
      uint64_t fits = 2 + room - offset < 5 ? 2 + room - offset : 5;
      assert_int_equal(status, fits == 0 ? SYNC_E_NO_SPACE : SYNC_OK);
      assert_int_equal(done, fits);
      assert_int_equal(sim_disk_size(fixture.disk, file, &size), SYNC_OK);
      assert_int_equal(size, offset + fits > 2 ? offset + fits : 2);
      assert_int_equal(sim_disk_used_bytes(fixture.disk), size);
      assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_FULL), fits < 5);
      assert_int_equal(disk_fixture_chances(&fixture, SIM_FAULT_DISK_FULL), 1);
    }
  }
}

static void a_write_error_at_the_quota_leaves_no_more_than_fits(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .quota_bytes = 3, .write_error_ppm = 1000000};
  bool seen[4] = {false};
  for (uint64_t seed = 1; seed <= 100; seed++) {
    sync_file file = begin(seed, &config, NULL, 0);
    size_t done;
    assert_int_equal(sim_disk_write(fixture.disk, file, 0, "12345", 5, &done), SYNC_E_IO);
    uint64_t size = sim_disk_used_bytes(fixture.disk);
    assert_true(size <= 3);
    seen[size] = true;
  }
  assert_true(seen[0] && seen[1] && seen[2] && seen[3]);
}

static void a_transfer_of_one_byte_is_never_short(void **state) {
  (void)state;
  struct sim_disk_config config = {.short_ppm = 1000000};
  sync_file file = begin(1, &config, NULL, 1);
  uint8_t byte;
  size_t done;
  assert_int_equal(sim_disk_write(fixture.disk, file, 0, "1", 1, &done), SYNC_OK);
  assert_int_equal(done, 1);
  assert_int_equal(sim_disk_read(fixture.disk, file, 0, &byte, 1, &done), SYNC_OK);
  assert_int_equal(done, 1);
  assert_int_equal(disk_fixture_chances(&fixture, SIM_FAULT_DISK_SHORT), 0);
}

/* --- fsync ------------------------------------------------------------------------- */

/* The form of the first failure, and which changes it dooms: 0 none, 1 all, 2 each. */
static struct sim_choice_table *failure(uint64_t form, uint64_t extent) {
  struct sim_choice_table *table = sim_choice_table_create();
  sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_FSYNC_ERROR_FORM, 1, 0), form);
  if (extent < 3) sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_PREFIX, 1, 0), extent);
  return table;
}

static const struct sim_disk_config failing = {.on_crash = SIM_DISK_STRICT, .fsync_error_ppm = 1000000};

static void a_failed_fsync_marks_pages_clean_and_later_ones_do_not_bring_them_back(void **state) {
  (void)state;
  struct sim_choice_table *table = failure(0, 1);
  sync_file file = begin(1, &failing, table, 2);
  disk_fixture_write(&fixture, file, SECTOR, 'b', 2 * SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_E_IO);
  assert_string_equal(sectors(), "abb");
  assert_int_equal(sim_disk_pending_changes(fixture.disk), 0);
  calm_down();
  disk_fixture_write(&fixture, file, 3 * SECTOR, 'c', SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_string_equal(sectors(), "abbc");
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "aa0c");
  assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_FSYNC_ERROR), 1);
  sim_choice_table_destroy(table);
}

static void a_sector_that_a_failed_fsync_left_heals_when_it_is_written_again(void **state) {
  (void)state;
  struct sim_choice_table *table = failure(0, 1);
  sync_file file = begin(1, &failing, table, 2);
  disk_fixture_write(&fixture, file, 0, 'b', 2 * SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_E_IO);
  calm_down();
  disk_fixture_write(&fixture, file, SECTOR + 100, 'c', 10);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "ab"); /* the page was written whole */
  sim_choice_table_destroy(table);
}

static void a_pending_write_that_survives_brings_its_whole_sector_along(void **state) {
  (void)state;
  int survived[2] = {0};
  for (uint64_t seed = 1; seed <= 300; seed++) {
    struct sim_disk_config config = {.fsync_error_ppm = 1000000}, calm = {0};
    struct sim_choice_table *table = failure(0, 1);
    uint64_t identity = sim_hash_fold(sim_hash_fold(1, sim_hash_bytes("f", 1)), 0);
    sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_STYLE, 1, identity), SIM_DISK_SECTORS);
    uint8_t bytes[8192];
    sync_file file = begin(seed, &config, table, 1);
    disk_fixture_write(&fixture, file, 0, 'b', SECTOR);
    assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_E_IO);
    sim_disk_configure(fixture.disk, &calm);
    disk_fixture_write(&fixture, file, 0, 'c', 100);
    sim_disk_power_loss(fixture.disk);
    disk_fixture_read(&fixture, "f", bytes, sizeof bytes);
    assert_int_equal(bytes[100], bytes[0] == 'c' ? 'b' : 'a');
    survived[bytes[0] == 'c']++;
    sim_choice_table_destroy(table);
  }
  assert_true(survived[0] > 0 && survived[1] > 0);
}

static void a_failed_fsync_may_revert_the_file_to_the_platter(void **state) {
  (void)state;
  struct sim_choice_table *table = failure(1, 1);
  sync_file file = begin(1, &failing, table, 3);
  disk_fixture_write(&fixture, file, SECTOR, 'b', 4 * SECTOR);
  assert_int_equal(sim_disk_truncate(fixture.disk, file, 2 * SECTOR), SYNC_OK);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_E_IO);
  assert_string_equal(sectors(), "aaa");
  assert_int_equal(sim_disk_used_bytes(fixture.disk), 3 * SECTOR);
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "aaa");
  sim_choice_table_destroy(table);
}

static void a_revert_leaves_what_was_written_after_the_request(void **state) {
  (void)state;
  struct sim_choice_table *table = failure(1, 1);
  sync_file file = begin(1, &failing, table, 2);
  disk_fixture_write(&fixture, file, 0, 'b', SECTOR);
  uint64_t id = disk_fixture_request(&fixture, file);
  disk_fixture_write(&fixture, file, SECTOR, 'c', 2 * SECTOR);
  assert_int_equal(disk_fixture_finish(&fixture, id), SYNC_E_IO);
  assert_string_equal(sectors(), "acc");
  assert_int_equal(sim_disk_pending_changes(fixture.disk), 1);
  sim_choice_table_destroy(table);
}

static void a_revert_spares_a_sector_that_was_written_again(void **state) {
  (void)state;
  struct sim_choice_table *table = failure(1, 1);
  uint8_t bytes[8192];
  sync_file file = begin(1, &failing, table, 2);
  disk_fixture_write(&fixture, file, 0, 'b', SECTOR);
  uint64_t id = disk_fixture_request(&fixture, file);
  disk_fixture_write(&fixture, file, 0, 'c', 100);
  assert_int_equal(disk_fixture_finish(&fixture, id), SYNC_E_IO);
  disk_fixture_read(&fixture, "f", bytes, sizeof bytes);
  assert_int_equal(bytes[0], 'c');
  assert_int_equal(bytes[100], 'b');
  sim_choice_table_destroy(table);
}

static void a_failed_fsync_may_be_told_by_the_next_one(void **state) {
  (void)state;
  struct sim_choice_table *table = failure(2, 1);
  sync_file file = begin(1, &failing, table, 2);
  disk_fixture_write(&fixture, file, 0, 'b', SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_true(sim_disk_damaged(fixture.disk));
  calm_down();
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_E_IO);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_string_equal(sectors(), "ba");
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "aa");
  sim_choice_table_destroy(table);
}

static void an_error_that_nobody_was_told_waits_for_the_next_who_opens(void **state) {
  (void)state;
  struct sim_choice_table *table = failure(2, 1);
  sync_file file = begin(1, &failing, table, 1);
  disk_fixture_write(&fixture, file, 0, 'b', SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  sim_disk_process_crash(fixture.disk);
  calm_down();
  file = disk_fixture_create(&fixture, "f");
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_E_IO);
  file = disk_fixture_create(&fixture, "f");
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  sim_choice_table_destroy(table);
}

static void each_open_handle_is_told_once_of_a_failed_fsync(void **state) {
  (void)state;
  struct sim_choice_table *table = failure(0, 1);
  sync_file one = begin(1, &failing, table, 1), two = disk_fixture_create(&fixture, "f");
  disk_fixture_write(&fixture, one, 0, 'b', SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, one), SYNC_E_IO);
  calm_down();
  sync_file late = disk_fixture_create(&fixture, "f");
  assert_int_equal(disk_fixture_fsync(&fixture, one), SYNC_OK);
  assert_int_equal(disk_fixture_fsync(&fixture, late), SYNC_OK);
  assert_int_equal(disk_fixture_fsync(&fixture, two), SYNC_E_IO);
  assert_int_equal(disk_fixture_fsync(&fixture, two), SYNC_OK);
  sim_choice_table_destroy(table);
}

static void a_failed_fsync_may_have_persisted_any_part(void **state) {
  (void)state;
  static const char *const allowed[] = {"aa", "ba", "ab", "bb"};
  for (uint64_t form = 0; form < 2; form++) {
    struct sim_choice_table *table = failure(form, 3);
    bool seen[4] = {false};
    for (uint64_t seed = 1; seed <= 200; seed++) {
      sync_file file = begin(seed, &failing, table, 2);
      disk_fixture_write(&fixture, file, 0, 'b', SECTOR);
      disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR);
      assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_E_IO);
      char live[64];
      strcpy(live, sectors());
      assert_int_equal(sim_disk_pending_changes(fixture.disk), 0);
      sim_disk_power_loss(fixture.disk);
      if (form == 0) assert_string_equal(live, "bb");
      if (form == 1) assert_string_equal(live, sectors());
      bool found = false;
      for (int i = 0; i < 4; i++)
        if (strcmp(sectors(), allowed[i]) == 0) seen[i] = found = true;
      assert_true(found);
    }
    assert_true(seen[0] && seen[1] && seen[2] && seen[3]);
    sim_choice_table_destroy(table);
  }
}

static void a_lying_fsync_reports_success_and_persists_nothing(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .fsync_lie_ppm = 1000000};
  sync_file file = begin(1, &config, NULL, 1);
  disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR);
  assert_false(sim_disk_damaged(fixture.disk));
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_true(sim_disk_damaged(fixture.disk));
  assert_string_equal(sectors(), "ab");
  calm_down();
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK); /* finds nothing to do */
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "a");
  assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_FSYNC_LIE), 1);
}

static void an_fsync_of_the_directory_fails_and_lies_too(void **state) {
  (void)state;
  struct sim_disk_config lying = {.on_crash = SIM_DISK_STRICT, .fsync_lie_ppm = 1000000};
  uint8_t bytes[8];
  int kept[3] = {0};
  begin(1, &lying, NULL, 0);
  disk_fixture_create(&fixture, "g");
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  assert_true(sim_disk_damaged(fixture.disk));
  sim_disk_power_loss(fixture.disk);
  assert_int_equal(disk_fixture_read(&fixture, "g", bytes, 8), SIZE_MAX);
  for (uint64_t seed = 1; seed <= 100; seed++) {
    begin(seed, &failing, NULL, 0);
    disk_fixture_create(&fixture, "g");
    disk_fixture_create(&fixture, "h");
    assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_E_IO);
    sim_disk_power_loss(fixture.disk);
    bool g = disk_fixture_read(&fixture, "g", bytes, 8) == 0, h = disk_fixture_read(&fixture, "h", bytes, 8) == 0;
    assert_true(g || !h);
    kept[g + h]++;
  }
  assert_true(kept[0] > 0 && kept[1] > 0 && kept[2] > 0);
}

/* --- Damage -------------------------------------------------------------------------- */

static void a_lost_write_shows_only_after_a_power_loss(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .lost_write_ppm = 1000000};
  sync_file file = begin(1, &config, NULL, 3);
  disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR);
  disk_fixture_write(&fixture, file, 3 * SECTOR, 'b', SECTOR);
  calm_down();
  disk_fixture_write(&fixture, file, 4 * SECTOR, 'c', SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_string_equal(sectors(), "ababc");
  assert_true(sim_disk_damaged(fixture.disk));
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "aaa0c");
  assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_LOST_WRITE), 2);
}

static void a_lost_write_survives_no_power_loss_of_any_style(void **state) {
  (void)state;
  for (int on_crash = 0; on_crash < 3; on_crash++) {
    struct sim_disk_config config = {.on_crash = (enum sim_disk_on_crash)on_crash, .lost_write_ppm = 1000000};
    for (uint64_t seed = 1; seed <= 200; seed++) {
      sync_file file = begin(seed, &config, NULL, 3);
      disk_fixture_write(&fixture, file, 0, 'b', 2 * SECTOR);
      sim_disk_power_loss(fixture.disk);
      assert_null(strchr(sectors(), 'b'));
      assert_int_equal(sectors()[2], 'a');
    }
  }
}

static void a_stray_write_onto_a_lost_one_is_what_the_platter_shows(void **state) {
  (void)state;
  struct sim_disk_config lost = {.on_crash = SIM_DISK_STRICT, .lost_write_ppm = 1000000};
  struct sim_disk_config stray = {.on_crash = SIM_DISK_STRICT, .misdirect_ppm = 1000000};
  sync_file file = begin(1, &lost, NULL, 2);
  disk_fixture_write(&fixture, file, 0, 'b', SECTOR);
  sim_disk_configure(fixture.disk, &stray);
  disk_fixture_write(&fixture, file, SECTOR, 'c', SECTOR); /* the only other sector is 0 */
  calm_down();
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_string_equal(sectors(), "bc");
  sim_disk_power_loss(fixture.disk);
  assert_string_equal(sectors(), "ca");
}

static void a_misdirected_write_lands_elsewhere_on_the_platter(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .misdirect_ppm = 1000000};
  int landed[3] = {0};
  for (uint64_t seed = 1; seed <= 50; seed++) {
    sync_file file = begin(seed, &config, NULL, 3);
    disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR);
    calm_down();
    assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
    assert_string_equal(sectors(), "aba");
    sim_disk_power_loss(fixture.disk);
    assert_true(strcmp(sectors(), "baa") == 0 || strcmp(sectors(), "aab") == 0);
    landed[sectors()[0] == 'b']++;
    assert_true(sim_disk_damaged(fixture.disk));
    assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_MISDIRECTED), 1);
  }
  assert_true(landed[0] > 0 && landed[1] > 0);
}

static int bits_that_differ(const uint8_t *a, const uint8_t *b, size_t size) {
  int bits = 0;
  for (size_t i = 0; i < size; i++)
    for (unsigned bit = 0; bit < 8; bit++)
      bits += ((a[i] ^ b[i]) >> bit & 1) != 0;
  return bits;
}

static void rot_flips_one_bit_at_a_power_loss(void **state) {
  (void)state;
  struct sim_disk_config config = {.rot_ppm = 1000000};
  uint8_t before[8192], after[8192];
  struct sim_choice_table *table = sim_choice_table_create();
  sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_ROT_EXTENT, 1, 0), 0); /* test_disk_rot.c has the others */
  begin(1, &config, table, 3);
  assert_int_equal(disk_fixture_read(&fixture, "f", before, sizeof before), 3 * SECTOR);
  sim_disk_power_loss(fixture.disk);
  assert_int_equal(disk_fixture_read(&fixture, "f", after, sizeof after), 3 * SECTOR);
  assert_int_equal(bits_that_differ(before, after, 3 * SECTOR), 1);
  assert_true(sim_disk_damaged(fixture.disk));
  assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_ROT), 1);
  sim_choice_table_destroy(table);
}

static void a_flip_changes_the_live_and_the_durable_bit(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  uint8_t bytes[8192];
  sync_file file = begin(1, &config, NULL, 2);
  disk_fixture_write(&fixture, file, 0, 'b', SECTOR);
  assert_false(sim_disk_flip(fixture.disk, "f", UINT64_C(2) * SECTOR * 8));
  assert_false(sim_disk_flip(fixture.disk, "g", 0));
  assert_false(sim_disk_damaged(fixture.disk));
  assert_true(sim_disk_flip(fixture.disk, "f", 10 * 8 + 3));
  assert_true(sim_disk_damaged(fixture.disk));
  disk_fixture_read(&fixture, "f", bytes, sizeof bytes);
  assert_int_equal(bytes[10], 'b' ^ 8);
  sim_disk_power_loss(fixture.disk);
  disk_fixture_read(&fixture, "f", bytes, sizeof bytes);
  assert_int_equal(bytes[10], 'a' ^ 8);
  assert_int_equal(bytes[11], 'a');
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
      cmocka_unit_test(a_disk_without_faults_decides_nothing_but_fsync_delays),
      cmocka_unit_test(a_failed_write_may_have_taken_effect_in_any_prefix),
      cmocka_unit_test(a_failed_write_that_persisted_whole_is_no_rarity),
      cmocka_unit_test(transfers_are_short_by_any_size),
      cmocka_unit_test(an_interrupted_call_did_nothing),
      cmocka_unit_test(a_read_error_is_reported),
      cmocka_unit_test(reads_and_writes_take_any_latency_of_the_range_and_other_calls_none),
      cmocka_unit_test(any_call_but_size_and_close_stalls_for_the_whole_time_or_not_at_all),
      cmocka_unit_test(the_quota_cuts_a_write_at_every_byte),
      cmocka_unit_test(a_write_error_at_the_quota_leaves_no_more_than_fits),
      cmocka_unit_test(a_transfer_of_one_byte_is_never_short),
      cmocka_unit_test(a_failed_fsync_marks_pages_clean_and_later_ones_do_not_bring_them_back),
      cmocka_unit_test(a_sector_that_a_failed_fsync_left_heals_when_it_is_written_again),
      cmocka_unit_test(a_pending_write_that_survives_brings_its_whole_sector_along),
      cmocka_unit_test(a_failed_fsync_may_revert_the_file_to_the_platter),
      cmocka_unit_test(a_revert_leaves_what_was_written_after_the_request),
      cmocka_unit_test(a_revert_spares_a_sector_that_was_written_again),
      cmocka_unit_test(a_failed_fsync_may_be_told_by_the_next_one),
      cmocka_unit_test(an_error_that_nobody_was_told_waits_for_the_next_who_opens),
      cmocka_unit_test(each_open_handle_is_told_once_of_a_failed_fsync),
      cmocka_unit_test(a_failed_fsync_may_have_persisted_any_part),
      cmocka_unit_test(a_lying_fsync_reports_success_and_persists_nothing),
      cmocka_unit_test(an_fsync_of_the_directory_fails_and_lies_too),
      cmocka_unit_test(a_lost_write_shows_only_after_a_power_loss),
      cmocka_unit_test(a_lost_write_survives_no_power_loss_of_any_style),
      cmocka_unit_test(a_stray_write_onto_a_lost_one_is_what_the_platter_shows),
      cmocka_unit_test(a_misdirected_write_lands_elsewhere_on_the_platter),
      cmocka_unit_test(rot_flips_one_bit_at_a_power_loss),
      cmocka_unit_test(a_flip_changes_the_live_and_the_durable_bit),
  };
  return cmocka_run_group_tests_name("disk_fault", tests, setup, teardown) != 0;
}
