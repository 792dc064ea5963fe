/* Bundles: what is written is read back, and a manifest may hold any bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "search/bundle.h"
#include "search/reproduce.h"
#include "tests/support/temp_directory.h"

static void put(const struct temp_directory *folder, const char *bytes, size_t size) {
  char path[512];
  FILE *file = fopen(temp_directory_file(folder, "manifest", path, sizeof path), "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

static void what_is_written_is_read_back(void **state) {
  (void)state;
  struct temp_directory folder;
  const struct bundle written = {.scenario = "a name",
                                 .path = "a folder/x.lua",
                                 .seed = UINT64_MAX,
                                 .trace_hash = UINT64_C(0x123456789abcdef0),
                                 .verdict = "violated",
                                 .property = "durability",
                                 .build = "0011223344556677",
                                 .command = "syncsim replay 'a folder/x.lua' --seed 18446744073709551615"};
  struct bundle read;
  char error[256];
  temp_directory_init(&folder);
  struct scenario_file *file = scenario_file_from("x.lua", "return 7", 8);
  assert_true(bundle_create(folder.path));
  assert_true(bundle_write(folder.path, &written, file, "one line\n"));
  assert_true(bundle_is(folder.path));
  assert_true(bundle_read(folder.path, &read, error, sizeof error));
  assert_memory_equal(&read, &written, sizeof read);
  /* An older bundle leaves nothing behind. */
  assert_true(bundle_create(folder.path));
  assert_false(bundle_is(folder.path));
  scenario_file_free(file);
  temp_directory_deinit(&folder);
}

static void helpers_and_what_was_set_are_read_back(void **state) {
  (void)state;
  struct temp_directory folder;
  struct bundle written = {.scenario = "a name (a variant)", .seed = 5, .variant = "a variant"}, read;
  char error[256], path[300], line[300];
  temp_directory_init(&folder);
  assert_true(params_set(&written.set, "nodes", "5") && params_set(&written.set, "text", "a = b c"));
  struct scenario_file *file = scenario_file_from("x.lua", "require 'helpers.a'", 19);
  assert_true(scenario_file_add_helper(file, "helpers.a", "return 1", 8, ""));
  assert_true(bundle_write(folder.path, &written, file, ""));
  assert_true(bundle_read(folder.path, &read, error, sizeof error));
  assert_memory_equal(&read, &written, sizeof read);
  (void)snprintf(path, sizeof path, "%s/scenario.lua", folder.path);
  struct scenario_file *again = scenario_file_read(path);
  assert_true(scenario_file_hash(again) == scenario_file_hash(file));
  scenario_file_free(again);
  scenario_file_free(file);
  reproduce_line(line, sizeof line, NULL, "x.lua#a variant", &read.set, 7);
  assert_string_equal(line, "syncsim replay 'x.lua#a variant' --seed 7 --set nodes=5 --set 'text=a = b c'");
  (void)snprintf(path, sizeof path, "%s/helpers/a.lua", folder.path);
  assert_int_equal(remove(path), 0);
  temp_directory_deinit(&folder);
}

static void a_newline_in_a_name_forges_no_key(void **state) {
  (void)state;
  struct temp_directory folder;
  const struct bundle written = {.scenario = "x\nseed=99\r", .seed = 5};
  struct bundle read;
  char error[256];
  temp_directory_init(&folder);
  struct scenario_file *file = scenario_file_from("x.lua", "", 0);
  assert_true(bundle_write(folder.path, &written, file, ""));
  assert_true(bundle_read(folder.path, &read, error, sizeof error));
  assert_int_equal(read.seed, 5);
  assert_string_equal(read.scenario, "x seed=99 ");
  scenario_file_free(file);
  temp_directory_deinit(&folder);
}

static void a_manifest_that_is_none_is_refused(void **state) {
  (void)state;
  static const char *const bad[] = {"",
                                    "\n\n\n",
                                    "format=1\n",
                                    "format=1\nseed=1\n",
                                    "format=1\ntrace_hash=1\n",
                                    "seed=1\n",
                                    "format=3\nseed=1\ntrace_hash=1\n",
                                    "format=2\nseed=1\ntrace_hash=1\nset=n\n",
                                    "format=2\nseed=1\ntrace_hash=1\nset=1n=2\n",
                                    "format=1\nseed=x\ntrace_hash=1\n",
                                    "format=1\nseed=1\ntrace_hash=\n",
                                    "=\n=\n=",
                                    "format=1=1\nseed=1\ntrace_hash=1\n"};
  struct temp_directory folder;
  struct bundle read;
  char error[256];
  char long_line[20000];
  temp_directory_init(&folder);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    put(&folder, bad[i], strlen(bad[i]));
    error[0] = '\0';
    assert_false(bundle_read(folder.path, &read, error, sizeof error));
    assert_true(error[0] != '\0');
  }
  memset(long_line, 'a', sizeof long_line);
  memcpy(long_line, "scenario=", 9);
  put(&folder, long_line, sizeof long_line);
  assert_false(bundle_read(folder.path, &read, error, sizeof error));
  temp_directory_deinit(&folder);
}

static void long_values_and_unknown_keys_are_cut_and_passed_over(void **state) {
  (void)state;
  struct temp_directory folder;
  struct bundle read;
  char error[256];
  char text[2048] = "format=1\nseed=0x10\ntrace_hash=0x20\nfuture=yes\nbuild=";
  const size_t used = strlen(text);
  temp_directory_init(&folder);
  memset(text + used, 'b', 1000);
  put(&folder, text, used + 1000);
  assert_true(bundle_read(folder.path, &read, error, sizeof error));
  assert_int_equal(read.seed, 16);
  assert_int_equal(read.trace_hash, 32);
  assert_int_equal(strlen(read.build), sizeof read.build - 1);
  temp_directory_deinit(&folder);
}

static void a_line_to_paste_is_safe_in_a_shell(void **state) {
  (void)state;
  char line[640];
  reproduce_line(line, sizeof line, NULL, "scenarios/x.lua", NULL, 7);
  assert_string_equal(line, "syncsim replay scenarios/x.lua --seed 7");
  reproduce_line(line, sizeof line, "build/sync sim", "it's; rm -rf $HOME", NULL, 7);
  assert_string_equal(line, "'build/sync sim' replay 'it'\\''s; rm -rf $HOME' --seed 7");
  char path[1000];
  memset(path, '\'', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  reproduce_line(line, sizeof line, NULL, path, NULL, 7); /* too long for the line: cut, not overrun */
  assert_true(strlen(line) < sizeof line);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_is_read_back),
      cmocka_unit_test(helpers_and_what_was_set_are_read_back),
      cmocka_unit_test(a_newline_in_a_name_forges_no_key),
      cmocka_unit_test(a_manifest_that_is_none_is_refused),
      cmocka_unit_test(long_values_and_unknown_keys_are_cut_and_passed_over),
      cmocka_unit_test(a_line_to_paste_is_safe_in_a_shell),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return failed != 0;
}
