/* The lines that come from standard input while `serve` runs. One command at a time: the next is looked at when what
 * the last one wrote is durable. */
#ifndef SYNCNOTE_SHELL_H
#define SYNCNOTE_SHELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examples/syncnote/command.h"
#include "examples/syncnote/neighbours.h"
#include "examples/syncnote/source.h"
#include "examples/syncnote/store.h"

#define LINE_BYTES_MAX 65536u

struct shell {
  struct store *store;
  struct neighbours *peers;
  int epoll;
  struct source source;
  char in[LINE_BYTES_MAX];
  size_t size;
  bool skipping; /* the rest of a line that was too long */
  bool ended;    /* standard input is */
  bool always;   /* standard input is a file: epoll does not take it, and it is always ready */
  bool watched;
  struct command command;
  bool reads_text; /* of the command, up to a line `.` */
  bool drops_text; /* ... which is of no use */
  bool waits;      /* for the durability of: */
  uint64_t position;
  bool forgot, quits;
};

void shell_begin(struct shell *shell, struct store *store, struct neighbours *peers, int epoll);
/* Goes on as far as it can. */
void shell_turn(struct shell *shell);
/* Whether there is something to do without any wait. */
bool shell_is_ready(const struct shell *shell);
void shell_end(struct shell *shell);

#endif
