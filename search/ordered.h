/* Recordings of choices in the order in which they were made, on their way from a worker. */
#ifndef SEARCH_ORDERED_H
#define SEARCH_ORDERED_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/choice/choice.h"

bool ordered_write(const struct sim_choice_table *table, FILE *file);
/* Reads and removes it. NULL: there is none, or no memory. */
struct sim_choice_table *ordered_read(const char *path);

#endif
