/* Bugs planted on purpose: each must be reported. A use after free and an
 * overflow in sanitizer builds, an uninitialised read in every build. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/memory/memory_check.h"
#include "sim/sim.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum canary { CANARY_NONE, CANARY_USE_AFTER_FREE, CANARY_OVERFLOW, CANARY_UNINITIALISED };

static void *canary_boot(struct sim_node *node, const void *config) {
  const struct sync_env *env = sim_node_env(node);
  enum canary canary = *(const enum canary *)config;
  volatile uint64_t *block = env->ops->alloc(env->ctx, 40, 40);
  if (block == NULL) return NULL;
  uint64_t seen = 0;
  if (canary != CANARY_UNINITIALISED) block[0] = 1;
  if (canary == CANARY_USE_AFTER_FREE) env->ops->free(env->ctx, (void *)(uintptr_t)block, 40, 40);
  seen = canary == CANARY_OVERFLOW ? block[5] : block[0];
  env->ops->trace(env->ctx, SYNC_TRACE_MARK, &seen, 1);
  return (void *)(uintptr_t)block;
}

static void canary_event(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  (void)node, (void)state, (void)from, (void)bytes, (void)size;
}

static const struct sim_node_kind canary_kind = {.name = "canary", .boot = canary_boot, .message = canary_event};

static uint64_t run(enum canary canary, unsigned fill) {
  struct sim_options options = {.arena_bytes = 1u << 20, .fill = fill};
  struct sim *sim = sim_open(&options);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = sim_world_begin(sim, &config);
  uint32_t number = sim_node_add(world, &canary_kind, &canary, sizeof canary);
  (void)sim_node_boot(world, number);
  uint64_t hash = sim_trace_hash(world);
  sim_close(sim);
  return hash;
}

static void two_fills_show_an_uninitialised_read(void **unused) {
  (void)unused;
  assert_int_equal(run(CANARY_NONE, 0xA5), run(CANARY_NONE, 0x5A));
  assert_true(run(CANARY_UNINITIALISED, 0xA5) != run(CANARY_UNINITIALISED, 0x5A));
}

#if SIM_ASAN
/* In a process of its own, for it does not survive its report. */
static int exit_status_of(enum canary canary) {
  pid_t child = fork();
  if (child == 0) {
    if (freopen("/dev/null", "w", stderr) == NULL) _exit(3);
    (void)run(canary, SIM_FILL_NONE);
    _exit(0);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  return status;
}
#endif

static void sanitizers_report_a_use_after_free_and_an_overflow(void **unused) {
  (void)unused;
#if SIM_ASAN
  assert_int_equal(exit_status_of(CANARY_NONE), 0);
  assert_int_not_equal(exit_status_of(CANARY_USE_AFTER_FREE), 0);
  assert_int_not_equal(exit_status_of(CANARY_OVERFLOW), 0);
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_fills_show_an_uninitialised_read),
      cmocka_unit_test(sanitizers_report_a_use_after_free_and_an_overflow),
  };
  return cmocka_run_group_tests_name("canary", tests, NULL, NULL) != 0;
}
