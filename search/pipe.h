/* Messages over pipes between the suite and its workers: same binary on both
 * ends, so structs travel as they are; but a peer may die in the middle of a
 * message, and nothing of a partial one is ever used.
 */
#ifndef SEARCH_PIPE_H
#define SEARCH_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIPE_MESSAGE_MAX (512u * 1024u)

/* Writes or reads all of it, blocking. false: the other end is gone. */
bool pipe_write_all(int fd, const void *bytes, size_t size);
bool pipe_read_all(int fd, void *bytes, size_t size);

/* What arrived on a pipe so far, ahead of its reader. */
struct pipe_buffer {
  uint8_t *bytes;
  size_t size, capacity;
};
enum pipe_state { PIPE_OPEN, PIPE_ENDED };
/* Takes what is there without waiting (the fd is non-blocking). A pipe that
 * sends more than PIPE_MESSAGE_MAX unread counts as ended. */
enum pipe_state pipe_fill(struct pipe_buffer *buffer, int fd);
void pipe_buffer_free(struct pipe_buffer *buffer);

#endif
