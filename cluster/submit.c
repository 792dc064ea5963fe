#include "cluster/submit.h"

#include <string.h>

#include "cluster/grow.h"
#include "cluster/lookup.h"
#include "cluster/node.h"
#include "cluster/state.h"

#define CHANGES_MAX 4u

struct seen_context {
  struct cluster *cluster;
  uint32_t key;
};

/* What the writer sees of the key now is what its write replaces. */
static int note_seen(void *arg, const struct sync_sibling *sibling) {
  struct seen_context *context = arg;
  struct ledger *ledger = &context->cluster->ledger;
  uint32_t operation = ledger_find(ledger, sibling->dot.origin.incarnation, sibling->dot.seq);
  if (operation == LEDGER_NONE) return 0; /* a phantom: the next check reports it */
  uint32_t number = ledger_change_of(ledger, operation, context->key);
  if (number) ledger_seen_add(ledger, number);
  return 0;
}

static uint8_t *value_room(struct cluster *cluster, const uint32_t *sizes, uint32_t count) {
  uint32_t total = 1;
  for (uint32_t i = 0; i < count; i++)
    total += sizes[i];
  CLUSTER_GROW(cluster->world, cluster->value, cluster->value_capacity, total);
  return cluster->value;
}

static void note_result(struct cluster *cluster, uint32_t operation, int status, const struct sync_receipt *receipt) {
  struct ledger *ledger = &cluster->ledger;
  struct ledger_operation *submitted = &ledger->operations[operation];
  struct ledger_life *life = &ledger->lives[submitted->life];
  struct cluster_node *node = &cluster->nodes[life->node];
  if (status == SYNC_OK) {
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
    ledger_accept(ledger, operation, receipt->position, node->last_hlc);
    if (cluster->config.promise_at_submit) ledger_promise(ledger, submitted->life, UINT64_MAX);
    return;
  }
  /* A failed write may have persisted, and a power loss says nothing. */
  bool unknown =
      status == SYNC_E_POWERED_OFF || status == SYNC_E_IO || status == SYNC_E_NO_SPACE || status == SYNC_E_FAILED;
  if (unknown)
    ledger_doubt(ledger, operation);
  else
    ledger->refused++; /* LEDGER_REFUSED is 0 */
}

int cluster_submit(struct cluster *cluster, uint32_t number, uint64_t name, const enum sync_change_kind *kinds,
                   const uint32_t *keys, const uint32_t *sizes, uint32_t count) {
  struct cluster_software *software = sim_node_enter(cluster->world, number);
  if (!software) return SYNC_E_POWERED_OFF;
  struct cluster_node *node = &cluster->nodes[number];
  struct sync_change changes[CHANGES_MAX];
  char names[CHANGES_MAX][16];
  uint8_t *value = value_room(cluster, sizes, count);
  uint32_t operation = ledger_submit(&cluster->ledger, node->life);
  cluster->ledger.operations[operation].name = name;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t change = ledger_change_add(&cluster->ledger, kinds[i], keys[i]);
    changes[i].kind = kinds[i];
    changes[i].key = names[i];
    changes[i].key_size = ledger_key_write(keys[i], names[i]);
    changes[i].value = value;
    changes[i].value_size = kinds[i] == SYNC_PUT ? sizes[i] : 0;
    if (kinds[i] == SYNC_PUT) ledger_value_write(change, value, sizes[i]);
    value += changes[i].value_size;
    struct seen_context context = {cluster, keys[i]};
    sync_siblings(software->engine, names[i], changes[i].key_size, note_seen, &context);
  }
  struct sync_receipt receipt;
  memset(&receipt, 0, sizeof receipt);
  node->last_hlc = 0;
  int status = sync_write(software->engine, changes, count, &receipt);
  note_result(cluster, operation, status, &receipt);
  uint64_t fields[] = {CLUSTER_STEP_SUBMIT, operation, count, (uint64_t)(int64_t)status};
  sim_trace(cluster->world, SIM_SUB_CLUSTER, SIM_STEP_CLUSTER, number, fields, 4);
  cluster_pump(sim_node_at(cluster->world, number), software);
  sim_node_leave(cluster->world, number);
  return status;
}

/* Scripts have no numbers for their writes: about when, where and what is a name, too. */
static uint64_t script_name(const struct cluster *cluster, uint32_t node, uint32_t key) {
  uint64_t span = sim_now(cluster->world) / (2u * SIM_SECOND);
  return sim_hash_fold(sim_hash_fold(UINT64_C(1) << 62 | span, node), key);
}

int cluster_put(struct cluster *cluster, uint32_t node, uint32_t key, uint32_t value_size) {
  enum sync_change_kind kind = SYNC_PUT;
  if (value_size < LEDGER_VALUE_BYTES_MIN) value_size = LEDGER_VALUE_BYTES_MIN;
  return cluster_submit(cluster, node, script_name(cluster, node, key), &kind, &key, &value_size, 1);
}

int cluster_delete(struct cluster *cluster, uint32_t node, uint32_t key) {
  enum sync_change_kind kind = SYNC_DELETE;
  uint32_t size = 0;
  return cluster_submit(cluster, node, script_name(cluster, node, key), &kind, &key, &size, 1);
}

uint64_t cluster_get(struct cluster *cluster, uint32_t node, uint32_t key) {
  struct sync_engine *engine = cluster_engine(cluster, node);
  if (!engine) return 0;
  char name[16];
  struct sync_sibling winner;
  if (sync_get(engine, name, ledger_key_write(key, name), &winner) != SYNC_OK) return 0;
  return ledger_value_read(winner.value, winner.value_size);
}
