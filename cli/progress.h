/* The live progress line, on terminals only. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "search/suite_options.h"

struct progress_line {
  bool enabled;
  uint64_t shown_ns; /* when it was last drawn */
};

void progress_begin(struct progress_line *line);
/* A suite's progress function; `arg` is a struct progress_line. */
void progress_show(void *arg, const struct suite_progress *progress);
/* Clears the line. */
void progress_end(struct progress_line *line);

#endif
