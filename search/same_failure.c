#include "search/same_failure.h"

#include <ctype.h>
#include <string.h>

/* Goes on to the next character that counts: numbers, and names that contain one, are all alike. */
static const char *plain(const char *text) {
  while (*text != '\0') {
    const char *end = text;
    bool number = false;
    while (isalnum((unsigned char)*end)) {
      number = number || isdigit((unsigned char)*end);
      end++;
    }
    if (end == text || !number) return text;
    text = end;
  }
  return text;
}

static bool same_words(const char *a, const char *b) {
  for (;;) {
    a = plain(a);
    b = plain(b);
    if (*a != *b) return false;
    if (*a == '\0' || *a == ':' || *a == ';' || *a == '(') return true; /* behind these stand particulars */
    if (!isalnum((unsigned char)*a)) {
      a++;
      b++;
      continue;
    }
    while (isalnum((unsigned char)*a) && *a == *b) {
      a++;
      b++;
    }
    if (isalnum((unsigned char)*a) || isalnum((unsigned char)*b)) return false;
  }
}

bool same_failure(const struct outcome *a, const struct outcome *b) {
  return a->verdict == b->verdict && strcmp(a->property, b->property) == 0 && same_words(a->detail, b->detail);
}
