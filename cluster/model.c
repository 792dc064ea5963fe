/* The reference model, written apart from the engine:
 *
 *   the state of a replica is every change of every operation that it holds,
 *   except those that an operation it holds has seen and so replaced;
 *   a key reads as the change with the greatest (clock, node, incarnation, seq).
 *
 * What was held and seen comes from the ledger; the replica must agree.
 */
#include "cluster/model.h"

#include <string.h>

#include "cluster/grow.h"
#include "cluster/lookup.h"
#include "cluster/state.h"

struct model {
  struct cluster *cluster;
  struct cluster_node *node;
  struct sync_engine *engine;
  uint32_t found;    /* changes of the replica that the model has too */
  uint32_t key;      /* being compared */
  uint32_t winner;   /* operation that should win it; LEDGER_NONE: cannot be told */
  uint32_t siblings; /* of the key, so far */
  bool unknown_clock;
};

static void disagree(struct model *model, const char *property, uint32_t operation, const char *what) {
  uint64_t subject[3] = {0, 0, 0};
  if (operation != LEDGER_NONE) cluster_subject(model->cluster, operation, subject);
  sim_violation(model->cluster->world, property, model->node->number, subject, "%s, key-%08u: %s", model->node->name,
                model->key, what);
}

static int note_held(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct model *model = arg;
  struct ledger *ledger = &model->cluster->ledger;
  uint32_t life = ledger_life_find(ledger, origin->incarnation);
  if (life == LEDGER_NONE || seq > ledger->lives[life].count) {
    uint64_t subject[3] = {sync_node_hash(origin->node_id), origin->incarnation, seq};
    sim_violation(model->cluster->world, CLUSTER_PHANTOM, model->node->number, subject,
                  "%s holds operation %s/%016llx/%llu, which nobody submitted", model->node->name, origin->node_id,
                  (unsigned long long)origin->incarnation, (unsigned long long)seq);
    return 1;
  }
  model->cluster->held[life] = (uint32_t)seq;
  return 0;
}

static bool is_held(const struct cluster *cluster, const struct ledger_operation *operation) {
  return operation->seq && operation->seq <= cluster->held[operation->life];
}

/* What the replica should hold: counts it, and marks what is replaced. */
static uint32_t expected_changes(struct cluster *cluster) {
  struct ledger *ledger = &cluster->ledger;
  uint32_t expected = 0;
  memset(cluster->replaced, 0, ledger->change_count);
  for (uint32_t i = 0; i < ledger->change_count; i++) {
    const struct ledger_change *change = &ledger->changes[i];
    if (!is_held(cluster, &ledger->operations[change->operation])) continue;
    for (uint32_t s = 0; s < change->seen_count; s++)
      cluster->replaced[ledger->seen[change->seen_first + s] - 1u] = 1;
  }
  for (uint32_t i = 0; i < ledger->change_count; i++)
    expected += is_held(cluster, &ledger->operations[ledger->changes[i].operation]) && !cluster->replaced[i];
  return expected;
}

static bool beats(const struct model *model, uint32_t a, uint32_t b) {
  const struct ledger *ledger = &model->cluster->ledger;
  const struct ledger_operation *x = &ledger->operations[a], *y = &ledger->operations[b];
  if (x->hlc != y->hlc) return x->hlc > y->hlc;
  const struct ledger_life *lx = &ledger->lives[x->life], *ly = &ledger->lives[y->life];
  int names = strcmp(model->cluster->nodes[lx->node].name, model->cluster->nodes[ly->node].name);
  if (names) return names > 0;
  if (lx->incarnation != ly->incarnation) return lx->incarnation > ly->incarnation;
  return x->seq > y->seq;
}

static int check_sibling(void *arg, const struct sync_sibling *sibling) {
  struct model *model = arg;
  struct ledger *ledger = &model->cluster->ledger;
  uint32_t operation = ledger_find(ledger, sibling->dot.origin.incarnation, sibling->dot.seq);
  uint32_t number = operation == LEDGER_NONE ? 0 : ledger_change_of(ledger, operation, model->key);
  if (!number) {
    disagree(model, CLUSTER_PHANTOM, operation, "holds a change that nobody submitted");
    return 1;
  }
  const struct ledger_change *change = &ledger->changes[number - 1u];
  bool put = change->kind == SYNC_PUT;
  if (sibling->tombstone == put) {
    disagree(model, CLUSTER_PHANTOM, operation,
             put ? "holds a delete where a value was put" : "holds a value where it was deleted");
    return 1;
  }
  if (put && ledger_value_read(sibling->value, sibling->value_size) != number) {
    bool other = ledger_value_read(sibling->value, sibling->value_size) != 0;
    disagree(model, other ? CLUSTER_UNIQUE_IDS : CLUSTER_PHANTOM, operation,
             other ? "holds under one id the value that was submitted under another"
                   : "holds a value that is not, byte for byte, what was submitted");
    return 1;
  }
  if (!is_held(model->cluster, &ledger->operations[operation]) || model->cluster->replaced[number - 1u]) {
    disagree(model, CLUSTER_CONVERGENCE, operation, "holds a change that an operation it holds has replaced");
    return 1;
  }
  model->cluster->replaced[number - 1u] = 1; /* a second sibling with this id would be one too many */
  model->found++;
  model->siblings++;
  if (!ledger->operations[operation].hlc) model->unknown_clock = true;
  if (model->winner == LEDGER_NONE || beats(model, operation, model->winner)) model->winner = operation;
  return 0;
}

static int check_key(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  struct model *model = arg;
  if (!ledger_key_read(key, key_size, &model->key)) {
    disagree(model, CLUSTER_PHANTOM, LEDGER_NONE, "holds a key that nobody wrote");
    return 1;
  }
  model->winner = LEDGER_NONE;
  model->siblings = 0;
  model->unknown_clock = false;
  if (sync_siblings(model->engine, key, key_size, check_sibling, model)) return 1;
  uint32_t reads = ledger_find(&model->cluster->ledger, winner->dot.origin.incarnation, winner->dot.seq);
  if ((model->unknown_clock && model->siblings > 1) || reads == model->winner) return 0;
  disagree(model, CLUSTER_CONVERGENCE, model->winner,
           "reads a change that is not the latest by (clock, node, incarnation, sequence)");
  return 1;
}

void cluster_check_model(struct cluster *cluster, uint32_t number) {
  struct ledger *ledger = &cluster->ledger;
  struct model model = {.cluster = cluster, .node = &cluster->nodes[number]};
  model.engine = cluster_engine(cluster, number);
  if (!model.engine) return;
  CLUSTER_GROW(cluster->world, cluster->held, cluster->held_capacity, ledger->life_count + 1u);
  CLUSTER_GROW(cluster->world, cluster->replaced, cluster->replaced_capacity, ledger->change_count + 1u);
  memset(cluster->held, 0, ledger->life_count * sizeof *cluster->held);
  if (sync_vector(model.engine, false, note_held, &model)) return;
  uint32_t expected = expected_changes(cluster);
  if (sync_iterate(model.engine, NULL, 0, NULL, 0, true, check_key, &model)) return;
  if (model.found == expected) return;
  for (uint32_t i = 0; i < ledger->change_count; i++) {
    uint32_t operation = ledger->changes[i].operation;
    if (!is_held(cluster, &ledger->operations[operation]) || cluster->replaced[i]) continue;
    model.key = ledger->changes[i].key;
    disagree(&model, CLUSTER_CONVERGENCE, operation,
             "misses a change of an operation that it holds and that nothing replaced");
    return;
  }
}
