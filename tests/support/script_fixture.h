/* Runs small scenarios from text. */
#ifndef TESTS_SUPPORT_SCRIPT_FIXTURE_H
#define TESTS_SUPPORT_SCRIPT_FIXTURE_H

#include "lua/scenario.h"

struct script_fixture {
  struct sim *sim;
  struct scenario_result result;
};

int script_fixture_open(void **state);
int script_fixture_close(void **state);
/* Runs `text` as file.lua under the seed; the result stays in the fixture. */
enum scenario_verdict script_run(struct script_fixture *fixture, const char *text, uint64_t seed);
/* Runs `body` as the statements of run = function(world) in a world of two
 * nodes; gives the error, "" when it held, "VIOLATED: property: detail". */
const char *script_body(struct script_fixture *fixture, const char *body);
/* Whether the expression is true in a script; fails the test if it is wrong. */
bool script_true(struct script_fixture *fixture, const char *expression);

#endif
