#include "cluster/settle.h"

#include <string.h>

#include "cluster/cluster.h"
#include "cluster/lookup.h"
#include "cluster/model.h"
#include "cluster/state.h"
#include "cluster/workload.h"

#define SETTLE_STEP_NS (250u * SIM_MS)

static const uint64_t nothing[3] = {0, 0, 0};

static bool all_durable(struct cluster *cluster) {
  for (uint32_t i = 1; i <= cluster->config.nodes; i++) {
    struct sync_engine *engine = cluster_engine(cluster, i);
    if (!cluster_present(cluster, i)) continue;
    if (!engine || sync_durable_position(engine) != sync_appended_position(engine)) return false;
  }
  return true;
}

static void boot_all(struct cluster *cluster) {
  for (uint32_t i = 1; i <= cluster->config.nodes; i++) {
    if (!cluster_present(cluster, i)) continue;
    enum sim_node_state state = sim_node_state(sim_node_at(cluster->world, i));
    if (state == SIM_NODE_DOWN || state == SIM_NODE_REFUSED) sim_node_boot(cluster->world, i);
  }
}

void cluster_settle_begin(struct cluster *cluster, uint64_t settle_ns) {
  cluster_workload_stop(cluster);
  sim_calm(cluster->world);
  for (uint32_t i = 1; i <= cluster->config.nodes; i++)
    cluster->nodes[i].serve_failed = false;
  uint64_t now = sim_now(cluster->world);
  cluster->settle_end_ns = settle_ns > UINT64_MAX - now ? UINT64_MAX : now + settle_ns;
}

bool cluster_settle_step(struct cluster *cluster, uint64_t *next_ns) {
  uint64_t now = sim_now(cluster->world), end = cluster->settle_end_ns;
  if (cluster_violated(cluster)) return true;
  boot_all(cluster);
  if (cluster_converged(cluster) && cluster_drained(cluster) && all_durable(cluster)) return true;
  *next_ns = end - now < SETTLE_STEP_NS ? end : now + SETTLE_STEP_NS;
  return now >= end;
}

void cluster_settle(struct sim *sim, struct cluster *cluster, uint64_t settle_ns) {
  uint64_t next_ns;
  cluster_settle_begin(cluster, settle_ns);
  while (!cluster_settle_step(cluster, &next_ns)) {
    enum sim_end why = sim_run(sim, next_ns, UINT64_MAX);
    if (why == SIM_END_VIOLATION || why == SIM_END_STOPPED) return;
  }
}

/* --- Convergence --------------------------------------------------------------------- */

struct difference {
  struct cluster *cluster;
  struct sync_engine *other;
  uint64_t subject[3];
  const char *author;
  bool found;
};

static int first_missing(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct difference *difference = arg;
  if (sync_holds(difference->other, origin->node_id, origin->incarnation, seq)) return 0;
  uint64_t missing = 1;
  while (sync_holds(difference->other, origin->node_id, origin->incarnation, missing))
    missing++;
  difference->found = true;
  difference->subject[0] = sync_node_hash(origin->node_id);
  difference->subject[1] = origin->incarnation;
  difference->subject[2] = missing;
  return 1;
}

static void report_difference(struct cluster *cluster, uint32_t holder, uint32_t lacker) {
  struct difference difference = {.cluster = cluster, .other = cluster_engine(cluster, lacker)};
  sync_vector(cluster_engine(cluster, holder), false, first_missing, &difference);
  if (!difference.found) return;
  sim_violation(cluster->world, CLUSTER_CONVERGENCE, lacker, difference.subject,
                "after healing, %s holds operation n%u/%016llx/%llu and %s never received it",
                cluster->nodes[holder].name, cluster_node_of_hash(difference.subject[0], cluster->config.nodes),
                (unsigned long long)difference.subject[1], (unsigned long long)difference.subject[2],
                cluster->nodes[lacker].name);
}

static void judge_convergence(struct cluster *cluster) {
  uint32_t nodes = cluster->config.nodes;
  for (uint32_t i = 1; i <= nodes; i++) {
    if (cluster_engine(cluster, i) || !cluster_present(cluster, i)) continue;
    sim_violation(cluster->world, CLUSTER_RECOVERY, i, nothing, "%s is not up after healing (last open: %s, %s)",
                  cluster->nodes[i].name, sync_status_name(cluster->nodes[i].open_status),
                  cluster->nodes[i].open_detail);
    return;
  }
  for (uint32_t a = 1; a <= nodes && !cluster_violated(cluster); a++)
    for (uint32_t b = 1; b <= nodes && !cluster_violated(cluster); b++)
      if (a != b && cluster_present(cluster, a) && cluster_present(cluster, b)) report_difference(cluster, a, b);
  uint32_t one = 1;
  while (one < nodes && !cluster_present(cluster, one))
    one++;
  for (uint32_t i = one; i <= nodes && !cluster_violated(cluster); i++) {
    if (!cluster_present(cluster, i)) continue;
    struct sync_digest kept, fresh, first;
    sync_digest_get(cluster_engine(cluster, i), &kept);
    sync_digest_recompute(cluster_engine(cluster, i), &fresh);
    sync_digest_get(cluster_engine(cluster, one), &first);
    if (memcmp(&kept, &fresh, sizeof kept) != 0 || kept.state != first.state || kept.vector != first.vector)
      sim_violation(cluster->world, CLUSTER_CONVERGENCE, i, nothing,
                    "%s holds the same operations as %s and another state (or a digest that is not its state's)",
                    cluster->nodes[i].name, cluster->nodes[one].name);
    else
      cluster_check_model(cluster, i);
  }
}

static void judge_outboxes(struct cluster *cluster) {
  for (uint32_t i = 1; i <= cluster->config.nodes && !cluster_violated(cluster); i++) {
    uint64_t size = cluster_outbox_size(cluster, i);
    if (size)
      sim_violation(cluster->world, CLUSTER_DRAINED, i, nothing,
                    "after healing, %s still owes %llu operations to a peer that holds everything",
                    cluster->nodes[i].name, (unsigned long long)size);
  }
}

/* --- Stopping and starting again -------------------------------------------------------- */

static void judge_stop(struct cluster *cluster, uint32_t number) {
  uint64_t leaked = sim_node_stop(cluster->world, number);
  if (leaked)
    sim_violation(cluster->world, CLUSTER_NO_LEAK, number, nothing,
                  "%s was closed and still holds %llu blocks of memory", cluster->nodes[number].name,
                  (unsigned long long)leaked);
}

static void judge_reopen(struct cluster *cluster, uint32_t number) {
  struct cluster_node *node = &cluster->nodes[number];
  struct sync_digest before, after;
  sync_digest_get(cluster_engine(cluster, number), &before);
  judge_stop(cluster, number);
  if (cluster_violated(cluster)) return;
  if (!sim_node_boot(cluster->world, number)) {
    if (cluster_excused(cluster)) return;
    sim_violation(cluster->world, CLUSTER_RECOVERY, number, nothing, "%s does not open after a clean stop: %s (%s)",
                  node->name, sync_status_name(node->open_status), node->open_detail);
    return;
  }
  sync_digest_get(cluster_engine(cluster, number), &after);
  if (memcmp(&before, &after, sizeof before) != 0)
    sim_violation(cluster->world, CLUSTER_RECOVERY, number, nothing,
                  "%s has another state after a clean stop and a start than before (%llu siblings, before %llu)",
                  node->name, (unsigned long long)after.siblings, (unsigned long long)before.siblings);
  else
    judge_stop(cluster, number);
}

bool cluster_judge_step(struct cluster *cluster) {
  if (cluster_violated(cluster)) return true;
  uint32_t number = cluster->judged++;
  if (number == 0) {
    if (!cluster_excused(cluster)) {
      judge_convergence(cluster);
      judge_outboxes(cluster);
    }
    cluster->judging = true;
    return cluster_violated(cluster);
  }
  if (cluster_engine(cluster, number)) judge_reopen(cluster, number);
  return number >= cluster->config.nodes || cluster_violated(cluster);
}

void cluster_judge(struct cluster *cluster) {
  while (!cluster_judge_step(cluster))
    continue;
}
