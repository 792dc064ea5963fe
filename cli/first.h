/* The scenario that `syncsim new` writes: it holds, and its comments teach. */
#ifndef CLI_FIRST_H
#define CLI_FIRST_H

#include <stdbool.h>
#include <stdio.h>

/* `path` and `name` are plain text: no control characters, no quotation marks, no backslashes. false: a write failed.
 */
bool first_write(FILE *file, const char *path, const char *name);

#endif
