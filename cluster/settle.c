#include "cluster/settle.h"

#include <stdio.h>
#include <string.h>

#include "cluster/belief.h"
#include "cluster/cluster.h"
#include "cluster/conflicts.h"
#include "cluster/follower.h"
#include "cluster/health.h"
#include "cluster/log_damage.h"
#include "cluster/lookup.h"
#include "cluster/model.h"
#include "cluster/oracle.h"
#include "cluster/state.h"
#include "cluster/workload.h"
#include "cluster/verify.h"

#define SETTLE_STEP_NS (250u * SIM_MS)

static const uint64_t nothing[3] = {0, 0, 0};

static bool all_durable(struct cluster *cluster) {
  for (uint32_t i = 1; i <= cluster->config.nodes; i++) {
    struct sync_engine *engine = cluster_engine(cluster, i);
    if (cluster_sick(cluster, i)) continue;
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

static void note_progress(struct cluster *cluster) {
  uint64_t progress = 1;
  for (uint32_t i = 1; i <= cluster->config.nodes; i++) {
    struct sync_engine *engine = cluster_engine(cluster, i);
    struct sync_digest digest = {0};
    if (engine) sync_digest_get(engine, &digest);
    progress = sim_hash_fold(sim_hash_fold(progress, digest.vector), engine ? sync_durable_position(engine) : 0);
  }
  if (progress == cluster->progress) return;
  cluster->progress = progress;
  cluster->progress_ns = sim_now(cluster->world);
}

void cluster_settle_begin(struct cluster *cluster, uint64_t settle_ns) {
  cluster_workload_stop(cluster);
  sim_calm(cluster->world);
  uint64_t now = sim_now(cluster->world);
  cluster->settle_end_ns = settle_ns > UINT64_MAX - now ? UINT64_MAX : now + settle_ns;
}

bool cluster_settle_step(struct cluster *cluster, uint64_t *next_ns) {
  uint64_t now = sim_now(cluster->world), end = cluster->settle_end_ns;
  if (cluster_violated(cluster)) return true;
  boot_all(cluster);
  note_progress(cluster);
  if (cluster_converged(cluster) && cluster_drained(cluster) && all_durable(cluster) && conflicts_resolved(cluster))
    return true;
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

/* For the history of a failure: how those who hold the operation, and the one who
 * lacks it, see each other. */
static void tell_beliefs(struct cluster *cluster, uint32_t lacker, const uint64_t subject[3]) {
  uint32_t told = 0, author = cluster_node_of_hash(subject[0], cluster->config.nodes);
  for (uint32_t i = 1; i <= cluster->config.nodes && told < 3; i++) {
    struct sync_engine *engine = cluster_engine(cluster, i);
    if (!engine || !cluster_linked(cluster, i, lacker)) continue;
    if (!sync_holds(engine, cluster->nodes[author].name, subject[1], subject[2])) continue;
    cluster_tell_belief(cluster, i, lacker, subject);
    cluster_tell_belief(cluster, lacker, i, subject);
    told++;
  }
}

#define UNDER_WAY_NS (5u * SIM_SECOND)

/* What of the scenario's settings alone explains that the node lacks something; "" if nothing does. */
static void tell_cause(struct cluster *cluster, uint32_t lacker, char *text, size_t size) {
  struct sync_stats stats;
  uint64_t store = cluster_options(cluster, lacker)->store_bytes_max, now = sim_now(cluster->world);
  sync_stats_get(cluster_engine(cluster, lacker), &stats);
  text[0] = '\0';
  if (stats.full && store)
    (void)snprintf(text, size, ". %s takes no more: its store has %llu of the %llu bytes of engine.store_max",
                   cluster->nodes[lacker].name, (unsigned long long)stats.store_bytes, (unsigned long long)store);
  else if (now - cluster->progress_ns < UNDER_WAY_NS)
    (void)snprintf(text, size,
                   ". It was still under way: nodes received or made durable something %llu ms before the end; settle "
                   "may be too short for these settings",
                   (unsigned long long)((now - cluster->progress_ns) / SIM_MS));
}

static void report_difference(struct cluster *cluster, uint32_t holder, uint32_t lacker) {
  struct difference difference = {.cluster = cluster, .other = cluster_engine(cluster, lacker)};
  sync_vector(cluster_engine(cluster, holder), false, first_missing, &difference);
  if (!difference.found) return;
  char cause[200];
  tell_cause(cluster, lacker, cause, sizeof cause);
  tell_beliefs(cluster, lacker, difference.subject);
  sim_violation(cluster->world, CLUSTER_CONVERGENCE, lacker, difference.subject,
                "after healing, %s holds operation n%u/%016llx/%llu and %s never received it%s",
                cluster->nodes[holder].name, cluster_node_of_hash(difference.subject[0], cluster->config.nodes),
                (unsigned long long)difference.subject[1], (unsigned long long)difference.subject[2],
                cluster->nodes[lacker].name, cause);
}

static void judge_up(struct cluster *cluster, const struct cluster_health *health) {
  for (uint32_t i = 1; i <= cluster->config.nodes; i++) {
    if (cluster_engine(cluster, i) || health->sick[i]) continue;
    sim_violation(cluster->world, CLUSTER_RECOVERY, i, nothing, "%s is not up after healing (last open: %s, %s)",
                  cluster->nodes[i].name, sync_status_name(cluster->nodes[i].open_status),
                  cluster->nodes[i].open_detail);
    return;
  }
}

static void judge_state(struct cluster *cluster, uint32_t node, uint32_t other) {
  struct sync_digest kept, fresh, first;
  sync_digest_get(cluster_engine(cluster, node), &kept);
  sync_digest_recompute(cluster_engine(cluster, node), &fresh);
  sync_digest_get(cluster_engine(cluster, other), &first);
  if (memcmp(&kept, &fresh, sizeof kept) != 0 || kept.state != first.state || kept.vector != first.vector)
    sim_violation(cluster->world, CLUSTER_CONVERGENCE, node, nothing,
                  "%s holds the same operations as %s and another state (or a digest that is not its state's)",
                  cluster->nodes[node].name, cluster->nodes[other].name);
  else
    cluster_check_model(cluster, node);
}

/* What a sick node can still read reaches those that it is linked to. */
static void judge_sick(struct cluster *cluster, uint32_t sick, uint32_t peer) {
  uint32_t operation = cluster_undelivered(cluster, sick, peer);
  if (operation == LEDGER_NONE) return;
  uint64_t subject[3];
  cluster_subject(cluster, operation, subject);
  sim_violation(
      cluster->world, CLUSTER_CONVERGENCE, peer, subject,
      "after healing, %s holds operation n%u/%016llx/%llu and %s never received it; the damage on the disk of "
      "%s does not stand in its way",
      cluster->nodes[sick].name, sick, (unsigned long long)subject[1], (unsigned long long)subject[2],
      cluster->nodes[peer].name, cluster->nodes[sick].name);
}

static void judge_convergence(struct cluster *cluster, const struct cluster_health *health) {
  uint32_t nodes = cluster->config.nodes;
  judge_up(cluster, health);
  for (uint32_t a = 1; a <= nodes; a++)
    for (uint32_t b = 1; b <= nodes && !cluster_violated(cluster); b++) {
      if (a == b || !health->group[b]) continue;
      if (health->group[a] == health->group[b])
        report_difference(cluster, a, b);
      else if (health->sick[a] && cluster_engine(cluster, a) && cluster_linked(cluster, a, b))
        judge_sick(cluster, a, b);
    }
  for (uint32_t i = 1; i <= nodes && !cluster_violated(cluster); i++)
    if (health->group[i]) judge_state(cluster, i, health->group[i]);
}

/* What keep local and keep remote must have resolved by now: an author of the conflict is up, and has that policy. */
static void judge_conflicts(struct cluster *cluster, const struct cluster_health *health) {
  for (uint32_t i = 1; i <= cluster->config.nodes && !cluster_violated(cluster); i++) {
    uint32_t slot = health->group[i] ? conflicts_overdue(cluster, i) : KEYS_NONE;
    if (slot == KEYS_NONE) continue;
    uint64_t subject[3];
    char key[KEYS_SHOWN_BYTES];
    uint32_t due = conflicts_due(cluster, i, slot);
    cluster_subject(cluster, cluster->ledger.changes[due - 1u].operation, subject);
    sim_violation(cluster->world, CLUSTER_POLICIES, i, subject,
                  "after healing, %s is in conflict, %s wrote one of its values and has a policy to keep one, and "
                  "has not resolved it",
                  keys_show(&cluster->ledger.keys, slot, key), cluster->nodes[i].name);
  }
}

static void judge_outboxes(struct cluster *cluster, const struct cluster_health *health) {
  for (uint32_t i = 1; i <= cluster->config.nodes && !cluster_violated(cluster); i++) {
    if (!health->group[i]) continue;
    struct cluster_debt debt = cluster_owed(cluster, i, health);
    if (!debt.operations) continue;
    tell_beliefs(cluster, debt.peer, debt.subject);
    sim_violation(cluster->world, CLUSTER_DRAINED, i, debt.subject,
                  "after healing, %s still owes %llu operations to a peer that holds everything",
                  cluster->nodes[i].name, (unsigned long long)debt.operations);
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
  uint64_t appended = sync_appended_position(cluster_engine(cluster, number));
  uint64_t damaged;
  (void)cluster_verify(cluster, number, &damaged);
  follower_read_on(cluster, number);
  if (cluster_violated(cluster)) return;
  judge_stop(cluster, number);
  if (cluster_violated(cluster)) return;
  if (!sim_node_boot(cluster->world, number)) {
    if (cluster_sick(cluster, number)) return;
    sim_violation(cluster->world, CLUSTER_RECOVERY, number, nothing, "%s does not open after a clean stop: %s (%s)",
                  node->name, sync_status_name(node->open_status), node->open_detail);
    return;
  }
  cluster_check_damage(cluster, number);
  follower_read_on(cluster, number);
  if (cluster_violated(cluster)) return;
  bool excused = node->damage.any && log_damage_in(cluster, number, node->damage.end, appended);
  sync_digest_get(cluster_engine(cluster, number), &after);
  if (memcmp(&before, &after, sizeof before) != 0 && !excused)
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
    struct cluster_health health;
    cluster_health(cluster, &health);
    judge_convergence(cluster, &health);
    judge_conflicts(cluster, &health);
    judge_outboxes(cluster, &health);
    for (uint32_t i = 1; i <= cluster->config.nodes && !cluster_violated(cluster); i++)
      cluster_check_promised(cluster, i);
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
