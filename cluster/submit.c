#include "cluster/submit.h"

#include <string.h>

#include "cluster/grow.h"
#include "cluster/lookup.h"
#include "cluster/model.h"
#include "cluster/node.h"
#include "cluster/state.h"
#include "cluster/replica.h"
#include "cluster/replica_state.h"
#include "cluster/claims.h"
#include "cluster/conflicts.h"

/* What its writer holds of the key now is what the change must replace. */
static void note_seen(struct cluster *cluster, uint32_t node, uint32_t slot) {
  const struct replica *replica = &cluster->nodes[node].replica;
  for (uint32_t place = replica_first(replica, slot); place; place = replica->siblings[place - 1u].next)
    ledger_seen_add(&cluster->ledger, replica->siblings[place - 1u].number);
}

static uint32_t take_key(struct cluster *cluster, const struct cluster_change *change) {
  struct keys *keys = &cluster->ledger.keys;
  uint8_t bytes[KEYS_BYTES_MAX];
  if (change->key_text) return keys_take_named(keys, change->key_text, change->key_size);
  return keys_take(keys, change->key, bytes, keys_write(change->key, cluster->workload.variety, bytes));
}

/* What the newest change puts. */
static void note_value(struct cluster *cluster, const struct cluster_change *change, uint32_t number, uint32_t slot) {
  struct ledger *ledger = &cluster->ledger;
  struct keys_entry *key = &ledger->keys.entries[slot];
  if (change->value == CLUSTER_VALUE_CHOSEN)
    ledger_value_choose(ledger, change->text, change->size);
  else if (change->value == CLUSTER_VALUE_AGAIN && key->last_put)
    ledger_value_repeat(ledger, key->last_put);
  else
    ledger_value_add(ledger, change->value == CLUSTER_VALUE_EMPTY ? 0 : change->size,
                     change->value == CLUSTER_VALUE_SHARED ? 0 : number);
  key->last_put = number;
}

/* Adds the change to the ledger; its value is written behind the *used bytes of
 * the cluster's scratch. */
static void note_change(struct cluster *cluster, const struct cluster_change *change, uint32_t *used) {
  struct ledger *ledger = &cluster->ledger;
  uint32_t slot = take_key(cluster, change);
  uint32_t number = ledger_change_add(ledger, change->kind, ledger->keys.entries[slot].number, slot);
  if (change->kind != SYNC_PUT) return;
  note_value(cluster, change, number, slot);
  uint32_t size = ledger->changes[number - 1u].value_size;
  CLUSTER_GROW(cluster->world, cluster->value, cluster->value_capacity, *used + size + 1u);
  ledger_value_give(ledger, number, cluster->value + *used);
  *used += size;
}

/* The changes of the newest operation, as the engine takes them. */
static void give_changes(const struct cluster *cluster, uint32_t operation, struct sync_change *changes) {
  const struct ledger *ledger = &cluster->ledger;
  const uint8_t *value = cluster->value;
  const struct ledger_operation *submitted = &ledger->operations[operation];
  for (uint32_t i = 0; i < submitted->change_count; i++) {
    const struct ledger_change *change = &ledger->changes[submitted->change_first + i];
    changes[i] = (struct sync_change){.kind = (enum sync_change_kind)change->kind,
                                      .key = keys_bytes(&ledger->keys, change->slot),
                                      .key_size = ledger->keys.entries[change->slot].size,
                                      .value = value,
                                      .value_size = change->value_size};
    if (change->value_size > 0) value += change->value_size; /* there may be no scratch yet */
  }
}

static bool is_looked_at(const struct cluster *cluster) {
  return !cluster->config.no_oracles && !cluster->judging;
}

static void note_accepted(struct cluster *cluster, uint32_t operation, const struct sync_receipt *receipt) {
  struct ledger *ledger = &cluster->ledger;
  struct ledger_operation *submitted = &ledger->operations[operation];
  struct ledger_life *life = &ledger->lives[submitted->life];
  struct cluster_node *node = &cluster->nodes[life->node];
  uint64_t incarnation = receipt->dot.origin.incarnation, seq = receipt->dot.seq;
  bool fresh = life->incarnation == 0 && ledger_life_find(ledger, incarnation) == LEDGER_NONE;
  if (fresh) ledger_life_name(ledger, submitted->life, incarnation);
  if (incarnation != life->incarnation || seq != (uint64_t)life->count + 1u) {
    uint64_t subject[3] = {node->hash, incarnation, seq};
    sim_violation(cluster->world, CLUSTER_UNIQUE_IDS, node->number, subject,
                  "%s gave a new operation the id %s/%016llx/%llu; expected sequence number %u of an incarnation "
                  "that only this life of the node uses",
                  node->name, node->name, (unsigned long long)incarnation, (unsigned long long)seq, life->count + 1u);
    return;
  }
  ledger_accept(ledger, operation, receipt->position);
  if (cluster->config.promise_at_submit) ledger_promise(ledger, submitted->life, UINT64_MAX);
  if (is_looked_at(cluster)) replica_accept(cluster, node->number, operation, receipt->position);
}

/* Whether the engine took a resolution as it must: exactly when the key has the siblings that its caller saw. */
static void check_resolved(struct cluster *cluster, const struct cluster_node *node, uint32_t operation,
                           const struct cluster_token *token, int status) {
  uint32_t slot = cluster->ledger.changes[cluster->ledger.operations[operation].change_first].slot;
  bool same =
      conflicts_look(cluster, node->number, slot).conflict && conflicts_mark(&node->replica, slot) == token->mark;
  if (!node->replica.following || node->replica.behind || same == (status == SYNC_OK)) return;
  if (status != SYNC_OK && status != SYNC_E_STALE) return; /* refused for another reason */
  static const uint64_t nothing[3] = {0, 0, 0};
  char key[KEYS_SHOWN_BYTES];
  sim_violation(cluster->world, CLUSTER_POLICIES, node->number, nothing,
                same ? "%s, %s: a resolution was refused as stale, and the key has the siblings of its token"
                     : "%s, %s: a resolution was taken that replaces what its token does not name",
                node->name, keys_show(&cluster->ledger.keys, slot, key));
}

/* One submit: what the engine accepts is in its state, and not written yet. `token`: of what it resolves, or NULL. */
static int submit(struct cluster *cluster, struct cluster_software *software, uint64_t name,
                  const struct cluster_change *given, uint32_t count, const struct cluster_token *token) {
  struct cluster_node *node = software->node;
  uint32_t number = node->number, used = 0;
  SIM_ASSERT(cluster->world, count <= CLUSTER_CHANGES_MAX);
  CLUSTER_GROW(cluster->world, cluster->changes, cluster->change_capacity, count);
  struct sync_change *changes = cluster->changes;
  uint32_t operation = ledger_submit(&cluster->ledger, node->life, sync_appended_position(software->engine));
  cluster->ledger.operations[operation].name = name;
  for (uint32_t i = 0; i < count; i++) {
    note_change(cluster, &given[i], &used);
    if (is_looked_at(cluster))
      note_seen(cluster, number, cluster->ledger.changes[cluster->ledger.change_count - 1u].slot);
  }
  if (is_looked_at(cluster)) claims_expect(cluster, number, operation);
  give_changes(cluster, operation, changes);
  struct sync_receipt receipt;
  memset(&receipt, 0, sizeof receipt);
  int status = token ? sync_resolve(software->engine, &token->engine, changes, &receipt)
                     : sync_write(software->engine, changes, count, &receipt);
  if (token && is_looked_at(cluster)) check_resolved(cluster, node, operation, token, status);
  if (status == SYNC_OK)
    note_accepted(cluster, operation, &receipt);
  else
    cluster->ledger.refused++; /* LEDGER_REFUSED is 0: nothing of it was or will be anywhere */
  uint64_t fields[] = {CLUSTER_STEP_SUBMIT, operation, count, (uint64_t)(int64_t)status};
  sim_trace(cluster->world, SIM_SUB_CLUSTER, SIM_STEP_CLUSTER, number, fields, 4);
  if (is_looked_at(cluster)) {
    node->counts.submits += status == SYNC_OK;
    node->counts.submits_refused += status != SYNC_OK;
  }
  return status;
}

struct cluster_software *cluster_turn_begin(struct cluster *cluster, uint32_t number) {
  struct cluster_software *software = sim_node_enter(cluster->world, number);
  if (!software) return NULL;
  /* Nothing is left to be written but after an error. */
  cluster_flush(software);
  if (is_looked_at(cluster)) replica_follow(cluster, number);
  return software;
}

int cluster_turn_submit(struct cluster *cluster, struct cluster_software *software, uint64_t name,
                        const struct cluster_change *changes, uint32_t count) {
  int status = submit(cluster, software, name, changes, count, NULL);
  if (is_looked_at(cluster)) cluster_check_changed(cluster, software->node->number);
  return status;
}

int cluster_turn_resolve(struct cluster *cluster, struct cluster_software *software, uint64_t name,
                         const struct cluster_change *change, const struct cluster_token *token) {
  int status = submit(cluster, software, name, change, 1, token);
  if (is_looked_at(cluster)) cluster_check_changed(cluster, software->node->number);
  return status;
}

void cluster_turn_end(struct cluster *cluster, struct cluster_software *software) {
  uint32_t number = software->node->number;
  cluster_flush(software);
  if (is_looked_at(cluster)) replica_follow(cluster, number);
  cluster_pump(sim_node_at(cluster->world, number), software);
  sim_node_leave(cluster->world, number);
}

static int one_turn(struct cluster *cluster, uint32_t number, uint64_t name, const struct cluster_change *changes,
                    uint32_t count, const struct cluster_token *token) {
  struct cluster_software *software = cluster_turn_begin(cluster, number);
  if (!software) return SYNC_E_POWERED_OFF;
  int status = token ? cluster_turn_resolve(cluster, software, name, changes, token)
                     : cluster_turn_submit(cluster, software, name, changes, count);
  cluster_turn_end(cluster, software);
  bool up = sim_node_state(sim_node_at(cluster->world, number)) == SIM_NODE_UP;
  return status == SYNC_OK && !up ? SYNC_E_POWERED_OFF : status;
}

int cluster_submit(struct cluster *cluster, uint32_t number, uint64_t name, const struct cluster_change *changes,
                   uint32_t count) {
  return one_turn(cluster, number, name, changes, count, NULL);
}

/* Scripts have no numbers for their writes: about when, where and what is a name, too. */
static uint64_t script_name(const struct cluster *cluster, uint32_t node, const struct cluster_change *change) {
  uint64_t span = sim_now(cluster->world) / (2u * SIM_SECOND);
  uint64_t key = change->key_text ? sim_hash_bytes(change->key_text, change->key_size) : change->key;
  return sim_hash_fold(sim_hash_fold(UINT64_C(1) << 62 | span, node), key);
}

int cluster_script_submit(struct cluster *cluster, uint32_t node, const struct cluster_change *changes,
                          uint32_t count) {
  return cluster_submit(cluster, node, script_name(cluster, node, changes), changes, count);
}

int cluster_put(struct cluster *cluster, uint32_t node, uint32_t key, uint32_t value_size) {
  if (value_size < LEDGER_VALUE_BYTES_MIN) value_size = LEDGER_VALUE_BYTES_MIN;
  struct cluster_change change = {.kind = SYNC_PUT, .key = key, .size = value_size};
  return cluster_script_submit(cluster, node, &change, 1);
}

int cluster_delete(struct cluster *cluster, uint32_t node, uint32_t key) {
  struct cluster_change change = {.kind = SYNC_DELETE, .key = key};
  return cluster_script_submit(cluster, node, &change, 1);
}

int cluster_resolve(struct cluster *cluster, uint32_t node, const struct cluster_change *change,
                    const struct cluster_token *token) {
  return one_turn(cluster, node, script_name(cluster, node, change), change, 1, token);
}

struct conflict_walk {
  struct cluster *cluster;
  const struct replica *replica;
  void (*each)(void *arg, const struct cluster_conflict *conflict);
  void *arg;
};

static int walk_conflict(void *arg, const struct sync_conflict *conflict) {
  struct conflict_walk *walk = arg;
  const struct keys *keys = &walk->cluster->ledger.keys;
  uint32_t slot = keys_find(keys, conflict->key, conflict->key_size);
  if (slot == KEYS_NONE) return 0;
  struct cluster_conflict found = {.key = conflict->key,
                                   .key_size = conflict->key_size,
                                   .slot = slot,
                                   .siblings = (uint32_t)conflict->siblings,
                                   .settled = conflict->settled,
                                   .kind = conflict->policy,
                                   .token = {conflict->token, conflicts_mark(walk->replica, slot)}};
  walk->each(walk->arg, &found);
  return 0;
}

bool cluster_conflicts(struct cluster *cluster, uint32_t node,
                       void (*each)(void *arg, const struct cluster_conflict *conflict), void *arg) {
  struct sync_engine *engine = cluster_engine(cluster, node);
  struct conflict_walk walk = {cluster, &cluster->nodes[node].replica, each, arg};
  if (engine) (void)sync_conflicts(engine, NULL, 0, walk_conflict, &walk);
  return engine != NULL;
}
