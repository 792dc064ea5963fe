/* A log whose beginning is in a base: what is trimmed, what a trim leaves when it fails or power goes, and what a log
 * that begins behind a base makes of whatever lies below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/base.h"
#include "core/log/segment.h"
#include "tests/support/emulated.h"
#include "tests/support/wal_model.h"

#define RECORDS 30u
#define PAYLOAD 100u

static struct memory_env memory;
static struct wal_model model;
static struct wal_model_record written[8 * WAL_MODEL_RECORDS_MAX]; /* all of this history, by place */
static size_t written_count;

/* --- A log and what it must hold ----------------------------------------------------------- */

static void append(size_t count) {
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(wal_model_append(&model, PAYLOAD), SYNC_OK);
    written[written_count++] = model.records[model.count - 1];
    assert_int_equal(wal_model_settle(&model), SYNC_OK);
  }
}
static uint64_t place(size_t record) {
  return record == 0 ? 0 : written[record - 1].end;
}
/* How many records end there or before. */
static size_t records_below(uint64_t position) {
  size_t count = 0;
  while (count < WAL_MODEL_RECORDS_MAX && written[count].end > 0 && written[count].end <= position)
    count++;
  return count;
}

static void begin(size_t records) {
  memory_env_init(&memory);
  wal_model_init(&model, &memory);
  written_count = 0;
  memset(written, 0, sizeof written);
  assert_int_equal(wal_model_open(&model), SYNC_OK);
  append(records);
  model.options.base_log_id = wal_id(model.wal);
}
static void end(void) {
  if (model.wal != NULL) wal_model_close(&model);
  assert_null(model.violation);
  assert_int_equal(memory.blocks, 0);
  assert_int_equal(memory_env_handles(&memory), 0);
  memory_env_destroy(&memory);
}

static size_t replayed, below; /* records from the base on; before it */
static bool foreign;           /* ... among which some of another history may be */

static int replay(void *arg, enum wal_record_type type, uint64_t position, uint64_t end, const uint8_t *payload,
                  size_t size) {
  (void)arg;
  (void)end;
  if (type == WAL_MARK) return SYNC_OK;
  assert_int_equal(size, PAYLOAD);
  size_t at = 0;
  while (at < written_count && written[at].position != position)
    at++;
  uint64_t base = model.options.base_position;
  if (position < base) {
    below++;
    if (!foreign) assert_true(at < written_count && written[at].id == bytes_get_u32(payload));
    return SYNC_OK;
  }
  assert_true(at < written_count && written[at].id == bytes_get_u32(payload));
  model.found[replayed++] = written[at];
  return SYNC_OK;
}

/* Opens behind the base: all that was promised behind it is there, once, in order. */
static int open_behind(uint64_t base) {
  model.options.base_position = base;
  replayed = 0;
  below = 0;
  int rc = wal_open(&model.wal, &memory.env, &model.options, replay, NULL, &model.report);
  if (rc != SYNC_OK) return rc;
  size_t next = 0;
  for (size_t i = 0; i < written_count; i++) {
    if (written[i].position < base) continue;
    bool found = next < replayed && model.found[next].id == written[i].id;
    next += found ? 1 : 0;
    if (written[i].end <= model.promised) assert_true(found);
  }
  assert_int_equal(next, replayed);
  memcpy(model.records, model.found, replayed * sizeof model.found[0]);
  model.count = replayed;
  while (written_count > 0 && written[written_count - 1].position >= base &&
         written[written_count - 1].end > wal_appended_position(model.wal))
    written_count--;
  assert_true(wal_durable_position(model.wal) >= base && wal_appended_position(model.wal) >= model.promised);
  wal_model_observe(&model);
  wal_model_read_all(&model);
  return SYNC_OK;
}
static void open_ok(uint64_t base) {
  int rc = open_behind(base);
  if (rc != SYNC_OK) print_error("open behind %u: %d %s\n", (unsigned)base, rc, model.report.detail);
  assert_int_equal(rc, SYNC_OK);
}
static void close_it(void) {
  wal_model_close(&model);
  memory_env_process_crash(&memory);
}
static void crash(enum memory_env_loss style, uint64_t seed) {
  wal_model_crash(&model);
  memory_env_power_loss(&memory, style, seed);
}

/* It can be written, trimmed and opened as any other. */
static void expect_alive(uint64_t base) {
  append(10);
  uint64_t first = 0;
  assert_int_equal(wal_trim(model.wal, base, SIZE_MAX, &first), SYNC_OK);
  assert_int_equal(first, wal_trim_point(model.wal, base));
  append(1);
  close_it();
  open_ok(base);
}

/* They cannot be read any more. */
static void forget_below(uint64_t first) {
  size_t count = 0;
  for (size_t i = 0; i < model.count; i++)
    if (model.records[i].position >= first) model.records[count++] = model.records[i];
  model.count = count;
}

static size_t names(char list[][SEGMENT_NAME_BYTES], size_t max) {
  size_t count = 0;
  for (size_t i = 0; i < memory.live_count; i++) {
    assert_true(count < max);
    if (strncmp(memory.live[i].name, "wal-", 4) == 0 && strlen(memory.live[i].name) < SEGMENT_NAME_BYTES)
      memcpy(list[count++], memory.live[i].name, strlen(memory.live[i].name) + 1);
  }
  for (size_t i = 1; i < count; i++) /* by position */
    for (size_t k = i; k > 0 && strcmp(list[k - 1], list[k]) > 0; k--) {
      char swap[SEGMENT_NAME_BYTES];
      memcpy(swap, list[k], sizeof swap);
      memcpy(list[k], list[k - 1], sizeof swap);
      memcpy(list[k - 1], swap, sizeof swap);
    }
  return count;
}
static uint64_t first_of(const char *name) {
  uint64_t first = 0;
  uint32_t epoch = 0;
  bool aside = false;
  assert_true(segment_name_parse(name, &first, &epoch, &aside));
  return first;
}

/* --- Trimming ---------------------------------------------------------------------------------- */

static void a_trim_at_any_position_removes_whole_files_below_it(void **state) {
  (void)state;
  size_t trimmed = 0;
  for (uint64_t position = 0; position <= place(RECORDS) + 50; position += emulated() ? 130 : 10) { /* alike */
    begin(RECORDS);
    char list[16][SEGMENT_NAME_BYTES];
    size_t count = names(list, 16);
    assert_true(count >= 4);
    uint64_t expected = 0, first = 99;
    for (size_t i = 1; i < count; i++)
      if (first_of(list[i]) <= position) expected = first_of(list[i]);
    assert_int_equal(wal_trim_point(model.wal, position), expected);
    assert_int_equal(wal_trim(model.wal, position, SIZE_MAX, &first), SYNC_OK);
    assert_int_equal(first, expected);
    assert_int_equal(wal_first_position(model.wal), expected);
    trimmed += expected > 0 ? 1 : 0;
    char left[16][SEGMENT_NAME_BYTES];
    size_t left_count = names(left, 16);
    assert_string_equal(left[left_count - 1], list[count - 1]); /* the last one never goes */
    assert_int_equal(first_of(left[0]), expected);
    for (size_t i = 0; i < RECORDS; i++) {
      uint8_t payload[PAYLOAD];
      enum wal_record_type type = WAL_MARK;
      size_t size = 0;
      int rc = wal_read(model.wal, written[i].position, &type, payload, sizeof payload, &size);
      assert_int_equal(rc == SYNC_OK, written[i].position >= first);
    }
    assert_int_equal(wal_trim(model.wal, position, SIZE_MAX, &first), SYNC_OK); /* nothing more */
    assert_int_equal(first, expected);
    assert_int_equal(names(left, 16), left_count);
    uint64_t base = place(records_below(position));
    if (base < expected) base = expected;
    if (base > place(RECORDS)) base = place(RECORDS);
    append(2);
    close_it();
    open_ok(base);
    assert_int_equal(replayed, RECORDS + 2 - records_below(base));
    expect_alive(base);
    end();
  }
  assert_true(trimmed > 5);
}

/* What is not durable stays, whatever a base is said to have. */
static void a_trim_takes_nothing_that_is_not_durable(void **state) {
  (void)state;
  begin(3);
  for (size_t i = 0; i < 20; i++)
    assert_int_equal(wal_model_append(&model, PAYLOAD), SYNC_OK);
  uint64_t first = 1;
  assert_int_equal(wal_trim(model.wal, place(20), SIZE_MAX, &first), SYNC_OK);
  assert_true(first <= wal_durable_position(model.wal));
  wal_model_read_all(&model);
  end();
}

/* Records of which some are durable, in flight, or neither; then a trim, more completions, and no power. */
static uint64_t trim_in_flight(unsigned epochs, unsigned completions, unsigned completions_after) {
  begin(12);
  for (unsigned i = 1; i < epochs; i++) {
    wal_model_crash(&model);
    memory_env_process_crash(&memory);
    open_ok(0);
    append(9);
  }
  uint64_t base = place(written_count), first = 0, before = wal_first_position(model.wal);
  for (unsigned i = 0; i < 24; i++) {
    assert_int_equal(wal_model_append(&model, PAYLOAD), SYNC_OK);
    written[written_count++] = model.records[model.count - 1];
    if (i % 3 == 0) assert_int_equal(wal_commit(model.wal), SYNC_OK);
  }
  for (unsigned i = 0; i < completions; i++)
    (void)wal_model_complete(&model, SYNC_OK);
  assert_int_equal(wal_trim(model.wal, base, SIZE_MAX, &first), SYNC_OK);
  for (unsigned i = 0; i < completions_after; i++)
    (void)wal_model_complete(&model, SYNC_OK);
  if (completions_after == 0) {
    assert_int_equal(wal_model_settle(&model), SYNC_OK);
    assert_int_equal(wal_durable_position(model.wal), place(written_count));
  }
  bool trimmed = first > before;
  crash(MEMORY_ENV_LOSE_ALL, completions);
  open_ok(base);
  expect_alive(base);
  end();
  return trimmed ? 1 : 0;
}

/* The base ends where a file does; the next ones were made, and nothing of them is durable yet. */
static void names_of_files_behind_a_base_may_be_lost_in_any_order(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 100; seed++) {
    begin(21); /* three files are full */
    uint64_t first = 0, base = wal_durable_position(model.wal);
    for (unsigned i = 0; i < 16; i++) {
      assert_int_equal(wal_model_append(&model, PAYLOAD), SYNC_OK);
      written[written_count++] = model.records[model.count - 1];
    }
    assert_int_equal(wal_trim(model.wal, base, SIZE_MAX, &first), SYNC_OK);
    assert_true(first > 0 && first <= base);
    crash(MEMORY_ENV_SECTORS, seed);
    open_ok(base);
    expect_alive(base);
    end();
  }
}

/* Something behind the gap says that more was durable: that is no tail. */
static void a_gap_behind_a_base_is_damage_when_a_later_file_says_so(void **state) {
  (void)state;
  begin(35);
  char list[16][SEGMENT_NAME_BYTES];
  size_t count = names(list, 16);
  uint64_t base = first_of(list[2]), first = 0;
  assert_int_equal(wal_trim(model.wal, base, SIZE_MAX, &first), SYNC_OK);
  close_it();
  memory_env_remove(&memory, list[2]);
  assert_int_equal(open_behind(base), SYNC_E_DAMAGED);
  assert_true(model.report.damage_position == base && count > 3);
  assert_true(model.report.claimed_position > base);
  /* Also when it is the header alone that says it. */
  for (size_t i = 4; i < count; i++)
    memory_env_remove(&memory, list[i]);
  memory_env_cut(&memory, list[3], SEGMENT_HEADER_BYTES);
  assert_int_equal(open_behind(base), SYNC_E_DAMAGED);
  end();
}

/* Between any two completions: those in flight are of files whose places in the chain have moved. */
static void a_trim_while_fsyncs_are_in_flight_takes_and_gives_no_promise(void **state) {
  (void)state;
  uint64_t trimmed = 0;
  for (unsigned epochs = 1; epochs < 4; epochs++)
    for (unsigned completions = 0; completions < 12; completions += emulated() ? 3 : 1) /* alike */
      for (unsigned after = 0; after < 6; after++)
        trimmed += trim_in_flight(epochs, completions, after);
  assert_true(trimmed > 20);
}

/* As whoever names a base does before anything is trimmed: all names are durable as they are now, but for those of
 * files that are made meanwhile. */
static void sync_names(size_t records_meanwhile) {
  assert_int_equal(memory.env.ops->dir_fsync(memory.env.ctx, 1), SYNC_OK);
  for (size_t i = 0; i < records_meanwhile; i++) {
    assert_int_equal(wal_model_append(&model, PAYLOAD), SYNC_OK);
    written[written_count++] = model.records[model.count - 1];
  }
  uint64_t token = 0;
  while (token != 1) {
    bool ours = false;
    assert_true(memory_env_complete(&memory, SYNC_OK, &token));
    if (token != 1) assert_int_equal(wal_disk_done(model.wal, token, SYNC_OK, &ours), SYNC_OK);
  }
  wal_model_observe(&model);
}

/* Any order of all that moves the log, and then no power: what was promised behind the base is there. */
static void trims_come_at_any_moment_of_a_life(void **state) {
  (void)state;
  uint64_t trims = 0, seeds = emulated() ? 60 : 1500; /* they differ in luck alone */
  for (uint64_t seed = 1; seed <= seeds; seed++) {
    uint64_t random = seed, base = 0;
    begin(10);
    for (unsigned lives = 0; lives < 3; lives++) {
      for (unsigned i = 0; i < 40 + seed % 30; i++) {
        uint64_t what = memory_env_random(&random) % 8, first = 0, before = wal_first_position(model.wal);
        if (what < 3) {
          assert_int_equal(wal_model_append(&model, PAYLOAD), SYNC_OK);
          written[written_count++] = model.records[model.count - 1];
        } else if (what == 3) {
          assert_int_equal(wal_commit(model.wal), SYNC_OK);
        } else if (what < 7) {
          (void)wal_model_complete(&model, SYNC_OK);
        } else {
          base = wal_durable_position(model.wal);
          sync_names((size_t)(memory_env_random(&random) % 24));
          assert_int_equal(wal_trim(model.wal, base, SIZE_MAX, &first), SYNC_OK);
          trims += first > before ? 1 : 0;
        }
      }
      crash((enum memory_env_loss)(memory_env_random(&random) % MEMORY_ENV_LOSSES), seed);
      open_ok(base);
    }
    expect_alive(base);
    end();
  }
  assert_true(trims > seeds);
}

static void power_may_go_at_every_call_of_a_trim(void **state) {
  (void)state;
  unsigned cut = 0;
  for (uint64_t k = 1; k < 40; k++)
    for (unsigned style = 0; style < MEMORY_ENV_LOSSES; style++) {
      begin(RECORDS);
      uint64_t base = place(RECORDS - 4), first = 0;
      memory.power_off_at = memory.calls + k;
      int rc = wal_trim(model.wal, base, SIZE_MAX, &first);
      assert_true(rc == SYNC_OK || rc == SYNC_E_POWERED_OFF);
      cut += rc == SYNC_OK ? 0 : 1;
      crash((enum memory_env_loss)style, k * 7 + style);
      memory.power_off_at = 0;
      open_ok(base);
      assert_int_equal(replayed, 4);
      expect_alive(base);
      /* And again while it is recovered, with other names lost. */
      memory.power_off_at = memory.calls + 1 + k % 9;
      append(0);
      (void)wal_trim(model.wal, base, SIZE_MAX, &first);
      crash((enum memory_env_loss)style, k * 11 + style);
      memory.power_off_at = 0;
      open_ok(base);
      end();
    }
  assert_true(cut >= 3 * MEMORY_ENV_LOSSES);
}

/* With and without having removed it; then the file is there behind a gap, at this open or the next. */
static void a_file_that_could_not_be_removed_is_no_part_of_the_log_any_more(void **state) {
  (void)state;
  for (unsigned how = 0; how < 12; how++) {
    enum memory_env_effect effect = how % 2 == 0 ? MEMORY_ENV_NO_EFFECT : MEMORY_ENV_EFFECT;
    uint64_t k = 1 + how / 2 % 3, times = how >= 6 ? 2 : 1;
    begin(RECORDS);
    uint64_t base = place(RECORDS - 4), first = 0, bytes = 0, unneeded = 0;
    struct memory_env_fault fault = {MEMORY_ENV_UNLINK, SYNC_E_IO, effect};
    memory_env_fail(&memory, &fault, k, times);
    assert_int_equal(wal_trim(model.wal, base, SIZE_MAX, &first), SYNC_OK);
    assert_true(memory.fault_met > 0);
    memory_env_heal(&memory);
    wal_usage(model.wal, &bytes, &unneeded);
    assert_true(unneeded > 0);
    assert_true(first > 0 && first <= base);
    forget_below(first);
    wal_model_read_all(&model);
    append(1);
    if (how % 3 != 0) {
      if (how % 3 == 1)
        close_it();
      else
        crash(MEMORY_ENV_LOSE_ALL, how);
      open_ok(base);
      append(1);
    }
    /* What cannot be removed now goes another time. */
    assert_int_equal(wal_trim(model.wal, base, SIZE_MAX, &first), SYNC_OK);
    assert_int_equal(wal_trim(model.wal, base, SIZE_MAX, &first), SYNC_OK);
    wal_usage(model.wal, &bytes, &unneeded);
    assert_int_equal(unneeded, 0);
    char list[16][SEGMENT_NAME_BYTES];
    assert_true(names(list, 16) > 0);
    assert_true(first_of(list[0]) == first);
    expect_alive(base);
    end();
  }
}

/* --- What lies below a base ------------------------------------------------------------------------ */

static void any_files_below_the_base_may_be_missing_and_none_behind_it(void **state) {
  (void)state;
  begin(RECORDS);
  char list[16][SEGMENT_NAME_BYTES];
  size_t count = names(list, 16);
  end();
  assert_true(count >= 4 && count < 8);
  for (size_t b = 0; b <= RECORDS; b += 3)
    for (unsigned missing = 0; missing < 1u << (count - 1); missing++) {
      if (emulated() && missing % 5 != 0) continue; /* alike */
      begin(RECORDS);
      uint64_t base = place(b);
      close_it();
      bool whole = true;
      size_t begins = 0; /* the first file behind the last gap */
      for (size_t i = 0; i + 1 < count; i++)
        if ((missing & 1u << i) != 0) {
          if (first_of(list[i + 1]) > base) whole = false;
          memory_env_remove(&memory, list[i]);
          begins = i + 1;
        }
      int rc = open_behind(base);
      assert_int_equal(rc, whole ? SYNC_OK : SYNC_E_DAMAGED);
      if (rc == SYNC_OK) {
        assert_int_equal(replayed, RECORDS - b);
        assert_int_equal(wal_first_position(model.wal), first_of(list[begins]));
        append(2);
        close_it();
        open_ok(base);
      }
      end();
    }
}

static void any_byte_below_the_base_may_be_damaged(void **state) {
  (void)state;
  begin(RECORDS);
  char list[16][SEGMENT_NAME_BYTES];
  size_t count = names(list, 16);
  uint64_t base = place(records_below(first_of(list[2])) + 1); /* in the third file */
  close_it();
  size_t heard = 0;
  for (size_t i = 0; i < 3 && i < count; i++) {
    size_t size = 0;
    (void)memory_env_bytes(&memory, list[i], &size);
    if (i == 2) size = SEGMENT_HEADER_BYTES + (size_t)(base - first_of(list[2]));
    for (size_t at = i == 2 ? SEGMENT_HEADER_BYTES : 0; at < size; at += emulated() ? 41 : 3) { /* alike */
      memory_env_flip(&memory, list[i], at);
      open_ok(base);
      assert_int_equal(replayed, RECORDS - records_below(base));
      heard += below;
      close_it();
      memory_env_flip(&memory, list[i], at);
    }
  }
  assert_true(heard > 0);
  open_ok(base);
  assert_int_equal(below, records_below(base));
  end();
}

/* Damage behind the base is what it always was. */
static void a_byte_behind_the_base_is_damage(void **state) {
  (void)state;
  begin(RECORDS);
  char list[16][SEGMENT_NAME_BYTES];
  (void)names(list, 16);
  uint64_t base = place(records_below(first_of(list[2])) + 1);
  close_it();
  size_t size = 0;
  (void)memory_env_bytes(&memory, list[2], &size);
  for (size_t at = SEGMENT_HEADER_BYTES + (size_t)(base - first_of(list[2])); at < size; at += 3) {
    memory_env_flip(&memory, list[2], at);
    assert_int_equal(open_behind(base), SYNC_E_DAMAGED);
    memory_env_flip(&memory, list[2], at);
  }
  open_ok(base);
  end();
}

static void a_log_of_another_id_than_the_bases_is_damage(void **state) {
  (void)state;
  begin(RECORDS);
  close_it();
  model.options.base_log_id++;
  assert_int_equal(open_behind(place(4)), SYNC_E_DAMAGED);
  model.options.base_log_id--;
  open_ok(place(4));
  end();
}

/* The log never leaves none: where there is none, it was taken away. */
static void a_base_without_any_file_of_its_log_is_damage(void **state) {
  (void)state;
  begin(RECORDS);
  close_it();
  char list[16][SEGMENT_NAME_BYTES];
  size_t count = names(list, 16);
  for (size_t i = 0; i < count; i++)
    memory_env_remove(&memory, list[i]);
  assert_int_equal(open_behind(place(RECORDS)), SYNC_E_DAMAGED);
  end();
}

/* --- Older epochs ------------------------------------------------------------------------------------ */

struct kept {
  char name[SEGMENT_NAME_BYTES];
  uint8_t bytes[4096];
  size_t size;
};
static struct kept kept[16];
static size_t kept_count;

static void keep_all(void) {
  char list[16][SEGMENT_NAME_BYTES];
  kept_count = names(list, 16);
  for (size_t i = 0; i < kept_count; i++) {
    const uint8_t *bytes = memory_env_bytes(&memory, list[i], &kept[i].size);
    assert_true(kept[i].size <= sizeof kept[i].bytes);
    memcpy(kept[i].name, list[i], sizeof kept[i].name);
    memcpy(kept[i].bytes, bytes, kept[i].size);
  }
}

/* A history that was given up: its records were never durable, and other ones stand in their places. Its files come
 * back, any of them, when the log that was written since was trimmed. */
static void files_of_an_older_epoch_that_come_back_change_nothing(void **state) {
  (void)state;
  unsigned tried = 0;
  for (unsigned back = 1; back < 64; back++) {
    begin(12);
    for (size_t i = 0; i < 6; i++) { /* not durable: nobody was promised them */
      assert_int_equal(wal_model_append(&model, PAYLOAD), SYNC_OK);
    }
    wal_model_crash(&model);
    memory_env_process_crash(&memory);
    keep_all();
    memory_env_power_loss(&memory, MEMORY_ENV_LOSE_ALL, back);
    open_ok(0);
    append(RECORDS);
    uint64_t base = place(30), first = 0;
    assert_int_equal(wal_trim(model.wal, base, SIZE_MAX, &first), SYNC_OK);
    close_it();
    char list[16][SEGMENT_NAME_BYTES];
    size_t count = names(list, 16);
    for (size_t i = 0; i < kept_count && i < 6; i++) {
      bool is_there = false;
      for (size_t n = 0; n < count; n++)
        is_there = is_there || strcmp(list[n], kept[i].name) == 0;
      if ((back & 1u << i) == 0 || is_there) continue;
      memory_env_put(&memory, kept[i].name, kept[i].bytes, kept[i].size);
      tried++;
    }
    foreign = true;
    open_ok(base);
    foreign = false;
    assert_int_equal(replayed, written_count - 30);
    assert_true(wal_first_position(model.wal) <= base);
    foreign = true;
    expect_alive(base);
    foreign = false;
    /* They go. */
    uint64_t bytes = 0, unneeded = 0;
    append(1);
    assert_int_equal(wal_trim(model.wal, base, SIZE_MAX, &first), SYNC_OK);
    wal_usage(model.wal, &bytes, &unneeded);
    assert_int_equal(unneeded, 0);
    end();
  }
  assert_true(tried > 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_trim_at_any_position_removes_whole_files_below_it),
      cmocka_unit_test(a_trim_takes_nothing_that_is_not_durable),
      cmocka_unit_test(a_trim_while_fsyncs_are_in_flight_takes_and_gives_no_promise),
      cmocka_unit_test(names_of_files_behind_a_base_may_be_lost_in_any_order),
      cmocka_unit_test(a_gap_behind_a_base_is_damage_when_a_later_file_says_so),
      cmocka_unit_test(trims_come_at_any_moment_of_a_life),
      cmocka_unit_test(power_may_go_at_every_call_of_a_trim),
      cmocka_unit_test(a_file_that_could_not_be_removed_is_no_part_of_the_log_any_more),
      cmocka_unit_test(any_files_below_the_base_may_be_missing_and_none_behind_it),
      cmocka_unit_test(any_byte_below_the_base_may_be_damaged),
      cmocka_unit_test(a_byte_behind_the_base_is_damage),
      cmocka_unit_test(a_log_of_another_id_than_the_bases_is_damage),
      cmocka_unit_test(a_base_without_any_file_of_its_log_is_damage),
      cmocka_unit_test(files_of_an_older_epoch_that_come_back_change_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
