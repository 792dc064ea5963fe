/* The tally of a suite: from rows to sums and verdicts. */
#ifndef SEARCH_TALLY_H
#define SEARCH_TALLY_H

#include <stdbool.h>

#include "search/suite_work.h"

/* Judges what was gathered: rows that do not count, sums, verdicts. */
void suite_tally(struct suite *suite);
/* What never happened. */
bool suite_find_vacuous(struct suite *suite);
int suite_exit_status(const struct suite *suite);

#endif
