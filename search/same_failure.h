/* Whether two failures are of one kind. */
#ifndef SEARCH_SAME_FAILURE_H
#define SEARCH_SAME_FAILURE_H

#include <stdbool.h>

#include "search/outcome.h"

/* The same property, and the same words but for numbers, for names that contain one, and for particulars behind a
 * colon, semicolon or bracket. */
bool same_failure(const struct outcome *a, const struct outcome *b);

#endif
