#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "reports/utf8.h"
#include "search/outcome.h"

#define INTERVAL_NS (100 * SIM_MS)

static size_t columns(void) {
  struct winsize size;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

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
  char running[700] = "";
  if (progress->running_name != NULL) {
    char *name = utf8_clean(progress->running_name, UTF8_FOR_LINE, 60);
    (void)snprintf(running, sizeof running, "; %s, seed %llu: %s", name == NULL ? "" : name,
                   (unsigned long long)progress->running_seed, progress->running_told);
    free(name);
  }
  const unsigned long long seconds = progress->real_ns / SIM_SECOND;
  const unsigned long long rate = progress->real_ns == 0 ? 0 : progress->done * 1000 / (progress->real_ns / SIM_MS + 1);
  char text[900];
  (void)snprintf(text, sizeof text, "%llu of %llu runs, %llu failed, %llu s, %llu runs/s%s%s",
                 (unsigned long long)progress->done, (unsigned long long)progress->total,
                 (unsigned long long)progress->failed, seconds, rate,
                 progress->explaining ? "; recording failures" : "", running);
  char *clean = utf8_clean(text, UTF8_FOR_LINE, columns() - 1); /* one line, or it could not be drawn over */
  (void)fprintf(stderr, "\r\033[K%s", clean == NULL ? "" : clean);
  free(clean);
  (void)fflush(stderr);
}

void progress_end(struct progress_line *line) {
  if (line->enabled && line->shown_ns != 0) (void)fputs("\r\033[K", stderr);
}
