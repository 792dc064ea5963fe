/* Keys: siblings, what they read as, conflicts, iteration. The reference model is written apart
 * from the engine; what a key reads as by its policy is in conflicts.h. */
#include "cluster/model.h"

#include <string.h>

#include "cluster/conflicts.h"
#include "cluster/grow.h"
#include "cluster/lookup.h"
#include "cluster/policies.h"
#include "cluster/seldom.h"
#include "cluster/state.h"
#include "cluster/replica.h"
#include "cluster/replica_state.h"
#include "cluster/reads.h"
#include "sim/memory/mix.h"

#define VALUE_BYTES_MAX 65536u /* core/sync.h: the default */
#define MERGED_VALUES 64u      /* of a key; one of more is not merged here */
#define WALK_KEYS 8u           /* of an iteration that is looked at */

struct model {
  struct cluster *cluster;
  struct cluster_node *node;
  struct sync_engine *engine;
  uint32_t slot; /* of the key that is being compared */
  uint32_t found;
  uint32_t previous;                /* operation of the sibling before; LEDGER_NONE */
  struct conflicts_reading reading; /* what it must read as */
  const void *value;                /* of that change, among the siblings */
  struct sync_sibling values[MERGED_VALUES];
  size_t value_count; /* where they are merged */
};

CLUSTER_SELDOM static void disagree(const struct model *model, const char *property, uint32_t operation,
                                    const char *what) {
  uint64_t subject[3] = {0, 0, 0};
  const struct keys *keys = &model->cluster->ledger.keys;
  char key[KEYS_SHOWN_BYTES];
  if (operation != LEDGER_NONE) cluster_subject(model->cluster, operation, subject);
  if (model->slot == KEYS_NONE)
    sim_violation(model->cluster->world, property, model->node->number, subject, "%s: %s", model->node->name, what);
  else
    sim_violation(model->cluster->world, property, model->node->number, subject, "%s, %s: %s", model->node->name,
                  keys_show(keys, model->slot, key), what);
}

/* --- Siblings and the winner --------------------------------------------------------------- */

static bool is_in_model(const struct model *model, uint32_t number) {
  const struct replica *replica = &model->node->replica;
  for (uint32_t place = replica_first(replica, model->slot); place; place = replica->siblings[place - 1u].next)
    if (replica->siblings[place - 1u].number == number) return true;
  return false;
}

/* Whether what was read is that change, value and clock too. */
static inline bool check_content(const struct model *model, uint32_t number, const struct sync_sibling *sibling) {
  const struct ledger *ledger = &model->cluster->ledger;
  const struct ledger_change *change = &ledger->changes[number - 1u];
  bool put = change->kind == SYNC_PUT;
  if (sibling->tombstone == put) {
    disagree(model, CLUSTER_PHANTOM, change->operation,
             put ? "holds a delete where a value was put" : "holds a value where it was deleted");
    return false;
  }
  if (put && !ledger_value_is(ledger, number, sibling->value, sibling->value_size)) {
    bool other = ledger_value_read(sibling->value, sibling->value_size) != 0;
    disagree(model, other ? CLUSTER_UNIQUE_IDS : CLUSTER_PHANTOM, change->operation,
             other ? "holds under one id the value that was submitted under another"
                   : "holds a value that is not, byte for byte, what was submitted");
    return false;
  }
  if (sibling->hlc == ledger->operations[change->operation].hlc && sibling->automatic == change->automatic) return true;
  disagree(model, CLUSTER_READS, change->operation,
           "gives a sibling with another clock or flag than its operation has");
  return false;
}

static bool is_above(const struct model *model, uint32_t a, uint32_t b) {
  const struct ledger *ledger = &model->cluster->ledger;
  const struct ledger_operation *x = &ledger->operations[a], *y = &ledger->operations[b];
  const struct ledger_life *lx = &ledger->lives[x->life], *ly = &ledger->lives[y->life];
  int names = strcmp(model->cluster->nodes[lx->node].name, model->cluster->nodes[ly->node].name);
  if (names) return names > 0;
  return lx->incarnation != ly->incarnation ? lx->incarnation > ly->incarnation : x->seq > y->seq;
}

static uint32_t number_of(const struct model *model, const struct sync_sibling *sibling) {
  const struct ledger *ledger = &model->cluster->ledger;
  uint32_t operation = ledger_find(ledger, sibling->dot.origin.incarnation, sibling->dot.seq);
  return operation == LEDGER_NONE ? 0 : ledger_change_of(ledger, operation, model->slot);
}

static inline bool is_dot_of(const struct model *model, uint32_t number, const struct sync_sibling *sibling) {
  const struct ledger *ledger = &model->cluster->ledger;
  const struct ledger_operation *operation = &ledger->operations[ledger->changes[number - 1u].operation];
  return operation->seq == sibling->dot.seq &&
         ledger->lives[operation->life].incarnation == sibling->dot.origin.incarnation;
}

static inline void take_value(struct model *model, uint32_t number, const struct sync_sibling *sibling) {
  if (number == model->reading.number) model->value = sibling->value;
  if (model->reading.merge && !sibling->tombstone && model->value_count < MERGED_VALUES)
    model->values[model->value_count++] = *sibling;
}

static int check_sibling(void *arg, const struct sync_sibling *sibling) {
  struct model *model = arg;
  uint32_t winner = model->reading.number;
  if (winner && is_dot_of(model, winner, sibling) && model->previous == LEDGER_NONE) {
    if (!check_content(model, winner, sibling)) return 1;
    take_value(model, winner, sibling);
    model->previous = model->cluster->ledger.changes[winner - 1u].operation;
    model->found++;
    return 0;
  }
  uint32_t number = number_of(model, sibling);
  if (!number) {
    disagree(model, CLUSTER_PHANTOM, LEDGER_NONE, "holds a change that nobody submitted");
    return 1;
  }
  if (!check_content(model, number, sibling)) return 1;
  uint32_t operation = model->cluster->ledger.changes[number - 1u].operation;
  if (!is_in_model(model, number)) {
    disagree(model, CLUSTER_CONVERGENCE, operation, "holds a change that an operation it holds has replaced");
    return 1;
  }
  if (model->previous != LEDGER_NONE && !is_above(model, operation, model->previous)) {
    disagree(model, CLUSTER_READS, operation, "gives siblings out of order, or one twice");
    return 1;
  }
  take_value(model, number, sibling);
  model->previous = operation;
  model->found++;
  return 0;
}

/* The operation of a change that the model has and the replica has not. */
static int no_sibling_of(void *arg, const struct sync_sibling *sibling) {
  struct model *model = arg;
  return number_of(model, sibling) == model->found;
}
CLUSTER_SELDOM static void report_missing(struct model *model) {
  const struct replica *replica = &model->node->replica;
  const struct keys_entry *key = &model->cluster->ledger.keys.entries[model->slot];
  uint32_t missing = 0;
  for (uint32_t place = replica_first(replica, model->slot); place && !missing;
       place = replica->siblings[place - 1u].next) {
    model->found = replica->siblings[place - 1u].number;
    const uint8_t *bytes = keys_bytes(&model->cluster->ledger.keys, model->slot);
    if (!sync_siblings(model->engine, bytes, key->size, no_sibling_of, model)) missing = model->found;
  }
  disagree(model, CLUSTER_CONVERGENCE, missing ? model->cluster->ledger.changes[missing - 1u].operation : LEDGER_NONE,
           "misses a change of an operation that it holds and that nothing replaced");
}

/* Its value was looked at among the siblings, or is made of theirs. */
static inline bool reads_as(const struct model *model, const struct conflicts_reading *reading,
                            const struct sync_sibling *given) {
  const struct ledger_change *change = &model->cluster->ledger.changes[reading->number - 1u];
  return is_dot_of(model, reading->number, given) && given->tombstone == (change->kind == SYNC_DELETE) &&
         given->conflict == reading->conflict && (given->merged || given->unmerged) == (reading->merge != NULL) &&
         (given->merged || given->value_size == change->value_size);
}

/* The values, given to the callback in the other order, make the same. */
static bool merges_as(struct model *model, const uint8_t *bytes, int status, const struct sync_sibling *given) {
  const struct keys_entry *key = &model->cluster->ledger.keys.entries[model->slot];
  struct cluster *cluster = model->cluster;
  uint32_t limit = cluster_options(cluster, model->node->number)->value_bytes_max;
  size_t capacity = limit ? limit : VALUE_BYTES_MAX, size = 0;
  if (model->reading.put > MERGED_VALUES) return true;
  for (size_t low = 0, high = model->value_count - 1u; low < high; low++, high--) {
    struct sync_sibling moved = model->values[low];
    model->values[low] = model->values[high];
    model->values[high] = moved;
  }
  CLUSTER_GROW(cluster->world, cluster->merged, cluster->merged_capacity, (uint32_t)capacity);
  int merged = model->reading.merge(model->reading.merge_arg, bytes, key->size, model->values, model->value_count,
                                    cluster->merged, capacity, &size);
  if (merged != SYNC_OK || size > capacity) return status == (merged != SYNC_OK ? SYNC_E_MERGE : SYNC_E_TOO_BIG);
  return status == SYNC_OK && given->merged && given->value_size == size &&
         (size == 0 || memcmp(given->value, cluster->merged, size) == 0);
}

static bool check_get(struct model *model, const uint8_t *bytes) {
  const struct ledger *ledger = &model->cluster->ledger;
  const struct conflicts_reading *reading = &model->reading;
  uint32_t number = reading->number;
  bool present = number && ledger->changes[number - 1u].kind == SYNC_PUT, right;
  struct sync_sibling given;
  int status = sync_get(model->engine, bytes, ledger->keys.entries[model->slot].size, &given);
  if (reading->merge)
    right = merges_as(model, bytes, status, &given) && reads_as(model, reading, &given);
  else if (present)
    right = status == SYNC_OK && reads_as(model, reading, &given) && given.value == model->value;
  else
    right = status == SYNC_E_NOT_FOUND;
  if (right) return true;
  disagree(model, CLUSTER_READS, number ? ledger->changes[number - 1u].operation : LEDGER_NONE,
           reading->merge ? "a get does not give what the merge callback makes of its values in any order"
                          : "a get does not give what is the latest by (clock, node, incarnation, sequence)");
  return false;
}

/* --- Conflicts ------------------------------------------------------------------------------------ */

static int first_conflict(void *arg, const struct sync_conflict *conflict) {
  *(struct sync_conflict *)arg = *conflict;
  return 1;
}

static bool is_as(const struct model *model, const struct sync_conflict *listed, const uint8_t *bytes, size_t size) {
  const struct conflicts_reading *reading = &model->reading;
  enum cluster_policy policy = policies_find(&model->node->policies, bytes, size);
  return listed->siblings == reading->count && listed->settled == reading->settled &&
         listed->policy == policies_kind(policy);
}

/* Whether the index has it if and only if it is in conflict. */
static bool check_conflict(struct model *model, const uint8_t *bytes) {
  size_t size = model->cluster->ledger.keys.entries[model->slot].size;
  struct sync_conflict listed;
  bool any = sync_conflicts(model->engine, bytes, size, first_conflict, &listed) == 1;
  bool there = any && listed.key_size == size && memcmp(listed.key, bytes, size) == 0;
  if (there == model->reading.conflict && (!there || is_as(model, &listed, bytes, size))) return true;
  disagree(model, CLUSTER_POLICIES, LEDGER_NONE,
           there && !model->reading.conflict ? "is listed as in conflict, and is in none"
           : there ? "is listed in conflict with other siblings, or another policy, than it has"
                   : "is in conflict, and is not listed");
  return false;
}

static bool check_key(struct model *model, uint32_t slot) {
  const struct ledger *ledger = &model->cluster->ledger;
  const struct keys_entry *key = &ledger->keys.entries[slot];
  const uint8_t *bytes = keys_bytes(&ledger->keys, slot);
  const struct replica *replica = &model->node->replica;
  model->slot = slot;
  model->found = 0;
  model->previous = LEDGER_NONE;
  model->value_count = 0;
  model->reading = conflicts_read(model->cluster, model->node->number, replica, slot);
  model->cluster->looked++;
  if (sync_siblings(model->engine, bytes, key->size, check_sibling, model)) return false;
  if (model->found != model->reading.count) {
    report_missing(model);
    return false;
  }
  return check_get(model, bytes) && check_conflict(model, bytes);
}

struct listing {
  struct model *model;
  uint32_t slot; /* where the next one is sought */
};

static int next_conflict(void *arg, const struct sync_conflict *conflict) {
  struct listing *listing = arg;
  struct model *model = listing->model;
  const struct keys *keys = &model->cluster->ledger.keys;
  for (; listing->slot != KEYS_NONE; listing->slot = keys_next(keys, listing->slot))
    if (conflicts_read(model->cluster, model->node->number, &model->node->replica, listing->slot).conflict) break;
  bool same = listing->slot != KEYS_NONE && keys->entries[listing->slot].size == conflict->key_size &&
              memcmp(keys_bytes(keys, listing->slot), conflict->key, conflict->key_size) == 0;
  if (!same) return 1;
  listing->slot = keys_next(keys, listing->slot);
  return 0;
}

/* All of them, in order, each once. */
static bool check_conflicts(struct model *model) {
  const struct cluster *cluster = model->cluster;
  struct listing listing = {model, keys_from(&cluster->ledger.keys, NULL, 0)};
  struct sync_stats stats;
  uint64_t conflicts = 0;
  for (uint32_t slot = 0; slot < cluster->ledger.keys.count; slot++)
    conflicts += conflicts_read(cluster, model->node->number, &model->node->replica, slot).conflict;
  sync_stats_get(model->engine, &stats);
  if (stats.conflicts == conflicts && sync_conflicts(model->engine, NULL, 0, next_conflict, &listing) == 0) return true;
  model->slot = KEYS_NONE;
  disagree(model, CLUSTER_POLICIES, LEDGER_NONE, "lists other conflicts than there are, or counts them wrongly");
  return false;
}

static bool model_begin(struct model *model, struct cluster *cluster, uint32_t node) {
  const struct cluster_software *software = sim_node_software(cluster->nodes[node].machine);
  model->cluster = cluster; /* one by one: there is much room in it that need not be cleared */
  model->node = &cluster->nodes[node];
  model->engine = software ? software->engine : NULL;
  model->slot = KEYS_NONE;
  const struct replica *replica = &model->node->replica;
  return model->engine && replica->following && !replica->behind && !cluster->violation->found;
}

void cluster_check_changed(struct cluster *cluster, uint32_t node) {
  struct model model;
  struct replica *replica = &cluster->nodes[node].replica;
  if (!replica->changed_count || !model_begin(&model, cluster, node)) return;
  for (uint32_t i = 0; i < replica->changed_count; i++) {
    replica->marks[replica->changed[i]] &= (uint8_t)~REPLICA_CHANGED;
    if (!check_key(&model, replica->changed[i])) return;
  }
  replica->changed_count = 0;
}

/* --- Iteration ---------------------------------------------------------------------------------- */

struct walk {
  struct model *model;
  const uint8_t *prefix;
  size_t prefix_size;
  bool with_absent;
  uint32_t next;                    /* slot that must come; KEYS_NONE: none */
  struct conflicts_reading reading; /* ... and what it must read as */
  uint32_t left;                    /* keys to look at */
};

/* Moves on to a key that the replica holds and that is asked for. */
static void walk_settle(struct walk *walk) {
  const struct cluster *cluster = walk->model->cluster;
  const struct keys *keys = &cluster->ledger.keys;
  for (; walk->next != KEYS_NONE; walk->next = keys_next(keys, walk->next)) {
    if (!keys_begins(keys, walk->next, walk->prefix, walk->prefix_size)) {
      walk->next = KEYS_NONE;
      return;
    }
    const struct cluster_node *node = walk->model->node;
    walk->reading = conflicts_read(cluster, node->number, &node->replica, walk->next);
    uint32_t number = walk->reading.number;
    if (number && (walk->with_absent || cluster->ledger.changes[number - 1u].kind == SYNC_PUT)) return;
  }
}

static int walk_key(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  struct walk *walk = arg;
  struct model *model = walk->model;
  const struct keys *keys = &model->cluster->ledger.keys;
  model->cluster->looked++;
  model->slot = walk->next;
  if (walk->next == KEYS_NONE) {
    model->slot = keys_find(keys, key, key_size);
    disagree(model, model->slot == KEYS_NONE ? CLUSTER_PHANTOM : CLUSTER_READS, LEDGER_NONE,
             "an iteration gives a key that is not there");
    return -1;
  }
  if (keys->entries[walk->next].size != key_size || memcmp(keys_bytes(keys, walk->next), key, key_size) != 0) {
    disagree(model, keys_find(keys, key, key_size) == KEYS_NONE ? CLUSTER_PHANTOM : CLUSTER_READS, LEDGER_NONE,
             "an iteration gives another key where this one is next");
    return -1;
  }
  if (!reads_as(model, &walk->reading, winner)) {
    disagree(model, CLUSTER_READS, model->cluster->ledger.changes[walk->reading.number - 1u].operation,
             "an iteration does not give what a get must");
    return -1;
  }
  model->node->replica.marks[walk->next] &= (uint8_t)~REPLICA_UNWALKED;
  walk->next = keys_next(keys, walk->next);
  if (--walk->left == 0) return 1;
  walk_settle(walk);
  return 0;
}

/* `first`: the slot at which it begins. */
static bool walk(struct walk *walk, uint32_t first, const uint8_t *start, size_t start_size) {
  struct model *model = walk->model;
  walk->next = first;
  walk_settle(walk);
  int ended = sync_iterate(model->engine, walk->prefix, walk->prefix_size, start, start_size, walk->with_absent,
                           walk_key, walk);
  if (ended < 0) return false;
  if (ended || walk->next == KEYS_NONE) return true;
  model->slot = walk->next;
  disagree(model, CLUSTER_READS, LEDGER_NONE, "an iteration does not give this key");
  return false;
}

/* An iteration from the key on, within a prefix of it of which the length is
 * another one each time: it meets the key and what follows, or the end. */
static bool walk_around(struct model *model, uint32_t slot, uint64_t turn) {
  const struct keys *keys = &model->cluster->ledger.keys;
  const uint8_t *bytes = keys_bytes(keys, slot);
  size_t size = keys->entries[slot].size;
  uint64_t hash = sim_mix(turn * UINT64_C(0x9e3779b97f4a7c15) + slot);
  struct walk around = {.model = model, .prefix = bytes, .with_absent = hash & 1u, .left = WALK_KEYS};
  switch (hash >> 1 & 3u) {
  case 0:
    around.prefix_size = size;
    break;
  case 1:
    around.prefix_size = size - 1u;
    break;
  case 2:
    around.prefix_size = (size_t)((hash >> 8) % size);
    break;
  default:
    break;
  }
  return walk(&around, slot, bytes, around.prefix_size < size ? size : 0);
}

void cluster_check_reads(struct cluster *cluster, uint32_t node) {
  struct model model;
  if (!model_begin(&model, cluster, node)) return;
  cluster_check_changed(cluster, node);
  if (!cluster_violated(cluster)) reads_check(cluster, node, false);
}

void cluster_check_walks(struct cluster *cluster, uint32_t node) {
  struct model model;
  struct replica *replica = &cluster->nodes[node].replica;
  if (!model_begin(&model, cluster, node)) return;
  for (uint32_t i = 0; i < replica->unwalked_count && !cluster_violated(cluster); i++) {
    uint32_t slot = replica->unwalked[i];
    if (!(replica->marks[slot] & REPLICA_UNWALKED)) continue; /* another one passed over it */
    replica->marks[slot] &= (uint8_t)~REPLICA_UNWALKED;
    (void)walk_around(&model, slot, sim_now(cluster->world));
  }
  replica->unwalked_count = 0;
}

void cluster_check_model(struct cluster *cluster, uint32_t node) {
  struct model model;
  if (!model_begin(&model, cluster, node)) return;
  const struct keys *keys = &cluster->ledger.keys;
  for (uint32_t slot = 0; slot < keys->count; slot++)
    if (!check_key(&model, slot)) return;
  for (int with_absent = 0; with_absent < 2; with_absent++) {
    struct walk all = {.model = &model, .prefix = NULL, .with_absent = with_absent != 0, .left = UINT32_MAX};
    if (!walk(&all, keys_from(keys, NULL, 0), NULL, 0)) return;
  }
  for (uint32_t slot = 0; slot < keys->count; slot++)
    if (!walk_around(&model, slot, slot)) return;
  if (!check_conflicts(&model)) return;
  reads_check(cluster, node, true);
}
