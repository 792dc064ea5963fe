/* Face of room `choice` for devices: who decides, and what a run remembers of it. */
#ifndef SIM_CHOICES_H
#define SIM_CHOICES_H

#include "sim/choice/choice.h"
#include "sim/memory/memory.h"

/* The source of a run: outside the arena, reached through its root. */
struct choice_seat {
  struct sim_choice_source source;
  uint64_t mixed_seed; /* what draws begin with */
  bool plain_seed;     /* no overrides, no recording, nothing else that decides: draw at once */
  bool has_reseeds;    /* the overrides have some */
};
void choice_seat_take(struct choice_seat *seat, const struct sim_choice_source *source);

struct sim_source_mark choice_seat_mark(const struct choice_seat *seat);
/* Cuts away what was written since the mark. */
void choice_seat_rewind(struct choice_seat *seat, struct sim_source_mark mark);

/* What a run remembers of its choices, in the arena. */
struct choices {
  const struct memory *memory;
  uint64_t seed;   /* under which the run began; of identities */
  uint32_t reseed; /* place of the reseed in effect, from 1; 0: none */
  struct sim_map counters;
};
void choices_init(struct choices *choices, const struct memory *memory, uint64_t seed);
/* The source's reseed at this event, if any, is in effect. Only while the seat
 * has_reseeds. */
void choices_reseed(struct choices *choices, uint64_t event);

/* 1 with a probability of `ppm` parts per million, else 0. 0 ppm decides
 * nothing: no draw, no record. */
uint32_t choice_chance(struct choices *choices, struct sim_tag tag, uint32_t ppm);
/* Uniform below n; n >= 1. */
uint64_t choice_pick(struct choices *choices, struct sim_tag tag, uint64_t n);
/* Below n; n >= 1. Where the ends are the interesting cases, as of sizes: 0 and
 * n - 1 have a third each under a seed, those between share the last one. */
uint64_t choice_pick_ends(struct choices *choices, struct sim_tag tag, uint64_t n);
/* Uniform in lo..hi, both included; lo is calm. */
uint64_t choice_range(struct choices *choices, struct sim_tag tag, uint64_t lo, uint64_t hi);
/* `usual`, whatever decides the rest, unless the table of overrides says something else
 * (held within lo .. hi): for what happens as it is written, until somebody who shrinks a
 * run leaves it out or cuts it short. Recorded, so that he knows what there is. */
uint64_t choice_usual(struct choices *choices, struct sim_tag tag, uint64_t usual, uint64_t lo, uint64_t hi);
/* The next identity for decisions at (kind, where) that have none of their
 * own: 0, 1, 2, ... */
uint64_t choice_counter(struct choices *choices, uint32_t kind, uint32_t where);
/* The next number of that name: 0, 1, 2, ... For names that are hashes. */
uint64_t choice_nth(struct choices *choices, uint64_t name);
/* For decisions that have no name of their own, and that an edit elsewhere must not rename:
 * the span of time that `time_ns` lies in, and a number within it. One decision more or fewer shifts those of
 * its span, and none later. No (kind, where) has both a counter and moments. */
uint64_t choice_moment(struct choices *choices, uint32_t kind, uint32_t where, uint64_t time_ns);
/* 2^22 ns, 4.2 ms: much shorter than what scenarios wait for, longer than an fsync. */
#define CHOICE_SPAN_SHIFT 22u
/* 64 bits, never 0, that no other (kind, where, count) of this seed gives: the
 * seed under which the run began. No decision: the same under every source. */
uint64_t choice_unique(struct choices *choices, uint32_t kind, uint32_t where);

#endif
