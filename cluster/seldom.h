/* For the part of an oracle that seldom runs, called from one that runs at every
 * event: it stays apart, so that the other one saves no registers for it. */
#ifndef CLUSTER_SELDOM_H
#define CLUSTER_SELDOM_H

#if defined(__GNUC__)
#define CLUSTER_SELDOM __attribute__((noinline))
#else
#define CLUSTER_SELDOM
#endif

#endif
