#include "cluster/oracle.h"

#include <stdio.h>
#include <string.h>

#include "cluster/backoffs.h"
#include "cluster/clocks.h"
#include "cluster/grow.h"
#include "cluster/deliveries.h"
#include "cluster/follower.h"
#include "cluster/log_damage.h"
#include "cluster/lookup.h"
#include "cluster/model.h"
#include "cluster/own_writes.h"
#include "cluster/pace.h"
#include "cluster/seldom.h"
#include "cluster/state.h"
#include "cluster/replica.h"
#include "cluster/snapshot.h"
#include "cluster/traffics.h"
#include "cluster/sweeps.h"

/* --- At a boot: durability ------------------------------------------------------------ */

struct vector_context {
  struct cluster *cluster;
  struct cluster_node *node;
};

static inline uint32_t *applied_slot(struct cluster *cluster, struct cluster_node *node, uint32_t life) {
  CLUSTER_GROW(cluster->world, node->applied, node->applied_capacity, life + 1u);
  return &node->applied[life];
}

/* An origin in a vector: which life is it, and were so many submitted? */
static int origin_at_boot(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct vector_context *context = arg;
  struct cluster *cluster = context->cluster;
  struct ledger *ledger = &cluster->ledger;
  uint32_t life = ledger_life_find(ledger, origin->incarnation);
  if (life == LEDGER_NONE || seq > ledger->lives[life].count) {
    uint64_t subject[3] = {sync_node_hash(origin->node_id), origin->incarnation, seq};
    sim_violation(cluster->world, CLUSTER_PHANTOM, context->node->number, subject,
                  "%s recovered operation %s/%016llx/%llu, which nobody submitted", context->node->name,
                  origin->node_id, (unsigned long long)origin->incarnation, (unsigned long long)seq);
    return 1;
  }
  *applied_slot(cluster, context->node, life) = (uint32_t)seq;
  return 0;
}

/* The first of its promised operations that the node has not, 0: it has all. */
static uint32_t first_lost(const struct cluster_node *node, struct sync_engine *engine,
                           const struct ledger_life *life) {
  if (sync_holds(engine, node->name, life->incarnation, life->promised)) return 0;
  uint32_t first = 1;
  while (sync_holds(engine, node->name, life->incarnation, first))
    first++;
  return first;
}

/* Whether the world took it, so that nobody could tell: its record, or one before
 * it, was damaged behind all that the log says is durable. */
static bool is_excused(struct cluster *cluster, struct cluster_node *node, const struct ledger_operation *lost) {
  const struct log_damage *damage = &node->damage;
  /* What a repair put aside stood behind the damage. */
  if (node->repaired && damage->base) return true;
  if (node->repaired && damage->unread < lost->position) return true;
  if (node->repaired && damage->told) return damage->end < lost->position;
  return damage->any && !damage->told && damage->end < lost->position &&
         log_damage_in(cluster, node->number, damage->end, lost->position);
}

CLUSTER_SELDOM static void report_lost(struct cluster *cluster, struct cluster_node *node,
                                       const struct ledger_life *life, uint32_t first) {
  const struct ledger *ledger = &cluster->ledger;
  const struct ledger_operation *lost = &ledger->operations[life->operations[first - 1u]];
  char but[160] = "";
  if (node->damage.told)
    (void)snprintf(but, sizeof but,
                   ". Its disk was damaged at log position %llu, and its log says that %llu were durable: that is no "
                   "torn tail, and must be reported",
                   (unsigned long long)node->damage.end, (unsigned long long)node->damage.claimed);
  uint64_t subject[3];
  char key[KEYS_SHOWN_BYTES] = "no key";
  if (lost->change_count) (void)keys_show(&ledger->keys, ledger->changes[lost->change_first].slot, key);
  cluster_subject(cluster, life->operations[first - 1u], subject);
  sim_violation(cluster->world, CLUSTER_DURABILITY, node->number, subject,
                "%s promised operation %s/%016llx/%u (submitted at %llu ns, %s) and does not have it after it "
                "started again; it has %u of the %u that it promised in that life%s",
                node->name, node->name, (unsigned long long)life->incarnation, first, (unsigned long long)lost->time_ns,
                key, first - 1u, life->promised, but);
}

static void check_promises(struct cluster *cluster, struct cluster_node *node, struct sync_engine *engine) {
  struct ledger *ledger = &cluster->ledger;
  for (uint32_t i = 0; i < ledger->life_count; i++) {
    struct ledger_life *life = &ledger->lives[i];
    if (life->node != node->number || !life->promised || life->lost) continue;
    uint32_t first = first_lost(node, engine, life);
    if (!first) continue;
    if (!is_excused(cluster, node, &ledger->operations[life->operations[first - 1u]])) {
      report_lost(cluster, node, life, first);
      return;
    }
    life->promised = first - 1u;
  }
}

/* Who was registered durably is owed what it lacks, until it is removed. */
static void check_peers(struct cluster *cluster, struct cluster_node *node) {
  for (uint32_t other = 1; other <= cluster->config.nodes; other++) {
    const struct ledger_operation record = {.position = node->peers[other].end};
    bool lost = node->peers[other].lost;
    node->peers[other].lost = false;
    if (!lost) continue;
    node->peers[other].promised = false;
    node->peers[other].end = 0;
    if (is_excused(cluster, node, &record) || cluster_violated(cluster)) continue;
    static const uint64_t nothing[3] = {0, 0, 0};
    sim_violation(
        cluster->world, CLUSTER_DURABILITY, node->number, nothing,
        "%s had %s registered as a peer, durably up to position %llu, and does not know it after it started again",
        node->name, cluster->nodes[other].name, (unsigned long long)record.position);
  }
}

void cluster_check_damage(struct cluster *cluster, uint32_t number) {
  const struct cluster_node *node = &cluster->nodes[number];
  static const uint64_t nothing[3] = {0, 0, 0};
  if (!node->damage.told || node->repaired || cluster_violated(cluster)) return;
  sim_violation(cluster->world, CLUSTER_RECOVERY, node->number, nothing,
                "%s opened a log that is damaged at position %llu though it says that %llu were durable: the damage "
                "must be reported, and is not",
                node->name, (unsigned long long)node->damage.end, (unsigned long long)node->damage.claimed);
}

void cluster_check_boot(struct cluster *cluster, uint32_t number) {
  struct cluster_node *node = &cluster->nodes[number];
  struct sync_engine *engine = cluster_engine(cluster, number);
  if (!engine) return;
  struct ledger *ledger = &cluster->ledger;
  node->life = ledger_life_begin(ledger, number);
  if (node->applied_capacity) memset(node->applied, 0, node->applied_capacity * sizeof *node->applied);
  struct vector_context context = {cluster, node};
  sync_vector(engine, false, origin_at_boot, &context);
  check_promises(cluster, node, engine);
  check_peers(cluster, node);
  node->repair_begun = false;
  cluster_check_damage(cluster, number);
  sim_disk_damage_names_seen(sim_node_disk(sim_node_at(cluster->world, number)));
  struct sync_digest kept, fresh;
  sync_digest_get(engine, &kept);
  sync_digest_recompute(engine, &fresh);
  if (memcmp(&kept, &fresh, sizeof kept) != 0) {
    static const uint64_t nothing[3] = {0, 0, 0};
    sim_violation(cluster->world, CLUSTER_RECOVERY, number, nothing,
                  "%s opened with a digest that its state does not have", node->name);
  }
  uint64_t fields[] = {CLUSTER_STEP_OPEN, kept.state, kept.vector};
  sim_trace(cluster->world, SIM_SUB_CLUSTER, SIM_STEP_CLUSTER, number, fields, 3);
  if (cluster->config.no_oracles) return;
  sweeps_forgotten(cluster, number);
  replica_begin(cluster, number);
  sweeps_judge(cluster);
  cluster_check_reads(cluster, number);
}

void cluster_check_promised(struct cluster *cluster, uint32_t node) {
  struct sync_engine *engine = cluster_engine(cluster, node);
  if (engine) check_promises(cluster, &cluster->nodes[node], engine);
}

/* --- At every step that a node reports ---------------------------------------------------- */

CLUSTER_SELDOM static void applies_wrongly(const struct cluster *cluster, const struct cluster_node *node,
                                           const uint64_t *fields, uint32_t life, uint32_t applied, bool local) {
  uint64_t incarnation = fields[1], seq = fields[2];
  if (local && life != node->life)
    sim_violation(cluster->world, CLUSTER_UNIQUE_IDS, node->number, fields,
                  "%s gave a new operation the id %s/%016llx/%llu, of an incarnation that an earlier life used",
                  node->name, node->name, (unsigned long long)incarnation, (unsigned long long)seq);
  else if (life == LEDGER_NONE)
    sim_violation(cluster->world, CLUSTER_PHANTOM, node->number, fields,
                  "%s applied an operation of an incarnation (%016llx) in which nobody submitted", node->name,
                  (unsigned long long)incarnation);
  else
    sim_violation(cluster->world, CLUSTER_EXACTLY_ONCE, node->number, fields,
                  "%s applied operation n%u/%016llx/%llu %s; it had applied up to %u of that origin", node->name,
                  cluster->ledger.lives[life].node, (unsigned long long)incarnation, (unsigned long long)seq,
                  seq <= applied ? "a second time" : "before an earlier one", applied);
}

static inline void traced_apply(struct cluster *cluster, struct cluster_node *node, const uint64_t *fields,
                                bool local) {
  uint64_t incarnation = fields[1], seq = fields[2];
  struct ledger *ledger = &cluster->ledger;
  /* Whatever has to be written before something is taken comes before this step. */
  if (sim_node_write_failed(node->machine)) {
    sim_violation(cluster->world, CLUSTER_DURABILITY, node->number, fields,
                  "%s took an operation (%016llx/%llu) although its last write failed and was not made again",
                  node->name, (unsigned long long)incarnation, (unsigned long long)seq);
    return;
  }
  uint32_t life = ledger_life_find(ledger, incarnation);
  if (local && life == LEDGER_NONE && node->life != LEDGER_NONE && !ledger->lives[node->life].incarnation) {
    ledger_life_name(ledger, node->life, incarnation);
    life = node->life;
  }
  if (life == LEDGER_NONE || (local && life != node->life)) {
    applies_wrongly(cluster, node, fields, life, 0, local);
    return;
  }
  uint32_t *applied = applied_slot(cluster, node, life);
  if (seq == (uint64_t)*applied + 1u)
    *applied = (uint32_t)seq;
  else
    applies_wrongly(cluster, node, fields, life, *applied, local);
}

struct merging {
  struct cluster *cluster;
  struct cluster_node *node;
};

static void merged_origin(void *arg, uint32_t life, uint64_t seq) {
  struct merging *merging = arg;
  struct replica *replica = &merging->node->replica;
  CLUSTER_GROW(merging->cluster->world, replica->merging, replica->merging_capacity, replica->merging_count + 1u);
  replica->merging[replica->merging_count++] = (struct replica_merged){life, seq};
  if (life == LEDGER_NONE) return; /* told where its record is read */
  uint32_t *applied = applied_slot(merging->cluster, merging->node, life);
  if (*applied < seq) *applied = (uint32_t)seq;
}

/* A snapshot was merged: all that it holds is applied. */
CLUSTER_SELDOM static void traced_merge(struct cluster *cluster, struct cluster_node *node, uint64_t id) {
  struct merging merging = {cluster, node};
  follower_merged(cluster, node->number);
  struct snapshot staged;
  snapshot_staged(id, &staged);
  node->replica.merging_id = id;
  node->replica.merging_count = 0;
  (void)snapshot_read(cluster, node->disk, &staged, merged_origin, &merging);
}

/* Most kinds are only counted. */
CLUSTER_APART static void traced(struct cluster *cluster, struct cluster_node *node, enum sync_trace_kind kind,
                                 const uint64_t *fields, size_t count) {
  if (kind == SYNC_TRACE_ROTATE) node->replica.rotated = true;
  if (cluster->judging) return;
  cluster_pace_traced(node, kind, fields, count);
  bool own_write = kind == SYNC_TRACE_OWN_WRITE && count > 5;
  if (((kind == SYNC_TRACE_SUBMIT || kind == SYNC_TRACE_APPLY) && count > 2) || own_write)
    traced_apply(cluster, node, fields, kind != SYNC_TRACE_APPLY);
  if (kind == SYNC_TRACE_SUBMIT && count > 4) clocks_submitted(cluster, node, fields[4]);
  if (own_write) own_writes_traced(cluster, node, fields);
  if (kind == SYNC_TRACE_MERGE && count > 1) traced_merge(cluster, node, fields[0]);
  if (kind == SYNC_TRACE_TRIM && count > 0) replica_trimmed(cluster, node->number, fields[0]);
}

void cluster_traced(struct sim_world *world, void *self, uint32_t number, enum sync_trace_kind kind,
                    const uint64_t *fields, size_t count) {
  (void)world;
  struct cluster *cluster = self;
  if ((uint32_t)kind < CLUSTER_TRACE_KINDS) cluster->by_trace[kind]++;
  clocks_explained(&cluster->nodes[number], kind, fields, count);
  if (kind == SYNC_TRACE_APPLY || kind == SYNC_TRACE_TIMEOUT || kind == SYNC_TRACE_PARKED || kind == SYNC_TRACE_REVIVED)
    cluster_traffic_traced(cluster, number, kind, count > 0 ? fields[0] : 0);
  if (backoff_takes(kind)) cluster_backoff_took(cluster, number, kind, fields, count);
  if (backoff_wants(kind)) cluster_backoff_traced(cluster, number, kind, fields, count);
  if (log_watch_wants(kind)) traced(cluster, &cluster->nodes[number], kind, fields, count);
}

void cluster_traced_unseen(struct sim_world *world, void *self, uint32_t number, enum sync_trace_kind kind,
                           const uint64_t *fields, size_t count) {
  (void)world;
  struct cluster *cluster = self;
  struct cluster_node *node = &cluster->nodes[number];
  if (kind != SYNC_TRACE_OWN_WRITE || count <= 5 || cluster->judging || node->life == LEDGER_NONE) return;
  if (!cluster->ledger.lives[node->life].incarnation) ledger_life_name(&cluster->ledger, node->life, fields[1]);
  own_writes_traced(cluster, node, fields);
}

/* Of so many checks one walks: in between the same keys change again. */
#define WALK_EVERY 4u

/* --- At intervals ---------------------------------------------------------------------------- */

void cluster_check(struct cluster *cluster) {
  uint32_t nodes = cluster->config.nodes;
  if (cluster->judging) return; /* the final word is being given, in steps; what is done meanwhile nobody counts */
  struct sync_digest digests[CLUSTER_NODES_MAX + 1u];
  bool up[CLUSTER_NODES_MAX + 1u] = {false};
  SIM_ASSERT(cluster->world, nodes > 0);
  for (uint32_t i = 1; i <= nodes; i++) {
    struct sync_engine *engine = cluster_engine(cluster, i);
    up[i] = engine != NULL;
    if (!engine) continue;
    struct sync_stats stats;
    sync_stats_get(engine, &stats);
    cluster_pace_look(&cluster->nodes[i], engine, stats.failed);
    sync_digest_get(engine, &digests[i]);
    uint64_t fields[] = {CLUSTER_STEP_CHECK, digests[i].state, digests[i].vector};
    sim_trace(cluster->world, SIM_SUB_CLUSTER, SIM_STEP_CLUSTER, i, fields, 3);
  }
  for (uint32_t a = 1; a <= nodes; a++)
    for (uint32_t b = a + 1u; b <= nodes; b++) {
      if (!up[a] || !up[b] || digests[a].vector != digests[b].vector || digests[a].state == digests[b].state) continue;
      static const uint64_t nothing[3] = {0, 0, 0};
      sim_violation(cluster->world, CLUSTER_CONVERGENCE, a, nothing,
                    "%s and %s hold the same operations and different states", cluster->nodes[a].name,
                    cluster->nodes[b].name);
      return;
    }
  bool walks = cluster->checks++ % WALK_EVERY == 0;
  for (uint32_t i = 1; i <= nodes; i++) {
    if (up[i]) cluster_check_reads(cluster, i);
    if (up[i] && walks) cluster_check_walks(cluster, i);
  }
  if (!cluster_violated(cluster)) cluster_check_delivery(cluster);
  if (!cluster_violated(cluster)) cluster_check_traffic(cluster);
  if (!cluster->config.no_oracles && !cluster->judging) sweeps_check(cluster);
}
