/* Clogs: what meets a clogged link waits, and arrives in order when it ends. */
#ifndef SIM_CLOG_H
#define SIM_CLOG_H

#include "sim/network/link.h"

/* For `ns`, UINT64_MAX: until it is ended. Its number, never 0. */
uint64_t clog_begin(struct links *links, uint32_t from, uint32_t to, uint64_t ns);
/* false: it has ended. */
bool clog_end(struct links *links, uint32_t from, uint32_t to, uint64_t clog);
bool clog_is(const struct links *links, uint32_t from, uint32_t to);
/* A message meets the link: may begin a clog by chance. */
void clog_by_chance(struct links *links, struct sim_link *link, uint64_t identity);
/* All links of a node. */
void clog_node(struct links *links, uint32_t node, uint64_t until_ns);
void clog_end_all(struct links *links);
/* Plans: nodes are clogged one by one, and released in an order of its own. */
void clog_swizzle(struct links *links, const uint32_t *nodes, uint32_t count, uint64_t ns);

#endif
