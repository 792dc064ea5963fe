#include "cluster/reads.h"

#include <string.h>

#include "cluster/grow.h"
#include "cluster/lookup.h"
#include "cluster/seldom.h"
#include "cluster/state.h"
#include "cluster/replica.h"

#define OUTBOX_ENTRIES 32u /* that are looked at while a run goes on */

static const uint64_t nothing[3] = {0, 0, 0};

struct reading {
  struct cluster *cluster;
  struct cluster_node *node;
  struct sync_engine *engine;
  uint32_t peer; /* whose belief is read, by node number */
  uint64_t count;
  uint64_t owed_all;     /* operations of anybody, to that peer */
  uint64_t owed_entries; /* own operations, to all peers */
  uint64_t left;
  uint32_t last_operation; /* of the outbox entry before */
  uint32_t last_peer;
  bool wrong;
  uint64_t by_status[SYNC_OUTBOX_FAILED + 1]; /* entries that were seen */
};

CLUSTER_SELDOM static void differs(struct reading *reading, const char *what, uint64_t said, uint64_t expected) {
  reading->wrong = true;
  sim_violation(reading->cluster->world, CLUSTER_READS, reading->node->number, nothing,
                "%s says that %s is %llu; it is %llu", reading->node->name, what, (unsigned long long)said,
                (unsigned long long)expected);
}

static bool same(struct reading *reading, const char *what, uint64_t said, uint64_t expected) {
  if (said != expected && !reading->wrong) differs(reading, what, said, expected);
  return said == expected;
}

/* --- What it holds --------------------------------------------------------------------- */

static int check_held(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct reading *reading = arg;
  struct ledger *ledger = &reading->cluster->ledger;
  const struct replica *replica = &reading->node->replica;
  uint32_t life = ledger_life_find(ledger, origin->incarnation);
  uint64_t subject[3] = {sync_node_hash(origin->node_id), origin->incarnation, seq};
  uint32_t held = life == LEDGER_NONE ? 0 : replica_held(replica, life);
  reading->count++;
  bool right = held == seq && strcmp(origin->node_id, reading->cluster->nodes[ledger->lives[life].node].name) == 0 &&
               sync_holds(reading->engine, origin->node_id, origin->incarnation, seq) &&
               !sync_holds(reading->engine, origin->node_id, origin->incarnation, seq + 1u);
  if (right) return 0;
  reading->wrong = true;
  sim_violation(reading->cluster->world, life == LEDGER_NONE ? CLUSTER_PHANTOM : CLUSTER_READS, reading->node->number,
                subject, "%s says that it holds %s/%016llx up to %llu; its log has it up to %u", reading->node->name,
                origin->node_id, (unsigned long long)origin->incarnation, (unsigned long long)seq, held);
  return 1;
}

static int check_durable(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct reading *reading = arg;
  uint32_t life = ledger_life_find(&reading->cluster->ledger, origin->incarnation);
  uint32_t node = reading->node->number;
  if (life != LEDGER_NONE && replica_holds_durably(reading->cluster, node, life, seq)) return 0;
  uint64_t subject[3] = {sync_node_hash(origin->node_id), origin->incarnation, seq};
  reading->wrong = true;
  sim_violation(reading->cluster->world, CLUSTER_HONEST_ACKS, node, subject,
                "%s says that it holds %s/%016llx durably up to %llu; a power loss now would leave it %u",
                reading->node->name, origin->node_id, (unsigned long long)origin->incarnation, (unsigned long long)seq,
                life == LEDGER_NONE ? 0 : replica_durable(&reading->node->replica, life));
  return 1;
}

static void check_vectors(struct reading *reading) {
  const struct replica *replica = &reading->node->replica;
  uint64_t held = 0;
  for (uint32_t i = 0; i < replica->held_capacity; i++)
    held += replica->held[i] != 0;
  if (sync_vector(reading->engine, false, check_held, reading)) return;
  if (!same(reading, "the number of origins that it holds", reading->count, held)) return;
  struct sync_digest digest;
  sync_digest_get(reading->engine, &digest);
  if (!same(reading, "the number of its keys", digest.keys, replica->key_count)) return;
  if (!same(reading, "the number of its siblings", digest.siblings, replica->sibling_count)) return;
  struct sync_stats stats;
  sync_stats_get(reading->engine, &stats);
  if (!same(reading, "the number of its tombstones", stats.tombstones, replica->tombstone_count)) return;
  const struct sim_node *machine = sim_node_at(reading->cluster->world, reading->node->number);
  if (!sim_disk_damaged(sim_node_disk((struct sim_node *)(uintptr_t)machine)))
    (void)sync_vector(reading->engine, true, check_durable, reading);
}

/* --- What it owes -------------------------------------------------------------------------- */

static int take_known(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct reading *reading = arg;
  struct cluster *cluster = reading->cluster;
  uint32_t life = ledger_life_find(&cluster->ledger, origin->incarnation);
  if (life == LEDGER_NONE) return 0; /* what it believes is judged elsewhere */
  uint32_t held = replica_held(&reading->node->replica, life);
  if (seq > held) seq = held;
  cluster->known[life] = (uint32_t)seq;
  reading->owed_all -= seq;
  if (cluster->ledger.lives[life].node == reading->node->number) reading->owed_entries -= seq;
  return 0;
}

/* Lowers known_by_all to what this peer is known to hold, and checks what is owed to it. */
static bool check_peer(struct reading *reading, uint32_t handle, uint64_t held_all, uint64_t held_own) {
  struct cluster *cluster = reading->cluster;
  uint64_t session = 0;
  uint32_t lives = cluster->ledger.life_count;
  memset(cluster->known, 0, lives * sizeof *cluster->known);
  reading->owed_all = held_all;
  reading->owed_entries += held_own;
  if (sync_peer_vector(reading->engine, handle, &session, take_known, reading) != SYNC_OK)
    return same(reading, "a peer's status", 1, 0);
  for (uint32_t life = 0; life < lives; life++)
    if (cluster->known[life] < cluster->known_by_all[life]) cluster->known_by_all[life] = cluster->known[life];
  struct sync_peer_info info;
  if (sync_peer_info(reading->engine, handle, &info) != SYNC_OK) return same(reading, "a peer's status", 1, 0);
  return same(reading, "what it owes to a peer", info.owed_ops, reading->owed_all) &&
         same(reading, "whether what is in flight is more than what is owed", info.in_flight_ops > info.owed_ops, 0);
}

static int check_entry(void *arg, const struct sync_outbox_entry *entry) {
  struct reading *reading = arg;
  struct cluster *cluster = reading->cluster;
  const struct ledger *ledger = &cluster->ledger;
  uint32_t index = ledger_find(ledger, entry->dot.origin.incarnation, entry->dot.seq);
  const struct ledger_operation *operation = index == LEDGER_NONE ? NULL : &ledger->operations[index];
  struct sync_peer_info info;
  cluster->looked++;
  bool right = operation && ledger->lives[operation->life].node == reading->node->number &&
               operation->seq <= replica_held(&reading->node->replica, operation->life) &&
               sync_peer_info(reading->engine, entry->peer, &info) == SYNC_OK &&
               (index != reading->last_operation || entry->peer > reading->last_peer);
  if (right && entry->status == SYNC_OUTBOX_FAILED) right = info.state == SYNC_PEER_PARKED;
  if (right && entry->status == SYNC_OUTBOX_IN_FLIGHT) right = info.in_flight_ops > 0;
  right = right && entry->status != SYNC_OUTBOX_ACKNOWLEDGED && entry->retries == info.retries;
  if (!right) {
    differs(reading, "an entry of its outbox (the operation's number)", entry->dot.seq, 0);
    return -1;
  }
  reading->last_operation = index;
  reading->last_peer = entry->peer;
  reading->count++;
  reading->by_status[entry->status]++;
  return --reading->left == 0;
}

/* What it counts by status; `walked`: all entries were seen. */
static bool check_outbox_counts(struct reading *reading, bool walked) {
  struct sync_outbox_counts counts;
  if (sync_outbox_count(reading->engine, SYNC_PEER_NONE, &counts) != SYNC_OK)
    return same(reading, "the status of its counts", 1, 0);
  const uint64_t owed = counts.pending + counts.queued + counts.in_flight + counts.failed;
  const uint64_t *seen = reading->by_status;
  return same(reading, "its count of what is owed", owed, reading->owed_entries) &&
         (!walked || (same(reading, "its count of pending entries", counts.pending, seen[SYNC_OUTBOX_PENDING]) &&
                      same(reading, "its count of queued entries", counts.queued, seen[SYNC_OUTBOX_QUEUED]) &&
                      same(reading, "its count of entries in flight", counts.in_flight, seen[SYNC_OUTBOX_IN_FLIGHT]) &&
                      same(reading, "its count of failed entries", counts.failed, seen[SYNC_OUTBOX_FAILED])));
}

static void check_outbox(struct reading *reading, bool whole) {
  struct cluster *cluster = reading->cluster;
  const struct replica *replica = &reading->node->replica;
  const struct cluster_software *software = sim_node_peek(cluster->world, reading->node->number);
  uint32_t lives = cluster->ledger.life_count;
  CLUSTER_GROW(cluster->world, cluster->known, cluster->known_capacity, lives + 1u);
  CLUSTER_GROW(cluster->world, cluster->known_by_all, cluster->known_by_all_capacity, lives + 1u);
  uint64_t held_all = 0, held_own = 0, size = 0;
  for (uint32_t life = 0; life < lives; life++) {
    uint32_t held = replica_held(replica, life);
    cluster->known_by_all[life] = held;
    held_all += held;
    if (cluster->ledger.lives[life].node == reading->node->number) held_own += held;
  }
  for (uint32_t other = 1; other <= cluster->config.nodes; other++)
    if (software->peer_of[other] != SYNC_PEER_NONE &&
        !check_peer(reading, software->peer_of[other], held_all, held_own))
      return;
  for (uint32_t life = 0; life < lives; life++)
    if (cluster->ledger.lives[life].node == reading->node->number)
      size += replica_held(replica, life) - cluster->known_by_all[life];
  if (!same(reading, "the size of its outbox", sync_outbox_size(reading->engine), size)) return;
  reading->count = 0;
  reading->left = whole ? UINT64_MAX : OUTBOX_ENTRIES;
  reading->last_operation = LEDGER_NONE;
  memset(reading->by_status, 0, sizeof reading->by_status);
  int ended = size ? sync_outbox(reading->engine, check_entry, reading) : 0;
  if (ended < 0 ||
      (!ended && !same(reading, "the number of entries in its outbox", reading->count, reading->owed_entries)))
    return;
  (void)check_outbox_counts(reading, !ended);
}

/* --- What it counts --------------------------------------------------------------------------- */

static void check_counters(struct reading *reading) {
  const struct reads_counts *seen = &reading->node->counts;
  struct sync_stats stats;
  sync_stats_get(reading->engine, &stats);
  (void)(same(reading, "its count of submits", stats.submits, seen->submits) &&
         same(reading, "its count of operations that it wrote by itself", stats.own_writes, seen->own_writes) &&
         same(reading, "its count of sweeps", stats.sweeps, seen->sweeps) &&
         same(reading, "its count of tombstones swept", stats.swept, seen->swept) &&
         same(reading, "its count of operations received", stats.applied_remote, reading->node->replica.remote) &&
         same(reading, "its count of frames sent", stats.frames_out, seen->frames_out) &&
         same(reading, "its count of bytes sent", stats.frames_out_bytes, seen->frames_out_bytes) &&
         same(reading, "its count of operations sent", stats.ops_out, seen->ops_out) &&
         same(reading, "its count of HELLOs sent", stats.hellos_out, seen->hellos_out));
  if (reading->wrong || stats.failed) return; /* one that has stopped counts no more of what it is given */
  (void)(same(reading, "its count of refused submits", stats.submits_refused, seen->submits_refused) &&
         same(reading, "its count of frames received", stats.frames_in, seen->frames_in) &&
         same(reading, "its count of bytes received", stats.frames_in_bytes, seen->frames_in_bytes));
}

void reads_check(struct cluster *cluster, uint32_t node, bool whole) {
  struct reading reading = {.cluster = cluster, .node = &cluster->nodes[node]};
  struct replica *replica = &reading.node->replica;
  reading.engine = cluster_engine(cluster, node);
  if (replica->news_to_look || whole) check_vectors(&reading);
  bool talked = reading.node->counts.frames_in + reading.node->counts.frames_out != reading.node->looked_frames;
  if (!reading.wrong && (replica->news_to_look || talked || whole)) check_outbox(&reading, whole);
  if (!reading.wrong) check_counters(&reading);
  reading.node->looked_frames = reading.node->counts.frames_in + reading.node->counts.frames_out;
  replica->news_to_look = false;
}
