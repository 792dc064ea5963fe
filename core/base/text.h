/* Short messages in a fixed buffer, without the C library's formatter: always
 * terminated, cut when full.
 */
#ifndef SYNC_CORE_BASE_TEXT_H
#define SYNC_CORE_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
  char *to;
  size_t size; /* without the NUL */
  size_t capacity;
};

static inline struct text text_in(char *buffer, size_t capacity) {
  struct text text = {.to = buffer, .size = 0, .capacity = capacity};
  if (capacity > 0) buffer[0] = '\0';
  return text;
}
static inline void text_add(struct text *text, const char *string) {
  for (; *string != '\0' && text->size + 1 < text->capacity; string++)
    text->to[text->size++] = *string;
  if (text->capacity > 0) text->to[text->size] = '\0';
}
static inline void text_add_u64(struct text *text, uint64_t value) {
  char digits[21];
  size_t at = sizeof digits - 1;
  digits[at] = '\0';
  do {
    digits[--at] = (char)('0' + (int)(value % 10));
    value /= 10;
  } while (value != 0);
  text_add(text, digits + at);
}

#endif
