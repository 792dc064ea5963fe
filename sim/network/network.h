/* Room `network`: messages on their way.
 * Takes: the ground, settings of directed links (config.h), messages, and what is done
 * to links (cuts, flaps, clogs, rules). Gives: events of kind SIM_EVENT_MESSAGE for
 * receivers, and their fate when they come up. Knows nodes by number only, and no
 * world.
 */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "sim/network/account.h"
#include "sim/network/clog.h"
#include "sim/network/flap.h"
#include "sim/network/rule.h"

#define SIM_MESSAGE_BYTES_MAX (8u * 1024u * 1024u)

/* What a message is called by the kind of node that sent it; 0: nothing in particular. */
typedef uint32_t (*network_sort_fn)(void *self, uint32_t from, const void *bytes, size_t size);

struct network {
  struct links links;
  network_sort_fn sort; /* for those who wait for messages */
  void *sort_self;
  struct sim_flap *flaps;
  struct rule *rules;
  struct account account;
  uint64_t in_flight;
};

void network_init(struct network *network, struct ground *ground, const struct sim_link_config *config);
/* So many nodes there are now. */
void network_grow(struct network *network, uint32_t node_count);

/* What is sent. */
struct parcel {
  uint32_t from, to;
  const void *bytes;
  size_t size;
  uint64_t hash;     /* sim_hash_bytes() of them, unless they are too many */
  uint64_t identity; /* names the message on its link */
  uint32_t kind;     /* for rules, and needed only while there are some */
};
/* Sends; the bytes are copied. */
void network_send(struct network *network, const struct parcel *parcel);
static inline bool network_has_rules(const struct network *network) {
  return network->rules != NULL;
}
/* Delivers bytes once, now, as if `from` had sent them; no link carries them. */
void network_inject(struct network *network, uint32_t from, uint32_t to, const void *bytes, size_t size);

/* What becomes of a message at the end of its way. Lost: the caller drops it.
 * Held: the slot stays until the link lets it go. */
enum network_fate { NETWORK_DELIVERED, NETWORK_LOST, NETWORK_HELD };
enum network_fate network_arrives(struct network *network, const struct sim_event *event, uint32_t slot);
/* A message will not be delivered; frees it. `why`: enum sim_fault, or SIM_DROP_. */
void network_drop(struct network *network, const struct sim_event *event, uint64_t why);
/* Its node has taken it, and it is about to be freed: tells who waits for that. */
void network_delivered(const struct network *network, const struct sim_event *event);
void network_free(struct network *network, const struct sim_event *event);
/* An event of the network itself. false: it was stale. */
bool network_event(struct network *network, const struct sim_event *event);

/* Ends all cuts, flaps, clogs and swizzles. */
void network_heal(struct network *network);
/* Heals, ends rules, and takes all faults and bounds out of the settings. */
void network_calm(struct network *network);

#endif
