#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "search/outcome.h"

#define INTERVAL_NS (100 * SIM_MS)

void progress_begin(struct progress_line *line) {
  const char *terminal = getenv("TERM");
  line->enabled = isatty(STDERR_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0;
  line->shown_ns = 0;
}

void progress_show(void *arg, const struct suite_progress *progress) {
  struct progress_line *line = arg;
  const uint64_t now = outcome_clock_ns();
  if (!line->enabled || now - line->shown_ns < INTERVAL_NS) return;
  line->shown_ns = now;
  const unsigned long long seconds = progress->real_ns / SIM_SECOND;
  const unsigned long long rate = progress->real_ns == 0 ? 0 : progress->done * 1000 / (progress->real_ns / SIM_MS + 1);
  (void)fprintf(stderr, "\r\033[K%llu of %llu runs, %llu failed, %llu s, %llu runs/s%s",
                (unsigned long long)progress->done, (unsigned long long)progress->total,
                (unsigned long long)progress->failed, seconds, rate,
                progress->explaining ? "; recording failures" : "");
  (void)fflush(stderr);
}

void progress_end(struct progress_line *line) {
  if (line->enabled && line->shown_ns != 0) (void)fputs("\r\033[K", stderr);
}
