/* Which steps of a recording are worth a line to people, and its words. */
#ifndef REPORTS_STORY_WORDS_H
#define REPORTS_STORY_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/trace/trace.h"

enum story_weight {
  STORY_QUIET, /* at most counted */
  STORY_TOLD,  /* a line */
  STORY_MORE,  /* goes on with the text of the line before */
  STORY_CAUSE, /* a line, before those of the same instant that are about its node */
  STORY_LINKS, /* one of the links of a line: story_link() */
};
/* What is not known here is told. */
enum story_weight story_weigh(const struct sim_trace_record *record);

/* The words of a step, without its node; false: it has none of its own, and its sentence is to be told. */
bool story_words(const struct sim_trace_log *log, const struct sim_trace_record *record, char *text, size_t size);

/* The link of a STORY_LINKS step, and what becomes of such links ("heal"); one static text for each change. from = to =
 * 0: all. */
const char *story_link(const struct sim_trace_record *record, uint32_t *from, uint32_t *to);

#endif
