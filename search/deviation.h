/* What a run does beyond calm, piece by piece: its submits, the acts and sleeps of its script,
 * nodes that take part, the fates of messages and sectors. Found in the recording of a run; each
 * can be taken away by an override, all at once or one by one, and what is left is a run again:
 * a table of outcomes beside which everything is calm.
 */
#ifndef SEARCH_DEVIATION_H
#define SEARCH_DEVIATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/choice/choice.h"

enum deviation_form {
  DEVIATION_NODE,   /* a node takes part */
  DEVIATION_SUBMIT, /* a submit of the workload, or a later one of its turn */
  DEVIATION_DETAIL, /* which key, node, size, kind: of a submit; calm in its place */
  DEVIATION_FAULT,  /* a fault of the script, or what it drew */
  DEVIATION_ACT,    /* another act of the script */
  DEVIATION_SLEEP,  /* a sleep of the script: can be shorter, and not away */
  DEVIATION_RULE,   /* a rule of the script takes hold of a message */
  DEVIATION_FATE,   /* anything else that chance decided: a message, a sector, a call of the disk */
  DEVIATION_FRAME,  /* what only says when something is: stays as it is */
};

/* `without` of what is calm where no table says anything. */
#define DEVIATION_CALM UINT64_MAX

struct deviation {
  enum deviation_form form;
  struct sim_tag tag;
  uint64_t outcome;
  uint64_t without; /* the outcome that takes it away */
};

struct deviations {
  struct deviation *items; /* in the order in which the run met them */
  size_t count;
};

/* From a recording. `former`, when given, are the deviations of the run that it records, of which `there` says
 * which ones were left: what is not among them is calm, however it reads. false: no memory. */
bool deviations_find(struct deviations *deviations, const struct sim_choice_table *recording,
                     const struct sim_choice_table *former);
void deviations_free(struct deviations *deviations);

/* The kinds of choices that are fates. */
const uint32_t *deviation_fates(size_t *count);

bool deviation_is_fate(uint32_t kind);

/* The form by its plain name, for tables that people read. */
const char *deviation_form_name(enum deviation_form form);
/* Whether it is a thing that happens: a submit, a fault, an act, a fate. */
bool deviation_is_event(const struct deviation *deviation);

/* Kinds of which all may be as slow as they can be: how long messages take, and fsyncs. */
#define CANDIDATE_SLOW_KINDS 2u
uint32_t candidate_slow_kind(size_t i);

/* A run: which deviations it still has, with which outcomes, and how long faults last. */
struct candidate {
  const struct deviations *of;
  uint8_t *there;
  uint64_t *outcomes;
  uint64_t duration_ns; /* 0: as the scenario says */
  uint64_t seed;
  bool drawn;                      /* fates that are not there are drawn from the seed, and not calm */
  bool slow[CANDIDATE_SLOW_KINDS]; /* all of this kind that are not there take as long as they may */
};
bool candidate_init(struct candidate *candidate, const struct deviations *of); /* all there; false: no memory */
void candidate_free(struct candidate *candidate);
void candidate_copy(struct candidate *to, const struct candidate *from); /* of the same deviations */
/* The overrides that make it, beside calm. false: no memory. */
bool candidate_table(const struct candidate *candidate, struct sim_choice_table *table);
/* Equal for equal runs. */
uint64_t candidate_hash(const struct candidate *candidate);
size_t candidate_events(const struct candidate *candidate);

#endif
