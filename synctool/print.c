#include "synctool/print.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* Bytes of the character at `at`, 0: no UTF-8, or cut, or not in its shortest form. */
static size_t decode(const uint8_t *at, size_t left, uint32_t *character) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const size_t size = at[0] < 0x80 ? 1 : at[0] < 0xc0 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf8 ? 4 : 0;
  if (size == 0 || size > left) return 0;
  *character = size == 1 ? at[0] : at[0] & (0x7fu >> size);
  for (size_t i = 1; i < size; i++) {
    if ((at[i] & 0xc0u) != 0x80u) return 0;
    *character = *character << 6 | (at[i] & 0x3fu);
  }
  const bool surrogate = *character >= 0xd800 && *character <= 0xdfff;
  return *character < least[size] || *character > 0x10ffff || surrogate ? 0 : size;
}

/* Control characters, and what turns the direction of text, is not seen, or is for nobody in particular. */
static bool is_seen(uint32_t c) {
  if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e || c == 0xfeff) return false;
  if ((c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f)) return false;
  return !(c >= 0xe000 && c <= 0xf8ff) && !(c >= 0xfff0 && c <= 0xffff) && c < 0xe0000;
}

void print_bytes(FILE *file, const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  while (size > 0) {
    uint32_t character = 0;
    size_t length = decode(at, size, &character);
    if (length > 0 && character == '\\') {
      (void)fputs("\\\\", file);
    } else if (length > 0 && is_seen(character)) {
      (void)fwrite(at, 1, length, file);
    } else {
      length = 1;
      (void)fprintf(file, "\\x%02x", at[0]);
    }
    at += length;
    size -= length;
  }
}

static int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool print_parse(const char *text, uint8_t *to, size_t *size) {
  size_t count = 0;
  while (*text != '\0') {
    if (*text != '\\') {
      to[count++] = (uint8_t)*text++;
    } else if (text[1] == '\\') {
      to[count++] = '\\';
      text += 2;
    } else if (text[1] == 'x' && digit(text[2]) >= 0 && digit(text[3]) >= 0) {
      to[count++] = (uint8_t)(digit(text[2]) * 16 + digit(text[3]));
      text += 4;
    } else {
      return false;
    }
  }
  *size = count;
  return true;
}

bool print_parse_key(const char *text, uint8_t to[SYNC_KEY_BYTES_MAX], size_t *size) {
  uint8_t bytes[4 * SYNC_KEY_BYTES_MAX];
  const char *why = NULL;
  if (strlen(text) > sizeof bytes) {
    why = "is longer than 1024 bytes";
  } else if (!print_parse(text, bytes, size)) {
    why = "has a backslash that begins neither \\xNN nor \\\\: write keys as 'synctool keys' prints them";
  } else if (*size == 0 || *size > SYNC_KEY_BYTES_MAX) {
    why = "is no key: one has 1 to 1024 bytes";
  }
  if (why != NULL) {
    (void)fputs("synctool: '", stderr);
    print_bytes(stderr, text, strlen(text));
    (void)fprintf(stderr, "' %s\n", why);
    return false;
  }
  memcpy(to, bytes, *size);
  return true;
}

void print_time(char text[PRINT_TIME_BYTES], uint64_t ns) {
  const time_t seconds = (time_t)(ns / UINT64_C(1000000000));
  struct tm parts;
  char date[24] = "?";
  if (gmtime_r(&seconds, &parts) != NULL) (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  (void)snprintf(text, PRINT_TIME_BYTES, "%s.%09" PRIu64 "Z", date, ns % UINT64_C(1000000000));
}

void print_dot(char text[PRINT_DOT_BYTES], const struct sync_dot *dot) {
  (void)snprintf(text, PRINT_DOT_BYTES, "%s/%016" PRIx64 "/%" PRIu64, dot->origin.node_id, dot->origin.incarnation,
                 dot->seq);
}

bool print_is_text(const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  for (size_t i = 0; i < size;) {
    uint32_t character = 0;
    const size_t length = decode(at + i, size - i, &character);
    if (length == 0 || !is_seen(character)) return false;
    i += length;
  }
  return true;
}
