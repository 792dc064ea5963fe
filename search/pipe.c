#include "search/pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

bool pipe_write_all(int fd, const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  while (size > 0) {
    const ssize_t done = write(fd, at, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    at += done;
    size -= (size_t)done;
  }
  return true;
}

bool pipe_read_all(int fd, void *bytes, size_t size) {
  uint8_t *at = bytes;
  while (size > 0) {
    const ssize_t done = read(fd, at, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    at += done;
    size -= (size_t)done;
  }
  return true;
}

enum pipe_state pipe_fill(struct pipe_buffer *buffer, int fd) {
  for (;;) {
    if (buffer->size == buffer->capacity) {
      const size_t wanted = buffer->capacity == 0 ? 8192 : buffer->capacity * 2;
      if (wanted > PIPE_MESSAGE_MAX) return PIPE_ENDED;
      uint8_t *grown = realloc(buffer->bytes, wanted);
      if (grown == NULL) return PIPE_ENDED;
      buffer->bytes = grown;
      buffer->capacity = wanted;
    }
    const ssize_t done = read(fd, buffer->bytes + buffer->size, buffer->capacity - buffer->size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return PIPE_OPEN;
    if (done <= 0) return PIPE_ENDED;
    buffer->size += (size_t)done;
  }
}

void pipe_buffer_free(struct pipe_buffer *buffer) {
  free(buffer->bytes);
  buffer->bytes = NULL;
  buffer->size = buffer->capacity = 0;
}
