#include "cluster/workload.h"

#include <inttypes.h>
#include <stdio.h>

#include "cluster/state.h"
#include "cluster/submit.h"

#define BATCH_MIN 2u
#define BATCH_MAX 4u
#define BURST_SHIFT 40u /* a turn's number is below */

static struct sim_tag tag(uint32_t kind, uint64_t submit, uint64_t part) {
  return sim_tag(kind, 0, submit << 4 | part);
}

static uint64_t draw_phase(struct cluster *cluster, uint64_t part, uint64_t min_ns, uint64_t max_ns) {
  return sim_range(cluster->world, tag(SIM_CHOICE_WORKLOAD_PHASE, cluster->busy_times, part), min_ns, max_ns);
}

/* The time, or when the next busy time begins. */
static uint64_t when_busy(struct cluster *cluster, uint64_t time_ns) {
  const struct cluster_workload *w = &cluster->workload;
  while (w->busy_max_ns && time_ns >= cluster->busy_end_ns) {
    uint64_t begin = cluster->busy_end_ns + draw_phase(cluster, 1, w->quiet_min_ns, w->quiet_max_ns);
    cluster->busy_times++;
    cluster->busy_end_ns = begin + draw_phase(cluster, 0, w->busy_min_ns, w->busy_max_ns);
    if (time_ns < begin) time_ns = begin;
  }
  return time_ns;
}

static void schedule(struct cluster *cluster) {
  uint64_t mean = cluster->workload.interval_ns;
  uint64_t gap = sim_range(cluster->world, tag(SIM_CHOICE_WORKLOAD_GAP, cluster->workload_submits, 0), mean / 2u,
                           mean + mean / 2u);
  sim_driver_at(cluster->world, cluster->driver, when_busy(cluster, sim_now(cluster->world) + gap),
                CLUSTER_WAKE_WORKLOAD | cluster->workload_generation << 8);
}

void cluster_workload_start(struct cluster *cluster, const struct cluster_workload *workload) {
  struct cluster_workload *w = &cluster->workload;
  *w = *workload;
  if (!w->keys) w->keys = 16;
  if (!w->interval_ns) w->interval_ns = 20 * SIM_MS;
  if (!w->value_bytes_min) w->value_bytes_min = LEDGER_VALUE_BYTES_MIN;
  if (!w->value_bytes_max) w->value_bytes_max = w->value_bytes_min > 64 ? w->value_bytes_min : 64;
  if (w->zipf && !cluster->zipf.ranks) zipf_make(&cluster->zipf, cluster->world, w->keys, w->zipf);
  if (!cluster->workload_generation) cluster->workload_started_ns = sim_now(cluster->world);
  if (w->busy_max_ns)
    cluster->busy_end_ns = sim_now(cluster->world) + draw_phase(cluster, 0, w->busy_min_ns, w->busy_max_ns);
  cluster->workload_generation++;
  schedule(cluster);
}

void cluster_workload_stop(struct cluster *cluster) {
  cluster->workload_generation++;
}

/* How many keys there are by now. */
static uint32_t keys_now(const struct cluster *cluster) {
  const struct cluster_workload *w = &cluster->workload;
  if (!w->grow_interval_ns) return w->keys;
  uint64_t more = (sim_now(cluster->world) - cluster->workload_started_ns) / w->grow_interval_ns;
  return more < CLUSTER_KEYS_MAX - w->keys ? w->keys + (uint32_t)more : CLUSTER_KEYS_MAX;
}

/* Of growing keys the newest are the hottest, as news are. */
static uint32_t choose_key(struct cluster *cluster, uint64_t submit, uint64_t part) {
  const struct cluster_workload *w = &cluster->workload;
  if (sim_chance(cluster->world, tag(SIM_CHOICE_WORKLOAD_HOT, submit, part), w->hot_ppm)) return 0;
  struct sim_tag drawn = tag(SIM_CHOICE_WORKLOAD_KEY, submit, part);
  if (!cluster->zipf.ranks) return (uint32_t)sim_pick(cluster->world, drawn, keys_now(cluster));
  uint32_t rank = zipf_draw(&cluster->zipf, cluster->world, drawn);
  return w->grow_interval_ns ? keys_now(cluster) - 1u - rank : rank;
}

/* One in two is like no other. */
static enum cluster_value choose_value(struct cluster *cluster, uint64_t submit, uint64_t part) {
  uint64_t drawn = sim_pick(cluster->world, tag(SIM_CHOICE_WORKLOAD_VALUE, submit, part), 6);
  return drawn < 3 ? CLUSTER_VALUE_OWN : (enum cluster_value)(drawn - 2u);
}

/* Draws the changes of a submit; gives their number. */
static uint32_t choose_changes(struct cluster *cluster, uint64_t submit, struct cluster_change changes[BATCH_MAX]) {
  struct sim_world *world = cluster->world;
  const struct cluster_workload *w = &cluster->workload;
  uint32_t count = 1, keys = keys_now(cluster);
  if (keys >= BATCH_MAX && sim_chance(world, tag(SIM_CHOICE_WORKLOAD_OPERATION, submit, 15), w->batch_ppm))
    count = (uint32_t)sim_range(world, tag(SIM_CHOICE_WORKLOAD_SIZE, submit, 15), BATCH_MIN, BATCH_MAX);
  for (uint32_t i = 0; i < count; i++) {
    /* The keys of one operation are neighbours, hence different. */
    uint32_t key = i ? (changes[0].key + i) % keys : choose_key(cluster, submit, 0);
    bool deletes = sim_chance(world, tag(SIM_CHOICE_WORKLOAD_OPERATION, submit, i), w->deletes_ppm) != 0;
    changes[i] = (struct cluster_change){.kind = deletes ? SYNC_DELETE : SYNC_PUT, .key = key};
    if (deletes) continue;
    changes[i].size =
        (uint32_t)sim_range(world, tag(SIM_CHOICE_WORKLOAD_SIZE, submit, i), w->value_bytes_min, w->value_bytes_max);
    if (w->variety) changes[i].value = choose_value(cluster, submit, i);
  }
  return count;
}

/* How a script writes the value of a put. One that is put again has no words. */
static bool tell_value(char *text, size_t size, const struct cluster_change *change, bool in_list) {
  const char *key = in_list ? "size = " : "";
  switch (change->value) {
  case CLUSTER_VALUE_OWN:
    (void)snprintf(text, size, "%s\"%uB\"", key, change->size);
    return true;
  case CLUSTER_VALUE_EMPTY:
    (void)snprintf(text, size, in_list ? "text = \"\"" : "{ text = \"\" }");
    return true;
  case CLUSTER_VALUE_SHARED:
    (void)snprintf(text, size, in_list ? "text = (\"=\"):rep(%u)" : "{ text = (\"=\"):rep(%u) }", change->size);
    return true;
  default:
    return false;
  }
}

static bool tell_one(char *text, size_t size, uint32_t node, const struct cluster_change *change) {
  char value[64];
  if (change->kind == SYNC_DELETE) {
    (void)snprintf(text, size, "world:node(%u):delete(%u)", node, change->key);
    return true;
  }
  if (!tell_value(value, sizeof value, change, false)) return false;
  (void)snprintf(text, size, "world:node(%u):put(%u, %s)", node, change->key, value);
  return true;
}

static bool tell_batch(char *text, size_t size, uint32_t node, const struct cluster_change *changes, uint32_t count) {
  int used = snprintf(text, size, "world:node(%u):submit {", node);
  for (uint32_t i = 0; i < count; i++) {
    char value[64] = "delete = true";
    if (changes[i].kind == SYNC_PUT && !tell_value(value, sizeof value, &changes[i], true)) return false;
    used += snprintf(text + used, size - (size_t)used, "%s { key = %u, %s }", i == 0 ? "" : ",", changes[i].key, value);
  }
  (void)snprintf(text + used, size - (size_t)used, " }");
  return true;
}

/* As a script would submit it, for whoever records the run. */
static void tell(struct cluster *cluster, uint32_t node, const struct cluster_change *changes, uint32_t count) {
  struct sim_world *world = cluster->world;
  char text[640];
  if (!sim_trace_recording(world)) return;
  int head = snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 " ", sim_now(world), sim_event_id(world));
  char *at = text + head;
  const size_t room = sizeof text - (size_t)head;
  const bool said = count == 1 ? tell_one(at, room, node, changes) : tell_batch(at, room, node, changes, count);
  if (!said) (void)snprintf(at, room, "-- node %u submits %u changes, from key %u on", node, count, changes->key);
  sim_trace_statement(world, SIM_STATEMENT_OF_WORKLOAD, text);
}

/* Submits of one turn: the first has the number of the turn, the others that and their place above it. */
static void run_turn(struct cluster *cluster, uint32_t node, uint64_t turn, uint32_t submits) {
  struct cluster_software *software = NULL;
  for (uint32_t i = 0; i < submits; i++) {
    uint64_t submit = turn | (uint64_t)i << BURST_SHIFT;
    struct cluster_change changes[BATCH_MAX];
    if (i > 0 && sim_left_out(cluster->world, tag(SIM_CHOICE_WORKLOAD_SKIP, submit, 0))) continue;
    uint32_t count = choose_changes(cluster, submit, changes);
    if (!software && !(software = cluster_turn_begin(cluster, node))) return;
    tell(cluster, node, changes, count);
    int status = cluster_turn_submit(cluster, software, submit, changes, count);
    (void)status; /* the ledger has it */
  }
  if (software) cluster_turn_end(cluster, software);
}

void cluster_workload_wake(struct cluster *cluster, uint64_t generation) {
  if (generation != cluster->workload_generation) return; /* stopped or replaced meanwhile */
  struct sim_world *world = cluster->world;
  const struct cluster_workload *w = &cluster->workload;
  uint64_t turn = cluster->workload_submits++;
  if (sim_left_out(world, tag(SIM_CHOICE_WORKLOAD_SKIP, turn, 0))) {
    schedule(cluster);
    return;
  }
  uint32_t writers = w->writers && w->writers < cluster->config.nodes ? w->writers : cluster->config.nodes;
  uint32_t node = 1u + (uint32_t)sim_pick(world, tag(SIM_CHOICE_WORKLOAD_NODE, turn, 0), writers);
  uint32_t submits = 1;
  if (w->burst_max > 1) submits = (uint32_t)sim_range(world, tag(SIM_CHOICE_WORKLOAD_BURST, turn, 0), 1, w->burst_max);
  if (sim_node_state(sim_node_at(world, node)) == SIM_NODE_UP) run_turn(cluster, node, turn, submits);
  schedule(cluster);
}
