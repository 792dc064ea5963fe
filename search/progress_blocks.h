/* How far the worlds of workers are, in memory that the suite and its workers share:
 * also with workers that are executed anew, through a descriptor. */
#ifndef SEARCH_PROGRESS_BLOCKS_H
#define SEARCH_PROGRESS_BLOCKS_H

#include "sim/world/progress.h"

struct progress_blocks;
/* One block for each of `count` workers, zeroed. NULL: no memory, or no descriptor. */
struct progress_blocks *progress_blocks_create(uint32_t count);
void progress_blocks_free(struct progress_blocks *blocks);
struct sim_progress *progress_blocks_at(struct progress_blocks *blocks, uint32_t index);
/* What progress_blocks_attach takes; open across an exec. */
int progress_blocks_descriptor(const struct progress_blocks *blocks);
/* In another process: the block of that number, for as long as the process lives. NULL:
 * this is no such descriptor. */
struct sim_progress *progress_blocks_attach(int descriptor, uint32_t index);

#endif
