#include "cluster/traffics.h"

#include "cluster/decode.h"
#include "cluster/grow.h"
#include "cluster/lookup.h"
#include "cluster/seldom.h"
#include "cluster/state.h"

/* Flags of HELLO and NEWS (docs/formats.md). */
#define FLAG_GAP 1u
#define FLAG_FULL 2u

static struct traffic *traffic_of(struct cluster *cluster, uint32_t from, uint32_t to) {
  if (!cluster->traffic || cluster->judging || from < 1 || to < 1) return NULL;
  if (from > cluster->config.nodes || to > cluster->config.nodes) return NULL;
  return &cluster->traffic[(from - 1u) * cluster->config.nodes + to - 1u];
}

/* Lives, lost messages and refused calls of both, counted. */
static uint64_t excuses_between(const struct cluster *cluster, uint32_t a, uint32_t b, bool *blocked) {
  struct sim_link_health there = sim_link_health(cluster->world, a, b), back = sim_link_health(cluster->world, b, a);
  *blocked = *blocked || there.blocked || back.blocked;
  uint64_t excuses = there.harmed + back.harmed;
  for (uint32_t i = 0; i < 2; i++) {
    const struct sim_node *node = cluster->nodes[i == 0 ? a : b].machine;
    excuses += sim_node_lives(node) + sim_node_refusals(node);
    *blocked = *blocked || sim_node_state(node) != SIM_NODE_UP;
  }
  return excuses;
}

/* --- Operations ------------------------------------------------------------------------- */

struct acknowledging {
  struct cluster *cluster;
  struct traffic *traffic;
};

static int acknowledged(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct acknowledging *acknowledging = arg;
  struct traffic *traffic = acknowledging->traffic;
  uint32_t life = ledger_life_find(&acknowledging->cluster->ledger, origin->incarnation);
  acknowledging->cluster->looked++;
  /* It only grows in one run: what the sender has heard once it may not forget. */
  if (life != LEDGER_NONE && traffic->acknowledged[life] < seq) traffic->acknowledged[life] = (uint32_t)seq;
  return 0;
}

static int no_more(void *arg, const struct sync_origin *origin, uint64_t seq) {
  (void)arg;
  (void)origin;
  (void)seq;
  return 1;
}

void cluster_traffic_begin(struct cluster *cluster, uint32_t from, uint32_t to) {
  struct traffic *traffic = traffic_of(cluster, from, to);
  const struct cluster_software *software = sim_node_software(cluster->nodes[from].machine);
  if (!traffic || !software || software->peer_of[to] == SYNC_PEER_NONE) return;
  uint32_t lives = cluster->ledger.life_count, operations = cluster->ledger.operation_count;
  CLUSTER_GROW(cluster->world, traffic->acknowledged, traffic->acknowledged_capacity, lives + 1u);
  CLUSTER_GROW(cluster->world, traffic->sent, traffic->sent_capacity, operations + 1u);
  bool blocked = false;
  uint64_t excuses = excuses_between(cluster, from, to, &blocked);
  struct acknowledging acknowledging = {cluster, traffic};
  uint64_t session = 0;
  /* First of which run it is; then what is acknowledged in it. */
  int status = sync_peer_vector(software->engine, software->peer_of[to], &session, no_more, NULL);
  traffic_run(traffic, sim_node_lives(cluster->nodes[from].machine), session, sim_now(cluster->world));
  traffic_look(traffic, excuses, blocked);
  if (status != SYNC_E_PEER)
    status = sync_peer_vector(software->engine, software->peer_of[to], &session, acknowledged, &acknowledging);
  SIM_ASSERT(cluster->world, status == SYNC_OK);
}

CLUSTER_SELDOM static void sends_again(struct cluster *cluster, uint32_t from, uint32_t to, uint32_t operation,
                                       enum traffic_finding finding) {
  uint64_t subject[3];
  cluster_subject(cluster, operation, subject);
  sim_violation(cluster->world, CLUSTER_TRAFFIC, from, subject, "%s sent operation n%u/%016llx/%llu to %s %s",
                cluster->nodes[from].name, cluster->ledger.lives[cluster->ledger.operations[operation].life].node,
                (unsigned long long)subject[1], (unsigned long long)subject[2], cluster->nodes[to].name,
                finding == TRAFFIC_ACKNOWLEDGED
                    ? "although that one had acknowledged it in this run of both"
                    : "a second time, and nothing was lost between them, nobody asked, and no timeout passed since");
}

void cluster_traffic_operation(struct cluster *cluster, uint32_t from, uint32_t to, uint32_t life, uint32_t seq) {
  struct traffic *traffic = traffic_of(cluster, from, to);
  if (!traffic || life >= traffic->acknowledged_capacity || cluster_violated(cluster)) return;
  uint32_t operation = cluster->ledger.lives[life].operations[seq - 1u];
  if (operation >= traffic->sent_capacity) return;
  if (sim_node_state(cluster->nodes[to].machine) == SIM_NODE_UP) cluster->calm.sent++;
  enum traffic_finding finding = traffic_operation(traffic, life, seq, operation);
  if (finding != TRAFFIC_FINE) sends_again(cluster, from, to, operation, finding);
}

/* --- Greetings ---------------------------------------------------------------------------- */

static uint64_t or_seconds(uint64_t ns, uint64_t seconds) {
  return ns != 0 ? ns : seconds * SIM_SECOND;
}

static struct traffic_patience patience_of(const struct sync_options *options) {
  return (struct traffic_patience){.ack_timeout_ns = or_seconds(options->ack_timeout_ns, 10),
                                   .retry_interval_ns = or_seconds(options->retry_interval_ns, 5),
                                   .retry_cap_ns = or_seconds(options->retry_cap_ns, 30),
                                   .probe_interval_ns = or_seconds(options->probe_interval_ns, 15),
                                   .idle_hello_ns = or_seconds(options->idle_hello_ns, 30),
                                   .max_retries = options->max_retries != 0 ? options->max_retries : 5};
}

CLUSTER_SELDOM static void is_impatient(struct cluster *cluster, uint32_t from, uint32_t to,
                                        const struct traffic *traffic) {
  static const uint64_t nothing[3] = {0, 0, 0};
  sim_violation(cluster->world, CLUSTER_TRAFFIC, from, nothing,
                "%s has heard nothing from %s for %llu ms, and greeted it %u times meanwhile: more often than its "
                "backoff allows",
                cluster->nodes[from].name, cluster->nodes[to].name,
                (unsigned long long)((sim_now(cluster->world) - traffic->heard_ns) / SIM_MS), traffic->greetings);
}

void cluster_traffic_greeting(struct cluster *cluster, uint32_t from, uint32_t to, uint8_t flags, uint64_t wanted) {
  struct traffic *traffic = traffic_of(cluster, from, to);
  if (!traffic || cluster_violated(cluster)) return;
  uint64_t now = sim_now(cluster->world), life = sim_node_lives(cluster->nodes[from].machine);
  if (traffic->life != life) traffic_run(traffic, life, 0, now);
  if (flags & FLAG_FULL) traffic->full = true;
  if (traffic->full) traffic_heard(traffic, now); /* it tells everybody, and once more when that is over */
  if (!(flags & FLAG_FULL)) traffic->full = false;
  if (wanted > 0) return;
  struct traffic_patience patience = patience_of(cluster_options(cluster, from));
  if (traffic_greeting(traffic, now, &patience) != TRAFFIC_FINE) is_impatient(cluster, from, to, traffic);
}

/* --- What is heard -------------------------------------------------------------------------- */

void cluster_traffic_heard(struct cluster *cluster, uint32_t node, uint32_t from, const void *frame, size_t size) {
  struct traffic *traffic = traffic_of(cluster, node, from);
  if (!traffic) return;
  traffic_heard(traffic, sim_now(cluster->world));
  struct decode_reader body;
  enum decode_frame kind = decode_frame(frame, size, &body);
  struct decode_hello hello = {.flags = 0};
  struct decode_news news = {.flags = 0};
  if (kind == DECODE_HELLO) (void)decode_hello(body, &hello);
  if (kind == DECODE_NEWS) (void)decode_news(body, &news);
  uint8_t flags = hello.flags | news.flags;
  bool full = (flags & FLAG_FULL) != 0;
  if ((flags & FLAG_GAP) != 0 || full || full != traffic->peer_full || hello.wanted > 0 || news.wanted > 0)
    traffic_reason(traffic, (flags & FLAG_GAP) != 0);
  if (kind == DECODE_HELLO || kind == DECODE_NEWS) traffic->peer_full = full;
}

void cluster_traffic_traced(struct cluster *cluster, uint32_t node, enum sync_trace_kind kind, uint64_t peer) {
  if (kind == SYNC_TRACE_APPLY) cluster->calm.applied++;
  /* Who was away catches up: that is no calm. */
  if (kind == SYNC_TRACE_TIMEOUT || kind == SYNC_TRACE_REVIVED) cluster->calm.troubles++;
  if (kind != SYNC_TRACE_TIMEOUT && kind != SYNC_TRACE_PARKED) return;
  const struct cluster_software *software = sim_node_software(cluster->nodes[node].machine);
  uint32_t to = software && peer <= CLUSTER_NODES_MAX ? software->node_of[peer] : 0;
  struct traffic *traffic = traffic_of(cluster, node, to);
  if (traffic) traffic_reason(traffic, false);
}

/* --- At intervals --------------------------------------------------------------------------- */

/* Also a line so slow that who waits cannot tell it from one that loses is not calm. */
static uint64_t calm_excuses(const struct cluster *cluster, uint32_t a, uint32_t b, bool *blocked) {
  uint64_t way_ns = sim_link_health(cluster->world, a, b).slowest_ns;
  uint64_t back_ns = sim_link_health(cluster->world, b, a).slowest_ns;
  if (back_ns > way_ns) way_ns = back_ns;
  for (uint32_t i = 0; i < 2; i++)
    if (patience_of(cluster_options(cluster, i == 0 ? a : b)).ack_timeout_ns / 4u < way_ns) *blocked = true;
  return excuses_between(cluster, a, b, blocked);
}

void cluster_check_traffic(struct cluster *cluster) {
  if (!cluster->traffic || cluster->judging) return;
  uint64_t excuses = cluster->calm.troubles;
  bool blocked = false;
  for (uint32_t a = 1; a <= cluster->config.nodes; a++)
    for (uint32_t b = a + 1u; b <= cluster->config.nodes; b++)
      if (cluster_linked(cluster, a, b)) excuses += calm_excuses(cluster, a, b, &blocked);
  if (traffic_calm_look(&cluster->calm, excuses, blocked) != TRAFFIC_FLOODS) return;
  static const uint64_t nothing[3] = {0, 0, 0};
  sim_violation(cluster->world, CLUSTER_TRAFFIC, 0, nothing,
                "%llu operations were sent for %llu that were needed, while nothing was lost and nobody was down",
                (unsigned long long)cluster->calm.sent, (unsigned long long)cluster->calm.applied);
}
