#include "cluster/belief.h"

#include <string.h>

#include "cluster/grow.h"
#include "cluster/lookup.h"
#include "cluster/seldom.h"
#include "cluster/state.h"
#include "cluster/replica.h"

struct belief {
  struct cluster *cluster;
  uint32_t node; /* whose disk is asked */
  uint32_t believer;
  uint64_t subject[3];
  uint64_t held;
  uint64_t session, believed; /* of the other; the one that is believed in */
  uint32_t place;             /* in the vector that is read */
  bool wrong;
  /* For the many entries of which nothing is new: what to look them up in, as arrays. */
  const struct ledger_life *lives;
  const uint32_t *hints, *durable;
  uint32_t life_count, hint_capacity, durable_capacity;
};

static void take_arrays(struct belief *belief) {
  const struct ledger *ledger = &belief->cluster->ledger;
  const struct replica *believer = &belief->cluster->nodes[belief->believer].replica;
  const struct replica *other = &belief->cluster->nodes[belief->node].replica;
  belief->lives = ledger->lives;
  belief->life_count = ledger->life_count;
  belief->hints = believer->hints;
  belief->hint_capacity = believer->hint_capacity;
  belief->durable = other->durable;
  belief->durable_capacity = other->durable_capacity;
}

/* The life with that incarnation: most likely the one that was at that place of a
 * vector before. */
static inline uint32_t life_at(struct cluster *cluster, struct replica *replica, uint32_t place, uint64_t incarnation) {
  const struct ledger *ledger = &cluster->ledger;
  if (place < replica->hint_capacity) {
    uint32_t life = replica->hints[place];
    if (life < ledger->life_count && ledger->lives[life].incarnation == incarnation) return life;
  }
  CLUSTER_GROW(cluster->world, replica->hints, replica->hint_capacity, place + 1u);
  uint32_t life = ledger_life_find(ledger, incarnation);
  if (life != LEDGER_NONE) replica->hints[place] = life;
  return life;
}

static bool is_damaged(struct cluster *cluster, uint32_t node) {
  return sim_disk_damaged(cluster->nodes[node].disk);
}

static inline bool holds_durably(struct belief *belief, uint32_t life, uint64_t seq) {
  const struct replica *replica = &belief->cluster->nodes[belief->node].replica;
  if (life != LEDGER_NONE && seq <= replica_durable(replica, life)) return true;
  bool holds = life != LEDGER_NONE && replica_holds_durably(belief->cluster, belief->node, life, seq);
  belief->held = life == LEDGER_NONE ? 0 : replica_durable(replica, life);
  return holds;
}

/* --- What is believed --------------------------------------------------------------------- */

CLUSTER_SELDOM static int believed_anew(struct belief *belief, uint32_t place, const struct sync_origin *origin,
                                        uint64_t seq) {
  uint32_t life =
      life_at(belief->cluster, &belief->cluster->nodes[belief->believer].replica, place, origin->incarnation);
  bool holds = holds_durably(belief, life, seq);
  take_arrays(belief);
  if (holds) return 0;
  belief->subject[0] = sync_node_hash(origin->node_id);
  belief->subject[1] = origin->incarnation;
  belief->subject[2] = seq;
  belief->wrong = true;
  return 1;
}

static int believed(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct belief *belief = arg;
  uint32_t place = belief->place;
  if (belief->believed != belief->session) return 1; /* of another run of it */
  belief->place++;
  uint32_t life = place < belief->hint_capacity ? belief->hints[place] : LEDGER_NONE;
  if (life < belief->life_count && belief->lives[life].incarnation == origin->incarnation &&
      life < belief->durable_capacity && seq <= belief->durable[life])
    return 0;
  return believed_anew(belief, place, origin, seq);
}

void cluster_check_belief(struct cluster *cluster, uint32_t node, uint32_t other) {
  struct cluster_software *software = sim_node_software(cluster->nodes[node].machine);
  struct sync_engine *engine = cluster_engine(cluster, other);
  if (!software || !engine || software->peer_of[other] == SYNC_PEER_NONE) return;
  if (!cluster->nodes[other].replica.following || is_damaged(cluster, other)) return;
  struct belief belief;
  belief.cluster = cluster;
  belief.node = other;
  belief.believer = node;
  belief.session = sync_session(engine);
  belief.place = 0;
  belief.wrong = false;
  take_arrays(&belief);
  int status = sync_peer_vector(software->engine, software->peer_of[other], &belief.believed, believed, &belief);
  if (status == SYNC_E_PEER || !belief.wrong) return;
  sim_violation(cluster->world, CLUSTER_HONEST_ACKS, node, belief.subject,
                "%s believes that %s holds operations n%u/%016llx up to %llu durably; durable there are %llu",
                cluster->nodes[node].name, cluster->nodes[other].name,
                cluster_node_of_hash(belief.subject[0], cluster->config.nodes), (unsigned long long)belief.subject[1],
                (unsigned long long)belief.subject[2], (unsigned long long)belief.held);
}

/* --- What is said ---------------------------------------------------------------------------- */

static void mumbles(const struct belief *belief, const char *what) {
  static const uint64_t nothing[3] = {0, 0, 0};
  sim_violation(belief->cluster->world, CLUSTER_HONEST_ACKS, belief->node, nothing, "%s sent a frame that %s",
                belief->cluster->nodes[belief->node].name, what);
}

/* What an entry says of other lives of the node: what its first operation had seen. */
static bool birth_is_true(const struct cluster *cluster, uint32_t life, struct decode_entry *entry) {
  const struct ledger *ledger = &cluster->ledger;
  const struct ledger_operation *first = &ledger->operations[ledger->lives[life].operations[0]];
  for (uint64_t i = 0; i < entry->birth_count; i++) {
    uint64_t incarnation, seq;
    decode_birth_next(entry, &incarnation, &seq);
    uint32_t elder = ledger_life_find(ledger, incarnation);
    bool found = false;
    for (uint32_t k = 0; k < first->held_count && !found; k++) {
      const struct ledger_held *held = &ledger->held[first->held_first + k];
      found = held->life == elder && held->seq == seq && ledger->lives[elder].node == ledger->lives[life].node;
    }
    if (!found) return false;
  }
  return true;
}

/* ... once for the same bytes, which the ledger keeps; false: it is not true. */
static bool birth_is_known(struct cluster *cluster, uint32_t life, struct decode_hello *hello,
                           struct decode_entry *entry) {
  struct ledger_life *known = &cluster->ledger.lives[life];
  static const uint8_t none[1] = {0};
  if (decode_entry_skip(hello, none, 1) || decode_entry_skip(hello, known->birth, known->birth_size)) return true;
  const uint8_t *bytes = hello->entries.at;
  if (!decode_entry_birth(hello, entry) || !entry->birth_count) return true; /* what is bad is told at the end */
  if (!birth_is_true(cluster, life, entry)) return false;
  uint32_t size = (uint32_t)(hello->entries.at - bytes);
  CLUSTER_GROW(cluster->world, known->birth, known->birth_capacity, size);
  memcpy(known->birth, bytes, size);
  known->birth_size = size;
  return true;
}

static bool is_named(const struct cluster_node *node, struct decode_name name) {
  if (name.size != node->name_size) return false;
  uint8_t at = 0; /* two or three bytes */
  while (at < name.size && name.bytes[at] == (uint8_t)node->name[at])
    at++;
  return at == name.size;
}

/* Whether the entry names that node; the entries of one stand together. */
static bool is_of(const struct cluster *cluster, uint32_t node, const struct decode_entry *entry, uint32_t *named) {
  if (!entry->heads && node == *named) return true;
  *named = node;
  return is_named(&cluster->nodes[node], entry->node);
}

static void overstates(struct belief *belief, uint32_t life, const struct decode_entry *entry) {
  const struct cluster *cluster = belief->cluster;
  belief->subject[0] = cluster->nodes[cluster->ledger.lives[life].node].hash;
  belief->subject[1] = entry->incarnation;
  belief->subject[2] = entry->seq;
  sim_violation(cluster->world, CLUSTER_HONEST_ACKS, belief->node, belief->subject,
                "a HELLO of %s says that it holds n%u/%016llx durably up to %llu; a power loss now would leave it "
                "%llu",
                cluster->nodes[belief->node].name, cluster->ledger.lives[life].node,
                (unsigned long long)entry->incarnation, (unsigned long long)entry->seq,
                (unsigned long long)belief->held);
}

/* false: it is not true, which is reported. */
static bool check_entries(struct belief *belief, struct decode_hello *hello) {
  const struct cluster *cluster = belief->cluster;
  struct decode_entry entry;
  uint32_t named = 0;
  bool damaged = is_damaged(belief->cluster, belief->node);
  const struct ledger *ledger = &cluster->ledger;
  while (decode_entry_next(hello, &entry)) {
    uint32_t life = ledger_life_find(ledger, entry.incarnation);
    if (life == LEDGER_NONE || !is_of(cluster, ledger->lives[life].node, &entry, &named)) {
      mumbles(belief, "says that it holds operations of a life that never was");
      return false;
    }
    if (!damaged && !holds_durably(belief, life, entry.seq)) {
      overstates(belief, life, &entry);
      return false;
    }
    if (!birth_is_known(belief->cluster, life, hello, &entry)) {
      mumbles(belief, "says of a life that it began with what it did not hold");
      return false;
    }
  }
  return true;
}

static void check_hello(struct belief *belief, struct decode_reader body, uint64_t session) {
  const struct cluster *cluster = belief->cluster;
  struct decode_hello hello;
  if (!decode_hello(body, &hello) || !is_named(&cluster->nodes[belief->node], hello.node) || hello.session != session) {
    mumbles(belief, "is no HELLO, or is not its own");
    return;
  }
  struct replica *replica = &belief->cluster->nodes[belief->node].replica;
  const uint8_t *entries = hello.entries.at;
  size_t size = (size_t)(hello.entries.end - entries);
  /* True before is true now: what is durable only grows while it runs. */
  if (size == replica->hello_size && size && memcmp(entries, replica->hello, size) == 0) return;
  if (!check_entries(belief, &hello)) return;
  if (hello.entries.bad) mumbles(belief, "is no HELLO");
  CLUSTER_GROW(cluster->world, replica->hello, replica->hello_capacity, (uint32_t)size);
  if (size) memcpy(replica->hello, entries, size);
  replica->hello_size = (uint32_t)size;
}

/* Gives how many operations are in it. */
static uint64_t check_operations(struct belief *belief, struct decode_reader body, uint64_t session) {
  const struct cluster *cluster = belief->cluster;
  const struct ledger *ledger = &cluster->ledger;
  const uint8_t *bytes;
  size_t size;
  uint64_t count = 0;
  bool damaged = is_damaged(belief->cluster, belief->node);
  if (decode_ops_session(&body) != session) mumbles(belief, "names another session");
  for (; decode_ops_next(&body, &bytes, &size); count++) {
    struct decode_operation operation;
    uint32_t index = LEDGER_NONE;
    if (decode_operation_id(bytes, size, &operation))
      index = ledger_find(ledger, operation.own.incarnation, operation.seq);
    if (index == LEDGER_NONE) { /* its bytes are looked at where it is applied */
      mumbles(belief, "has an operation that is not one of the ledger's");
      return count;
    }
    if (damaged || holds_durably(belief, ledger->operations[index].life, operation.seq)) continue;
    cluster_subject(cluster, index, belief->subject);
    sim_violation(cluster->world, CLUSTER_DURABILITY, belief->node, belief->subject,
                  "%s sent operation n%u/%016llx/%llu before it was durable there (durable are %llu of that origin)",
                  cluster->nodes[belief->node].name, ledger->lives[ledger->operations[index].life].node,
                  (unsigned long long)operation.own.incarnation, (unsigned long long)operation.seq,
                  (unsigned long long)belief->held);
    return count;
  }
  if (body.bad || !count) mumbles(belief, "has no operations");
  return count;
}

void cluster_check_sent(struct cluster *cluster, uint32_t node, const void *frame, size_t size) {
  struct reads_counts *counts = &cluster->nodes[node].counts;
  struct sync_engine *engine = cluster_engine(cluster, node);
  struct belief belief; /* what is believed is not asked here */
  belief.cluster = cluster;
  belief.node = node;
  struct decode_reader body;
  enum decode_frame kind = decode_frame(frame, size, &body);
  counts->frames_out++;
  counts->frames_out_bytes += size;
  counts->hellos_out += kind == DECODE_HELLO;
  if (kind == DECODE_NOTHING) mumbles(&belief, "cannot be read as the format says");
  if (!cluster->nodes[node].replica.following || !engine) return; /* it is being opened: looked at in a moment */
  if (kind == DECODE_HELLO) check_hello(&belief, body, sync_session(engine));
  if (kind == DECODE_OPS) counts->ops_out += check_operations(&belief, body, sync_session(engine));
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
