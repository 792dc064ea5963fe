#include "examples/syncnote/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LENGTH_BYTES 4u

void frames_begin(struct frames *frames, int fd, size_t longest, size_t out_most) {
  *frames = (struct frames){.fd = fd, .longest = longest, .out_most = out_most};
}

void frames_end(struct frames *frames) {
  if (frames->fd >= 0) close(frames->fd);
  free(frames->in);
  free(frames->out);
  *frames = (struct frames){.fd = -1};
}

static bool grow(uint8_t **bytes, size_t *capacity, size_t wanted) {
  if (wanted <= *capacity) return true;
  uint8_t *grown = realloc(*bytes, wanted);
  if (!grown) return false;
  *bytes = grown;
  *capacity = wanted;
  return true;
}

const char *frames_read(struct frames *frames) {
  if (!grow(&frames->in, &frames->in_capacity, LENGTH_BYTES + frames->longest)) return "no memory";
  if (frames->in_size == frames->in_capacity) return NULL; /* a whole frame is there: use it first */
  ssize_t got;
  do {
    got = recv(frames->fd, frames->in + frames->in_size, frames->in_capacity - frames->in_size, 0);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return "it hung up";
  if (got < 0) return errno == EAGAIN ? NULL : strerror(errno);
  frames->in_size += (size_t)got;
  return NULL;
}

bool frames_next(struct frames *frames, const uint8_t **frame, size_t *size, const char **wrong) {
  *wrong = NULL;
  if (frames->in_size < LENGTH_BYTES) return false;
  const uint8_t *in = frames->in;
  *size = (size_t)in[0] << 24 | (size_t)in[1] << 16 | (size_t)in[2] << 8 | in[3];
  if (*size == 0 || *size > frames->longest) {
    *wrong = "what it sends are no frames of syncnote";
    return false;
  }
  if (frames->in_size < LENGTH_BYTES + *size) return false;
  *frame = in + LENGTH_BYTES;
  return true;
}

void frames_used(struct frames *frames, size_t size) {
  frames->in_size -= LENGTH_BYTES + size;
  memmove(frames->in, frames->in + LENGTH_BYTES + size, frames->in_size);
}

bool frames_put(struct frames *frames, const void *frame, size_t size) {
  size_t more = LENGTH_BYTES + size;
  if (frames->out_size + more > frames->out_most) return false;
  if (frames->out_begin + frames->out_size + more > frames->out_capacity) {
    if (frames->out_size > 0) memmove(frames->out, frames->out + frames->out_begin, frames->out_size);
    frames->out_begin = 0;
  }
  if (!grow(&frames->out, &frames->out_capacity, frames->out_size + more)) return false;
  uint8_t *at = frames->out + frames->out_begin + frames->out_size;
  for (size_t i = 0; i < LENGTH_BYTES; i++)
    at[i] = (uint8_t)(size >> (8 * (LENGTH_BYTES - 1 - i)));
  memcpy(at + LENGTH_BYTES, frame, size);
  frames->out_size += more;
  return true;
}

const char *frames_write(struct frames *frames) {
  while (frames->out_size > 0) {
    ssize_t sent = send(frames->fd, frames->out + frames->out_begin, frames->out_size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN ? NULL : strerror(errno);
    frames->out_begin += (size_t)sent;
    frames->out_size -= (size_t)sent;
  }
  frames->out_begin = 0;
  return NULL;
}

bool frames_waiting(const struct frames *frames) {
  return frames->out_size > 0;
}
