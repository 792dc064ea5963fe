/* The corpus of fuzz/staged_snapshot.c, replayed, and bytes that chance makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* A fuzz target is one function of one file, and has no header. */
#include "fuzz/staged_snapshot.c" // NOLINT(bugprone-suspicious-include)

#include "tests/support/emulated.h"

static const struct {
  const char *name;
  int status;
} corpus[] = {
    {"empty", SYNC_OK},
    {"siblings", SYNC_OK},
    {"births_and_tombstones", SYNC_OK},
    {"many_blocks", SYNC_OK},
    {"wrong_digest", SYNC_E_CORRUPT},
    {"no_memory", SYNC_OK},
};
#define FILES (sizeof corpus / sizeof corpus[0])

static uint8_t bytes[STAGED_BYTES_MAX];

static size_t read_corpus(const char *name) {
  char path[200];
  (void)snprintf(path, sizeof path, "fuzz/corpus/staged_snapshot/%s", name);
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail_msg("%s is missing (tests run in the repository's root)", path);
  size_t size = fread(bytes, 1, sizeof bytes, file);
  (void)fclose(file);
  return size;
}

static void every_file_of_the_corpus_gives_what_it_is_for(void **state) {
  (void)state;
  for (size_t i = 0; i < FILES; i++) {
    size_t size = read_corpus(corpus[i].name);
    int rc = fuzz_staged_snapshot(bytes, size);
    if (rc != corpus[i].status) fail_msg("%s gives %d", corpus[i].name, rc);
  }
}

static void what_chance_makes_of_the_corpus_is_merged_whole_or_refused(void **state) {
  (void)state;
  uint64_t random = 1;
  unsigned rounds = emulated() ? 300 : 6000; /* alike */
  for (unsigned round = 0; round < rounds; round++) {
    size_t size = read_corpus(corpus[round % FILES].name);
    for (unsigned i = 0; i < 1 + round % 4; i++)
      bytes[memory_env_random(&random) % size] = (uint8_t)memory_env_random(&random);
    if (round % 5 == 0) size = 1 + (size_t)memory_env_random(&random) % size;
    assert_int_equal(LLVMFuzzerTestOneInput(bytes, size), 0);
  }
  for (size_t size = 0; size < 40; size += 3) {
    for (size_t i = 0; i < size; i++)
      bytes[i] = (uint8_t)(i * 37 + size);
    assert_int_equal(LLVMFuzzerTestOneInput(bytes, size), 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_file_of_the_corpus_gives_what_it_is_for),
      cmocka_unit_test(what_chance_makes_of_the_corpus_is_merged_whole_or_refused),
  };
  return cmocka_run_group_tests_name("fuzz staged_snapshot", tests, NULL, NULL) != 0;
}
