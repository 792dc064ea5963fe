/* The calls of a simulated disk against a plain model, without power loss. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sim/world/world.h"
#include "tests/support/disk_fixture.h"

static struct disk_fixture fixture;

static uint64_t random_state;
static uint64_t random_below(uint64_t n) {
  random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (random_state >> 33) % n;
}

/* --- The model: names, inodes of plain bytes, handles ----------------------------- */

#define NAMES 5
#define INODES 16
#define HANDLES 6
#define MODEL_BYTES 20000

static const char *const names[NAMES] = {"Z", "a", "a.b", "log-1", "log_1"}; /* bytewise order */

static struct {
  int name_inode[NAMES]; /* -1: none */
  int handle_inode[HANDLES];
  sync_file handle_file[HANDLES];
  size_t size[INODES];
  uint8_t bytes[INODES][MODEL_BYTES];
} model;

static int model_free_inode(void) {
  for (int inode = 0; inode < INODES; inode++) {
    bool used = false;
    for (int i = 0; i < NAMES; i++)
      used = used || model.name_inode[i] == inode;
    for (int i = 0; i < HANDLES; i++)
      used = used || model.handle_inode[i] == inode;
    if (!used) {
      model.size[inode] = 0;
      memset(model.bytes[inode], 0, MODEL_BYTES);
      return inode;
    }
  }
  return -1;
}

static void try_open(int handle) {
  if (model.handle_inode[handle] >= 0) {
    assert_int_equal(sim_disk_close(fixture.disk, model.handle_file[handle]), SYNC_OK);
    model.handle_inode[handle] = -1;
    return;
  }
  int name = (int)random_below(NAMES), inode = model.name_inode[name];
  static const uint32_t choices[] = {0, SYNC_OPEN_CREATE, SYNC_OPEN_CREATE | SYNC_OPEN_EXCLUSIVE, SYNC_OPEN_TRUNCATE,
                                     SYNC_OPEN_CREATE | SYNC_OPEN_TRUNCATE};
  uint32_t flags = choices[random_below(5)];
  int expected = SYNC_OK;
  if (inode < 0 && !(flags & SYNC_OPEN_CREATE)) expected = SYNC_E_NOT_FOUND;
  if (inode >= 0 && (flags & SYNC_OPEN_EXCLUSIVE)) expected = SYNC_E_EXISTS;
  assert_int_equal(sim_disk_open(fixture.disk, names[name], flags, &model.handle_file[handle]), expected);
  if (expected != SYNC_OK) return;
  if (inode < 0) inode = model.name_inode[name] = model_free_inode();
  if (flags & SYNC_OPEN_TRUNCATE) {
    model.size[inode] = 0;
    memset(model.bytes[inode], 0, MODEL_BYTES);
  }
  model.handle_inode[handle] = inode;
}

static void try_transfer(int handle, bool write) {
  int inode = model.handle_inode[handle];
  if (inode < 0) return;
  static uint8_t buffer[MODEL_BYTES];
  size_t offset = random_below(3) == 0 ? model.size[inode] : (size_t)random_below(12000);
  size_t size = (size_t)random_below(random_below(4) == 0 ? 6000 : 300), done;
  if (offset + size > MODEL_BYTES) size = MODEL_BYTES - offset;
  if (write) {
    for (size_t i = 0; i < size; i++)
      buffer[i] = (uint8_t)random_below(256);
    assert_int_equal(sim_disk_write(fixture.disk, model.handle_file[handle], offset, buffer, size, &done), SYNC_OK);
    assert_int_equal(done, size);
    memcpy(model.bytes[inode] + offset, buffer, size);
    if (size > 0 && offset + size > model.size[inode]) model.size[inode] = offset + size;
    return;
  }
  size_t expected = offset >= model.size[inode] ? 0 : model.size[inode] - offset;
  if (expected > size) expected = size;
  assert_int_equal(sim_disk_read(fixture.disk, model.handle_file[handle], offset, buffer, size, &done), SYNC_OK);
  assert_int_equal(done, expected);
  assert_memory_equal(buffer, model.bytes[inode] + offset, done);
}

static void try_truncate(int handle) {
  int inode = model.handle_inode[handle];
  if (inode < 0) return;
  size_t size = (size_t)random_below(14000), before = model.size[inode];
  uint64_t now;
  assert_int_equal(sim_disk_truncate(fixture.disk, model.handle_file[handle], size), SYNC_OK);
  if (size < before) memset(model.bytes[inode] + size, 0, before - size);
  model.size[inode] = size;
  assert_int_equal(sim_disk_size(fixture.disk, model.handle_file[handle], &now), SYNC_OK);
  assert_int_equal(now, size);
}

static void try_names(bool rename) {
  int from = (int)random_below(NAMES), to = (int)random_below(NAMES);
  int expected = model.name_inode[from] >= 0 ? SYNC_OK : SYNC_E_NOT_FOUND;
  if (!rename) {
    assert_int_equal(sim_disk_unlink(fixture.disk, names[from]), expected);
    model.name_inode[from] = -1;
    return;
  }
  assert_int_equal(sim_disk_rename(fixture.disk, names[from], names[to]), expected);
  if (expected == SYNC_OK && from != to) {
    model.name_inode[to] = model.name_inode[from];
    model.name_inode[from] = -1;
  }
}

static int list_next(void *arg, const char *name) {
  int *at = arg;
  while (*at < NAMES && model.name_inode[*at] < 0)
    ++*at;
  assert_true(*at < NAMES);
  assert_string_equal(name, names[*at]);
  ++*at;
  return 0;
}

static void check_whole(void) {
  static uint8_t bytes[MODEL_BYTES];
  int at = 0;
  uint64_t used = 0;
  assert_int_equal(sim_disk_list(fixture.disk, list_next, &at), 0);
  for (int i = at; i < NAMES; i++)
    assert_true(model.name_inode[i] < 0);
  for (int i = 0; i < NAMES; i++) {
    int inode = model.name_inode[i];
    if (inode < 0) continue;
    assert_int_equal(disk_fixture_read(&fixture, names[i], bytes, sizeof bytes), model.size[inode]);
    assert_memory_equal(bytes, model.bytes[inode], model.size[inode]);
  }
  for (int inode = 0; inode < INODES; inode++) {
    bool counted = false;
    for (int i = 0; i < NAMES; i++)
      counted = counted || model.name_inode[i] == inode;
    for (int i = 0; i < HANDLES; i++)
      counted = counted || model.handle_inode[i] == inode;
    if (counted) used += model.size[inode];
  }
  assert_int_equal(sim_disk_used_bytes(fixture.disk), used);
}

static void model_clear(void) {
  memset(&model, 0, sizeof model);
  for (int i = 0; i < NAMES; i++)
    model.name_inode[i] = -1;
  for (int i = 0; i < HANDLES; i++)
    model.handle_inode[i] = -1;
}

static void random_call(void) {
  int handle = (int)random_below(HANDLES);
  uint64_t call = random_below(100);
  if (call < 20)
    try_open(handle);
  else if (call < 50)
    try_transfer(handle, true);
  else if (call < 75)
    try_transfer(handle, false);
  else if (call < 80)
    try_truncate(handle);
  else if (call < 88)
    try_names(call < 84);
  else if (call < 94 && model.handle_inode[handle] >= 0)
    assert_int_equal(disk_fixture_fsync(&fixture, model.handle_file[handle]), SYNC_OK);
  else if (call < 97)
    assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  else if (call == 97 && random_below(10) == 0) {
    sim_disk_process_crash(fixture.disk);
    assert_int_equal(sim_disk_open_handles(fixture.disk), 0);
    for (int i = 0; i < HANDLES; i++)
      model.handle_inode[i] = -1;
  } else if (call == 98)
    check_whole();
}

static void random_calls_equal_a_plain_model(void **state) {
  (void)state;
  struct sim_disk_config config = {.write_back_ppm = 100000};
  for (uint64_t seed = 1; seed <= 20; seed++) {
    random_state = seed;
    disk_fixture_begin(&fixture, seed, &config, NULL);
    model_clear();
    for (int i = 0; i < 5000; i++)
      random_call();
    check_whole();
  }
}

static void a_power_loss_after_all_is_synced_changes_nothing(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  for (uint64_t seed = 1; seed <= 100; seed++) {
    random_state = seed;
    disk_fixture_begin(&fixture, seed, &config, NULL);
    model_clear();
    for (int i = 0; i < 300; i++)
      random_call();
    if (seed % 2 == 0)
      sim_disk_sync_all(fixture.disk);
    else {
      for (int i = 0; i < HANDLES; i++)
        if (model.handle_inode[i] >= 0) assert_int_equal(sim_disk_close(fixture.disk, model.handle_file[i]), SYNC_OK);
      for (int i = 0; i < NAMES; i++)
        if (model.name_inode[i] >= 0) {
          sync_file file;
          assert_int_equal(sim_disk_open(fixture.disk, names[i], 0, &file), SYNC_OK);
          assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
        }
      assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
      for (int i = 0; i < HANDLES; i++)
        model.handle_inode[i] = -1;
      assert_int_equal(sim_disk_pending_changes(fixture.disk), 0);
    }
    uint64_t digest = sim_disk_digest(fixture.disk);
    sim_disk_power_loss(fixture.disk);
    for (int i = 0; i < HANDLES; i++)
      model.handle_inode[i] = -1;
    assert_true(digest == sim_disk_digest(fixture.disk));
    check_whole();
  }
}

static void a_wiped_disk_gives_back_all_its_memory(void **state) {
  (void)state;
  struct sim_disk_config config = {.lost_write_ppm = 200000, .misdirect_ppm = 200000, .fsync_error_ppm = 200000};
  for (uint64_t seed = 1; seed <= 50; seed++) {
    disk_fixture_begin(&fixture, seed, &config, NULL);
    sync_file first = disk_fixture_create(&fixture, "first");
    for (uint64_t i = 0; i < 9; i++)
      disk_fixture_create(&fixture, "first"); /* handle table */
    disk_fixture_write(&fixture, first, 0, 1, 10);
    disk_fixture_fsync(&fixture, first);
    sim_disk_wipe(fixture.disk);
    uint64_t blocks = sim_heap_blocks(fixture.world->ground.memory.heap);
    for (int round = 0; round < 20; round++) {
      sync_file file = disk_fixture_create(&fixture, round % 2 == 0 ? "x" : "y");
      for (uint64_t i = 0; i < 30; i++)
        disk_fixture_write(&fixture, file, i * 177 % 4000, (uint8_t)i, 700);
      disk_fixture_fsync(&fixture, file);
      disk_fixture_write(&fixture, file, 300, 7, 700);
      assert_int_equal(sim_disk_truncate(fixture.disk, file, 100), SYNC_OK);
      disk_fixture_request(&fixture, file);
      sim_disk_unlink(fixture.disk, "y");
      if (round % 3 == 0) sim_disk_power_loss(fixture.disk);
      if (round % 3 == 1) sim_disk_process_crash(fixture.disk);
    }
    sim_disk_wipe(fixture.disk);
    assert_int_equal(sim_disk_used_bytes(fixture.disk), 0);
    /* The name table stays; completions in the timeline are the world's. */
    assert_true(sim_heap_blocks(fixture.world->ground.memory.heap) <= blocks + 4);
  }
}

static void a_restored_disk_goes_on_as_if_never_left(void **state) {
  (void)state;
  struct sim_disk_config config = {.write_back_ppm = 100000};
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  uint64_t hashes[2], digests[2];
  random_state = 5;
  disk_fixture_begin(&fixture, 5, &config, NULL);
  model_clear();
  for (int i = 0; i < 500; i++)
    random_call();
  assert_true(sim_checkpoint_save(checkpoint, sim_arena(fixture.sim)));
  static uint8_t model_copy[sizeof model];
  memcpy(model_copy, &model, sizeof model);
  uint64_t fsyncs = fixture.fsyncs;
  for (int run = 0; run < 2; run++) {
    random_state = 6;
    for (int i = 0; i < 500; i++)
      random_call();
    sim_disk_power_loss(fixture.disk);
    hashes[run] = sim_trace_hash(fixture.world);
    digests[run] = sim_disk_digest(fixture.disk);
    sim_checkpoint_restore(checkpoint, sim_arena(fixture.sim));
    memcpy(&model, model_copy, sizeof model);
    fixture.fsyncs = fsyncs;
  }
  assert_true(hashes[0] == hashes[1]);
  assert_true(digests[0] == digests[1]);
  sim_checkpoint_destroy(checkpoint);
}

static void names_are_checked(void **state) {
  (void)state;
  struct sim_disk_config config = {0};
  char longest[65];
  sync_file file;
  disk_fixture_begin(&fixture, 1, &config, NULL);
  memset(longest, 'n', sizeof longest);
  longest[63] = '\0';
  assert_int_equal(sim_disk_open(fixture.disk, longest, SYNC_OPEN_CREATE, &file), SYNC_OK);
  assert_int_equal(sim_disk_open(fixture.disk, "lock2", SYNC_OPEN_CREATE, &file), SYNC_OK);
  longest[63] = 'n', longest[64] = '\0';
  static const char *const bad[] = {"", "a/b", "a b", "\xc3\xa4", ".", "..", "lock"};
  assert_int_equal(sim_disk_open(fixture.disk, longest, SYNC_OPEN_CREATE, &file), SYNC_E_INVALID);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(sim_disk_open(fixture.disk, bad[i], SYNC_OPEN_CREATE, &file), SYNC_E_INVALID);
    assert_int_equal(sim_disk_unlink(fixture.disk, bad[i]), SYNC_E_INVALID);
    assert_int_equal(sim_disk_rename(fixture.disk, "a", bad[i]), SYNC_E_INVALID);
  }
  assert_int_equal(sim_disk_open(fixture.disk, "a", 8u, &file), SYNC_E_INVALID);
}

static void closed_and_unknown_handles_are_refused(void **state) {
  (void)state;
  struct sim_disk_config config = {0};
  disk_fixture_begin(&fixture, 1, &config, NULL);
  sync_file file = disk_fixture_create(&fixture, "a");
  uint64_t size;
  size_t done;
  assert_int_equal(sim_disk_close(fixture.disk, file), SYNC_OK);
  sync_file bad[] = {file, -1, 1000};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(sim_disk_close(fixture.disk, bad[i]), SYNC_E_INVALID);
    assert_int_equal(sim_disk_read(fixture.disk, bad[i], 0, &size, 1, &done), SYNC_E_INVALID);
    assert_int_equal(sim_disk_write(fixture.disk, bad[i], 0, "x", 1, &done), SYNC_E_INVALID);
    assert_int_equal(sim_disk_truncate(fixture.disk, bad[i], 0), SYNC_E_INVALID);
    assert_int_equal(sim_disk_size(fixture.disk, bad[i], &size), SYNC_E_INVALID);
    assert_int_equal(sim_disk_fsync_file(fixture.disk, bad[i], 1), SYNC_E_INVALID);
  }
}

static void a_write_stops_at_the_quota_and_the_next_finds_no_space(void **state) {
  (void)state;
  struct sim_disk_config config = {.quota_bytes = 1000};
  uint8_t bytes[800] = {1};
  size_t done;
  disk_fixture_begin(&fixture, 1, &config, NULL);
  sync_file a = disk_fixture_create(&fixture, "a"), b = disk_fixture_create(&fixture, "b");
  disk_fixture_write(&fixture, a, 0, 1, 700);
  assert_int_equal(sim_disk_write(fixture.disk, b, 0, bytes, 800, &done), SYNC_OK);
  assert_int_equal(done, 300);
  assert_int_equal(sim_disk_write(fixture.disk, b, 300, bytes, 1, &done), SYNC_E_NO_SPACE);
  assert_int_equal(done, 0);
  assert_int_equal(sim_disk_truncate(fixture.disk, b, 301), SYNC_E_NO_SPACE);
  disk_fixture_write(&fixture, a, 0, 2, 700); /* overwriting needs no room */
  assert_int_equal(sim_disk_used_bytes(fixture.disk), 1000);
  assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_FULL), 3);
  /* An unlinked file gives its room back once it is closed. */
  assert_int_equal(sim_disk_unlink(fixture.disk, "a"), SYNC_OK);
  assert_int_equal(sim_disk_write(fixture.disk, b, 300, bytes, 1, &done), SYNC_E_NO_SPACE);
  assert_int_equal(sim_disk_close(fixture.disk, a), SYNC_OK);
  disk_fixture_write(&fixture, b, 300, 1, 700);
}

static void a_file_never_outgrows_the_greatest_size(void **state) {
  (void)state;
  struct sim_disk_config config = {0};
  size_t done;
  disk_fixture_begin(&fixture, 1, &config, NULL);
  sync_file file = disk_fixture_create(&fixture, "a");
  assert_int_equal(sim_disk_write(fixture.disk, file, UINT64_MAX, "x", 1, &done), SYNC_E_INVALID);
  assert_int_equal(sim_disk_write(fixture.disk, file, UINT64_C(1) << 40, "x", 1, &done), SYNC_E_NO_SPACE);
  assert_int_equal(sim_disk_truncate(fixture.disk, file, INT64_MAX), SYNC_E_NO_SPACE);
  assert_int_equal(sim_disk_read(fixture.disk, file, UINT64_C(1) << 40, &config, 1, &done), SYNC_OK);
  assert_int_equal(done, 0);
}

static void handles_are_bounded(void **state) {
  (void)state;
  struct sim_disk_config config = {.handles_max = 2};
  sync_file file;
  disk_fixture_begin(&fixture, 1, &config, NULL);
  disk_fixture_create(&fixture, "a");
  sync_file b = disk_fixture_create(&fixture, "b");
  assert_int_equal(sim_disk_open(fixture.disk, "c", SYNC_OPEN_CREATE, &file), SYNC_E_TOO_MANY);
  assert_int_equal(sim_disk_close(fixture.disk, b), SYNC_OK);
  assert_int_equal(sim_disk_open(fixture.disk, "c", 0, &file), SYNC_E_NOT_FOUND); /* the refusal created nothing */
  disk_fixture_create(&fixture, "c");
  assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_HANDLES), 1);
}

static void an_unlinked_file_lives_until_it_is_closed(void **state) {
  (void)state;
  struct sim_disk_config config = {0};
  uint8_t bytes[10];
  size_t done;
  disk_fixture_begin(&fixture, 1, &config, NULL);
  sync_file old = disk_fixture_create(&fixture, "a");
  disk_fixture_write(&fixture, old, 0, 1, 10);
  assert_int_equal(sim_disk_unlink(fixture.disk, "a"), SYNC_OK);
  sync_file fresh = disk_fixture_create(&fixture, "a");
  disk_fixture_write(&fixture, fresh, 0, 2, 5);
  assert_int_equal(sim_disk_read(fixture.disk, old, 0, bytes, 10, &done), SYNC_OK);
  assert_int_equal(done, 10);
  assert_int_equal(bytes[9], 1);
  assert_int_equal(sim_disk_used_bytes(fixture.disk), 15);
}

static void the_trace_tells_any_difference(void **state) {
  (void)state;
  struct sim_disk_config config = {0};
  uint64_t hashes[5];
  for (int i = 0; i < 5; i++) {
    disk_fixture_begin(&fixture, 1, &config, NULL);
    sync_file file = disk_fixture_create(&fixture, i == 3 ? "b" : "a");
    disk_fixture_write(&fixture, file, i == 2 ? 1 : 0, i == 1 ? 2 : 1, 10);
    if (i == 4) disk_fixture_request(&fixture, file);
    hashes[i] = sim_trace_hash_of(fixture.world, SIM_SUB_DISK);
    for (int j = 0; j < i; j++)
      assert_true(hashes[i] != hashes[j]);
  }
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
      cmocka_unit_test(random_calls_equal_a_plain_model),
      cmocka_unit_test(a_power_loss_after_all_is_synced_changes_nothing),
      cmocka_unit_test(a_wiped_disk_gives_back_all_its_memory),
      cmocka_unit_test(a_restored_disk_goes_on_as_if_never_left),
      cmocka_unit_test(names_are_checked),
      cmocka_unit_test(closed_and_unknown_handles_are_refused),
      cmocka_unit_test(a_write_stops_at_the_quota_and_the_next_finds_no_space),
      cmocka_unit_test(a_file_never_outgrows_the_greatest_size),
      cmocka_unit_test(handles_are_bounded),
      cmocka_unit_test(an_unlinked_file_lives_until_it_is_closed),
      cmocka_unit_test(the_trace_tells_any_difference),
  };
  return cmocka_run_group_tests_name("disk", tests, setup, teardown) != 0;
}
