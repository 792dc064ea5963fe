/* sync: a durable, local-first synchronisation engine. The public API.
 *
 * Persist locally first, sync later. A submit is appended to a write-ahead log
 * and applied to an in-memory store at once; it is promised once the durable
 * position passes it; only then does it leave the node. The engine owns no
 * socket, no thread and no clock: frames in (sync_receive), frames out
 * (sync_next_frame), time in (sync_tick), the next deadline out
 * (sync_next_deadline), fsync completions in (sync_disk_done).
 *
 * One engine is not safe for use from two threads at once; different engines
 * share nothing.
 *
 * Every function that can fail returns SYNC_OK or a negative `enum
 * sync_status` (env.h). After SYNC_E_POWERED_OFF or SYNC_E_FAILED only
 * sync_close is useful.
 */
#ifndef SYNC_SYNC_H
#define SYNC_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env.h"

#if defined(__GNUC__)
#define SYNC_MUST_USE __attribute__((warn_unused_result))
#else
#define SYNC_MUST_USE
#endif

SYNC_API_BEGIN

/* Of this interface (docs/packaging.md says what may change when). The formats on disk and wire have their own. */
#define SYNC_VERSION_MAJOR 0
#define SYNC_VERSION_MINOR 1
#define SYNC_VERSION_PATCH 0

#define SYNC_NODE_ID_BYTES_MAX 63u /* of [A-Za-z0-9._-] */
#define SYNC_CLUSTER_ID_BYTES 16u
#define SYNC_KEY_BYTES_MAX 1024u               /* any bytes, at least one */
#define SYNC_VALUE_BYTES_LIMIT (1024u * 1024u) /* the greatest value_bytes_max */
#define SYNC_FRAME_OVERHEAD_BYTES 4096u        /* a frame is at most value_bytes_max + this */
#define SYNC_NO_DEADLINE UINT64_MAX
#define SYNC_PEER_NONE UINT32_MAX
#define SYNC_ACK_AT_ONCE UINT64_MAX

struct sync_engine;

/* An origin is one life of one writer: a node id and the incarnation drawn at
 * its first write after an open. */
struct sync_origin {
  const char *node_id; /* NUL-terminated; owned by the engine */
  uint64_t incarnation;
};

/* The id of an operation: never two payloads, anywhere, for ever. */
struct sync_dot {
  struct sync_origin origin;
  uint64_t seq; /* contiguous from 1 within the origin */
};

/* What a change does to its key. */
enum sync_change_kind {
  SYNC_PUT = 1,
  SYNC_DELETE = 2, /* leaves a tombstone, until that is swept */
  SYNC_SWEEP = 3,  /* removes tombstones; written by the engine, not by callers */
};

/* One change of an operation. Key and value are copied. */
struct sync_change {
  enum sync_change_kind kind; /* SYNC_PUT or SYNC_DELETE */
  const void *key;
  size_t key_size;   /* 1 to SYNC_KEY_BYTES_MAX */
  const void *value; /* SYNC_PUT only; may be empty */
  size_t value_size;
};

/* What a submit returned: the operation's id, and the log position whose
 * durability is its promise. */
struct sync_receipt {
  struct sync_dot dot;
  uint64_t position;
};

/* One sibling of a key: one change that no held operation replaced. Pointers
 * are the engine's, valid until the next call that can change the store
 * (write, receive, tick, next_frame, close). */
struct sync_sibling {
  struct sync_dot dot;
  uint64_t hlc;
  bool tombstone;
  bool automatic;    /* written by a policy */
  bool conflict;     /* of what a key reads as: the key is in conflict (see "Conflicts") */
  bool merged;       /* ... and the value was made by a merge callback from all values; the rest is the winner's */
  bool unmerged;     /* ... and should be, but the callback failed: it is the greatest of the values */
  const void *value; /* NULL for a tombstone */
  size_t value_size;
};

/* --- Conflicts: policies ------------------------------------------------------------
 *
 * A conflict is what concurrent writes leave: two or more siblings of a key, not all of them tombstones. Nothing of
 * it is lost until somebody writes the key who has seen them. What is stored does not depend on policies, so nodes with
 * different ones hold the same; a policy says how a key reads, or which one of the siblings this node writes anew.
 *
 * Policies are of this process, and are stored nowhere: give them at every open. */

/* How a key with several siblings reads, and whether the engine writes one of them anew. */
enum sync_policy_kind {
  /* Reads as the greatest (hlc, node id, incarnation, seq), tombstones included. */
  SYNC_LAST_WRITE_WINS = 0,
  /* The same; and of a conflict that has writes of this node (any run of it), the engine writes the greatest of them
   * anew, by an operation of its own. */
  SYNC_KEEP_LOCAL = 1,
  /* ... the greatest of the others' instead, or of its own where there are no others. */
  SYNC_KEEP_REMOTE = 2,
  /* Reads as last write wins, marked as a conflict, until somebody resolves it (sync_conflicts, sync_resolve). */
  SYNC_MANUAL = 3,
  /* Reads as what a callback makes of all values; a delete concurrent with them does not count. */
  SYNC_MERGE = 4,
};

/* Makes one value of the `count` (two or more) that a key has, which come in dot order; the key is there for
 * information. Writes it to `to`, at most `capacity` bytes (the limit value_bytes_max), and its size to *size; a size
 * past `capacity` says that it has no room. Anything but SYNC_OK: it cannot.
 *
 * It must be a pure function of the values, on every node the same, whatever their order (sync_merge_check()): no
 * clock, no chance, no memory of earlier calls. It is called while a key is read, and may not call the engine. */
typedef int sync_merge(void *arg, const void *key, size_t key_size, const struct sync_sibling *values, size_t count,
                       void *to, size_t capacity, size_t *size);

/* A policy, of the whole engine or of a prefix. */
struct sync_policy {
  enum sync_policy_kind kind;
  sync_merge *merge; /* SYNC_MERGE only */
  void *merge_arg;
};
/* The policy of all keys that begin with `prefix`, but for those of a longer prefix that has one. */
struct sync_prefix_policy {
  const void *prefix;
  size_t prefix_size; /* 1 to SYNC_KEY_BYTES_MAX */
  struct sync_policy policy;
};
#define SYNC_PREFIX_POLICIES_MAX 64u

/* --- Opening and closing ------------------------------------------------------ */

/* How an engine is opened. Zero means the default everywhere. `node_id` and `cluster_id` are required.
 * Limits belong to the cluster: all nodes must have the same; their hash
 * travels in HELLO. */
struct sync_options {
  const char *node_id;
  uint8_t cluster_id[SYNC_CLUSTER_ID_BYTES];

  uint32_t value_bytes_max; /* limit; 65536, at most SYNC_VALUE_BYTES_LIMIT */
  uint32_t changes_max;     /* limit; changes in one operation, 256 */

  uint64_t store_bytes_max; /* nominal bytes of keys, values and index; 64 MiB */
  uint32_t peers_max;       /* 64 */
  uint32_t origins_max;     /* at local submit only; 65536 */
  uint64_t segment_bytes;   /* rotate the log past this; 4 MiB */
  uint64_t snapshot_bytes;  /* the log grows by this, or by half the last snapshot if that is more, before the next
                               snapshot is taken: 4 MiB; also when it is in 128 files, of which each open that writes
                               makes one. UINT64_MAX: only by sync_snapshot(), after a snapshot of a peer was merged, and
                               where damage was met, for which it is the remedy */
  uint64_t retain_bytes;    /* of log below a snapshot, kept for peers that lack it: 16 MiB, in at most as many files as
                               that is segments, and 64. Past it they are sent the snapshot, so it should be more than
                               a few of the longest values come to */

  uint32_t batch_size;        /* operations in one frame, 64 */
  uint32_t window_ops;        /* operations in flight to one peer, 256 */
  uint32_t max_retries;       /* then the peer is parked and probed, 5 */
  uint64_t retry_interval_ns; /* first backoff, 5 s */
  uint64_t retry_cap_ns;      /* longest backoff, 30 s */
  uint64_t probe_interval_ns; /* to a parked peer, 15 s */
  uint64_t ack_timeout_ns;    /* 10 s */
  uint64_t ack_delay_ns;      /* an acknowledgement waits so long for others, which one frame tells together:
                                 a hundredth of ack_timeout_ns; SYNC_ACK_AT_ONCE: not at all */
  uint64_t idle_hello_ns;     /* between two peers that owe each other nothing one tells so, 30 s */
  uint64_t idle_mark_ns;      /* quiet time before a durable mark, 1 s */
  uint64_t fsync_spacing_ns;  /* preset `durable`: 0, fsync as soon as the last is done; preset `fast`: 10 ms */
  uint64_t sweep_interval_ns; /* between two looks at tombstones that all peers hold, so that they are swept, many in
                                 one operation: 30 s. When so many come that they fill operations, up to 16 times as
                                 often. UINT64_MAX: never */
  uint64_t clock_bound_ns;    /* how far ahead of the wall clock an adopted HLC may run, 500 ms */

  struct sync_policy conflict_policy;               /* of keys without another one; last write wins */
  const struct sync_prefix_policy *prefix_policies; /* each prefix once; copied */
  size_t prefix_policy_count;                       /* at most SYNC_PREFIX_POLICIES_MAX */
};

/* Sets the preset `durable`, which is the default: each fsync begins as soon as the last is done. No other option is
 * touched. */
void sync_options_durable(struct sync_options *options);
/* Sets the preset `fast`, which only spaces fsyncs (10 ms): no promise is weaker, each comes a little later. No other
 * option is touched. */
void sync_options_fast(struct sync_options *options);

/* What sync_open found. All positions are bytes of the whole log. */
struct sync_open_report {
  uint64_t epoch;             /* opens that wrote, from 1 */
  uint64_t recovered_ops;     /* that the log still has; those that only the snapshot has do not count */
  uint64_t base_position;     /* of the snapshot that it began with; 0: there was none */
  uint64_t durable_position;  /* known durable from marks */
  uint64_t appended_position; /* end of the valid prefix */
  uint64_t tail_bytes_cut;    /* bytes behind the valid prefix */
  uint64_t damage_position;   /* with SYNC_E_DAMAGED: where */
  uint64_t claimed_position;  /* with SYNC_E_DAMAGED: a later record says that this much was durable */
  bool repaired;              /* by sync_open_repair: something was put aside, or a log begun where a base had none */
  uint64_t lost_named;        /* ... of which so many operations are whole and are not held now */
  uint64_t lost_unnamed;      /* ... and so many of which it cannot be told whose they are */
  char detail[160];           /* with an error: what, where and what would be right */
};

/* Opens the node's directory, replays its log, and starts a new session.
 * `options` are copied; `env` must outlive the engine. On success *engine owns
 * all its memory. `report` may be NULL.
 * Nothing is durable, or promised, that was not before; requests fsyncs.
 * Errors: SYNC_E_INVALID, SYNC_E_CLUSTER (another cluster's or node's files),
 * SYNC_E_LIMITS (written with a greater value_bytes_max),
 * SYNC_E_VERSION, SYNC_E_DAMAGED (nothing was changed), SYNC_E_NO_MEMORY,
 * SYNC_E_NO_SPACE, SYNC_E_FULL, SYNC_E_TOO_MANY (open files), SYNC_E_IO,
 * SYNC_E_POWERED_OFF. */
SYNC_MUST_USE int sync_open(struct sync_engine **engine, const struct sync_env *env, const struct sync_options *options,
                            struct sync_open_report *report);

/* An operation that stands, whole, behind damage, in what was put aside. */
struct sync_lost {
  struct sync_dot dot; /* node_id is valid during the call */
  uint64_t position;
};
/* Opens as sync_open, but damage is no error: what stands behind the last record that is whole (and a base that is not)
 * is put aside under names that begin with "bad-", never deleted, and the engine opens with what precedes it, under a
 * new session. So peers send again what they hold, also what this node wrote. Calls `each` (may be NULL) for each
 * operation that is whole behind the damage and not held now; what no peer holds of it is lost, unless somebody reads
 * it there. A non-zero result ends the open, and is returned if it is negative, else SYNC_E_INVALID. Repairing an
 * undamaged directory is a plain open. Without any base, or log from its beginning on, the engine opens empty, also of
 * peers: add them again. What it did is durable when the durable position reaches sync_appended_position() of then;
 * until then the directory may want a repair again. Errors: as sync_open, but SYNC_E_DAMAGED and SYNC_E_IO only where
 * putting aside fails. */
SYNC_MUST_USE int sync_open_repair(struct sync_engine **engine, const struct sync_env *env,
                                   const struct sync_options *options, struct sync_open_report *report,
                                   int (*each)(void *arg, const struct sync_lost *lost), void *arg);

/* Writes what is not written yet and a durable mark, closes files and frees all
 * memory. Makes nothing durable: to keep the last submits, call sync_commit and wait for the durable
 * position first. Completions of fsyncs still in flight must not be delivered
 * afterwards. NULL is allowed. */
void sync_close(struct sync_engine *engine);

/* --- Writing ------------------------------------------------------------- */

/* Submits one operation of `count` changes, at most one for each key, applied
 * as one: all or nothing, here and on every replica. Visible to sync_get on
 * return; promised when sync_durable_position() >= receipt->position.
 * Wants a write and an fsync; the next sync_next_frame, sync_tick or sync_commit
 * makes the one and requests the other, so that the submits of one turn share
 * both (sync_flush writes alone). A delete of an absent key is a write like any
 * other. `receipt` may be NULL.
 * Errors, each leaving everything unchanged, for ever: what was refused is on no
 * disk. SYNC_E_INVALID, SYNC_E_TOO_BIG, SYNC_E_FULL, SYNC_E_TOO_MANY,
 * SYNC_E_NO_MEMORY, SYNC_E_FAILED, SYNC_E_POWERED_OFF, and, while the log cannot
 * be written, what the write gave, such as SYNC_E_NO_SPACE or SYNC_E_IO: earlier submits
 * wait in memory for a write that succeeds, and no others are taken until then. */
SYNC_MUST_USE int sync_write(struct sync_engine *engine, const struct sync_change *changes, size_t count,
                             struct sync_receipt *receipt);
/* Submits one operation that puts one key: as sync_write of one change. Errors: as sync_write. */
SYNC_MUST_USE int sync_put(struct sync_engine *engine, const void *key, size_t key_size, const void *value,
                           size_t value_size, struct sync_receipt *receipt);
/* Submits one operation that deletes one key: as sync_write of one change. Errors: as sync_write. */
SYNC_MUST_USE int sync_delete(struct sync_engine *engine, const void *key, size_t key_size,
                              struct sync_receipt *receipt);

/* Writes all submitted so far to the log's file, in one call: it survives the
 * process from then on, and the machine once it is durable. Until the durable
 * position has moved for the first time since sync_open, the file stands aside, and
 * what is in it goes with the process. On an error what was submitted stays so,
 * and the write is tried again, also by the calls that end a turn. SYNC_E_NO_SPACE,
 * SYNC_E_IO, SYNC_E_NO_MEMORY, SYNC_E_TOO_MANY (open files, requests of an fsync),
 * SYNC_E_FAILED, SYNC_E_POWERED_OFF. */
SYNC_MUST_USE int sync_flush(struct sync_engine *engine);
/* Writes all submitted so far and requests an fsync of it; returns without waiting.
 * Errors: as sync_flush. */
SYNC_MUST_USE int sync_commit(struct sync_engine *engine);
/* All records that end at or below this position are durable. It only grows, and it follows a writer that never pauses:
 * it passes a record within two completed fsyncs, in a new log or segment a few more (docs/promises.md). */
uint64_t sync_durable_position(const struct sync_engine *engine);
/* The end of the log, with what is submitted and not written yet. What ends at or below it is durable once
 * sync_durable_position() reaches it. */
uint64_t sync_appended_position(const struct sync_engine *engine);
/* Takes the completion of a file_fsync or dir_fsync that this engine requested.
 * A failure stops the engine for good (SYNC_E_FAILED from then on).
 * Unknown tokens are SYNC_E_INVALID. SYNC_E_POWERED_OFF. */
SYNC_MUST_USE int sync_disk_done(struct sync_engine *engine, uint64_t token, int result);

/* Wants a snapshot of the state as it is when the next turn ends. It is written in steps beside normal work,
 * one at each sync_tick() that is due; when it is durable, recovery begins with it, and the log behind it goes, but for
 * what peers still lack (retain_bytes). Without a call it happens by options->snapshot_bytes. Nothing is durable that
 * was not. SYNC_E_FAILED, SYNC_E_POWERED_OFF. */
SYNC_MUST_USE int sync_snapshot(struct sync_engine *engine);

/* --- Backup -------------------------------------------------------------------
 *
 * A live backup is the state of one instant in another directory, from which an engine of the same node id opens: a
 * node of its own right, even beside this one, for its first write begins a life that no other has. While one is made
 * the engine takes no snapshot of its own. */
struct sync_backup;
/* Begins a live backup. `to` must have no files of an engine, and must outlive *backup; what a backup that was killed
 * has left there is removed. SYNC_E_EXISTS: it has;
 * SYNC_E_TOO_MANY: one is being made; SYNC_E_NO_MEMORY, SYNC_E_FAILED, SYNC_E_POWERED_OFF, and what listing the names
 * gives. */
SYNC_MUST_USE int sync_backup_begin(struct sync_engine *engine, const struct sync_env *to, struct sync_backup **backup);
/* Does some of a backup, at most a write of about 32 KiB; between two steps the engine is used as ever. The instant is
 * that of the first step that finds no snapshot of the engine's own in the making. *done: all is
 * durable. Errors are final, and leave nothing that counts: SYNC_E_STALE (a snapshot of a peer was merged, or the
 * engine closed, before all was saved), SYNC_E_NO_MEMORY, SYNC_E_FAILED, SYNC_E_POWERED_OFF, and what calls on `to`
 * give, such as SYNC_E_NO_SPACE. */
SYNC_MUST_USE int sync_backup_step(struct sync_backup *backup, bool *done);
/* Takes the completion of an fsync of `to`. SYNC_E_INVALID: no such token. Errors: as sync_backup_step. */
SYNC_MUST_USE int sync_backup_disk_done(struct sync_backup *backup, uint64_t token, int result);
/* Ends a backup, also before it is done: then what is there is removed. NULL is allowed. */
void sync_backup_end(struct sync_backup *backup);

/* --- Reading ------------------------------------------------------------- */

/* What the key reads as by its policy: under most the winner, the greatest (hlc, node id, incarnation,
 * seq). A merged value is the engine's, valid until the next call that reads a key or can change the store.
 * SYNC_E_NOT_FOUND when the key is absent, or reads as a tombstone. Only under a merge: SYNC_E_MERGE (the callback
 * failed) and SYNC_E_TOO_BIG (it wants more room than a value may have), both with the greatest value in *winner;
 * SYNC_E_NO_MEMORY (only with more than 64 siblings). */
SYNC_MUST_USE int sync_get(const struct sync_engine *engine, const void *key, size_t key_size,
                           struct sync_sibling *winner);
/* Lists the siblings of a key: calls `each` for all of them in dot order (node id, incarnation,
 * seq); ends early when it returns non-zero, and returns that. Never fails by itself: of an absent key it calls
 * nothing. */
int sync_siblings(const struct sync_engine *engine, const void *key, size_t key_size,
                  int (*each)(void *arg, const struct sync_sibling *sibling), void *arg);

/* Lists keys: calls `each` for every key that begins with `prefix` (empty: all) and is
 * not below `start` (may be empty), in bytewise key order, with what it reads as (as
 * sync_get gives it; a merged value is valid during the call; one that could not be made is `unmerged`).
 * `with_absent` includes keys that read as a tombstone. `each` must not
 * change the engine; non-zero ends the iteration and is returned. SYNC_E_NO_MEMORY under a merge. */
int sync_iterate(const struct sync_engine *engine, const void *prefix, size_t prefix_size, const void *start,
                 size_t start_size, bool with_absent,
                 int (*each)(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner),
                 void *arg);

/* --- The change feed ------------------------------------------------------------- */

/* Where a reader of the feed stands. All zero: at the beginning. Plain numbers, good across restarts of the engine: who
 * keeps it with what it made of the changes, in one transaction, misses none of them. */
struct sync_bookmark {
  uint64_t position; /* of the log: behind the operation that was told last */
  uint64_t tag;      /* of that operation: in another log, or one that lost it, the bookmark stands nowhere */
  /* The reader may have read what was applied up to `seen`, durable or not; all that it had read when it stood at
   * `safe` is durable. */
  uint64_t seen, seen_tag;
  uint64_t safe, safe_tag;
};
/* A change that is told. */
struct sync_applied {
  struct sync_dot dot;        /* of the operation */
  bool own;                   /* this node wrote it, in this life or one before it */
  bool automatic;             /* a policy did */
  bool last;                  /* no more changes of this operation follow */
  enum sync_change_kind kind; /* SYNC_PUT or SYNC_DELETE */
  const void *key;            /* valid during the call, as is the value */
  size_t key_size;
  const void *value; /* of SYNC_PUT */
  size_t value_size;
};
/* Takes a change that is told. Other than 0 ends the call. */
typedef int sync_changes_each(void *arg, const struct sync_applied *applied);
/* Tells what has changed behind a bookmark: the changes of at most `most` (not 0) durable operations behind *bookmark,
 * all of every operation or none, in the order in which they were applied here, own ones and those of peers; and moves
 * *bookmark behind them. *more (may be NULL) says whether there are others. What the key reads as now, sync_get() says:
 * a change may have been replaced since, or be one side of a conflict. `each` may read and must not change the engine;
 * non-zero ends the call and is returned, and the operation is told again by the next one. Sweeps are not told. After a
 * power loss that took what the reader may have read, what was told since it was safe is told again, for such keys read
 * as something else now. SYNC_E_STALE: operations behind the bookmark are not in the log any more, or came within a
 * snapshot, or the log is not the one where it was made (a restored backup). Then *bookmark stands where the engine
 * does now: take all keys by sync_iterate() for what there is, keep the bookmark once that is done, and go on.
 * SYNC_E_DAMAGED, SYNC_E_IO: an operation cannot be read back; in the end that makes it SYNC_E_STALE. SYNC_E_INVALID,
 * SYNC_E_NO_MEMORY, SYNC_E_FAILED, SYNC_E_POWERED_OFF. */
SYNC_MUST_USE int sync_changes(struct sync_engine *engine, struct sync_bookmark *bookmark, uint32_t most, bool *more,
                               sync_changes_each *each, void *arg);

/* --- Conflicts: listing and resolving ---------------------------------------------- */

/* Names the siblings that a key has: 128 bits of a hash of the key and their dots. */
struct sync_token {
  uint8_t bytes[16];
};
/* A key in conflict. */
struct sync_conflict {
  const void *key; /* the engine's, valid until the next call that can change the store */
  size_t key_size;
  struct sync_token token;
  uint64_t siblings;            /* sync_siblings() gives them */
  enum sync_policy_kind policy; /* of the key, here */
  bool settled;                 /* policies wrote all of them: keep local and keep remote leave it at that */
};
/* Lists the keys in conflict: calls `each` for every one that is not below `start` (may be empty), in bytewise key
 * order, whatever its policy; costs what is listed. `each` must not change the engine; non-zero ends it and is
 * returned: to resolve while listing, take one, resolve it, and go on behind its key. Never fails by itself. */
int sync_conflicts(const struct sync_engine *engine, const void *start, size_t start_size,
                   int (*each)(void *arg, const struct sync_conflict *conflict), void *arg);
/* Gives the conflict of one key. SYNC_E_NOT_FOUND: it is in none. */
SYNC_MUST_USE int sync_conflict(const struct sync_engine *engine, const void *key, size_t key_size,
                                struct sync_conflict *conflict);
/* Writes the change if its key still has the very siblings that the token names, all of which it replaces then. It
 * is a write like any other, durable and refused as sync_write() says. SYNC_E_STALE: there are others by now, which
 * the caller has not seen; nothing changed. Two nodes that resolve at once make a conflict again. */
SYNC_MUST_USE int sync_resolve(struct sync_engine *engine, const struct sync_token *token,
                               const struct sync_change *change, struct sync_receipt *receipt);

/* Sets the policy of a prefix, of the whole engine when it is empty; NULL: it has none of its own any more (the engine:
 * last write wins). What is in conflict reads by it at once, and is resolved by it in the turns that follow; where keep
 * local or keep remote is set, the call looks at each conflict. Copied, but for `merge_arg`. Not durable.
 * SYNC_E_INVALID, SYNC_E_TOO_BIG (the prefix), SYNC_E_TOO_MANY, SYNC_E_NO_MEMORY, SYNC_E_FAILED, SYNC_E_POWERED_OFF:
 * nothing changed. */
SYNC_MUST_USE int sync_policy_set(struct sync_engine *engine, const void *prefix, size_t prefix_size,
                                  const struct sync_policy *policy);
/* The policy that the key has here. */
struct sync_policy sync_policy_of(const struct sync_engine *engine, const void *key, size_t key_size);

/* Checks that a merge callback is one: gives it `count` values (2 to 5) in every order, each twice, as if each had been
 * written by a node of its own, and compares what it makes of them. For tests of callbacks; needs no engine. `scratch`
 * has room for two results of `capacity` bytes. SYNC_OK; SYNC_E_MERGE: it failed, or the results differ;
 * SYNC_E_TOO_BIG: one was larger than `capacity`; SYNC_E_INVALID: so are the arguments. */
struct sync_merge_value {
  const void *value;
  size_t value_size;
};
SYNC_MUST_USE int sync_merge_check(const struct sync_policy *policy, const void *key, size_t key_size,
                                   const struct sync_merge_value *values, size_t count, void *scratch, size_t capacity);

/* --- Comparing replicas --------------------------------------------------------- */

/* Order-independent digests, kept incrementally: two replicas with equal
 * `vector` have equal `state`. */
struct sync_digest {
  uint64_t state;  /* over every (key, sibling) */
  uint64_t vector; /* over every (origin, highest contiguous seq) */
  uint64_t keys;   /* keys with at least one sibling */
  uint64_t siblings;
};
/* Gives the digests of what is here. */
void sync_digest_get(const struct sync_engine *engine, struct sync_digest *digest);
/* Computes the digests from scratch: for checking the incremental ones. Costs a walk over all keys. */
void sync_digest_recompute(const struct sync_engine *engine, struct sync_digest *digest);

/* Lists the version vector, applied or durable: calls `each` for every origin in
 * (node id, incarnation) order; non-zero ends it and is returned. Never fails by itself. */
int sync_vector(const struct sync_engine *engine, bool durable,
                int (*each)(void *arg, const struct sync_origin *origin, uint64_t seq), void *arg);
/* Whether the operation is applied here. */
bool sync_holds(const struct sync_engine *engine, const char *node_id, uint64_t incarnation, uint64_t seq);

/* --- Peers and frames ------------------------------------------------------ */

/* Registers a peer and gives its handle; the handle of a known peer is given again. It is in the log, and durable with
 * what was appended until then (sync_appended_position). `peer` may be NULL. Handles are small, stable while the
 * engine is open, and come back in the same order after a reopen.
 * Errors: SYNC_E_INVALID (also for our own id), SYNC_E_TOO_MANY,
 * SYNC_E_NO_MEMORY, SYNC_E_NO_SPACE, SYNC_E_IO, SYNC_E_FAILED, SYNC_E_POWERED_OFF. */
SYNC_MUST_USE int sync_peer_add(struct sync_engine *engine, const char *node_id, uint32_t *peer);
/* Forgets what the peer holds and stops frames to it. What was owed to it is
 * owed no longer; adding it again needs no ceremony. SYNC_E_PEER, and those of
 * sync_peer_add for the disk and for memory. */
SYNC_MUST_USE int sync_peer_remove(struct sync_engine *engine, uint32_t peer);
/* Tries the peer again now, as if it had never been silent: backoff and parking end, retries are counted anew, and what
 * is in flight to it counts as not sent. The next frames greet it and have what it is owed; entries of the outbox that
 * read as failed read as queued. For who knows that the way to it is open again; without the call a parked peer is
 * probed all the same. SYNC_E_PEER, SYNC_E_FAILED, SYNC_E_POWERED_OFF. */
SYNC_MUST_USE int sync_peer_retry(struct sync_engine *engine, uint32_t peer);

/* Holds the link to a peer, or lets it go: while it is held, sync_next_frame() has nothing for that peer, nothing is
 * waited for, and nobody counts as silent. What comes from there is taken as ever, and acknowledged when the link is
 * let go, which is as sync_peer_retry(). What is in flight when it is held counts as not sent. For what people decide:
 * a metered line, a button. Of this process, not stored: hold it anew after an open, before the first frame is taken.
 * SYNC_E_PEER, SYNC_E_FAILED, SYNC_E_POWERED_OFF. */
SYNC_MUST_USE int sync_peer_hold(struct sync_engine *engine, uint32_t peer, bool held);

/* How it stands between the engine and a peer. */
enum sync_peer_state {
  SYNC_PEER_NEW = 1, /* no valid frame in this session of ours yet */
  SYNC_PEER_ACTIVE = 2,
  SYNC_PEER_BACKOFF = 3, /* an acknowledgement is overdue */
  SYNC_PEER_PARKED = 4,  /* retries used up; probed. sync_peer_retry() ends it */
  SYNC_PEER_HELD = 5,    /* sync_peer_hold() */
};
/* What the engine knows of a peer. */
struct sync_peer_info {
  const char *node_id; /* the engine's, valid until the peer is removed */
  enum sync_peer_state state;
  uint32_t retries;
  uint64_t owed_ops;         /* durable or not, that the peer is not known to hold */
  uint64_t in_flight_ops;    /* sent and not acknowledged */
  uint64_t next_deadline_ns; /* monotonic */
  uint64_t heard_ns;         /* monotonic: when a valid frame of it came last; 0: none since the open */
  uint64_t sent_ns;          /* monotonic: when it was tried last, the turn (its sync_tick() or sync_receive()) in which
                                sync_next_frame() gave a frame for it; 0: none since the open */
  /* Of whatever writer: how far it is behind. */
  struct sync_dot oldest; /* the first durable operation in our log that it is not known to hold; its seq is 0: none */
  uint64_t lag_bytes;     /* of our log, from there to what is durable */
};
/* Tells how it stands with a peer: its state, what it is owed. SYNC_E_PEER. */
SYNC_MUST_USE int sync_peer_info(const struct sync_engine *engine, uint32_t peer, struct sync_peer_info *info);
/* Lists the peers: calls `each` with every handle in use, in ascending order; non-zero ends it and is returned. Never
 * fails by itself. */
int sync_peers(const struct sync_engine *engine, int (*each)(void *arg, uint32_t peer), void *arg);

/* Lists what the peer is known to hold durably: calls `each` for every origin of
 * which it is known to hold something, in (node id, incarnation) order; non-zero
 * ends it and is returned. *session is the run of the peer (its sync_session())
 * for which that holds; 0: nothing is known. SYNC_E_PEER. */
SYNC_MUST_USE int sync_peer_vector(const struct sync_engine *engine, uint32_t peer, uint64_t *session,
                                   int (*each)(void *arg, const struct sync_origin *origin, uint64_t seq), void *arg);
/* Names this run of the engine, from open to close, among all runs of all
 * nodes. Never 0. */
uint64_t sync_session(const struct sync_engine *engine);

/* Takes one frame that arrived from `peer`. The bytes are read before return.
 * SYNC_OK also when it held nothing new. Operations whose causes have not come wait for them in memory, in as much as
 * 16 of the longest frames have, a quarter of it for one peer; nothing of them is acknowledged, and what finds no room
 * comes again. Errors: SYNC_E_CORRUPT, SYNC_E_VERSION, SYNC_E_CLUSTER (another one's, or damaged where it says whose it
 * is), SYNC_E_LIMITS, SYNC_E_PEER, SYNC_E_ID_CONFLICT (the peer is parked), and, applying nothing further of the frame
 * (the peer will send it again): SYNC_E_NO_SPACE, SYNC_E_FULL, SYNC_E_NO_MEMORY, SYNC_E_TOO_MANY, SYNC_E_IO,
 * SYNC_E_FAILED, SYNC_E_POWERED_OFF. */
SYNC_MUST_USE int sync_receive(struct sync_engine *engine, uint32_t peer, const void *frame, size_t size);

/* --- Time -------------------------------------------------------------------- */

/* What a tick did. */
struct sync_tick_report {
  uint32_t retried; /* peers whose window was restarted */
  uint32_t pruned;  /* outbox entries completed since the last tick */
  uint32_t batched; /* operations that became ready to send */
};
/* Does what is due: retries, probes, spaced fsyncs, idle marks, steps of snapshots, sweeps. `report` may be NULL. A
 * disk that refuses a write is no error here: it is tried again. SYNC_E_FAILED, SYNC_E_POWERED_OFF. */
SYNC_MUST_USE int sync_tick(struct sync_engine *engine, struct sync_tick_report *report);
/* When sync_tick wants to be called next, in env->mono_ns terms. */
uint64_t sync_next_deadline(const struct sync_engine *engine);

/* --- Frames out ---------------------------------------------------------------- */

/* Ends a turn and gives the next frame to send: writes what this turn appended to the log, requests the fsync that it
 * wants, then writes the next frame that is ready into `buffer` and names its peer; peers take turns. Give `capacity`
 * >= sync_frame_bytes_max(). Call until SYNC_E_NOT_FOUND after every call that may make work (open, write, receive,
 * disk_done, tick). SYNC_E_BUFFER: too small, nothing consumed.
 * SYNC_E_IO: the operation could not be read back; it is retried later. SYNC_E_FAILED, SYNC_E_POWERED_OFF.
 * SYNC_E_NOT_FOUND: there is none now. */
SYNC_MUST_USE int sync_next_frame(struct sync_engine *engine, uint32_t *peer, void *buffer, size_t capacity,
                                  size_t *size);
/* The size of the longest frame: the room that sync_next_frame() wants. The same while the engine is open. */
size_t sync_frame_bytes_max(const struct sync_engine *engine);

/* --- Verifying -------------------------------------------------------------- */

/* A record of the log that is not on the disk as it was written. */
struct sync_damage {
  uint64_t position; /* where it begins, bytes of the whole log, or of the base */
  uint64_t size;     /* of it; of all up to the next operation where no operation begins */
  int status;        /* SYNC_E_DAMAGED: other bytes, or no file; SYNC_E_IO: it cannot be read now */
  bool base;         /* of the file of the base, not of the log: a snapshot of what is in memory replaces it */
  bool operation;    /* `dot` says which; else a mark, or a peer that was added or removed */
  struct sync_dot dot;
};
#define SYNC_VERIFIED UINT64_MAX

/* Looks for damage: reads the log again, and behind it the base, from *position on (0: all of it; begin there after
 * every open, since a tail that was cut moves what comes later), headers of its files too, and calls `each` for every
 * record that is damaged; a header that is damaged counts as the first record of its file. Reads until `bytes_max`
 * bytes are passed, at least one record, so that it can go on in steps beside normal work; *position is where the next
 * step goes on, SYNC_VERIFIED when all that was written has been read. No file is changed, and damage is no error: it
 * wants a snapshot, as sync_snapshot() does, since what is in memory is whole. `each` must not change the engine; what
 * it returns other than 0 (not negative) ends the step and is returned. Errors: SYNC_E_NO_MEMORY, SYNC_E_TOO_MANY (no
 * file can be opened; *position is where it was reached), SYNC_E_FAILED, SYNC_E_POWERED_OFF. */
SYNC_MUST_USE int sync_verify(struct sync_engine *engine, uint64_t *position, uint64_t bytes_max,
                              int (*each)(void *arg, const struct sync_damage *damage), void *arg);

/* --- Outbox ---------------------------------------------------------------- */

/* How far an operation is on its way to one peer. */
enum sync_outbox_status {
  SYNC_OUTBOX_PENDING = 1,      /* not durable yet */
  SYNC_OUTBOX_QUEUED = 2,       /* durable, not sent since the last restart of the window */
  SYNC_OUTBOX_IN_FLIGHT = 3,    /* sent, not acknowledged */
  SYNC_OUTBOX_ACKNOWLEDGED = 4, /* durable at that peer */
  SYNC_OUTBOX_FAILED = 5,       /* the peer is parked; still owed and probed, never dropped: sync_peer_retry() ends
                                   it, sync_peer_remove() gives it up */
};
/* One operation on its way to one peer. */
struct sync_outbox_entry {
  struct sync_dot dot;
  uint32_t peer;
  enum sync_outbox_status status;
  uint32_t retries;
  uint64_t next_deadline_ns;
};
/* Counts the operations written by this node (in any incarnation) that at
 * least one registered peer is not known to hold durably. */
uint64_t sync_outbox_size(const struct sync_engine *engine);
/* Lists what is owed to whom: calls `each` for every (own operation, peer) that is still owed, in log
 * order, then peer order; before them, by origin, those that the log has no more and a snapshot pays. Non-zero
 * ends it and is returned. Never fails by itself. */
int sync_outbox(const struct sync_engine *engine, int (*each)(void *arg, const struct sync_outbox_entry *entry),
                void *arg);
/* The outbox in numbers: pairs of an operation of this node and a peer, by how far it is. */
struct sync_outbox_counts {
  uint64_t pending, queued, in_flight, failed; /* owed; together as many as sync_outbox() lists */
  uint64_t acknowledged;                       /* held durably there */
};
/* Counts the entries of the outbox of one peer, or with SYNC_PEER_NONE of all, without a walk over operations.
 * SYNC_E_PEER. */
SYNC_MUST_USE int sync_outbox_count(const struct sync_engine *engine, uint32_t peer, struct sync_outbox_counts *counts);
/* Gives one entry of the outbox, by its id: how far an operation of this node (of any life of it) is on its way to one
 * peer. SYNC_OUTBOX_ACKNOWLEDGED when the peer is known to hold it durably, of which sync_outbox() says nothing any
 * more. The dot's node id need not be the engine's. SYNC_E_NOT_FOUND: no operation of this node that is held here has
 * that id; SYNC_E_PEER. */
SYNC_MUST_USE int sync_outbox_find(const struct sync_engine *engine, const struct sync_dot *dot, uint32_t peer,
                                   struct sync_outbox_entry *entry);

/* --- Counters --------------------------------------------------------------- */

/* Counters, from 0 at each open, and figures of the moment. */
struct sync_stats {
  uint64_t submits, submits_refused;
  uint64_t own_writes;    /* operations that the engine wrote by itself */
  uint64_t sweeps, swept; /* ... of which so many are sweeps; tombstones that they removed */
  uint64_t tombstones;    /* here, now */
  uint64_t applied_remote, duplicates, not_yet;
  uint64_t frames_in, frames_in_bytes, frames_rejected;
  uint64_t frames_out, frames_out_bytes, ops_out, hellos_out;
  uint64_t fsyncs, fsync_bytes; /* completed; bytes that they made durable */
  uint64_t log_bytes;           /* appended by this engine */
  uint64_t timeouts, parked, revived;
  uint64_t future_clock; /* operations received from beyond the clock bound */
  uint64_t store_bytes;  /* nominal, now */
  uint64_t id_conflicts;
  uint64_t snapshots;         /* of our own that became the base */
  uint64_t snapshots_failed;  /* given up: no space, no memory */
  uint64_t snapshot_position; /* of the base; 0: there is none */
  uint64_t snapshot_bytes;    /* its file */
  uint64_t log_first;         /* where the log begins now */
  uint64_t merges;            /* snapshots of peers merged */
  uint64_t merges_refused;    /* ... that were none, or not whole */
  uint64_t blocks_in, blocks_out;
  uint64_t conflicts; /* keys in conflict, now */
  uint64_t resolved;  /* ... that keep local and keep remote have resolved here */
  bool full;          /* not applying: the store's bound or the disk */
  bool failed;        /* stopped for good */
};
/* Gives the counters. */
void sync_stats_get(const struct sync_engine *engine, struct sync_stats *stats);

/* --- Observing ----------------------------------------------------------------- */

/* How much a step that the engine reports (enum sync_trace_kind) matters to people. */
enum sync_level {
  SYNC_LEVEL_ERROR = 1,   /* it will not go on by itself */
  SYNC_LEVEL_WARNING = 2, /* it goes on, later or without something */
  SYNC_LEVEL_INFO = 3,    /* now and then: opened, a peer is back, a snapshot */
  SYNC_LEVEL_DEBUG = 4,
  SYNC_LEVEL_TRACE = 5, /* each operation and frame */
};
/* Gives the name of a kind of step, for an exporter of metrics: of [a-z_], the same for ever; NULL: no such kind. Kinds
 * count from 1, without a gap. */
const char *sync_trace_name(enum sync_trace_kind kind);
/* Tells how much a step matters to people. SYNC_LEVEL_TRACE for a kind that this build does not know. */
enum sync_level sync_trace_level(enum sync_trace_kind kind, const uint64_t *fields, size_t count);
/* Says a step in words, for a log: as one line without its end, of printable ASCII, terminated, cut to `size` (160 is
 * enough). */
void sync_trace_text(enum sync_trace_kind kind, const uint64_t *fields, size_t count, char *line, size_t size);

/* --- Names ------------------------------------------------------------------- */

/* Gives the name of a status, such as "SYNC_E_NO_SPACE". */
const char *sync_status_name(int status);
/* Says in one plain sentence what a status means. */
const char *sync_status_message(int status);
/* Gives the hash by which traces name a node. */
uint64_t sync_node_hash(const char *node_id);

SYNC_API_END

#endif
