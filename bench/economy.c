/* What a cluster sends for what it must: operations sent, HELLOs and bytes for each application that is
 * needed (one operation at one other node), and how long an operation takes to each other node, beside the same network
 * flooded by the fastest ways. Over sizes, topologies, calm and lossy networks.
 *
 *   economy [--part table|great|idle] [--nodes N] [--topology T] [--mode calm|lossy] [--rate N] [--seconds N]
 *           [--seed N] [--limit CPU_SECONDS]
 *
 * Without options: all. --nodes, --topology and --mode choose cells of the table. A cell that takes more CPU time than
 * the limit (20 s) is cut off; its figures are then of what happened until then. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster/cluster.h"
#include "cluster/lookup.h"
#include "cluster/propagation.h"
#include "cluster/state.h"
#include "cluster/tally.h"
#include "cluster/workload.h"

#define WARM_UP_NS (2u * SIM_SECOND)
#define STEP_NS (50u * SIM_MS)
#define DRAIN_NS (300u * SIM_SECOND) /* at most */
#define KEYS 1000u
#define VALUE_BYTES 100u
#define DELAY_MIN_NS SIM_MS
#define DELAY_MAX_NS (20u * SIM_MS)
#define FSYNC_NS SIM_MS
#define LOSS_PPM 50000u
#define OUTAGE_EVERY_NS (5u * SIM_SECOND)
#define OUTAGE_NS SIM_SECOND
#define OUTAGES_MAX 64u
#define FLOODED_MAX 1000u /* operations of which the fastest ways are drawn */
#define IDLE_BEFORE_NS (60u * SIM_SECOND)
#define IDLE_NS (300u * SIM_SECOND)
#define IDLE_HELLO_NS (30u * SIM_SECOND) /* the engine's default */

static const char *const topologies[CLUSTER_TOPOLOGIES + 1u] = {"mesh", "line", "ring", "star", "random", NULL};
static const char *const modes[] = {"calm", "lossy", NULL};
static const char *const parts[] = {"table", "great", "idle", NULL};

struct options {
  uint32_t nodes;               /* 0: all */
  int topology, mode, part;     /* -1: all */
  uint64_t rate, seconds, seed; /* 0: what the part has */
  uint64_t limit_ns;            /* of CPU time, of a cell */
};
static struct options options = {.topology = -1, .mode = -1, .part = -1, .seed = 1, .limit_ns = 20 * SIM_SECOND};

struct cell {
  uint32_t nodes;
  enum cluster_topology topology;
  bool lossy;
  uint64_t rate, seconds;
};

struct outage {
  uint32_t node;
  uint64_t from_ns, to_ns;
};

/* One cell while it runs. */
struct run {
  struct cell cell;
  struct sim *sim;
  struct cluster *cluster;
  const struct cluster_tally *tally;
  const struct cluster_propagation *propagation;
  struct cluster_tally warm_up;
  uint64_t begun_ns; /* CPU time */
  bool cut_off;
  bool settled;
  struct outage outages[OUTAGES_MAX];
  uint32_t outage_count;
  uint64_t chance; /* the bench's own: who loses power */
};

static void die(const char *what) {
  fprintf(stderr, "economy: %s\n", what);
  exit(1);
}
static uint64_t cpu_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * SIM_SECOND + (uint64_t)time.tv_nsec;
}
static uint64_t real_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * SIM_SECOND + (uint64_t)time.tv_nsec;
}
static uint64_t draw(uint64_t *chance, uint64_t below) {
  uint64_t z = *chance += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return (z ^ z >> 31) % below;
}
static double ratio(uint64_t part, uint64_t whole) {
  return whole ? (double)part / (double)whole : 0;
}
static double ms(uint64_t ns) {
  return (double)ns / 1e6;
}

/* --- Running ------------------------------------------------------------------------- */

static void begin(struct run *run, const struct cell *cell) {
  static struct sim *sim;
  static const struct sim_options arena = {.arena_bytes = UINT64_C(8) << 30, .fill = SIM_FILL_NONE};
  if (!sim) sim = sim_open(&arena);
  if (!sim) die("cannot map the arena");
  *run = (struct run){.cell = *cell, .sim = sim, .begun_ns = cpu_ns(), .chance = options.seed};
  struct sim_config config = {.source = {.seed = options.seed}};
  config.link.delay_min_ns = DELAY_MIN_NS;
  config.link.delay_max_ns = DELAY_MAX_NS;
  config.disk.fsync_min_ns = config.disk.fsync_max_ns = FSYNC_NS;
  struct cluster_config cluster_config = {
      .nodes = cell->nodes, .topology = cell->topology, .measured = true, .no_oracles = true};
  struct sim_world *world = sim_world_begin(run->sim, &config);
  run->cluster = world ? cluster_create(world, &cluster_config) : NULL;
  if (!run->cluster) die("the arena is used up");
  run->propagation = cluster_propagation(run->cluster);
  run->tally = cluster_tally(run->cluster);
}

/* Until then, or until its time is used up. */
static bool run_to(struct run *run, uint64_t until_ns) {
  while (sim_now(run->cluster->world) < until_ns && !run->cut_off) {
    uint64_t next = sim_now(run->cluster->world) + STEP_NS;
    enum sim_end end = sim_run(run->sim, next < until_ns ? next : until_ns, UINT64_MAX);
    if (end == SIM_END_VIOLATION) die(sim_violation_get(run->cluster->world)->detail);
    run->cut_off = cpu_ns() - run->begun_ns > options.limit_ns;
  }
  return !run->cut_off;
}

static void submit(struct run *run) {
  struct cluster_workload workload = {.keys = KEYS,
                                      .interval_ns = SIM_SECOND / run->cell.rate,
                                      .value_bytes_min = VALUE_BYTES,
                                      .value_bytes_max = VALUE_BYTES};
  uint64_t end_ns = sim_now(run->cluster->world) + run->cell.seconds * SIM_SECOND;
  uint64_t outage_ns = sim_now(run->cluster->world) + OUTAGE_EVERY_NS / 2;
  cluster_workload_start(run->cluster, &workload);
  while (run->cell.lossy && outage_ns + OUTAGE_NS < end_ns && run->outage_count < OUTAGES_MAX) {
    if (!run_to(run, outage_ns)) return;
    uint32_t node = 1u + (uint32_t)draw(&run->chance, run->cell.nodes);
    sim_node_power_loss(run->cluster->world, node);
    run->outages[run->outage_count++] = (struct outage){node, outage_ns, outage_ns + OUTAGE_NS};
    if (!run_to(run, outage_ns + OUTAGE_NS)) return;
    if (!sim_node_boot(run->cluster->world, node)) die("a node does not start again");
    outage_ns += OUTAGE_EVERY_NS;
  }
  (void)run_to(run, end_ns);
  cluster_workload_stop(run->cluster);
}

/* Until all hold all, and all know it. */
static void drain(struct run *run) {
  uint64_t end_ns = sim_now(run->cluster->world) + DRAIN_NS;
  while (!run->cut_off && !run->settled && sim_now(run->cluster->world) < end_ns) {
    (void)run_to(run, sim_now(run->cluster->world) + STEP_NS);
    run->settled = cluster_converged(run->cluster) && cluster_drained(run->cluster);
  }
}

static void run_cell(struct run *run, const struct cell *cell) {
  begin(run, cell);
  if (!run_to(run, WARM_UP_NS)) return;
  run->warm_up = *run->tally;
  cluster_tally_reset(run->cluster);
  if (cell->lossy) {
    struct sim_link_config link = {.delay_min_ns = DELAY_MIN_NS, .delay_max_ns = DELAY_MAX_NS, .loss_ppm = LOSS_PPM};
    sim_link_set_all(run->cluster->world, &link);
  }
  submit(run);
  drain(run);
}

/* --- How long operations take ------------------------------------------------------------ */

struct times {
  uint64_t *ns;
  size_t count, room;
};
static int by_number(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}
static void times_add(struct times *times, uint64_t ns) {
  if (times->count == times->room) {
    times->room = times->room ? 2 * times->room : 4096;
    times->ns = realloc(times->ns, times->room * sizeof *times->ns);
    if (!times->ns) die("no memory");
  }
  times->ns[times->count++] = ns;
}
static void times_sort(struct times *times) {
  if (times->count > 1) qsort(times->ns, times->count, sizeof *times->ns, by_number);
}
static uint64_t times_at(const struct times *times, uint64_t per_mille) {
  return times->count ? times->ns[(times->count - 1) * per_mille / 1000] : 0;
}

static bool in_outage(const struct run *run, uint32_t node, uint64_t from_ns, uint64_t to_ns) {
  for (uint32_t i = 0; i < run->outage_count; i++)
    if (run->outages[i].node == node && run->outages[i].from_ns <= to_ns && run->outages[i].to_ns >= from_ns)
      return true;
  return false;
}
static uint32_t origin_of(const struct run *run, uint32_t operation) {
  const struct ledger *ledger = &run->cluster->ledger;
  return ledger->lives[ledger->operations[operation].life].node;
}
static uint64_t durable_ns(const struct run *run, uint32_t operation) {
  return operation < run->propagation->durable_capacity ? run->propagation->durable_ns[operation] : 0;
}

/* When each node had heard of each origin: a first operation of it was applied there. */
static uint64_t heard_all_ns(const struct run *run) {
  bool known[CLUSTER_NODES_MAX + 1u] = {false};
  uint64_t heard = 0;
  for (uint32_t operation = 0; operation < run->cluster->ledger.operation_count; operation++) {
    uint32_t origin = origin_of(run, operation);
    if (known[origin] || !durable_ns(run, operation)) continue;
    known[origin] = true;
    for (uint32_t node = 1; node <= run->cell.nodes; node++) {
      uint64_t to_ns = cluster_applied_ns(run->propagation, operation, node);
      if (to_ns > heard) heard = to_ns;
    }
  }
  return heard;
}

/* Of those whose origin and receiver had power all the while; of those also apart that came once all origins were
 * heard: till then operations wait for causes of writers whose ways nobody knows yet. */
static void measure(const struct run *run, struct times *times, struct times *heard) {
  uint64_t heard_ns = heard_all_ns(run);
  for (uint32_t operation = 0; operation < run->cluster->ledger.operation_count; operation++) {
    uint64_t from_ns = durable_ns(run, operation);
    uint32_t origin = origin_of(run, operation);
    for (uint32_t node = 1; node <= run->cell.nodes && from_ns; node++) {
      uint64_t to_ns = cluster_applied_ns(run->propagation, operation, node);
      if (!to_ns || in_outage(run, node, from_ns, to_ns) || in_outage(run, origin, from_ns, to_ns)) continue;
      times_add(times, to_ns - from_ns);
      if (from_ns >= heard_ns) times_add(heard, to_ns - from_ns);
    }
  }
  times_sort(times);
  times_sort(heard);
}

/* The fastest ways from a node to all others: each link takes what is drawn, each node on the way an fsync. */
static void flood_one(struct run *run, uint32_t origin, uint64_t *chance, struct times *times) {
  uint64_t reached[CLUSTER_NODES_MAX + 1u];
  bool done[CLUSTER_NODES_MAX + 1u] = {false};
  for (uint32_t i = 0; i <= CLUSTER_NODES_MAX; i++)
    reached[i] = UINT64_MAX;
  reached[origin] = 0;
  for (uint32_t round = 1; round <= run->cell.nodes; round++) {
    uint32_t next = 0;
    for (uint32_t i = 1; i <= run->cell.nodes; i++)
      if (!done[i] && reached[i] < reached[next]) next = i;
    if (!next) break;
    done[next] = true;
    if (next != origin) times_add(times, reached[next]);
    for (uint32_t i = 1; i <= run->cell.nodes; i++) {
      if (done[i] || !cluster_linked(run->cluster, next, i)) continue;
      uint64_t delay = DELAY_MIN_NS + draw(chance, DELAY_MAX_NS - DELAY_MIN_NS + 1u);
      uint64_t ns = reached[next] + (next == origin ? 0 : FSYNC_NS) + delay;
      if (ns < reached[i]) reached[i] = ns;
    }
  }
}
static void flood(struct run *run, struct times *times) {
  uint64_t chance = options.seed + 77;
  uint32_t flooded = 0;
  for (uint32_t operation = 0; operation < run->cluster->ledger.operation_count && flooded < FLOODED_MAX; operation++)
    if (durable_ns(run, operation)) flood_one(run, origin_of(run, operation), &chance, times), flooded++;
  times_sort(times);
}

/* --- Printing ------------------------------------------------------------------------------ */

/* Keys and values of the operations that had to come to each other node. */
static uint64_t own_bytes(const struct run *run) {
  const struct ledger *ledger = &run->cluster->ledger;
  uint64_t bytes = 0;
  for (uint32_t operation = 0; operation < ledger->operation_count; operation++) {
    const struct ledger_operation *submitted = &ledger->operations[operation];
    for (uint32_t i = 0; i < submitted->change_count && durable_ns(run, operation); i++) {
      const struct ledger_change *change = &ledger->changes[submitted->change_first + i];
      bytes += ledger->keys.entries[change->slot].size + change->value_size;
    }
  }
  return bytes;
}
static uint64_t links_of(const struct run *run) {
  uint64_t links = 0;
  for (uint32_t a = 1; a <= run->cell.nodes; a++)
    for (uint32_t b = a + 1u; b <= run->cell.nodes; b++)
      links += cluster_linked(run->cluster, a, b);
  return links;
}

static void print_head(const char *mode) {
  printf("%s\n"
         "                     of sends: of HELLOs and the like:   all     from durable to applied    flooded       "
         "p99      once all heard\n"
         "nodes shape   ops | sends down  held early | for each  bytes |  bytes |  p50   p99    max |  p50  p99 | "
         "ratio |  p50  p99 ratio |"
         " events  CPU s sim s/CPU s  drained | warm-up\n",
         mode);
}

/* Needed is each operation at each other node; when it was cut off, what was done. */
static void print_cell(struct run *run, uint64_t cpu) {
  const struct cluster_tally *tally = run->tally;
  const struct cluster_propagation *propagation = run->propagation;
  uint64_t whole = propagation->durable * (run->cell.nodes - 1u);
  uint64_t needed = run->cut_off ? propagation->applications : whole;
  double own = ratio(own_bytes(run), propagation->durable) * (double)needed; /* bytes */
  uint64_t bytes = tally->operations.bytes + tally->blocks.bytes + tally->talk.bytes;
  struct times times = {0}, heard = {0}, flooded = {0};
  measure(run, &times, &heard);
  flood(run, &flooded);
  uint64_t now = sim_now(run->cluster->world), end_ns = WARM_UP_NS + run->cell.seconds * SIM_SECOND;
  printf("%5u %-6s %4" PRIu64 " | %5.2f %4.2f %5.2f %5.2f | %8.2f %5.0f%% | %5.0f%% |", run->cell.nodes,
         topologies[run->cell.topology], propagation->durable, ratio(tally->sends, needed),
         ratio(tally->sends_down, needed), ratio(propagation->duplicates, needed), ratio(propagation->early, needed),
         ratio(tally->talk.frames, needed), own > 0 ? 100 * (double)tally->talk.bytes / own : 0,
         own > 0 ? 100 * (double)bytes / own : 0);
  printf(" %4.0f %5.0f %6.0f | %4.0f %4.0f | %5.1f | %4.0f %4.0f %5.1f | %6.0fk %6.2f %11.1f %7.1fs |",
         ms(times_at(&times, 500)), ms(times_at(&times, 990)), ms(times_at(&times, 1000)), ms(times_at(&flooded, 500)),
         ms(times_at(&flooded, 990)), ratio(times_at(&times, 990), times_at(&flooded, 990)), ms(times_at(&heard, 500)),
         ms(times_at(&heard, 990)), ratio(times_at(&heard, 990), times_at(&flooded, 990)),
         (double)sim_events_run(run->cluster->world) / 1e3, (double)cpu / 1e9, ratio(now, cpu),
         now > end_ns ? (double)(now - end_ns) / 1e9 : 0);
  printf(" %.1f frames of %.0f B a link", ratio(run->warm_up.talk.frames, links_of(run)),
         ratio(run->warm_up.talk.bytes, run->warm_up.talk.frames));
  if (run->cut_off)
    printf("; CUT OFF at %.1f s simulated, %.1f%% applied", (double)now / 1e9,
           100 * ratio(propagation->applications, whole));
  else if (!run->settled)
    printf("; NOT DRAINED after %u s, %.1f%% applied", (unsigned)(DRAIN_NS / SIM_SECOND),
           100 * ratio(propagation->applications, whole));
  if (propagation->merges) printf("; %" PRIu64 " snapshots merged", propagation->merges);
  printf("\n");
  (void)fflush(stdout);
  free(times.ns);
  free(heard.ns);
  free(flooded.ns);
}

/* --- The parts ---------------------------------------------------------------------------------- */

static void table(void) {
  static const uint32_t sizes[] = {3, 8, 16, 32, 64};
  static const enum cluster_topology shapes[] = {CLUSTER_MESH, CLUSTER_RING, CLUSTER_STAR, CLUSTER_LINE,
                                                 CLUSTER_RANDOM};
  static const char *const heads[] = {
      "calm", "lossy: 5 % of the messages are lost, and every 5 s a node loses its power for 1 s"};
  uint64_t rate = options.rate ? options.rate : 50, seconds = options.seconds ? options.seconds : 10;
  printf(
      "%" PRIu64 " submits/s for %" PRIu64 " s, in all; delays of 1 to 20 ms, an fsync of 1 ms. Counts are for each\n"
      "application needed (an operation at another node), bytes for each byte of its key and value. Sends: to nodes\n"
      "that were up, and down; held, early: received and held already, received before a cause. Milliseconds. "
      "Flooded:\n"
      "by the fastest of all ways, nothing lost. In a lossy network only those whose both ends had power.\n",
      rate, seconds);
  for (int mode = 0; mode < 2; mode++) {
    if (options.mode >= 0 && options.mode != mode) continue;
    print_head(heads[mode]);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
      for (size_t j = 0; j < CLUSTER_TOPOLOGIES; j++) {
        static struct run run;
        if (options.nodes && i > 0) continue;
        if (options.topology >= 0 && options.topology != (int)shapes[j]) continue;
        struct cell cell = {options.nodes ? options.nodes : sizes[i], shapes[j], mode == 1, rate, seconds};
        uint64_t begun = cpu_ns();
        run_cell(&run, &cell);
        print_cell(&run, cpu_ns() - begun);
      }
  }
}

static void great(void) {
  static struct run run;
  struct cell cell = {64, CLUSTER_MESH, false, options.rate ? options.rate : 200,
                      options.seconds ? options.seconds : 20};
  uint64_t begun = real_ns(), cpu = cpu_ns();
  run_cell(&run, &cell);
  uint64_t took = real_ns() - begun;
  print_head("64 nodes, mesh, 200 submits/s for 20 s");
  print_cell(&run, cpu_ns() - cpu);
  printf("real time: %.1f s%s (goal 10 s)\n", (double)took / 1e9, run.cut_off ? ", and it was cut off" : "");
}

static void idle_one(uint32_t nodes, enum cluster_topology topology) {
  static struct run run;
  struct cell cell = {nodes, topology, false, 20, 5};
  run_cell(&run, &cell);
  if (run.cut_off || !run.settled) {
    printf("%5u %-6s | %s\n", nodes, topologies[topology], run.cut_off ? "CUT OFF before it was idle" : "NOT DRAINED");
    return;
  }
  uint64_t begun = sim_now(run.cluster->world) + IDLE_BEFORE_NS;
  bool whole = run_to(&run, begun);
  cluster_tally_reset(run.cluster);
  uint64_t events = sim_events_run(run.cluster->world);
  whole = whole && run_to(&run, begun + IDLE_NS);
  const struct cluster_tally *tally = run.tally;
  double periods = (double)IDLE_NS / (double)IDLE_HELLO_NS;
  printf("%5u %-6s | %12.2f %12.0f %12.1f | %8.1f%s\n", nodes, topologies[topology],
         ratio(tally->talk.frames, links_of(&run)) / periods, ratio(tally->talk.bytes, tally->talk.frames),
         ratio(tally->talk.bytes + tally->operations.bytes, nodes) / ((double)IDLE_NS / 1e9),
         (double)(sim_events_run(run.cluster->world) - events) / 1e3, whole ? "" : " CUT OFF");
  if (tally->operations.frames) printf("      %" PRIu64 " frames of operations!\n", tally->operations.frames);
  (void)fflush(stdout);
}
static void idle(void) {
  printf("idle: all hold all for a minute, then 5 minutes of nothing\n"
         "nodes shape  | HELLOs for each link each 30 s, bytes of one, bytes/s of a node | thousand events\n");
  for (uint32_t nodes = 8; nodes <= 64; nodes *= 8)
    for (uint32_t topology = 0; topology < CLUSTER_TOPOLOGIES; topology++)
      if (topology == CLUSTER_MESH || topology == CLUSTER_RANDOM) idle_one(nodes, (enum cluster_topology)topology);
}

/* --- The command line ------------------------------------------------------------------------------ */

static void usage(void) {
  fprintf(stderr, "usage: economy [--part table|great|idle] [--nodes 2..64] [--topology mesh|line|ring|star|random]\n"
                  "               [--mode calm|lossy] [--rate N] [--seconds N] [--seed N] [--limit CPU_SECONDS]\n");
  exit(2);
}
static int word(const char *text, const char *const *words) {
  for (int i = 0; words[i]; i++)
    if (strcmp(words[i], text) == 0) return i;
  usage();
  return -1;
}
static uint64_t number(const char *text, uint64_t least, uint64_t most) {
  char *end;
  unsigned long long value = strtoull(text, &end, 10);
  if (*end != '\0' || value < least || value > most) usage();
  return value;
}
static void read_option(const char *name, const char *text) {
  if (strcmp(name, "--part") == 0)
    options.part = word(text, parts);
  else if (strcmp(name, "--nodes") == 0)
    options.nodes = (uint32_t)number(text, 2, CLUSTER_NODES_MAX);
  else if (strcmp(name, "--topology") == 0)
    options.topology = word(text, topologies);
  else if (strcmp(name, "--mode") == 0)
    options.mode = word(text, modes);
  else if (strcmp(name, "--rate") == 0)
    options.rate = number(text, 1, 100000);
  else if (strcmp(name, "--seconds") == 0)
    options.seconds = number(text, 1, 3600);
  else if (strcmp(name, "--seed") == 0)
    options.seed = number(text, 0, UINT64_MAX);
  else if (strcmp(name, "--limit") == 0)
    options.limit_ns = number(text, 1, 86400) * SIM_SECOND;
  else
    usage();
}

int main(int argc, char **argv) {
  if (argc % 2 == 0) usage();
  for (int i = 1; i < argc; i += 2)
    read_option(argv[i], argv[i + 1]);
  bool cells = options.nodes || options.topology >= 0 || options.mode >= 0;
  if (options.part < 0 && cells) options.part = 0;
  if (options.part == 0 || options.part < 0) table();
  if (options.part == 1 || options.part < 0) great();
  if (options.part == 2 || options.part < 0) idle();
  return 0;
}
