/* A `struct sync_env` in memory, for tests of the engine alone: files with a
 * page cache and a platter, fsyncs that the test completes by hand, calls that
 * fail or lose power at a chosen count, clocks that the test sets.
 *
 * Persistence: every file has a live content and a durable one, and the writes
 * and truncates between them; the directory likewise. A successful fsync moves
 * what was pending when it was requested. Power loss keeps, of what is
 * pending, what the chosen style says.
 */
#ifndef TESTS_SUPPORT_MEMORY_ENV_H
#define TESTS_SUPPORT_MEMORY_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env.h"

#define MEMORY_ENV_SECTOR 64u /* small, so that small logs are torn at many places */
#define MEMORY_ENV_FILES_MAX 256u
#define MEMORY_ENV_HANDLES_MAX 64u
#define MEMORY_ENV_FSYNCS_MAX 64u

enum memory_env_loss {
  MEMORY_ENV_LOSE_ALL = 0, /* only what was fsynced is left */
  MEMORY_ENV_KEEP_ALL = 1, /* everything pending reached the platter */
  MEMORY_ENV_PREFIX = 2,   /* per file and for the directory a prefix, the last write torn at a sector */
  MEMORY_ENV_SECTORS = 3,  /* any subset of sectors and of directory changes; sizes survive without data */
  MEMORY_ENV_GARBAGE = 4,  /* the same, and lost sectors may hold garbage */
  MEMORY_ENV_LOSSES = 5    /* how many styles there are */
};

/* The calls of the port that can fail, one kind each. */
enum memory_env_call {
  MEMORY_ENV_CALL_NONE = 0,
  MEMORY_ENV_OPEN = 1,   /* of a file that is there */
  MEMORY_ENV_CREATE = 2, /* an open that makes the file */
  MEMORY_ENV_CLOSE = 3,
  MEMORY_ENV_READ = 4,
  MEMORY_ENV_WRITE = 5,
  MEMORY_ENV_TRUNCATE = 6,
  MEMORY_ENV_SIZE = 7,
  MEMORY_ENV_RENAME = 8,
  MEMORY_ENV_UNLINK = 9,
  MEMORY_ENV_LIST = 10,
  MEMORY_ENV_FSYNC_FILE = 11, /* the request */
  MEMORY_ENV_FSYNC_DIR = 12,  /* the request */
  MEMORY_ENV_FSYNC_DONE = 13, /* the completion of either */
  MEMORY_ENV_ALLOC = 14,
  MEMORY_ENV_CALL_KINDS = 15 /* how many there are */
};
/* What a call that reports an error has done all the same. Reading, listing and
 * asking do nothing; a close that fails has closed. */
enum memory_env_effect {
  MEMORY_ENV_NO_EFFECT = 0,
  MEMORY_ENV_PART = 1, /* of a write: its first half; of an fsync: nothing, and its file shows the platter's content */
  MEMORY_ENV_EFFECT = 2,
};
struct memory_env_fault {
  enum memory_env_call call;
  int status;
  enum memory_env_effect effect;
};

struct memory_inode; /* one file's bytes */
struct memory_change;

struct memory_name {
  char name[64];
  struct memory_inode *inode;
};
struct memory_fsync {
  uint64_t token;
  struct memory_inode *inode; /* NULL: the directory */
  uint64_t covers;            /* changes up to this number */
};

struct memory_env {
  struct sync_env env; /* give &env to the code under test */

  /* Set freely. */
  uint64_t mono_ns, wall_ns;
  uint64_t next_unique;
  uint64_t pick_result;     /* taken modulo n */
  uint64_t disk_bytes_max;  /* live bytes of all files; 0: no bound. Past it SYNC_E_NO_SPACE */
  size_t transfer_max;      /* longest read or write; 0: no bound */
  uint32_t handles_max;     /* SYNC_E_TOO_MANY past it; 0: MEMORY_ENV_HANDLES_MAX */
  uint64_t interrupt_every; /* every n-th call is SYNC_E_INTERRUPTED; 0: none */

  /* File and directory calls (not memory, clocks, trace). Counts from 1. */
  uint64_t calls;
  uint64_t writes, reads, fsyncs; /* calls of that kind */
  uint64_t power_off_at;          /* the call with this number and all after it: SYNC_E_POWERED_OFF; 0: none */
  uint64_t fail_at;               /* the call with this number fails with fail_status; 0: none */
  int fail_status;
  bool fail_after_effect;    /* a failing write, rename or truncate has happened all the same */
  uint64_t unreadable_from;  /* a read that reaches this offset of a file gives SYNC_E_IO; 0: none */
  uint64_t fail_writes_from; /* this and every later write fails with fail_status; 0: none */
  bool powered_off;

  /* Calls by kind, and the fault of one kind that memory_env_fail() asked for. */
  uint64_t calls_of[MEMORY_ENV_CALL_KINDS];
  struct memory_env_fault fault;
  uint64_t fault_from, fault_until; /* in calls_of[fault.call]: from <= n < until */
  uint64_t fault_met;               /* how often it struck */
  enum memory_env_effect striking;  /* of the call that is being made */

  /* Memory. */
  uint64_t allocs;                             /* calls of alloc so far */
  uint64_t fail_alloc_at;                      /* the alloc with this number gives NULL; 0: none */
  uint64_t blocks, block_bytes, nominal_bytes; /* outstanding */

  /* The last traces, oldest dropped. `traced` counts all. */
  uint64_t traced;
  uint64_t traced_kind[32]; /* by enum sync_trace_kind */
  uint64_t last_trace[32];  /* field 0 of the last of each kind */

  struct memory_name live[MEMORY_ENV_FILES_MAX];
  size_t live_count;
  struct memory_name durable[MEMORY_ENV_FILES_MAX];
  size_t durable_count;
  struct memory_change *changes; /* of the directory, oldest first */
  uint64_t change_number;
  struct memory_inode *inodes; /* all of them */
  struct memory_inode *handles[MEMORY_ENV_HANDLES_MAX];
  struct memory_fsync pending[MEMORY_ENV_FSYNCS_MAX]; /* fsyncs asked and not completed, oldest first */
  size_t pending_count;
};

void memory_env_init(struct memory_env *memory);
/* Frees the files. Blocks that the code under test has not freed are the
 * test's to notice (`blocks`). */
void memory_env_destroy(struct memory_env *memory);

/* Completes the oldest fsync: with SYNC_OK what it covers becomes durable;
 * with an error it never will (the pages are marked clean: readable until
 * power is lost). false when there is none. Hand *token to the engine. */
bool memory_env_complete(struct memory_env *memory, int result, uint64_t *token);

/* The same with the result that the fault of memory_env_fail() says, else SYNC_OK. With
 * MEMORY_ENV_EFFECT what a failed fsync covers is on the platter all the same. */
bool memory_env_complete_next(struct memory_env *memory, uint64_t *token, int *result);

/* From the k-th call of its kind from now on (k from 1) the fault strikes, `times`
 * times in a row. One fault at a time; memory_env_heal() ends it. */
void memory_env_fail(struct memory_env *memory, const struct memory_env_fault *fault, uint64_t k, uint64_t times);
void memory_env_heal(struct memory_env *memory);
/* Files that are open. */
uint32_t memory_env_handles(const struct memory_env *memory);

/* The process dies: handles and fsyncs in flight are gone, the page cache
 * stays. Power comes on again if it was off. */
void memory_env_process_crash(struct memory_env *memory);
/* Power fails and comes back. `seed` decides what the style leaves open. */
void memory_env_power_loss(struct memory_env *memory, enum memory_env_loss style, uint64_t seed);

/* Live content, for tests that look at or damage bytes. NULL when absent. The
 * pointer holds until the next call that writes. */
uint8_t *memory_env_bytes(struct memory_env *memory, const char *name, size_t *size);
/* Changes one byte of live and durable content alike (damage at rest). */
void memory_env_flip(struct memory_env *memory, const char *name, size_t offset);
/* Replaces the live and the durable content of a file, creating it. */
void memory_env_put(struct memory_env *memory, const char *name, const void *bytes, size_t size);
/* Cuts live and durable content. */
void memory_env_cut(struct memory_env *memory, const char *name, size_t size);
/* Removes the name, durably. */
void memory_env_remove(struct memory_env *memory, const char *name);
/* A hash over all live names and contents. */
uint64_t memory_env_digest(const struct memory_env *memory);

/* The seeded generator of these tests: splitmix64. */
uint64_t memory_env_random(uint64_t *state);

#endif
