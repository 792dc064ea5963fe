/* The engine's state, shared by the files that implement core/sync.h. */
#ifndef SYNC_CORE_ENGINE_H
#define SYNC_CORE_ENGINE_H

#include "core/base/base.h"
#include "core/wire/wire.h"
#include "core/state/state.h"
#include "core/peers/peers.h"
#include "core/snapshot/snapshot.h"
#include "core/policies.h"
#include "core/sync.h"
#include "core/view.h"
#include "core/log/log.h"

#define ENGINE_CHANGES_LIMIT 4096u /* the greatest changes_max */
#define ENGINE_NOMINAL_BYTES 9216u
#define ENGINE_COMMIT_RETRY_NS UINT64_C(10000000) /* the first; then doubled, up to idle_mark_ns */
#define ENGINE_COMMIT_RETRY_DOUBLINGS 7u

/* A snapshot in a file of ours: id 0: there is none. */
struct engine_base {
  uint64_t id, position, size, sum;
};

/* Snapshots of our own: the base that recovery begins with, and the next one in the making (compaction.h). */
enum compaction_stage {
  COMPACTION_IDLE = 0,
  COMPACTION_WRITING,
  COMPACTION_SYNC_FILE, /* its content is being made durable, */
  COMPACTION_WAIT,      /* ... then the log up to its position, */
  COMPACTION_SYNC_NAME  /* ... then its name */
};
struct compaction {
  enum compaction_stage stage;
  struct engine_base base;     /* durable: the log below its position is not needed to recover */
  struct engine_base previous; /* kept while a peer fetches it */
  struct engine_base next;     /* in the making */
  uint64_t base_log_id;        /* at open: the log that the base belongs to */
  struct snapshot_writer writer;
  uint64_t token;  /* of the fsync in flight */
  uint64_t names;  /* wal_names() when it was requested */
  uint64_t due_ns; /* of the next step, or of the next try */
  uint32_t failures;
  bool wanted;              /* whatever the log has grown by */
  bool named;               /* the base's name was made durable since the open */
  bool unreadable;          /* the base's file could not be read back: it is not served */
  bool trims_on;            /* more of it can go */
  uint64_t trimmed_ns;      /* when the log was looked at for what can go */
  uint64_t unread_position; /* of the operation that could not be read back last */
  uint32_t unread_tries;
  sync_file serving;   /* the file that peers are sent from, -1 */
  uint64_t serving_id; /* of that snapshot */
};

/* A snapshot of a peer, on its way here (fetch.h). */
enum fetch_stage {
  FETCH_IDLE = 0,
  FETCH_CHECKING, /* what an earlier run has left of it is read */
  FETCH_BLOCKS,
  FETCH_SYNC_FILE,
  FETCH_SYNC_NAME,
  FETCH_MERGE /* all is there and durable; the merge waits for its next try */
};
struct fetch {
  enum fetch_stage stage;
  uint32_t peer;
  uint64_t id, size;
  uint64_t have;     /* bytes of its file, all verified */
  uint64_t asked;    /* `have` at the last request */
  uint64_t asked_ns; /* when that was */
  bool ask, restart; /* a request is due; it says that blocks were lost */
  bool gap;          /* a block came before one that is not there; a request is due at due_ns */
  uint32_t tries;    /* requests without any progress */
  uint64_t due_ns;
  sync_file file;
  uint64_t token;
  struct snapshot_reader reader; /* FETCH_CHECKING */
  uint64_t session;              /* of the peer, when it offered */
  uint64_t done_id;              /* the last that was merged, or brought nothing */
  uint64_t bad_id;               /* a snapshot that was refused */
  uint64_t left_id;              /* one whose file was left unfinished */
  uint64_t refused_until_ns;     /* no offer is taken before */
};
/* A snapshot that the log says was merged, and that no base has yet: its file stays. */
struct engine_merge {
  uint64_t id;
  uint64_t end; /* of its record */
};

/* When tombstones were looked at that can be swept (sweep.h). */
struct sweep {
  uint64_t looked_ns;          /* for any */
  uint64_t whole_ns;           /* for all that can go */
  uint64_t added;              /* tombstones ever, then */
  uint64_t looks;              /* whole ones */
  bool going;                  /* the last look has not come to its end */
  struct memory_array changes; /* struct own_change, scratch */
};

/* While an open repairs. */
struct engine_repair {
  int (*each)(void *arg, const struct sync_lost *lost);
  void *arg;
  uint64_t named, unnamed; /* operations that are whole behind the damage */
};

/* Frames that wait for causes (pending.h). */
struct pending {
  struct pending_frame *first; /* the oldest */
  uint32_t count;
  size_t bytes;
};

struct sync_backup; /* backup.c */

struct sync_engine {
  const struct sync_env *env;
  struct sync_options options; /* node_id points to the next member */
  char node_id[NODE_ID_ROOM];
  uint64_t limits_hash;
  struct operation_limits limits;
  size_t frame_bytes_max;

  struct wal *wal;
  int stopped; /* SYNC_OK, or why nothing can be changed any more */
  uint64_t session;
  struct origin *own; /* NULL until the first write of this session */

  struct state state;
  struct peers peers;
  struct policies policies;
  struct view *view;      /* where readers merge; NULL until there is a policy that does */
  uint64_t keep_due_ns;   /* of the next try to resolve conflicts, after one that failed */
  uint32_t keep_failures; /* in a row */

  uint64_t durable_seen;   /* the durable position that was acted upon */
  uint64_t content_end;    /* of the last record that is not a mark */
  uint64_t last_append_ns; /* for the idle mark */
  uint64_t last_commit_ns;
  uint64_t commit_due_ns; /* of the fsync that is wanted; 0: at once, SYNC_NO_DEADLINE: none is */
  bool committed_once;
  uint32_t commit_failures; /* writes and commits in a row that failed */

  uint64_t turn_ns;      /* when time was told last, or a frame came */
  uint64_t tick_outbox;  /* entries at the last tick */
  uint64_t tick_submits; /* operations of its own at the last tick */
  uint64_t tick_durable; /* durable operations at the last tick */
  uint64_t log_begin;    /* appended position at open */

  uint64_t verified_id; /* the base that sync_verify() is at */
  uint64_t token;       /* the last of ours: the log's count from WAL_TOKENS */
  size_t block_bytes_max;
  struct compaction compaction;
  struct fetch fetch;
  struct pending pending;
  struct sync_backup *backup;   /* one that is not complete; no snapshot of our own is begun meanwhile */
  struct memory_array merges;   /* struct engine_merge */
  struct engine_repair *repair; /* at open only; NULL: damage is refused */
  bool indexed;                 /* ... that is done: all that is below */
  uint64_t index_end;           /* at open: where the next record below the base must begin */
  uint64_t whole_from;          /* the index has all that was applied behind this position, */
  uint64_t whole_tag;           /* ... where a bookmark of this tag may stand (bookmark.h) */

  struct sweep sweep;

  struct sync_stats stats;

  /* Scratch of one call. */
  struct memory_array bytes;   /* uint8_t: an encoded operation */
  struct legend legend;        /* of a frame that came */
  struct memory_array dots;    /* struct operation_dot */
  struct memory_array changes; /* struct operation_change */
};

/* Notes a failure that ends the engine (SYNC_E_FAILED, SYNC_E_POWERED_OFF);
 * gives the status back. */
int engine_note(struct sync_engine *engine, int status);
/* Appends a record, which is written with the others of the turn; takes note of
 * space and failures. */
int engine_append(struct sync_engine *engine, enum wal_record_type type, const uint8_t *payload, size_t size,
                  uint64_t *position, uint64_t *end);
/* Reads an operation back from the log into `room`, for entry->size bytes, and parses it. SYNC_E_DAMAGED: it is not
 * what was written; SYNC_E_IO; SYNC_E_FAILED and SYNC_E_POWERED_OFF end the engine. */
int engine_read_operation(struct sync_engine *engine, const struct oplog_entry *entry, uint8_t *room,
                          struct operation_view *view);
/* Wants what was appended to become durable, as the spacing allows: not at
 * once, so that what is written in one turn of the embedder's loop shares an
 * fsync. */
void engine_commit_soon(struct sync_engine *engine);
/* Ends a turn: writes what was appended, and requests the fsync that is wanted,
 * when it is due. Only failures that end the engine are returned. */
int engine_commit_due(struct sync_engine *engine);
/* What a write did to the log that was written up to `written` before. */
void engine_take_write(struct sync_engine *engine, int status, uint64_t written);
/* Acts on a durable position that moved. */
void engine_take_durable(struct sync_engine *engine);

#endif
