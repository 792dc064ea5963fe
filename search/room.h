/* How much memory a world may have: the size of its arena. */
#ifndef SEARCH_ROOM_H
#define SEARCH_ROOM_H

#include <stddef.h>
#include <stdint.h>

#include "sim/sim.h"

#define ROOM_ARENA_MIN (UINT64_C(1) << 20)
#define ROOM_ARENA_MAX (UINT64_C(1) << 40)

/* Where no size is wished: 4 GiB, or less where half of the memory, or three
 * quarters of the address space that the process has left, is less. */
void room_settle(struct sim_options *options);
/* Why sim_open gave nothing, and what to do. Right after it. */
void room_refused(const struct sim_options *options, char *text, size_t size);

/* "512 MiB", rounded down; into `text`, which it returns. */
const char *room_text(uint64_t bytes, char *text, size_t size);
/* Twice as much, as --arena takes it. */
const char *room_double(uint64_t bytes);

#endif
