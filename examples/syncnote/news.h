/* What other machines changed: the list of notes now, against the one at the last look. */
#ifndef SYNCNOTE_NEWS_H
#define SYNCNOTE_NEWS_H

#include <stddef.h>

#include "core/sync.h"

struct seen;
struct news {
  struct seen *list; /* in the order of titles */
  size_t count;
};

/* Prints a line for each note that another machine than `name` changed since the last look; the first look prints
 * nothing. False: no memory, it looks again later. */
bool news_look(struct news *news, const struct sync_engine *engine, const char *name);
void news_end(struct news *news);

#endif
