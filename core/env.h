/* The port: the only way in which the engine sees the world.
 *
 * Whoever embeds the engine fills in a `struct sync_env`. posix/ does it with
 * real files and clocks, sim/ with a simulated machine. The engine calls
 * nothing else: no libc beyond memory and string functions, no ambient state.
 *
 * One environment is one directory of one node. Names are flat: 1 to 63 bytes
 * of [A-Za-z0-9._-], no separators, and none of ".", ".." and "lock" (the
 * environment's own). All calls return at once; only fsync completes later (see
 * file_fsync).
 */
#ifndef SYNC_ENV_H
#define SYNC_ENV_H

#include <stddef.h>
#include <stdint.h>

/* The brackets of a public header: C linkage in C++, and what a library that is compiled with -fvisibility=hidden
 * shows all the same. SYNC_HIDDEN, for who makes the engine a part of a library of their own: it shows nothing. */
#if defined(__GNUC__) && !defined(SYNC_HIDDEN)
#define SYNC_API_SHOW _Pragma("GCC visibility push(default)")
#define SYNC_API_SHOW_END _Pragma("GCC visibility pop")
#else
#define SYNC_API_SHOW
#define SYNC_API_SHOW_END
#endif
#if defined(__cplusplus)
/* A struct and a function of one name are two things in C, and in C++; -Wshadow of g++ warns of them all the same. */
#define SYNC_API_BEGIN                                                                                                 \
  SYNC_API_SHOW _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"") extern "C" {
#define SYNC_API_END                                                                                                   \
  }                                                                                                                    \
  _Pragma("GCC diagnostic pop") SYNC_API_SHOW_END
#else
#define SYNC_API_BEGIN SYNC_API_SHOW
#define SYNC_API_END SYNC_API_SHOW_END
#endif

SYNC_API_BEGIN

/* Every failure of the engine and of its environment. Negative, stable
 * numbers; sync_status_name() and sync_status_message() (sync.h) describe
 * them. */
enum sync_status {
  SYNC_OK = 0,
  SYNC_E_INVALID = -1,      /* an argument is outside its documented range */
  SYNC_E_TOO_BIG = -2,      /* key, value or operation above the cluster's limits */
  SYNC_E_NO_MEMORY = -3,    /* an allocation failed; nothing changed, a retry may succeed */
  SYNC_E_NO_SPACE = -4,     /* disk full or over quota; nothing changed */
  SYNC_E_IO = -5,           /* the disk reported an error */
  SYNC_E_NOT_FOUND = -6,    /* no such key, file or entry */
  SYNC_E_EXISTS = -7,       /* it is there already */
  SYNC_E_POWERED_OFF = -8,  /* the machine lost power: unwind, nothing has effect any more */
  SYNC_E_FAILED = -9,       /* the engine stopped itself (a failed fsync, writes that go on failing); reopen it */
  SYNC_E_FULL = -10,        /* the store's bound is reached */
  SYNC_E_DAMAGED = -11,     /* durable data cannot be read back as it was written */
  SYNC_E_CORRUPT = -12,     /* these bytes are not a valid frame or record */
  SYNC_E_VERSION = -13,     /* a format version that this build does not know */
  SYNC_E_CLUSTER = -14,     /* the peer or the files belong to another cluster */
  SYNC_E_LIMITS = -15,      /* the peer's limits differ from ours */
  SYNC_E_ID_CONFLICT = -16, /* one operation id with two payloads */
  SYNC_E_PEER = -17,        /* no such peer, or a frame that names another node */
  SYNC_E_BUFFER = -18,      /* the caller's buffer is too small; nothing was consumed */
  SYNC_E_STALE = -19,       /* what the caller saw has changed meanwhile */
  SYNC_E_LOCKED = -20,      /* another process has the directory open */
  SYNC_E_TOO_MANY = -21,    /* a count is at its bound (peers, origins, open files) */
  SYNC_E_INTERRUPTED = -22, /* the call did nothing and may be repeated at once */
  SYNC_E_MERGE = -23,       /* a merge callback failed, or gives different results for the same values */
};

/* file_open flags. */
#define SYNC_OPEN_CREATE 1u    /* create it when it is absent */
#define SYNC_OPEN_EXCLUSIVE 2u /* with CREATE: SYNC_E_EXISTS when it is there */
#define SYNC_OPEN_TRUNCATE 4u  /* cut to zero bytes */

/* Files are small non-negative numbers that the environment hands out. */
typedef int32_t sync_file;

/* What a `pick` decides; the value is part of the trace format: append only. */
enum sync_pick_kind {
  SYNC_PICK_BACKOFF_JITTER = 1, /* how much later than the plain backoff a retry runs */
};

/* What the engine reports of its own steps through `trace`. The fields of each
 * kind are listed as {field 0, field 1, ...}. `node` is a 64-bit hash of a node
 * id (sync_node_hash() in sync.h), `peer` the handle that sync_peer_add gave.
 * An operation's dot is {node, incarnation, seq}. Append only. */
enum sync_trace_kind {
  SYNC_TRACE_OPEN = 1,           /* {status, epoch, durable position, appended position, bytes cut} */
  SYNC_TRACE_SUBMIT = 2,         /* {node, incarnation, seq, end position, hlc} an own operation was applied */
  SYNC_TRACE_APPLY = 3,          /* {node, incarnation, seq, end position, peer} a remote operation was applied */
  SYNC_TRACE_DUPLICATE = 4,      /* {node, incarnation, seq, peer} was held already */
  SYNC_TRACE_NOT_YET = 5,        /* {node, incarnation, seq, peer} a cause is missing: skipped */
  SYNC_TRACE_DURABLE = 6,        /* {durable position} the durable position moved here */
  SYNC_TRACE_SEND_OP = 7,        /* {node, incarnation, seq, peer} left in a frame */
  SYNC_TRACE_SEND_HELLO = 8,     /* {peer, session, nonce, echo, flags} */
  SYNC_TRACE_KNOWN = 9,          /* {peer, session, 1 if replaced else 0} what the peer holds was updated */
  SYNC_TRACE_IGNORED_HELLO = 10, /* {peer, session} a dead session was not believed */
  SYNC_TRACE_TIMEOUT = 11,       /* {peer, retries, next deadline in monotonic ns} */
  SYNC_TRACE_PARKED = 12,        /* {peer} retries used up: slow probes from now on */
  SYNC_TRACE_REVIVED = 13,       /* {peer} a valid frame ended parking or backoff */
  SYNC_TRACE_REFUSED = 14,       /* {status, kind} a submit or frame was refused */
  SYNC_TRACE_FAIL_STOP = 15,     /* {status} */
  SYNC_TRACE_ROTATE = 16,        /* {first position, epoch} a new log segment */
  SYNC_TRACE_MARK = 17,          /* {position, end position} a durable mark was appended */
  SYNC_TRACE_CLOSE = 18,         /* {durable position, appended position} */
  SYNC_TRACE_SNAPSHOT = 19,      /* {position, id, bytes} became the base */
  SYNC_TRACE_TRIM = 20,          /* {first position} the log begins there now */
  SYNC_TRACE_OFFER = 21,         /* {peer, id, bytes} a HELLO offers a snapshot */
  SYNC_TRACE_FETCH = 22,         /* {peer, id, offset, 1 if blocks were lost else 0} asked for blocks */
  SYNC_TRACE_SEND_BLOCK = 23,    /* {peer, id, offset} */
  SYNC_TRACE_MERGE = 24,         /* {id, end position, peer} a snapshot was merged */
  SYNC_TRACE_SNAPSHOT_FAIL = 25, /* {status, id} one was given up */
  SYNC_TRACE_OWN_WRITE = 26,     /* {node, incarnation, seq, end position, hlc, position} an operation that
                                    the engine wrote by itself was applied */
  SYNC_TRACE_SEND_NEWS = 27,     /* {peer, lives named, operations told of or 0, operations asked for, flags} */
};

/* The calls of an environment. Each gets the `ctx` of its struct sync_env. */
struct sync_env_ops {
  /* Monotonic nanoseconds: never backwards, any zero. All timers use it. */
  uint64_t (*mono_ns)(void *ctx);
  /* Wall-clock nanoseconds since 1970-01-01 (0 before it, UINT64_MAX from 2554 on); may jump either way, or stand
   * still. Used only to order concurrent writes. */
  uint64_t (*wall_ns)(void *ctx);

  /* 64 bits that no other call on any node ever gave (an identity, not a
   * decision). Never 0. */
  uint64_t (*unique)(void *ctx);
  /* A decision: a value below n, n >= 1. 0 is the calm one. */
  uint64_t (*pick)(void *ctx, enum sync_pick_kind kind, uint64_t n);

  /* Memory, aligned for any type, not cleared; NULL when there is none.
   * `nominal` is what the block counts against quotas: the same number on
   * every processor, whatever sizeof says. free gets the same sizes back;
   * freeing NULL does nothing. */
  void *(*alloc)(void *ctx, size_t size, size_t nominal);
  void (*free)(void *ctx, void *block, size_t size, size_t nominal);

  /* Files. Each returns SYNC_OK or a negative status; SYNC_E_INTERRUPTED
   * means that nothing happened. A read or write may be short: *done says how
   * many bytes, also after an error (a failed write may have changed any part
   * of its range). Reading at or past the end gives SYNC_OK with *done = 0. */
  int (*file_open)(void *ctx, const char *name, uint32_t flags, sync_file *file);
  int (*file_close)(void *ctx, sync_file file);
  int (*file_read)(void *ctx, sync_file file, uint64_t offset, void *buffer, size_t size, size_t *done);
  int (*file_write)(void *ctx, sync_file file, uint64_t offset, const void *bytes, size_t size, size_t *done);
  int (*file_truncate)(void *ctx, sync_file file, uint64_t size);
  int (*file_size)(void *ctx, sync_file file, uint64_t *size);
  /* Replaces `to` when it exists. Durable only after dir_fsync. */
  int (*file_rename)(void *ctx, const char *from, const char *to);
  int (*file_unlink)(void *ctx, const char *name);
  /* Calls `each` for every name in bytewise order; a non-zero result of `each`
   * ends the listing and is returned. `each` must not change the directory. */
  int (*dir_list)(void *ctx, int (*each)(void *arg, const char *name), void *arg);

  /* Requests that all written so far to the file (its data and size), or all
   * creations, renames and unlinks so far in the directory, become durable.
   * SYNC_OK means that the request was taken and that the embedder will hand
   * exactly one sync_disk_done(engine, token, result) to the engine later,
   * never from within this call. Closing the file does not cancel it. After a
   * failed fsync nothing is known of what reached the disk. */
  int (*file_fsync)(void *ctx, sync_file file, uint64_t token);
  int (*dir_fsync)(void *ctx, uint64_t token);

  /* Observation only; may do nothing. */
  void (*trace)(void *ctx, enum sync_trace_kind kind, const uint64_t *fields, size_t count);
  /* A broken invariant. Must not return. */
  void (*fatal)(void *ctx, const char *file, int line, const char *what);
};

/* An environment: its calls, and what they are given. */
struct sync_env {
  const struct sync_env_ops *ops;
  void *ctx;
};

SYNC_API_END

#endif
