/* Face of room `choice`: every combination of outcomes, depth first, for worlds of small scope.
 *
 *   struct sim_enumerator *all = sim_enumerator_create(&options);
 *   while (sim_enumerator_next(all)) {
 *     ... a world under {.rest = SIM_REST_ENUMERATE, .enumerator = all},
 *     ... begun anew or restored from a checkpoint taken under another source
 *   }
 *   if (sim_enumerator_complete(all)) ...
 *
 * A chance is tried with 0 and 1, a pick with every outcome, a range with lo,
 * the declared representatives within it, and hi. The first combination is
 * the calm one; then the last decision changes first. `only` of the source
 * limits what is tried to some kinds of decisions.
 */
#ifndef SIM_ENUMERATOR_H
#define SIM_ENUMERATOR_H

#include "sim/choice/choice_table.h"

struct sim_question;

#define SIM_ENUMERATOR_VALUES_MAX 64u /* representatives in all */

/* Zero is the default. */
struct sim_enumerator_options {
  size_t depth_max;      /* decisions that are tried both ways; later ones are calm; 64 */
  uint64_t leaves_max;   /* combinations; 1,000,000 */
  uint64_t outcomes_max; /* of one pick, from 0 on; 256 */
};

/* NULL: no memory. */
struct sim_enumerator *sim_enumerator_create(const struct sim_enumerator_options *options);
void sim_enumerator_destroy(struct sim_enumerator *source);
/* Ranges of this kind are tried with `value` too. Before the first next.
 * false: there are SIM_ENUMERATOR_VALUES_MAX. */
bool sim_enumerator_value(struct sim_enumerator *source, uint32_t kind, uint64_t value);
/* Turns to the next combination, the first time to the calm one. false: there
 * is none, or leaves_max were tried. */
bool sim_enumerator_next(struct sim_enumerator *source);
/* Combinations so far, the current one included. */
uint64_t sim_enumerator_leaves(const struct sim_enumerator *source);
/* After next gave false: whether really every combination was tried, and no
 * bound cut one off. */
bool sim_enumerator_complete(const struct sim_enumerator *source);

/* --- For choice.c --- */

/* false: out of memory, or a run that is not deterministic. The outcome lies in
 * lo .. hi, unless one question is asked twice with different bounds. */
bool sim_enumerator_decide(struct sim_enumerator *source, const struct sim_question *question, uint64_t *outcome);
/* The place, and the mark of what was decided up to there. */
size_t sim_enumerator_mark(const struct sim_enumerator *source, struct sim_choice_mark *memo);
void sim_enumerator_cut(struct sim_enumerator *source, size_t position, struct sim_choice_mark memo);

#endif
