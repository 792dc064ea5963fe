/* Seeds that failed once, beside each scenario: NAME.seeds beside NAME.lua. */
#ifndef CLI_REGRESSIONS_H
#define CLI_REGRESSIONS_H

#include <stddef.h>

#include "cli/paths.h"
#include "search/suite_options.h"

/* Reads what lies beside the scenarios: *list has one entry for each file of `paths`, for suite_options.regressions.
 * EXIT_HELD, or EXIT_USAGE after a message with the line that is wrong. Free it in either case. */
int regressions_read(const struct paths *paths, struct suite_regressions **list);
void regressions_free(struct suite_regressions *list, size_t count);

#endif
