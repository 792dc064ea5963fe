/* Swarms: each seed has a random half of all faults, and of all kinds of operations, each at a strength of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/script_fixture.h"

#define SWARM                                                                                                          \
  "local sim = require 'sim'\nreturn sim.scenario { name = 'x', nodes = 3, duration = '2s', faults = 'swarm',\n"       \
  "workload = sim.kv { rate = '50/s', swarm = true }, %s }"

static uint64_t fired(const struct script_fixture *fixture, enum sim_fault fault) {
  return fixture->result.faults[fault].firings;
}

static void each_seed_of_a_swarm_has_faults_of_its_own(void **state) {
  struct script_fixture *fixture = *state;
  static const enum sim_fault watched[] = {SIM_FAULT_NET_LOSS,       SIM_FAULT_NET_DUPLICATE, SIM_FAULT_NET_CORRUPT,
                                           SIM_FAULT_DISK_INTERRUPT, SIM_FAULT_CLOCK_STEP,    SIM_FAULT_CLOCK_DRIFT};
  char text[500];
  (void)snprintf(text, sizeof text, SWARM, "");
  for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
    unsigned with = 0, without = 0;
    for (uint64_t seed = 1; seed <= 24; seed++) {
      assert_int_equal(script_run(fixture, text, seed), SCENARIO_HELD);
      ++*(fired(fixture, watched[i]) ? &with : &without);
    }
    if (with < 3 || without < 3) fail_msg("%s in %u of %u", sim_fault_name(watched[i]), with, with + without);
  }
}

static void a_swarm_at_its_strongest_is_what_is_written(void **state) {
  struct script_fixture *fixture = *state;
  char text[500];
  (void)snprintf(text, sizeof text, SWARM, "network = { loss = '1ppm' }");
  for (uint64_t seed = 1; seed <= 10; seed++) {
    assert_int_equal(script_run(fixture, text, seed), SCENARIO_HELD);
    assert_int_equal(fired(fixture, SIM_FAULT_NET_LOSS), 0);
    assert_int_equal(fired(fixture, SIM_FAULT_DISK_ROT), 0); /* damage only where it is written */
  }
}

static void a_calm_swarm_has_no_fault(void **state) {
  struct script_fixture *fixture = *state;
  char text[500];
  (void)snprintf(text, sizeof text, SWARM, "choices = {}");
  assert_int_equal(script_run(fixture, text, 1), SCENARIO_HELD);
  for (int i = 0; i < SIM_FAULT_COUNT; i++)
    if (fixture->result.faults[i].firings) fail_msg("%s fired", sim_fault_name((enum sim_fault)i));
}

static void a_swarm_in_a_swarm_is_refused(void **state) {
  struct script_fixture *fixture = *state;
  char text[500];
  (void)snprintf(text, sizeof text, SWARM, "swarm = true");
  assert_int_equal(script_run(fixture, text, 1), SCENARIO_WRONG);
  assert_non_null(strstr(fixture->result.error.text, "swarm = true is part of faults = \"swarm\": leave it out"));
  (void)snprintf(text, sizeof text, SWARM, "faults = 'swam'");
  assert_int_equal(script_run(fixture, text, 1), SCENARIO_WRONG);
  assert_non_null(strstr(fixture->result.error.text, "did you mean \"swarm\"?"));
}

#define SCRIPT(name) cmocka_unit_test_setup_teardown(name, script_fixture_open, script_fixture_close)
int main(void) {
  const struct CMUnitTest tests[] = {
      SCRIPT(each_seed_of_a_swarm_has_faults_of_its_own),
      SCRIPT(a_swarm_at_its_strongest_is_what_is_written),
      SCRIPT(a_calm_swarm_has_no_fault),
      SCRIPT(a_swarm_in_a_swarm_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
