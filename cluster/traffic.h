/* Bounded traffic: what goes from one node to a neighbour, and what it takes for all of them to hear of something, has
 * reasons. An operation that a peer has acknowledged is not sent to it again in that run of it; another one only when
 * something happened since that asks for it; a peer from which nothing comes is greeted as the backoff allows; and
 * where nothing is lost an operation is not sent much more often than it is needed. Judges by what is sent and heard,
 * and by what the world did; knows no engine.
 */
#ifndef CLUSTER_TRAFFIC_H
#define CLUSTER_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

enum traffic_finding {
  TRAFFIC_FINE = 0,
  TRAFFIC_ACKNOWLEDGED, /* sent although the peer had acknowledged it */
  TRAFFIC_AGAIN,        /* sent again, and nothing asked for that */
  TRAFFIC_IMPATIENT,    /* a silent peer is greeted more often than the backoff allows */
  TRAFFIC_FLOODS        /* much more is sent than is needed */
};

/* --- One directed pair of neighbours ----------------------------------------------- */

struct traffic {
  uint64_t life, session; /* of the sender; of the receiver, as the sender knows it */
  uint32_t *acknowledged; /* by life: so many of its operations, in that session; */
  uint32_t acknowledged_capacity;
  uint32_t *sent; /* by operation: how many reasons there were when it was sent last, and one; 0: never */
  uint32_t sent_capacity;
  uint32_t reasons;     /* to send again, so far */
  bool restart_due;     /* the peer said that something was skipped: that may be acted upon later, once */
  uint64_t excuses;     /* at the last look: lives, lost messages and refused calls of both, counted */
  uint64_t heard_ns;    /* when something of the peer was taken last, or could have been */
  bool full, peer_full; /* the sender said last that it has no room; the receiver did */
  uint32_t greetings;   /* since it is silent for longer than a first try may take */
};

/* Another run of the sender, or of the receiver as the sender knows it: nothing is acknowledged yet. */
void traffic_run(struct traffic *traffic, uint64_t life, uint64_t session, uint64_t now_ns);
/* Before something is sent: what the world did meanwhile. */
void traffic_look(struct traffic *traffic, uint64_t excuses, bool blocked);
/* The peer asks for what it lacks, says that it skipped something, or that it has room or none; or the sender gave up
 * waiting for it. */
void traffic_reason(struct traffic *traffic, bool skipped);
/* An operation is sent. There is room for its life and for itself. */
enum traffic_finding traffic_operation(struct traffic *traffic, uint32_t life, uint32_t seq, uint32_t operation);

/* How long the sender waits, of its own clock. */
struct traffic_patience {
  uint64_t ack_timeout_ns, retry_interval_ns, retry_cap_ns, probe_interval_ns, idle_hello_ns;
  uint32_t max_retries;
};
/* So many tries there may be, of a peer that is silent for so long. */
uint64_t traffic_tries(const struct traffic_patience *patience, uint64_t silent_ns);
/* The peer is greeted: a whole HELLO or NEWS that asks for no operations. */
enum traffic_finding traffic_greeting(struct traffic *traffic, uint64_t now_ns,
                                      const struct traffic_patience *patience);
/* Something of it was taken, or the sender has a reason of its own to greet everybody. */
void traffic_heard(struct traffic *traffic, uint64_t now_ns);

/* --- All of them -------------------------------------------------------------------- */

/* A calm stretch: no message is lost, nobody is down or comes up. */
struct traffic_calm {
  uint64_t troubles;      /* so far: waits for an answer that were given up, and peers that came back */
  uint64_t excuses;       /* of all, with these, when it began */
  uint64_t sent, applied; /* operations, in it */
};
/* Now and then: whether it goes on, and what it came to. */
enum traffic_finding traffic_calm_look(struct traffic_calm *calm, uint64_t excuses, bool blocked);

#endif
