#include "core/pending.h"

#include "core/engine.h"

/* One of struct pending's list, oldest first. */
struct pending_frame {
  struct pending_frame *next;
  uint64_t at_ns;
  uint32_t handle;
  uint32_t size;
  uint8_t body[];
};

static void pending_free(struct sync_engine *engine, struct pending_frame *frame) {
  engine->pending.count--;
  engine->pending.bytes -= frame->size;
  memory_free(engine->env, frame, sizeof *frame + frame->size, PENDING_NOMINAL_BYTES + frame->size);
}

static void pending_drop(struct sync_engine *engine, struct pending_frame **at) {
  struct pending_frame *frame = *at;
  *at = frame->next;
  pending_free(engine, frame);
}

bool pending_has(const struct sync_engine *engine, uint32_t handle) {
  for (const struct pending_frame *frame = engine->pending.first; frame != NULL; frame = frame->next)
    if (frame->handle == handle) return true;
  return false;
}

/* A quarter of all that is kept may be one peer's: a hostile one costs the others nothing. */
bool pending_keep(struct sync_engine *engine, const struct peer *peer, const uint8_t *body, size_t size) {
  struct pending *pending = &engine->pending;
  size_t bytes_max = PENDING_FULL_FRAMES * engine->frame_bytes_max;
  uint32_t frames = 0;
  size_t bytes = 0;
  struct pending_frame **at = &pending->first;
  for (; *at != NULL; at = &(*at)->next) {
    if ((*at)->handle != peer->handle) continue;
    if ((*at)->size == size && memcmp((*at)->body, body, size) == 0) return true;
    frames++;
    bytes += (*at)->size;
  }
  if (pending->count >= PENDING_FRAMES_MAX || frames >= PENDING_FRAMES_OF_PEER) return false;
  if (size > engine->frame_bytes_max || size > bytes_max - pending->bytes || size > bytes_max / 4 - bytes) return false;
  struct pending_frame *frame = memory_alloc(engine->env, sizeof *frame + size, PENDING_NOMINAL_BYTES + size);
  if (frame == NULL) return false;
  *frame = (struct pending_frame){.at_ns = port_now(engine->env), .handle = peer->handle, .size = (uint32_t)size};
  memcpy(frame->body, body, size);
  *at = frame;
  pending->count++;
  pending->bytes += size;
  return true;
}

/* Tries each once. True: something was applied. */
static bool pending_pass(struct sync_engine *engine, pending_apply *apply, int *rc) {
  bool progress = false;
  for (struct pending_frame **at = &engine->pending.first; *at != NULL && *rc == SYNC_OK;) {
    struct peer *peer = peer_at(&engine->peers, (*at)->handle);
    struct pending_again again = {0};
    if (peer != NULL) again = apply(engine, peer, (*at)->body, (*at)->size);
    progress = progress || again.applied;
    if (engine->stopped != SYNC_OK) *rc = engine->stopped;
    if (again.waits)
      at = &(*at)->next;
    else
      pending_drop(engine, at);
  }
  return progress;
}

int pending_retry(struct sync_engine *engine, pending_apply *apply) {
  int rc = SYNC_OK;
  while (engine->pending.first != NULL && pending_pass(engine, apply, &rc))
    continue;
  return rc;
}

void pending_expire(struct sync_engine *engine, uint64_t now_ns) {
  for (struct pending_frame **at = &engine->pending.first; *at != NULL;) {
    if (now_ns - (*at)->at_ns > engine->options.ack_timeout_ns)
      pending_drop(engine, at);
    else
      at = &(*at)->next;
  }
}

void pending_peer_gone(struct sync_engine *engine, uint32_t handle) {
  for (struct pending_frame **at = &engine->pending.first; *at != NULL;) {
    if ((*at)->handle == handle)
      pending_drop(engine, at);
    else
      at = &(*at)->next;
  }
}

void pending_end(struct sync_engine *engine) {
  while (engine->pending.first != NULL)
    pending_drop(engine, &engine->pending.first);
}
