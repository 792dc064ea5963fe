/* Making frames: HELLO with the durable vector, OPS with durable operations
 * read back from the log. Peers take turns. */
#include "core/base/file_io.h"
#include "core/compaction.h"
#include "core/engine.h"
#include "core/fetch.h"

/* --- HELLO ---------------------------------------------------------------------- */

static uint8_t transmit_flags(const struct sync_engine *engine, const struct peer *peer) {
  bool waits = peer->state == SYNC_PEER_BACKOFF || peer->state == SYNC_PEER_PARKED;
  return (uint8_t)((peer->gap_pending ? HELLO_FLAG_GAP : 0) | (engine->stats.full ? HELLO_FLAG_FULL : 0) |
                   (waits || peer->ask ? HELLO_FLAG_ANSWER : 0));
}

static size_t transmit_hello(struct sync_engine *engine, struct peer *peer, void *buffer) {
  struct bytes_writer writer = frame_begin(buffer, engine->frame_bytes_max - FRAME_TRAILER_BYTES);
  const struct engine_base *offer = compaction_offer(engine, peer);
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
  };
  hello_write_head(&writer, &hello);
  greeting_write(&engine->peers, peer, &writer);
  sync_check(engine->env, !writer.failed);
  peer->hello_pending = false;
  peer->hello_last = true;
  peer->gap_pending = false;
  peer->ask = false;
  engine->stats.hellos_out++;
  if (offer != NULL) PORT_TRACE(engine->env, SYNC_TRACE_OFFER, peer->handle, offer->id, offer->size);
  PORT_TRACE(engine->env, SYNC_TRACE_SEND_HELLO, peer->handle, hello.session, hello.nonce, hello.echo, hello.flags);
  return frame_finish(&writer, FRAME_HELLO, engine->options.cluster_id);
}

/* --- OPS ------------------------------------------------------------------------- */

/* Reads the operation back into its place in the frame, verified. */
static int transmit_read(struct sync_engine *engine, struct bytes_writer *writer, const struct oplog_entry *entry) {
  enum wal_record_type type = WAL_MARK;
  size_t size = 0;
  uint8_t *room = bytes_room(writer, entry->size);
  sync_check(engine->env, room != NULL);
  int rc = wal_read(engine->wal, entry->position, &type, room, entry->size, &size);
  if (rc != SYNC_OK) return engine_note(engine, rc);
  if (type != WAL_OPERATION || size != entry->size) return SYNC_E_DAMAGED;
  return oplog_hash(room, size) == entry->hash ? SYNC_OK : SYNC_E_DAMAGED;
}

/* SYNC_E_NOT_FOUND: nothing to send. */
static int transmit_ops(struct sync_engine *engine, struct peer *peer, void *buffer, size_t *size) {
  struct bytes_writer writer = frame_begin(buffer, engine->frame_bytes_max - FRAME_TRAILER_BYTES);
  ops_write_head(&writer, engine->session);
  uint32_t count = 0;
  int rc = SYNC_OK;
  const struct oplog_entry *entry = NULL;
  while (count < engine->options.batch_size && (entry = peer_next(&engine->peers, peer)) != NULL) {
    size_t before = writer.size;
    if (bytes_varint_size(entry->size) + entry->size > writer.capacity - writer.size) break;
    bytes_write_varint(&writer, entry->size);
    rc = transmit_read(engine, &writer, entry);
    if (rc != SYNC_OK) {
      writer.size = before;
      break;
    }
    peer->in_flight[peer->in_flight_count++] = peer->cursor++;
    count++;
    PORT_TRACE(engine->env, SYNC_TRACE_SEND_OP, entry->origin->node_hash, entry->origin->incarnation, entry->seq,
               peer->handle);
  }
  if (engine->stopped != SYNC_OK) return rc;
  if (rc != SYNC_OK) peer->stalled = true;
  const bool sent = peer_owes_answer(peer);
  if (peer->state == SYNC_PEER_ACTIVE && (rc != SYNC_OK || peer->awaiting != sent))
    peer_schedule(&engine->peers, peer, port_now(engine->env));
  if (count == 0) return rc != SYNC_OK ? rc : SYNC_E_NOT_FOUND;
  peer->hello_last = false;
  engine->stats.ops_out += count;
  *size = frame_finish(&writer, FRAME_OPS, engine->options.cluster_id);
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

/* Whether a block begins there, as far as what stands before it is whole: a peer can ask for any offset. */
static bool transmit_block_begins(const struct sync_engine *engine, const struct engine_base *base, uint64_t offset) {
  char name[SNAPSHOT_NAME_BYTES];
  base_name(name, base->position, base->id, false);
  struct snapshot_reader reader;
  if (snapshot_reader_open(&reader, engine->env, name, base->id, engine->block_bytes_max) != SYNC_OK) return true;
  struct block block;
  const uint8_t *bytes = NULL;
  int rc = SYNC_OK;
  while (rc == SYNC_OK && reader.offset < offset)
    rc = snapshot_reader_next(&reader, &block, &bytes);
  bool begins = rc != SYNC_OK || reader.offset == offset;
  snapshot_reader_close(&reader);
  return begins;
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
    if (rc == SYNC_E_DAMAGED && !transmit_block_begins(engine, base, offset)) return SYNC_E_NOT_FOUND;
    if (rc != SYNC_E_DAMAGED && rc != SYNC_E_IO) return rc;
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
  return peer->hello_pending || transmit_sends_blocks(peer) || fetch_asks(engine, peer) ||
         peer_next(&engine->peers, peer) != NULL;
}

/* Both take turns, where a transport takes one frame at a time: an
 * acknowledgement may be owed whenever there is room for a frame. */
static bool transmit_hello_next(struct sync_engine *engine, struct peer *peer) {
  bool other = transmit_sends_blocks(peer) || peer_next(&engine->peers, peer) != NULL;
  return peer->hello_pending && !(peer->hello_last && other);
}

/* The next frame to a peer that has one. SYNC_E_NOT_FOUND: there is none after all. */
static int transmit_frame(struct sync_engine *engine, struct peer *peer, void *buffer, size_t *size) {
  if (fetch_asks(engine, peer)) {
    *size = fetch_frame(engine, buffer);
    return SYNC_OK;
  }
  if (transmit_hello_next(engine, peer)) {
    *size = transmit_hello(engine, peer, buffer);
    return SYNC_OK;
  }
  peer->hello_last = false;
  return transmit_sends_blocks(peer) ? transmit_block(engine, peer, buffer, size)
                                     : transmit_ops(engine, peer, buffer, size);
}

int sync_next_frame(struct sync_engine *engine, uint32_t *handle, void *buffer, size_t capacity, size_t *size) {
  if (engine->stopped != SYNC_OK) return engine->stopped;
  int due = engine_commit_due(engine);
  if (due == SYNC_OK) due = compaction_run(engine);
  if (due != SYNC_OK) return due;
  uint32_t handles = peer_handles(&engine->peers);
  for (uint32_t i = 0; i < handles; i++) {
    uint32_t turn = (engine->peers.turn + i) % handles;
    struct peer *peer = peer_at(&engine->peers, turn);
    if (peer == NULL) continue;
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
    engine->stats.frames_out++;
    engine->stats.frames_out_bytes += *size;
    return SYNC_OK;
  }
  return SYNC_E_NOT_FOUND;
}
