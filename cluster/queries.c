#include "cluster/queries.h"

#include <string.h>

#include "cluster/grow.h"
#include "cluster/lookup.h"
#include "cluster/state.h"

struct query {
  struct cluster *cluster;
  struct queries *queries;
  const void *key; /* of all items, where it is one */
  size_t key_size;
  uint32_t limit;
};

static int begin(struct query *query, struct cluster *cluster, uint32_t node, const struct queries **answer,
                 struct sync_engine **engine) {
  if (!cluster->queries) {
    cluster->queries = sim_alloc(cluster->world, sizeof *cluster->queries);
    SIM_ASSERT(cluster->world, cluster->queries != NULL);
    memset(cluster->queries, 0, sizeof *cluster->queries);
  }
  *query = (struct query){.cluster = cluster, .queries = cluster->queries};
  cluster->queries->count = cluster->queries->size = 0;
  *answer = cluster->queries;
  *engine = cluster_engine(cluster, node);
  return *engine ? SYNC_OK : SYNC_E_POWERED_OFF;
}

static uint32_t keep(const struct query *query, const void *bytes, size_t size) {
  struct queries *queries = query->queries;
  uint32_t at = queries->size;
  CLUSTER_GROW(query->cluster->world, queries->bytes, queries->byte_capacity, at + (uint32_t)size + 1u);
  if (size > 0) memcpy(queries->bytes + at, bytes, size);
  queries->size += (uint32_t)size;
  return at;
}

static void add(const struct query *query, const void *key, size_t key_size, const struct sync_sibling *found) {
  struct queries *queries = query->queries;
  const struct ledger *ledger = &query->cluster->ledger;
  uint32_t operation = ledger_find(ledger, found->dot.origin.incarnation, found->dot.seq);
  struct queries_item item = {.key_at = keep(query, key, key_size),
                              .key_size = (uint32_t)key_size,
                              .value_at = keep(query, found->value, found->value_size),
                              .value_size = (uint32_t)found->value_size,
                              .slot = keys_find(&ledger->keys, key, key_size),
                              .deleted = found->tombstone,
                              .automatic = found->automatic,
                              .conflict = found->conflict,
                              .merged = found->merged};
  if (operation != LEDGER_NONE) item.node = ledger->lives[ledger->operations[operation].life].node;
  if (operation != LEDGER_NONE && item.slot != KEYS_NONE) item.number = ledger_change_of(ledger, operation, item.slot);
  CLUSTER_GROW(query->cluster->world, queries->items, queries->item_capacity, queries->count + 1u);
  queries->items[queries->count++] = item;
}

int cluster_read(struct cluster *cluster, uint32_t node, const void *key, size_t size, const struct queries **answer) {
  struct query query;
  struct sync_engine *engine;
  struct sync_sibling winner;
  int status = begin(&query, cluster, node, answer, &engine);
  if (status == SYNC_OK) status = sync_get(engine, key, size, &winner);
  if (status == SYNC_OK || status == SYNC_E_MERGE || status == SYNC_E_TOO_BIG) add(&query, key, size, &winner);
  return status;
}

static int take_sibling(void *arg, const struct sync_sibling *sibling) {
  const struct query *query = arg;
  add(query, query->key, query->key_size, sibling);
  return 0;
}

int cluster_siblings(struct cluster *cluster, uint32_t node, const void *key, size_t size,
                     const struct queries **answer) {
  struct query query;
  struct sync_engine *engine;
  int status = begin(&query, cluster, node, answer, &engine);
  query.key = key;
  query.key_size = size;
  return status == SYNC_OK ? sync_siblings(engine, key, size, take_sibling, &query) : status;
}

static int take_key(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  const struct query *query = arg;
  add(query, key, key_size, winner);
  return query->queries->count == query->limit;
}

int cluster_list(struct cluster *cluster, uint32_t node, const struct queries_range *range,
                 const struct queries **answer) {
  struct query query;
  struct sync_engine *engine;
  int status = begin(&query, cluster, node, answer, &engine);
  query.limit = range->limit;
  if (status == SYNC_OK)
    status = sync_iterate(engine, range->prefix, range->prefix_size, range->from, range->from_size, range->deleted,
                          take_key, &query);
  return status > 0 ? SYNC_OK : status;
}

size_t cluster_key_write(const struct cluster *cluster, uint32_t number, uint8_t bytes[KEYS_BYTES_MAX]) {
  return keys_write(number, cluster->workload.variety, bytes);
}

bool cluster_key_number(const struct cluster *cluster, uint32_t slot, uint32_t *number) {
  if (slot == KEYS_NONE || cluster->ledger.keys.entries[slot].named) return false;
  *number = cluster->ledger.keys.entries[slot].number;
  return true;
}

uint64_t cluster_get_of(struct cluster *cluster, uint32_t node, const void *key, size_t size) {
  struct sync_engine *engine = cluster_engine(cluster, node);
  struct ledger *ledger = &cluster->ledger;
  uint32_t slot = keys_find(&ledger->keys, key, size);
  struct sync_sibling winner;
  if (!engine || slot == KEYS_NONE || sync_get(engine, key, size, &winner) != SYNC_OK) return 0;
  if (winner.merged) return ledger_value_read(winner.value, winner.value_size);
  uint32_t operation = ledger_find(ledger, winner.dot.origin.incarnation, winner.dot.seq);
  uint32_t number = operation == LEDGER_NONE ? 0 : ledger_change_of(ledger, operation, slot);
  return number && ledger_value_is(ledger, number, winner.value, winner.value_size) ? number : 0;
}

uint64_t cluster_get(struct cluster *cluster, uint32_t node, uint32_t key) {
  uint8_t bytes[KEYS_BYTES_MAX];
  return cluster_get_of(cluster, node, bytes, cluster_key_write(cluster, key, bytes));
}
