#include "cluster/follower.h"

#include <string.h>

#include "cluster/grow.h"
#include "cluster/lookup.h"

#define AT_ONCE 7u /* operations in one call: few, so that bookmarks are used */

/* How much of a life was told. */
struct follower_life {
  uint64_t node, incarnation, seq;
};

struct follower {
  struct sync_bookmark bookmark;
  uint64_t *picture; /* by the slot of the key: a hash of its values' ids; 0: there are none */
  uint32_t picture_capacity;
  struct follower_life *lives;
  uint32_t life_count, life_capacity;
  bool fragile;      /* at its last look not all was durable that it could read, */
  uint32_t life;     /* ... in this life of the node, */
  uint64_t refusals; /* ... after so many refused calls */
  bool anew;         /* it began anew since all that it could read was durable */
  bool within;       /* more changes of the last operation are to come */
  bool replaced;     /* the disk was, since all was told last */
  bool merged;       /* a snapshot was, since then */
};

struct following {
  struct cluster *cluster;
  struct cluster_node *node;
  struct follower *follower;
  struct sync_engine *engine;
  struct follower_counts *counts;
  uint64_t hash; /* of the key that is being looked at */
};

static struct follower *follower_of(struct cluster *cluster, uint32_t number) {
  struct cluster_node *node = &cluster->nodes[number];
  if (node->follower) return node->follower;
  node->follower = sim_alloc(cluster->world, sizeof *node->follower);
  memset(node->follower, 0, sizeof *node->follower);
  return node->follower;
}

void follower_replaced(struct cluster *cluster, uint32_t node) {
  if (cluster->nodes[node].follower) cluster->nodes[node].follower->replaced = true;
}
void follower_merged(struct cluster *cluster, uint32_t node) {
  if (cluster->nodes[node].follower) cluster->nodes[node].follower->merged = true;
}

/* --- The picture ------------------------------------------------------------------------ */

static int add_value(void *arg, const struct sync_sibling *sibling) {
  struct following *following = arg;
  if (sibling->tombstone) return 0; /* it may be swept, which is not told */
  uint64_t hash = sim_hash_fold(sync_node_hash(sibling->dot.origin.node_id), sibling->dot.origin.incarnation);
  following->hash += sim_hash_fold(hash, sibling->dot.seq) | 1u;
  return 0;
}

static uint64_t look(struct following *following, const void *key, size_t key_size) {
  following->hash = 0;
  (void)sync_siblings(following->engine, key, key_size, add_value, following);
  return following->hash;
}

static uint64_t *place_of(struct following *following, const void *key, size_t key_size) {
  struct follower *follower = following->follower;
  uint32_t slot = keys_find(&following->cluster->ledger.keys, key, key_size);
  if (slot == KEYS_NONE) return NULL; /* *no phantom values* speaks */
  uint32_t before = follower->picture_capacity;
  CLUSTER_GROW(following->cluster->world, follower->picture, follower->picture_capacity, slot + 1u);
  if (follower->picture_capacity > before)
    memset(follower->picture + before, 0, (follower->picture_capacity - before) * sizeof *follower->picture);
  return &follower->picture[slot];
}

static int draw(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  uint64_t *place = place_of(arg, key, key_size);
  (void)winner;
  if (place) *place = look(arg, key, key_size);
  return 0;
}

static int draw_all(struct following *following) {
  struct follower *follower = following->follower;
  if (follower->picture) memset(follower->picture, 0, follower->picture_capacity * sizeof *follower->picture);
  follower->life_count = 0;
  follower->within = follower->merged = follower->replaced = false;
  follower->anew = true;
  return sync_iterate(following->engine, "", 0, "", 0, true, draw, following);
}

/* --- What is told ------------------------------------------------------------------------ */

static void violate(const struct following *following, const struct sync_dot *dot, const char *what, uint64_t number) {
  uint64_t subject[3] = {dot ? sync_node_hash(dot->origin.node_id) : 0, dot ? dot->origin.incarnation : 0,
                         dot ? dot->seq : 0};
  sim_violation(following->cluster->world, CLUSTER_FEED, following->node->number, subject, "%s %s %llu",
                following->node->name, what, (unsigned long long)number);
}

static bool is_sweep(const struct ledger *ledger, uint64_t incarnation, uint64_t seq) {
  uint32_t operation = ledger_find(ledger, incarnation, seq);
  if (operation == LEDGER_NONE) return false;
  const struct ledger_operation *swept = &ledger->operations[operation];
  return swept->change_count > 0 && ledger->changes[swept->change_first].kind == SYNC_SWEEP;
}

/* Behind those of its writer that were told, and sweeps, which are not. */
static bool is_next(struct following *following, const struct sync_applied *applied) {
  struct follower *follower = following->follower;
  const struct sync_origin *origin = &applied->dot.origin;
  uint64_t node = sync_node_hash(origin->node_id);
  uint32_t i = 0;
  while (i < follower->life_count &&
         (follower->lives[i].node != node || follower->lives[i].incarnation != origin->incarnation))
    i++;
  if (i == follower->life_count) { /* when it began anew, some of the life was there already */
    CLUSTER_GROW(following->cluster->world, follower->lives, follower->life_capacity, i + 1u);
    follower->lives[follower->life_count++] = (struct follower_life){node, origin->incarnation, applied->dot.seq - 1u};
  }
  struct follower_life *life = &follower->lives[i];
  uint64_t expected = life->seq + (follower->within ? 0 : 1u);
  while (expected < applied->dot.seq && is_sweep(&following->cluster->ledger, origin->incarnation, expected))
    expected++;
  life->seq = applied->dot.seq;
  return expected == applied->dot.seq;
}

static int told(void *arg, const struct sync_applied *applied) {
  struct following *following = arg;
  if (!is_next(following, applied)) {
    violate(following, &applied->dot, "tells an operation that is not the next one of its writer: number",
            applied->dot.seq);
    return 1;
  }
  following->follower->within = !applied->last;
  following->counts->told += applied->last;
  return draw(arg, applied->key, applied->key_size, NULL);
}

/* Whether something may be gone that it could read. */
static bool has_lost(const struct following *following) {
  return following->follower->fragile && following->follower->life != following->node->life;
}

/* Whether what is behind the bookmark may be what the log cannot tell. After a loss it goes on where it was safe, if it
 * ever was. An operation that cannot be read back, for damage or refused reads, is given up. */
static bool is_excused(const struct following *following, const struct sync_bookmark *bookmark) {
  struct sync_stats stats;
  sync_stats_get(following->engine, &stats);
  const struct follower *follower = following->follower;
  const struct cluster_node *node = following->node;
  bool lost = has_lost(following);
  uint64_t from = lost ? bookmark->safe : bookmark->position;
  bool cut = stats.log_first > 0 && stats.log_first >= from;
  bool unread = sim_disk_damaged(node->disk) || sim_node_refusals(node->machine) != follower->refusals;
  return cut || unread || (lost && follower->anew) || follower->merged || follower->replaced;
}

static int read_on(struct following *following) {
  struct sync_bookmark *bookmark = &following->follower->bookmark;
  struct sync_bookmark before;
  bool more;
  int rc;
  bool lost = has_lost(following);
  if (lost) following->follower->life_count = 0; /* what was told may be told again */
  if (!lost && bookmark->seen <= sync_durable_position(following->engine)) following->follower->anew = false;
  do {
    before = *bookmark;
    rc = sync_changes(following->engine, bookmark, AT_ONCE, &more, told, following);
    if (rc != SYNC_E_STALE) continue;
    if (!is_excused(following, &before)) {
      violate(following, NULL, "has nothing to tell any more from log position", before.position);
      return rc;
    }
    following->counts->stale++;
    rc = draw_all(following);
  } while (rc == SYNC_OK && more);
  return rc;
}

/* --- Judging ---------------------------------------------------------------------------- */

struct comparing {
  struct following *following;
  uint64_t there; /* keys of the engine that have values */
};

static int compare_key(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  struct comparing *comparing = arg;
  const uint64_t *place = place_of(comparing->following, key, key_size);
  (void)winner;
  uint64_t is = look(comparing->following, key, key_size);
  comparing->there += is != 0;
  if (!place || *place == is) return 0;
  violate(comparing->following, NULL,
          "told all its changes, and not the last one of a key of so many bytes:", key_size);
  return 1;
}

/* All was told, and all is durable: then the picture is what the node holds. */
static void compare(struct following *following) {
  const struct follower *follower = following->follower;
  struct comparing comparing = {following, 0};
  if (sync_iterate(following->engine, "", 0, "", 0, true, compare_key, &comparing) != SYNC_OK) return;
  uint64_t drawn = 0;
  for (uint32_t i = 0; i < follower->picture_capacity; i++)
    drawn += follower->picture[i] != 0;
  if (drawn != comparing.there)
    violate(following, NULL, "told all its changes, and never that values are gone: so many keys too many or too few:",
            drawn > comparing.there ? drawn - comparing.there : comparing.there - drawn);
}

bool cluster_follow(struct cluster *cluster, uint32_t node, struct follower_counts *counts) {
  *counts = (struct follower_counts){0};
  struct cluster_software *software = sim_node_enter(cluster->world, node);
  if (!software) return false;
  struct following following = {.cluster = cluster,
                                .node = &cluster->nodes[node],
                                .follower = follower_of(cluster, node),
                                .engine = software->engine,
                                .counts = counts};
  int rc = read_on(&following);
  bool settled = sync_durable_position(software->engine) == sync_appended_position(software->engine);
  following.follower->fragile = following.follower->bookmark.seen > sync_durable_position(software->engine);
  following.follower->life = cluster->nodes[node].life;
  following.follower->refusals = sim_node_refusals(cluster->nodes[node].machine);
  if (rc == SYNC_OK && settled && !cluster_violated(cluster)) compare(&following);
  sim_node_leave(cluster->world, node);
  return true;
}

void follower_read_on(struct cluster *cluster, uint32_t node) {
  struct follower_counts counts;
  if (cluster->nodes[node].follower && !cluster_violated(cluster)) (void)cluster_follow(cluster, node, &counts);
}
