/* Delivery progresses: what a node holds durably comes to each peer that lacks
 * it, and its acknowledgement comes back, whatever is written meanwhile. Watches
 * one directed pair of neighbours. The goal is all that is owed at one moment; it
 * is kept until all of it is acknowledged, so that newer operations that are
 * acknowledged instead prove nothing. The time runs while none of it is.
 */
#ifndef CLUSTER_DELIVERY_H
#define CLUSTER_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

/* Of one life's operations, those up to `seq` are owed. */
struct delivery_goal {
  uint32_t life, seq;
};

struct delivery {
  struct delivery_goal *goals;
  uint32_t goal_count, goal_capacity;
  uint64_t remaining; /* operations of the goal that were not acknowledged at the last look */
  uint64_t since_ns;  /* the last progress, or excuse */
  uint64_t excuses;   /* at the last look */
};

struct delivery_look {
  uint64_t now_ns, within_ns;
  uint64_t excuses;   /* lives, lost messages, refused calls of both, counted: another number is one more */
  bool blocked;       /* one of them cannot take part now */
  uint64_t remaining; /* operations of the goal that are not acknowledged */
};
enum delivery_verdict { DELIVERY_WAITS, DELIVERY_REACHED, DELIVERY_OVERDUE };
/* After DELIVERY_REACHED (also: there is no goal, or it is given up) set another one. */
enum delivery_verdict delivery_look(struct delivery *delivery, const struct delivery_look *look);

#endif
