#include "cluster/oracle.h"

#include <string.h>

#include "cluster/grow.h"
#include "cluster/deliveries.h"
#include "cluster/lookup.h"
#include "cluster/model.h"
#include "cluster/pace.h"
#include "cluster/state.h"
#include "cluster/replica.h"

/* --- At a boot: durability ------------------------------------------------------------ */

struct vector_context {
  struct cluster *cluster;
  struct cluster_node *node;
  uint32_t previous_life;
};

static uint32_t *applied_slot(struct cluster *cluster, struct cluster_node *node, uint32_t life) {
  CLUSTER_GROW(cluster->world, node->applied, node->applied_capacity, life + 1u);
  return &node->applied[life];
}

struct sibling_search {
  const struct ledger *ledger;
  uint64_t incarnation, seq;
  uint32_t number; /* of the change that it should be */
  bool tombstone;  /* ... or a delete */
  bool found;
};

static int search_sibling(void *arg, const struct sync_sibling *sibling) {
  struct sibling_search *search = arg;
  if (sibling->dot.origin.incarnation != search->incarnation || sibling->dot.seq != search->seq) return 0;
  search->found =
      search->tombstone == sibling->tombstone &&
      (search->tombstone || ledger_value_is(search->ledger, search->number, sibling->value, sibling->value_size));
  return 1;
}

/* Whether the node holds under that id what the operation submitted. Only for
 * the newest operation of an origin at its author: nothing has replaced it. */
static bool holds_as(struct cluster *cluster, uint32_t node, uint32_t operation, uint64_t incarnation, uint64_t seq) {
  uint32_t first = cluster->ledger.operations[operation].change_first;
  const struct ledger_change *change = &cluster->ledger.changes[first];
  struct sibling_search search = {&cluster->ledger, incarnation, seq, first + 1u, change->kind == SYNC_DELETE, false};
  const struct keys *keys = &cluster->ledger.keys;
  sync_siblings(cluster_engine(cluster, node), keys_bytes(keys, change->slot), keys->entries[change->slot].size,
                search_sibling, &search);
  return search.found;
}

/* The last life of the node may have an operation of unknown outcome: does this
 * origin of its own show that it exists? */
static bool unknown_exists(struct vector_context *context, uint32_t life, const struct sync_origin *origin,
                           uint64_t seq) {
  struct ledger *ledger = &context->cluster->ledger;
  uint32_t previous = context->previous_life;
  if (previous == LEDGER_NONE || strcmp(origin->node_id, context->node->name) != 0) return false;
  const struct ledger_life *last = &ledger->lives[previous];
  if (last->unknown == LEDGER_NONE || seq != last->unknown_seq) return false;
  if (life == LEDGER_NONE) return last->incarnation == 0 && seq == 1;
  if (life != previous) return false;
  if (last->count < seq) return true;
  return holds_as(context->cluster, context->node->number, last->unknown, origin->incarnation, seq);
}

/* An origin in a vector: which life is it, and were so many submitted? */
static int origin_at_boot(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct vector_context *context = arg;
  struct cluster *cluster = context->cluster;
  struct ledger *ledger = &cluster->ledger;
  uint32_t life = ledger_life_find(ledger, origin->incarnation);
  if (unknown_exists(context, life, origin, seq)) {
    ledger_adopt(ledger, context->previous_life, origin->incarnation);
    life = context->previous_life;
  }
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

static void check_promises(struct cluster *cluster, struct cluster_node *node, struct sync_engine *engine) {
  struct ledger *ledger = &cluster->ledger;
  bool excused = sim_disk_damaged(sim_node_disk(sim_node_at(cluster->world, node->number)));
  for (uint32_t i = 0; i < ledger->life_count; i++) {
    struct ledger_life *life = &ledger->lives[i];
    if (life->node != node->number || !life->promised) continue;
    if (excused) life->lost = true;
    if (life->lost || sync_holds(engine, node->name, life->incarnation, life->promised)) continue;
    uint32_t first = 1;
    while (sync_holds(engine, node->name, life->incarnation, first))
      first++;
    const struct ledger_operation *lost = &ledger->operations[life->operations[first - 1u]];
    uint64_t subject[3];
    cluster_subject(cluster, life->operations[first - 1u], subject);
    sim_violation(cluster->world, CLUSTER_DURABILITY, node->number, subject,
                  "%s promised operation %s/%016llx/%u (submitted at %llu ns, key-%08u) and does not have it after it "
                  "started again; it has %u of the %u that it promised in that life",
                  node->name, node->name, (unsigned long long)life->incarnation, first,
                  (unsigned long long)lost->time_ns, ledger->changes[lost->change_first].key, first - 1u,
                  life->promised);
    return;
  }
}

void cluster_check_boot(struct cluster *cluster, uint32_t number) {
  struct cluster_node *node = &cluster->nodes[number];
  struct sync_engine *engine = cluster_engine(cluster, number);
  if (!engine) return;
  struct ledger *ledger = &cluster->ledger;
  uint32_t previous = node->life;
  node->life = ledger_life_begin(ledger, number);
  if (node->applied_capacity) memset(node->applied, 0, node->applied_capacity * sizeof *node->applied);
  struct vector_context context = {cluster, node, previous};
  sync_vector(engine, false, origin_at_boot, &context);
  if (previous != LEDGER_NONE) ledger->lives[previous].unknown = LEDGER_NONE;
  check_promises(cluster, node, engine);
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
  replica_begin(cluster, number);
  cluster_check_reads(cluster, number);
}

void cluster_check_promised(struct cluster *cluster, uint32_t node) {
  struct sync_engine *engine = cluster_engine(cluster, node);
  if (engine) check_promises(cluster, &cluster->nodes[node], engine);
}

/* --- At every step that a node reports ---------------------------------------------------- */

static void traced_apply(struct cluster *cluster, struct cluster_node *node, const uint64_t *fields, bool local) {
  uint64_t incarnation = fields[1], seq = fields[2];
  struct ledger *ledger = &cluster->ledger;
  uint32_t life = ledger_life_find(ledger, incarnation);
  if (local && life == LEDGER_NONE && node->life != LEDGER_NONE && !ledger->lives[node->life].incarnation) {
    ledger_life_name(ledger, node->life, incarnation);
    life = node->life;
  }
  if (local && life != node->life) {
    sim_violation(cluster->world, CLUSTER_UNIQUE_IDS, node->number, fields,
                  "%s gave a new operation the id %s/%016llx/%llu, of an incarnation that an earlier life used",
                  node->name, node->name, (unsigned long long)incarnation, (unsigned long long)seq);
    return;
  }
  if (life == LEDGER_NONE) {
    sim_violation(cluster->world, CLUSTER_PHANTOM, node->number, fields,
                  "%s applied an operation of an incarnation (%016llx) in which nobody submitted", node->name,
                  (unsigned long long)incarnation);
    return;
  }
  uint32_t *applied = applied_slot(cluster, node, life);
  if (seq == (uint64_t)*applied + 1u) {
    *applied = (uint32_t)seq;
    return;
  }
  uint32_t author = ledger->lives[life].node;
  sim_violation(cluster->world, CLUSTER_EXACTLY_ONCE, node->number, fields,
                "%s applied operation n%u/%016llx/%llu %s; it had applied up to %u of that origin", node->name, author,
                (unsigned long long)incarnation, (unsigned long long)seq,
                seq <= *applied ? "a second time" : "before an earlier one", *applied);
}

void cluster_traced(struct sim_world *world, void *self, uint32_t number, enum sync_trace_kind kind,
                    const uint64_t *fields, size_t count) {
  (void)world;
  struct cluster *cluster = self;
  struct cluster_node *node = &cluster->nodes[number];
  if ((uint32_t)kind < CLUSTER_TRACE_KINDS) cluster->by_trace[kind]++;
  cluster_pace_traced(node, kind, fields, count);
  if ((kind == SYNC_TRACE_SUBMIT || kind == SYNC_TRACE_APPLY) && count > 2 && !cluster->judging)
    traced_apply(cluster, node, fields, kind == SYNC_TRACE_SUBMIT);
}

/* Of so many checks one walks: in between the same keys change again. */
#define WALK_EVERY 4u

/* --- At intervals ---------------------------------------------------------------------------- */

void cluster_check(struct cluster *cluster) {
  uint32_t nodes = cluster->config.nodes;
  struct sync_digest digests[CLUSTER_NODES_MAX + 1u];
  bool up[CLUSTER_NODES_MAX + 1u] = {false};
  SIM_ASSERT(cluster->world, nodes > 0);
  for (uint32_t i = 1; i <= nodes; i++) {
    struct sync_engine *engine = cluster_engine(cluster, i);
    up[i] = engine != NULL;
    if (!engine) continue;
    cluster_pace_look(&cluster->nodes[i], engine);
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
}
