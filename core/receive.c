/* Taking frames (rules 2 and 7). A frame is checked whole before any of it has
 * an effect. */
#include "core/ask.h"
#include "core/compaction.h"
#include "core/engine.h"
#include "core/fetch.h"
#include "core/hear.h"
#include "core/pending.h"

/* --- OPS ----------------------------------------------------------------------- */

/* What became of the operations of one frame. */
struct receive_outcome {
  uint64_t held_end; /* end of the last record of those held */
  uint32_t applied, skipped;
  bool again;  /* the frame was kept until causes came: what is held of it was not sent twice */
  bool prunes; /* the peer is to hear that it is not to push what it pushed */
};

/* Of a snapshot, for one request: whoever asks for more asks again. */
#define RECEIVE_FETCH_BYTES_MAX (1024u * 1024u)

/* Operations of a frame that are parsed once; more are parsed again. */
#define RECEIVE_VIEWS 8u

/* The operations of a frame, one after the other. */
struct receive_walk {
  const struct sync_engine *engine;
  struct bytes_reader reader;
  struct operation_view views[RECEIVE_VIEWS + 1]; /* the last is scratch */
  size_t kept;                                    /* views that need not be parsed again */
  size_t next;
  struct operation_view *view; /* the present one */
};

static void receive_begin(struct receive_walk *walk, const struct sync_engine *engine, const struct ops *ops,
                          size_t kept) {
  walk->engine = engine;
  walk->reader = ops->operations;
  walk->kept = kept;
  walk->next = 0;
}

/* False at the end; *rc is SYNC_E_CORRUPT when the bytes are no operation. */
static bool receive_next(struct receive_walk *walk, int *rc) {
  const uint8_t *bytes;
  size_t size;
  if (*rc != SYNC_OK || !ops_next(&walk->reader, &bytes, &size)) return false;
  size_t place = walk->next++;
  walk->view = &walk->views[place < RECEIVE_VIEWS ? place : RECEIVE_VIEWS];
  if (place < walk->kept) return true;
  *rc = operation_parse(bytes, size, &walk->engine->limits, walk->view);
  if (*rc == SYNC_E_TOO_BIG) *rc = SYNC_E_CORRUPT;
  return *rc == SYNC_OK;
}

/* Parses all operations, and learns whom they name. */
static int receive_check_operations(struct sync_engine *engine, const struct ops *ops, struct receive_walk *walk) {
  int rc = legend_begin(&engine->legend, ops);
  receive_begin(walk, engine, ops, 0);
  while (receive_next(walk, &rc))
    rc = legend_add_first(&engine->legend, walk->view);
  if (rc == SYNC_OK) rc = legend_sort(&engine->legend);
  receive_begin(walk, engine, ops, walk->next < RECEIVE_VIEWS ? walk->next : RECEIVE_VIEWS);
  while (receive_next(walk, &rc))
    if (!legend_covers(&engine->legend, walk->view)) return SYNC_E_CORRUPT;
  return rc;
}

static void receive_note_held(const struct sync_engine *engine, const struct origin *origin, uint64_t seq,
                              struct receive_outcome *outcome) {
  uint64_t ordinal = 0;
  const struct oplog_entry *entry = oplog_find(&engine->state.oplog, origin, seq, &ordinal);
  if (entry != NULL && oplog_entry_end(entry) > outcome->held_end) outcome->held_end = oplog_entry_end(entry);
}

static int receive_apply(struct sync_engine *engine, struct peer *peer, const struct operation_view *view,
                         struct receive_outcome *outcome) {
  struct apply_plan plan;
  int rc = apply_prepare(&engine->state, view, &plan);
  if (rc != SYNC_OK) return rc;
  uint64_t position = 0;
  uint64_t end = 0;
  rc = engine_append(engine, WAL_OPERATION, view->bytes, view->size, &position, &end);
  if (rc != SYNC_OK) {
    apply_cancel(&engine->state, &plan);
    return rc;
  }
  const struct origin *origin = apply_commit(&engine->state, &plan, position, end);
  outcome->applied++;
  outcome->held_end = end;
  engine->stats.applied_remote++;
  uint64_t now = engine->env->ops->wall_ns(engine->env->ctx);
  if (view->hlc > time_add(now, engine->options.clock_bound_ns)) engine->stats.future_clock++;
  PORT_TRACE(engine->env, SYNC_TRACE_APPLY, origin->node_hash, origin->incarnation, view->seq, end, peer->handle);
  return SYNC_OK;
}

/* The sender held what it sent durably, and what it holds in a session it
 * keeps: so an OPS frame of the known session says what need not go back. */
static void receive_note_sender(struct peer *peer, const struct origin *origin, uint64_t session, uint64_t seq) {
  if (peer->known_session == session && origin->index < peer->known.seqs.count)
    (void)vector_raise(&peer->known, origin->index, seq);
}

/* Judges the operation as the log here would have it, which *view is then of. What names an
 * origin that is not here is not yet to be applied; nor is it what is held under its dot. */
static int receive_judge(struct sync_engine *engine, const struct origin *origin, const struct operation_view *sent,
                         struct operation_view *view) {
  uint64_t applied = origin == NULL ? 0 : origin->applied;
  if (sent->seq > applied + 1) return APPLY_NOT_YET;
  int rc = legend_translate(&engine->legend, &engine->state.origins, sent, engine->limits.bytes_max, &engine->bytes);
  if (rc == SYNC_E_NOT_FOUND && sent->seq <= applied) {
    uint64_t ordinal = 0;
    return oplog_find(&engine->state.oplog, origin, sent->seq, &ordinal) != NULL ? SYNC_E_ID_CONFLICT : APPLY_DUPLICATE;
  }
  if (rc == SYNC_E_NOT_FOUND) return APPLY_NOT_YET;
  if (rc == SYNC_OK) rc = operation_parse(engine->bytes.items, engine->bytes.count, &engine->limits, view);
  if (rc == SYNC_OK) rc = apply_judge(&engine->state, view);
  return rc == SYNC_E_TOO_BIG ? SYNC_E_CORRUPT : rc;
}

static uint64_t receive_node_hash(const struct operation_origin *origin) {
  char id[NODE_ID_ROOM] = {0};
  memcpy(id, origin->node_id, origin->node_id_size);
  return sync_node_hash(id);
}

static int receive_operation(struct sync_engine *engine, struct peer *peer, uint64_t session,
                             const struct operation_view *sent, struct receive_outcome *outcome) {
  const struct operation_origin *own = &legend_find(&engine->legend, sent->origin)->origin;
  const struct origin *origin = origins_find(&engine->state.origins, own->node_id, own->node_id_size, own->incarnation);
  struct operation_view view;
  int verdict = receive_judge(engine, origin, sent, &view);
  /* Nobody else writes in the life that is ours now. */
  if (verdict >= 0 && verdict != APPLY_DUPLICATE && origin != NULL && origin == engine->own)
    verdict = SYNC_E_ID_CONFLICT;
  if (verdict == APPLY_DUPLICATE) {
    receive_note_held(engine, origin, sent->seq, outcome);
    if (outcome->again) return SYNC_OK;
    engine->stats.duplicates++;
    if (feed_take(&engine->peers, peer, origin, false)) outcome->prunes = true;
    PORT_TRACE(engine->env, SYNC_TRACE_DUPLICATE, origin->node_hash, origin->incarnation, sent->seq, peer->handle);
  } else if (verdict == APPLY_NOT_YET) {
    outcome->skipped++;
    if (outcome->again) return SYNC_OK;
    engine->stats.not_yet++;
    uint64_t node = origin != NULL ? origin->node_hash : receive_node_hash(own);
    PORT_TRACE(engine->env, SYNC_TRACE_NOT_YET, node, own->incarnation, sent->seq, peer->handle);
    return SYNC_OK;
  } else if (verdict == APPLY_READY) {
    /* Room in `known` first, so that the operation does not go straight back. */
    int rc = vector_reserve(engine->env, &peer->known, origins_count(&engine->state.origins) + 1);
    if (rc == SYNC_OK) rc = receive_apply(engine, peer, &view, outcome);
    if (rc != SYNC_OK) return rc;
    origin = origins_at(&engine->state.origins, view.origin);
    if (feed_reserve(&engine->peers, peer) == SYNC_OK && feed_take(&engine->peers, peer, origin, true))
      outcome->prunes = true;
  } else {
    return verdict;
  }
  peer_touch(peer, origin);
  receive_note_sender(peer, origin, session, sent->seq);
  return SYNC_OK;
}

/* Decides when the sender hears what is durable here. */
static void receive_acknowledge(struct sync_engine *engine, struct peer *peer, const struct receive_outcome *outcome) {
  bool all_durable = outcome->held_end <= engine->durable_seen;
  if (outcome->prunes) peer_acknowledge(&engine->peers, peer);
  bool nothing = outcome->skipped == 0 && outcome->applied == 0 && all_durable;
  /* It sends what is held here: perhaps it cannot tell what the lives that a
   * HELLO leaves out imply. Without this, its window could stay full of them.
   * NEWS names what it sent in any case. */
  if (nothing && !outcome->again && peer->confirmed == 0) peer->list_all = true;
  if (nothing) peer_acknowledge(&engine->peers, peer);
  if (all_durable) return;
  /* It cannot be acknowledged until there is room: the peer is to wait, not to send it again. */
  if (engine->stats.full) peer->hello_pending = true;
  if (peer->ack_first == 0) peer->ack_first = outcome->held_end;
  if (peer->ack_last < outcome->held_end) peer->ack_last = outcome->held_end;
}

/* Causes are missing: the frame waits for them here, or is skipped, which its sender is told. */
static void receive_wait(struct sync_engine *engine, struct peer *peer, const struct frame_view *frame,
                         uint64_t operations) {
  if (!engine->stats.full && pending_keep(engine, peer, frame->body, frame->body_size)) {
    ask_causes(engine, peer, operations);
    return;
  }
  peer->gap_pending = true;
  peer->hello_pending = peer->tell_all = true;
}

/* Applies what can be of it. */
static int receive_operations(struct sync_engine *engine, struct peer *peer, const struct ops *ops,
                              struct receive_walk *walk, struct receive_outcome *outcome) {
  int rc = SYNC_OK;
  uint64_t now_ns = port_now(engine->env);
  receive_begin(walk, engine, ops, walk->kept);
  while (receive_next(walk, &rc))
    rc = receive_operation(engine, peer, ops->session, walk->view, outcome);
  if (engine->stopped != SYNC_OK) return rc;
  peer_settle(&engine->peers, peer, now_ns);
  if (ops->urgent) peer->ack_soon = true;
  receive_acknowledge(engine, peer, outcome);
  if (rc == SYNC_E_FULL || rc == SYNC_E_NO_SPACE) {
    if (!engine->stats.full) peer->hello_pending = true;
    engine->stats.full = true;
  } else if (rc == SYNC_E_ID_CONFLICT) {
    engine->stats.id_conflicts++;
    peer_park(&engine->peers, peer, now_ns);
  }
  if (outcome->applied > 0) ask_answered(engine, peer, now_ns);
  if (outcome->applied > 0) engine_commit_soon(engine);
  return rc;
}

/* Of a frame that came before. */
static struct pending_again receive_again(struct sync_engine *engine, struct peer *peer, const uint8_t *body,
                                          size_t size) {
  struct ops ops;
  struct receive_walk walk;
  int rc = ops_parse(body, size, &ops);
  if (rc == SYNC_OK) rc = receive_check_operations(engine, &ops, &walk);
  if (rc != SYNC_OK) return (struct pending_again){.waits = rc == SYNC_E_NO_MEMORY};
  struct receive_outcome outcome = {.again = true};
  rc = receive_operations(engine, peer, &ops, &walk, &outcome);
  bool refused = rc == SYNC_E_ID_CONFLICT || rc == SYNC_E_CORRUPT;
  return (struct pending_again){.applied = outcome.applied > 0,
                                .waits = rc == SYNC_OK ? outcome.skipped > 0 : !refused};
}

static int receive_ops(struct sync_engine *engine, struct peer *peer, const struct frame_view *frame, uint64_t now_ns) {
  struct ops ops;
  struct receive_walk walk;
  int rc = ops_parse(frame->body, frame->body_size, &ops);
  if (rc == SYNC_OK) rc = receive_check_operations(engine, &ops, &walk);
  if (rc != SYNC_OK) return rc;
  peer_alive(&engine->peers, peer, now_ns);
  struct receive_outcome outcome = {0};
  rc = receive_operations(engine, peer, &ops, &walk, &outcome);
  if (rc == SYNC_OK && outcome.skipped > 0) receive_wait(engine, peer, frame, ops.before);
  if (outcome.applied > 0 && engine->stopped == SYNC_OK) (void)pending_retry(engine, receive_again);
  return engine->stopped != SYNC_OK ? engine->stopped : rc;
}

/* --- Snapshots -------------------------------------------------------------------- */

/* The peer asks for blocks of a snapshot. */
static int receive_fetch(struct sync_engine *engine, struct peer *peer, const struct frame_view *frame,
                         uint64_t now_ns) {
  struct fetch_request request;
  int rc = fetch_parse(frame->body, frame->body_size, &request);
  if (rc != SYNC_OK) return rc;
  peer_alive(&engine->peers, peer, now_ns);
  const struct engine_base *base = compaction_find(engine, request.id);
  if (base == NULL) {
    peer->hello_pending = true; /* which offers another one, if it needs one still */
    return SYNC_OK;
  }
  peer->fetch_asked_ns = now_ns;
  bool anew = peer->fetch_id != request.id || (request.flags & FETCH_FLAG_LOST) != 0;
  if (anew || peer->fetch_sent < request.offset) peer->fetch_sent = request.offset;
  peer->fetch_id = request.id;
  uint64_t most = request.offset + RECEIVE_FETCH_BYTES_MAX;
  peer->fetch_until = request.until < most ? request.until : most;
  if (peer->fetch_until > base->size) peer->fetch_until = base->size;
  peer_schedule(&engine->peers, peer, now_ns);
  return SYNC_OK;
}

static int receive_block(struct sync_engine *engine, struct peer *peer, const struct frame_view *frame,
                         uint64_t now_ns) {
  struct block_frame block;
  int rc = block_parse(frame->body, frame->body_size, &block);
  if (rc != SYNC_OK) return rc;
  peer_alive(&engine->peers, peer, now_ns);
  return fetch_block(engine, peer, &block);
}

static int receive_frame(struct sync_engine *engine, struct peer *peer, const struct frame_view *frame) {
  uint64_t now_ns = port_now(engine->env);
  engine->turn_ns = now_ns;
  switch ((enum frame_type)frame->type) {
  case FRAME_HELLO:
    return hear_hello(engine, peer, frame, now_ns);
  case FRAME_NEWS:
    return hear_news(engine, peer, frame, now_ns);
  case FRAME_OPS:
    return receive_ops(engine, peer, frame, now_ns);
  case FRAME_FETCH:
    return receive_fetch(engine, peer, frame, now_ns);
  case FRAME_BLOCK:
    return receive_block(engine, peer, frame, now_ns);
  }
  return SYNC_E_CORRUPT;
}

int sync_receive(struct sync_engine *engine, uint32_t handle, const void *bytes, size_t size) {
  if (engine->stopped != SYNC_OK) return engine->stopped;
  engine->stats.frames_in++;
  engine->stats.frames_in_bytes += size;
  struct peer *peer = peer_at(&engine->peers, handle);
  struct frame_view frame = {0};
  int rc = peer == NULL ? SYNC_E_PEER : SYNC_OK;
  if (rc == SYNC_OK) rc = frame_parse(bytes, size, engine->options.cluster_id, &frame);
  if (rc == SYNC_OK) rc = receive_frame(engine, peer, &frame);
  if (rc != SYNC_OK) {
    engine->stats.frames_rejected++;
    if (engine->stopped == SYNC_OK) PORT_TRACE(engine->env, SYNC_TRACE_REFUSED, (uint64_t)(int64_t)rc, frame.type);
  }
  return rc;
}
