#include "cluster/cluster.h"

#include <string.h>

#include "cluster/backoffs.h"
#include "cluster/lookup.h"
#include "cluster/node.h"
#include "cluster/oracle.h"
#include "cluster/propagation.h"
#include "cluster/state.h"
#include "cluster/topology.h"
#include "cluster/trace_names.h"
#include "cluster/tally.h"
#include "cluster/traffics.h"
#include "cluster/workload.h"

#define CHECK_INTERVAL_NS (2u * SIM_SECOND)

/* --- Lifecycle ------------------------------------------------------------------ */

static void went_up(struct cluster *cluster, struct cluster_node *node) {
  node->repair_due = false;
  if (cluster->judging) return;
  cluster_check_boot(cluster, node->number);
}

static void refused(struct cluster *cluster, struct cluster_node *node) {
  int status = node->open_status;
  if (status == SYNC_OK || status == SYNC_E_POWERED_OFF) return;
  uint64_t fields[] = {CLUSTER_STEP_OPEN, (uint64_t)(int64_t)status,
                       sim_hash_bytes(node->open_detail, strlen(node->open_detail))};
  sim_trace(cluster->world, SIM_SUB_CLUSTER, SIM_STEP_CLUSTER, node->number, fields, 3);
  const struct sim_disk *disk = sim_node_disk(sim_node_at(cluster->world, node->number));
  bool excused = (status == SYNC_E_DAMAGED && node->damage.told) || status == SYNC_E_NO_SPACE ||
                 status == SYNC_E_NO_MEMORY || status == SYNC_E_IO ||
                 (status == SYNC_E_TOO_MANY && sim_disk_told(disk, status));
  if (excused) return;
  static const uint64_t nothing[3] = {0, 0, 0};
  sim_violation(cluster->world, CLUSTER_RECOVERY, node->number, nothing,
                "%s does not open again: %s (%s). Its disk is as honest as the scenario's settings say.", node->name,
                sync_status_name(status), node->open_detail);
}

static void lifecycle(struct sim_world *world, void *self, uint32_t number, bool up, enum sim_node_down why) {
  struct cluster *cluster = self;
  (void)world;
  struct cluster_node *node = &cluster->nodes[number];
  if (up)
    went_up(cluster, node);
  else if (why == SIM_DOWN_REFUSED)
    refused(cluster, node);
}

static void wake(struct sim_world *world, void *self, uint64_t token) {
  struct cluster *cluster = self;
  uint32_t node = (uint32_t)(token >> 8);
  switch ((enum cluster_wake)(token & 0xffu)) {
  case CLUSTER_WAKE_WORKLOAD:
    cluster_workload_wake(cluster, token >> 8);
    break;
  case CLUSTER_WAKE_CHECK:
    cluster_check(cluster);
    sim_driver_at(world, cluster->driver, sim_now(world) + CHECK_INTERVAL_NS, CLUSTER_WAKE_CHECK);
    break;
  case CLUSTER_WAKE_REPAIR:
    if (!cluster->nodes[node].repair_due) break; /* it started again for another reason */
    if (sim_node_state(sim_node_at(world, node)) == SIM_NODE_PAUSED) {
      sim_driver_at(world, cluster->driver, sim_now(world) + SIM_SECOND, token);
      break;
    }
    cluster->nodes[node].repair_due = false;
    if (sim_node_state(sim_node_at(world, node)) != SIM_NODE_UP) break;
    sim_node_process_crash(world, node);
    sim_node_boot(world, node);
    break;
  }
}

/* --- Creation -------------------------------------------------------------------- */

static bool take_options(const struct cluster *cluster, struct cluster_node *node,
                         const struct cluster_node_options *options) {
  if (options->has_policies) node->policies = options->policies;
  if (!options->has_engine) return true;
  struct sync_options *engine = sim_alloc(cluster->world, sizeof *engine);
  if (!engine) return false;
  *engine = options->engine;
  memcpy(engine->cluster_id, cluster->config.engine.cluster_id, sizeof engine->cluster_id);
  node->engine = engine;
  return true;
}

struct cluster *cluster_create(struct sim_world *world, const struct cluster_config *config) {
  struct cluster *cluster = sim_alloc(world, sizeof *cluster);
  if (!cluster) return NULL;
  memset(cluster, 0, sizeof *cluster);
  cluster->world = world;
  cluster->violation = sim_violation_get(world);
  cluster->config = *config;
  memcpy(cluster->config.engine.cluster_id, "syncsim cluster", SYNC_CLUSTER_ID_BYTES);
  ledger_init(&cluster->ledger, world);
  cluster->driver = sim_driver_add(world, wake, cluster);
  sim_on_lifecycle(world, lifecycle, cluster);
  sim_on_node_trace(world, config->no_oracles ? cluster_traced_unseen : cluster_traced, cluster);
  for (uint32_t i = 1; i <= config->nodes; i++) {
    struct cluster_node *node = &cluster->nodes[i];
    node->cluster = cluster;
    node->number = i;
    node->life = LEDGER_NONE;
    node->policies = config->policies;
    cluster_name_node(node);
    node->left_out = (config->absent >> (i - 1u) & 1u) || sim_left_out(world, sim_tag(SIM_CHOICE_NODE_SKIP, i, 0));
    node->spare = i > config->nodes - config->spares;
    node->absent = node->left_out || node->spare;
    if (config->node_options != NULL && !take_options(cluster, node, &config->node_options[i - 1])) return NULL;
    if (!node->absent) node->rank = ++cluster->present;
    if (sim_node_add(world, &cluster_node_kind, &node, sizeof(struct cluster_node *)) != i) return NULL;
    node->machine = sim_node_at(world, i);
    node->disk = sim_node_disk(node->machine);
  }
  topology_link(cluster);
  cluster->config.node_options = NULL;
  for (uint32_t i = 1; i <= config->nodes && config->node_options != NULL; i++)
    if (config->node_options[i - 1].clock_ns != 0) sim_clock_step(world, i, config->node_options[i - 1].clock_ns);
  cluster_name_steps(cluster);
  if (!config->no_oracles) {
    size_t bytes = (size_t)config->nodes * config->nodes * sizeof *cluster->deliveries;
    cluster->deliveries = sim_alloc(world, bytes);
    if (!cluster->deliveries) return NULL;
    memset(cluster->deliveries, 0, bytes);
    if (config->nodes <= TRAFFIC_NODES_MAX) {
      bytes = (size_t)config->nodes * config->nodes * sizeof *cluster->traffic;
      cluster->traffic = sim_alloc(world, bytes);
      if (!cluster->traffic) return NULL;
      memset(cluster->traffic, 0, bytes);
    }
    if (!cluster_backoffs_begin(cluster)) return NULL;
    sim_link_watch(world);
  }
  if (config->measured && !(cluster_tally_begin(cluster) && cluster_propagation_begin(cluster))) return NULL;
  for (uint32_t i = 1; i <= config->nodes; i++)
    if (cluster_present(cluster, i)) sim_node_boot(world, i);
  if (!config->no_oracles)
    sim_driver_at(world, cluster->driver, sim_now(world) + CHECK_INTERVAL_NS, CLUSTER_WAKE_CHECK);
  return cluster;
}

/* --- Questions --------------------------------------------------------------------- */

void cluster_stats(const struct cluster *cluster, struct cluster_stats *stats) {
  memset(stats, 0, sizeof *stats);
  stats->submits = cluster->ledger.operation_count;
  stats->refused = cluster->ledger.refused;
  stats->promised = cluster->ledger.promised;
  memcpy(stats->by_trace, cluster->by_trace, sizeof stats->by_trace);
}

bool cluster_snapshot(struct cluster *cluster, uint32_t node) {
  struct cluster_software *software = sim_node_enter(cluster->world, node);
  if (!software) return false;
  int status = sync_snapshot(software->engine);
  cluster_pump(sim_node_at(cluster->world, node), software);
  sim_node_leave(cluster->world, node);
  return status == SYNC_OK;
}

bool cluster_repair(struct cluster *cluster, uint32_t node) {
  enum sim_node_state state = sim_node_state(sim_node_at(cluster->world, node));
  if (state != SIM_NODE_DOWN && state != SIM_NODE_REFUSED) return false;
  cluster->nodes[node].repairs = true;
  bool up = sim_node_boot(cluster->world, node);
  cluster->nodes[node].repairs = false;
  return up;
}

uint64_t cluster_outbox_size(struct cluster *cluster, uint32_t node) {
  struct sync_engine *engine = cluster_engine(cluster, node);
  return engine ? sync_outbox_size(engine) : 0;
}

bool cluster_node_stats(struct cluster *cluster, uint32_t node, struct sync_stats *stats) {
  struct sync_engine *engine = cluster_engine(cluster, node);
  if (engine) sync_stats_get(engine, stats);
  return engine != NULL;
}
