/* The explanation of failures: each listed one is run once more with a
 * recording, for its history and its bundle. */
#ifndef SEARCH_EXPLAIN_H
#define SEARCH_EXPLAIN_H

#include <stdbool.h>

#include "search/suite_work.h"

/* Lists the failures, with history and bundle. */
bool suite_explain(struct suite *suite);

#endif
