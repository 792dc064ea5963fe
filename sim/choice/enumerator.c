#include "sim/choice/enumerator.h"

#include "sim/choice/question.h"

#include <stdlib.h>

#define DEPTH_MAX 64u
#define LEAVES_MAX UINT64_C(1000000)
#define OUTCOMES_MAX 256u

struct step {
  struct sim_tag tag;
  uint64_t outcome;
  uint64_t last;   /* the highest to try */
  uint64_t lo, hi; /* of a range, whose outcomes are no sequence */
  bool is_range;
};

struct value {
  uint32_t kind;
  uint64_t value;
};

struct sim_enumerator {
  struct sim_enumerator_options options;
  struct step *path; /* options.depth_max of them */
  size_t length;     /* of the path of this combination as far as it is laid down */
  size_t depth;      /* how far the run has come on it */
  struct sim_choice_table *memo;
  struct value values[SIM_ENUMERATOR_VALUES_MAX];
  size_t value_count;
  uint64_t leaves;
  bool cut;      /* something was not tried */
  bool finished; /* nothing is left */
};

struct sim_enumerator *sim_enumerator_create(const struct sim_enumerator_options *options) {
  struct sim_enumerator *source = calloc(1, sizeof *source);
  if (source == NULL) return NULL;
  if (options != NULL) source->options = *options;
  if (source->options.depth_max == 0) source->options.depth_max = DEPTH_MAX;
  if (source->options.leaves_max == 0) source->options.leaves_max = LEAVES_MAX;
  if (source->options.outcomes_max == 0) source->options.outcomes_max = OUTCOMES_MAX;
  source->path = calloc(source->options.depth_max, sizeof *source->path);
  source->memo = sim_choice_table_create();
  if (source->path != NULL && source->memo != NULL) return source;
  sim_enumerator_destroy(source);
  return NULL;
}

void sim_enumerator_destroy(struct sim_enumerator *source) {
  if (source == NULL) return;
  if (source->memo != NULL) sim_choice_table_destroy(source->memo);
  free(source->path);
  free(source);
}

bool sim_enumerator_value(struct sim_enumerator *source, uint32_t kind, uint64_t value) {
  if (source->value_count == SIM_ENUMERATOR_VALUES_MAX) return false;
  source->values[source->value_count++] = (struct value){kind, value};
  return true;
}

uint64_t sim_enumerator_leaves(const struct sim_enumerator *source) {
  return source->leaves;
}

bool sim_enumerator_complete(const struct sim_enumerator *source) {
  return source->finished && !source->cut;
}

/* The next value of a range above `outcome`; hi comes last. */
static uint64_t above(const struct sim_enumerator *source, const struct step *step) {
  uint64_t next = step->hi;
  for (size_t i = 0; i < source->value_count; i++) {
    const struct value *value = &source->values[i];
    if (value->kind == step->tag.kind && value->value > step->outcome && value->value < next) next = value->value;
  }
  return next;
}

bool sim_enumerator_next(struct sim_enumerator *source) {
  if (source->finished) return false;
  if (source->leaves > 0) {
    /* A run that ended early never asked the rest. */
    source->length = source->depth < source->length ? source->depth : source->length;
    while (source->length > 0 && source->path[source->length - 1].outcome == source->path[source->length - 1].last)
      source->length--;
    source->finished = source->length == 0;
    if (source->finished) return false;
  }
  if (source->leaves == source->options.leaves_max) {
    source->cut = source->finished = true;
    return false;
  }
  if (source->length > 0) {
    struct step *step = &source->path[source->length - 1];
    step->outcome = step->is_range ? above(source, step) : step->outcome + 1;
  }
  source->leaves++;
  source->depth = 0;
  sim_choice_table_clear(source->memo);
  return true;
}

static bool same_tag(struct sim_tag a, struct sim_tag b) {
  return a.kind == b.kind && a.where == b.where && a.identity == b.identity;
}

/* Lays down one more step, calm. */
static void lay(struct sim_enumerator *source, const struct sim_question *question) {
  struct step *step = &source->path[source->length++];
  *step = (struct step){.tag = question->tag,
                        .outcome = question->lo,
                        .last = question->hi,
                        .lo = question->lo,
                        .hi = question->hi,
                        .is_range = question->is_range};
  uint64_t most = source->options.outcomes_max - 1;
  if (!question->is_range && question->ppm == 0 && step->last > most) {
    step->last = most;
    source->cut = true;
  }
}

bool sim_enumerator_decide(struct sim_enumerator *source, const struct sim_question *question, uint64_t *outcome) {
  *outcome = question->lo;
  if (question->lo == question->hi || sim_choice_table_get(source->memo, question->tag, outcome)) return true;
  if (source->depth == source->options.depth_max) {
    source->cut = true;
    return true;
  }
  if (source->depth == source->length) lay(source, question);
  const struct step *step = &source->path[source->depth];
  /* The same outcomes so far must lead to the same question. */
  if (!same_tag(step->tag, question->tag) || step->lo != question->lo || step->hi != question->hi) return false;
  source->depth++;
  *outcome = step->outcome;
  return sim_choice_table_set(source->memo, question->tag, *outcome);
}

size_t sim_enumerator_mark(const struct sim_enumerator *source, struct sim_choice_mark *memo) {
  *memo = sim_choice_table_mark(source->memo);
  return source->depth;
}

void sim_enumerator_cut(struct sim_enumerator *source, size_t position, struct sim_choice_mark memo) {
  source->depth = position;
  sim_choice_table_cut(source->memo, memo);
}
