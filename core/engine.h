/* The engine's state, shared by the files that implement core/sync.h. */
#ifndef SYNC_CORE_ENGINE_H
#define SYNC_CORE_ENGINE_H

#include "core/base/base.h"
#include "core/wire/wire.h"
#include "core/state/state.h"
#include "core/peers/peers.h"
#include "core/sync.h"
#include "core/log/log.h"

#define ENGINE_CHANGES_LIMIT 4096u /* the greatest changes_max */
#define ENGINE_NOMINAL_BYTES 1024u
#define ENGINE_COMMIT_RETRY_NS UINT64_C(10000000) /* the first; then doubled, up to idle_mark_ns */
#define ENGINE_COMMIT_RETRY_DOUBLINGS 7u

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

  uint64_t durable_seen;   /* the durable position that was acted upon */
  uint64_t content_end;    /* of the last record that is not a mark */
  uint64_t last_append_ns; /* for the idle mark */
  uint64_t last_commit_ns;
  uint64_t commit_due_ns; /* of the fsync that is wanted; 0: at once, SYNC_NO_DEADLINE: none is */
  bool committed_once;
  uint32_t commit_failures; /* writes and commits in a row that failed */

  uint64_t tick_outbox;  /* entries at the last tick */
  uint64_t tick_submits; /* submits at the last tick */
  uint64_t tick_durable; /* durable operations at the last tick */
  uint64_t log_begin;    /* appended position at open */

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
/* Wants what was appended to become durable, as the spacing allows: not at
 * once, so that what is written in one turn of the embedder's loop shares an
 * fsync. */
void engine_commit_soon(struct sync_engine *engine);
/* Ends a turn: writes what was appended, and requests the fsync that is wanted,
 * when it is due. Only failures that end the engine are returned. */
int engine_commit_due(struct sync_engine *engine);
/* Acts on a durable position that moved. */
void engine_take_durable(struct sync_engine *engine);

#endif
