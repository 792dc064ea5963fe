/* What bytes and the enumerator are asked. Internal to sim/. */
#ifndef SIM_CHOICE_SOURCE_H
#define SIM_CHOICE_SOURCE_H

#include "sim/choice/choice_bytes.h"
#include "sim/choice/enumerator.h"

struct sim_question {
  struct sim_tag tag;
  uint64_t lo, hi; /* lo is calm */
  uint32_t ppm;    /* of a chance; else 0 */
  bool is_range;
};

/* false: out of memory, or a run that is not deterministic. The outcome lies in
 * lo .. hi, unless one question is asked twice with different bounds. */
bool sim_choice_bytes_decide(struct sim_choice_bytes *source, const struct sim_question *question, uint64_t *outcome);
bool sim_enumerator_decide(struct sim_enumerator *source, const struct sim_question *question, uint64_t *outcome);

/* The place, and the mark of what was decided up to there. */
size_t sim_choice_bytes_mark(const struct sim_choice_bytes *source, struct sim_choice_mark *memo);
void sim_choice_bytes_cut(struct sim_choice_bytes *source, size_t position, struct sim_choice_mark memo);
size_t sim_enumerator_mark(const struct sim_enumerator *source, struct sim_choice_mark *memo);
void sim_enumerator_cut(struct sim_enumerator *source, size_t position, struct sim_choice_mark memo);

#endif
