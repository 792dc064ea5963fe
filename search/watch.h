/* What is told of a world that is under way in a worker, from its progress. */
#ifndef SEARCH_WATCH_H
#define SEARCH_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "search/job.h"
#include "sim/world/progress.h"

#define WATCH_TEXT_BYTES 400u

/* "1.250 s of 20 s simulated, 431000 steps, 71000 per second, 92 % of them messages (HELLO 80 %, OPS 12 %)" */
void watch_tell(const struct sim_progress *progress, const struct job *job, uint64_t real_ns, char *text, size_t size);
/* "in or after step 7 (of the timers) at n1": the last step that was begun. */
void watch_tell_last(const struct sim_progress *progress, char *text, size_t size);

#endif
