/* What survives a power loss: for each style the outcomes that occur over all
 * combinations of decisions are exactly those that are allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/disk_fixture.h"

#define SECTOR 512u

static struct disk_fixture fixture;

/* --- Sets of outcomes, as short texts --------------------------------------------- */

#define SET_MAX 4096

struct set {
  size_t count;
  char items[SET_MAX][64];
};
static struct set allowed, seen;

static bool set_has(const struct set *set, const char *item) {
  for (size_t i = 0; i < set->count; i++)
    if (strcmp(set->items[i], item) == 0) return true;
  return false;
}

static void set_add(struct set *set, const char *item) {
  if (set_has(set, item)) return;
  assert_true(set->count < SET_MAX && strlen(item) < sizeof set->items[0]);
  strcpy(set->items[set->count++], item);
}

static void assert_sets_equal(void) {
  for (size_t i = 0; i < seen.count; i++)
    if (!set_has(&allowed, seen.items[i])) fail_msg("forbidden outcome: %s", seen.items[i]);
  for (size_t i = 0; i < allowed.count; i++)
    if (!set_has(&seen, allowed.items[i])) fail_msg("allowed outcome never occurred: %s", allowed.items[i]);
}

static void sets_clear(void) {
  allowed.count = seen.count = 0;
}

/* "size:runs", each run its length in halves of a sector and its byte as a letter;
 * garbage reads as '?'. */
static void describe(const uint8_t *bytes, size_t size, char *text, size_t text_size) {
  int at = snprintf(text, text_size, "%zu:", size);
  for (size_t half = 0; half * (SECTOR / 2) < size; half++) {
    size_t end = (half + 1) * (SECTOR / 2);
    uint8_t byte = bytes[half * (SECTOR / 2)];
    if (end > size) end = size;
    for (size_t i = half * (SECTOR / 2); i < end; i++)
      if (bytes[i] != bytes[half * (SECTOR / 2)]) byte = '?';
    at += snprintf(text + at, text_size - (size_t)at, "%c", byte == 0 ? '0' : byte);
  }
}

/* --- The small case ----------------------------------------------------------------
 * Three durable sectors of 'a'; then pending: 'b' over the halves 1 to 4 (three
 * sectors, the first and the last in part), 'c' over sectors 1 and 2, and 'd'
 * appended, two sectors. Versions of a sector are told by its two halves. */

static const char *const sector_versions[5][3] = {
    {"aa", "ab", NULL}, /* sector 0: b */
    {"aa", "bb", "cc"}, /* sector 1: b, c */
    {"aa", "ba", "cc"}, /* sector 2: b, c */
    {"00", "dd", NULL}, /* sector 3: d */
    {"00", "dd", NULL}, /* sector 4: d */
};
static const int newest_version[5] = {1, 2, 2, 1, 1};

static sync_file small_case_begin(uint64_t seed, enum sim_disk_on_crash on_crash,
                                  const struct sim_choice_table *table) {
  struct sim_disk_config config = {.on_crash = on_crash};
  disk_fixture_begin(&fixture, seed, &config, table);
  sync_file file = disk_fixture_create(&fixture, "f");
  disk_fixture_write(&fixture, file, 0, 'a', 3 * SECTOR);
  assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  disk_fixture_write(&fixture, file, SECTOR / 2, 'b', 2 * SECTOR);
  disk_fixture_write(&fixture, file, SECTOR, 'c', 2 * SECTOR);
  disk_fixture_write(&fixture, file, 3 * SECTOR, 'd', 2 * SECTOR);
  return file;
}

static void see_file(const char *name) {
  uint8_t bytes[8192];
  char text[64];
  size_t size = disk_fixture_read(&fixture, name, bytes, sizeof bytes);
  assert_true(size != SIZE_MAX);
  describe(bytes, size, text, sizeof text);
  set_add(&seen, text);
}

static void small_case_run(uint64_t seeds, enum sim_disk_on_crash on_crash) {
  for (uint64_t seed = 1; seed <= seeds; seed++) {
    small_case_begin(seed, on_crash, NULL);
    sim_disk_power_loss(fixture.disk);
    assert_int_equal(sim_disk_pending_changes(fixture.disk), 0);
    see_file("f");
  }
}

/* --- Every combination of decisions -------------------------------------------------- */

#define DECISIONS_MAX 16
struct decision {
  enum sim_choice_kind kind;
  uint64_t part;         /* of its identity */
  uint64_t first, count; /* outcomes */
};

/* One power loss of the small case for every combination of outcomes; whatever is
 * not listed must not be decided at all. */
static void small_case_enumerate(enum sim_disk_on_crash on_crash, const struct decision *decisions, size_t count) {
  uint64_t file = on_crash == SIM_DISK_ORDERED ? 0 : sim_hash_bytes("f", 1);
  uint64_t combinations = 1;
  for (size_t i = 0; i < count; i++)
    combinations *= decisions[i].count;
  for (uint64_t code = 0; code < combinations; code++) {
    struct sim_choice_table *table = sim_choice_table_create(), *record = sim_choice_table_create();
    struct sim_tag tags[DECISIONS_MAX];
    uint64_t rest = code, outcome;
    for (size_t i = 0; i < count; i++) {
      uint64_t value = decisions[i].first + rest % decisions[i].count;
      rest /= decisions[i].count;
      tags[i] = sim_tag(decisions[i].kind, 1, sim_hash_fold(sim_hash_fold(1, file), decisions[i].part));
      assert_true(sim_choice_table_set(table, tags[i], value));
    }
    small_case_begin(1, on_crash, NULL);
    struct sim_choice_source source = {.seed = 1, .overrides = table, .rest = SIM_REST_CALM, .record = record};
    sim_set_source(fixture.sim, &source);
    sim_disk_power_loss(fixture.disk);
    source.record = NULL;
    sim_set_source(fixture.sim, &source);
    size_t known = 0;
    for (size_t i = 0; i < count; i++)
      known += sim_choice_table_get(record, tags[i], &outcome);
    assert_int_equal(sim_choice_table_count(record), known);
    see_file("f");
    sim_choice_table_destroy(table);
    sim_choice_table_destroy(record);
  }
}

static void allow(const int versions[5], size_t size) {
  char text[64];
  int at = snprintf(text, sizeof text, "%zu:", size);
  for (size_t sector = 0; sector * SECTOR < size; sector++)
    at += snprintf(text + at, sizeof text - (size_t)at, "%s", sector_versions[sector][versions[sector]]);
  set_add(&allowed, text);
}

static void allow_prefixes(void) {
  static const int prefixes[][5] = {
      {0, 0, 0, 0, 0}, {1, 0, 0, 0, 0}, {1, 1, 0, 0, 0}, /* nothing; b torn twice */
      {1, 1, 1, 0, 0}, {1, 2, 1, 0, 0},                  /* b; c torn */
      {1, 2, 2, 0, 0}, {1, 2, 2, 1, 0}, {1, 2, 2, 1, 1}, /* c; d torn; d */
  };
  for (size_t i = 0; i < 8; i++)
    allow(prefixes[i], i < 6 ? 3 * SECTOR : i == 6 ? 4 * SECTOR : 5 * SECTOR);
}

#define ENUMERATE(on_crash, ...)                                                                                       \
  small_case_enumerate((on_crash), (const struct decision[]){__VA_ARGS__},                                             \
                       sizeof((const struct decision[]){__VA_ARGS__}) / sizeof(struct decision))
#define STYLE(style)                                                                                                   \
  { SIM_CHOICE_DISK_STYLE, 0, (style), 1 }
#define EACH_SECTOR                                                                                                    \
  {SIM_CHOICE_DISK_SECTOR, 0, 0, 2}, {SIM_CHOICE_DISK_SECTOR, 1, 0, 3}, {SIM_CHOICE_DISK_SECTOR, 2, 0, 3},             \
      {SIM_CHOICE_DISK_SECTOR, 3, 0, 2}, {                                                                             \
    SIM_CHOICE_DISK_SECTOR, 4, 0, 2                                                                                    \
  }

static void strict_loses_everything_pending(void **state) {
  (void)state;
  sets_clear();
  allow((const int[5]){0}, 3 * SECTOR);
  small_case_enumerate(SIM_DISK_STRICT, NULL, 0);
  assert_sets_equal();
}

static void style_keep_all_keeps_everything(void **state) {
  (void)state;
  sets_clear();
  allow(newest_version, 5 * SECTOR);
  ENUMERATE(SIM_DISK_ADVERSARIAL, STYLE(SIM_DISK_KEEP_ALL));
  assert_sets_equal();
}

static void style_lose_all_loses_everything_pending(void **state) {
  (void)state;
  sets_clear();
  allow((const int[5]){0}, 3 * SECTOR);
  ENUMERATE(SIM_DISK_ADVERSARIAL, STYLE(SIM_DISK_LOSE_ALL));
  assert_sets_equal();
}

static void style_prefix_keeps_a_prefix_and_tears_one_write(void **state) {
  (void)state;
  sets_clear();
  allow_prefixes();
  ENUMERATE(SIM_DISK_ADVERSARIAL, STYLE(SIM_DISK_PREFIX), {SIM_CHOICE_DISK_PREFIX, 0, 0, 4},
            {SIM_CHOICE_DISK_TORN, 0, 0, 3});
  assert_sets_equal();
}

static void ordered_keeps_a_prefix_and_tears_one_write(void **state) {
  (void)state;
  sets_clear();
  allow_prefixes();
  ENUMERATE(SIM_DISK_ORDERED, {SIM_CHOICE_DISK_PREFIX, 0, 0, 4}, {SIM_CHOICE_DISK_TORN, 0, 0, 3});
  assert_sets_equal();
}

static void style_sectors_decides_each_sector_and_the_size_apart(void **state) {
  (void)state;
  sets_clear();
  for (int code = 0; code < 2 * 3 * 3 * 2 * 2 * 2; code++) {
    int versions[5] = {code % 2, code / 2 % 3, code / 6 % 3, code / 18 % 2, code / 36 % 2};
    allow(versions, code / 72 == 0 ? 3 * SECTOR : 5 * SECTOR);
  }
  assert_int_equal(allowed.count, 18 + 72);
  ENUMERATE(SIM_DISK_ADVERSARIAL, STYLE(SIM_DISK_SECTORS), {SIM_CHOICE_DISK_SIZE, 0, 0, 4}, EACH_SECTOR);
  assert_sets_equal();
  for (uint64_t fault = SIM_FAULT_DISK_LOST_PENDING; fault <= SIM_FAULT_DISK_SIZE; fault++)
    if (fault != SIM_FAULT_DISK_GARBAGE) assert_true(disk_fixture_chances(&fixture, (enum sim_fault)fault) > 0);
}

static void the_size_that_survives_is_any_that_the_file_had(void **state) {
  (void)state;
  uint64_t identity = sim_hash_fold(sim_hash_fold(1, sim_hash_bytes("f", 1)), 0);
  sets_clear();
  set_add(&allowed, "256:a");
  set_add(&allowed, "512:ab");
  set_add(&allowed, "768:abc");
  set_add(&allowed, "100:a");
  for (uint64_t lost = 0; lost < 4; lost++) {
    struct sim_disk_config config = {0};
    struct sim_choice_table *table = sim_choice_table_create();
    sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_STYLE, 1, identity), SIM_DISK_SECTORS);
    sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_SIZE, 1, identity), lost);
    for (uint64_t sector = 0; sector < 2; sector++)
      sim_choice_table_set(
          table, sim_tag(SIM_CHOICE_DISK_SECTOR, 1, sim_hash_fold(sim_hash_fold(1, sim_hash_bytes("f", 1)), sector)),
          0);
    disk_fixture_begin(&fixture, 1, &config, table);
    sync_file file = disk_fixture_create(&fixture, "f");
    disk_fixture_write(&fixture, file, 0, 'a', 100);
    assert_int_equal(disk_fixture_fsync(&fixture, file), SYNC_OK);
    assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
    disk_fixture_write(&fixture, file, 0, 'a', SECTOR / 2);
    disk_fixture_write(&fixture, file, SECTOR / 2, 'b', SECTOR / 2);
    disk_fixture_write(&fixture, file, SECTOR, 'c', SECTOR / 2);
    sim_disk_power_loss(fixture.disk);
    see_file("f");
    sim_choice_table_destroy(table);
  }
  assert_sets_equal();
}

/* What a sector may show: a version; or one with the halves that lost writes were
 * writing zeroed or garbage. */
static void garbage_patterns(size_t sector, struct set *patterns) {
  static const char *const written[5][2] = {{"01", NULL}, {"11", "11"}, {"10", "11"}, {"11", NULL}, {"11", NULL}};
  patterns->count = 0;
  for (int version = 0; version <= newest_version[sector]; version++) {
    const char *plain = sector_versions[sector][version];
    set_add(patterns, plain);
    if (version == newest_version[sector]) continue;
    for (const char *fill = "0?"; *fill != '\0'; fill++) {
      char text[3] = {plain[0], plain[1], '\0'};
      for (int lost = version; lost < newest_version[sector]; lost++)
        for (int half = 0; half < 2; half++)
          if (written[sector][lost][half] == '1') text[half] = *fill;
      set_add(patterns, text);
    }
  }
}

static void style_garbage_spoils_only_what_lost_writes_were_writing(void **state) {
  (void)state;
  static struct set patterns[5], of_sector[5], sizes;
  sets_clear();
  /* Two sizes are enough: the other two are equal. */
  ENUMERATE(SIM_DISK_ADVERSARIAL, STYLE(SIM_DISK_SECTORS_GARBAGE), {SIM_CHOICE_DISK_SIZE, 0, 0, 2}, EACH_SECTOR,
            {SIM_CHOICE_DISK_GARBAGE, 0, 0, 3}, {SIM_CHOICE_DISK_GARBAGE, 1, 0, 3}, {SIM_CHOICE_DISK_GARBAGE, 2, 0, 3},
            {SIM_CHOICE_DISK_GARBAGE, 3, 0, 3}, {SIM_CHOICE_DISK_GARBAGE, 4, 0, 3});
  sizes.count = 0;
  for (size_t sector = 0; sector < 5; sector++) {
    garbage_patterns(sector, &patterns[sector]);
    of_sector[sector].count = 0;
  }
  for (size_t i = 0; i < seen.count; i++) {
    const char *halves = strchr(seen.items[i], ':') + 1;
    char size[3] = {(char)('0' + strlen(halves) / 2), '\0'};
    set_add(&sizes, size);
    for (size_t sector = 0; sector < strlen(halves) / 2; sector++) {
      char text[3] = {halves[2 * sector], halves[2 * sector + 1], '\0'};
      if (!set_has(&patterns[sector], text)) fail_msg("sector %zu of %s", sector, seen.items[i]);
      set_add(&of_sector[sector], text);
    }
  }
  assert_int_equal(sizes.count, 2);
  for (size_t sector = 0; sector < 5; sector++)
    assert_int_equal(of_sector[sector].count, patterns[sector].count);
  /* Sectors are independent: all combinations at the short size and at the long. */
  size_t short_ones = patterns[0].count * patterns[1].count * patterns[2].count;
  assert_int_equal(seen.count, short_ones + short_ones * patterns[3].count * patterns[4].count);
}

static void an_adversarial_disk_draws_every_style(void **state) {
  (void)state;
  sets_clear();
  allow_prefixes();
  small_case_run(3000, SIM_DISK_ADVERSARIAL);
  for (size_t i = 0; i < allowed.count; i++)
    assert_true(set_has(&seen, allowed.items[i]));
  bool garbage = false, reordered = false;
  for (size_t i = 0; i < seen.count; i++) {
    garbage = garbage || strchr(seen.items[i], '?') != NULL;
    reordered = reordered || strcmp(seen.items[i], "2560:aaccccdddd") != 0;
  }
  assert_true(garbage && reordered);
}

static void a_calm_power_loss_keeps_everything(void **state) {
  (void)state;
  struct sim_choice_source calm = {.seed = 1, .rest = SIM_REST_CALM};
  sets_clear();
  allow(newest_version, 5 * SECTOR);
  static const enum sim_disk_on_crash on_crash[] = {SIM_DISK_ADVERSARIAL, SIM_DISK_ORDERED};
  for (int i = 0; i < 2; i++) {
    small_case_begin(1, on_crash[i], NULL);
    sim_set_source(fixture.sim, &calm);
    sim_disk_power_loss(fixture.disk);
    see_file("f");
  }
  assert_sets_equal();
}

/* --- fsync and power loss ------------------------------------------------------------ */

static void an_fsync_covers_only_what_was_requested_before_it(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  sets_clear();
  set_add(&allowed, "768:a0b"); /* 'c' came after the request */
  disk_fixture_begin(&fixture, 1, &config, NULL);
  sync_file file = disk_fixture_create(&fixture, "f");
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  disk_fixture_write(&fixture, file, 0, 'a', SECTOR / 2);
  disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR / 2);
  uint64_t id = disk_fixture_request(&fixture, file);
  disk_fixture_write(&fixture, file, SECTOR / 2, 'c', 2 * SECTOR);
  assert_int_equal(disk_fixture_finish(&fixture, id), SYNC_OK);
  assert_int_equal(sim_disk_pending_changes(fixture.disk), 1);
  sim_disk_power_loss(fixture.disk);
  see_file("f");
  assert_sets_equal();
}

static void an_fsync_in_flight_may_have_done_any_part(void **state) {
  (void)state;
  sets_clear();
  for (int requested = 0; requested < 2; requested++) {
    struct set *set = requested ? &seen : &allowed;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
      struct sim_disk_config config = {0};
      disk_fixture_begin(&fixture, seed, &config, NULL);
      sync_file file = disk_fixture_create(&fixture, "f");
      assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
      disk_fixture_write(&fixture, file, 0, 'a', SECTOR);
      disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR);
      if (requested) disk_fixture_request(&fixture, file);
      sim_disk_power_loss(fixture.disk);
      assert_int_equal(disk_fixture_fired(&fixture, SIM_FAULT_DISK_FSYNC_CUT), requested);
      uint8_t bytes[8192];
      char text[64];
      size_t size = disk_fixture_read(&fixture, "f", bytes, sizeof bytes);
      describe(bytes, size, text, sizeof text);
      set_add(set, text);
    }
  }
  assert_true(allowed.count > 10);
  assert_sets_equal();
}

static void closing_a_file_cancels_no_fsync(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT};
  disk_fixture_begin(&fixture, 1, &config, NULL);
  sync_file file = disk_fixture_create(&fixture, "f");
  assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
  disk_fixture_write(&fixture, file, 0, 'a', SECTOR);
  uint64_t id = disk_fixture_request(&fixture, file);
  assert_int_equal(sim_disk_close(fixture.disk, file), SYNC_OK);
  assert_int_equal(disk_fixture_finish(&fixture, id), SYNC_OK);
  sim_disk_power_loss(fixture.disk);
  sets_clear();
  set_add(&allowed, "512:aa");
  see_file("f");
  assert_sets_equal();
}

static void a_process_crash_keeps_the_page_cache_and_what_is_pending(void **state) {
  (void)state;
  sets_clear();
  set_add(&allowed, "2560:abccccdddd");
  sync_file file = small_case_begin(1, SIM_DISK_STRICT, NULL);
  uint64_t id = disk_fixture_request(&fixture, file), token;
  sim_disk_process_crash(fixture.disk);
  assert_int_equal(sim_disk_fsync_finish(fixture.disk, id, &token), SYNC_E_NOT_FOUND);
  assert_int_equal(sim_disk_pending_changes(fixture.disk), 3);
  see_file("f");
  assert_sets_equal();
  sim_disk_power_loss(fixture.disk);
  sets_clear();
  allow((const int[5]){0}, 3 * SECTOR);
  see_file("f");
  assert_sets_equal();
}

static void write_back_makes_the_oldest_pending_change_durable(void **state) {
  (void)state;
  struct sim_disk_config config = {.on_crash = SIM_DISK_STRICT, .write_back_ppm = 500000};
  sets_clear();
  set_add(&allowed, "0:");
  set_add(&allowed, "512:aa");
  set_add(&allowed, "1024:aabb");
  for (uint64_t seed = 1; seed <= 100; seed++) {
    disk_fixture_begin(&fixture, seed, &config, NULL);
    sync_file file = disk_fixture_create(&fixture, "f");
    assert_int_equal(disk_fixture_fsync_dir(&fixture), SYNC_OK);
    disk_fixture_write(&fixture, file, 0, 'a', SECTOR);
    disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR);
    sim_disk_power_loss(fixture.disk);
    see_file("f");
  }
  assert_sets_equal();
}

static void a_lost_truncate_brings_the_bytes_back(void **state) {
  (void)state;
  static const struct {
    int style;
    const char *outcomes[8];
  } cases[] = {
      {SIM_DISK_KEEP_ALL, {"1024:aab0", NULL}},
      {SIM_DISK_LOSE_ALL, {"1536:aaaaaa", NULL}},
      {SIM_DISK_PREFIX, {"1536:aaaaaa", "512:aa", "768:aab", "1024:aab0", NULL}},
  };
  for (size_t i = 0; i < 3; i++) {
    struct sim_choice_table *table = sim_choice_table_create();
    uint64_t identity = sim_hash_fold(sim_hash_fold(1, sim_hash_bytes("f", 1)), 0);
    sim_choice_table_set(table, sim_tag(SIM_CHOICE_DISK_STYLE, 1, identity), (uint64_t)cases[i].style);
    sets_clear();
    for (const char *const *outcome = cases[i].outcomes; *outcome != NULL; outcome++)
      set_add(&allowed, *outcome);
    for (uint64_t seed = 1; seed <= 200; seed++) {
      struct sim_disk_config config = {0};
      disk_fixture_begin(&fixture, seed, &config, table);
      sync_file file = disk_fixture_create(&fixture, "f");
      disk_fixture_write(&fixture, file, 0, 'a', 3 * SECTOR);
      disk_fixture_fsync(&fixture, file);
      disk_fixture_fsync_dir(&fixture);
      assert_int_equal(sim_disk_truncate(fixture.disk, file, SECTOR), SYNC_OK);
      disk_fixture_write(&fixture, file, SECTOR, 'b', SECTOR / 2);
      assert_int_equal(sim_disk_truncate(fixture.disk, file, 2 * SECTOR), SYNC_OK);
      sim_disk_power_loss(fixture.disk);
      see_file("f");
    }
    sim_choice_table_destroy(table);
    assert_sets_equal();
  }
}

/* --- Two files, one order --------------------------------------------------------------- */

static void an_ordered_disk_keeps_one_prefix_over_all_files(void **state) {
  (void)state;
  sets_clear();
  static const char *const prefixes[] = {"0 0", "256 0", "256 256", "512 256", "512 512"};
  for (size_t i = 0; i < 5; i++)
    set_add(&allowed, prefixes[i]);
  for (uint64_t seed = 1; seed <= 200; seed++) {
    struct sim_disk_config config = {.on_crash = SIM_DISK_ORDERED};
    uint8_t bytes[8192];
    char text[64];
    disk_fixture_begin(&fixture, seed, &config, NULL);
    sync_file files[2] = {disk_fixture_create(&fixture, "x"), disk_fixture_create(&fixture, "y")};
    disk_fixture_fsync_dir(&fixture);
    for (uint64_t i = 0; i < 4; i++)
      disk_fixture_write(&fixture, files[i % 2], i / 2 * (SECTOR / 2), 'a', SECTOR / 2);
    sim_disk_power_loss(fixture.disk);
    snprintf(text, sizeof text, "%zu %zu", disk_fixture_read(&fixture, "x", bytes, sizeof bytes),
             disk_fixture_read(&fixture, "y", bytes, sizeof bytes));
    set_add(&seen, text);
  }
  assert_sets_equal();
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
      cmocka_unit_test(strict_loses_everything_pending),
      cmocka_unit_test(style_keep_all_keeps_everything),
      cmocka_unit_test(style_lose_all_loses_everything_pending),
      cmocka_unit_test(style_prefix_keeps_a_prefix_and_tears_one_write),
      cmocka_unit_test(ordered_keeps_a_prefix_and_tears_one_write),
      cmocka_unit_test(style_sectors_decides_each_sector_and_the_size_apart),
      cmocka_unit_test(the_size_that_survives_is_any_that_the_file_had),
      cmocka_unit_test(style_garbage_spoils_only_what_lost_writes_were_writing),
      cmocka_unit_test(an_adversarial_disk_draws_every_style),
      cmocka_unit_test(a_calm_power_loss_keeps_everything),
      cmocka_unit_test(an_fsync_covers_only_what_was_requested_before_it),
      cmocka_unit_test(an_fsync_in_flight_may_have_done_any_part),
      cmocka_unit_test(closing_a_file_cancels_no_fsync),
      cmocka_unit_test(a_process_crash_keeps_the_page_cache_and_what_is_pending),
      cmocka_unit_test(write_back_makes_the_oldest_pending_change_durable),
      cmocka_unit_test(a_lost_truncate_brings_the_bytes_back),
      cmocka_unit_test(an_ordered_disk_keeps_one_prefix_over_all_files),
  };
  return cmocka_run_group_tests_name("disk_power_loss", tests, setup, teardown) != 0;
}
