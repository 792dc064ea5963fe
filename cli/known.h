/* The list of known failures, and the day that it is. */
#ifndef CLI_KNOWN_H
#define CLI_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "search/known.h"

struct known_list {
  struct suite_known *items;
  size_t count;
};
/* A day as 20261231, from "2026-12-31"; 0: it is none. */
unsigned known_day(const char *text);
/* The day by this machine's clock, UTC: what a run never sees. */
unsigned known_today(void);
/* Reads lines DATE | SCENARIO | PROPERTY | REASON. EXIT_HELD, or an exit status after a message with the line that is
 * wrong. Free it in either case. */
int known_read(struct known_list *list, const char *path, unsigned today);
void known_free(struct known_list *list);

#endif
