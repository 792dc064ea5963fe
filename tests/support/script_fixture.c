#include "tests/support/script_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int script_fixture_open(void **state) {
  struct script_fixture *fixture = calloc(1, sizeof *fixture);
  struct sim_options options = {.fill = 0xa5};
  if (!fixture) return -1;
  fixture->sim = sim_open(&options);
  *state = fixture;
  return fixture->sim ? 0 : -1;
}

int script_fixture_close(void **state) {
  struct script_fixture *fixture = *state;
  sim_close(fixture->sim);
  free(fixture);
  return 0;
}

enum scenario_verdict script_run(struct script_fixture *fixture, const char *text, uint64_t seed) {
  struct scenario_file *file = scenario_file_from("file.lua", text, strlen(text));
  struct scenario_options options = {.source = {.seed = seed}};
  assert_non_null(file);
  scenario_run(fixture->sim, file, &options, &fixture->result);
  scenario_file_free(file);
  return fixture->result.verdict;
}

const char *script_body(struct script_fixture *fixture, const char *body) {
  static char text[8192], told[1200];
  (void)snprintf(text, sizeof text,
                 "local sim = require 'sim' return sim.scenario { name = 'test', nodes = 2, duration = '2s', "
                 "run = function(world)\n%s\nend }",
                 body);
  switch (script_run(fixture, text, 1)) {
  case SCENARIO_HELD:
    return "";
  case SCENARIO_VIOLATED:
    (void)snprintf(told, sizeof told, "VIOLATED: %s: %s", fixture->result.violation.property,
                   fixture->result.violation.detail);
    return told;
  default:
    return fixture->result.error.text;
  }
}

bool script_true(struct script_fixture *fixture, const char *expression) {
  char body[4096];
  (void)snprintf(body, sizeof body, "if not (%s) then world:fail('false') end", expression);
  const char *told = script_body(fixture, body);
  if (strcmp(told, "VIOLATED: test: line 2: false") == 0) return false;
  assert_string_equal(told, "");
  return true;
}
