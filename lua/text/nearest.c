#include "lua/text/nearest.h"

#include <string.h>

#define WORD_MAX 32u

static unsigned least(unsigned a, unsigned b) {
  return a < b ? a : b;
}

unsigned nearest_distance(const char *a, const char *b) {
  unsigned rows[3][WORD_MAX + 1u];
  size_t na = strnlen(a, WORD_MAX), nb = strnlen(b, WORD_MAX);
  unsigned *before = rows[0], *above = rows[1], *row = rows[2];
  for (size_t j = 0; j <= nb; j++)
    above[j] = (unsigned)j;
  memset(before, 0, sizeof rows[0]);
  for (size_t i = 1; i <= na; i++) {
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= nb; j++) {
      unsigned cost = a[i - 1] != b[j - 1];
      row[j] = least(least(above[j], row[j - 1]) + 1u, above[j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = least(row[j], before[j - 2] + 1u);
    }
    unsigned *spare = before;
    before = above;
    above = row;
    row = spare;
  }
  return above[nb];
}

const char *nearest_word(const char *word, const char *const *words, size_t count) {
  const char *best = NULL;
  unsigned best_distance = 0;
  size_t length = strnlen(word, WORD_MAX);
  unsigned bound = length < 4 ? 1u : (unsigned)(length + 2u) / 3u;
  for (size_t i = 0; i < count; i++) {
    unsigned distance = nearest_distance(word, words[i]);
    /* A word that continues the one given ("dup" for "duplicate") is near. */
    if (distance > bound && length >= 3 && strncmp(word, words[i], length) == 0) distance = bound;
    if (distance <= bound && (!best || distance < best_distance)) best = words[i], best_distance = distance;
  }
  return best;
}
