/* The word that somebody may have meant. */
#ifndef SYNCTOOL_NEAREST_H
#define SYNCTOOL_NEAREST_H

#include <stddef.h>

/* The candidate that is nearest to the word, by letters that are changed, added, left out or swapped; NULL: none is
 * near. Words of more than 31 letters are near to none. */
struct nearest {
  const char *word;
  const char *best;
  size_t distance; /* of best */
};
/* Looks at one candidate. Begin with {.word = ...}. */
void nearest_try(struct nearest *nearest, const char *candidate);

#endif
