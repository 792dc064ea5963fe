/* A command as people type it, in a shell or to `serve`. */
#ifndef SYNCNOTE_COMMAND_H
#define SYNCNOTE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#define TITLE_BYTES_MAX 200u
#define TEXT_BYTES_MAX 65536u /* the engine's default limit of a value */

enum command_kind {
  COMMAND_LIST,
  COMMAND_SHOW,
  COMMAND_ADD,
  COMMAND_EDIT,
  COMMAND_REMOVE,
  COMMAND_CONFLICTS,
  COMMAND_RESOLVE,
  COMMAND_PEERS,
  COMMAND_STATE,
  COMMAND_FORGET,
  COMMAND_HELP,
  COMMAND_QUIT,
};

struct command {
  enum command_kind kind;
  char title[TITLE_BYTES_MAX + 1]; /* of `forget`: the name of a peer */
  char token[9];                   /* resolve: what `show` printed, 8 hex digits */
  unsigned version;                /* resolve: the one that stays, from 1; 0: the text replaces all */
  bool wants_text;                 /* it was not among the words: it is read */
  char *text;                      /* owned by the command */
  size_t size, capacity;
};

extern const char command_help[];

/* Understands the words. False: they are no command, and has been said why. In both cases end it with command_end(). */
bool command_parse(struct command *command, size_t count, char *const *words);
/* False: the text is too long (said), and what was there stays. */
bool command_add_text(struct command *command, const char *text, size_t size);
void command_end(struct command *command);

#endif
