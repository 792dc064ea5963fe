/* How much of a run an edit leaves as it was: edits of the standard world, and the share of
 * its decisions (tag and outcome) that the edited run makes too; in the last column, of its
 * sends and fsyncs at the very same instants. Usage: edits [SEEDS] */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/edits.h"

#define SEEDS_MAX 200u

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

/* In hundredths of a percent. */
static void print_share(uint64_t share) {
  printf("  %4llu.%02llu", (unsigned long long)(share / 100), (unsigned long long)(share % 100));
}

int main(int argc, char **argv) {
  uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 20;
  static uint64_t shares[EDITS][EDIT_PARTS][SEEDS_MAX];
  struct sim_options options = {.fill = SIM_FILL_NONE};
  struct sim *sim = sim_open(&options);
  if (sim == NULL || seeds == 0 || seeds > SEEDS_MAX) return 2;
  for (uint64_t seed = 1; seed <= seeds; seed++) {
    struct edit_counts counts;
    if (!edits_run(sim, "60s", seed, &counts)) return 1;
    for (size_t e = 0; e < EDITS; e++)
      for (int part = 0; part < EDIT_PARTS; part++)
        shares[e][part][seed - 1] = counts.kept[e][part] * 10000 / counts.all[e][part];
  }
  printf("%% of decisions kept, median and worst of %llu seeds\n", (unsigned long long)seeds);
  printf("%-26s %16s %16s %16s %16s\n", "edit", "all", "network", "disk", "in step");
  for (size_t e = 0; e < EDITS; e++) {
    printf("%-26s", edits[e].name);
    for (int part = 0; part < EDIT_PARTS; part++) {
      uint64_t *values = shares[e][part];
      qsort(values, seeds, sizeof *values, by_value);
      print_share(values[(seeds - 1) / 2]);
      print_share(values[0]);
    }
    printf("\n");
  }
  sim_close(sim);
  return 0;
}
