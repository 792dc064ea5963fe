/* Face of room `choice`: a byte string that drives the decisions of a run, as fuzzers want it.
 *
 * Each decision takes the next record of four bytes, whatever it decides, so
 * that records inserted, deleted or swapped leave the others whole. A record of
 * zeros is calm, and so is all that comes after the last whole record. A tag
 * that is asked again gets the answer that it got, and takes no record.
 */
#ifndef SIM_CHOICE_BYTES_H
#define SIM_CHOICE_BYTES_H

#include "sim/choice/choice.h"

#define SIM_CHOICE_BYTES_RECORD 4u

/* `bytes` are not copied: they outlive the source. One source drives one run.
 * NULL: no memory. */
struct sim_choice_bytes *sim_choice_bytes_create(const uint8_t *bytes, size_t size);
void sim_choice_bytes_destroy(struct sim_choice_bytes *source);
/* Bytes taken so far. */
size_t sim_choice_bytes_used(const struct sim_choice_bytes *source);

#endif
