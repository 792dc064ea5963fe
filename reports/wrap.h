/* Lines for a terminal: how wide it is, and where words are broken. */
#ifndef REPORTS_WRAP_H
#define REPORTS_WRAP_H

#include <stdbool.h>
#include <stdio.h>

/* Columns of the terminal that `file` is; 0: it is none. */
unsigned wrap_columns(FILE *file);
/* How many columns a text without control characters takes. */
unsigned wrap_width(const char *text);
/* Writes `text`, which holds no control characters, and a newline. Words that would pass `columns` (0: no limit) go on
 * in a new line of `indent` blanks; `used` columns of the first line are taken already. Several blanks become one.
 * false: a write failed. */
bool wrap_write(FILE *file, const char *text, unsigned used, unsigned indent, unsigned columns);

#endif
