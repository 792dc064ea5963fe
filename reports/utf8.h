/* UTF-8: decoding any bytes, and how many columns a character takes. */
#ifndef REPORTS_UTF8_H
#define REPORTS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xfffdu

/* Decodes one character of the NUL-terminated `text`, which is not at its end.
 * Returns the bytes it took, at least 1. Bytes that are no UTF-8 (overlong,
 * surrogate, past U+10FFFF, cut short) give UTF8_REPLACEMENT, and *valid says
 * so; one replacement stands for one maximal cut-short sequence or one byte. */
size_t utf8_decode(const char *text, uint32_t *character, bool *valid);

/* Columns on a terminal: 0 for combining marks and control characters, 2 for
 * wide East Asian characters and emoji, else 1. Depends on no locale. */
unsigned utf8_columns(uint32_t character);

/* Control characters (C0, DEL, C1), and the marks that turn the direction of
 * text: nothing that may reach a terminal as it is. */
bool utf8_is_control(uint32_t character);

/* What utf8_clean leaves out or replaces besides invalid bytes. */
enum utf8_for {
  UTF8_FOR_JSON = 0,     /* nothing: JSON can escape every character */
  UTF8_FOR_XML = 1,      /* leaves out what XML 1.0 forbids; CR becomes a newline */
  UTF8_FOR_TERMINAL = 2, /* control characters but newlines become U+FFFD, tabs blanks */
  UTF8_FOR_LINE = 3,     /* the same, newlines become blanks too */
};

/* A clean copy of `text` (NULL counts as empty) of at most `bytes_max` bytes,
 * cut between characters. The caller frees it. NULL: no memory. */
char *utf8_clean(const char *text, enum utf8_for purpose, size_t bytes_max);

#endif
