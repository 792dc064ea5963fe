/* Bytes, times and ids as text that a terminal takes without harm. */
#ifndef SYNCTOOL_PRINT_H
#define SYNCTOOL_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/sync.h"

/* Characters that can be seen, as they are (UTF-8), but for a backslash, which is doubled; every other byte as \xNN. */
void print_bytes(FILE *file, const void *bytes, size_t size);
/* Reads a key that is written so; \x5c and \\ are the same. Anything else behind a backslash is wrong. `to` has room
 * for strlen(text) bytes. */
bool print_parse(const char *text, uint8_t *to, size_t *size);
/* A key from the command line; says what is wrong with it. */
bool print_parse_key(const char *text, uint8_t to[SYNC_KEY_BYTES_MAX], size_t *size);

/* Nanoseconds since 1970 as 2026-11-28T16:03:01.123456789Z. */
#define PRINT_TIME_BYTES 40u
void print_time(char text[PRINT_TIME_BYTES], uint64_t ns);
/* node/incarnation/seq, the incarnation in 16 hexadecimal digits. */
#define PRINT_DOT_BYTES 112u
void print_dot(char text[PRINT_DOT_BYTES], const struct sync_dot *dot);

/* Whether the bytes are one valid UTF-8 text without control characters; so JSON has them as a string. */
bool print_is_text(const void *bytes, size_t size);

#endif
