/* Face of room `network` for drivers: directed links between nodes, and what can be wrong with them: the settings.
 * Part of the public header sim/sim.h; sim/world/links.h has what is done with them. */
#ifndef SIM_NETWORK_CONFIG_H
#define SIM_NETWORK_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One directed link. Zero: no fault; delays default to 1 ms constant. */
struct sim_link_config {
  uint64_t delay_min_ns, delay_max_ns; /* uniform between them ... */
  uint64_t delay_mean_ns;    /* ... or, not 0: at least delay_min, exponential beyond it, with this mean in all */
  uint32_t loss_ppm;         /* each message by itself */
  uint32_t duplicate_ppm;    /* a second delivery ... */
  uint64_t duplicate_max_ns; /* ... up to this much later; 10 x delay_max (or mean) */
  uint32_t reorder_ppm;      /* extra delay up to reorder_max, overtaken by later ones */
  uint64_t reorder_max_ns;   /* 4 x delay_max (or mean) */
  uint32_t corrupt_ppm;      /* one bit flips */
  uint32_t truncate_ppm;     /* the end is missing */
  uint32_t extend_ppm;       /* 1 to 64 bytes more at the end */
  uint32_t splice_ppm;       /* begins as the message sent before it on this link */
  uint32_t misdeliver_ppm;   /* comes to a third node */
  uint32_t slow_ppm;         /* the slow tail: extra delay up to slow_max */
  uint64_t slow_max_ns;      /* 1 s */
  uint32_t burst_enter_ppm;  /* a burst of losses begins, by message */
  uint32_t burst_leave_ppm;  /* ... and ends, by message; 200,000: five messages */
  uint32_t burst_loss_ppm;   /* lost while it lasts; 1,000,000 */
  uint32_t clog_ppm;         /* by message: the link clogs ... */
  uint64_t clog_min_ns, clog_max_ns; /* ... for so long; 100 ms to 2 s */
  uint64_t bandwidth_bytes_per_s;    /* messages follow one another on the line; 0: no bound */
  uint32_t queue_messages;           /* sent and not yet delivered; one more is lost. 0: no bound */
  uint64_t queue_bytes;              /* the same in bytes; an empty queue takes any message */
};

struct sim_link_name {
  uint32_t from, to;
};
struct sim_flap_config {
  uint64_t down_min_ns, down_max_ns;
  uint64_t up_min_ns, up_max_ns;
};
/* --- Rules: for cases written by hand ---------------------------------------------- */

enum sim_rule_action {
  SIM_RULE_DROP = 1,
  SIM_RULE_DELAY = 2,     /* delay_ns more */
  SIM_RULE_DUPLICATE = 3, /* once more, delay_ns later */
  SIM_RULE_HOLD = 4,      /* until the rule is removed; then all arrive at once, in order */
};
struct sim_rule {
  uint32_t from, to; /* 0: any */
  uint32_t kind;     /* what sim_node_kind.classify says of the bytes; 0: any */
  enum sim_rule_action action;
  uint64_t count; /* so many messages; 0: all */
  uint64_t delay_ns;
};
#endif
