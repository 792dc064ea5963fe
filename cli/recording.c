#include "cli/recording.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct sim_choice_table *recording_read(const char *path, uint64_t *seed) {
  char error[256] = "";
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    (void)fprintf(stderr, "syncsim: cannot read '%s': %s\n", path, strerror(errno));
    return NULL;
  }
  struct sim_choice_table *table = sim_choice_table_read(file, seed, error, sizeof error);
  (void)fclose(file);
  if (table == NULL) (void)fprintf(stderr, "syncsim: '%s' is not a recording of choices: %s\n", path, error);
  return table;
}
