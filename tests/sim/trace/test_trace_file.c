#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/trace_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/trace_record.h"

struct bytes {
  uint8_t *at;
  size_t size;
};

static struct bytes written(const struct sim_trace_log *log) {
  struct bytes bytes;
  FILE *file = tmpfile();
  assert_true(sim_trace_log_write(log, file));
  bytes.size = (size_t)ftell(file);
  bytes.at = malloc(bytes.size);
  rewind(file);
  assert_int_equal(fread(bytes.at, 1, bytes.size, file), bytes.size);
  (void)fclose(file);
  return bytes;
}

static void assert_same(const struct sim_trace_log *a, const struct sim_trace_log *b) {
  assert_int_equal(sim_trace_log_count(a), sim_trace_log_count(b));
  for (size_t i = 0; i < sim_trace_log_count(a); i++) {
    const struct sim_trace_record *x = sim_trace_log_at(a, i), *y = sim_trace_log_at(b, i);
    assert_non_null(x);
    assert_non_null(y);
    assert_memory_equal(x, y, sizeof *x);
  }
}

static struct sim_trace_log *recorded(struct sim *sim) {
  struct sim_trace_log *log = sim_trace_log_create();
  (void)trace_fixture_run(sim, 1, log, NULL);
  assert_true(sim_trace_log_count(log) > 200);
  return log;
}

static void a_recording_read_back_is_the_same_steps_and_names(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_trace_log *log = recorded(sim);
  struct bytes bytes = written(log);
  char error[128] = "";
  struct sim_trace_log *again = sim_trace_log_decode(bytes.at, bytes.size, error, sizeof error);
  assert_string_equal(error, "");
  assert_non_null(again);
  assert_same(log, again);
  assert_string_equal(sim_trace_log_name(again, SIM_NAME_NODE, 0, UINT64_C(0xabcdef0123456789)), "n3");
  struct bytes twice = written(again);
  assert_int_equal(twice.size, bytes.size);
  assert_memory_equal(twice.at, bytes.at, bytes.size);
  free(twice.at);
  free(bytes.at);
  sim_trace_log_destroy(again);
  sim_trace_log_destroy(log);
  sim_close(sim);
}

static void the_chains_of_decoded_steps_end_in_the_hash_of_the_run(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_trace_log *log = recorded(sim);
  for (int sub = 0; sub < SIM_SUB_COUNT; sub++) {
    uint64_t hash = 0;
    for (size_t i = 0; i < sim_trace_log_count(log); i++)
      if (sim_trace_log_at(log, i)->subsystem == sub) hash = sim_trace_log_at(log, i)->hash;
    assert_int_equal(hash, sim_trace_hash_of(sim_world(sim), (enum sim_subsystem)sub));
  }
  sim_trace_log_destroy(log);
  sim_close(sim);
}

/* Values of every size, through several blocks, and a chain that jumps. */
static void any_step_survives_coding(void **unused) {
  (void)unused;
  struct sim_trace_log *log = sim_trace_log_create();
  struct sim_trace_record *kept = calloc(20000, sizeof *kept);
  uint64_t chains[SIM_SUB_COUNT] = {0}, draw = 1;
  for (size_t i = 0; i < 20000; i++) {
    uint64_t fields[SIM_STEP_FIELDS_MAX] = {0};
    for (size_t f = 0; f < SIM_STEP_FIELDS_MAX; f++) {
      draw = sim_hash_fold(draw, i + f);
      fields[f] = draw % 11 == 0 ? ~(draw >> 56) : draw >> (draw % 64);
    }
    struct trace_step step = {.event = i / 4 * (draw % 3),
                              .cause = draw % 7,
                              .time_ns = i * 1000 - draw % 5,
                              .fields = fields,
                              .node = (uint32_t)(draw >> 40) % 5,
                              .step = 1 + (uint32_t)(draw >> 30) % 70,
                              .subsystem = (uint32_t)(draw >> 20) % SIM_SUB_COUNT,
                              .count = (uint32_t)(draw >> 50) % 8};
    if (draw % 1000 == 7) chains[step.subsystem] = draw;
    step.before = chains[step.subsystem];
    step.after = chains[step.subsystem] =
        trace_fold(step.before, step.event, step.time_ns, step.node, step.step, fields, step.count);
    assert_true(sim_trace_log_append(log, &step));
    kept[i] = (struct sim_trace_record){.time_ns = step.time_ns,
                                        .event = step.event,
                                        .cause = step.cause,
                                        .hash = step.after,
                                        .node = step.node,
                                        .step = (uint16_t)step.step,
                                        .subsystem = (uint8_t)step.subsystem,
                                        .count = (uint8_t)step.count};
    memcpy(kept[i].fields, fields, step.count * sizeof *fields);
  }
  for (size_t i = 0; i < 20000; i++)
    assert_memory_equal(sim_trace_log_at(log, i), &kept[i], sizeof *kept);
  for (size_t i = 20000; i >= 97; i -= 97)
    assert_memory_equal(sim_trace_log_at(log, i - 1), &kept[i - 1], sizeof *kept);
  assert_null(sim_trace_log_at(log, 20000));
  struct bytes bytes = written(log);
  char error[128] = "";
  struct sim_trace_log *again = sim_trace_log_decode(bytes.at, bytes.size, error, sizeof error);
  assert_non_null(again);
  assert_same(log, again);
  free(bytes.at);
  free(kept);
  sim_trace_log_destroy(again);
  sim_trace_log_destroy(log);
}

static void a_cut_or_changed_file_is_refused(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_trace_log *log = recorded(sim);
  struct bytes bytes = written(log);
  char error[128];
  for (size_t size = 0; size < bytes.size; size += size < 64 ? 1 : 31) {
    uint8_t *cut = malloc(size + (size == 0)); /* its own block: a read past the end is seen */
    memcpy(cut, bytes.at, size);
    error[0] = '\0';
    assert_null(sim_trace_log_decode(cut, size, error, sizeof error));
    assert_true(error[0] != '\0');
    free(cut);
  }
  for (size_t i = 0; i < bytes.size; i += i < 64 ? 1 : 13) {
    bytes.at[i] ^= 0x40;
    assert_null(sim_trace_log_decode(bytes.at, bytes.size, error, sizeof error));
    bytes.at[i] ^= 0x40;
  }
  free(bytes.at);
  sim_trace_log_destroy(log);
  sim_close(sim);
}

/* Past the checksums: coded bytes that nobody wrote. */
static void any_bytes_as_steps_are_an_error_or_steps(void **unused) {
  (void)unused;
  struct trace_coder coder;
  struct sim_trace_record record;
  char line[1400];
  struct sim_trace_log *log = sim_trace_log_create();
  struct sim_trace_teller *teller = sim_trace_teller_create(log);
  uint64_t draw = 5;
  for (size_t round = 0; round < 20000; round++) {
    size_t size = (size_t)(1 + draw % 60);
    uint8_t *bytes = malloc(size);
    for (size_t i = 0; i < size; i++) {
      draw = sim_hash_fold(draw, i);
      bytes[i] = (uint8_t)(draw >> (draw % 7 * 8));
    }
    memset(&coder, 0, sizeof coder);
    for (size_t at = 0, used = 1; at < size && used > 0; at += used) {
      used = trace_decode(&coder, bytes + at, size - at, &record);
      assert_true(used <= size - at);
      if (used > 0) assert_true(sim_trace_line(teller, &record, line, sizeof line) < sizeof line);
    }
    free(bytes);
  }
  sim_trace_teller_destroy(teller);
  sim_trace_log_destroy(log);
}

static void a_restore_during_a_recording_is_a_jump_that_is_told(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_trace_log *log = sim_trace_log_create();
  uint64_t hash = trace_fixture_run(sim, 1, NULL, NULL);
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  struct sim_world *world = sim_world(sim);
  assert_true(sim_checkpoint_save(checkpoint, sim_arena(sim)));
  sim_set_trace(sim, log);
  sim_node_pause(world, 1);
  uint64_t paused = sim_trace_hash_of(world, SIM_SUB_NODE);
  sim_checkpoint_restore(checkpoint, sim_arena(sim));
  assert_int_equal(sim_trace_hash(world), hash);
  sim_node_pause(world, 1);
  assert_int_equal(sim_trace_log_count(log), 2);
  assert_int_equal(sim_trace_log_at(log, 0)->hash, paused);
  assert_int_equal(sim_trace_log_at(log, 1)->hash, paused);
  sim_checkpoint_destroy(checkpoint);
  sim_trace_log_destroy(log);
  sim_close(sim);
}

static void a_log_that_is_cut_goes_on_as_if_it_had_ended_there(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_trace_log *all = recorded(sim);
  size_t count = sim_trace_log_count(all);
  for (size_t keep = 0; keep < count; keep += 61) {
    struct sim_trace_log *log = sim_trace_log_create();
    (void)trace_fixture_run(sim, 1, log, NULL);
    sim_trace_log_cut(log, keep);
    assert_int_equal(sim_trace_log_count(log), keep);
    assert_null(sim_trace_log_at(log, keep));
    (void)trace_fixture_run(sim, 1, log, NULL); /* begins anew: every chain jumps */
    assert_int_equal(sim_trace_log_count(log), keep + count);
    for (size_t i = 0; i < keep + count; i++) {
      struct sim_trace_record record = *sim_trace_log_at(all, i < keep ? i : i - keep);
      assert_memory_equal(sim_trace_log_at(log, i), &record, sizeof record);
    }
    sim_trace_log_destroy(log);
  }
  sim_trace_log_destroy(all);
  sim_close(sim);
}

static void a_window_records_only_its_events(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_trace_log *all = recorded(sim), *some = sim_trace_log_create();
  sim_trace_log_window(some, 10, 12);
  (void)trace_fixture_run(sim, 1, some, NULL);
  uint64_t events = 0;
  size_t found = 0;
  for (size_t i = 0; i < sim_trace_log_count(all); i++) {
    struct sim_trace_record record = *sim_trace_log_at(all, i);
    events += record.step == SIM_STEP_EVENT;
    if (events < 10 || events > 12) continue;
    assert_memory_equal(sim_trace_log_at(some, found), &record, sizeof record);
    found++;
  }
  assert_true(found >= 3);
  assert_int_equal(sim_trace_log_count(some), found);
  sim_trace_log_destroy(all);
  sim_trace_log_destroy(some);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_recording_read_back_is_the_same_steps_and_names),
      cmocka_unit_test(the_chains_of_decoded_steps_end_in_the_hash_of_the_run),
      cmocka_unit_test(any_step_survives_coding),
      cmocka_unit_test(a_cut_or_changed_file_is_refused),
      cmocka_unit_test(any_bytes_as_steps_are_an_error_or_steps),
      cmocka_unit_test(a_restore_during_a_recording_is_a_jump_that_is_told),
      cmocka_unit_test(a_log_that_is_cut_goes_on_as_if_it_had_ended_there),
      cmocka_unit_test(a_window_records_only_its_events),
  };
  return cmocka_run_group_tests_name("trace_file", tests, NULL, NULL) != 0;
}
