#include "cluster/backoffs.h"

#include <string.h>

#include "cluster/lookup.h"
#include "cluster/seldom.h"

/* Flags of HELLO (docs/formats.md). */
#define FLAG_FULL 2u
#define FLAG_PART 16u

bool cluster_backoffs_begin(struct cluster *cluster) {
  uint32_t nodes = cluster->config.nodes;
  if (nodes > BACKOFF_NODES_MAX) return true;
  size_t bytes = (size_t)nodes * nodes * sizeof *cluster->backoffs;
  cluster->backoffs = sim_alloc(cluster->world, bytes);
  if (cluster->backoffs) memset(cluster->backoffs, 0, bytes);
  return cluster->backoffs != NULL;
}

/* NULL: nobody looks, or it was not begun in this life of the sender. */
static struct backoff *backoff_of(const struct cluster *cluster, uint32_t from, uint32_t to) {
  if (!cluster->backoffs || cluster->judging || to < 1 || to > cluster->config.nodes) return NULL;
  struct backoff *backoff = &cluster->backoffs[(from - 1u) * cluster->config.nodes + to - 1u];
  return backoff->life == sim_node_lives(cluster->nodes[from].machine) ? backoff : NULL;
}

static uint64_t or_seconds(uint64_t ns, uint64_t seconds) {
  return ns != 0 ? ns : seconds * SIM_SECOND;
}

static struct backoff_schedule schedule_of(const struct cluster *cluster, uint32_t node) {
  const struct sync_options *options = cluster_options(cluster, node);
  return (struct backoff_schedule){.ack_timeout_ns = or_seconds(options->ack_timeout_ns, 10),
                                   .retry_interval_ns = or_seconds(options->retry_interval_ns, 5),
                                   .retry_cap_ns = or_seconds(options->retry_cap_ns, 30),
                                   .probe_interval_ns = or_seconds(options->probe_interval_ns, 15),
                                   .max_retries = options->max_retries != 0 ? options->max_retries : 5};
}

CLUSTER_SELDOM static void report(struct cluster *cluster, uint32_t from, uint32_t to, const struct backoff *backoff,
                                  enum backoff_finding finding) {
  static const char *const what[] = {
      [BACKOFF_HONEST] = "",
      [BACKOFF_EARLY] = "tries it again before the wait is over",
      [BACKOFF_LATE] = "does not try it again when the wait is over",
      [BACKOFF_WAIT] = "waits for another time than its options and what it drew give",
      [BACKOFF_MISCOUNTS] = "counts its tries wrongly, or parks it at another one than the last",
      [BACKOFF_UNSAID] = "tries it again, and sends it no greeting",
      [BACKOFF_BETWEEN] = "sends it something between two tries",
      [BACKOFF_DEAF] = "has heard it, and goes on waiting",
      [BACKOFF_FORGETS] = "has not heard it, and takes it for one that answers",
  };
  static const uint64_t nothing[3] = {0, 0, 0};
  if (cluster_violated(cluster)) return;
  sim_violation(cluster->world, CLUSTER_BACKOFF, from, nothing,
                "%s waits for %s, which gives no answer, and %s: %u tries so far%s, the next one due at %llu ns, "
                "now %llu ns on its monotonic clock",
                cluster->nodes[from].name, cluster->nodes[to].name, what[finding], backoff->tries,
                backoff->stage == BACKOFF_PARKED ? ", parked" : "", (unsigned long long)backoff->due_ns,
                (unsigned long long)sim_clock_mono_peek(cluster->world, from));
}

static inline void judge(struct cluster *cluster, uint32_t from, uint32_t to, const struct backoff *backoff,
                         enum backoff_finding finding) {
  if (finding != BACKOFF_HONEST) report(cluster, from, to, backoff, finding);
}

void cluster_backoff_known(struct cluster *cluster, uint32_t node, uint32_t other, bool exact) {
  if (!cluster->backoffs || cluster->judging) return;
  struct backoff *backoff = &cluster->backoffs[(node - 1u) * cluster->config.nodes + other - 1u];
  backoff_begin(backoff, sim_node_lives(cluster->nodes[node].machine), sim_clock_mono_peek(cluster->world, node),
                exact);
}

void cluster_backoff_gone(struct cluster *cluster, uint32_t node, uint32_t other) {
  if (!cluster->backoffs || cluster->judging) return;
  cluster->backoffs[(node - 1u) * cluster->config.nodes + other - 1u].life = UINT64_MAX; /* of no run */
}

void cluster_backoff_traced(struct cluster *cluster, uint32_t number, enum sync_trace_kind kind, const uint64_t *fields,
                            size_t count) {
  struct cluster_node *node = &cluster->nodes[number];
  if (kind == SYNC_TRACE_MERGE) node->backoff.to_all = true;
  if (kind == SYNC_TRACE_REFUSED) node->backoff.refused = true;
  if (kind == SYNC_TRACE_MERGE || kind == SYNC_TRACE_REFUSED || count < 1) return;
  const struct cluster_software *software = sim_node_software(node->machine);
  uint32_t to = software && fields[0] <= CLUSTER_NODES_MAX ? software->node_of[fields[0]] : 0;
  struct backoff *backoff = backoff_of(cluster, number, to);
  if (!backoff) return;
  struct backoff_schedule schedule = schedule_of(cluster, number);
  uint64_t now_ns = sim_clock_mono_peek(cluster->world, number);
  bool hears = node->backoff.hears == to;
  if (kind == SYNC_TRACE_TIMEOUT || kind == SYNC_TRACE_PARKED) node->backoff.waits = true;
  enum backoff_finding finding = BACKOFF_HONEST;
  if (kind == SYNC_TRACE_KNOWN && count > 2 && fields[2] == 1) backoff_met(backoff, now_ns);
  if (kind == SYNC_TRACE_TIMEOUT && count > 2) {
    uint64_t picks, drawn = sim_node_picked(node->machine, &picks);
    struct backoff_try said = {
        .tries = (uint32_t)fields[1], .due_ns = fields[2], .drew = picks != node->backoff.picks, .drawn = drawn};
    finding = backoff_timeout(backoff, &schedule, now_ns, &said);
    node->backoff.picks = picks;
  }
  if (kind == SYNC_TRACE_PARKED) {
    finding = backoff_parked(backoff, &schedule, now_ns, hears || node->backoff.refused);
    node->backoff.parked = hears;
  }
  if (kind == SYNC_TRACE_REVIVED) finding = backoff_revived(backoff, now_ns, hears);
  judge(cluster, number, to, backoff, finding);
}

void cluster_backoff_took(struct cluster *cluster, uint32_t number, enum sync_trace_kind kind, const uint64_t *fields,
                          size_t count) {
  struct cluster_node *node = &cluster->nodes[number];
  if (kind == SYNC_TRACE_DURABLE || kind == SYNC_TRACE_DUPLICATE) node->backoff.acknowledges = true;
  size_t place = kind == SYNC_TRACE_APPLY ? 4 : 3;
  if (kind == SYNC_TRACE_DURABLE || count <= place) return;
  const struct cluster_software *software = sim_node_software(node->machine);
  uint32_t from = software && fields[place] <= CLUSTER_NODES_MAX ? software->node_of[fields[place]] : 0;
  struct backoff *backoff = backoff_of(cluster, number, from);
  if (!backoff) return;
  if (kind == SYNC_TRACE_NOT_YET)
    backoff->kept = true;
  else
    backoff->took = true;
}

void cluster_backoff_greeting(struct cluster *cluster, uint32_t from, uint32_t to, uint8_t flags, uint64_t offered) {
  struct backoff *backoff = backoff_of(cluster, from, to);
  if (!backoff) return;
  const struct cluster_software *software = sim_node_software(cluster->nodes[from].machine);
  struct backoff_greeting greeting = {.goes_on = (flags & FLAG_PART) != 0,
                                      .full = (flags & FLAG_FULL) != 0,
                                      .offered = offered,
                                      .refusals = sim_node_refusals(cluster->nodes[from].machine),
                                      .to_all = cluster->nodes[from].backoff.to_all,
                                      .acknowledges = cluster->nodes[from].backoff.acknowledges};
  if (software)
    greeting.all_durable = sync_durable_position(software->engine) == sync_appended_position(software->engine);
  judge(cluster, from, to, backoff, backoff_greeted(backoff, &greeting));
}

void cluster_backoff_operations(struct cluster *cluster, uint32_t from, uint32_t to) {
  const struct backoff *backoff = backoff_of(cluster, from, to);
  if (backoff) judge(cluster, from, to, backoff, backoff_operations(backoff));
}

void cluster_backoff_hears(struct cluster_node *node, uint32_t from) {
  node->backoff.hears = from;
}

void cluster_backoff_heard(struct cluster *cluster, uint32_t number, uint32_t from, int status) {
  struct cluster_node *node = &cluster->nodes[number];
  const struct backoff *backoff = backoff_of(cluster, number, from);
  node->backoff.hears = 0;
  if (!backoff) return;
  /* What would be another operation under the same id parks who sent it. */
  if (node->backoff.parked && status != SYNC_E_ID_CONFLICT && !node->backoff.refused)
    judge(cluster, number, from, backoff, BACKOFF_MISCOUNTS);
  if (status == SYNC_OK && !node->backoff.parked) judge(cluster, number, from, backoff, backoff_heard(backoff));
  node->backoff.parked = false;
}

void cluster_backoff_ticked(struct cluster *cluster, uint32_t node, struct sync_engine *engine) {
  struct sync_stats stats;
  if (!cluster->nodes[node].backoff.waits) return;
  sync_stats_get(engine, &stats);
  if (stats.failed || sim_node_unwinds(cluster->nodes[node].machine)) return;
  struct backoff_schedule schedule = schedule_of(cluster, node);
  uint64_t now_ns = sim_clock_mono_peek(cluster->world, node);
  for (uint32_t to = 1; to <= cluster->config.nodes; to++) {
    struct backoff *backoff = backoff_of(cluster, node, to);
    if (backoff) judge(cluster, node, to, backoff, backoff_ticked(backoff, &schedule, now_ns));
  }
}

void cluster_backoff_end(struct cluster *cluster, uint32_t number, uint64_t deadline_ns, bool whole) {
  struct cluster_node *node = &cluster->nodes[number];
  node->backoff.to_all = node->backoff.refused = node->backoff.acknowledges = false;
  (void)sim_node_picked(node->machine, &node->backoff.picks);
  if (!node->backoff.waits || !whole || sim_node_unwinds(node->machine)) return;
  node->backoff.waits = false;
  for (uint32_t to = 1; to <= cluster->config.nodes; to++) {
    struct backoff *backoff = backoff_of(cluster, number, to);
    if (!backoff) continue;
    judge(cluster, number, to, backoff, backoff_end(backoff, deadline_ns));
    if (backoff->stage != BACKOFF_ANSWERED) node->backoff.waits = true;
  }
}
