#include "synctool/nearest.h"

#include <string.h>

#define LETTERS_MAX 31u

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* Steps from one word to the other, a swap of neighbours being one. */
static size_t distance(const char *a, const char *b) {
  size_t rows[3][LETTERS_MAX + 1], size = strlen(b);
  size_t *before = rows[0], *last = rows[1], *now = rows[2];
  for (size_t j = 0; j <= size; j++)
    last[j] = before[j] = j;
  for (size_t i = 1; a[i - 1] != '\0'; i++) {
    now[0] = i;
    for (size_t j = 1; j <= size; j++) {
      now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = least(now[j], before[j - 2] + 1);
    }
    size_t *next = before;
    before = last;
    last = now;
    now = next;
  }
  return last[size];
}

void nearest_try(struct nearest *nearest, const char *candidate) {
  const size_t size = strlen(nearest->word), other = strlen(candidate);
  if (size == 0 || size > LETTERS_MAX || other > LETTERS_MAX) return;
  const size_t steps = distance(nearest->word, candidate);
  if (steps > (least(size, other) + 1) / 3 || (nearest->best != NULL && steps >= nearest->distance)) return;
  nearest->best = candidate;
  nearest->distance = steps;
}
