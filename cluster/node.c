#include "cluster/follower.h"
#include "cluster/node.h"

#include <string.h>

#include "cluster/backoffs.h"
#include "cluster/belief.h"
#include "cluster/clocks.h"
#include "cluster/identify.h"
#include "cluster/log_damage.h"
#include "cluster/lookup.h"
#include "cluster/pace.h"
#include "cluster/policies.h"
#include "cluster/model.h"
#include "cluster/replica.h"
#include "cluster/tally.h"
#include "cluster/traffics.h"
#include "cluster/sweeps.h"
#include "core/wire/wire.h"
#include "sim/world/progress.h"

/* What a node pays for it under a memory quota, whatever sizeof says here. */
#define SOFTWARE_NOMINAL_BYTES 360u

static bool is_looked_at(const struct cluster *cluster) {
  return !cluster->config.no_oracles && !cluster->judging;
}

/* Tokens from here on are the log's fsyncs, those below a snapshot's. */
#define LOG_TOKENS (UINT64_C(1) << 63)

#define FRAME_TYPE_AT 3u /* docs/formats.md, "Frame" */

static struct cluster_node *config_node(const void *config) {
  struct cluster_node *node;
  memcpy(&node, config, sizeof(struct cluster_node *));
  return node;
}

/* Who is gone for good, or removed by a script, is a peer no more. */
static void remove_peers(struct cluster_software *software) {
  struct cluster_node *node = software->node;
  for (uint32_t other = 1; other <= node->cluster->config.nodes; other++) {
    uint32_t peer = software->peer_of[other];
    if (cluster_knows(node->cluster, node->number, other) || !node->peers[other].end) continue;
    int status = peer == SYNC_PEER_NONE ? sync_peer_add(software->engine, node->cluster->nodes[other].name, &peer)
                                        : SYNC_OK; /* it is known since before this life: gives its handle */
    if (status == SYNC_OK) status = sync_peer_remove(software->engine, peer);
    if (status != SYNC_OK) {
      software->peers_missing = true;
      continue;
    }
    memset(&node->peers[other], 0, sizeof node->peers[other]);
    cluster_backoff_gone(node->cluster, node->number, other);
    software->peer_of[other] = SYNC_PEER_NONE;
    if (peer <= CLUSTER_NODES_MAX) software->node_of[peer] = 0;
  }
}

/* boots: those whom its log names are tried from now on, too. */
static void register_peers(struct cluster_software *software, bool boots) {
  const struct cluster *cluster = software->node->cluster;
  software->peers_missing = false;
  remove_peers(software);
  for (uint32_t other = 1; other <= cluster->config.nodes; other++) {
    if (!cluster_knows(cluster, software->node->number, other) || software->peer_of[other] != SYNC_PEER_NONE) continue;
    uint32_t peer = 0;
    int status = sync_peer_add(software->engine, cluster->nodes[other].name, &peer);
    if (status != SYNC_OK) {
      software->peers_missing = true; /* a full disk, say: tried again at the next event */
      continue;
    }
    struct cluster_node *node = software->node;
    if (!node->peers[other].end) node->peers[other].end = sync_appended_position(software->engine);
    software->peer_of[other] = peer;
    cluster_backoff_known(node->cluster, node->number, other, boots);
    sim_trace_name(cluster->world, SIM_NAME_PEER, software->node->number, peer, cluster->nodes[other].name);
    if (peer <= CLUSTER_NODES_MAX) software->node_of[peer] = (uint8_t)other;
  }
}

/* Which peers an open should have known, and did not. */
static void look_at_peers(struct cluster_software *software) {
  struct cluster_node *node = software->node;
  struct sync_peer_info info;
  for (uint32_t other = 1; other <= node->cluster->config.nodes; other++) {
    bool known = false;
    for (uint32_t peer = 0; peer < CLUSTER_NODES_MAX && !known; peer++)
      known = sync_peer_info(software->engine, peer, &info) == SYNC_OK &&
              strcmp(info.node_id, node->cluster->nodes[other].name) == 0;
    node->peers[other].lost = node->peers[other].promised && !known;
    bool linked = cluster_knows(node->cluster, node->number, other);
    if (known && !linked && !node->peers[other].end) node->peers[other].end = 1; /* its removal was lost */
    if (!known && !node->peers[other].lost) node->peers[other].end = 0;          /* it is registered once more */
  }
}

/* What is damaged before an open; what an interrupted repair has put aside was. */
static void look_at_disk(struct cluster_node *node) {
  struct log_damage before = node->damage, *now = &node->damage;
  log_damage_look(node->cluster, node->number, now);
  if (!node->repair_begun) return;
  now->any = now->any || before.any;
  now->base = now->base || before.base;
  if (before.told && (!now->told || before.end < now->end)) now->end = before.end;
  now->told = now->told || before.told;
  if (before.unread < now->unread) now->unread = before.unread;
}

static void note_repair(struct cluster_node *node, bool put_aside) {
  node->repaired = node->open_status == SYNC_OK && (put_aside || node->repair_begun);
  if (node->repaired) follower_replaced(node->cluster, node->number);
  if (node->repairs) node->repair_begun = true; /* until its promises were looked at: power may fail first */
  node->repairs = false;
}

static void *start(struct sim_node *sim_node, const void *config) {
  struct cluster_node *node = config_node(config);
  struct cluster *cluster = node->cluster;
  const struct sync_env *env = sim_node_env(sim_node);
  look_at_disk(node);
  struct cluster_software *software = env->ops->alloc(env->ctx, sizeof *software, SOFTWARE_NOMINAL_BYTES);
  if (!software) {
    node->open_status = SYNC_E_NO_MEMORY;
    return NULL;
  }
  memset(software, 0, sizeof *software);
  software->node = node;
  node->starting = software;
  for (uint32_t i = 0; i <= CLUSTER_NODES_MAX; i++)
    software->peer_of[i] = SYNC_PEER_NONE;

  node->replica.following = node->replica.rotated = false;
  memset(&node->counts, 0, sizeof node->counts);
  node->looked_frames = 0;
  struct sync_options options = *cluster_options(cluster, node->number);
  options.node_id = node->name;
  struct sync_prefix_policy prefixes[CLUSTER_PREFIXES_MAX];
  policies_options(&node->policies, &cluster->config.own_merges, &options, prefixes);
  struct sync_open_report report;
  memset(&report, 0, sizeof report);
  cluster_pace_begin(node);
  node->open_status = node->repairs ? sync_open_repair(&software->engine, env, &options, &report, NULL, NULL)
                                    : sync_open(&software->engine, env, &options, &report);
  node->open_end = report.appended_position;
  note_repair(node, report.repaired);
  memcpy(node->open_detail, report.detail, sizeof node->open_detail);
  node->open_detail[sizeof node->open_detail - 1] = '\0';
  if (node->open_status != SYNC_OK) {
    if (node->open_status == SYNC_E_DAMAGED) look_at_disk(node); /* it may be damaged by its own reads */
    return NULL;
  }
  software->frame_bytes = sync_frame_bytes_max(software->engine);
  software->frame = env->ops->alloc(env->ctx, software->frame_bytes, software->frame_bytes);
  if (!software->frame) {
    node->open_status = SYNC_E_NO_MEMORY;
    return NULL;
  }
  look_at_peers(software);
  register_peers(software, true);
  cluster_pump(sim_node, software);
  return software;
}

static void *boot(struct sim_node *sim_node, const void *config) {
  void *software = start(sim_node, config);
  config_node(config)->starting = NULL;
  return software;
}

void cluster_flush(struct cluster_software *software) {
  int status = sync_flush(software->engine);
  (void)status; /* tried again by all that ends a turn */
}

/* By the header alone: a damaged frame still counts as what it says it is. */
static uint32_t classify(const uint8_t *bytes, size_t size) {
  if (size < FRAME_HEADER_BYTES || bytes[0] != 'S' || bytes[1] != 'Y') return 0;
  return bytes[3] >= FRAME_HELLO && bytes[3] <= FRAME_NEWS ? bytes[3] : 0;
}

static uint64_t operations_sent(const struct cluster_software *software) {
  struct sync_stats stats;
  if (!software->node->cluster->tally) return 0;
  sync_stats_get(software->engine, &stats);
  return stats.ops_out;
}

void cluster_pump(struct sim_node *sim_node, struct cluster_software *software) {
  struct cluster_node *node = software->node;
  if (software->peers_missing) register_peers(software, false);
  uint64_t sent_before = operations_sent(software);
  int status;
  bool failed = false;
  for (;;) {
    uint32_t peer = 0;
    size_t size = 0;
    status = sync_next_frame(software->engine, &peer, software->frame, software->frame_bytes, &size);
    if (node->replica.behind) replica_follow(node->cluster, node->number); /* it has tried to write once more */
    failed = failed || status == SYNC_E_IO;
    if (status == SYNC_E_IO) continue; /* that peer waits for its next retry; the others do not */
    if (status != SYNC_OK) break;
    uint32_t to = peer <= CLUSTER_NODES_MAX ? software->node_of[peer] : 0;
    if (is_looked_at(node->cluster)) cluster_check_sent(node->cluster, node->number, to, software->frame, size);
    if (!to) continue;
    if (node->cluster->tally) {
      uint64_t sent = operations_sent(software);
      cluster_tally_sent(node->cluster, to, classify(software->frame, size), size, sent - sent_before);
      sent_before = sent;
    }
    sim_send(sim_node, to, software->frame, size);
  }
  uint64_t deadline = sync_next_deadline(software->engine);
  cluster_backoff_end(node->cluster, node->number, deadline, status == SYNC_E_NOT_FOUND && !failed);
  if (software->peers_missing) { /* with no peer at all nothing else would happen here */
    const struct sync_env *env = sim_node_env(sim_node);
    uint64_t retry = env->ops->mono_ns(env->ctx) + SIM_SECOND;
    if (retry < deadline) deadline = retry;
  }
  sim_timer_set(sim_node, 0, deadline);
  clocks_look(node->cluster, node);
  struct sync_stats stats;
  sync_stats_get(software->engine, &stats);
  cluster_pace_look(node, software->engine, stats.failed);
  if (stats.failed && !node->repair_due) {
    node->repair_due = true;
    struct sim_world *world = node->cluster->world;
    sim_driver_at(world, node->cluster->driver, sim_now(world) + SIM_SECOND,
                  CLUSTER_WAKE_REPAIR | (uint64_t)node->number << 8);
  }
}

static void note_durable(struct cluster_software *software) {
  struct cluster *cluster = software->node->cluster;
  uint64_t durable = sync_durable_position(software->engine);
  for (uint32_t other = 1; other <= cluster->config.nodes; other++)
    if (software->node->peers[other].end && software->node->peers[other].end <= durable)
      software->node->peers[other].promised = true;
  uint32_t promised = ledger_promise(&cluster->ledger, software->node->life, durable);
  if (!promised) return;
  uint64_t fields[] = {CLUSTER_STEP_PROMISE, promised, durable};
  sim_trace(cluster->world, SIM_SUB_CLUSTER, SIM_STEP_CLUSTER, software->node->number, fields, 3);
}

const char *cluster_message_sort(uint32_t sort) {
  static const char *const names[] = {NULL, "HELLO", "OPS", "FETCH", "BLOCK", "NEWS"};
  return sort < sizeof names / sizeof names[0] ? names[sort] : NULL;
}

static void message(struct sim_node *sim_node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  struct cluster_software *software = state;
  sim_progress_sort(software->node->cluster->world, size > FRAME_TYPE_AT ? bytes[FRAME_TYPE_AT] : 0);
  uint32_t peer = from <= CLUSTER_NODES_MAX ? software->peer_of[from] : SYNC_PEER_NONE;
  if (peer == SYNC_PEER_NONE) return;
  /* A refused frame has told its reason to the engine's counters; the peer
   * sends it again. */
  struct cluster_node *node = software->node;
  cluster_backoff_hears(node, from);
  int status = sync_receive(software->engine, peer, bytes, size);
  cluster_backoff_heard(node->cluster, node->number, from, status);
  cluster_flush(software);
  if (is_looked_at(node->cluster)) {
    if (status == SYNC_OK) cluster_traffic_heard(node->cluster, node->number, from, bytes, size);
    node->counts.frames_in++;
    node->counts.frames_in_bytes += size;
    replica_follow(node->cluster, node->number);
    cluster_check_changed(node->cluster, node->number);
    cluster_check_belief(node->cluster, node->number, from);
  }
  cluster_pump(sim_node, software);
}

static void timer(struct sim_node *sim_node, void *state, uint32_t number) {
  struct cluster_software *software = state;
  (void)number;
  struct sync_tick_report report;
  int status = sync_tick(software->engine, &report);
  (void)status; /* a failed engine shows in its counters; the pump looks */
  if (is_looked_at(software->node->cluster)) {
    cluster_backoff_ticked(software->node->cluster, software->node->number, software->engine);
    replica_follow(software->node->cluster, software->node->number);
    sweeps_judge(software->node->cluster);
  }
  cluster_pump(sim_node, software);
}

static void disk_done(struct sim_node *sim_node, void *state, uint64_t token, int result) {
  struct cluster_software *software = state;
  if (sync_disk_done(software->engine, token, result) == SYNC_OK) {
    if (token >= LOG_TOKENS) cluster_pace_fsync_done(software->node);
    note_durable(software);
  }
  cluster_flush(software); /* it may have merged a snapshot */
  if (is_looked_at(software->node->cluster)) replica_follow(software->node->cluster, software->node->number);
  cluster_pump(sim_node, software);
}

static uint64_t digest(struct sim_node *sim_node, void *state) {
  (void)sim_node;
  struct cluster_software *software = state;
  struct sync_digest value;
  sync_digest_get(software->engine, &value);
  return sim_hash_fold(value.state, value.vector);
}

static void stop(struct sim_node *sim_node, void *state) {
  struct cluster_software *software = state;
  const struct sync_env *env = sim_node_env(sim_node);
  sync_close(software->engine);
  env->ops->free(env->ctx, software->frame, software->frame_bytes, software->frame_bytes);
  env->ops->free(env->ctx, software, sizeof *software, SOFTWARE_NOMINAL_BYTES);
}

static uint64_t identify(struct sim_node *sim_node, const void *config, const uint8_t *bytes, size_t size) {
  (void)sim_node;
  struct cluster_node *node = config_node(config);
  if (size > FRAME_HEADER_BYTES + FRAME_TRAILER_BYTES && bytes[3] == FRAME_HELLO)
    node->limits_hash = bytes_get_u64(bytes + FRAME_HEADER_BYTES);
  return cluster_identify(node->cluster, bytes, size);
}

const struct sim_node_kind cluster_node_kind = {
    .name = "sync",
    .log_prefix = "wal-",
    .boot = boot,
    .message = message,
    .timer = timer,
    .disk_done = disk_done,
    .digest = digest,
    .stop = stop,
    .classify = classify,
    .identify = identify,
};
