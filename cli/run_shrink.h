/* run --shrink: the first failure of each kind made small, beside its bundle. */
#ifndef CLI_RUN_SHRINK_H
#define CLI_RUN_SHRINK_H

#include <stdint.h>

#include "cli/paths.h"
#include "search/suite.h"

#define RUN_SHRINK_MAX 8u /* failures */

/* Each for so much real time at most; says in *result where they are. */
void run_shrink(struct suite_result *result, const struct paths *paths, const struct suite_options *options,
                uint64_t time_ns);

#endif
