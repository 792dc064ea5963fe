/* Random bits of the kernel. */
#ifndef SYNC_POSIX_ENTROPY_H
#define SYNC_POSIX_ENTROPY_H

#include <stdbool.h>
#include <stdint.h>

/* 64 random bits in *bits. False when the kernel has none to give. Blocks only
 * in the first moments after boot. */
bool entropy_bits(uint64_t *bits);
/* A uniform value below n (n >= 1) in *value. False as above. */
bool entropy_below(uint64_t n, uint64_t *value);

#endif
