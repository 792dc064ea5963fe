#include "tests/support/disk_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void *boot(struct sim_node *node, const void *config) {
  (void)config;
  return node;
}
static void message(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  (void)node, (void)state, (void)from, (void)bytes, (void)size;
}
static void timer(struct sim_node *node, void *state, uint32_t number) {
  (void)node, (void)state, (void)number;
}
static void disk_done(struct sim_node *node, void *state, uint64_t token, int result) {
  (void)node, (void)state, (void)token, (void)result;
}
static void stop(struct sim_node *node, void *state) {
  (void)node, (void)state;
}

static const struct sim_node_kind idle_kind = {"idle", boot, message, timer, disk_done, NULL, stop, NULL, NULL, NULL};

void disk_fixture_open(struct disk_fixture *fixture) {
  memset(fixture, 0, sizeof *fixture);
  struct sim_options options = {.arena_bytes = UINT64_C(1) << 28, .fill = 0xa5};
  fixture->sim = sim_open(&options);
  assert_non_null(fixture->sim);
}

void disk_fixture_close(struct disk_fixture *fixture) {
  sim_close(fixture->sim);
}

void disk_fixture_begin(struct disk_fixture *fixture, uint64_t seed, const struct sim_disk_config *config,
                        const struct sim_choice_table *overrides) {
  struct sim_config world = {.source = {.seed = seed, .overrides = overrides}, .disk = *config};
  fixture->world = sim_world_begin(fixture->sim, &world);
  assert_non_null(fixture->world);
  assert_int_equal(sim_node_add(fixture->world, &idle_kind, NULL, 0), 1);
  fixture->disk = sim_node_disk(sim_node_at(fixture->world, 1));
  fixture->fsyncs = 0;
}

sync_file disk_fixture_create(struct disk_fixture *fixture, const char *name) {
  sync_file file;
  assert_int_equal(sim_disk_open(fixture->disk, name, SYNC_OPEN_CREATE, &file), SYNC_OK);
  return file;
}

void disk_fixture_write(struct disk_fixture *fixture, sync_file file, uint64_t offset, uint8_t byte, size_t size) {
  uint8_t bytes[8192];
  size_t done;
  assert_true(size <= sizeof bytes);
  memset(bytes, byte, size);
  assert_int_equal(sim_disk_write(fixture->disk, file, offset, bytes, size, &done), SYNC_OK);
  assert_int_equal(done, size);
}

uint64_t disk_fixture_request(struct disk_fixture *fixture, sync_file file) {
  uint64_t id = ++fixture->fsyncs;
  assert_int_equal(sim_disk_fsync_file(fixture->disk, file, 1000 + id), SYNC_OK);
  return id;
}

int disk_fixture_finish(struct disk_fixture *fixture, uint64_t id) {
  uint64_t token;
  int result = sim_disk_fsync_finish(fixture->disk, id, &token);
  assert_int_equal(token, 1000 + id);
  return result;
}

int disk_fixture_fsync(struct disk_fixture *fixture, sync_file file) {
  return disk_fixture_finish(fixture, disk_fixture_request(fixture, file));
}

int disk_fixture_fsync_dir(struct disk_fixture *fixture) {
  uint64_t id = ++fixture->fsyncs;
  assert_int_equal(sim_disk_fsync_dir(fixture->disk, 1000 + id), SYNC_OK);
  return disk_fixture_finish(fixture, id);
}

size_t disk_fixture_read(struct disk_fixture *fixture, const char *name, uint8_t *bytes, size_t capacity) {
  sync_file file;
  uint64_t size;
  size_t done;
  if (sim_disk_open(fixture->disk, name, 0, &file) != SYNC_OK) return SIZE_MAX;
  assert_int_equal(sim_disk_size(fixture->disk, file, &size), SYNC_OK);
  assert_true(size <= capacity);
  assert_int_equal(sim_disk_read(fixture->disk, file, 0, bytes, capacity, &done), SYNC_OK);
  assert_int_equal(done, size);
  assert_int_equal(sim_disk_close(fixture->disk, file), SYNC_OK);
  return done;
}

uint64_t disk_fixture_fired(struct disk_fixture *fixture, enum sim_fault fault) {
  return sim_fault(fixture->world, fault)->firings;
}

uint64_t disk_fixture_chances(struct disk_fixture *fixture, enum sim_fault fault) {
  return sim_fault(fixture->world, fault)->opportunities;
}
