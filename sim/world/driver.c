#include "sim/world/world.h"

uint32_t sim_driver_add(struct sim_world *world, sim_driver_fn wake, void *self) {
  SIM_ASSERT(world, world->driver_count < SIM_DRIVERS_MAX);
  world->drivers[world->driver_count] = (struct sim_driver){wake, self};
  return world->driver_count++;
}

void sim_driver_at(struct sim_world *world, uint32_t driver, uint64_t time_ns, uint64_t token) {
  SIM_ASSERT(world, driver < world->driver_count);
  uint32_t slot = ground_event(&world->ground, SIM_EVENT_DRIVER, 0);
  struct sim_event *event = ground_event_at(&world->ground, slot);
  event->from = driver;
  event->value = token;
  uint64_t identity = sim_mix(sim_mix(time_ns) + token) + driver;
  ground_schedule(&world->ground, slot, time_ns, ground_tie(&world->ground, 0, identity));
}

void sim_driver_next(struct sim_world *world, uint32_t driver, uint64_t token) {
  SIM_ASSERT(world, driver < world->driver_count);
  struct timeline *timeline = &world->ground.timeline;
  uint32_t slot = ground_event(&world->ground, SIM_EVENT_DRIVER, 0);
  struct sim_event *event = timeline_event(timeline, slot);
  event->id = ++timeline->seq;
  event->from = driver;
  event->value = token;
  event->next = 0;
  if (world->next_first == 0)
    world->next_first = slot + 1;
  else
    timeline_event(timeline, world->next_last - 1)->next = slot + 1;
  world->next_last = slot + 1;
}
