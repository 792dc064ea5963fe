/* Helpers: the files of the folder `helpers` beside a scenario, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lua/text/helpers.h"
#include "lua/text/source.h"
#include "tests/support/script_fixture.h"

struct text {
  const char *name, *text;
};

/* Describes a scenario that begins with `head`, with these helpers; gives the error, "" when there is none. */
static const char *describe(struct script_fixture *fixture, const char *head, const struct text *helpers) {
  static struct scenario_error error;
  struct scenario_info info;
  char text[2000];
  (void)snprintf(text, sizeof text,
                 "local sim = require 'sim'\n%s\nreturn sim.scenario { name = 'x', nodes = 1, duration = '1s' }", head);
  struct scenario_file *file = scenario_file_from("a/b.lua", text, strlen(text));
  for (; helpers && helpers->name; helpers++)
    assert_true(scenario_file_add_helper(file, helpers->name, helpers->text, helpers->text ? strlen(helpers->text) : 0,
                                         helpers->text ? "" : "No such file"));
  memset(&error, 0, sizeof error);
  (void)scenario_describe(fixture->sim, file, &info, &error);
  scenario_file_free(file);
  return error.text;
}

static void says(void **state, const char *head, const struct text *helpers, const char *wanted) {
  const char *told = describe(*state, head, helpers);
  if (!strstr(told, wanted)) fail_msg("\"%s\" does not say \"%s\"", told, wanted);
}

static void a_helper_gives_what_it_returns(void **state) {
  const struct text helpers[] = {{"helpers.a", "return { n = 7 }"}, {NULL, NULL}};
  assert_string_equal(describe(*state, "assert(require('helpers.a').n == 7)", helpers), "");
}

static void a_helper_is_loaded_once(void **state) {
  const struct text helpers[] = {{"helpers.a", "loads = (rawget(_G, 'loads') or 0) + 1"},
                                 {"helpers.b", "return require 'helpers.a'"},
                                 {NULL, NULL}};
  assert_string_equal(describe(*state,
                               "local a, b = require 'helpers.a', require 'helpers.b'\n"
                               "assert(a == true and b == true and loads == 1)",
                               helpers),
                      "");
}

static void an_error_names_the_file_and_line_of_the_helper(void **state) {
  const struct text helpers[] = {
      {"helpers.syntax", "local x =\n= 3"},
      {"helpers.float", "local x\nx = 0.5"},
      {"helpers.deep.call", "local t = {}\nfunction t.f()\n  error('no luck')\nend\nreturn t"},
      {"helpers.api", "local sim = require 'sim'\nreturn sim.kv {\n  keyz = 3 }"},
      {NULL, NULL}};
  says(state, "require 'helpers.syntax'", helpers, "a/helpers/syntax.lua:2: ");
  says(state, "require 'helpers.float'", helpers, "a/helpers/float.lua:2: 0.5 is a floating-point number");
  says(state, "require 'helpers.deep.call'.f()", helpers, "a/helpers/deep/call.lua:3: no luck");
  says(state, "require 'helpers.api'", helpers, "a/helpers/api.lua:3: sim.kv has no option \"keyz\"");
}

static void helpers_that_require_each_other_are_an_error(void **state) {
  const struct text helpers[] = {{"helpers.a", "require 'helpers.b'"},
                                 {"helpers.b", "\nrequire 'helpers.c'"},
                                 {"helpers.c", "require 'helpers.a'"},
                                 {"helpers.own", "require 'helpers.own'"},
                                 {NULL, NULL}};
  says(state, "require 'helpers.a'", helpers,
       "a/helpers/c.lua:1: helpers require each other in a circle: helpers/a.lua -> helpers/b.lua -> helpers/c.lua -> "
       "helpers/a.lua");
  says(state, "require 'helpers.own'", helpers, "in a circle: helpers/own.lua -> helpers/own.lua");
}

static void a_failed_helper_fails_again(void **state) {
  const struct text helpers[] = {{"helpers.a", "error('broken')"}, {NULL, NULL}};
  says(state, "pcall(require, 'helpers.a') pcall(require, 'helpers.a') require 'helpers.a'", helpers, "lua:1: broken");
}

static void only_names_of_helpers_are_modules(void **state) {
  static const char *const names[] = {
      "os",           "helpers",          "helpers.",    "helpers..a",  "helpers.a.",  "/etc/passwd",   "../x",
      "helpers/../a", "helpers.A",        "helpers.a/b", "helpers.\\0", "x.helpers.a", "helpers.a.lua", "a",
      "./helpers.a",  "helpers.\xc3\xa4", "helpers.a b"};
  const struct text helpers[] = {{"helpers.a", "return 1"}, {NULL, NULL}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char head[100];
    (void)snprintf(head, sizeof head, "require '%s'", names[i]);
    const char *told = describe(*state, head, helpers);
    if (strncmp(told, "a/b.lua:2: ", 11) != 0) fail_msg("%s: \"%s\"", names[i], told);
  }
}

static void what_is_not_there_is_an_error_at_the_require(void **state) {
  const struct text helpers[] = {{"helpers.gone", NULL}, {NULL, NULL}};
  says(state, "require 'helpers.gone'", helpers,
       "a/b.lua:2: no helper \"helpers.gone\": helpers/gone.lua: No such file");
  says(state, "local n = 'helpers.a' require(n)", NULL, "a/b.lua:2: require \"helpers.a\": write the name in quotes");
}

static void nothing_is_required_while_a_world_runs(void **state) {
  static const char text[] =
      "local sim = require 'sim'\nreturn sim.scenario { name = 'x', nodes = 1, duration = '1s',\n"
      "run = function(world) require 'helpers.a' end }";
  struct script_fixture *fixture = *state;
  struct scenario_file *file = scenario_file_from("a/b.lua", text, sizeof text - 1);
  assert_true(scenario_file_add_helper(file, "helpers.a", "return 1", 8, ""));
  const struct scenario_options options = {.source = {.seed = 1}};
  scenario_run(fixture->sim, file, &options, &fixture->result);
  assert_int_equal(fixture->result.verdict, SCENARIO_WRONG);
  assert_non_null(
      strstr(fixture->result.error.text, "a/b.lua:3: require \"helpers.a\": a helper is required at the top"));
  scenario_file_free(file);
}

static void the_names_in_a_text_are_found(void **state) {
  static const char text[] = "#!/usr/bin/syncsim\nlocal a = require 'helpers.a' -- require 'helpers.no'\n"
                             "--[[ require 'helpers.no' ]] local s = \"require 'helpers.no'\"\n"
                             "x.require 'helpers.no' y:require 'helpers.no' require(name)\n"
                             "local c = f(require(\"helpers.b\"), require [[helpers.no]], require 'helpers\\.no')";
  char name[HELPER_NAME_BYTES];
  size_t at = 0;
  (void)state;
  assert_true(source_next_require(text, sizeof text - 1, &at, name, sizeof name));
  assert_string_equal(name, "helpers.a");
  assert_true(source_next_require(text, sizeof text - 1, &at, name, sizeof name));
  assert_string_equal(name, "helpers.b");
  assert_false(source_next_require(text, sizeof text - 1, &at, name, sizeof name));
}

/* --- On a disk ------------------------------------------------------------------------- */

static void put(const char *folder, const char *path, const char *text) {
  char full[300];
  (void)snprintf(full, sizeof full, "%s/%s", folder, path);
  FILE *file = fopen(full, "wb");
  assert_non_null(file);
  (void)fputs(text, file);
  assert_int_equal(fclose(file), 0);
}

static const struct helper *read_helper(const char *folder, const char *name, struct scenario_file **file) {
  char path[300], text[200];
  (void)snprintf(text, sizeof text, "require '%s'", name);
  put(folder, "s.lua", text);
  (void)snprintf(path, sizeof path, "%s/s.lua", folder);
  *file = scenario_file_read(path);
  assert_non_null(*file);
  return helpers_find(scenario_file_helpers(*file), name);
}

static void refused(const char *folder, const char *name, const char *why) {
  struct scenario_file *file;
  const struct helper *helper = read_helper(folder, name, &file);
  assert_non_null(helper);
  assert_null(helper->text);
  if (!strstr(helper->why, why)) fail_msg("%s: \"%s\" does not say \"%s\"", name, helper->why, why);
  scenario_file_free(file);
}

static void folder_make(const char *folder, const char *path) {
  char full[300];
  (void)snprintf(full, sizeof full, "%s/%s", folder, path);
  assert_int_equal(mkdir(full, 0700), 0);
}

static void link_make(const char *folder, const char *path, const char *to) {
  char full[300];
  (void)snprintf(full, sizeof full, "%s/%s", folder, path);
  assert_int_equal(symlink(to, full), 0);
}

static void no_link_leads_out_of_the_folder(void **state) {
  char folder[] = "/tmp/test_require.XXXXXX", command[100], fifo[100];
  struct scenario_file *file;
  (void)state;
  assert_non_null(mkdtemp(folder));
  folder_make(folder, "helpers");
  folder_make(folder, "helpers/folder.lua");
  folder_make(folder, "elsewhere");
  put(folder, "elsewhere/x.lua", "return 1");
  put(folder, "helpers/one.lua", "return require 'helpers.two'");
  put(folder, "helpers/two.lua", "return 2");
  link_make(folder, "helpers/link.lua", "../elsewhere/x.lua");
  link_make(folder, "helpers/out", "../elsewhere");
  (void)snprintf(fifo, sizeof fifo, "%s/helpers/pipe.lua", folder);
  assert_int_equal(mkfifo(fifo, 0600), 0);
  const struct helper *helper = read_helper(folder, "helpers.one", &file);
  assert_string_equal(helper->text, "return require 'helpers.two'");
  assert_non_null(helpers_find(scenario_file_helpers(file), "helpers.two"));
  scenario_file_free(file);
  refused(folder, "helpers.link", "is a link");
  refused(folder, "helpers.out.x", "is a link");
  refused(folder, "helpers.folder", "no plain file");
  refused(folder, "helpers.pipe", "no plain file");
  refused(folder, "helpers.tow", "No such file or directory; did you mean \"helpers.two\"?");
  (void)snprintf(command, sizeof command, "rm -r %s", folder);
  assert_int_equal(system(command), 0);
}

static void what_decides_a_run_decides_the_hash_of_a_file(void **state) {
  struct scenario_file *file = scenario_file_from("x.lua", "text", 4), *other = scenario_file_from("y.lua", "text", 4);
  struct params set = {0};
  (void)state;
  assert_true(scenario_file_hash(file) == scenario_file_hash(other)); /* where it lies is no matter */
  uint64_t before = scenario_file_hash(file);
  assert_true(scenario_file_add_helper(file, "helpers.a", "1", 1, ""));
  assert_true(scenario_file_hash(file) != before);
  before = scenario_file_hash(file);
  assert_true(params_set(&set, "n", "1") && scenario_file_set_params(file, &set));
  assert_true(scenario_file_hash(file) != before);
  before = scenario_file_hash(file);
  assert_true(scenario_file_set_variant(file, "v"));
  assert_true(scenario_file_hash(file) != before);
  struct scenario_file *copy = scenario_file_copy(file);
  assert_true(scenario_file_hash(file) == scenario_file_hash(copy));
  assert_string_equal(scenario_file_label(copy), "x.lua#v");
  scenario_file_free(copy);
  scenario_file_free(file);
  scenario_file_free(other);
}

#define SCRIPT(name) cmocka_unit_test_setup_teardown(name, script_fixture_open, script_fixture_close)
int main(void) {
  const struct CMUnitTest tests[] = {
      SCRIPT(a_helper_gives_what_it_returns),
      SCRIPT(a_helper_is_loaded_once),
      SCRIPT(an_error_names_the_file_and_line_of_the_helper),
      SCRIPT(helpers_that_require_each_other_are_an_error),
      SCRIPT(a_failed_helper_fails_again),
      SCRIPT(only_names_of_helpers_are_modules),
      SCRIPT(what_is_not_there_is_an_error_at_the_require),
      SCRIPT(nothing_is_required_while_a_world_runs),
      cmocka_unit_test(the_names_in_a_text_are_found),
      cmocka_unit_test(no_link_leads_out_of_the_folder),
      cmocka_unit_test(what_decides_a_run_decides_the_hash_of_a_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
