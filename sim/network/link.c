#include "sim/network/link.h"

#include <string.h>

static uint64_t times(uint64_t ns, uint64_t factor) {
  return ns > UINT64_MAX / factor ? UINT64_MAX : ns * factor;
}

static struct sim_link_config with_defaults(const struct sim_link_config *given) {
  struct sim_link_config config = *given;
  if (config.delay_min_ns == 0 && config.delay_max_ns == 0 && config.delay_mean_ns == 0) config.delay_min_ns = SIM_MS;
  if (config.delay_max_ns < config.delay_min_ns) config.delay_max_ns = config.delay_min_ns;
  uint64_t usual_ns = config.delay_mean_ns > config.delay_max_ns ? config.delay_mean_ns : config.delay_max_ns;
  if (config.duplicate_max_ns == 0) config.duplicate_max_ns = times(usual_ns, 10);
  if (config.reorder_max_ns == 0) config.reorder_max_ns = times(usual_ns, 4);
  if (config.slow_max_ns == 0) config.slow_max_ns = SIM_SECOND;
  if (config.burst_leave_ppm == 0) config.burst_leave_ppm = 200000;
  if (config.burst_loss_ppm == 0) config.burst_loss_ppm = 1000000;
  if (config.clog_min_ns == 0 && config.clog_max_ns == 0) {
    config.clog_min_ns = 100 * SIM_MS;
    config.clog_max_ns = 2 * SIM_SECOND;
  }
  if (config.clog_max_ns < config.clog_min_ns) config.clog_max_ns = config.clog_min_ns;
  return config;
}

/* Links of such a configuration exist from their first message on. */
static bool has_state(const struct sim_link_config *config) {
  return config->burst_enter_ppm != 0 || config->splice_ppm != 0 || config->clog_ppm != 0 ||
         config->bandwidth_bytes_per_s != 0 || config->queue_messages != 0 || config->queue_bytes != 0;
}

void link_set_default(struct links *links, const struct sim_link_config *config) {
  links->config = with_defaults(config);
  links->has_state = has_state(&links->config);
}

void link_trace(const struct links *links, uint32_t from, uint32_t to, enum link_change change) {
  uint64_t fields[] = {from, to, (uint64_t)change};
  ground_trace(links->ground, SIM_SUB_NETWORK, SIM_STEP_LINK, 0, fields, 3);
}

/* --- Links: only those that were ever touched exist --- */

struct sim_link *link_find(const struct links *links, uint32_t from, uint32_t to) {
  if (links->count == 0) return NULL;
  const uint64_t *number = sim_map_get(&links->index, sim_tag_link(from, to));
  return number == NULL ? NULL : links->touched[*number - 1];
}

struct sim_link *link_touch(struct links *links, uint32_t from, uint32_t to) {
  struct ground *ground = links->ground;
  GROUND_ASSERT(ground, from >= 1 && from <= SIM_NODES_MAX && to >= 1 && to <= SIM_NODES_MAX);
  struct sim_link *link = link_find(links, from, to);
  if (link != NULL) return link;
  void *touched = links->touched;
  GROUND_ASSERT(
      ground, memory_array_grow(&ground->memory, &touched, &links->capacity, links->count, sizeof(struct sim_link *)));
  links->touched = touched;
  link = ground_alloc(ground, sizeof *link);
  uint64_t *number = sim_map_at(&ground->memory, &links->index, sim_tag_link(from, to));
  GROUND_ASSERT(ground, link != NULL && number != NULL);
  memset(link, 0, sizeof *link);
  link->from = from;
  link->to = to;
  links->touched[links->count++] = link;
  *number = links->count;
  return link;
}

void link_set(struct links *links, uint32_t from, uint32_t to, const struct sim_link_config *config) {
  struct sim_link *link = link_touch(links, from, to);
  link->configured = true;
  link->config = with_defaults(config);
  link_trace(links, from, to, LINK_SET);
}

void link_set_all(struct links *links, const struct sim_link_config *config) {
  link_set_default(links, config);
  for (uint32_t i = 0; i < links->count; i++)
    links->touched[i]->configured = false;
  link_trace(links, 0, 0, LINK_SET_ALL);
}

/* --- Cuts --- */

void link_cut(struct links *links, uint32_t from, uint32_t to) {
  link_touch(links, from, to)->cuts++;
  link_trace(links, from, to, LINK_CUT);
}

void link_heal(struct links *links, uint32_t from, uint32_t to) {
  struct sim_link *link = link_find(links, from, to);
  if (link == NULL || link->cuts == 0) return;
  link->cuts--;
  link_trace(links, from, to, LINK_HEAL);
}

bool link_is_cut(const struct links *links, uint32_t from, uint32_t to) {
  const struct sim_link *link = link_find(links, from, to);
  return link != NULL && link->cuts > 0;
}

/* --- Calm --- */

static void calm_config(struct sim_link_config *config) {
  config->loss_ppm = config->duplicate_ppm = config->reorder_ppm = 0;
  config->corrupt_ppm = config->truncate_ppm = config->slow_ppm = 0;
  config->extend_ppm = config->splice_ppm = config->misdeliver_ppm = 0;
  config->burst_enter_ppm = config->clog_ppm = config->queue_messages = 0;
  config->bandwidth_bytes_per_s = config->queue_bytes = 0;
}

void links_calm(struct links *links) {
  calm_config(&links->config);
  links->has_state = false;
  for (uint32_t i = 0; i < links->count; i++) {
    struct sim_link *link = links->touched[i];
    calm_config(&link->config);
    link->bad = false;
    link->line_free_ns = 0;
  }
}

/* --- What waits outside the timeline --- */

void held_add(const struct links *links, struct held *held, uint32_t slot) {
  ground_event_at(links->ground, slot)->next = 0;
  if (held->first == 0) {
    held->first = slot + 1;
  } else {
    ground_event_at(links->ground, held->last - 1)->next = slot + 1;
  }
  held->last = slot + 1;
}

/* The tie key is 0 even in a shuffled world: their order is kept. */
void held_release(const struct links *links, struct held *held) {
  uint32_t waiting = held->first;
  *held = (struct held){0, 0};
  while (waiting != 0) {
    uint32_t slot = waiting - 1;
    waiting = ground_event_at(links->ground, slot)->next;
    ground_schedule(links->ground, slot, ground_now(links->ground), 0);
  }
}

/* --- Events of the network itself --- */

struct sim_event *network_timer(const struct links *links, enum network_timer timer, uint64_t time_ns) {
  uint32_t slot = ground_event(links->ground, SIM_EVENT_NETWORK, 0);
  struct sim_event *event = ground_event_at(links->ground, slot);
  event->size = (uint32_t)timer;
  event->life = links->generation;
  ground_schedule(links->ground, slot, time_ns, 0);
  return ground_event_at(links->ground, slot);
}
