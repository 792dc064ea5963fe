/* What links did to messages so far, counted for those who judge progress:
 * nothing of it is a decision or a step of the trace. */
#ifndef SIM_NETWORK_ACCOUNT_H
#define SIM_NETWORK_ACCOUNT_H

#include "sim/ground/ground.h"

struct account_link {
  uint64_t harmed;     /* messages lost, cut short or changed */
  uint64_t slowest_ns; /* the longest way of any message, as it was planned */
};

/* One for each directed link, from the first message that is counted on. */
struct account {
  struct account_link *links; /* by (from - 1) * nodes + to - 1; NULL: nobody asked */
  uint32_t nodes;
};

/* Counts from now on, among so many nodes; more nodes are not counted. */
void account_begin(struct account *account, struct ground *ground, uint32_t nodes);
/* Zeros where nothing is counted. */
struct account_link account_of(const struct account *account, uint32_t from, uint32_t to);
void account_harmed(const struct account *account, uint32_t from, uint32_t to);
void account_sent(const struct account *account, uint32_t from, uint32_t to, uint64_t way_ns);

#endif
