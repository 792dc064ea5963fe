/* Messages per second of an echo world: every message is answered with
 * another. Usage: echo [nodes] [messages]. */
#include "sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAYLOAD_BYTES 64u
#define IN_FLIGHT 10u

struct echo_config {
  uint32_t nodes;
};

static void *echo_boot(struct sim_node *node, const void *argument) {
  const struct echo_config *config = argument;
  const struct sync_env *env = sim_node_env(node);
  uint64_t *count = env->ops->alloc(env->ctx, sizeof *count, 8);
  if (count == NULL) return NULL;
  *count = 0;
  uint8_t bytes[PAYLOAD_BYTES] = {(uint8_t)sim_node_number(node)};
  for (uint32_t i = 0; i < IN_FLIGHT; i++) {
    uint32_t to = (sim_node_number(node) + i) % config->nodes + 1;
    sim_send(node, to, bytes, sizeof bytes);
  }
  return count;
}

static void echo_message(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  uint64_t *count = state;
  ++*count;
  sim_send(node, from, bytes, size);
}

static void echo_timer(struct sim_node *node, void *state, uint32_t timer) {
  (void)node, (void)state, (void)timer;
}

static void echo_disk_done(struct sim_node *node, void *state, uint64_t token, int result) {
  (void)node, (void)state, (void)token, (void)result;
}

static void echo_stop(struct sim_node *node, void *state) {
  const struct sync_env *env = sim_node_env(node);
  env->ops->free(env->ctx, state, sizeof(uint64_t), 8);
}

static const struct sim_node_kind echo_kind = {.name = "echo",
                                               .boot = echo_boot,
                                               .message = echo_message,
                                               .timer = echo_timer,
                                               .disk_done = echo_disk_done,
                                               .stop = echo_stop};

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * SIM_SECOND + (uint64_t)time.tv_nsec;
}

static void measure(struct sim *sim, uint32_t nodes, uint64_t messages) {
  struct sim_config config = {.source = {.seed = 1},
                              .link = {.delay_min_ns = SIM_MS, .delay_max_ns = 20 * SIM_MS},
                              .events_per_second_max = UINT64_MAX};
  struct sim_world *world = sim_world_begin(sim, &config);
  if (world == NULL) exit(1);
  struct echo_config echo = {nodes};
  for (uint32_t i = 0; i < nodes; i++) {
    uint32_t number = sim_node_add(world, &echo_kind, &echo, sizeof echo);
    if (number == 0 || !sim_node_boot(world, number)) exit(1);
  }
  uint64_t begin = now_ns();
  (void)sim_run(sim, UINT64_MAX, messages);
  uint64_t spent = now_ns() - begin;
  printf("echo %4" PRIu32 " nodes: %" PRIu64 " thousand messages/s, %" PRIu64
         " ns each, arena %zu KiB, hash %016" PRIx64 "\n",
         nodes, messages * 1000000 / (spent == 0 ? 1 : spent), spent / messages,
         sim_arena_used_bytes(sim_arena(sim)) / 1024, sim_trace_hash(world));
}

int main(int argc, char **argv) {
  struct sim *sim = sim_open(NULL);
  if (sim == NULL) return 1;
  uint64_t messages = argc > 2 ? strtoull(argv[2], NULL, 10) : 5000000;
  if (argc > 1) {
    measure(sim, (uint32_t)strtoul(argv[1], NULL, 10), messages);
  } else {
    static const uint32_t nodes[] = {3, 10, 100, 1000};
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
      measure(sim, nodes[i], messages);
  }
  sim_close(sim);
  return 0;
}
