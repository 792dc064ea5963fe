/* Asking for what a peer holds and does not push, because we have its like from others: when it does not come from
 * there (core/peers/feed.h). */
#ifndef SYNC_CORE_ASK_H
#define SYNC_CORE_ASK_H

#include <stdint.h>

struct sync_engine;
struct peer;

/* The peer told what it holds, which is in `known` now: so many operations of its log. */
void ask_judge(struct sync_engine *engine, struct peer *peer, uint64_t operations);
/* Causes of what it sent are missing, which are among so many operations of its log. */
void ask_causes(struct sync_engine *engine, struct peer *peer, uint64_t operations);
/* Operations came from it that were not here. */
void ask_answered(const struct sync_engine *engine, struct peer *peer, uint64_t now_ns);
/* Asks those that are due. */
void ask_run(struct sync_engine *engine, uint64_t now_ns);

#endif
