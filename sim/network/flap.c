#include "sim/network/flap.h"

#include <string.h>

struct sim_flap {
  uint64_t id;
  struct sim_flap *next;
  struct sim_flap_config config;
  bool down;
  uint64_t turns;
  uint64_t name; /* among the world's flaps */
  uint32_t count;
  struct sim_link_name names[];
};

static size_t bytes_of(uint32_t count) {
  return sizeof(struct sim_flap) + (size_t)count * sizeof(struct sim_link_name);
}

static void turn(struct links *links, struct sim_flap *flap) {
  flap->down = !flap->down;
  for (uint32_t i = 0; i < flap->count; i++) {
    if (flap->down) {
      link_cut(links, flap->names[i].from, flap->names[i].to);
    } else {
      link_heal(links, flap->names[i].from, flap->names[i].to);
    }
  }
}

static void plan(struct links *links, struct sim_flap *flap) {
  uint64_t lo = flap->down ? flap->config.down_min_ns : flap->config.up_min_ns;
  uint64_t hi = flap->down ? flap->config.down_max_ns : flap->config.up_max_ns;
  uint64_t identity = sim_mix(flap->name) + flap->turns++;
  uint64_t ns = lo == hi ? lo : ground_range(links->ground, sim_tag(SIM_CHOICE_NET_FLAP, 0, identity), lo, hi);
  if (ns >= UINT64_MAX - ground_now(links->ground)) return;
  network_timer(links, NETWORK_FLAP, ground_now(links->ground) + ns)->value = flap->id;
}

uint64_t flap_begin(struct links *links, struct sim_flap **flaps, const struct sim_flap_config *config,
                    const struct sim_link_name *names, uint32_t count) {
  /* A flap of no length would turn for ever at one instant. */
  GROUND_ASSERT(links->ground, config->down_min_ns > 0 && config->down_min_ns <= config->down_max_ns);
  GROUND_ASSERT(links->ground, config->up_min_ns > 0 && config->up_min_ns <= config->up_max_ns);
  struct sim_flap *flap = ground_alloc(links->ground, bytes_of(count));
  GROUND_ASSERT(links->ground, flap != NULL);
  *flap = (struct sim_flap){.id = ++links->ids, .next = *flaps, .config = *config, .count = count};
  flap->name = ground_moment(links->ground, SIM_CHOICE_NET_FLAP, 0);
  if (count > 0) memcpy(flap->names, names, count * sizeof *names);
  *flaps = flap;
  turn(links, flap);
  plan(links, flap);
  return flap->id;
}

static struct sim_flap **find(struct sim_flap **flaps, uint64_t id) {
  struct sim_flap **at = flaps;
  while (*at != NULL && (*at)->id != id)
    at = &(*at)->next;
  return at;
}

bool flap_turn(struct links *links, struct sim_flap **flaps, uint64_t id) {
  struct sim_flap *flap = *find(flaps, id);
  if (flap == NULL) return false;
  turn(links, flap);
  plan(links, flap);
  return true;
}

static void end(struct links *links, struct sim_flap **at) {
  struct sim_flap *flap = *at;
  *at = flap->next;
  if (flap->down) turn(links, flap);
  ground_free(links->ground, flap, bytes_of(flap->count));
}

void flap_end(struct links *links, struct sim_flap **flaps, uint64_t id) {
  struct sim_flap **at = find(flaps, id);
  if (*at != NULL) end(links, at);
}

void flap_end_all(struct links *links, struct sim_flap **flaps) {
  while (*flaps != NULL)
    end(links, flaps);
}
