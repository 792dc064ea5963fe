/* The network of a world, for drivers. */
#include "sim/world/world.h"

void sim_link_set(struct sim_world *world, uint32_t from, uint32_t to, const struct sim_link_config *config) {
  link_set(&world->network.links, from, to, config);
}

void sim_link_set_all(struct sim_world *world, const struct sim_link_config *config) {
  link_set_all(&world->network.links, config);
}

void sim_link_cut(struct sim_world *world, uint32_t from, uint32_t to) {
  link_cut(&world->network.links, from, to);
}

void sim_link_heal(struct sim_world *world, uint32_t from, uint32_t to) {
  link_heal(&world->network.links, from, to);
}

void sim_link_heal_all(struct sim_world *world) {
  network_heal(&world->network);
}

bool sim_link_is_cut(const struct sim_world *world, uint32_t from, uint32_t to) {
  return link_is_cut(&world->network.links, from, to);
}

uint64_t sim_flap_begin(struct sim_world *world, const struct sim_flap_config *config,
                        const struct sim_link_name *links, uint32_t count) {
  return flap_begin(&world->network.links, &world->network.flaps, config, links, count);
}

void sim_flap_end(struct sim_world *world, uint64_t flap) {
  flap_end(&world->network.links, &world->network.flaps, flap);
}

uint64_t sim_link_clog(struct sim_world *world, uint32_t from, uint32_t to, uint64_t ns) {
  return clog_begin(&world->network.links, from, to, ns);
}

void sim_link_unclog(struct sim_world *world, uint32_t from, uint32_t to, uint64_t clog) {
  (void)clog_end(&world->network.links, from, to, clog);
}

bool sim_link_is_clogged(const struct sim_world *world, uint32_t from, uint32_t to) {
  return clog_is(&world->network.links, from, to);
}

void sim_swizzle(struct sim_world *world, const uint32_t *nodes, uint32_t count, uint64_t ns) {
  clog_swizzle(&world->network.links, nodes, count, ns);
}

uint64_t sim_rule_add(struct sim_world *world, const struct sim_rule *rule) {
  return link_rule_add(&world->network.links, &world->network.rules, rule);
}

void sim_rule_remove(struct sim_world *world, uint64_t rule) {
  link_rule_remove(&world->network.links, &world->network.rules, rule);
}

uint64_t sim_messages_in_flight(const struct sim_world *world) {
  return world->network.in_flight;
}

void sim_inject(struct sim_world *world, uint32_t from, uint32_t to, const void *bytes, size_t size) {
  network_inject(&world->network, from, to, bytes, size);
}

void sim_link_watch(struct sim_world *world) {
  account_begin(&world->network.account, &world->ground, world->nodes.count);
}

struct sim_link_health sim_link_health(const struct sim_world *world, uint32_t from, uint32_t to) {
  const struct links *links = &world->network.links;
  struct account_link account = account_of(&world->network.account, from, to);
  return (struct sim_link_health){
      .harmed = account.harmed,
      .slowest_ns = account.slowest_ns,
      .blocked = link_is_cut(links, from, to) || clog_is(links, from, to) || network_has_rules(&world->network),
  };
}
