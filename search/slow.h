/* Worlds that take long: named while they run and at the end. */
#ifndef SEARCH_SLOW_H
#define SEARCH_SLOW_H

#include "search/suite_work.h"

/* Names the run at a place as slow, when it is. `stopped`: at the limit. */
void suite_note_slow(struct suite *suite, uint32_t place, size_t row, uint64_t real_ns, bool stopped);
/* Those that an interruption leaves under way too. */
void suite_note_unfinished(struct suite *suite);
/* Tells the caller how far the suite is. */
void suite_show(struct suite *suite);

#endif
