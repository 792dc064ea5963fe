/* Random calls and power losses against a reference: plain images of a file after
 * every change, from which what may survive is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sim/disk/disk_files.h"
#include "tests/support/disk_fixture.h"

#define SECTOR 512u
#define BYTES_MAX 6144u
#define CHANGES_MAX 40

static struct disk_fixture fixture;

static uint64_t random_state;
static uint64_t random_below(uint64_t n) {
  random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (random_state >> 33) % n;
}

/* Image 0 is durable; image i is after pending change i. Bytes behind the size are zeros. */
static struct {
  int count;
  size_t size[CHANGES_MAX + 1];
  size_t from[CHANGES_MAX + 1], to[CHANGES_MAX + 1]; /* the bytes that change i wrote or cut */
  bool cut[CHANGES_MAX + 1];
  uint8_t bytes[CHANGES_MAX + 1][BYTES_MAX];
} model;

static void model_next(size_t size, size_t from, size_t to, bool cut) {
  int i = ++model.count;
  memcpy(model.bytes[i], model.bytes[i - 1], BYTES_MAX);
  model.size[i] = size;
  model.from[i] = from;
  model.to[i] = to;
  model.cut[i] = cut;
}

/* Changes 1 to `count` are durable now. */
static void model_durable(int count) {
  for (int i = 0; i + count <= model.count; i++) {
    model.size[i] = model.size[i + count];
    model.from[i] = model.from[i + count];
    model.to[i] = model.to[i + count];
    model.cut[i] = model.cut[i + count];
    memcpy(model.bytes[i], model.bytes[i + count], BYTES_MAX);
  }
  model.count -= count;
}

static void random_write(sync_file file) {
  uint8_t bytes[2000];
  size_t live = model.size[model.count], done;
  size_t offset = random_below(2) == 0 ? live : (size_t)random_below(BYTES_MAX - sizeof bytes);
  size_t size = 1 + (size_t)random_below(random_below(2) == 0 ? 120 : sizeof bytes);
  if (offset + size > BYTES_MAX) return;
  for (size_t i = 0; i < size; i++)
    bytes[i] = (uint8_t)(1 + random_below(255));
  assert_int_equal(sim_disk_write(fixture.disk, file, offset, bytes, size, &done), SYNC_OK);
  model_next(offset + size > live ? offset + size : live, offset, offset + size, false);
  memcpy(model.bytes[model.count] + offset, bytes, size);
}

static void random_truncate(sync_file file) {
  size_t live = model.size[model.count], size = (size_t)random_below(BYTES_MAX);
  if (size == live) return;
  assert_int_equal(sim_disk_truncate(fixture.disk, file, size), SYNC_OK);
  model_next(size, size, size < live ? live : size, true);
  if (size < live) memset(model.bytes[model.count] + size, 0, live - size);
}

/* Of images `low` to `high`. */
static bool size_allowed(size_t size, int low, int high) {
  for (int i = low; i <= high; i++)
    if (model.size[i] == size) return true;
  /* Or where a write that let the file grow was torn. */
  for (int i = low + 1; i <= high; i++)
    if (!model.cut[i] && size % SECTOR == 0 && size > model.size[i - 1] && size > model.from[i] && size < model.to[i])
      return true;
  return false;
}

/* Bytes [from, to) of one sector are those of a version, but for what lost writes were writing. */
static bool sector_is_version(const uint8_t *bytes, size_t from, size_t to, int version, int high) {
  for (size_t at = from; at < to; at++) {
    if (bytes[at] == model.bytes[version][at]) continue;
    bool writing = false;
    for (int i = version + 1; i <= high && !writing; i++)
      writing = !model.cut[i] && model.from[i] <= at && at < model.to[i];
    if (!writing) return false;
  }
  return true;
}

/* Where cut number i touches the sector, no version before it counts. */
static int oldest_version(size_t from, size_t to, int high) {
  for (int i = high; i > 0; i--)
    if (model.cut[i] && model.from[i] < model.to[i] && model.from[i] < to && from < model.to[i]) return i;
  return 0;
}

/* All cuts up to change `high` survived, the next one did not. */
static bool sectors_allowed(const uint8_t *bytes, size_t size, int high) {
  int last_cut = 0;
  for (int i = 1; i <= high; i++)
    if (model.cut[i] && model.from[i] < model.to[i]) last_cut = i;
  if (!size_allowed(size, last_cut, high)) return false;
  for (size_t from = 0; from < size; from += SECTOR) {
    size_t to = from + SECTOR < size ? from + SECTOR : size;
    bool found = false;
    for (int i = oldest_version(from, from + SECTOR, high); i <= high && !found; i++)
      found = sector_is_version(bytes, from, to, i, high);
    if (!found) return false;
  }
  return true;
}

static void check_sectors(const uint8_t *bytes, size_t size) {
  bool allowed = sectors_allowed(bytes, size, model.count);
  for (int i = 1; i <= model.count && !allowed; i++)
    if (model.cut[i] && model.from[i] < model.to[i]) allowed = sectors_allowed(bytes, size, i - 1);
  assert_true(allowed);
}

/* The whole file is some image, or one with the next write torn. */
static void check_prefix(const uint8_t *bytes, size_t size) {
  for (int i = 0; i <= model.count; i++) {
    if (size == model.size[i] && memcmp(bytes, model.bytes[i], size) == 0) return;
    if (i == model.count || model.cut[i + 1]) continue;
    for (size_t edge = (model.from[i + 1] / SECTOR + 1) * SECTOR; edge < model.to[i + 1]; edge += SECTOR) {
      static uint8_t torn[BYTES_MAX];
      memcpy(torn, model.bytes[i], BYTES_MAX);
      memcpy(torn + model.from[i + 1], model.bytes[i + 1] + model.from[i + 1], edge - model.from[i + 1]);
      if (size == (edge > model.size[i] ? edge : model.size[i]) && memcmp(bytes, torn, size) == 0) return;
    }
  }
  fail_msg("no prefix: size %zu", size);
}

static void lose_power(enum sim_disk_on_crash on_crash) {
  static uint8_t bytes[BYTES_MAX];
  sim_disk_power_loss(fixture.disk);
  memset(bytes, 0, sizeof bytes);
  size_t size = disk_fixture_read(&fixture, "f", bytes, sizeof bytes);
  assert_true(size <= BYTES_MAX);
  if (on_crash == SIM_DISK_STRICT) {
    assert_int_equal(size, model.size[0]);
    assert_memory_equal(bytes, model.bytes[0], size);
  } else if (on_crash == SIM_DISK_ORDERED) {
    check_prefix(bytes, size);
  } else {
    check_sectors(bytes, size);
  }
  memset(bytes + size, 0, BYTES_MAX - size);
  memcpy(model.bytes[0], bytes, BYTES_MAX);
  model.size[0] = size;
  model.count = 0;
}

/* At most two requests are under way; they finish in any order. */
static void random_lives(uint64_t seed, enum sim_disk_on_crash on_crash) {
  struct sim_disk_config config = {.on_crash = on_crash};
  uint64_t requests[2] = {0};
  int covered[2] = {0};
  random_state = seed;
  memset(&model, 0, sizeof model);
  disk_fixture_begin(&fixture, seed, &config, NULL);
  sync_file file = disk_fixture_create(&fixture, "f");
  disk_fixture_fsync_dir(&fixture);
  for (int step = 0; step < 300; step++) {
    uint64_t what = random_below(100);
    int slot = (int)random_below(2);
    if (what < 60 && model.count < CHANGES_MAX) {
      random_write(file);
    } else if (what < 65 && model.count < CHANGES_MAX) {
      random_truncate(file);
    } else if (what < 95 && requests[slot] == 0) {
      requests[slot] = disk_fixture_request(&fixture, file);
      covered[slot] = model.count;
    } else if (what < 95) {
      assert_int_equal(disk_fixture_finish(&fixture, requests[slot]), SYNC_OK);
      requests[slot] = 0;
      model_durable(covered[slot]);
      covered[1 - slot] -= covered[1 - slot] < covered[slot] ? covered[1 - slot] : covered[slot];
      assert_int_equal(sim_disk_pending_changes(fixture.disk), model.count);
    } else if (what < 98) {
      lose_power(on_crash);
      requests[0] = requests[1] = 0;
      file = disk_fixture_create(&fixture, "f");
    }
  }
}

static void random_lives_of_a_strict_disk_leave_the_durable_image(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 300; seed++)
    random_lives(seed, SIM_DISK_STRICT);
}

static void random_lives_of_an_ordered_disk_leave_a_prefix(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 300; seed++)
    random_lives(seed, SIM_DISK_ORDERED);
}

static void random_lives_of_an_adversarial_disk_leave_allowed_sectors(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 600; seed++)
    random_lives(seed, SIM_DISK_ADVERSARIAL);
}

static int any_name(void *arg, const char *name) {
  (void)arg, (void)name;
  return 0;
}

/* One random call, of whatever result. */
static void reckless_call(void) {
  static const char *const names[] = {"a", "b", "c"};
  sync_file file = (sync_file)random_below(4), opened;
  uint64_t offset = random_below(9000), call = random_below(13), token;
  uint8_t bytes[3000];
  size_t size = (size_t)random_below(sizeof bytes), done;
  const char *name = names[random_below(3)], *other = names[random_below(3)];
  memset(bytes, (int)random_below(256), size);
  if (call < 2) {
    (void)sim_disk_open(fixture.disk, name, SYNC_OPEN_CREATE, &opened);
  } else if (call == 2) {
    (void)sim_disk_close(fixture.disk, file);
  } else if (call < 6) {
    (void)sim_disk_write(fixture.disk, file, offset, bytes, size, &done);
  } else if (call == 6) {
    (void)sim_disk_read(fixture.disk, file, offset, bytes, size, &done);
  } else if (call == 7) {
    (void)sim_disk_truncate(fixture.disk, file, offset);
  } else if (call == 8) {
    (void)sim_disk_rename(fixture.disk, name, other);
  } else if (call == 9) {
    if (random_below(4) == 0) (void)sim_disk_unlink(fixture.disk, name);
  } else if (call == 10) {
    if (sim_disk_fsync_file(fixture.disk, file, 7) == SYNC_OK) fixture.fsyncs++;
    if (sim_disk_fsync_dir(fixture.disk, 8) == SYNC_OK) fixture.fsyncs++;
    (void)sim_disk_fsync_finish(fixture.disk, fixture.fsyncs - random_below(fixture.fsyncs > 3 ? 3 : 1), &token);
  } else if (call == 12) {
    (void)sim_disk_size(fixture.disk, file, &token);
    (void)sim_disk_list(fixture.disk, any_name, NULL);
  } else {
    uint64_t crash = random_below(9);
    if (crash < 3) sim_disk_power_loss(fixture.disk);
    if (crash == 3) sim_disk_image_save(fixture.disk);
    if (crash == 4) (void)sim_disk_image_restore(fixture.disk);
  }
}

/* The running sum of what counts against the quota is the sum. */
static void check_used_bytes(void) {
  uint64_t running = sim_disk_used_bytes(fixture.disk);
  sim_disk_count_used(fixture.disk);
  assert_int_equal(running, sim_disk_used_bytes(fixture.disk));
}

/* With every fault on, nothing breaks, one seed gives one run, wherever memory lies
 * and whatever is in it, and each fault fires. */
static void all_faults_at_once_are_survived_and_repeat(void **state) {
  (void)state;
  struct sim_disk_config config = {.quota_bytes = 20000,
                                   .handles_max = 4,
                                   .rot_running_ppm = 20000,
                                   .latent_ppm = 5000,
                                   .latency_max_ns = 1000,
                                   .stall_ppm = 10000,
                                   .stall_ns = 1000,
                                   .write_back_ppm = 100000,
                                   .read_error_ppm = 50000,
                                   .write_error_ppm = 50000,
                                   .short_ppm = 100000,
                                   .interrupt_ppm = 50000,
                                   .fsync_error_ppm = 100000,
                                   .fsync_lie_ppm = 100000,
                                   .fsync_no_space_ppm = 50000,
                                   .fsync_request_error_ppm = 50000,
                                   .open_error_ppm = 50000,
                                   .close_error_ppm = 50000,
                                   .truncate_error_ppm = 50000,
                                   .size_error_ppm = 50000,
                                   .rename_error_ppm = 50000,
                                   .unlink_error_ppm = 50000,
                                   .list_error_ppm = 50000,
                                   .rot_ppm = 200000,
                                   .unreadable_ppm = 50000,
                                   .lost_write_ppm = 100000,
                                   .misdirect_ppm = 100000};
  uint64_t fired[SIM_FAULT_COUNT] = {0}, hashes[2], digests[2];
  struct sim_options other = {.arena_bytes = UINT64_C(1) << 28, .fill = 0x5a};
  struct sim *sims[2] = {fixture.sim, sim_open(&other)};
  assert_non_null(sims[1]);
  for (uint64_t run = 0; run < 600; run++) {
    fixture.sim = sims[run % 2];
    random_state = run / 2;
    config.on_crash = (enum sim_disk_on_crash)(run / 2 % 3);
    config.tearing = (enum sim_disk_tearing)(run / 6 % 3);
    config.overwrite = (enum sim_disk_overwrite)(run / 18 % 2);
    config.rename = (enum sim_disk_rename)(run / 36 % 2);
    config.fsync_names = run / 72 % 2 != 0;
    disk_fixture_begin(&fixture, run / 2, &config, NULL);
    for (int step = 0; step < 200; step++)
      reckless_call();
    check_used_bytes();
    for (int fault = 0; fault < SIM_FAULT_COUNT; fault++)
      fired[fault] += disk_fixture_fired(&fixture, (enum sim_fault)fault);
    hashes[run % 2] = sim_trace_hash(fixture.world);
    digests[run % 2] = sim_disk_digest(fixture.disk);
    sim_disk_wipe(fixture.disk);
    if (run % 2 == 0) continue;
    assert_true(hashes[0] == hashes[1]);
    assert_true(digests[0] == digests[1]);
  }
  fixture.sim = sims[0];
  sim_close(sims[1]);
  for (int fault = SIM_FAULT_DISK_LOST_PENDING; fault <= SIM_FAULT_DISK_HANDLES; fault++)
    if (fired[fault] == 0) fail_msg("never fired: %s", sim_fault_name((enum sim_fault)fault));
  for (int fault = SIM_FAULT_DISK_OVERWRITE; fault <= SIM_FAULT_DISK_LATENT; fault++)
    if (fired[fault] == 0) fail_msg("never fired: %s", sim_fault_name((enum sim_fault)fault));
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
      cmocka_unit_test(random_lives_of_a_strict_disk_leave_the_durable_image),
      cmocka_unit_test(random_lives_of_an_ordered_disk_leave_a_prefix),
      cmocka_unit_test(random_lives_of_an_adversarial_disk_leave_allowed_sectors),
      cmocka_unit_test(all_faults_at_once_are_survived_and_repeat),
  };
  return cmocka_run_group_tests_name("disk_survival", tests, setup, teardown) != 0;
}
