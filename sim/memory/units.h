/* Face of room `memory` for everybody: units and bounds that every room counts in. Simulated time is uint64_t
 * nanoseconds. */
#ifndef SIM_UNITS_H
#define SIM_UNITS_H

#include <stdint.h>

#define SIM_NS UINT64_C(1)
#define SIM_US (UINT64_C(1000) * SIM_NS)
#define SIM_MS (UINT64_C(1000) * SIM_US)
#define SIM_SECOND (UINT64_C(1000) * SIM_MS)
#define SIM_TIME_NEVER UINT64_MAX

#define SIM_NODES_MAX 1000u

#endif
