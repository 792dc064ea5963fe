#include "cli/run_shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/shrunk.h"
#include "search/bundle.h"

static bool write_text(FILE *file, const void *arg) {
  return fputs(arg, file) >= 0;
}

/* Whether one like it stands before it. */
static bool is_first(const struct suite_result *result, size_t i) {
  const struct suite_failure *failure = &result->failures[i];
  for (size_t k = 0; k < i; k++)
    if (result->failures[k].scenario == failure->scenario &&
        strcmp(result->failures[k].property, failure->property) == 0)
      return false;
  return failure->verdict == SUITE_VIOLATED && failure->bundle[0] != '\0';
}

static void keep(const struct shrink_result *shrunk, const char *name, struct suite_failure *failure) {
  char path[sizeof failure->shrunk];
  if (!shrunk_told(shrunk) || !bundle_path(path, sizeof path, failure->bundle, "shrunk.lua")) return;
  char *text = shrunk_scenario(shrunk, name, failure->seed);
  if (text != NULL && output_write(path, write_text, text)) {
    memcpy(failure->shrunk, path, sizeof path);
    failure->shrunk_left = shrunk->told.plain.statement_count + shrunk->told.fates;
  }
  free(text);
}

/* true: interrupted. */
static bool shrink_one(struct suite_result *result, size_t i, struct scenario_file *file,
                       const struct suite_options *options, uint64_t time_ns) {
  struct suite_failure *failure = &result->failures[i];
  struct shrink_result shrunk;
  char scratch[64];
  if (!shrunk_scratch(scratch, sizeof scratch)) return true;
  const struct shrink_options shrink = {
      .file = file, .seed = failure->seed, .time_ns = time_ns, .suite = *options, .scratch = scratch};
  const bool ran = shrink_run(&shrink, &shrunk);
  if (ran && shrunk.choices != NULL) keep(&shrunk, result->scenarios[failure->scenario].info.name, failure);
  const bool interrupted = !ran || shrunk.end == SHRINK_INTERRUPTED;
  shrink_free(&shrunk);
  (void)remove(scratch);
  return interrupted;
}

void run_shrink(struct suite_result *result, const struct paths *paths, const struct suite_options *options,
                uint64_t time_ns) {
  struct suite_options own = *options;
  size_t done = 0;
  if (own.jobs == 0) own.jobs = result->jobs;
  own.progress = NULL;
  for (size_t i = 0; i < result->failure_count && done < RUN_SHRINK_MAX && !result->interrupted; i++) {
    if (!is_first(result, i)) continue;
    done++;
    if (isatty(STDERR_FILENO)) (void)fprintf(stderr, "\r\033[Kmaking failure %zu small", i + 1);
    if (shrink_one(result, i, paths->files[result->failures[i].scenario], &own, time_ns)) break;
  }
  if (done > 0 && isatty(STDERR_FILENO)) (void)fprintf(stderr, "\r\033[K");
}
