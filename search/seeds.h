/* Seeds as people write them: decimal or 0x-hexadecimal, one or a range. */
#ifndef SEARCH_SEEDS_H
#define SEARCH_SEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One seed. false: not a number of 64 bits, alone in the text. */
bool seeds_parse_one(const char *text, uint64_t *seed);
/* N: 1 to N. A..B: both included, A <= B. false: *why says what is wrong. */
bool seeds_parse_range(const char *text, uint64_t *first, uint64_t *last, const char **why);
/* The first seed for a text, such as a commit id; leaves room above for 2^32
 * seeds more. */
uint64_t seeds_from_text(const char *text);

#endif
