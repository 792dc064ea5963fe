/* The one line to paste that shows a failure again. */
#ifndef SEARCH_REPRODUCE_H
#define SEARCH_REPRODUCE_H

#include <stddef.h>
#include <stdint.h>

/* PROGRAM replay PATH --seed S, quoted for a shell. `program` may be NULL. */
void reproduce_line(char *line, size_t size, const char *program, const char *path, uint64_t seed);

#endif
