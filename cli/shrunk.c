#include "cli/shrunk.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool shrunk_scratch(char *path, size_t size) {
  const char *folder = getenv("TMPDIR");
  (void)snprintf(path, size, "%.40s/syncsim-XXXXXX", folder == NULL ? "/tmp" : folder);
  const int descriptor = mkstemp(path);
  if (descriptor >= 0) (void)close(descriptor);
  if (descriptor < 0)
    (void)fprintf(stderr, "syncsim: no file can be made in '%s' (TMPDIR)\n", folder == NULL ? "/tmp" : folder);
  return descriptor >= 0;
}

bool shrunk_told(const struct shrink_result *result) {
  return result->told.end == RETELLING_DONE || result->told.seeds > 0;
}

char *shrunk_scenario(const struct shrink_result *result, const char *name, uint64_t seed) {
  const struct retelling *told = &result->told;
  char heading[4096], title[SCENARIO_NAME_BYTES];
  (void)snprintf(heading, sizeof heading,
                 "Shrunk from \"%s\", seed %llu: %zu submits, acts, faults and fates, of which %zu are left.\n"
                 "It violates *%s*, under %u of %u seeds:\n%s\n%s",
                 name, (unsigned long long)seed, result->events_before, told->plain.statement_count + told->fates,
                 result->first.property, told->seeds, RETELLING_SEEDS, told->outcome.detail,
                 told->end == RETELLING_DONE ? "Without any one of its statements it does not." : "");
  (void)snprintf(title, sizeof title, "shrunk: %.80s", name);
  const struct plain_frame frame = {.name = title, .heading = heading, .fates = told->choices};
  return plain_write(&told->plain, &frame);
}
