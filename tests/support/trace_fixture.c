#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/trace_fixture.h"

void trace_fixture_deliver(struct sim_world *world, void *self, uint64_t token) {
  (void)self;
  uint8_t bytes[40] = {(uint8_t)token};
  sim_inject(world, 1, 2, bytes, sizeof bytes);
}

uint64_t trace_fixture_run(struct sim *sim, uint64_t variant, struct sim_trace_log *log,
                           struct sim_trace_marks *marks) {
  struct sim_config config = {.source = {.seed = 1}, .trace = log, .marks = marks};
  struct sim_world *world = sim_world_begin(sim, &config);
  struct toy_config toy = {0};
  for (uint32_t i = 0; i < 3; i++)
    assert_true(sim_node_boot(world, sim_node_add(world, &toy_node_kind, &toy, sizeof toy)));
  uint32_t driver = sim_driver_add(world, trace_fixture_deliver, NULL);
  for (uint64_t i = 0; i < 50; i++)
    sim_driver_at(world, driver, i * SIM_MS, i + (variant > 1 && i == 30));
  (void)sim_run(sim, 20 * SIM_MS, UINT64_MAX);
  assert_non_null(sim_node_enter(world, 3));
  const struct sync_env *env = sim_node_env(sim_node_at(world, 3));
  (void)env->ops->mono_ns(env->ctx);
  sync_file file = -1;
  size_t done = 0;
  assert_int_equal(env->ops->file_open(env->ctx, "a-file", SYNC_OPEN_CREATE, &file), SYNC_OK);
  assert_int_equal(env->ops->file_write(env->ctx, file, 0, "hello", 5, &done), SYNC_OK);
  assert_int_equal(env->ops->file_fsync(env->ctx, file, 77), SYNC_OK);
  assert_int_equal(env->ops->file_open(env->ctx, "absent", 0, &file), SYNC_E_NOT_FOUND);
  uint64_t fields[] = {UINT64_C(0xabcdef0123456789), UINT64_C(0x1a2b3c4d00000000), 17, 4711, 99};
  env->ops->trace(env->ctx, SYNC_TRACE_SUBMIT, fields, 5);
  assert_true(sim_node_leave(world, 3));
  sim_trace_name(world, SIM_NAME_NODE, 0, fields[0], "n3");
  (void)sim_run(sim, 30 * SIM_MS, UINT64_MAX);
  sim_node_power_loss(world, 3);
  (void)sim_run(sim, 100 * SIM_MS, UINT64_MAX);
  return sim_trace_hash(world);
}
