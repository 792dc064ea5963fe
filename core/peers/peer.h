/* Peers: what each is known to hold, what is in flight to it, and when it is
 * talked to next. Peers share nothing, so a dead one delays nobody. */
#ifndef SYNC_CORE_PEERS_PEER_H
#define SYNC_CORE_PEERS_PEER_H

#include "core/base/base.h"
#include "core/state/state.h"
#include "core/sync.h"

#define PEER_NOMINAL_BYTES 704u
#define PEER_GAP_SPACING_NS UINT64_C(100000000) /* between two restarts that a peer's gaps ask for */
#define PEER_OFFER_NS                                                                                                  \
  UINT64_C(1000000000) /* behind for so long (or a quarter of the retry interval): it is offered a snapshot */
#define PEER_TOUCHED_MAX 8u
#define PEER_STRANGERS 64u
/* Shares of the acknowledgement timeout. */
#define PEER_TELL_SHARE 4u       /* so long waits what a peer has from others as well, for it to be told, */
#define PEER_TELL_PEERS 16u      /* ... with so many peers; longer with more of them, who are told as much, */
#define PEER_TELL_MOST 3u        /* ... up to so many times as long; and so long until it is told again */
#define PEER_CONFIRM_SHARE 8u    /* so long a peer may wait to hear that it was heard, */
#define PEER_ASK_WAIT_SHARE 40u  /* ... and what a peer holds and we lack, for it to come by itself */
#define PEER_ASK_AGAIN_SHARE 16u /* ... or for an answer, before another one is asked */
#define PEER_ASK_WAIT_MIN_NS UINT64_C(50000000)
#define PEER_IDLE_LISTEN_SHARE 8u /* of idle_hello_ns: who listens waits so much longer before it speaks */
#define PEER_ASK_AGAIN_MIN_NS UINT64_C(100000000)
#define PEER_CLEAN_WINDOWS 8u /* acknowledged without a gap before more is in flight again */

struct peer {
  char node_id[NODE_ID_ROOM];
  size_t node_id_size;
  uint32_t handle;

  /* Rule 7. Believed for this session of the peer only. */
  uint64_t known_session; /* 0: nothing is known */
  struct vector known;
  uint64_t my_nonce;
  uint64_t their_nonce;

  enum sync_peer_state state;
  uint32_t retries;
  bool held;                /* nothing leaves for it, and nothing of it is due: sync_peer_hold() */
  uint64_t heard_ns;        /* when a valid frame came last; 0: none since the open */
  uint64_t sent_ns;         /* of the turn in which it was given a frame last; 0: none was since the open */
  uint64_t due_ns;          /* retry, probe or idle HELLO */
  uint64_t gap_due_ns;      /* a restart put off by its spacing */
  uint64_t last_restart_ns; /* of the window */

  /* The window: everything below the cursor is known to be held there, or
   * among the ordinals in flight (ascending). */
  uint64_t cursor;
  uint64_t *in_flight;
  uint32_t in_flight_count;
  uint32_t window;    /* room of in_flight */
  uint32_t allowance; /* operations in flight at most: fewer where frames overtake each other */
  uint32_t clean;     /* windows acknowledged without a gap since the allowance last changed */
  uint32_t settled;   /* operations acknowledged since the last of these windows */

  /* The last of what was sent may be lost, and nothing comes behind it that would show it. */
  uint64_t probe;        /* one more than the oldest ordinal in flight when that was looked at */
  uint64_t probe_due_ns; /* if it is the same then, the peer is told, once, what it should hold: it answers, or asks */
  bool probing;          /* the next it is told wants an answer */

  bool awaiting; /* an acknowledgement is due at due_ns; a restart for gaps does not put it off */

  /* What it is told: how many operations are durable here, in the order of the log. */
  struct memory_array wishes;         /* uint8_t, enum hello_wish, by writer (feed.h) */
  struct memory_array tags;           /* uint32_t, of its peers, ascending */
  bool greet;                         /* the next is a HELLO */
  uint64_t part;                      /* HELLOs of one list that it was sent, */
  uint64_t part_operations;           /* ... and what they tell of */
  uint64_t parts_heard;               /* the same of its: one after the other, */
  uint64_t parts_operations;          /* ... and what they tell of */
  bool knows_us;                      /* it heard in this run of ours who we are: NEWS will do */
  uint64_t lives;                     /* the digest of the lives that it knows */
  uint32_t touched[PEER_TOUCHED_MAX]; /* origins that it sent operations of since it was told what is held of them */
  uint32_t touched_count;
  bool tell_all;     /* ... or of more */
  uint64_t held_end; /* all operations below are known to be held there */
  /* Counted as in a HELLO: one more than the durable operations of a log. */
  uint64_t passed;      /* the last that was not pushed is among these, */
  uint64_t told;        /* ... it was told of these, */
  uint64_t confirmed;   /* ... and it has heard of these; 0: of nothing */
  uint64_t tell_due_ns; /* of what it was not sent */
  uint64_t ack_due_ns;  /* ... of what it sent */
  /* What it asked for: */
  uint64_t answer, answer_end; /* ordinals among which that is */
  struct vector hand;          /* what it held when it asked, though not durably */
  uint64_t answered_ns;        /* when what was in flight was last taken for lost; 0: never */

  /* What it tells us. */
  uint64_t heard_of;    /* operations in its log */
  bool lacks;           /* it named operations that were not here then */
  uint64_t lacking;     /* among so many of them are some that we lack; 0: none */
  bool unknown;         /* ... some of lives that are not known here */
  size_t unknown_among; /* ... when so many were: one that came since is taken for it, or it is told again */
  uint64_t ask_due_ns;  /* ... when it is asked for them */
  uint64_t useful_ns;   /* when operations came from it last that were not here */
  uint32_t put_off;     /* times that it was not asked, in a row, because they did */
  uint64_t asked_ns;    /* when it was asked last */
  uint64_t answer_ns;   /* how long answers of it take: the longest of late; 0: none came */
  uint32_t asks;        /* in a row */
  uint64_t wanted;      /* the next HELLO asks for them; 0: not */

  /* Positions whose durability owes the peer an acknowledgement; 0: none. */
  uint64_t ack_first, ack_last;

  bool hello_pending;
  bool hello_last;  /* the last frame to it was a HELLO: operations that wait go first now */
  bool gap_pending; /* the next HELLO says that operations were skipped */
  bool ack_soon;    /* it waits for an acknowledgement: its window is full */
  bool list_all;    /* the next HELLO leaves nothing out: the peer sent what is held here */
  size_t list_from; /* the sorted origin at which the next HELLO goes on, after one that was too long */
  bool is_full;     /* says that it is not applying */
  uint32_t heard;   /* origins that were known here when it told last what it holds: of others it says nothing yet */
  bool ask;         /* the next HELLO asks for one */
  bool behind;      /* it lacks what the log has no more: it takes a snapshot */
  uint64_t
      offer_due_ns; /* when it is offered one, if it is behind then still; others may be sending it what it lacks */

  /* The snapshot that it is being sent; 0: none. */
  uint64_t fetch_id;
  uint64_t fetch_sent, fetch_until; /* bytes of its file: sent, and to be sent */
  uint64_t fetch_asked_ns;          /* when it asked for some of it last */

  bool stalled; /* an operation for it could not be read back; again when due */
};

/* What is known of the way of one node's operations to this one. */
struct feed {
  uint32_t feeder;     /* handle of the peer that they come from, and 1; 0: nobody yet */
  uint32_t before;     /* who did before, as long as the feeder is not seen to push; 0: nobody */
  uint32_t misses;     /* that others brought first, since the feeder brought one */
  uint64_t lacking_ns; /* since then some are known of that are not here; 0: none are */
  uint64_t moved_ns;   /* when one was applied, or somebody was asked for some; 0: never */
};
#define FEED_NOMINAL_BYTES 32u

/* All peers, and what they use of the node that they belong to. */
struct peers {
  const struct sync_env *env;
  const struct sync_options *options;
  struct state *state;
  struct sync_stats *stats;
  struct memory_array all; /* struct peer *, by handle; NULL: free */
  struct peer *spare;
  struct memory_array feeds; /* struct feed, by writer */
  struct memory_array tags;  /* uint32_t, of all peers, ascending */
  uint64_t causes_asked_ns;  /* when somebody was asked for causes of operations that wait */
  bool heard_lacking;        /* what was heard last names operations that are not here, */
  bool heard_unknown;        /* ... lives that are not known here, */
  bool heard_first;          /* ... of some of which nobody told a moment ago */
  struct peer_stranger {
    uint64_t incarnation, heard_ns;
  } strangers[PEER_STRANGERS]; /* such lives, by their incarnations: who told last of each, others are not asked */
  uint32_t count;
  uint32_t turn;       /* whose turn it is to send */
  struct vector heard; /* scratch: what a HELLO says, completed */
};

/* What is pointed to must outlive the peers. */
void peers_init(struct peers *peers, const struct sync_env *env, const struct sync_options *options,
                struct state *state, struct sync_stats *stats);
void peers_deinit(struct peers *peers);

/* The registered peer, or NULL. */
struct peer *peer_at(const struct peers *peers, uint32_t handle);
struct peer *peer_find(const struct peers *peers, const uint8_t *node_id, size_t node_id_size);
/* One past the greatest handle in use. */
uint32_t peer_handles(const struct peers *peers);
/* Memory for one more peer. SYNC_E_TOO_MANY, SYNC_E_NO_MEMORY. */
int peer_reserve(struct peers *peers);
/* Takes the reserved memory and the lowest free handle. Cannot fail. */
struct peer *peer_insert(struct peers *peers, const uint8_t *node_id, size_t node_id_size);
/* The same for the handle behind the greatest; size 0 leaves it free. */
void peer_insert_next(struct peers *peers, const uint8_t *node_id, size_t node_id_size);
/* Forgets all. */
void peers_reset(struct peers *peers);
void peer_delete(struct peers *peers, struct peer *peer);

/* Sets the deadline of a peer that is neither backing off nor parked. */
void peer_schedule(struct peers *peers, struct peer *peer, uint64_t now_ns);
/* First contact: a nonce, a HELLO, a retry deadline. */
void peer_start(struct peers *peers, struct peer *peer, uint64_t now_ns);
/* A valid frame came: ends backoff and parking. */
void peer_alive(struct peers *peers, struct peer *peer, uint64_t now_ns);
/* It is tried again as if it had never been silent: as sync_peer_retry(). */
void peer_retry(struct peers *peers, struct peer *peer, uint64_t now_ns);
/* As sync_peer_hold(). */
void peer_hold(struct peers *peers, struct peer *peer, bool held, uint64_t now_ns);
/* Drops from flight what `known` covers now. Only when the oldest is among it
 * the wait for the others begins anew. */
void peer_settle(struct peers *peers, struct peer *peer, uint64_t now_ns);
/* Takes the peer's word for a new life of it. */
void peer_new_session(struct peers *peers, struct peer *peer, uint64_t session, uint64_t now_ns);
/* The peer skipped operations of ours. */
void peer_gap(const struct peers *peers, struct peer *peer, uint64_t now_ns);
/* A greeting at once; who does not answer is greeted as the backoff allows, and told then. */
void peer_greet_soon(struct peer *peer);
/* The peer says whether it has no room to apply. If so, it is sent one frame at
 * a time, at the pace of probes, until it has. */
void peer_full(struct peers *peers, struct peer *peer, bool full, uint64_t now_ns);
void peer_park(struct peers *peers, struct peer *peer, uint64_t now_ns);
uint64_t peer_deadline(const struct peer *peer);
/* A HELLO to it is due then, or before. */
void peer_tell_by(struct peer *peer, uint64_t due_ns);
/* What is held of that life, and wished, is told it with the next frame that tells. */
void peer_touch(struct peer *peer, const struct origin *origin);
/* It holds what is held here, and said so: it need not be told the same. */
void peer_idle_heard(const struct peers *peers, struct peer *peer, uint64_t now_ns);
/* It is owed an acknowledgement: soon, or with others. */
void peer_acknowledge(const struct peers *peers, struct peer *peer);
/* So many of our first operations it is known to hold: moves past them. */
uint64_t peer_held_end(const struct peers *peers, struct peer *peer);
/* Something was sent to it: whether it comes is looked at later. */
void peer_watch_flight(const struct peers *peers, struct peer *peer, uint64_t now_ns);
/* It waits to hear that it was heard. */
void peer_confirm(const struct peers *peers, struct peer *peer, uint64_t now_ns);
/* It has heard of so many of ours. */
void peer_confirmed(struct peers *peers, struct peer *peer, uint64_t operations, uint64_t now_ns);
static inline uint64_t peer_share_ns(const struct peers *peers, uint64_t share) {
  return peers->options->ack_timeout_ns / share;
}
/* How long what is lacking may take to come by itself, and an answer, before somebody is asked: on a network as wide as
 * the earth, too, however short the acknowledgement timeout is. */
static inline uint64_t peer_ask_wait_ns(const struct peers *peers) {
  uint64_t share_ns = peer_share_ns(peers, PEER_ASK_WAIT_SHARE);
  return share_ns > PEER_ASK_WAIT_MIN_NS ? share_ns : PEER_ASK_WAIT_MIN_NS;
}
static inline uint64_t peer_ask_again_ns(const struct peers *peers) {
  uint64_t share_ns = peer_share_ns(peers, PEER_ASK_AGAIN_SHARE);
  return share_ns > PEER_ASK_AGAIN_MIN_NS ? share_ns : PEER_ASK_AGAIN_MIN_NS;
}
/* How long what it has from others may wait until it is told. */
static inline uint64_t peer_tell_ns(const struct peers *peers) {
  uint64_t times = peers->count / PEER_TELL_PEERS;
  return peer_share_ns(peers, PEER_TELL_SHARE) * (times < 1 ? 1 : times < PEER_TELL_MOST ? times : PEER_TELL_MOST);
}

/* Whether it lacks operations that the log has no more, by what it is known to hold. */
void peer_judge_behind(const struct peers *peers, struct peer *peer);

/* --- All of them ------------------------------------------------------------------ */

/* First contact with every peer that the log names. */
void peers_start(struct peers *peers, uint64_t now_ns);
/* A HELLO to everybody. */
void peers_greet(struct peers *peers);
/* The same, which asks for an answer: what was heard before may not have been understood. */
void peers_ask(struct peers *peers);
/* More is held durably than the log tells of: what they heard of before it does not say so. */
void peers_untold(struct peers *peers);
/* The durable position moved: a HELLO to those that wait for it. */
void peers_take_durable(struct peers *peers, uint64_t durable);
/* Does what is due; returns how many windows were restarted. */
uint32_t peers_tick(struct peers *peers, uint64_t now_ns);
uint64_t peers_deadline(const struct peers *peers);

/* The lowest ordinal that some peer may be sent from the log; one that is behind is sent a snapshot instead. */
uint64_t peers_needed(const struct peers *peers);
/* The log was trimmed: what is in flight and is there no more is given up. */
void peers_trimmed(struct peers *peers);
/* Judges all anew, and greets those that a snapshot can help. */
void peers_judge_behind(struct peers *peers);

/* Whether an answer to what was sent, or offered, is due. */
static inline bool peer_owes_answer(const struct peer *peer) {
  return peer->in_flight_count > 0 || peer->behind || peer->passed > peer->confirmed;
}

static inline bool peer_holds(const struct peer *peer, const struct origin *origin, uint64_t seq) {
  return peer->known_session != 0 && vector_get(&peer->known, origin->index) >= seq;
}

#endif
