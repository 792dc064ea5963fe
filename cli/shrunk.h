/* What became of a failing run that was made small, as a file. */
#ifndef CLI_SHRUNK_H
#define CLI_SHRUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "search/shrink.h"

/* A new, empty file for recordings on their way; false after a message. */
bool shrunk_scratch(char *path, size_t size);
/* Whether there is a scenario that stands alone. */
bool shrunk_told(const struct shrink_result *result);
/* It, of a scenario of this name and its seed. NULL: no memory. The caller frees it. */
char *shrunk_scenario(const struct shrink_result *result, const char *name, uint64_t seed);

#endif
