#include "cluster/pace.h"

#include "cluster/lookup.h"
#include "cluster/seldom.h"
#include "cluster/state.h"

static inline bool watched(const struct cluster_node *node) {
  return !node->cluster->config.no_oracles && !node->cluster->judging;
}

CLUSTER_SELDOM void cluster_pace_report(const struct cluster_node *node) {
  static const char *const what[] = {
      [LOG_WATCH_HELD] = "",
      [LOG_WATCH_NOT_DURABLE] =
          "has completed so many fsyncs that the record ending there must be durable, and it is not",
      [LOG_WATCH_NOT_ROTATED] =
          "goes on writing to the segment that begins there, although it is full and fsyncs complete",
      [LOG_WATCH_NOT_ASKED] = "has appended up to there and asks for no fsync, although nothing is in the way",
      [LOG_WATCH_NOT_MARKED] = "is durable up to there, appends nothing, and has not marked it",
  };
  static const uint64_t nothing[3] = {0, 0, 0};
  const struct log_watch *watch = &node->watch;
  if (cluster_violated(node->cluster)) return;
  sim_violation(node->cluster->world, CLUSTER_PROGRESS, node->number, nothing,
                "%s %s: log position %llu; durable are %llu of %llu, after %llu completed fsyncs of this life",
                node->name, what[watch->finding], (unsigned long long)watch->position,
                (unsigned long long)watch->durable, (unsigned long long)watch->appended,
                (unsigned long long)watch->fsyncs);
}

void cluster_pace_begin(struct cluster_node *node) {
  if (watched(node))
    log_watch_begin(&node->watch, cluster_options(node->cluster, node->number), sim_now(node->cluster->world));
}

void cluster_pace_fsync_done(struct cluster_node *node) {
  if (!watched(node)) return;
  log_watch_fsync_done(&node->watch);
  if (node->watch.finding != LOG_WATCH_HELD) cluster_pace_report(node);
}

void cluster_pace_look(struct cluster_node *node, struct sync_engine *engine, bool failed) {
  if (!watched(node)) return;
  struct log_watch *watch = &node->watch;
  struct log_watch_look look;
  look.appended = sync_appended_position(engine);
  look.refusals = sim_node_refusals(node->machine);
  look.write_failed = sim_node_write_failed(node->machine);
  look.disk_at_work = sim_disk_fsyncs_in_flight(node->disk) > 0;
  look.now_ns = sim_now(node->cluster->world);
  look.busy = failed;
  if (!failed && !look.disk_at_work && log_watch_owes(watch, look.appended))
    look.busy = sim_disk_busy_until(node->disk) > look.now_ns || sim_node_state(node->machine) == SIM_NODE_PAUSED;
  log_watch_look(watch, &look);
  if (watch->finding != LOG_WATCH_HELD) cluster_pace_report(node);
}
