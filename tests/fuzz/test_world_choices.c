/* The corpus of fuzz/world_choices.c, replayed: everything holds, and twice
 * alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* A fuzz target is one function of one file, and has no header. */
#include "fuzz/world_choices.c" // NOLINT(bugprone-suspicious-include)

#include <stdio.h>

static const char *const CORPUS[] = {"calm", "sparse", "busy", "random", "random_long", "shifted", "cut_record"};
#define FILES (sizeof CORPUS / sizeof CORPUS[0])

static uint8_t bytes[BYTES_MAX];

static size_t read_corpus(const char *name) {
  char path[200];
  (void)snprintf(path, sizeof path, "fuzz/corpus/world_choices/%s", name);
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail_msg("%s is missing (tests run in the repository's root)", path);
  size_t size = fread(bytes, 1, sizeof bytes, file);
  (void)fclose(file);
  return size;
}

static void every_file_of_the_corpus_holds_and_repeats(void **unused) {
  (void)unused;
  struct sim *sim = sim_open(NULL);
  uint64_t hashes[FILES];
  for (size_t i = 0; i < FILES; i++) {
    size_t size = read_corpus(CORPUS[i]);
    for (int again = 0; again < 2; again++) {
      fuzz_world_choices(sim, bytes, size);
      const struct sim_violation *violation = sim_violation_get(sim_world(sim));
      if (violation->found) fail_msg("%s: %s: %s", CORPUS[i], violation->property, violation->detail);
      uint64_t hash = sim_trace_hash(sim_world(sim));
      if (again) assert_int_equal(hash, hashes[i]);
      hashes[i] = hash;
    }
    for (size_t before = 0; before < i; before++)
      assert_true(hashes[before] != hashes[i]);
  }
  sim_close(sim);
}

static void the_target_takes_any_bytes(void **unused) {
  (void)unused;
  for (size_t size = 0; size < 40; size += 3) {
    for (size_t i = 0; i < size; i++)
      bytes[i] = (uint8_t)(i * 37 + size);
    assert_int_equal(LLVMFuzzerTestOneInput(bytes, size), 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_file_of_the_corpus_holds_and_repeats),
      cmocka_unit_test(the_target_takes_any_bytes),
  };
  return cmocka_run_group_tests_name("fuzz world_choices", tests, NULL, NULL) != 0;
}
