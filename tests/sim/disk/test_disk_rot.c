/* Decay: rot at rest and while running, in bits, bytes, sectors and erase blocks;
 * sectors that go bad unnoticed; writes that hit another file. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/disk_fixture.h"

#define SECTOR 512
#define SECTORS 24
#define BYTES (SECTORS * SECTOR)
#define CERTAIN 1000000

static struct disk_fixture fixture;

static void configure(const struct sim_disk_config *config) {
  struct sim_disk_config set = *config;
  set.on_crash = SIM_DISK_STRICT;
  sim_disk_configure(fixture.disk, &set);
}

static void calm_down(void) {
  configure(&(struct sim_disk_config){0});
}

/* A durable file of letters. */
static sync_file durable(const char *name, uint8_t letter, size_t sectors) {
  sync_file file = disk_fixture_create(&fixture, name);
  for (size_t i = 0; i < sectors; i++)
    disk_fixture_write(&fixture, file, i * SECTOR, letter, SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  return file;
}

static void begin(uint64_t seed) {
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  disk_fixture_begin(&fixture, seed, &config, NULL);
}

/* What differs from `letter` in a file: first and last byte of it, how many bytes, how many bits. */
struct harm {
  size_t from, to, bytes, bits;
};
static struct harm harm(const char *name, uint8_t letter) {
  static uint8_t bytes[BYTES];
  struct harm found = {.from = SIZE_MAX};
  size_t size = disk_fixture_read(&fixture, name, bytes, sizeof bytes);
  assert_true(size <= sizeof bytes);
  for (size_t i = 0; i < size; i++) {
    if (bytes[i] == letter) continue;
    if (found.from == SIZE_MAX) found.from = i;
    found.to = i + 1;
    found.bytes++;
    for (unsigned bit = 0; bit < 8; bit++)
      found.bits += ((unsigned)(bytes[i] ^ letter) >> bit & 1u) != 0;
  }
  return found;
}

enum { BIT, BYTE, WHOLE_SECTOR, BLOCK, EXTENTS };
/* Fails when it is none of these. */
static int extent_of(struct harm found, size_t block) {
  assert_true(found.bytes > 0);
  if (found.bytes == 1) return found.bits == 1 ? BIT : BYTE;
  if (found.from / SECTOR == (found.to - 1) / SECTOR) return WHOLE_SECTOR;
  assert_int_equal(found.from / block, (found.to - 1) / block);
  return BLOCK;
}

static void rot_takes_bits_bytes_sectors_and_erase_blocks(void **state) {
  (void)state;
  static const uint32_t blocks[] = {0, 2048, SECTOR}; /* default: 8 sectors; or never more than one */
  for (int i = 0; i < 3; i++) {
    int seen[EXTENTS] = {0};
    for (uint64_t seed = 1; seed <= 200; seed++) {
      begin(seed);
      durable("f", 'a', SECTORS);
      configure(&(struct sim_disk_config){.rot_ppm = CERTAIN, .erase_block_bytes = blocks[i]});
      sim_disk_power_loss(fixture.disk);
      struct harm found = harm("f", 'a');
      seen[extent_of(found, blocks[i] == 0 ? 8 * SECTOR : blocks[i])]++;
      const struct sim_damage *damage = sim_disk_damage_at(fixture.disk, 0);
      assert_int_equal(damage->kind, SIM_DAMAGE_ROT);
      assert_true(damage->offset <= found.from && damage->offset + damage->size >= found.to);
      assert_int_equal(sim_disk_damage_count(fixture.disk), 1);
    }
    for (int extent = BIT; extent <= BLOCK; extent++)
      assert_int_equal(seen[extent] > 20, extent != BLOCK || i < 2);
  }
}

/* The first and the last sectors are where headers and newest records are. */
static void rot_strikes_the_ends_of_a_file_often(void **state) {
  (void)state;
  uint32_t first = 0, last = 0;
  for (uint64_t seed = 1; seed <= 300; seed++) {
    begin(seed);
    durable("f", 'a', SECTORS);
    configure(&(struct sim_disk_config){.rot_ppm = CERTAIN, .erase_block_bytes = SECTOR});
    sim_disk_power_loss(fixture.disk);
    struct harm found = harm("f", 'a');
    first += found.from < SECTOR;
    last += found.from >= BYTES - SECTOR;
  }
  assert_in_range(first, 75, 140);
  assert_in_range(last, 75, 140);
}

static void rot_while_running_strikes_before_data_is_served_and_stays(void **state) {
  (void)state;
  uint32_t here = 0, elsewhere = 0;
  for (uint64_t seed = 1; seed <= 200; seed++) {
    uint8_t bytes[SECTOR], again[SECTOR], sound[SECTOR];
    size_t done;
    memset(sound, 'a', sizeof sound);
    begin(seed);
    sync_file file = durable("f", 'a', SECTORS);
    configure(&(struct sim_disk_config){.rot_running_ppm = CERTAIN, .erase_block_bytes = SECTOR});
    assert_int_equal(sim_disk_read(fixture.disk, file, 9 * SECTOR, bytes, SECTOR, &done), SYNC_OK);
    calm_down();
    assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_ROT), 1);
    assert_true(harm("f", 'a').bytes > 0);
    bool served = memcmp(bytes, sound, SECTOR) != 0;
    here += served;
    elsewhere += !served;
    assert_int_equal(sim_disk_read(fixture.disk, file, 9 * SECTOR, again, SECTOR, &done), SYNC_OK);
    assert_memory_equal(bytes, again, SECTOR);
    sim_disk_power_loss(fixture.disk);
    file = disk_fixture_create(&fixture, "f");
    assert_int_equal(sim_disk_read(fixture.disk, file, 9 * SECTOR, again, SECTOR, &done), SYNC_OK);
    assert_memory_equal(bytes, again, SECTOR);
  }
  assert_true(here > 100 && elsewhere > 30);
}

/* Else a read could find sound what was damaged before it and is damaged after it. */
static void what_has_rotted_is_never_sound_again(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 50; seed++) {
    uint8_t bytes[4];
    size_t done;
    bool rotten[4] = {false};
    begin(seed);
    sync_file file = disk_fixture_create(&fixture, "f");
    disk_fixture_write(&fixture, file, 0, 0xff, sizeof bytes); /* as what rot may make of it */
    assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
    assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
    configure(&(struct sim_disk_config){.rot_running_ppm = CERTAIN});
    for (int i = 0; i < 100; i++) {
      assert_int_equal(sim_disk_read(fixture.disk, file, 0, bytes, sizeof bytes, &done), SYNC_OK);
      for (int at = 0; at < 4; at++) {
        assert_true(!rotten[at] || bytes[at] != 0xff);
        rotten[at] = rotten[at] || bytes[at] != 0xff;
      }
    }
    assert_true(rotten[0] || rotten[1] || rotten[2] || rotten[3]);
    calm_down();
  }
}

/* Dirty pages are memory: rot beneath them shows when they are lost, and is gone when they are written. */
static void rot_does_not_touch_what_the_cache_holds(void **state) {
  (void)state;
  for (int written = 0; written < 2; written++) {
    for (uint64_t seed = 1; seed <= 100; seed++) {
      begin(seed);
      sync_file file = durable("f", 'a', SECTORS);
      for (uint64_t i = 0; i < SECTORS; i++)
        disk_fixture_write(&fixture, file, i * SECTOR, 'b', SECTOR);
      configure(&(struct sim_disk_config){.rot_running_ppm = CERTAIN});
      uint8_t byte;
      size_t done;
      assert_int_equal(sim_disk_read(fixture.disk, file, 5, &byte, 1, &done), SYNC_OK);
      assert_int_equal(byte, 'b');
      assert_int_equal(sim_disk_damage_count(fixture.disk), 1);
      calm_down();
      assert_int_equal(harm("f", 'b').bytes, 0);
      if (written) assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
      sim_disk_power_loss(fixture.disk);
      struct harm found = harm("f", written ? 'b' : 'a');
      assert_int_equal(found.bytes > 0, !written);
    }
  }
}

static void a_write_lets_rot_strike_anywhere(void **state) {
  (void)state;
  uint32_t other = 0;
  for (uint64_t seed = 1; seed <= 100; seed++) {
    begin(seed);
    durable("g", 'g', SECTORS);
    sync_file file = durable("f", 'a', 2);
    configure(&(struct sim_disk_config){.rot_running_ppm = CERTAIN});
    disk_fixture_write(&fixture, file, 0, 'a', 1);
    calm_down();
    assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_ROT), 1);
    other += harm("g", 'g').bytes > 0;
  }
  assert_in_range(other, 25, 75);
}

/* --- Sectors that go bad ----------------------------------------------------------------- */

static uint32_t bad_sectors(sync_file file, uint32_t *from) {
  uint32_t bad = 0;
  for (uint32_t i = SECTORS; i-- > 0;) {
    uint8_t byte;
    size_t done;
    if (sim_disk_read(fixture.disk, file, (uint64_t)i * SECTOR, &byte, 1, &done) == SYNC_OK) continue;
    bad++;
    *from = i;
  }
  return bad;
}

static void sectors_go_bad_unnoticed_until_they_are_read(void **state) {
  (void)state;
  uint32_t alone = 0, block = 0;
  for (uint64_t seed = 1; seed <= 200; seed++) {
    uint32_t from = 0;
    begin(seed);
    sync_file file = durable("f", 'a', SECTORS), other = durable("g", 'g', 0);
    struct sim_disk_config config = {.latent_ppm = CERTAIN, .damage_budget = 1};
    configure(&config);
    if (seed % 2) {
      disk_fixture_write(&fixture, other, 0, 'g', 1); /* no error is seen here */
    } else {
      sim_disk_power_loss(fixture.disk);
      file = disk_fixture_create(&fixture, "f");
    }
    calm_down();
    assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_LATENT), 1);
    assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_UNREADABLE), 0);
    uint32_t bad = bad_sectors(file, &from);
    assert_true(bad == 1 || bad == 8);
    assert_true(bad == 1 || from % 8 == 0);
    alone += bad == 1;
    block += bad == 8;
    assert_int_equal(sim_disk_damage_at(fixture.disk, 0)->kind, SIM_DAMAGE_UNREADABLE);
    assert_int_equal(sim_disk_damage_at(fixture.disk, 0)->size, bad * SECTOR);
  }
  assert_true(alone > 60 && block > 60);
}

static void a_read_may_find_a_whole_erase_block_gone(void **state) {
  (void)state;
  uint32_t alone = 0, block = 0;
  for (uint64_t seed = 1; seed <= 100; seed++) {
    uint32_t from = 0;
    uint8_t byte;
    size_t done;
    begin(seed);
    sync_file file = durable("f", 'a', SECTORS - 2);
    configure(&(struct sim_disk_config){.unreadable_ppm = CERTAIN});
    assert_int_equal(sim_disk_read(fixture.disk, file, 20 * SECTOR, &byte, 1, &done), SYNC_E_IO);
    calm_down();
    uint32_t bad = bad_sectors(file, &from);
    assert_true(bad == 1 ? from == 20 : from == 16 && bad == 6);
    alone += bad == 1;
    block += bad == 6;
  }
  assert_true(alone > 30 && block > 30);
}

/* --- Writes that land elsewhere ------------------------------------------------------------ */

static void a_misdirected_write_may_hit_another_file(void **state) {
  (void)state;
  uint32_t same = 0, other = 0, clipped = 0;
  for (uint64_t seed = 1; seed <= 200; seed++) {
    begin(seed);
    sync_file file = durable("f", 'a', 4), victim = durable("g", 'g', 1);
    disk_fixture_write(&fixture, victim, SECTOR, 'g', 100);
    assert_int_equal(disk_fixture_fsync(&fixture, victim), SYNC_OK);
    configure(&(struct sim_disk_config){.misdirect_ppm = CERTAIN});
    disk_fixture_write(&fixture, file, SECTOR, 'x', SECTOR);
    calm_down();
    assert_int_equal(harm("g", 'g').bytes, 0); /* the cache does not know */
    assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
    sim_disk_power_loss(fixture.disk);
    struct harm own = harm("f", 'a'), foreign = harm("g", 'g');
    const struct sim_damage *damage = sim_disk_damage_at(fixture.disk, 0);
    assert_int_equal(damage->offset, SECTOR);
    assert_true(damage->name_hash == sim_hash_bytes("f", 1));
    assert_int_equal(own.bytes + foreign.bytes, foreign.bytes == 100 ? 100 : SECTOR);
    assert_true(damage->stray_name_hash == sim_hash_bytes(foreign.bytes > 0 ? "g" : "f", 1));
    /* One damage: what is wrong in another file is a record of its own, since it may end apart. */
    assert_int_equal(sim_disk_damage_count(fixture.disk), foreign.bytes > 0 ? 2 : 1);
    if (foreign.bytes > 0) damage = sim_disk_damage_at(fixture.disk, 1);
    assert_int_equal(damage->stray_offset, foreign.bytes > 0 ? foreign.from : own.from);
    if (foreign.bytes > 0) assert_int_equal(damage->size, foreign.bytes);
    same += own.bytes > 0;
    other += foreign.bytes > 0;
    clipped += foreign.bytes == 100;
  }
  assert_true(same > 60 && other > 60 && clipped > 20);
}

static void a_file_that_a_stray_write_hit_heals_when_it_is_written_again(void **state) {
  (void)state;
  begin(1);
  sync_file file = durable("f", 'a', 1), victim = durable("g", 'g', 1);
  configure(&(struct sim_disk_config){.misdirect_ppm = CERTAIN});
  disk_fixture_write(&fixture, file, 0, 'x', SECTOR); /* f has no other sector */
  calm_down();
  disk_fixture_write(&fixture, victim, 0, 'g', SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, victim), SYNC_OK);
  sim_disk_power_loss(fixture.disk);
  assert_int_equal(harm("g", 'g').bytes, 0);
  assert_int_equal(harm("f", 'a').bytes, 0); /* what should have been written never was */
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
      cmocka_unit_test(rot_takes_bits_bytes_sectors_and_erase_blocks),
      cmocka_unit_test(rot_strikes_the_ends_of_a_file_often),
      cmocka_unit_test(rot_while_running_strikes_before_data_is_served_and_stays),
      cmocka_unit_test(what_has_rotted_is_never_sound_again),
      cmocka_unit_test(rot_does_not_touch_what_the_cache_holds),
      cmocka_unit_test(a_write_lets_rot_strike_anywhere),
      cmocka_unit_test(sectors_go_bad_unnoticed_until_they_are_read),
      cmocka_unit_test(a_read_may_find_a_whole_erase_block_gone),
      cmocka_unit_test(a_misdirected_write_may_hit_another_file),
      cmocka_unit_test(a_file_that_a_stray_write_hit_heals_when_it_is_written_again),
  };
  return cmocka_run_group_tests_name("disk_rot", tests, setup, teardown) != 0;
}
