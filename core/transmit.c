/* Making frames: HELLO and NEWS with the durable vector, OPS with durable operations
 * read back from the log. Peers take turns. */
#include "core/base/file_io.h"
#include "core/compaction.h"
#include "core/engine.h"
#include "core/fetch.h"

/* --- HELLO ---------------------------------------------------------------------- */

static uint8_t transmit_flags(const struct sync_engine *engine, const struct peer *peer) {
  bool waits = peer->state == SYNC_PEER_BACKOFF || peer->state == SYNC_PEER_PARKED;
  return (uint8_t)((peer->passed > peer->confirmed || peer->probing ? HELLO_FLAG_NEWS : 0) |
                   (peer->gap_pending ? HELLO_FLAG_GAP : 0) | (engine->stats.full ? HELLO_FLAG_FULL : 0) |
                   (waits || peer->ask ? HELLO_FLAG_ANSWER : 0));
}

/* So many of our operations a HELLO tells of, that names all that is held. */
static uint64_t transmit_told(const struct sync_engine *engine) {
  return engine->state.oplog.durable + 1;
}

/* It was told: all that is held, or some of it. */
static void transmit_was_told(struct sync_engine *engine, struct peer *peer, bool all) {
  peer->hello_pending = false;
  peer->hello_last = true;
  peer->gap_pending = false;
  peer->ask = false;
  peer->ack_soon = false;
  peer->ack_due_ns = SYNC_NO_DEADLINE;
  peer->touched_count = 0;
  peer->wanted = 0;
  engine->stats.hellos_out++;
  if (!all) return;
  peer->tell_all = peer->probing = false;
  peer->told = transmit_told(engine);
  peer->tell_due_ns = SYNC_NO_DEADLINE;
  if (peer->passed > peer->confirmed) /* again until it says that it has heard */
    peer->tell_due_ns = time_add(port_now(engine->env), peer_share_ns(&engine->peers, PEER_TELL_SHARE));
}

static size_t transmit_hello(struct sync_engine *engine, struct peer *peer, void *buffer) {
  struct bytes_writer writer = frame_begin(buffer, engine->frame_bytes_max - FRAME_TRAILER_BYTES);
  const struct engine_base *offer = compaction_offer(engine, peer);
  if (peer->list_from == 0) peer->part = 0;
  if (peer->part == 0) peer->part_operations = transmit_told(engine);
  struct hello hello = {
      .snapshot_id = offer == NULL ? 0 : offer->id,
      .snapshot_size = offer == NULL ? 0 : offer->size,
      .limits_hash = engine->limits_hash,
      .node_id = (const uint8_t *)engine->node_id,
      .node_id_size = strlen(engine->node_id),
      .session = engine->session,
      .nonce = peer->my_nonce,
      .echo = peer->their_nonce,
      .known_session = peer->known_session,
      .flags = transmit_flags(engine, peer),
      .part = peer->part,
      .operations = peer->part_operations,
      .heard = peer->heard_of,
      .wanted = peer->wanted,
      .lives = engine->state.origins.durable_lives,
  };
  hello_write_head(&writer, &hello);
  greeting_write_peers(&engine->peers, &writer);
  greeting_write(&engine->peers, peer, &writer);
  sync_check(engine->env, !writer.failed);
  transmit_was_told(engine, peer, true);
  peer->greet = false;
  if (peer->list_from > 0) { /* it goes on at once */
    hello_set_part(&writer, &hello);
    peer->part++;
    peer->hello_pending = peer->greet = true;
  }
  if (offer != NULL) PORT_TRACE(engine->env, SYNC_TRACE_OFFER, peer->handle, offer->id, offer->size);
  PORT_TRACE(engine->env, SYNC_TRACE_SEND_HELLO, peer->handle, hello.session, hello.nonce, hello.echo, hello.flags);
  return frame_finish(&writer, FRAME_HELLO, engine->options.cluster_id);
}

/* --- NEWS ------------------------------------------------------------------------ */

/* 0: it is to be sent a HELLO. */
static size_t transmit_news(struct sync_engine *engine, struct peer *peer, void *buffer) {
  struct telling telling;
  if (peer->ask || peer->greet || peer->state != SYNC_PEER_ACTIVE || compaction_offer(engine, peer) != NULL) return 0;
  if (!telling_choose(&engine->peers, peer, &telling)) return 0;
  struct news news = {
      .session = engine->session,
      .known_tag = (uint32_t)peer->known_session,
      .flags = (uint8_t)(transmit_flags(engine, peer) | (telling.ranks ? NEWS_FLAG_RANKS : 0) |
                         (telling.all ? NEWS_FLAG_ALL : 0)),
      .operations = transmit_told(engine),
      .since = peer->confirmed,
      .heard = peer->heard_of,
      .wanted = peer->wanted,
      .vector = engine->state.origins.digest,
      .lives = engine->state.origins.durable_lives,
  };
  if (news.since == news.operations && telling.all) news.flags &= (uint8_t)~NEWS_FLAG_ALL; /* it heard of that */
  if (telling.count == 0 && telling_is_settled(&engine->peers)) news.flags |= NEWS_FLAG_VECTOR;
  struct bytes_writer writer = frame_begin(buffer, engine->frame_bytes_max - FRAME_TRAILER_BYTES);
  news_write_head(&writer, &news);
  if (news.wanted > 0 && !telling_write_hand(&engine->peers, &telling, &writer)) return 0;
  if (!telling_write(&engine->peers, peer, &telling, &writer)) return 0;
  transmit_was_told(engine, peer, telling.all);
  PORT_TRACE(engine->env, SYNC_TRACE_SEND_NEWS, peer->handle, telling.count, telling.all ? news.operations : 0,
             news.wanted, news.flags);
  return frame_finish(&writer, FRAME_NEWS, engine->options.cluster_id);
}

/* --- OPS ------------------------------------------------------------------------- */

/* An OPS frame that is being made. */
struct transmit {
  struct sync_engine *engine;
  struct bytes_writer writer;
  uint64_t stamp;        /* of the origins that the frame explains, */
  struct origin **named; /* ... those that stand behind the operations: scratch, with room for all */
  size_t named_count;
  size_t named_bytes;  /* what it says of them */
  uint32_t operations; /* so far */
};

static struct operation_origin transmit_origin(const struct transmit *transmit, size_t place) {
  const struct origin *origin = transmit->named[place];
  return (struct operation_origin){.node_id = (const uint8_t *)origin->node_id,
                                   .node_id_size = origin->node_id_size,
                                   .incarnation = origin->incarnation};
}

static size_t transmit_origin_size(const struct transmit *transmit, size_t place, uint32_t index) {
  struct operation_origin origin = transmit_origin(transmit, place), last = {0};
  if (place > 0) last = transmit_origin(transmit, place - 1);
  return ops_origin_size(place > 0 ? &last : NULL, &origin, index);
}

/* Takes note of the origins that the operation names: the frame must say once of each which it
 * is, but for one whose first operation it has. */
static int transmit_name(struct transmit *transmit, const struct operation_view *view) {
  struct sync_engine *engine = transmit->engine;
  struct operation_mentions walk = operation_mentions_of(view);
  struct operation_mention mention;
  bool first = view->seq == 1;
  for (; operation_next_mention(&walk, &mention); first = false) {
    if (mention.index >= origins_count(&engine->state.origins)) return SYNC_E_DAMAGED;
    struct origin *origin = origins_at(&engine->state.origins, mention.index);
    if (origin->stamp == transmit->stamp) continue;
    origin->stamp = transmit->stamp;
    if (first) continue;
    transmit->named[transmit->named_count++] = origin;
    transmit->named_bytes += transmit_origin_size(transmit, transmit->named_count - 1, mention.index);
  }
  return SYNC_OK;
}

/* Reads the operation back into its place in the frame, verified. */
static int transmit_read(struct transmit *transmit, const struct oplog_entry *entry) {
  struct sync_engine *engine = transmit->engine;
  uint8_t *room = bytes_room(&transmit->writer, entry->size);
  sync_check(engine->env, room != NULL);
  struct operation_view view;
  int rc = engine_read_operation(engine, entry, room, &view);
  return rc == SYNC_OK ? transmit_name(transmit, &view) : rc;
}

static bool transmit_fits(const struct transmit *transmit, size_t more) {
  return more + OPS_END_BYTES + transmit->named_bytes <= transmit->writer.capacity - transmit->writer.size;
}

/* Adds the operation; SYNC_E_BUFFER: it must wait for the next frame. Otherwise as before. */
static int transmit_add(struct transmit *transmit, const struct oplog_entry *entry) {
  const struct transmit before = *transmit;
  if (!transmit_fits(transmit, bytes_varint_size(entry->size) + entry->size)) return SYNC_E_BUFFER;
  bytes_write_varint(&transmit->writer, entry->size);
  int rc = transmit_read(transmit, entry);
  if (rc == SYNC_OK && !transmit_fits(transmit, 0)) rc = SYNC_E_BUFFER;
  if (rc == SYNC_OK) {
    transmit->operations++;
    return SYNC_OK;
  }
  *transmit = before; /* stamps of origins that are not named stay: nothing is added any more */
  return rc;
}

static size_t transmit_finish(struct transmit *transmit) {
  const struct sync_engine *engine = transmit->engine;
  struct operation_origin last = {0};
  ops_write_end(&transmit->writer);
  for (size_t i = 0; i < transmit->named_count; i++) {
    struct operation_origin origin = transmit_origin(transmit, i);
    ops_write_origin(&transmit->writer, i > 0 ? &last : NULL, &origin, transmit->named[i]->index);
    last = origin;
  }
  sync_check(engine->env, !transmit->writer.failed);
  return frame_finish(&transmit->writer, FRAME_OPS, engine->options.cluster_id);
}

/* SYNC_E_NOT_FOUND: nothing to send. */
static int transmit_ops(struct sync_engine *engine, struct peer *peer, void *buffer, size_t *size) {
  struct transmit transmit = {.engine = engine,
                              .writer = frame_begin(buffer, engine->frame_bytes_max - FRAME_TRAILER_BYTES),
                              .stamp = origins_stamp(&engine->state.origins),
                              .named = engine->state.origins.work.items};
  const uint64_t before = push_next(&engine->peers, peer) == NULL ? 0 : push_ordinal(peer);
  ops_write_head(&transmit.writer, engine->session, before + 1);
  int rc = SYNC_OK;
  const struct oplog_entry *entry = NULL;
  while (transmit.operations < engine->options.batch_size && (entry = push_next(&engine->peers, peer)) != NULL) {
    rc = transmit_add(&transmit, entry);
    if (rc != SYNC_OK && rc != SYNC_E_BUFFER && engine->stopped == SYNC_OK) compaction_unread(engine, entry, rc);
    if (rc != SYNC_OK) break;
    push_sent(peer);
    PORT_TRACE(engine->env, SYNC_TRACE_SEND_OP, entry->origin->node_hash, entry->origin->incarnation, entry->seq,
               peer->handle);
  }
  if (engine->stopped != SYNC_OK) return rc;
  /* One alone fits: its weight was looked at. */
  sync_check(engine->env, rc != SYNC_E_BUFFER || transmit.operations > 0);
  if (rc == SYNC_E_BUFFER) rc = SYNC_OK;
  if (rc != SYNC_OK) peer->stalled = true;
  const bool sent = peer_owes_answer(peer);
  if (peer->state == SYNC_PEER_ACTIVE && (rc != SYNC_OK || peer->awaiting != sent))
    peer_schedule(&engine->peers, peer, port_now(engine->env));
  if (transmit.operations > 0 && peer->probe_due_ns == SYNC_NO_DEADLINE)
    peer_watch_flight(&engine->peers, peer, port_now(engine->env));
  if (transmit.operations == 0) return rc != SYNC_OK ? rc : SYNC_E_NOT_FOUND;
  peer->hello_last = false;
  engine->stats.ops_out += transmit.operations;
  if (peer->in_flight_count >= peer->allowance) ops_set_urgent(&transmit.writer);
  *size = transmit_finish(&transmit);
  return SYNC_OK;
}

/* --- BLOCK ----------------------------------------------------------------------- */

static bool transmit_sends_blocks(const struct peer *peer) {
  return peer->fetch_id != 0 && peer->fetch_sent < peer->fetch_until;
}

/* Opens the file of the snapshot that the peer is sent. */
static int transmit_open(struct sync_engine *engine, const struct engine_base *base) {
  struct compaction *compaction = &engine->compaction;
  if (compaction->serving >= 0 && compaction->serving_id == base->id) return SYNC_OK;
  if (compaction->serving >= 0) (void)file_io_close(engine->env, compaction->serving);
  compaction->serving = -1;
  char name[SNAPSHOT_NAME_BYTES];
  base_name(name, base->position, base->id, false);
  int rc = file_io_open(engine->env, name, 0, &compaction->serving);
  if (rc != SYNC_OK) compaction->serving = -1;
  compaction->serving_id = base->id;
  return rc == SYNC_E_NOT_FOUND ? SYNC_E_DAMAGED : rc;
}

/* Whether a block of the snapshot begins there, by the headers of those before it. Peers may ask for anything. */
static bool transmit_begins_block(struct sync_engine *engine, const struct engine_base *base, uint64_t offset) {
  uint64_t at = 0;
  while (at < offset) {
    uint8_t header[BLOCK_HEADER_BYTES];
    struct block block;
    size_t done = 0;
    int rc = file_io_read(engine->env, engine->compaction.serving, at, header, sizeof header, &done);
    if (rc != SYNC_OK || done < sizeof header || !block_peek(header, engine->block_bytes_max, &block)) return true;
    at += BLOCK_HEADER_BYTES + (uint64_t)block.size;
  }
  return at == offset || at > base->size;
}

/* Reads the block at that offset into its place in the frame, verified. */
static int transmit_read_block(struct sync_engine *engine, struct bytes_writer *writer, const struct engine_base *base,
                               uint64_t offset) {
  int rc = transmit_open(engine, base);
  if (rc != SYNC_OK) return rc;
  struct block block;
  size_t done = 0;
  uint8_t *header = bytes_room(writer, BLOCK_HEADER_BYTES);
  rc = file_io_read(engine->env, engine->compaction.serving, offset, header, BLOCK_HEADER_BYTES, &done);
  if (rc != SYNC_OK) return rc;
  if (done < BLOCK_HEADER_BYTES || !block_peek(header, engine->block_bytes_max, &block)) return SYNC_E_DAMAGED;
  uint8_t *payload = bytes_room(writer, block.size);
  rc = file_io_read(engine->env, engine->compaction.serving, offset + BLOCK_HEADER_BYTES, payload, block.size, &done);
  if (rc != SYNC_OK) return rc;
  return done == block.size && block_verify(header, &block, base->id, offset) ? SYNC_OK : SYNC_E_DAMAGED;
}

/* SYNC_E_NOT_FOUND: nothing to send. */
static int transmit_block(struct sync_engine *engine, struct peer *peer, void *buffer, size_t *size) {
  const struct engine_base *base = compaction_find(engine, peer->fetch_id);
  uint64_t offset = peer->fetch_sent;
  if (base == NULL || offset >= base->size) {
    peer->fetch_until = peer->fetch_sent;
    if (base == NULL) peer->fetch_id = 0;
    return SYNC_E_NOT_FOUND;
  }
  struct bytes_writer writer = frame_begin(buffer, engine->frame_bytes_max - FRAME_TRAILER_BYTES);
  block_write_head(&writer, base->id, offset, base->size);
  size_t before = writer.size;
  int rc = engine_note(engine, transmit_read_block(engine, &writer, base, offset));
  if (rc != SYNC_OK) {
    peer->fetch_id = 0;
    if (rc != SYNC_E_DAMAGED && rc != SYNC_E_IO) return rc;
    if (engine->compaction.serving >= 0 && !transmit_begins_block(engine, base, offset)) return SYNC_E_NOT_FOUND;
    if (base != &engine->compaction.base) {
      peer->hello_pending = true; /* which offers the present one */
      return rc;
    }
    /* What is in memory is whole: another one is taken. */
    if (engine->compaction.stage == COMPACTION_IDLE) compaction_want(engine);
    engine->compaction.unreadable = true;
    return rc;
  }
  peer->fetch_sent += writer.size - before;
  engine->stats.blocks_out++;
  PORT_TRACE(engine->env, SYNC_TRACE_SEND_BLOCK, peer->handle, base->id, offset);
  *size = frame_finish(&writer, FRAME_BLOCK, engine->options.cluster_id);
  return SYNC_OK;
}

/* --- Whose turn it is --------------------------------------------------------------- */

static bool transmit_ready(struct sync_engine *engine, struct peer *peer) {
  bool operations = push_next(&engine->peers, peer) != NULL; /* which may want a HELLO */
  return operations || peer->hello_pending || transmit_sends_blocks(peer) || fetch_asks(engine, peer);
}

/* Both take turns, where a transport takes one frame at a time: an
 * acknowledgement may be owed whenever there is room for a frame. */
static bool transmit_hello_next(struct sync_engine *engine, struct peer *peer) {
  bool other = transmit_sends_blocks(peer) || push_next(&engine->peers, peer) != NULL;
  return peer->hello_pending && !(peer->hello_last && other);
}

/* The next frame to a peer that has one. SYNC_E_NOT_FOUND: there is none after all. */
static int transmit_frame(struct sync_engine *engine, struct peer *peer, void *buffer, size_t *size) {
  if (fetch_asks(engine, peer)) {
    *size = fetch_frame(engine, buffer);
    return SYNC_OK;
  }
  if (transmit_hello_next(engine, peer)) {
    *size = transmit_news(engine, peer, buffer);
    if (*size == 0) *size = transmit_hello(engine, peer, buffer);
    return SYNC_OK;
  }
  peer->hello_last = false;
  return transmit_sends_blocks(peer) ? transmit_block(engine, peer, buffer, size)
                                     : transmit_ops(engine, peer, buffer, size);
}

int sync_next_frame(struct sync_engine *engine, uint32_t *handle, void *buffer, size_t capacity, size_t *size) {
  if (engine->stopped != SYNC_OK) return engine->stopped;
  int due = engine_commit_due(engine);
  if (due == SYNC_OK) due = compaction_step(engine);
  if (due != SYNC_OK) return due;
  uint32_t handles = peer_handles(&engine->peers);
  for (uint32_t i = 0; i < handles; i++) {
    uint32_t turn = (engine->peers.turn + i) % handles;
    struct peer *peer = peer_at(&engine->peers, turn);
    if (peer == NULL || peer->held) continue;
    if (!transmit_ready(engine, peer)) {
      /* A restarted window that found all held has nothing to wait for. */
      if (peer->state == SYNC_PEER_ACTIVE && peer->awaiting && !peer_owes_answer(peer))
        peer_schedule(&engine->peers, peer, port_now(engine->env));
      continue;
    }
    if (capacity < engine->frame_bytes_max) return SYNC_E_BUFFER;
    int rc = transmit_frame(engine, peer, buffer, size);
    if (rc == SYNC_E_NOT_FOUND) continue;
    engine->peers.turn = turn + 1;
    if (rc != SYNC_OK) return rc == SYNC_E_POWERED_OFF || rc == SYNC_E_FAILED ? rc : SYNC_E_IO;
    *handle = turn;
    peer->sent_ns = engine->turn_ns;
    engine->stats.frames_out++;
    engine->stats.frames_out_bytes += *size;
    return SYNC_OK;
  }
  return SYNC_E_NOT_FOUND;
}
