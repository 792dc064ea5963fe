/* The watch over deliveries (delivery.h) between the nodes of a world. */
#ifndef CLUSTER_DELIVERIES_H
#define CLUSTER_DELIVERIES_H

struct cluster;

/* Looks at all pairs; in a large cluster at those of one node in turn. */
void cluster_check_delivery(struct cluster *cluster);

#endif
