/* Frames over one TCP connection: each is its length in four bytes, the highest first, then so many bytes. What comes
 * is kept until a frame is whole, what goes until the socket takes it; both are bounded. */
#ifndef SYNCNOTE_FRAMES_H
#define SYNCNOTE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frames {
  int fd;
  size_t longest; /* of a frame that may come, now */
  uint8_t *in, *out;
  size_t in_size, in_capacity;
  size_t out_begin, out_size, out_capacity, out_most;
};

/* `out_most`: bytes that wait for the socket, at most. The descriptor belongs to *frames now. */
void frames_begin(struct frames *frames, int fd, size_t longest, size_t out_most);
void frames_end(struct frames *frames);

/* Reads once. NULL, or why the connection is of no more use. */
const char *frames_read(struct frames *frames);
/* The next frame that is whole, valid until the next call. False: there is none; *wrong says if what is there is no
 * frame, else it is NULL. */
bool frames_next(struct frames *frames, const uint8_t **frame, size_t *size, const char **wrong);
/* Behind frames_next(): the frame was used. */
void frames_used(struct frames *frames, size_t size);

/* Takes the frame along. False: there is no room, and it is dropped; its sender sends it again. */
bool frames_put(struct frames *frames, const void *frame, size_t size);
/* Sends as much as the socket takes. NULL, or why the connection is of no more use. */
const char *frames_write(struct frames *frames);
bool frames_waiting(const struct frames *frames);

#endif
