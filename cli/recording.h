/* Recordings of choices, read for a replay. */
#ifndef CLI_RECORDING_H
#define CLI_RECORDING_H

#include <stdint.h>

#include "sim/choice/choice.h"

/* NULL after a message; EXIT_USAGE then. The caller destroys it. */
struct sim_choice_table *recording_read(const char *path, uint64_t *seed);

#endif
