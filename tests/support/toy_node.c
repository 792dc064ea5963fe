#include "tests/support/toy_node.h"

#include <string.h>

#define SCRATCH_BYTES 40u

static int toy_open_file(struct sim_node *node, struct toy_state *toy) {
  const struct sync_env *env = sim_node_env(node);
  int status = env->ops->file_open(env->ctx, "toy.log", SYNC_OPEN_CREATE, &toy->file);
  if (status != SYNC_OK) return status;
  toy->file_open = true;
  status = env->ops->file_size(env->ctx, toy->file, &toy->file_bytes);
  if (status != SYNC_OK) return status;
  toy->recovered_bytes = toy->file_bytes;
  return env->ops->dir_fsync(env->ctx, 1);
}

static void toy_free(struct sim_node *node, struct toy_state *toy) {
  const struct sync_env *env = sim_node_env(node);
  if (toy->file_open) (void)env->ops->file_close(env->ctx, toy->file);
  if (!toy->config->leak) env->ops->free(env->ctx, toy->scratch, SCRATCH_BYTES, SCRATCH_BYTES);
  env->ops->free(env->ctx, toy, sizeof *toy, 64);
}

static void toy_burst(struct sim_node *node, const struct toy_config *config) {
  for (uint32_t peer = 1; peer <= config->peers; peer++) {
    if (peer == sim_node_number(node)) continue;
    for (uint32_t i = 0; i < config->burst; i++) {
      uint8_t bytes[8] = {0, 0, 0, 0, (uint8_t)sim_node_number(node), (uint8_t)i};
      sim_send(node, peer, bytes, sizeof bytes);
    }
  }
}

static void *toy_boot(struct sim_node *node, const void *argument) {
  const struct sync_env *env = sim_node_env(node);
  const struct toy_config *config = argument;
  if (config->refuse) return NULL;
  struct toy_state *toy = env->ops->alloc(env->ctx, sizeof *toy, 64);
  if (toy == NULL) return NULL;
  memset(toy, 0, sizeof *toy);
  toy->config = config;
  toy->id = env->ops->unique(env->ctx);
  toy->scratch = env->ops->alloc(env->ctx, SCRATCH_BYTES, SCRATCH_BYTES);
  if (toy->scratch == NULL || (config->persist && toy_open_file(node, toy) != SYNC_OK)) {
    toy_free(node, toy);
    return NULL;
  }
  if (config->period_ns > 0) sim_timer_set(node, 0, env->ops->mono_ns(env->ctx) + config->period_ns);
  toy_burst(node, config);
  return toy;
}

static void toy_message(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  const struct sync_env *env = sim_node_env(node);
  struct toy_state *toy = state;
  toy->messages++;
  toy->last_hash = sim_hash_bytes(bytes, size);
  uint64_t fields[] = {toy->messages, toy->last_hash};
  env->ops->trace(env->ctx, SYNC_TRACE_APPLY, fields, 2);
  if (toy->config->persist) {
    size_t done = 0;
    int status = env->ops->file_write(env->ctx, toy->file, toy->file_bytes, bytes, size, &done);
    toy->file_bytes += done;
    if (status == SYNC_OK) (void)env->ops->file_fsync(env->ctx, toy->file, 2);
  }
  if (size != 8 || bytes[0] >= toy->config->hops) return;
  uint8_t answer[8];
  memcpy(answer, bytes, sizeof answer);
  answer[0]++;
  sim_send(node, from, answer, sizeof answer);
}

static void toy_timer(struct sim_node *node, void *state, uint32_t timer) {
  const struct sync_env *env = sim_node_env(node);
  struct toy_state *toy = state;
  toy->timers++;
  toy->last_mono_ns = env->ops->mono_ns(env->ctx);
  toy->last_wall_ns = env->ops->wall_ns(env->ctx);
  if (toy->config->spin) {
    uint8_t byte = 0;
    size_t done = 0;
    while (env->ops->file_write(env->ctx, toy->file, 0, &byte, 1, &done) != SYNC_E_POWERED_OFF)
      continue;
    return;
  }
  uint64_t jitter = env->ops->pick(env->ctx, SYNC_PICK_BACKOFF_JITTER, 1000);
  sim_timer_set(node, timer, toy->last_mono_ns + toy->config->period_ns + jitter);
  toy_burst(node, toy->config);
}

static void toy_disk_done(struct sim_node *node, void *state, uint64_t token, int result) {
  (void)node, (void)token;
  struct toy_state *toy = state;
  toy->fsyncs++;
  toy->fsyncs_failed += result != SYNC_OK;
}

static uint64_t toy_digest(struct sim_node *node, void *state) {
  (void)node;
  const struct toy_state *toy = state;
  return sim_hash_fold(toy->messages, toy->last_hash);
}

static void toy_stop(struct sim_node *node, void *state) {
  toy_free(node, state);
}

const struct sim_node_kind toy_node_kind = {
    .name = "toy",
    .boot = toy_boot,
    .message = toy_message,
    .timer = toy_timer,
    .disk_done = toy_disk_done,
    .digest = toy_digest,
    .stop = toy_stop,
};
