/* Images of a disk: what the platter held then comes back, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/world/world.h"
#include "tests/support/disk_fixture.h"

#define SECTOR 512u

static struct disk_fixture fixture;

static void begin(const struct sim_disk_config *config) {
  disk_fixture_begin(&fixture, 1, config, NULL);
}

static int append_name(void *arg, const char *name) {
  char *text = arg;
  uint8_t bytes[8192];
  size_t size = disk_fixture_read(&fixture, name, bytes, sizeof bytes), at = strlen(text);
  at += (size_t)sprintf(text + at, "%s=", name);
  for (size_t sector = 0; sector * SECTOR < size; sector++)
    text[at++] = bytes[sector * SECTOR] == 0 ? '0' : (char)bytes[sector * SECTOR];
  text[at++] = ' ';
  text[at] = '\0';
  return 0;
}

/* "name=sectors name=sectors " */
static const char *content(void) {
  static char text[256];
  text[0] = '\0';
  assert_int_equal(sim_disk_list(fixture.disk, append_name, text), 0);
  return text;
}

/* A durable file. */
static sync_file durable(const char *name, uint8_t byte, size_t sectors) {
  sync_file file = disk_fixture_create(&fixture, name);
  disk_fixture_write(&fixture, file, 0, byte, sectors * SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  return file;
}

static void a_restored_disk_is_as_it_was_and_all_of_it_is_durable(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  begin(&config);
  sync_file a = durable("a", 'a', 2);
  durable("b", 'b', 1);
  uint64_t digest = sim_disk_digest(fixture.disk);
  sim_disk_image_save(fixture.disk);
  assert_true(digest == sim_disk_digest(fixture.disk));
  disk_fixture_write(&fixture, a, SECTOR, 'x', 3 * SECTOR);
  assert_int_equal(sim_disk_unlink(fixture.disk, "b"), SYNC_OK);
  durable("c", 'c', 1);
  disk_fixture_request(&fixture, a);
  for (int again = 0; again < 2; again++) { /* the image stays */
    assert_true(sim_disk_image_restore(fixture.disk));
    assert_true(digest == sim_disk_digest(fixture.disk));
    assert_int_equal(sim_disk_pending_changes(fixture.disk), 0);
    assert_int_equal(sim_disk_open_handles(fixture.disk), 0);
    assert_int_equal(sim_disk_used_bytes(fixture.disk), 3 * SECTOR);
    sim_disk_power_loss(fixture.disk);
    assert_string_equal(content(), "a=aa b=b ");
    durable("a", 'y', 5);
  }
}

static void a_disk_without_an_image_is_left_alone(void **state) {
  (void)state;
  struct sim_disk_config config = {0};
  begin(&config);
  durable("a", 'a', 1);
  assert_false(sim_disk_image_restore(fixture.disk));
  assert_string_equal(content(), "a=a ");
  sim_disk_image_save(fixture.disk);
  sim_disk_image_drop(fixture.disk);
  sim_disk_image_drop(fixture.disk);
  assert_false(sim_disk_image_restore(fixture.disk));
  assert_string_equal(content(), "a=a ");
}

static void an_image_holds_the_platter_and_nothing_that_is_pending(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  begin(&config);
  sync_file a = durable("a", 'a', 3);
  durable("b", 'b', 1);
  durable("gone", 'g', 1);
  disk_fixture_write(&fixture, a, 0, 'x', SECTOR);
  disk_fixture_write(&fixture, a, 0, 'y', 2 * SECTOR);
  assert_int_equal(sim_disk_truncate(fixture.disk, a, SECTOR), SYNC_OK);
  assert_int_equal(sim_disk_rename(fixture.disk, "b", "c"), SYNC_OK);
  assert_int_equal(sim_disk_unlink(fixture.disk, "gone"), SYNC_OK);
  sync_file new = disk_fixture_create(&fixture, "new");
  disk_fixture_write(&fixture, new, 0, 'n', SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, new), SYNC_OK);
  uint64_t digest = sim_disk_digest(fixture.disk), pending = sim_disk_pending_changes(fixture.disk);
  sim_disk_image_save(fixture.disk);
  assert_string_equal(content(), "a=y c=b new=n "); /* saving changes nothing */
  assert_true(digest == sim_disk_digest(fixture.disk));
  assert_int_equal(sim_disk_pending_changes(fixture.disk), pending);
  assert_true(sim_disk_image_restore(fixture.disk));
  assert_string_equal(content(), "a=aaa b=b gone=g ");
}

/* Whatever happened: the image is what a strict power loss leaves. */
static void an_image_is_what_a_strict_power_loss_would_leave(void **state) {
  (void)state;
  static const char *const names[] = {"a", "b", "c"};
  for (uint64_t seed = 1; seed <= 400; seed++) {
    struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT,
                                     .write_back_ppm = 200000,
                                     .fsync_error_ppm = 100000,
                                     .fsync_lie_ppm = 100000,
                                     .lost_write_ppm = 100000,
                                     .misdirect_ppm = 100000};
    disk_fixture_begin(&fixture, seed, &config, NULL);
    for (uint64_t step = 0; step < 40; step++) {
      uint64_t draw = sim_draw(seed, sim_tag(SIM_CHOICE_USER, 0, step));
      const char *name = names[draw % 3], *other = names[draw / 3 % 3];
      uint64_t what = draw / 9 % 8, offset = draw / 72 % 6 * 300;
      sync_file file = disk_fixture_create(&fixture, name);
      uint8_t bytes[2000];
      size_t done;
      memset(bytes, (int)('a' + step % 26), sizeof bytes);
      if (what < 4) (void)sim_disk_write(fixture.disk, file, offset, bytes, 1 + (size_t)offset, &done);
      if (what == 4) (void)sim_disk_truncate(fixture.disk, file, offset);
      if (what == 5) (void)sim_disk_rename(fixture.disk, name, other);
      if (what == 6) (void)sim_disk_unlink(fixture.disk, name);
      if (what == 7) (void)disk_fixture_fsync(&fixture, file);
      if (what == 7 && draw % 2 == 0) (void)disk_fixture_fsync_dir(&fixture);
      if (draw / 500 % 8 == 0) (void)sim_disk_unreadable(fixture.disk, name, 0, 1);
      assert_int_equal(sim_disk_close(fixture.disk, file), SYNC_OK);
    }
    sim_disk_image_save(fixture.disk);
    sim_disk_power_loss(fixture.disk);
    uint64_t left = sim_disk_digest(fixture.disk);
    assert_true(sim_disk_image_restore(fixture.disk));
    assert_true(left == sim_disk_digest(fixture.disk));
  }
}

static void unreadable_sectors_come_back_with_the_image(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  uint8_t byte;
  size_t done;
  begin(&config);
  sync_file file = durable("a", 'a', 3);
  assert_true(sim_disk_unreadable(fixture.disk, "a", 1, 1));
  sim_disk_image_save(fixture.disk);
  disk_fixture_write(&fixture, file, 0, 'b', 3 * SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_true(sim_disk_image_restore(fixture.disk));
  file = disk_fixture_create(&fixture, "a");
  for (uint64_t sector = 0; sector < 3; sector++)
    assert_int_equal(sim_disk_read(fixture.disk, file, sector * SECTOR, &byte, 1, &done),
                     sector == 1 ? SYNC_E_IO : SYNC_OK);
}

static void a_restored_disk_may_hold_more_than_its_quota(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT}, small = {.quota_bytes = SECTOR};
  size_t done;
  begin(&config);
  sync_file file = durable("a", 'a', 4);
  sim_disk_image_save(fixture.disk);
  assert_int_equal(sim_disk_truncate(fixture.disk, file, 10), SYNC_OK);
  sim_disk_configure(fixture.disk, &small);
  assert_true(sim_disk_image_restore(fixture.disk));
  assert_int_equal(sim_disk_used_bytes(fixture.disk), 4 * SECTOR);
  file = disk_fixture_create(&fixture, "a");
  assert_int_equal(sim_disk_write(fixture.disk, file, 4 * SECTOR, "x", 1, &done), SYNC_E_NO_SPACE);
  disk_fixture_write(&fixture, file, 0, 'b', 4 * SECTOR);
  assert_int_equal(sim_disk_truncate(fixture.disk, file, SECTOR - 1), SYNC_OK);
  assert_int_equal(sim_disk_write(fixture.disk, file, SECTOR - 1, "xy", 2, &done), SYNC_OK);
  assert_int_equal(done, 1);
}

static void a_checkpoint_holds_the_image(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  begin(&config);
  durable("a", 'a', 2);
  sim_disk_image_save(fixture.disk);
  durable("a", 'b', 2);
  assert_true(sim_checkpoint_save(checkpoint, sim_arena(fixture.sim)));
  sim_disk_image_save(fixture.disk); /* replaces the older one */
  durable("a", 'c', 2);
  assert_true(sim_disk_image_restore(fixture.disk));
  assert_string_equal(content(), "a=bb ");
  sim_checkpoint_restore(checkpoint, sim_arena(fixture.sim));
  assert_string_equal(content(), "a=bb ");
  assert_true(sim_disk_image_restore(fixture.disk));
  assert_string_equal(content(), "a=aa ");
  sim_checkpoint_destroy(checkpoint);
}

static void images_give_back_their_memory(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  begin(&config);
  durable("a", 'a', 16);
  sim_disk_image_save(fixture.disk);
  assert_true(sim_disk_image_restore(fixture.disk));
  sim_disk_image_drop(fixture.disk);
  uint64_t blocks = sim_heap_blocks(fixture.world->ground.memory.heap),
           bytes = sim_heap_bytes(fixture.world->ground.memory.heap);
  for (int i = 0; i < 20; i++) {
    sim_disk_image_save(fixture.disk);
    assert_true(sim_disk_image_restore(fixture.disk));
  }
  sim_disk_image_drop(fixture.disk);
  assert_int_equal(sim_heap_blocks(fixture.world->ground.memory.heap), blocks);
  assert_int_equal(sim_heap_bytes(fixture.world->ground.memory.heap), bytes);
}

static void a_node_is_restored_from_its_image_and_the_fault_counts(void **state) {
  (void)state;
  struct sim_disk_config config = {0};
  begin(&config);
  assert_false(sim_node_restore(fixture.world, 1));
  assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_RESTORE), 0);
  durable("a", 'a', 1);
  sim_disk_image_save(fixture.disk);
  durable("a", 'b', 1);
  assert_true(sim_node_boot(fixture.world, 1));
  sync_file file = disk_fixture_create(&fixture, "a");
  disk_fixture_request(&fixture, file); /* its completion finds another life */
  sim_node_power_loss(fixture.world, 1);
  assert_true(sim_node_restore(fixture.world, 1));
  assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_RESTORE), 1);
  assert_true(sim_node_boot(fixture.world, 1));
  assert_int_equal(sim_run(fixture.sim, SIM_SECOND, UINT64_MAX), SIM_END_IDLE);
  assert_string_equal(content(), "a=a ");
  sim_node_power_loss(fixture.world, 1);
  assert_string_equal(content(), "a=a ");
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
      cmocka_unit_test(a_restored_disk_is_as_it_was_and_all_of_it_is_durable),
      cmocka_unit_test(a_disk_without_an_image_is_left_alone),
      cmocka_unit_test(an_image_holds_the_platter_and_nothing_that_is_pending),
      cmocka_unit_test(an_image_is_what_a_strict_power_loss_would_leave),
      cmocka_unit_test(unreadable_sectors_come_back_with_the_image),
      cmocka_unit_test(a_restored_disk_may_hold_more_than_its_quota),
      cmocka_unit_test(a_checkpoint_holds_the_image),
      cmocka_unit_test(images_give_back_their_memory),
      cmocka_unit_test(a_node_is_restored_from_its_image_and_the_fault_counts),
  };
  return cmocka_run_group_tests_name("disk_image", tests, setup, teardown) != 0;
}
