/* A small replicated key-value node that knows nothing of the engine, a world
 * that crashes it, and a bug that the world finds.
 *
 *   kv_node [--fixed] [--seeds N] [--seed S] [--trace FILE]
 *
 * Runs seeds 1 to N (100), or only S. The first seed in which an acknowledged
 * put is missing ends it: the program runs that seed again, recorded, prints
 * the steps that matter and ends with status 1. --fixed puts the bug right.
 * docs/your-own-code.md walks through this file.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

/* --- The node ------------------------------------------------------------------
 *
 * Each node takes puts for its own keys, one at a time: it appends the put to
 * its log, fsyncs it, sends it to every peer until each one has acknowledged
 * it, and only then acknowledges it to the client. */

enum { NODES = 3, KEYS = 4, RECORD_BYTES = 28 };
enum { RECORD_PUT = 1, RECORD_ACK = 2 };
enum { TOKEN_NAME = 0 }; /* of the directory's fsync; others are sizes of the log */
#define RESEND_NS (20 * SIM_MS)
#define NODE_NOMINAL 512u /* what the state counts against quotas, on every processor */

/* What a node reports of itself: {owner, seq, key, value}. */
#define KV_STORED ((enum sync_trace_kind)1000)
#define KV_ACKNOWLEDGED ((enum sync_trace_kind)1001)

struct kv_config {
  bool acknowledges_early; /* the bug: a peer acknowledges before its fsync completed */
};

struct kv_record { /* in the log and on the wire */
  uint32_t type, owner, seq, key, value;
};

struct kv_last { /* the newest put of an owner */
  uint32_t seq;
  uint64_t end; /* of its record in the log */
  bool owed;    /* somebody waits until it is durable: its owner, or we ourselves */
};

struct kv_value {
  uint32_t seq, value;
};

struct kv_node {
  const struct kv_config *config;
  sync_file log;
  uint64_t end, durable; /* bytes of the log */
  bool named;            /* the log's name is durable */
  bool failed;           /* the disk refused something: no more promises until the next boot */
  struct kv_record put;  /* under way; its type is 0 when there is none */
  uint32_t holders;      /* bit per node: holds `put` durably */
  struct kv_last last[NODES + 1];
  struct kv_value values[NODES + 1][KEYS];
};

static void record_encode(const struct kv_record *record, uint8_t bytes[RECORD_BYTES]) {
  const uint32_t fields[] = {record->type, record->owner, record->seq, record->key, record->value};
  for (size_t i = 0; i < 20; i++)
    bytes[i] = (uint8_t)(fields[i / 4] >> (8 * (i % 4)));
  uint64_t check = sim_hash_bytes(bytes, 20);
  for (size_t i = 0; i < 8; i++)
    bytes[20 + i] = (uint8_t)(check >> (8 * i));
}

static bool record_decode(const uint8_t *bytes, size_t size, struct kv_record *record) {
  uint32_t fields[5] = {0};
  uint64_t check = 0;
  if (size != RECORD_BYTES) return false;
  for (size_t i = 0; i < 20; i++)
    fields[i / 4] |= (uint32_t)bytes[i] << (8 * (i % 4));
  for (size_t i = 0; i < 8; i++)
    check |= (uint64_t)bytes[20 + i] << (8 * i);
  *record = (struct kv_record){fields[0], fields[1], fields[2], fields[3], fields[4]};
  bool known = record->owner >= 1 && record->owner <= NODES && record->key < KEYS;
  return known && check == sim_hash_bytes(bytes, 20);
}

static void record_send(struct sim_node *node, uint32_t to, const struct kv_record *record) {
  uint8_t bytes[RECORD_BYTES];
  record_encode(record, bytes);
  sim_send(node, to, bytes, sizeof bytes);
}

static void report(const struct sync_env *env, enum sync_trace_kind kind, const struct kv_record *record) {
  const uint64_t fields[] = {record->owner, record->seq, record->key, record->value};
  env->ops->trace(env->ctx, kind, fields, 4);
}

/* Takes a record that ends at `end` in the log into memory. */
static void node_apply(struct kv_node *kv, const struct kv_record *record, uint64_t end) {
  kv->last[record->owner] = (struct kv_last){record->seq, end, false};
  kv->values[record->owner][record->key] = (struct kv_value){record->seq, record->value};
}

static void node_append(struct sim_node *node, struct kv_node *kv, const struct kv_record *record) {
  const struct sync_env *env = sim_node_env(node);
  uint8_t bytes[RECORD_BYTES];
  record_encode(record, bytes);
  for (size_t put = 0, done = 0; put < sizeof bytes && !kv->failed; put += done) {
    int status = env->ops->file_write(env->ctx, kv->log, kv->end + put, bytes + put, sizeof bytes - put, &done);
    kv->failed = status != SYNC_OK && status != SYNC_E_INTERRUPTED;
  }
  if (kv->failed) return;
  kv->end += sizeof bytes;
  node_apply(kv, record, kv->end);
  kv->failed = env->ops->file_fsync(env->ctx, kv->log, kv->end) != SYNC_OK;
  report(env, KV_STORED, record);
}

static void node_held_by(struct sim_node *node, struct kv_node *kv, uint32_t holder) {
  kv->holders |= UINT32_C(1) << holder;
  for (uint32_t peer = 1; peer <= NODES; peer++)
    if ((kv->holders >> peer & 1) == 0) return;
  report(sim_node_env(node), KV_ACKNOWLEDGED, &kv->put);
  kv->put.type = 0;
}

static void node_send_put(struct sim_node *node, const struct kv_node *kv) {
  for (uint32_t peer = 1; peer <= NODES; peer++)
    if ((kv->holders >> peer & 1) == 0) record_send(node, peer, &kv->put);
  const struct sync_env *env = sim_node_env(node);
  sim_timer_set(node, 0, env->ops->mono_ns(env->ctx) + RESEND_NS);
}

/* Keeps the promises that waited for the disk. */
static void node_settle(struct sim_node *node, struct kv_node *kv) {
  for (uint32_t owner = 1; owner <= NODES; owner++) {
    struct kv_last *last = &kv->last[owner];
    if (!last->owed || !kv->named || last->end > kv->durable) continue;
    last->owed = false;
    if (owner != sim_node_number(node)) {
      record_send(node, owner, &(struct kv_record){.type = RECORD_ACK, .owner = owner, .seq = last->seq});
    } else {
      node_held_by(node, kv, owner);
      node_send_put(node, kv);
    }
  }
}

/* A client's put. false: another one is under way. */
static bool node_put(struct sim_node *node, struct kv_node *kv, uint32_t key, uint32_t value) {
  uint32_t self = sim_node_number(node);
  if (kv->put.type != 0 || kv->failed) return false;
  kv->put = (struct kv_record){RECORD_PUT, self, kv->last[self].seq + 1, key, value};
  kv->holders = 0;
  node_append(node, kv, &kv->put);
  kv->last[self].owed = true;
  return true;
}

static void node_message(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  struct kv_node *kv = state;
  struct kv_record record;
  if (kv->failed || !record_decode(bytes, size, &record)) return;
  if (record.type == RECORD_ACK) {
    if (kv->put.type != 0 && record.seq == kv->put.seq) node_held_by(node, kv, from);
    return;
  }
  if (record.owner != from) return;
  if (record.seq > kv->last[from].seq) node_append(node, kv, &record);
  if (kv->failed) return;
  kv->last[from].owed = true;
  if (kv->config->acknowledges_early) {
    record_send(node, from, &(struct kv_record){.type = RECORD_ACK, .owner = from, .seq = record.seq});
    kv->last[from].owed = false;
  }
  node_settle(node, kv);
}

static void node_timer(struct sim_node *node, void *state, uint32_t timer) {
  (void)timer;
  const struct kv_node *kv = state;
  /* The timer may be an earlier put's: what is not durable here must not leave. */
  bool durable = (kv->holders >> sim_node_number(node) & 1) != 0;
  if (kv->put.type != 0 && durable && !kv->failed) node_send_put(node, kv);
}

static void node_disk_done(struct sim_node *node, void *state, uint64_t token, int result) {
  struct kv_node *kv = state;
  if (result != SYNC_OK) kv->failed = true; /* nobody knows what is durable now */
  if (kv->failed) return;
  if (token == TOKEN_NAME) kv->named = true;
  if (token > kv->durable) kv->durable = token;
  node_settle(node, kv);
}

/* Reads the log up to its end or to the first record that was torn, and cuts it there. */
static int node_recover(const struct sync_env *env, struct kv_node *kv) {
  for (;;) {
    uint8_t bytes[RECORD_BYTES];
    size_t got = 0, done = 0;
    int status;
    do {
      status = env->ops->file_read(env->ctx, kv->log, kv->end + got, bytes + got, sizeof bytes - got, &done);
      got += done;
    } while (status == SYNC_E_INTERRUPTED || (status == SYNC_OK && done > 0 && got < sizeof bytes));
    if (status != SYNC_OK) return status;
    struct kv_record record;
    if (!record_decode(bytes, got, &record)) break;
    kv->end += sizeof bytes;
    node_apply(kv, &record, kv->end);
  }
  int status = env->ops->file_truncate(env->ctx, kv->log, kv->end);
  /* What a dead process wrote may be in the page cache only. */
  if (status == SYNC_OK) status = env->ops->file_fsync(env->ctx, kv->log, kv->end);
  if (status == SYNC_OK) status = env->ops->dir_fsync(env->ctx, TOKEN_NAME);
  return status;
}

static void *node_boot(struct sim_node *node, const void *config) {
  const struct sync_env *env = sim_node_env(node);
  struct kv_node *kv = env->ops->alloc(env->ctx, sizeof *kv, NODE_NOMINAL);
  if (kv == NULL) return NULL;
  memset(kv, 0, sizeof *kv);
  kv->config = config;
  int status = env->ops->file_open(env->ctx, "kv.log", SYNC_OPEN_CREATE, &kv->log);
  if (status == SYNC_OK) status = node_recover(env, kv);
  return status == SYNC_OK ? kv : NULL; /* memory and handles of a node that refuses to boot are dropped */
}

static uint64_t node_digest(struct sim_node *node, void *state) {
  (void)node;
  const struct kv_node *kv = state;
  uint64_t digest = 0;
  for (uint32_t i = 0; i < (NODES + 1) * KEYS; i++)
    digest = sim_hash_fold(digest, kv->values[i / KEYS][i % KEYS].value);
  return digest;
}

static void node_stop(struct sim_node *node, void *state) {
  const struct sync_env *env = sim_node_env(node);
  struct kv_node *kv = state;
  (void)env->ops->file_close(env->ctx, kv->log);
  env->ops->free(env->ctx, kv, sizeof *kv, NODE_NOMINAL);
}

static const struct sim_node_kind kv_kind = {.name = "kv",
                                             .boot = node_boot,
                                             .message = node_message,
                                             .timer = node_timer,
                                             .disk_done = node_disk_done,
                                             .digest = node_digest,
                                             .stop = node_stop};

/* --- The world around it ---------------------------------------------------------- */

enum { WAKE_CLIENT = 0, WAKE_CRASH = 1, WAKE_BOOT = 2 /* + node */ };
enum {
  CHOICE_GAP = SIM_CHOICE_USER,
  CHOICE_NODE,
  CHOICE_KEY,
  CHOICE_CRASH_GAP,
  CHOICE_VICTIM,
  CHOICE_HOW,
  CHOICE_CALL
};
#define RUN_NS (3 * SIM_SECOND)

struct observer { /* stands outside the nodes, in the world's memory */
  uint32_t driver;
  uint32_t puts;
  uint64_t acknowledged;
  struct kv_value promised[NODES + 1][KEYS]; /* the newest acknowledged puts */
};

static uint64_t between(struct sim_world *world, uint32_t choice, uint64_t low, uint64_t high) {
  return sim_range(world, sim_tag(choice, 0, sim_counter(world, choice, 0)), low, high);
}

/* The property: a node that is up holds every acknowledged put, or a newer one. */
static void check_node(struct sim_world *world, const struct observer *observer, uint32_t number) {
  const struct kv_node *kv = sim_node_peek(world, number);
  for (uint32_t owner = 1; kv != NULL && owner <= NODES; owner++) {
    for (uint32_t key = 0; key < KEYS; key++) {
      const struct kv_value *want = &observer->promised[owner][key], *have = &kv->values[owner][key];
      if (have->seq > want->seq || (have->seq == want->seq && have->value == want->value)) continue;
      const uint64_t subject[3] = {owner, want->seq, key};
      sim_violation(world, "acknowledged_puts_survive", number, subject,
                    "key %u of node %u: put %u was acknowledged, node %u has put %u", key, owner, want->seq, number,
                    have->seq);
    }
  }
}

static void observe(struct sim_world *world, void *self, uint32_t node, enum sync_trace_kind kind,
                    const uint64_t *fields, size_t count) {
  (void)world, (void)node, (void)count;
  struct observer *observer = self;
  if (kind != KV_ACKNOWLEDGED) return;
  observer->acknowledged++;
  observer->promised[fields[0]][fields[2]] = (struct kv_value){(uint32_t)fields[1], (uint32_t)fields[3]};
}

static void client_puts(struct sim_world *world, struct observer *observer) {
  uint32_t number = (uint32_t)between(world, CHOICE_NODE, 1, NODES);
  struct kv_node *kv = sim_node_enter(world, number);
  if (kv == NULL) return;
  uint32_t key = (uint32_t)between(world, CHOICE_KEY, 0, KEYS - 1);
  (void)node_put(sim_node_at(world, number), kv, key, ++observer->puts);
  (void)sim_node_leave(world, number);
}

/* Cuts the power between two events or inside one of the next calls, or kills the process. */
static uint32_t crash_one(struct sim_world *world) {
  uint32_t victim = (uint32_t)between(world, CHOICE_VICTIM, 1, NODES);
  switch (between(world, CHOICE_HOW, 0, 2)) {
  case 0:
    sim_node_process_crash(world, victim);
    break;
  case 1:
    sim_node_power_loss(world, victim);
    break;
  default:
    sim_node_arm(world, victim, between(world, CHOICE_CALL, 1, 10), false);
  }
  return victim;
}

static void wake(struct sim_world *world, void *self, uint64_t token) {
  struct observer *observer = self;
  uint64_t now = sim_now(world);
  if (token == WAKE_CLIENT) {
    client_puts(world, observer);
    sim_driver_at(world, observer->driver, now + between(world, CHOICE_GAP, SIM_MS, 10 * SIM_MS), WAKE_CLIENT);
  } else if (token == WAKE_CRASH) {
    uint64_t victim = crash_one(world);
    sim_driver_at(world, observer->driver, now + 30 * SIM_MS, WAKE_BOOT + victim);
    uint64_t gap = between(world, CHOICE_CRASH_GAP, 100 * SIM_MS, 300 * SIM_MS);
    sim_driver_at(world, observer->driver, now + gap, WAKE_CRASH);
  } else {
    uint32_t number = (uint32_t)token - WAKE_BOOT;
    sim_node_arm(world, number, 0, false);
    if (sim_node_boot(world, number)) check_node(world, observer, number);
  }
}

struct verdict {
  struct sim_violation violation;
  uint64_t hash, acknowledged, power_losses, lost;
};

static struct verdict run(struct sim *sim, uint64_t seed, bool fixed, struct sim_trace_log *log) {
  const struct sim_config config = {
      .source = {.seed = seed},
      .link = {.delay_min_ns = SIM_MS, .delay_max_ns = 5 * SIM_MS, .loss_ppm = 50000, .duplicate_ppm = 20000},
      .trace = log,
  };
  const struct kv_config kv = {.acknowledges_early = !fixed};
  struct sim_world *world = sim_world_begin(sim, &config);
  if (world == NULL) abort();
  struct observer *observer = sim_alloc(world, sizeof *observer);
  if (observer == NULL) abort();
  memset(observer, 0, sizeof *observer);
  for (uint32_t number = 1; number <= NODES; number++) {
    (void)sim_node_add(world, &kv_kind, &kv, sizeof kv);
    (void)sim_node_boot(world, number);
  }
  sim_on_node_trace(world, observe, observer);
  observer->driver = sim_driver_add(world, wake, observer);
  sim_driver_at(world, observer->driver, 10 * SIM_MS, WAKE_CLIENT);
  sim_driver_at(world, observer->driver, 100 * SIM_MS, WAKE_CRASH);
  (void)sim_run(sim, RUN_NS, UINT64_MAX);
  for (uint32_t number = 1; number <= NODES; number++)
    check_node(world, observer, number);
  for (uint32_t number = 1; number <= NODES && !sim_violation_get(world)->found; number++)
    if (sim_node_stop(world, number) != 0) sim_violation(world, "clean_stop", number, NULL, "memory was not freed");
  return (struct verdict){*sim_violation_get(world), sim_trace_hash(world), observer->acknowledged,
                          sim_fault(world, SIM_FAULT_POWER_LOSS)->firings +
                              sim_fault(world, SIM_FAULT_POWER_LOSS_IN_CALL)->firings,
                          sim_fault(world, SIM_FAULT_NET_LOSS)->firings};
}

/* --- Showing a failure -------------------------------------------------------------- */

/* What the failing node did with that put, and what its owner said of it. */
static bool matters(const struct sim_trace_record *record, const struct sim_violation *violation) {
  bool of_put = record->step == SIM_STEP_NODE_TRACE && record->fields[1] == violation->subject[0] &&
                record->fields[2] == violation->subject[1];
  if (record->node != violation->node) return of_put;
  switch (record->step) {
  case SIM_STEP_NODE_TRACE:
    return of_put;
  case SIM_STEP_SEND:
  case SIM_STEP_FILE_WRITE:
  case SIM_STEP_FSYNC_BEGIN:
  case SIM_STEP_FSYNC_DONE:
  case SIM_STEP_NODE_DOWN:
  case SIM_STEP_DISK_POWER_LOSS:
  case SIM_STEP_NODE_BOOT:
  case SIM_STEP_VIOLATION:
    return true;
  default:
    return false;
  }
}

/* From the moment when the failing node stored that put: the first lines and the last. */
static void print_what_matters(const struct sim_trace_log *log, const struct sim_violation *violation) {
  enum { BEFORE = 3, FIRST = 10, LAST = 8 }; /* write and fsync come before the node says that it stored */
  size_t count = sim_trace_log_count(log), begin = 0, all = 0, at = 0;
  for (size_t i = 0; i < count; i++) {
    const struct sim_trace_record *record = sim_trace_log_at(log, i);
    bool stored = record->node == violation->node && record->step == SIM_STEP_NODE_TRACE &&
                  record->fields[0] == (uint64_t)KV_STORED && matters(record, violation);
    if (stored) begin = i < BEFORE ? 0 : i - BEFORE;
  }
  for (size_t i = begin; i < count; i++)
    all += matters(sim_trace_log_at(log, i), violation);
  struct sim_trace_teller *teller = sim_trace_teller_create(log);
  if (teller == NULL) abort();
  for (size_t i = 0; i < count; i++) {
    const struct sim_trace_record *record = sim_trace_log_at(log, i);
    char line[512];
    sim_trace_see(teller, record);
    if (i < begin || !matters(record, violation)) continue;
    if (at++ == FIRST && all > FIRST + LAST) printf("  ... (--trace FILE writes all)\n");
    if (at > FIRST && at + LAST <= all) continue;
    (void)sim_trace_line(teller, record, line, sizeof line);
    printf("  %s\n", line);
  }
  sim_trace_teller_destroy(teller);
}

static int show(struct sim *sim, uint64_t seed, bool fixed, const char *trace_path) {
  struct sim_trace_log *log = sim_trace_log_create();
  if (log == NULL) abort();
  struct verdict verdict = run(sim, seed, fixed, log);
  const struct sim_violation *violation = &verdict.violation;
  printf("seed %" PRIu64 ": trace hash %016" PRIx64 ", %s\n", seed, verdict.hash,
         violation->found ? "FAILED" : "holds");
  if (violation->found) {
    printf("property %s, at %" PRIu64 ".%09" PRIu64 " s, event %" PRIu64 "\n%s\n", violation->property,
           violation->time_ns / SIM_SECOND, violation->time_ns % SIM_SECOND, violation->event, violation->detail);
    printf("the steps that matter (report 1000: stored, 1001: acknowledged; a owner, b seq, c key, d value):\n");
    print_what_matters(log, violation);
    printf("again: kv_node%s --seed %" PRIu64 "\n", fixed ? " --fixed" : "", seed);
  }
  int status = violation->found ? 1 : 0;
  if (trace_path != NULL) {
    FILE *file = fopen(trace_path, "w");
    bool wrote = file != NULL && sim_trace_log_write_text(log, NULL, file);
    if (file != NULL && fclose(file) != 0) wrote = false;
    if (!wrote) fprintf(stderr, "kv_node: cannot write %s\n", trace_path);
    if (!wrote) status = 2;
  }
  sim_trace_log_destroy(log);
  return status;
}

static int run_all(struct sim *sim, uint64_t seeds, bool fixed, const char *trace_path) {
  uint64_t acknowledged = 0, power_losses = 0, lost = 0;
  for (uint64_t seed = 1; seed <= seeds; seed++) {
    struct verdict verdict = run(sim, seed, fixed, NULL);
    if (verdict.violation.found) return show(sim, seed, fixed, trace_path);
    acknowledged += verdict.acknowledged;
    power_losses += verdict.power_losses;
    lost += verdict.lost;
  }
  printf("%" PRIu64 " seeds hold: %" PRIu64 " puts acknowledged, %" PRIu64 " power losses, %" PRIu64 " messages lost\n",
         seeds, acknowledged, power_losses, lost);
  return 0;
}

static bool number_of(const char *text, uint64_t *number) {
  char *end;
  if (text == NULL || text[0] < '0' || text[0] > '9') return false;
  *number = strtoull(text, &end, 0);
  return *end == '\0';
}

int main(int argc, char **argv) {
  bool fixed = false, one = false, understood = true;
  uint64_t seeds = 100, seed = 0;
  const char *trace_path = NULL;
  for (int i = 1; i < argc && understood; i++) {
    if (strcmp(argv[i], "--fixed") == 0)
      fixed = true;
    else if (strcmp(argv[i], "--seeds") == 0)
      understood = number_of(argv[++i], &seeds); /* argv ends with NULL */
    else if (strcmp(argv[i], "--seed") == 0)
      understood = one = number_of(argv[++i], &seed);
    else if (strcmp(argv[i], "--trace") == 0)
      understood = (trace_path = argv[++i]) != NULL;
    else
      understood = false;
  }
  if (!understood) {
    fprintf(stderr, "usage: kv_node [--fixed] [--seeds N] [--seed S] [--trace FILE]\n");
    return 2;
  }
  struct sim *sim = sim_open(&(struct sim_options){.arena_bytes = UINT64_C(1) << 26, .fill = SIM_FILL_NONE});
  if (sim == NULL) abort();
  int status = one ? show(sim, seed, fixed, trace_path) : run_all(sim, seeds, fixed, trace_path);
  sim_close(sim);
  return status;
}
