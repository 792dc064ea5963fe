#include "reports/utf8.h"

#include <stdlib.h>
#include <string.h>

size_t utf8_decode(const char *text, uint32_t *character, bool *valid) {
  const unsigned char *bytes = (const unsigned char *)text;
  const unsigned first = bytes[0];
  *valid = true;
  if (first < 0x80u) {
    *character = first;
    return 1;
  }
  *valid = false;
  *character = UTF8_REPLACEMENT;
  if (first < 0xc2u || first > 0xf4u) return 1;

  const size_t size = first < 0xe0u ? 2 : first < 0xf0u ? 3 : 4;
  /* The second byte's range excludes overlong forms, surrogates and what lies
   * past U+10FFFF. */
  const unsigned low = first == 0xe0u ? 0xa0u : first == 0xf0u ? 0x90u : 0x80u;
  const unsigned high = first == 0xedu ? 0x9fu : first == 0xf4u ? 0x8fu : 0xbfu;
  uint32_t value = first & (0x7fu >> size);
  for (size_t i = 1; i < size; i++) {
    const unsigned byte = bytes[i];
    if (i == 1 ? (byte < low || byte > high) : (byte & 0xc0u) != 0x80u) return i;
    value = (value << 6) | (byte & 0x3fu);
  }
  *valid = true;
  *character = value;
  return size;
}

struct range {
  uint32_t first, last;
};

static bool within(uint32_t character, const struct range *ranges, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (character >= ranges[i].first && character <= ranges[i].last) return true;
  return false;
}

bool utf8_is_control(uint32_t character) {
  return character < 0x20u || (character >= 0x7fu && character < 0xa0u) ||
         (character >= 0x200eu && character <= 0x200fu) || (character >= 0x2028u && character <= 0x202eu) ||
         (character >= 0x2066u && character <= 0x2069u);
}

unsigned utf8_columns(uint32_t character) {
  static const struct range zero[] = {
      {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x064b, 0x065f},   {0x0e31, 0x0e31},
      {0x0e34, 0x0e3a}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200d},   {0x20d0, 0x20ff},
      {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef},
  };
  static const struct range two[] = {
      {0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x2705, 0x2705},   {0x2728, 0x2728},
      {0x274c, 0x274c},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},
      {0xa000, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
      {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
      {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
  };
  if (utf8_is_control(character) || within(character, zero, sizeof zero / sizeof zero[0])) return 0;
  return within(character, two, sizeof two / sizeof two[0]) ? 2 : 1;
}

/* What stands for a character: the same, another, or 0 for nothing. */
static uint32_t stands_for(uint32_t character, enum utf8_for purpose) {
  switch (purpose) {
  case UTF8_FOR_JSON:
    return character;
  case UTF8_FOR_XML:
    /* XML readers turn CR into a newline anyway, unless it is a reference. */
    if (character == '\r') return '\n';
    if (character == '\t' || character == '\n') return character;
    return character < 0x20u || character == 0xfffeu || character == 0xffffu ? 0 : character;
  case UTF8_FOR_TERMINAL:
    if (character == '\n') return character;
    break;
  case UTF8_FOR_LINE:
    if (character == '\n' || character == '\r') return ' ';
    break;
  }
  if (character == '\t') return ' ';
  return utf8_is_control(character) ? UTF8_REPLACEMENT : character;
}

char *utf8_clean(const char *text, enum utf8_for purpose, size_t bytes_max) {
  static const char replacement[] = "\xef\xbf\xbd";
  if (text == NULL) text = "";
  const size_t size = strlen(text);
  const size_t room = size < bytes_max / 3 ? 3 * size : bytes_max; /* one bad byte becomes three */
  char *clean = malloc(room + 1);
  if (clean == NULL) return NULL;

  size_t at = 0;
  while (*text != '\0') {
    uint32_t character;
    bool valid;
    const size_t taken = utf8_decode(text, &character, &valid);
    const uint32_t written = stands_for(character, purpose);
    char one = (char)written;
    const char *from = text;
    size_t bytes = taken;
    if (!valid || written == UTF8_REPLACEMENT) {
      from = replacement;
      bytes = 3;
    } else if (written != character) {
      from = &one;
      bytes = written == 0 ? 0 : 1;
    }
    if (at + bytes > room) break;
    memcpy(clean + at, from, bytes);
    at += bytes;
    text += taken;
  }
  clean[at] = '\0';
  return clean;
}
