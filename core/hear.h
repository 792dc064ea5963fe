/* What peers tell: HELLO and NEWS (rule 7). */
#ifndef SYNC_CORE_HEAR_H
#define SYNC_CORE_HEAR_H

#include <stdint.h>

struct sync_engine;
struct peer;
struct frame_view;

int hear_hello(struct sync_engine *engine, struct peer *peer, const struct frame_view *frame, uint64_t now_ns);
int hear_news(struct sync_engine *engine, struct peer *peer, const struct frame_view *frame, uint64_t now_ns);

#endif
