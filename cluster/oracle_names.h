/* The names of the built-in oracles, one by one. */
#ifndef CLUSTER_ORACLE_NAMES_H
#define CLUSTER_ORACLE_NAMES_H

#include <stddef.h>

/* Those that a scenario may switch off, in the order of config.h; ends in NULL. A livelock is none of them: nothing
 * else would end the run. */
#define CLUSTER_ORACLES_MAX 64u
extern const char *const cluster_oracle_names[];
size_t cluster_oracle_count(void);

#endif
