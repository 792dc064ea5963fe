#include "search/seeds.h"

#include <string.h>

#include "sim/trace/trace.h"

/* Reads digits up to `end` (not included). */
static bool parse_span(const char *text, const char *end, uint64_t *number) {
  uint64_t base = 10;
  uint64_t value = 0;
  if (end - text > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    base = 16;
    text += 2;
  }
  if (text == end) return false;
  for (; text < end; text++) {
    uint64_t digit;
    if (*text >= '0' && *text <= '9') {
      digit = (uint64_t)(*text - '0');
    } else if (*text >= 'a' && *text <= 'f') {
      digit = (uint64_t)(*text - 'a') + 10;
    } else if (*text >= 'A' && *text <= 'F') {
      digit = (uint64_t)(*text - 'A') + 10;
    } else {
      return false;
    }
    if (digit >= base || value > (UINT64_MAX - digit) / base) return false;
    value = value * base + digit;
  }
  *number = value;
  return true;
}

bool seeds_parse_one(const char *text, uint64_t *seed) {
  return parse_span(text, text + strlen(text), seed);
}

bool seeds_parse_range(const char *text, uint64_t *first, uint64_t *last, const char **why) {
  const char *dots = strstr(text, "..");
  if (dots == NULL) {
    *first = 1;
    *why = "is not a number: write a count such as 100, or a range such as 1..100 (decimal or 0x-hexadecimal)";
    if (!seeds_parse_one(text, last)) return false;
    *why = "asks for no seed at all: a count is at least 1";
    return *last >= 1;
  }
  *why = "is not a range: write FIRST..LAST, such as 1..100 (decimal or 0x-hexadecimal)";
  if (!parse_span(text, dots, first) || !seeds_parse_one(dots + 2, last)) return false;
  *why = "is an empty range: its first seed is above its last";
  return *first <= *last;
}

uint64_t seeds_from_text(const char *text) {
  return sim_hash_bytes(text, strlen(text)) & UINT64_C(0x7fffffff00000000);
}
