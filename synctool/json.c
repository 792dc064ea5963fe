#include "synctool/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "synctool/command.h"
#include "synctool/print.h"

#define NAME_BYTES 40u

/* A line that lacks a member would be read as another one: without memory nothing is written. */
static void put(json_t *object, const char *name, json_t *value) {
  if (json_object_set_new(object, name, value) == 0) return;
  (void)fputs("synctool: no memory for a line of JSON\n", stderr);
  exit(EXIT_STOPPED);
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *encode(const uint8_t *bytes, size_t size) {
  char *text = malloc((size + 2) / 3 * 4 + 1), *to = text;
  if (text == NULL) return NULL;
  for (size_t i = 0; i < size; i += 3) {
    const size_t left = size - i;
    const uint32_t word = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0u) |
                          (left > 2 ? (uint32_t)bytes[i + 2] : 0u);
    *to++ = digits[word >> 18];
    *to++ = digits[word >> 12 & 63];
    *to++ = '=';
    *to++ = '=';
    if (left > 1) to[-2] = digits[word >> 6 & 63];
    if (left > 2) to[-1] = digits[word & 63];
  }
  *to = '\0';
  return text;
}

/* Takes the one form that encode() gives, and no other. */
static uint8_t *decode(const char *text, size_t length, size_t *size) {
  if (length % 4 != 0) return NULL;
  uint8_t *bytes = malloc(length / 4 * 3 + 1);
  size_t count = 0;
  if (bytes == NULL) return NULL;
  for (size_t i = 0; i < length; i += 4) {
    size_t have = 4;
    if (i + 4 == length) have = text[i + 3] != '=' ? 4 : text[i + 2] != '=' ? 3 : 2;
    uint32_t word = 0;
    for (size_t j = 0; j < 4; j++) {
      const char *at = j < have && text[i + j] != '\0' ? strchr(digits, text[i + j]) : digits;
      if (at == NULL || (j < have && text[i + j] == '\0')) {
        free(bytes);
        return NULL;
      }
      word = word << 6 | (uint32_t)(at - digits);
    }
    for (size_t j = 0; j + 1 < have; j++)
      bytes[count++] = (uint8_t)(word >> (16 - 8 * j) & 0xffu);
  }
  *size = count;
  char *again = encode(bytes, count);
  const bool same = again != NULL && strcmp(again, text) == 0;
  free(again);
  if (same) return bytes;
  free(bytes);
  return NULL;
}

void json_put_bytes(json_t *object, const char *name, const void *bytes, size_t size) {
  char longer[NAME_BYTES];
  if (print_is_text(bytes, size)) {
    put(object, name, json_stringn(size > 0 ? bytes : "", size));
    return;
  }
  char *text = encode(bytes, size);
  (void)snprintf(longer, sizeof longer, "%s_base64", name);
  put(object, longer, text == NULL ? NULL : json_string(text));
  free(text);
}

void json_put_number(json_t *object, const char *name, uint64_t number) {
  put(object, name, json_integer((json_int_t)number));
}

void json_put_dot(json_t *object, const struct sync_dot *dot) {
  char incarnation[20];
  (void)snprintf(incarnation, sizeof incarnation, "%016" PRIx64, dot->origin.incarnation);
  put(object, "node", json_string(dot->origin.node_id));
  put(object, "incarnation", json_string(incarnation));
  json_put_number(object, "seq", dot->seq);
}

bool json_write_line(FILE *file, json_t *object) {
  if (object == NULL) return false;
  const bool written = json_dumpf(object, file, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 && fputc('\n', file) != EOF;
  json_decref(object);
  return written;
}

uint8_t *json_take_bytes(const json_t *object, const char *name, size_t *size, const char **why) {
  char longer[NAME_BYTES];
  (void)snprintf(longer, sizeof longer, "%s_base64", name);
  const json_t *text = json_object_get(object, name), *base64 = json_object_get(object, longer);
  *why = NULL;
  if (text != NULL && base64 != NULL) *why = "is there twice, as text and as base64";
  if (text == NULL && base64 == NULL)
    *why = "is missing: write it as a string, or as base64 under the name that ends so";
  if (text != NULL && !json_is_string(text)) *why = "is no string";
  if (base64 != NULL && !json_is_string(base64)) *why = "is no string";
  if (*why != NULL) return NULL;
  if (base64 != NULL) {
    uint8_t *bytes = decode(json_string_value(base64), json_string_length(base64), size);
    if (bytes == NULL) *why = "is not base64 (A-Z a-z 0-9 + /, padded with =)";
    return bytes;
  }
  *size = json_string_length(text);
  uint8_t *bytes = malloc(*size + 1);
  if (bytes == NULL) {
    *why = "finds no memory";
    return NULL;
  }
  memcpy(bytes, json_string_value(text), *size);
  return bytes;
}
