#include "cluster/verify.h"

#include "cluster/grow.h"
#include "cluster/log_damage.h"
#include "cluster/lookup.h"
#include "cluster/snapshot.h"

#define STEP_BYTES (16u * 1024u)

struct verifying {
  struct cluster *cluster;
  uint32_t node;
  bool judged;
  uint64_t refusals; /* of calls, before the step that is made */
  uint64_t damages;  /* of the disk, when it began */
  uint64_t count;    /* of damages that were reported */
  uint64_t first;    /* position of the first of them; UINT64_MAX: none */
  uint64_t *places;  /* where each begins, ascending */
  uint32_t places_capacity;
};

static const uint64_t nothing[3] = {0, 0, 0};

static int reported(void *arg, const struct sync_damage *damage) {
  struct verifying *verifying = arg;
  struct cluster *cluster = verifying->cluster;
  uint64_t refusals = sim_node_refusals(cluster->nodes[verifying->node].machine), before = verifying->refusals;
  verifying->refusals = refusals;
  CLUSTER_GROW(cluster->world, verifying->places, verifying->places_capacity, (uint32_t)verifying->count + 1u);
  verifying->places[verifying->count++] = damage->position;
  if (damage->position < verifying->first) verifying->first = damage->position;
  if (!verifying->judged || (damage->status == SYNC_E_IO && refusals != before)) return 0;
  uint64_t end = damage->position + (damage->size ? damage->size : 1u);
  if (log_damage_in(cluster, verifying->node, damage->position, end)) return 0;
  sim_violation(cluster->world, CLUSTER_READS, verifying->node, nothing,
                "%s says that its log is damaged at position %llu, %llu bytes (%s); nothing was done to its disk there",
                cluster->nodes[verifying->node].name, (unsigned long long)damage->position,
                (unsigned long long)damage->size, sync_status_name(damage->status));
  return 1;
}

/* Gives the status of the step that failed. */
static int verify_all(struct verifying *verifying, struct sync_engine *engine) {
  uint64_t position = 0;
  int status = SYNC_OK;
  while (status == SYNC_OK && position != SYNC_VERIFIED) {
    uint64_t before = position;
    verifying->refusals = sim_node_refusals(verifying->cluster->nodes[verifying->node].machine);
    status = sync_verify(engine, &position, STEP_BYTES, reported, verifying);
    if (status == SYNC_OK && position == before) status = SYNC_E_INVALID; /* it would go on for ever */
  }
  return status;
}

static bool is_settled(const struct cluster *cluster, uint32_t node, struct sync_engine *engine) {
  struct sync_stats stats;
  sync_stats_get(engine, &stats);
  return !stats.failed && !cluster->nodes[node].replica.behind &&
         sync_durable_position(engine) == sync_appended_position(engine);
}

/* What the engine must meet first: bytes that are no record, a sector that cannot be read. */
static uint64_t first_damage(struct cluster *cluster, uint32_t node, uint64_t begin, uint64_t end) {
  struct log_damage damage;
  log_damage_look(cluster, node, &damage);
  uint64_t first = damage.any && damage.end < end ? damage.end : end;
  if (!damage.any || !log_damage_unreadable_in(cluster, node, begin, first)) return first;
  uint64_t low = begin; /* [begin, low) can be read, [begin, first) cannot */
  while (first - low > 1) {
    uint64_t middle = low + (first - low) / 2;
    if (log_damage_unreadable_in(cluster, node, begin, middle))
      first = middle;
    else
      low = middle;
  }
  return low;
}

static bool is_reported(const struct verifying *verifying, uint64_t position) {
  for (uint64_t i = 0; i < verifying->count; i++)
    if (verifying->places[i] == position) return true;
  return false;
}

/* An own operation of this run of the node, behind the first damage, that cannot be read and
 * was passed over; LEDGER_NONE: none. */
static uint32_t passed_over(const struct verifying *verifying, uint64_t first, uint64_t end) {
  struct cluster *cluster = verifying->cluster;
  const struct ledger_life *life = &cluster->ledger.lives[cluster->nodes[verifying->node].life];
  for (uint32_t i = 0; i < life->count; i++) {
    const struct ledger_operation *operation = &cluster->ledger.operations[life->operations[i]];
    if (operation->start < first || operation->position > end) continue;
    if (log_damage_spares(cluster, verifying->node, operation->start)) continue;
    if (!is_reported(verifying, operation->start)) return life->operations[i];
  }
  return LEDGER_NONE;
}

static void judge_rest(const struct verifying *verifying, uint64_t first, uint64_t end) {
  struct cluster *cluster = verifying->cluster;
  uint32_t operation = passed_over(verifying, first, end);
  if (operation == LEDGER_NONE) return;
  uint64_t subject[3];
  cluster_subject(cluster, operation, subject);
  sim_violation(cluster->world, CLUSTER_READS, verifying->node, subject,
                "%s verified its log and said nothing of its operation at position %llu, which cannot be read",
                cluster->nodes[verifying->node].name, (unsigned long long)cluster->ledger.operations[operation].start);
}

static void judge(const struct verifying *verifying, int status, uint64_t first, uint64_t end) {
  struct cluster *cluster = verifying->cluster;
  const char *name = cluster->nodes[verifying->node].name;
  if (status < 0)
    sim_violation(cluster->world, CLUSTER_READS, verifying->node, nothing, "%s cannot verify its log: %s", name,
                  sync_status_name(status));
  else if (first < end && verifying->first > first)
    sim_violation(cluster->world, CLUSTER_READS, verifying->node, nothing,
                  "the log of %s is damaged at position %llu of %llu, and its engine verified it without saying so",
                  name, (unsigned long long)first, (unsigned long long)end);
  else if (first < end && verifying->damages == sim_disk_damage_count(cluster->nodes[verifying->node].disk))
    judge_rest(verifying, first, end); /* no read of it has done more damage, behind what was read */
}

/* Where the engine says that its log begins: nowhere behind what a base has. */
static uint64_t begin_of(struct cluster *cluster, uint32_t node, struct sync_engine *engine) {
  struct sync_stats stats;
  struct snapshot base;
  sync_stats_get(engine, &stats);
  bool covered =
      stats.log_first == 0 || (snapshot_newest(cluster->nodes[node].disk, &base) && base.position >= stats.log_first);
  return covered ? stats.log_first : 0;
}

bool cluster_verify(struct cluster *cluster, uint32_t node, uint64_t *damaged) {
  struct cluster_software *software = sim_node_enter(cluster->world, node);
  *damaged = 0;
  if (!software) return false;
  struct verifying verifying = {.cluster = cluster, .node = node, .first = UINT64_MAX};
  verifying.damages = sim_disk_damage_count(cluster->nodes[node].disk);
  const struct sim_node *machine = cluster->nodes[node].machine;
  uint64_t end = sync_appended_position(software->engine), refusals = sim_node_refusals(machine);
  verifying.judged = !cluster->config.no_oracles && is_settled(cluster, node, software->engine);
  uint64_t first = verifying.judged ? first_damage(cluster, node, begin_of(cluster, node, software->engine), end) : end;
  int status = verify_all(&verifying, software->engine);
  bool refused = status < 0 && sim_node_refusals(machine) != refusals;
  if (verifying.judged && !refused && !cluster_violated(cluster)) judge(&verifying, status, first, end);
  sim_node_leave(cluster->world, node);
  if (verifying.places) sim_free(cluster->world, verifying.places, verifying.places_capacity * sizeof(uint64_t));
  *damaged = verifying.count;
  return true;
}
