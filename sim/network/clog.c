#include "sim/network/clog.h"

static void begin(struct links *links, struct sim_link *link, uint64_t ns) {
  struct sim_clog *clog = ground_alloc(links->ground, sizeof *clog);
  GROUND_ASSERT(links->ground, clog != NULL);
  clog->id = ++links->ids;
  clog->next = link->clogs;
  link->clogs = clog;
  link_trace(links, link->from, link->to, LINK_CLOG);
  if (ns >= UINT64_MAX - ground_now(links->ground)) return;
  struct sim_event *event = network_timer(links, NETWORK_CLOG_END, ground_now(links->ground) + ns);
  event->from = link->from;
  event->node = link->to;
  event->value = clog->id;
}

uint64_t clog_begin(struct links *links, uint32_t from, uint32_t to, uint64_t ns) {
  begin(links, link_touch(links, from, to), ns);
  return links->ids;
}

bool clog_end(struct links *links, uint32_t from, uint32_t to, uint64_t id) {
  struct sim_link *link = link_find(links, from, to);
  if (link == NULL) return false;
  struct sim_clog **at = &link->clogs;
  while (*at != NULL && (*at)->id != id)
    at = &(*at)->next;
  if (*at == NULL) return false;
  struct sim_clog *clog = *at;
  *at = clog->next;
  ground_free(links->ground, clog, sizeof *clog);
  link_trace(links, from, to, LINK_UNCLOG);
  if (link->clogs == NULL) held_release(links, &link->held);
  return true;
}

bool clog_is(const struct links *links, uint32_t from, uint32_t to) {
  const struct sim_link *link = link_find(links, from, to);
  return link != NULL && link->clogs != NULL;
}

void clog_end_all(struct links *links) {
  for (uint32_t i = 0; i < links->count; i++) {
    struct sim_link *link = links->touched[i];
    while (link->clogs != NULL)
      (void)clog_end(links, link->from, link->to, link->clogs->id);
  }
}

void clog_by_chance(struct links *links, struct sim_link *link, uint64_t identity) {
  const struct sim_link_config *config = link->configured ? &link->config : &links->config;
  if (config->clog_ppm == 0 || link->clogs != NULL) return;
  uint32_t where = sim_tag_link(link->from, link->to);
  links->ground->trace.faults[SIM_FAULT_NET_CLOG].opportunities++;
  if (ground_chance(links->ground, sim_tag(SIM_CHOICE_NET_CLOG, where, identity), config->clog_ppm) == 0) return;
  struct sim_tag tag = sim_tag(SIM_CHOICE_NET_CLOG_TIME, where, identity);
  begin(links, link, ground_range(links->ground, tag, config->clog_min_ns, config->clog_max_ns));
}

/* --- Swizzles --- */

void clog_node(struct links *links, uint32_t node, uint64_t until_ns) {
  for (uint32_t other = 1; other <= links->node_count; other++) {
    if (other == node) continue;
    begin(links, link_touch(links, node, other), until_ns - ground_now(links->ground));
    begin(links, link_touch(links, other, node), until_ns - ground_now(links->ground));
  }
}

void clog_swizzle(struct links *links, const uint32_t *nodes, uint32_t count, uint64_t ns) {
  GROUND_ASSERT(links->ground, ns <= UINT64_MAX - ground_now(links->ground));
  uint64_t half_ns = ns / 2;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t node = nodes[i];
    GROUND_ASSERT(links->ground, node >= 1 && node <= links->node_count);
    uint64_t identity = ground_moment(links->ground, SIM_CHOICE_NET_SWIZZLE_BEGIN, node);
    struct sim_tag begins = sim_tag(SIM_CHOICE_NET_SWIZZLE_BEGIN, node, identity);
    struct sim_tag ends = sim_tag(SIM_CHOICE_NET_SWIZZLE_END, node, identity);
    uint64_t begin_ns = ground_now(links->ground) + ground_range(links->ground, begins, 0, half_ns);
    uint64_t end_ns = ground_now(links->ground) + half_ns + ground_range(links->ground, ends, 0, ns - half_ns);
    struct sim_event *event = network_timer(links, NETWORK_SWIZZLE, begin_ns);
    event->node = node;
    event->value = end_ns;
  }
}
