/* The nearest word: what someone who misspelt a name probably meant. */
#ifndef LUA_TEXT_NEAREST_H
#define LUA_TEXT_NEAREST_H

#include <stddef.h>

/* The number of insertions, deletions, replacements and swaps of neighbours
 * that lead from one word to the other; words are cut at 32 bytes. */
unsigned nearest_distance(const char *a, const char *b);
/* The nearest of `count` words (the first of equals), or NULL when none is
 * near enough to be meant. */
const char *nearest_word(const char *word, const char *const *words, size_t count);

#endif
