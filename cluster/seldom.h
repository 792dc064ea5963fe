/* Oracles run at every event, between pieces of the engine that do not fit the
 * processor's cache of instructions together: what an event costs is, more than its
 * instructions, how many lines of code it touches. So code that seldom runs is kept
 * out of the way of code that often does. */
#ifndef CLUSTER_SELDOM_H
#define CLUSTER_SELDOM_H

#if defined(__GNUC__)
/* Hardly ever: a violation, a new life, a full array. It lies elsewhere, and so do the
 * branches to it. */
#define CLUSTER_SELDOM __attribute__((noinline, cold))
/* Not at every event: the caller saves no registers for it. */
#define CLUSTER_APART __attribute__((noinline))
#else
#define CLUSTER_SELDOM
#define CLUSTER_APART
#endif

#endif
