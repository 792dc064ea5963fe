/* Changes that make a scenario of plain statements simpler. Which of them still fails in the same way is for others to
 * find out (retelling.h). Each is numbered from 0; false: there is no such change, or no memory for it. What `arg` is
 * stands beside each; none is NULL. */
#ifndef SEARCH_SIMPLER_H
#define SEARCH_SIMPLER_H

#include "search/plain.h"

typedef bool (*simpler_fn)(struct plain_scenario *plain, size_t number, const void *arg);

/* Not simpler, but so that it fails at all: it ends a little later; a power loss takes all that is not durable; fsyncs
 * or messages are all slow; the last act comes a little earlier or later. */
bool simpler_first_telling(struct plain_scenario *plain, size_t number, const void *arg);
extern const size_t simpler_first_tellings, simpler_slacks; /* the first ones only end later */

/* One statement goes, the last first. */
bool simpler_drop_one(struct plain_scenario *plain, size_t number, const void *arg);
/* Two go: number = later * count + earlier; struct simpler_pairs. */
struct simpler_pairs {
  size_t count; /* of statements */
};
bool simpler_drop_pair(struct plain_scenario *plain, size_t number, const void *arg);
/* The number-th part of so many (size_t) goes. */
bool simpler_drop_part(struct plain_scenario *plain, size_t number, const void *arg);

/* Few great puts instead of many small ones: what only comes of so many bytes. */
bool simpler_greater_puts(struct plain_scenario *plain, size_t number, const void *arg);
extern const size_t simpler_greater;

bool simpler_drop_option(struct plain_scenario *plain, size_t number, const void *arg);
/* The number-th key of all options that are tables. */
bool simpler_drop_key(struct plain_scenario *plain, size_t number, const void *arg);
#define SIMPLER_KEYS_MAX 64u
/* The nodes that are named become 1, 2, ..., and there are `number` others. */
bool simpler_close_ranks(struct plain_scenario *plain, size_t number, const void *arg);
/* number + 1 nodes. */
bool simpler_fewer_nodes(struct plain_scenario *plain, size_t number, const void *arg);
#define SIMPLER_NODES_MAX 64u

/* The time before a statement (size_t): none, or in whole seconds, tenths, ...; all that follows moves with it. */
bool simpler_coarse_gap(struct plain_scenario *plain, size_t number, const void *arg);
/* When faults stop. */
bool simpler_coarse_end(struct plain_scenario *plain, size_t number, const void *arg);
extern const size_t simpler_coarse_gaps, simpler_coarse_ends;

/* A statement (size_t) with a smaller key, value, moment. */
bool simpler_statement(struct plain_scenario *plain, size_t number, const void *arg);
extern const size_t simpler_statements;

#endif
