/* What an operation in a log says, or is, and must not. */
#ifndef CLUSTER_LIE_H
#define CLUSTER_LIE_H

#include <stdint.h>

#include "cluster/config.h"

/* Reports it: "the log of n1 has operation n2/..., which `what`". */
void cluster_lie(struct cluster *cluster, uint32_t node, uint32_t operation, const char *property, const char *what);

#endif
