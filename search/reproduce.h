/* The one line to paste that shows a failure again. */
#ifndef SEARCH_REPRODUCE_H
#define SEARCH_REPRODUCE_H

#include <stddef.h>
#include <stdint.h>

#include "lua/text/params.h"

/* PROGRAM replay PATH --seed S --set NAME=VALUE ..., quoted for a shell. `program` and `set` may be NULL. */
void reproduce_line(char *line, size_t size, const char *program, const char *path, const struct params *set,
                    uint64_t seed);
/* Appends --set NAME=VALUE for each, from line[used] on. Gives the new end. */
size_t reproduce_params(char *line, size_t size, size_t used, const struct params *set);

#endif
