#include "cluster/replica_state.h"

#include <string.h>

#include "cluster/grow.h"
#include "cluster/seldom.h"
#include "cluster/state.h"

static void clear(uint32_t *array, uint32_t count) {
  if (count) memset(array, 0, count * sizeof *array);
}

void replica_clear(struct replica *replica) {
  clear(replica->held, replica->held_capacity);
  clear(replica->durable, replica->durable_capacity);
  clear(replica->noted, replica->noted_capacity);
  clear(replica->first, replica->first_capacity);
  if (replica->mark_capacity) memset(replica->marks, 0, replica->mark_capacity);
  replica->segment_count = replica->news_count = 0;
  replica->log_id = replica->end = replica->hlc_last = replica->remote = 0;
  replica->named_count = 0;
  replica->ahead_count = replica->ahead_first = 0;
  replica->behind = false;
  replica->merging_id = replica->sent_id = 0;
  replica->waiting_count = replica->waiting_first = 0;
  replica->durable_end = 0;
  replica->durable_segment = 0;
  replica->sibling_places = replica->sibling_free = 0;
  replica->key_count = replica->sibling_count = replica->tombstone_count = 0;
  replica->changed_count = replica->unwalked_count = 0;
  for (uint32_t i = 0; i < REPLICA_HELLOS; i++)
    replica->hellos[i].size = 0;
  replica->news_to_look = true;
}

CLUSTER_SELDOM static void grow(struct cluster *cluster, struct replica *replica) {
  struct sim_world *world = cluster->world;
  uint32_t lives = cluster->ledger.life_count, slots = cluster->ledger.keys.count;
  CLUSTER_GROW(world, replica->held, replica->held_capacity, lives);
  CLUSTER_GROW(world, replica->noted, replica->noted_capacity, lives);
  CLUSTER_GROW(world, replica->news, replica->news_capacity, lives);
  CLUSTER_GROW(world, replica->durable, replica->durable_capacity, lives + 1u);
  CLUSTER_GROW(world, replica->first, replica->first_capacity, slots);
  CLUSTER_GROW(world, replica->marks, replica->mark_capacity, slots);
  replica->life_room = replica->news_capacity; /* as many as held and noted */
  if (replica->durable_capacity - 1u < replica->life_room) replica->life_room = replica->durable_capacity - 1u;
  replica->slot_room = replica->first_capacity; /* as many as marks */
}

void replica_make_room(struct cluster *cluster, struct replica *replica) {
  if (cluster->ledger.life_count > replica->life_room || cluster->ledger.keys.count > replica->slot_room)
    grow(cluster, replica);
}

static inline void mark(struct cluster *cluster, struct replica *replica, uint32_t slot) {
  uint8_t *marks = &replica->marks[slot];
  if (!(*marks & REPLICA_CHANGED)) {
    CLUSTER_GROW(cluster->world, replica->changed, replica->changed_capacity, replica->changed_count + 1u);
    replica->changed[replica->changed_count++] = slot;
  }
  if (!(*marks & REPLICA_UNWALKED)) {
    CLUSTER_GROW(cluster->world, replica->unwalked, replica->unwalked_capacity, replica->unwalked_count + 1u);
    replica->unwalked[replica->unwalked_count++] = slot;
  }
  *marks = REPLICA_CHANGED | REPLICA_UNWALKED;
}

static bool has_seen(const struct ledger *ledger, const struct ledger_change *change, uint32_t number) {
  for (uint32_t i = 0; i < change->seen_count; i++)
    if (ledger->seen[change->seen_first + i] == number) return true;
  return false;
}

static void add_sibling(struct cluster *cluster, struct replica *replica, uint32_t slot, uint32_t number) {
  uint32_t place = replica->sibling_free;
  if (place) {
    replica->sibling_free = replica->siblings[place - 1u].next;
  } else {
    place = ++replica->sibling_places;
    CLUSTER_GROW(cluster->world, replica->siblings, replica->sibling_capacity, place);
  }
  replica->siblings[place - 1u] = (struct replica_sibling){number, replica->first[slot]};
  replica->first[slot] = place;
  replica->sibling_count++;
}

static void owe_sweep(struct cluster *cluster, struct replica *replica, uint32_t number) {
  if (replica->owed_first > 64u && replica->owed_first > replica->owed_count / 2u) {
    replica->owed_count -= replica->owed_first;
    memmove(replica->owed, replica->owed + replica->owed_first, replica->owed_count * sizeof *replica->owed);
    replica->owed_first = 0;
  }
  CLUSTER_GROW(cluster->world, replica->owed, replica->owed_capacity, replica->owed_count + 1u);
  replica->owed[replica->owed_count++] = number;
}

static void change(struct cluster *cluster, struct replica *replica, uint32_t number, bool is_own) {
  const struct ledger *ledger = &cluster->ledger;
  const struct ledger_change *made = &ledger->changes[number - 1u];
  uint32_t *link = &replica->first[made->slot];
  if (!*link) replica->key_count++;
  while (*link) {
    struct replica_sibling *sibling = &replica->siblings[*link - 1u];
    if (!has_seen(ledger, made, sibling->number)) {
      link = &sibling->next;
      continue;
    }
    uint32_t place = *link;
    *link = sibling->next;
    sibling->next = replica->sibling_free;
    replica->sibling_free = place;
    replica->sibling_count--;
    replica->tombstone_count -= ledger->changes[sibling->number - 1u].kind == SYNC_DELETE;
  }
  replica->tombstone_count += made->kind == SYNC_DELETE;
  if (made->kind != SYNC_SWEEP) add_sibling(cluster, replica, made->slot, number);
  if (!replica->first[made->slot]) replica->key_count--;
  if (made->kind == SYNC_DELETE && is_own) owe_sweep(cluster, replica, number);
  mark(cluster, replica, made->slot);
}

static inline void hold(struct replica *replica, uint32_t life, uint32_t seq) {
  if (replica->held[life] == replica->noted[life]) replica->news[replica->news_count++] = life;
  replica->held[life] = seq;
}

static inline void apply(struct cluster *cluster, uint32_t node, const struct ledger_operation *operation) {
  struct replica *replica = &cluster->nodes[node].replica;
  hold(replica, operation->life, operation->seq);
  if (operation->life == cluster->nodes[node].life) { /* its writer: the next says what is new since this one */
    for (uint32_t i = 0; i < replica->news_count; i++)
      replica->noted[replica->news[i]] = replica->held[replica->news[i]];
    replica->news_count = 0;
  } else {
    replica->remote++;
  }
  if (replica->hlc_last < operation->hlc) replica->hlc_last = operation->hlc;
  bool is_own = cluster->ledger.lives[operation->life].node == node;
  for (uint32_t i = 0; i < operation->change_count; i++)
    change(cluster, replica, operation->change_first + i + 1u, is_own);
  replica->news_to_look = true;
}

static inline void wait_for(struct cluster *cluster, struct replica *replica, uint32_t life, uint32_t seq,
                            uint64_t end) {
  CLUSTER_GROW(cluster->world, replica->waiting, replica->waiting_capacity, replica->waiting_count + 1u);
  replica->waiting[replica->waiting_count++] = (struct replica_entry){end, life, seq};
}

void replica_apply(struct cluster *cluster, uint32_t node, uint32_t index, uint64_t end) {
  const struct ledger_operation *operation = &cluster->ledger.operations[index];
  apply(cluster, node, operation);
  wait_for(cluster, &cluster->nodes[node].replica, operation->life, operation->seq, end);
}

void replica_told(struct cluster *cluster, uint32_t node, uint32_t index) {
  struct replica *replica = &cluster->nodes[node].replica;
  const struct ledger_operation *operation = &cluster->ledger.operations[index];
  bool is_own = cluster->ledger.lives[operation->life].node == node;
  for (uint32_t i = 0; i < operation->change_count; i++)
    change(cluster, replica, operation->change_first + i + 1u, is_own);
  replica->news_to_look = true;
}

/* Whether all that its writer held is there. */
static bool is_closed(const struct cluster *cluster, const struct replica *replica,
                      const struct ledger_operation *operation) {
  for (uint32_t i = 0; i < operation->held_count; i++) {
    const struct ledger_held *cause = &cluster->ledger.held[operation->held_first + i];
    if (replica_held(replica, cause->life) < cause->seq) return false;
  }
  return true;
}

uint32_t replica_apply_known(struct cluster *cluster, uint32_t node, uint64_t end) {
  struct replica *replica = &cluster->nodes[node].replica;
  const struct ledger *ledger = &cluster->ledger;
  uint32_t early = LEDGER_NONE;
  uint64_t remote = replica->remote;
  replica_make_room(cluster, replica);
  /* The order of submits is one in which causes come first. */
  for (uint32_t i = 0; i < ledger->operation_count && early == LEDGER_NONE; i++) {
    const struct ledger_operation *operation = &ledger->operations[i];
    if (operation->life == LEDGER_NONE || !operation->seq || operation->seq > cluster->known[operation->life]) continue;
    if (operation->seq <= replica_held(replica, operation->life)) continue;
    if (!is_closed(cluster, replica, operation)) early = i;
    apply(cluster, node, operation);
  }
  replica->remote = remote; /* they were not received one by one */
  for (uint32_t life = 0; life < ledger->life_count; life++) {
    if (!cluster->known[life] || cluster->known[life] < replica_held(replica, life)) continue;
    if (end)
      wait_for(cluster, replica, life, cluster->known[life], end);
    else
      replica->durable[life + 1u] = cluster->known[life];
  }
  return early;
}

static bool beats(const struct cluster *cluster, const struct ledger_operation *x, const struct ledger_operation *y) {
  if (x->hlc != y->hlc) return x->hlc > y->hlc;
  const struct ledger_life *lx = &cluster->ledger.lives[x->life], *ly = &cluster->ledger.lives[y->life];
  int names = strcmp(cluster->nodes[lx->node].name, cluster->nodes[ly->node].name);
  if (names) return names > 0;
  if (lx->incarnation != ly->incarnation) return lx->incarnation > ly->incarnation;
  return x->seq > y->seq;
}

bool replica_beats(const struct cluster *cluster, uint32_t number, uint32_t other) {
  const struct ledger *ledger = &cluster->ledger;
  return beats(cluster, &ledger->operations[ledger->changes[number - 1u].operation],
               &ledger->operations[ledger->changes[other - 1u].operation]);
}
