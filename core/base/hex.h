/* Numbers in names of files: lower-case hexadecimal of a fixed length. */
#ifndef SYNC_CORE_BASE_HEX_H
#define SYNC_CORE_BASE_HEX_H

#include <stdbool.h>
#include <stdint.h>

static inline void hex_put(char *to, uint64_t value, unsigned digits) {
  static const char hex[] = "0123456789abcdef";
  for (unsigned i = 0; i < digits; i++)
    to[i] = hex[(value >> (4 * (digits - 1 - i))) & 15u];
}
/* False when any of the characters is none of these digits. */
static inline bool hex_get(const char *from, unsigned digits, uint64_t *value) {
  *value = 0;
  for (unsigned i = 0; i < digits; i++) {
    char c = from[i];
    uint64_t digit;
    if (c >= '0' && c <= '9')
      digit = (uint64_t)(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = (uint64_t)(c - 'a') + 10;
    else
      return false;
    *value = (*value << 4) | digit;
  }
  return true;
}

#endif
