#include "cluster/belief.h"

#include "cluster/lookup.h"
#include "cluster/state.h"

struct belief {
  struct cluster *cluster;
  struct sync_engine *engine; /* whose durable vector is asked */
  uint64_t subject[3];
  uint64_t held;
  bool wrong;
};

static int durable_of(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct belief *belief = arg;
  if (origin->incarnation != belief->subject[1] || sync_node_hash(origin->node_id) != belief->subject[0]) return 0;
  belief->held = seq;
  return 1;
}

/* How much of the subject's origin the engine holds durably. */
static bool holds_durably(struct belief *belief) {
  belief->held = 0;
  sync_vector(belief->engine, true, durable_of, belief);
  return belief->held >= belief->subject[2];
}

static int believed(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct belief *belief = arg;
  belief->subject[0] = sync_node_hash(origin->node_id);
  belief->subject[1] = origin->incarnation;
  belief->subject[2] = seq;
  belief->wrong = !holds_durably(belief);
  return belief->wrong ? 1 : 0;
}

static int nothing_believed(void *arg, const struct sync_origin *origin, uint64_t seq) {
  (void)arg, (void)origin, (void)seq;
  return 1;
}

void cluster_check_belief(struct cluster *cluster, uint32_t node, uint32_t other) {
  struct cluster_software *software = sim_node_peek(cluster->world, node);
  struct belief belief = {.cluster = cluster, .engine = cluster_engine(cluster, other)};
  if (!software || !belief.engine || software->peer_of[other] == SYNC_PEER_NONE) return;
  uint32_t peer = software->peer_of[other];
  uint64_t session = 0;
  int status = sync_peer_vector(software->engine, peer, &session, nothing_believed, NULL);
  if (status == SYNC_E_PEER || session != sync_session(belief.engine)) return;
  status = sync_peer_vector(software->engine, peer, &session, believed, &belief);
  if (status == SYNC_E_PEER || !belief.wrong) return;
  sim_violation(cluster->world, CLUSTER_HONEST_ACKS, node, belief.subject,
                "%s believes that %s holds operations n%u/%016llx up to %llu durably; durable there are %llu",
                cluster->nodes[node].name, cluster->nodes[other].name,
                cluster_node_of_hash(belief.subject[0], cluster->config.nodes), (unsigned long long)belief.subject[1],
                (unsigned long long)belief.subject[2], (unsigned long long)belief.held);
}

void cluster_check_sent(struct cluster *cluster, uint32_t node, struct sync_engine *engine) {
  const uint64_t *sent = cluster->nodes[node].sent;
  struct belief belief = {.cluster = cluster, .engine = engine, .subject = {sent[0], sent[1], sent[2]}};
  if (holds_durably(&belief)) return;
  sim_violation(cluster->world, CLUSTER_DURABILITY, node, belief.subject,
                "%s sent operation n%u/%016llx/%llu before it was durable there (durable are %llu of that origin)",
                cluster->nodes[node].name, cluster_node_of_hash(sent[0], cluster->config.nodes),
                (unsigned long long)sent[1], (unsigned long long)sent[2], (unsigned long long)belief.held);
}

static int known_of_subject(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct belief *belief = arg;
  if (origin->incarnation != belief->subject[1]) return 0;
  belief->held = seq;
  return 1;
}

void cluster_tell_belief(struct cluster *cluster, uint32_t node, uint32_t other, const uint64_t subject[3]) {
  struct cluster_software *software = sim_node_peek(cluster->world, node);
  struct sync_peer_info info;
  if (!software || software->peer_of[other] == SYNC_PEER_NONE) return;
  if (sync_peer_info(software->engine, software->peer_of[other], &info) != SYNC_OK) return;
  struct belief belief = {.subject = {subject[0], subject[1], subject[2]}};
  uint64_t session = 0;
  int status = sync_peer_vector(software->engine, software->peer_of[other], &session, known_of_subject, &belief);
  bool known = status != SYNC_E_PEER && session != 0;
  uint64_t fields[] = {CLUSTER_STEP_BELIEF,
                       other,
                       (uint64_t)info.state | (uint64_t)info.retries << 8,
                       info.owed_ops,
                       info.in_flight_ops,
                       info.next_deadline_ns,
                       known ? belief.held + 1u : 0};
  sim_trace(cluster->world, SIM_SUB_CLUSTER, SIM_STEP_CLUSTER, node, fields, 7);
}
