/* Notes: keys of the engine are titles, values are texts. */
#ifndef SYNCNOTE_NOTES_H
#define SYNCNOTE_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "examples/syncnote/command.h"
#include "examples/syncnote/store.h"

/* Does what the command says, prints what it asks for. False: it was not done, and has been said why. *position: what
 * it wrote is saved when the durable position has come so far; 0: it wrote nothing. */
bool notes_do(struct store *store, const struct command *command, uint64_t *position);
/* Whether the command could be done now, before its text is read. False: has been said why. */
bool notes_may(struct store *store, const struct command *command);
/* Says that what the command wrote is durable. */
void notes_done(const struct command *command);
/* The text of a note, to edit it. False: there is none. The text is the engine's. */
bool notes_text(struct store *store, const char *title, const char **text, size_t *size);
/* To a terminal without what would command it, for texts come from elsewhere; `strict`: also no new line. */
void notes_print(FILE *to, const char *text, size_t size, bool strict);

#endif
