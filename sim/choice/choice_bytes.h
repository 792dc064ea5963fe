/* Face of room `choice`: a byte string that drives the decisions of a run, as fuzzers want it.
 *
 * Each decision takes the next record of four bytes, whatever it decides, so
 * that records inserted, deleted or swapped leave the others whole. A record of
 * zeros is calm, and so is all that comes after the last whole record. A tag
 * that is asked again gets the answer that it got, and takes no record.
 */
#ifndef SIM_CHOICE_BYTES_H
#define SIM_CHOICE_BYTES_H

#include "sim/choice/choice_table.h"

struct sim_question;

#define SIM_CHOICE_BYTES_RECORD 4u

/* `bytes` are not copied: they outlive the source. One source drives one run.
 * NULL: no memory. */
struct sim_choice_bytes *sim_choice_bytes_create(const uint8_t *bytes, size_t size);
void sim_choice_bytes_destroy(struct sim_choice_bytes *source);
/* Bytes taken so far. */
size_t sim_choice_bytes_used(const struct sim_choice_bytes *source);

/* --- For choice.c --- */

/* false: out of memory, or a run that is not deterministic. The outcome lies in
 * lo .. hi, unless one question is asked twice with different bounds. */
bool sim_choice_bytes_decide(struct sim_choice_bytes *source, const struct sim_question *question, uint64_t *outcome);
/* The place, and the mark of what was decided up to there. */
size_t sim_choice_bytes_mark(const struct sim_choice_bytes *source, struct sim_choice_mark *memo);
void sim_choice_bytes_cut(struct sim_choice_bytes *source, size_t position, struct sim_choice_mark memo);

#endif
