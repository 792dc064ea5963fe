/* A failing run made small: submits, acts, faults, fates, nodes, sleeps and the time that it takes are
 * taken away together, as long as the same property is violated in the same way.
 *
 * A run is a table of outcomes, and everything beside it calm (deviation.h); so each thing can be taken away
 * without moving another. Passes go from coarse to fine (delta debugging: Zeller and Hildebrandt, 2002), until a
 * whole round changes nothing. Candidates run in worker processes, several at once; which one is taken does not
 * depend on who is ready first, so the outcome is the same for any number of workers.
 */
#ifndef SEARCH_SHRINK_H
#define SEARCH_SHRINK_H

#include "search/shrink_options.h"

/* false when there was no memory at all; else *result, which shrink_free frees. */
bool shrink_run(const struct shrink_options *options, struct shrink_result *result);
void shrink_free(struct shrink_result *result);

#endif
