#include "sim/network/network.h"

#include "sim/node/node.h"

static void begin(struct sim_world *world, struct sim_link *link, uint64_t ns) {
  struct sim_clog *clog = sim_alloc(world, sizeof *clog);
  SIM_ASSERT(world, clog != NULL);
  clog->id = ++world->network_ids;
  clog->next = link->clogs;
  link->clogs = clog;
  link_trace(world, link->from, link->to, LINK_CLOG);
  if (ns >= UINT64_MAX - world->now_ns) return;
  struct sim_event *event = network_timer(world, NETWORK_CLOG_END, world->now_ns + ns);
  event->from = link->from;
  event->node = link->to;
  event->value = clog->id;
}

uint64_t sim_link_clog(struct sim_world *world, uint32_t from, uint32_t to, uint64_t ns) {
  begin(world, link_touch(world, from, to), ns);
  return world->network_ids;
}

bool clog_end(struct sim_world *world, uint32_t from, uint32_t to, uint64_t id) {
  struct sim_link *link = link_find(world, from, to);
  if (link == NULL) return false;
  struct sim_clog **at = &link->clogs;
  while (*at != NULL && (*at)->id != id)
    at = &(*at)->next;
  if (*at == NULL) return false;
  struct sim_clog *clog = *at;
  *at = clog->next;
  sim_free(world, clog, sizeof *clog);
  link_trace(world, from, to, LINK_UNCLOG);
  if (link->clogs == NULL) held_release(world, &link->held);
  return true;
}

void sim_link_unclog(struct sim_world *world, uint32_t from, uint32_t to, uint64_t clog) {
  (void)clog_end(world, from, to, clog);
}

bool sim_link_is_clogged(const struct sim_world *world, uint32_t from, uint32_t to) {
  const struct sim_link *link = link_find(world, from, to);
  return link != NULL && link->clogs != NULL;
}

void clog_end_all(struct sim_world *world) {
  for (uint32_t i = 0; i < world->link_count; i++) {
    struct sim_link *link = world->links[i];
    while (link->clogs != NULL)
      (void)clog_end(world, link->from, link->to, link->clogs->id);
  }
}

void clog_by_chance(struct sim_world *world, struct sim_link *link, uint64_t identity) {
  const struct sim_link_config *config = link->configured ? &link->config : &world->link;
  if (config->clog_ppm == 0 || link->clogs != NULL) return;
  uint32_t where = sim_tag_link(link->from, link->to);
  sim_fault(world, SIM_FAULT_NET_CLOG)->opportunities++;
  if (sim_chance(world, sim_tag(SIM_CHOICE_NET_CLOG, where, identity), config->clog_ppm) == 0) return;
  struct sim_tag tag = sim_tag(SIM_CHOICE_NET_CLOG_TIME, where, identity);
  begin(world, link, sim_range(world, tag, config->clog_min_ns, config->clog_max_ns));
}

/* --- Swizzles --- */

void clog_node(struct sim_world *world, uint32_t node, uint64_t until_ns) {
  for (uint32_t other = 1; other <= world->node_count; other++) {
    if (other == node) continue;
    begin(world, link_touch(world, node, other), until_ns - world->now_ns);
    begin(world, link_touch(world, other, node), until_ns - world->now_ns);
  }
}

void sim_swizzle(struct sim_world *world, const uint32_t *nodes, uint32_t count, uint64_t ns) {
  SIM_ASSERT(world, ns <= UINT64_MAX - world->now_ns);
  uint64_t half_ns = ns / 2;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t node = nodes[i];
    SIM_ASSERT(world, node >= 1 && node <= world->node_count);
    uint64_t identity = sim_counter(world, SIM_CHOICE_NET_SWIZZLE_BEGIN, node);
    struct sim_tag begins = sim_tag(SIM_CHOICE_NET_SWIZZLE_BEGIN, node, identity);
    struct sim_tag ends = sim_tag(SIM_CHOICE_NET_SWIZZLE_END, node, identity);
    uint64_t begin_ns = world->now_ns + sim_range(world, begins, 0, half_ns);
    uint64_t end_ns = world->now_ns + half_ns + sim_range(world, ends, 0, ns - half_ns);
    struct sim_event *event = network_timer(world, NETWORK_SWIZZLE, begin_ns);
    event->node = node;
    event->value = end_ns;
  }
}
