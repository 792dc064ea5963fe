#include "sim/network/network.h"

#include "sim/node/node.h"

#include <string.h>

struct sim_flap {
  uint64_t id;
  struct sim_flap *next;
  struct sim_flap_config config;
  bool down;
  uint64_t turns;
  uint64_t number; /* of the world's flaps */
  uint32_t count;
  struct sim_link_name links[];
};

static size_t bytes_of(uint32_t count) {
  return sizeof(struct sim_flap) + (size_t)count * sizeof(struct sim_link_name);
}

static void turn(struct sim_world *world, struct sim_flap *flap) {
  flap->down = !flap->down;
  for (uint32_t i = 0; i < flap->count; i++) {
    if (flap->down) {
      sim_link_cut(world, flap->links[i].from, flap->links[i].to);
    } else {
      sim_link_heal(world, flap->links[i].from, flap->links[i].to);
    }
  }
}

static void plan(struct sim_world *world, struct sim_flap *flap) {
  uint64_t lo = flap->down ? flap->config.down_min_ns : flap->config.up_min_ns;
  uint64_t hi = flap->down ? flap->config.down_max_ns : flap->config.up_max_ns;
  uint64_t identity = flap->number << 32 | flap->turns++;
  uint64_t ns = lo == hi ? lo : sim_range(world, sim_tag(SIM_CHOICE_NET_FLAP, 0, identity), lo, hi);
  if (ns >= UINT64_MAX - world->now_ns) return;
  network_timer(world, NETWORK_FLAP, world->now_ns + ns)->value = flap->id;
}

uint64_t sim_flap_begin(struct sim_world *world, const struct sim_flap_config *config,
                        const struct sim_link_name *links, uint32_t count) {
  /* A flap of no length would turn for ever at one instant. */
  SIM_ASSERT(world, config->down_min_ns > 0 && config->down_min_ns <= config->down_max_ns);
  SIM_ASSERT(world, config->up_min_ns > 0 && config->up_min_ns <= config->up_max_ns);
  struct sim_flap *flap = sim_alloc(world, bytes_of(count));
  SIM_ASSERT(world, flap != NULL);
  *flap = (struct sim_flap){.id = ++world->network_ids, .next = world->flaps, .config = *config, .count = count};
  flap->number = sim_counter(world, SIM_CHOICE_NET_FLAP, 0);
  if (count > 0) memcpy(flap->links, links, count * sizeof *links);
  world->flaps = flap;
  turn(world, flap);
  plan(world, flap);
  return flap->id;
}

static struct sim_flap **find(struct sim_world *world, uint64_t id) {
  struct sim_flap **at = &world->flaps;
  while (*at != NULL && (*at)->id != id)
    at = &(*at)->next;
  return at;
}

bool flap_turn(struct sim_world *world, uint64_t id) {
  struct sim_flap *flap = *find(world, id);
  if (flap == NULL) return false;
  turn(world, flap);
  plan(world, flap);
  return true;
}

static void end(struct sim_world *world, struct sim_flap **at) {
  struct sim_flap *flap = *at;
  *at = flap->next;
  if (flap->down) turn(world, flap);
  sim_free(world, flap, bytes_of(flap->count));
}

void sim_flap_end(struct sim_world *world, uint64_t id) {
  struct sim_flap **at = find(world, id);
  if (*at != NULL) end(world, at);
}

void flap_end_all(struct sim_world *world) {
  while (world->flaps != NULL)
    end(world, &world->flaps);
}
