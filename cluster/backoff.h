/* Honest backoff: who gives no answer is tried again exactly when the options and what was drawn say so. The first wait
 * for a peer that was never heard is the retry interval; each further one is twice the one before, up to the cap; on
 * top of each comes what the node drew, an eighth of it at most; after so many tries the peer is parked, and probed at
 * one interval. When a wait is over, one greeting leaves; in between none does, but for a few that are told to
 * everybody. Anything valid that the peer says ends it. Judges one sender's waits for one peer, by the sender's
 * monotonic clock; knows no engine.
 */
#ifndef CLUSTER_BACKOFF_H
#define CLUSTER_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

enum backoff_finding {
  BACKOFF_HONEST = 0,
  BACKOFF_EARLY,     /* it was tried again before the wait was over */
  BACKOFF_LATE,      /* the wait was over, and nothing was tried */
  BACKOFF_WAIT,      /* the next wait is not the one that the schedule and the draw give */
  BACKOFF_MISCOUNTS, /* its tries are counted wrongly: parked too soon, or never */
  BACKOFF_UNSAID,    /* a try, and no greeting left */
  BACKOFF_BETWEEN,   /* a greeting left between two tries, or operations to a parked peer */
  BACKOFF_DEAF,      /* it goes on although the peer was heard */
  BACKOFF_FORGETS    /* it ended although the peer was not heard */
};

struct backoff_schedule {
  uint64_t ack_timeout_ns, retry_interval_ns, retry_cap_ns, probe_interval_ns;
  uint32_t max_retries;
};

enum backoff_stage {
  BACKOFF_ANSWERED = 0, /* it answers, as far as is known */
  BACKOFF_WAITS,
  BACKOFF_PARKED
};

struct backoff {
  uint64_t life; /* of the sender */
  enum backoff_stage stage;
  uint32_t tries;
  uint64_t due_ns;   /* of the next one, while it is not answered */
  uint64_t since_ns; /* answered: when it was begun, or was heard again */
  bool exact;        /* ... that is known */
  bool met;          /* it was heard, in this life, what run it is in */
  bool owed;         /* in this event a greeting must leave */
  bool goes_on;      /* the last greeting has another part, */
  bool full;         /* ... said that there is no room, */
  uint64_t refusals; /* ... left after so many refused calls of the sender, */
  uint64_t offered;  /* ... or offered this snapshot; 0: none */
  bool took;         /* of what the peer sent something is not acknowledged yet, */
  bool kept;         /* ... or was too early, and waits for a cause: taken later it is acknowledged, once */
};

/* The wait before the next try after so many, without what is drawn. */
uint64_t backoff_wait_ns(const struct backoff_schedule *schedule, uint32_t tries);

/* The sender's run began, or the peer was made known to it. exact: just now. */
void backoff_begin(struct backoff *backoff, uint64_t life, uint64_t now_ns, bool exact);
/* It has heard which run of the peer there is, and begins anew with that one. */
void backoff_met(struct backoff *backoff, uint64_t now_ns);
/* What the sender says of a try. */
struct backoff_try {
  uint32_t tries;  /* so far */
  uint64_t due_ns; /* the next one */
  bool drew;       /* it drew for the wait, */
  uint64_t drawn;  /* ... and got that */
};
/* A wait is over, and the sender says so. */
enum backoff_finding backoff_timeout(struct backoff *backoff, const struct backoff_schedule *schedule, uint64_t now_ns,
                                     const struct backoff_try *said);
/* It gives up trying, and probes. refused: for what the peer sent. */
enum backoff_finding backoff_parked(struct backoff *backoff, const struct backoff_schedule *schedule, uint64_t now_ns,
                                    bool refused);
/* Its timer ran: what was due was done. */
enum backoff_finding backoff_ticked(struct backoff *backoff, const struct backoff_schedule *schedule, uint64_t now_ns);

/* A greeting. */
struct backoff_greeting {
  bool goes_on;      /* another part follows */
  bool full;         /* it says that there is no room */
  uint64_t refusals; /* of the sender, so far: where there was no room for a moment all are told when there is again */
  uint64_t offered;  /* it offers that snapshot; 0: none */
  bool to_all;       /* the sender greets everybody in this event, for what it holds now */
  bool acknowledges; /* in this event something became durable, or was found to be held already, */
  bool all_durable;  /* ... and nothing waits for that any more */
};
enum backoff_finding backoff_greeted(struct backoff *backoff, const struct backoff_greeting *greeting);
/* Operations leave. */
enum backoff_finding backoff_operations(const struct backoff *backoff);

/* It takes the peer for one that is back. heard: something of that one is being taken. */
enum backoff_finding backoff_revived(struct backoff *backoff, uint64_t now_ns, bool heard);
/* Something valid of the peer was taken. */
enum backoff_finding backoff_heard(const struct backoff *backoff);
/* The event ends: all that was to be sent has left, and the sender asked to be woken at that time. */
enum backoff_finding backoff_end(struct backoff *backoff, uint64_t deadline_ns);

#endif
