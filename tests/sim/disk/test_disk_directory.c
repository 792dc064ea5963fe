/* Which names survive a power loss: exactly the allowed outcomes occur. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/disk_fixture.h"

static struct disk_fixture fixture;

#define OUTCOMES_MAX 64
struct outcomes {
  size_t count;
  char items[OUTCOMES_MAX][96];
};
static struct outcomes seen;

static bool has(const struct outcomes *outcomes, const char *text) {
  for (size_t i = 0; i < outcomes->count; i++)
    if (strcmp(outcomes->items[i], text) == 0) return true;
  return false;
}

static int append_name(void *arg, const char *name) {
  char *text = arg;
  uint8_t bytes[16];
  size_t size = disk_fixture_read(&fixture, name, bytes, sizeof bytes);
  sprintf(text + strlen(text), "%s=%c ", name, size > 0 ? bytes[0] : '0');
  return 0;
}

/* "name=content name=content ", as listed. */
static void see(void) {
  char text[96] = "";
  assert_int_equal(sim_disk_list(fixture.disk, append_name, text), 0);
  if (has(&seen, text)) return;
  assert_true(seen.count < OUTCOMES_MAX);
  strcpy(seen.items[seen.count++], text);
}

static void assert_seen(const char *const *allowed, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!has(&seen, allowed[i])) fail_msg("allowed outcome never occurred: %s", allowed[i]);
  for (size_t i = 0; i < seen.count; i++) {
    bool found = false;
    for (size_t j = 0; j < count; j++)
      found = found || strcmp(seen.items[i], allowed[j]) == 0;
    if (!found) fail_msg("forbidden outcome: %s", seen.items[i]);
  }
}
#define ASSERT_SEEN(...)                                                                                               \
  assert_seen((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* A file with one byte of content, which is durable though its name may not be. */
static void create(const char *name, char content) {
  sync_file file = disk_fixture_create(&fixture, name);
  disk_fixture_write(&fixture, file, 0, (uint8_t)content, 1);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_int_equal(sim_disk_close(fixture.disk, file), SYNC_OK);
}

static void rename_file(const char *from, const char *to) {
  assert_int_equal(sim_disk_rename(fixture.disk, from, to), SYNC_OK);
}

static void unlink_file(const char *name) {
  assert_int_equal(sim_disk_unlink(fixture.disk, name), SYNC_OK);
}

static void replace_case(void) {
  create("target", 'O');
  create("seg1", 'S');
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  create("tmp", 'N');
  rename_file("tmp", "target");
  unlink_file("seg1");
  create("seg2", 'T');
}
static void rotate_case(void) {
  create("log", 'O');
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  rename_file("log", "log.1");
  create("log", 'N');
}
static void recreate_case(void) {
  create("a", 'O');
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  unlink_file("a");
  create("a", 'N');
}
static void swap_case(void) {
  create("a", 'A');
  create("b", 'B');
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  rename_file("a", "t");
  rename_file("b", "a");
  rename_file("t", "b");
}
static void names_case(void) {
  create("a", 'A');
  create("b", 'B');
  create("c", 'C');
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  rename_file("a", "t");
  rename_file("b", "a");
  unlink_file("c");
  rename_file("t", "b");
}
static void vanish_case(void) {
  create("a", 'A');
  unlink_file("a");
}

static void run(void (*prepare)(void), enum sim_disk_on_crash on_crash, uint64_t seeds) {
  struct sim_disk_config config = {.on_crash = on_crash};
  seen.count = 0;
  for (uint64_t seed = 1; seed <= seeds; seed++) {
    disk_fixture_begin(&fixture, seed, &config, NULL);
    prepare();
    sim_disk_power_loss(fixture.disk);
    assert_int_equal(sim_disk_pending_changes(fixture.disk), 0);
    see();
    uint64_t digest = sim_disk_digest(fixture.disk); /* what survived is durable */
    sim_disk_power_loss(fixture.disk);
    assert_true(digest == sim_disk_digest(fixture.disk));
  }
}

static void an_adversarial_disk_keeps_any_consistent_subset_of_names(void **state) {
  (void)state;
  run(replace_case, SIM_DISK_ADVERSARIAL, 1000);
  ASSERT_SEEN("seg1=S target=O ", "seg1=S target=O tmp=N ", "seg1=S target=N ", "target=O ", "target=O tmp=N ",
              "target=N ", "seg1=S seg2=T target=O ", "seg1=S seg2=T target=O tmp=N ", "seg1=S seg2=T target=N ",
              "seg2=T target=O ", "seg2=T target=O tmp=N ", "seg2=T target=N ");
  assert_true(disk_fixture_chances(&fixture, SIM_FAULT_DISK_DIRECTORY) == 4);
}

static void an_ordered_disk_keeps_a_prefix_of_the_names(void **state) {
  (void)state;
  run(names_case, SIM_DISK_ORDERED, 200);
  ASSERT_SEEN("a=A b=B c=C ", "b=B c=C t=A ", "a=B c=C t=A ", "a=B t=A ", "a=B b=A ");
}

static void a_strict_disk_loses_all_pending_names(void **state) {
  (void)state;
  run(replace_case, SIM_DISK_STRICT, 20);
  ASSERT_SEEN("seg1=S target=O ");
}

static void a_new_file_takes_an_old_name_only_when_the_old_one_left_it(void **state) {
  (void)state;
  run(rotate_case, SIM_DISK_ADVERSARIAL, 300);
  ASSERT_SEEN("log=O ", "log.1=O ", "log=N log.1=O ");
  run(recreate_case, SIM_DISK_ADVERSARIAL, 300);
  ASSERT_SEEN("a=O ", "", "a=N ");
}

static void a_rename_never_survives_in_half(void **state) {
  (void)state;
  run(swap_case, SIM_DISK_ADVERSARIAL, 300);
  ASSERT_SEEN("a=A b=B ", "b=B t=A ", "a=B t=A ", "a=B b=A ");
}

static void an_unnamed_file_may_come_back_when_its_unlink_is_lost(void **state) {
  (void)state;
  run(vanish_case, SIM_DISK_ADVERSARIAL, 300);
  ASSERT_SEEN("", "a=A ");
}

static void fsync_of_a_file_does_not_make_its_name_durable(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  seen.count = 0;
  disk_fixture_begin(&fixture, 1, &config, NULL);
  create("a", 'A');
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  create("b", 'B');
  sim_disk_power_loss(fixture.disk);
  see();
  ASSERT_SEEN("a=A ");
}

static void fsync_of_the_directory_does_not_make_content_durable(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  seen.count = 0;
  disk_fixture_begin(&fixture, 1, &config, NULL);
  disk_fixture_write(&fixture, disk_fixture_create(&fixture, "a"), 0, 'A', 1);
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  sim_disk_power_loss(fixture.disk);
  see();
  ASSERT_SEEN("a=0 ");
}

static void an_fsync_of_the_directory_covers_only_what_was_before_it(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  seen.count = 0;
  disk_fixture_begin(&fixture, 1, &config, NULL);
  create("a", 'A');
  assert_int_equal(sim_disk_fsync_dir(fixture.disk, 1000 + ++fixture.fsyncs), SYNC_OK);
  uint64_t id = fixture.fsyncs;
  create("b", 'B');
  rename_file("a", "c");
  assert_int_equal(disk_fixture_finish(&fixture, id), SYNC_OK);
  sim_disk_power_loss(fixture.disk);
  see();
  ASSERT_SEEN("a=A ");
}

static void an_open_file_without_a_name_vanishes(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  disk_fixture_begin(&fixture, 1, &config, NULL);
  sync_file file = disk_fixture_create(&fixture, "a");
  disk_fixture_fsync_dir(&fixture);
  disk_fixture_write(&fixture, file, 0, 'A', 100);
  unlink_file("a");
  disk_fixture_fsync_dir(&fixture);
  assert_int_equal(sim_disk_used_bytes(fixture.disk), 100);
  sim_disk_power_loss(fixture.disk);
  seen.count = 0;
  see();
  ASSERT_SEEN("");
  assert_int_equal(sim_disk_used_bytes(fixture.disk), 0);
  assert_int_equal(sim_disk_open_handles(fixture.disk), 0);
}

static void write_back_makes_the_oldest_pending_name_durable(void **state) {
  (void)state;
  static const char *const outcomes[] = {"b=B ", "a=A b=B ", "c=A ", "b=B c=A "};
  /* Of a create, a rename and an unlink, as many are durable as were written back. */
  uint64_t fired = 0;
  bool at[4] = {false};
  for (uint64_t code = 0; code < 8; code++) {
    struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
    struct sim_choice_table *table = sim_choice_table_create();
    for (uint64_t i = 0; i < 3; i++)
      sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_WRITE_BACK_NAMES, 1, i), code >> i & 1);
    disk_fixture_begin(&fixture, 1, &config, table);
    create("b", 'B');
    assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
    config.write_back_ppm = 1;
    sim_disk_configure(fixture.disk, &config);
    sync_file file = disk_fixture_create(&fixture, "a");
    config.write_back_ppm = 0;
    sim_disk_configure(fixture.disk, &config);
    disk_fixture_write(&fixture, file, 0, 'A', 1);
    assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
    config.write_back_ppm = 1;
    sim_disk_configure(fixture.disk, &config);
    rename_file("a", "c");
    unlink_file("b");
    uint64_t count = (code & 1) + (code >> 1 & 1) + (code >> 2 & 1);
    assert_int_equal(sim_disk_pending_changes(fixture.disk), 3 - count);
    assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_WRITE_BACK), count);
    fired += count;
    sim_disk_power_loss(fixture.disk);
    seen.count = 0;
    see();
    static const int outcome_of[] = {0, 1, 3, 2};
    assert_string_equal(seen.items[0], outcomes[outcome_of[count]]);
    at[count] = true;
    sim_choice_table_destroy(table);
  }
  assert_int_equal(fired, 12);
  assert_true(at[0] && at[1] && at[2] && at[3]);
}

static void a_file_whose_unlink_is_written_back_at_once_gives_back_its_room(void **state) {
  (void)state;
  struct sim_disk_config config = {.write_back_ppm = 1000000};
  disk_fixture_begin(&fixture, 1, &config, NULL);
  create("a", 'A');
  create("b", 'B');
  rename_file("a", "b");
  assert_int_equal(sim_disk_used_bytes(fixture.disk), 1);
  unlink_file("b");
  assert_int_equal(sim_disk_used_bytes(fixture.disk), 0);
  assert_int_equal(sim_disk_pending_changes(fixture.disk), 0);
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
      cmocka_unit_test(an_adversarial_disk_keeps_any_consistent_subset_of_names),
      cmocka_unit_test(an_ordered_disk_keeps_a_prefix_of_the_names),
      cmocka_unit_test(a_strict_disk_loses_all_pending_names),
      cmocka_unit_test(a_new_file_takes_an_old_name_only_when_the_old_one_left_it),
      cmocka_unit_test(a_rename_never_survives_in_half),
      cmocka_unit_test(an_unnamed_file_may_come_back_when_its_unlink_is_lost),
      cmocka_unit_test(fsync_of_a_file_does_not_make_its_name_durable),
      cmocka_unit_test(fsync_of_the_directory_does_not_make_content_durable),
      cmocka_unit_test(an_fsync_of_the_directory_covers_only_what_was_before_it),
      cmocka_unit_test(an_open_file_without_a_name_vanishes),
      cmocka_unit_test(write_back_makes_the_oldest_pending_name_durable),
      cmocka_unit_test(a_file_whose_unlink_is_written_back_at_once_gives_back_its_room),
  };
  return cmocka_run_group_tests_name("disk_directory", tests, setup, teardown) != 0;
}
