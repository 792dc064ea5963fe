/* Edits of the standard bench world, and how much of a run each leaves as it was. */
#ifndef TESTS_SUPPORT_EDITS_H
#define TESTS_SUPPORT_EDITS_H

#include "lua/scenario.h"

#define EDITS 11u
#define EDITS_SCENARIO "bench/standard.lua"

struct edit {
  const char *name;
  const char *from, *to; /* in the text; NULL: an override does it */
  uint32_t kind;         /* of the choice that it overrides; 0: none */
  uint64_t outcome;
  uint32_t gone[2]; /* kinds of choices that it takes away altogether: not counted */
};
extern const struct edit edits[EDITS];

/* Decisions by tag and outcome; and, in step, sends and fsyncs by place and instant. */
enum edit_part { EDIT_ALL, EDIT_NETWORK, EDIT_DISK, EDIT_IN_STEP, EDIT_PARTS };

/* Runs the standard world, for so long, and each edited one under a seed: how many of its
 * decisions there are, and how many the edited run makes too. false: a run did not hold,
 * and stderr says why. */
struct edit_counts {
  uint64_t all[EDITS][EDIT_PARTS], kept[EDITS][EDIT_PARTS];
};
bool edits_run(struct sim *sim, const char *duration, uint64_t seed, struct edit_counts *counts);

#endif
