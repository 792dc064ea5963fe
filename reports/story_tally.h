/* What happened between two lines of a story, in numbers. */
#ifndef REPORTS_STORY_TALLY_H
#define REPORTS_STORY_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/trace/trace.h"

struct story_tally { /* zero: nothing yet */
  uint64_t writes, refused, promised, own_writes, applied, messages, lost, cut_off, to_down, dropped, fsyncs, failed,
      timeouts, blocks;
};
void story_tally_add(struct story_tally *tally, const struct sim_trace_record *record);
/* "12 writes, 31 messages (2 lost)"; false: nothing happened that counts. */
bool story_tally_tell(const struct story_tally *tally, char *text, size_t size);

#endif
