#include "tests/support/refusal_sweep.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "core/sync.h"
#include "tests/support/emulated.h"
#include "tests/support/replica.h"

#define SECOND_NS UINT64_C(1000000000)
#define OPS_MAX 32u
#define REMOTE 20u /* operations from here on are n1's */
#define REMOTES 6u
#define SMALL 31u /* fits where the others do not */
#define STEPS_MAX 40u
#define K_MAX 400u /* no action makes more calls of one kind */

/* --- Faults: the tables of docs/world.md -------------------------------------------- */

static const struct memory_env_fault faults[] = {
    {MEMORY_ENV_OPEN, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_OPEN, SYNC_E_IO, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_OPEN, SYNC_E_TOO_MANY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_OPEN, SYNC_E_NO_MEMORY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_OPEN, SYNC_E_INTERRUPTED, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_CREATE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_CREATE, SYNC_E_IO, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_CREATE, SYNC_E_TOO_MANY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_CREATE, SYNC_E_NO_MEMORY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_CREATE, SYNC_E_INTERRUPTED, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_CREATE, SYNC_E_NO_SPACE, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_CLOSE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_CLOSE, SYNC_E_NO_SPACE, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_READ, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_READ, SYNC_E_INTERRUPTED, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_WRITE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_WRITE, SYNC_E_IO, MEMORY_ENV_PART},
    {MEMORY_ENV_WRITE, SYNC_E_IO, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_WRITE, SYNC_E_INTERRUPTED, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_WRITE, SYNC_E_NO_SPACE, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_WRITE, SYNC_E_NO_SPACE, MEMORY_ENV_PART}, /* what fits is written, as real disks do */
    {MEMORY_ENV_TRUNCATE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_TRUNCATE, SYNC_E_IO, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_TRUNCATE, SYNC_E_INTERRUPTED, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_TRUNCATE, SYNC_E_NO_SPACE, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_SIZE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_SIZE, SYNC_E_NO_MEMORY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_RENAME, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_RENAME, SYNC_E_IO, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_RENAME, SYNC_E_NO_SPACE, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_RENAME, SYNC_E_NO_MEMORY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_UNLINK, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_UNLINK, SYNC_E_IO, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_UNLINK, SYNC_E_NO_MEMORY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_LIST, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_LIST, SYNC_E_TOO_MANY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_LIST, SYNC_E_NO_MEMORY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_FILE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_FILE, SYNC_E_TOO_MANY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_FILE, SYNC_E_NO_MEMORY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_FILE, SYNC_E_INTERRUPTED, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_DIR, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_DIR, SYNC_E_TOO_MANY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_DIR, SYNC_E_NO_MEMORY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_DIR, SYNC_E_INTERRUPTED, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_DONE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_DONE, SYNC_E_IO, MEMORY_ENV_PART},
    {MEMORY_ENV_FSYNC_DONE, SYNC_E_IO, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_FSYNC_DONE, SYNC_E_NO_SPACE, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_DONE, SYNC_E_NO_SPACE, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_ALLOC, SYNC_E_NO_MEMORY, MEMORY_ENV_NO_EFFECT},
};
#define FAULTS (sizeof faults / sizeof faults[0])

const char *const refusal_call_names[MEMORY_ENV_CALL_KINDS] = {
    "none",   "open",   "create", "close",          "read",          "write",           "truncate", "size",
    "rename", "unlink", "list",   "file_fsync ask", "dir_fsync ask", "fsync completed", "alloc",
};

/* Faults after which the engine stops: nobody knows what the disk holds. */
static bool must_stop(const struct memory_env_fault *fault) {
  return fault->call == MEMORY_ENV_FSYNC_DONE ||
         (fault->status == SYNC_E_IO && (fault->call == MEMORY_ENV_FSYNC_FILE || fault->call == MEMORY_ENV_FSYNC_DIR));
}
/* Faults after which it may. */
static bool may_stop(const struct memory_env_fault *fault, bool lasting) {
  if (must_stop(fault)) return true;
  if (fault->status != SYNC_E_IO) return false;
  return (fault->call == MEMORY_ENV_RENAME && fault->effect == MEMORY_ENV_EFFECT) ||
         (fault->call == MEMORY_ENV_WRITE && lasting);
}

/* --- Scripts ------------------------------------------------------------------------- */

enum step_kind {
  END = 0,
  SUBMIT,  /* operation `op`: two keys at once */
  FLUSH,   /* sync_flush */
  COMMIT,  /* sync_commit */
  PUMP,    /* completions of fsyncs, and those that they ask for */
  TICK,    /* past the idle mark's time */
  SEND,    /* sync_next_frame until there is none */
  ADD,     /* a peer that is `op` */
  REMOVE,  /* the peer that is `op` - 1 */
  RECEIVE, /* the frame of FRAME */
  OPEN,
  CLOSE,
  DIE,       /* the process */
  FILL,      /* the disk */
  CLEAR,     /* the disk again */
  MEET,      /* n0 and n1 become peers and greet each other */
  FRAME,     /* n1 writes REMOTES operations and makes a frame of them */
  STEP_KINDS /* how many there are */
};
struct step {
  enum step_kind kind;
  unsigned op;
};
static const char *const step_words[STEP_KINDS] = {
    "",        "put",  "flush", "commit", "pump", "tick",  "send", "add",   "remove",
    "receive", "open", "close", "die",    "fill", "clear", "meet", "frame",
};

/* What the operations should have come to. */
struct op {
  bool accepted, promised;
  bool written;        /* a flush or commit gave SYNC_OK since */
  unsigned order;      /* in which they were accepted */
  enum step_kind kind; /* SUBMIT, ADD, REMOVE */
  uint64_t end;
  uint64_t bytes; /* of its payload, when it is a submit */
};
static struct op ops[OPS_MAX];
static unsigned accepted_count;
static uint64_t undisturbed[OPS_MAX]; /* bytes of each where nothing failed */
static uint64_t opened_durable;       /* what was durable when the engine opened */

static struct replicas *world;
struct refusal_counts refusal_counts;

static struct replica *subject(void) {
  return &world->at[0];
}
static struct sync_engine *engine(void) {
  return world->at[0].engine;
}

struct snapshot {
  struct sync_digest digest;
  uint64_t appended, outbox, durable, submits, applied, store_bytes;
};
static struct snapshot snapshot_take(void) {
  struct snapshot snapshot;
  memset(&snapshot, 0, sizeof snapshot);
  if (engine() == NULL) return snapshot;
  sync_digest_get(engine(), &snapshot.digest);
  snapshot.appended = sync_appended_position(engine());
  snapshot.outbox = sync_outbox_size(engine());
  snapshot.durable = sync_durable_position(engine());
  struct sync_stats stats;
  sync_stats_get(engine(), &stats);
  snapshot.submits = stats.submits;
  snapshot.applied = stats.applied_remote;
  snapshot.store_bytes = stats.store_bytes;
  return snapshot;
}
static void expect_same_digest(const struct sync_digest *a, const struct sync_digest *b) {
  assert_true(a->state == b->state && a->vector == b->vector && a->keys == b->keys && a->siblings == b->siblings);
}
static void expect_honest_digest(void) {
  struct sync_digest kept, computed;
  sync_digest_get(engine(), &kept);
  sync_digest_recompute(engine(), &computed);
  expect_same_digest(&kept, &computed);
}

/* --- Operations ----------------------------------------------------------------------- */

#define TEXT 48u
static void op_text(char text[TEXT], char kind, unsigned op) {
  (void)snprintf(text, TEXT, op == SMALL ? "%c%02u" : "%c%02u-so-long-that-segments-are-soon-full", kind, op);
}

static int write_op(struct sync_engine *at, unsigned op) {
  char a[TEXT], b[TEXT];
  op_text(a, 'a', op);
  op_text(b, 'b', op);
  struct sync_change changes[] = {
      {.kind = SYNC_PUT, .key = a, .key_size = strlen(a), .value = b, .value_size = strlen(b)},
      {.kind = SYNC_PUT, .key = b, .key_size = strlen(b), .value = a, .value_size = strlen(a)},
  };
  return sync_write(at, changes, 2, NULL);
}

static int peer_named(void *arg, uint32_t peer) {
  const char *name = arg;
  struct sync_peer_info info;
  assert_int_equal(sync_peer_info(engine(), peer, &info), SYNC_OK);
  return strcmp(info.node_id, name) == 0 ? (int)peer + 1 : 0;
}
/* Its handle and one; 0: there is none. */
static uint32_t peer_of(unsigned op) {
  char name[16];
  (void)snprintf(name, sizeof name, "p%02u", op);
  return (uint32_t)sync_peers(engine(), peer_named, name);
}

static bool op_there(unsigned op) {
  if (ops[op].kind == ADD) /* a later REMOVE needs it to be promised */
    return peer_of(op) != 0 || (op + 1 < OPS_MAX && ops[op + 1].kind == REMOVE && ops[op].promised);
  if (ops[op].kind == REMOVE) return peer_of(op - 1) == 0;
  char a[TEXT], b[TEXT];
  op_text(a, 'a', op);
  op_text(b, 'b', op);
  bool first = replica_reads(world, 0, a, b), second = replica_reads(world, 0, b, a);
  assert_true(first == second); /* all or nothing */
  if (!first) assert_true(replica_reads(world, 0, a, NULL) && replica_reads(world, 0, b, NULL));
  return first;
}

static void op_accept(unsigned op) {
  assert_false(ops[op].accepted);
  ops[op].accepted = true;
  ops[op].order = ++accepted_count;
  ops[op].end = sync_appended_position(engine());
}
static void note_promises(void) {
  if (engine() == NULL) return;
  for (unsigned op = 0; op < OPS_MAX; op++)
    if (ops[op].accepted && ops[op].end <= sync_durable_position(engine())) ops[op].promised = true;
}

/* While the engine is open: what was accepted is there, and nothing else. */
static void expect_live(void) {
  for (unsigned op = 0; op < OPS_MAX; op++)
    if (ops[op].kind != END) assert_int_equal(op_there(op), ops[op].accepted);
  expect_honest_digest();
}
/* After an open: what was promised is there (what was written too, if only the process
 * died), what was refused is not, and what is there is a prefix of what was accepted. */
static void expect_recovered(bool only_the_process) {
  unsigned last = 0, lost = UINT32_MAX;
  for (unsigned op = 0; op < OPS_MAX; op++) {
    if (ops[op].kind == END) continue;
    bool there = op_there(op);
    if (ops[op].promised || (only_the_process && ops[op].written)) assert_true(there);
    if (!ops[op].accepted) assert_false(there);
    if (there && ops[op].order > last) last = ops[op].order;
    if (!there && ops[op].accepted && ops[op].order < lost) lost = ops[op].order;
  }
  assert_true(last < lost);
  for (unsigned op = 0; op < OPS_MAX; op++) {
    if (ops[op].kind == END) continue;
    bool there = op_there(op);
    ops[op].accepted = there;
    ops[op].promised = ops[op].promised && there;
    ops[op].written = there;
    /* Where it ends now is the report's word; all of it is below that. */
    if (there && !ops[op].promised) ops[op].end = sync_appended_position(engine());
  }
  expect_honest_digest();
}

/* --- Steps ------------------------------------------------------------------------------ */

/* The process dies, or the power goes: the engine finds no disk any more. */
static void die(bool power, enum memory_env_loss style, uint64_t seed) {
  struct replica *replica = subject();
  if (replica->engine != NULL) {
    replica->memory.powered_off = true;
    sync_close(replica->engine);
    replica->engine = NULL;
  }
  assert_int_equal(replica->memory.blocks, 0);
  if (power)
    memory_env_power_loss(&replica->memory, style, seed);
  else
    memory_env_process_crash(&replica->memory);
}
static int open_it(void) {
  struct replica *replica = subject();
  int rc = sync_open(&replica->engine, &replica->memory.env, &replica->options, &replica->report);
  if (rc == SYNC_OK) {
    opened_durable = sync_durable_position(replica->engine);
    return rc;
  }
  assert_null(replica->engine);
  assert_true(replica->report.detail[0] != '\0');
  assert_int_equal(replica->memory.blocks, 0);
  assert_int_equal(memory_env_handles(&replica->memory), 0);
  memory_env_process_crash(&replica->memory); /* fsyncs that it asked for are nobody's */
  return rc;
}
static void close_it(void) {
  struct replica *replica = subject();
  sync_close(replica->engine);
  replica->engine = NULL;
  assert_int_equal(replica->memory.blocks, 0);
  assert_int_equal(replica->memory.nominal_bytes, 0);
  assert_int_equal(memory_env_handles(&replica->memory), 0);
  memory_env_process_crash(&replica->memory);
}

static int pump(void) {
  uint64_t token;
  int result;
  while (memory_env_complete_next(&subject()->memory, &token, &result)) {
    uint64_t durable = sync_durable_position(engine());
    int rc = sync_disk_done(engine(), token, result);
    if (result != SYNC_OK) {
      assert_int_equal(rc, SYNC_E_FAILED);
      assert_int_equal(sync_durable_position(engine()), durable);
    }
    if (rc != SYNC_OK) return rc;
    note_promises();
  }
  return SYNC_OK;
}

static int send_all(void) {
  uint8_t buffer[1024 + SYNC_FRAME_OVERHEAD_BYTES];
  uint32_t peer;
  size_t size;
  int rc = SYNC_OK;
  while (rc == SYNC_OK)
    rc = sync_next_frame(engine(), &peer, buffer, sizeof buffer, &size); /* lost on the way */
  return rc == SYNC_E_NOT_FOUND ? SYNC_OK : rc;
}

static int receive_it(void) {
  int rc = replicas_deliver(world, 0, true);
  for (unsigned op = REMOTE; op < REMOTE + REMOTES; op++) {
    bool there = op_there(op);
    if (rc == SYNC_OK) assert_true(there);
    if (there && !ops[op].accepted) op_accept(op);
  }
  return rc;
}

static void make_frame(void) {
  for (unsigned op = REMOTE; op < REMOTE + REMOTES; op++) {
    assert_int_equal(write_op(world->at[1].engine, op), SYNC_OK);
    ops[op].kind = SUBMIT;
  }
  replica_flush(world, 1);
  assert_int_equal(replica_collect(world, 1), 1);
}

static uint64_t last_operation_bytes(void) {
  const struct oplog *oplog = &engine()->state.oplog;
  return oplog_at(oplog, oplog_end(oplog) - 1)->size;
}

static int step_do(const struct step *step) {
  int rc = SYNC_OK;
  char name[16];
  (void)snprintf(name, sizeof name, "p%02u", step->op);
  switch (step->kind) {
  case SUBMIT:
  case ADD:
  case REMOVE:
    ops[step->op].kind = step->kind;
    if (ops[step->op].accepted) return SYNC_OK;
    rc = step->kind == SUBMIT ? write_op(engine(), step->op)
         : step->kind == ADD  ? sync_peer_add(engine(), name, NULL)
                              : sync_peer_remove(engine(), peer_of(step->op - 1) - 1);
    if (rc != SYNC_OK) return rc;
    op_accept(step->op);
    ops[step->op].bytes = step->kind == SUBMIT ? last_operation_bytes() : 0;
    return rc;
  case FLUSH:
  case COMMIT:
    rc = step->kind == FLUSH ? sync_flush(engine()) : sync_commit(engine());
    /* It survives the process once anything of this run is durable (core/sync.h). */
    if (sync_durable_position(engine()) == opened_durable) return rc;
    for (unsigned op = 0; rc == SYNC_OK && op < OPS_MAX; op++)
      ops[op].written = ops[op].accepted;
    return rc;
  case PUMP:
    return pump();
  case TICK:
    subject()->memory.mono_ns += 2 * SECOND_NS;
    return sync_tick(engine(), NULL);
  case SEND:
    return send_all();
  case RECEIVE:
    return receive_it();
  case OPEN:
    if (engine() != NULL) return SYNC_OK;
    rc = open_it();
    if (rc == SYNC_OK) expect_recovered(true);
    return rc;
  case CLOSE:
    if (engine() != NULL) close_it();
    return SYNC_OK;
  case DIE:
    die(false, MEMORY_ENV_KEEP_ALL, 0);
    return SYNC_OK;
  case FILL:
    subject()->memory.disk_bytes_max = 1;
    return SYNC_OK;
  case CLEAR:
    subject()->memory.disk_bytes_max = 0;
    return SYNC_OK;
  case MEET:
    replicas_link(world, 0, 1);
    (void)replicas_settle(world, 60);
    return SYNC_OK;
  case FRAME:
    make_frame();
    return SYNC_OK;
  case END:
  case STEP_KINDS:
    break;
  }
  fail();
  return SYNC_E_INVALID;
}

/* --- What a refusal is -------------------------------------------------------------------- */

/* What core/sync.h says that the call may give for a fault of the disk or of memory. */
static bool is_documented(enum step_kind kind, int status) {
  if (status == SYNC_E_FAILED) return kind != OPEN;
  if (kind == PUMP || kind == TICK) return false;
  if (status == SYNC_E_IO) return true;
  if (kind == SEND) return false;
  return status == SYNC_E_NO_SPACE || status == SYNC_E_NO_MEMORY || status == SYNC_E_TOO_MANY;
}

static void expect_refusal(const struct step *step, int rc, const struct snapshot *before,
                           const struct memory_env_fault *fault, bool lasting) {
  refusal_counts.refusals++;
  assert_true(subject()->memory.fault_met > 0);
  assert_true(is_documented(step->kind, rc));
  assert_true(strncmp(sync_status_name(rc), "SYNC_E_", 7) == 0 && strcmp(sync_status_name(rc), "SYNC_E_UNKNOWN") != 0);
  assert_true(strlen(sync_status_message(rc)) > 8);
  if (rc == SYNC_E_FAILED)
    assert_true(may_stop(fault, lasting));
  else if (rc != fault->status)
    assert_int_equal(rc, SYNC_E_IO); /* interrupted for ever, could not be read back, stopped while it opened */
  if (engine() == NULL) return;
  expect_live();
  struct snapshot now = snapshot_take();
  assert_true(now.durable >= before->durable);
  if (step->kind == RECEIVE && now.digest.vector != before->digest.vector) return; /* the beginning of the frame */
  expect_same_digest(&now.digest, &before->digest);
  assert_true(now.outbox == before->outbox && now.submits == before->submits && now.applied == before->applied &&
              now.store_bytes == before->store_bytes);
  if (step->kind == TICK || step->kind == SEND || step->kind == PUMP)
    assert_true(now.appended >= before->appended); /* perhaps a mark */
  else
    assert_int_equal(now.appended, before->appended);
}

/* Whoever could not write takes no more, by the same name, until a write succeeds. */
static void expect_closed_to_more(int rc, bool lasting) {
  struct snapshot before = snapshot_take();
  assert_int_equal(write_op(engine(), OPS_MAX), rc);
  assert_int_equal(sync_peer_add(engine(), "stranger", NULL), rc);
  if (lasting) assert_int_equal(sync_flush(engine()), rc);
  struct snapshot now = snapshot_take();
  expect_same_digest(&now.digest, &before.digest);
  assert_int_equal(now.appended, before.appended);
  expect_live();
}

/* A stopped engine says so, whatever is asked; it still reads, and promises nothing more. */
static void expect_stopped(void) {
  refusal_counts.stops++;
  struct snapshot before = snapshot_take();
  uint8_t byte = 0;
  uint32_t peer;
  size_t size;
  assert_int_equal(write_op(engine(), OPS_MAX), SYNC_E_FAILED);
  assert_int_equal(sync_flush(engine()), SYNC_E_FAILED);
  assert_int_equal(sync_commit(engine()), SYNC_E_FAILED);
  assert_int_equal(sync_tick(engine(), NULL), SYNC_E_FAILED);
  assert_int_equal(sync_peer_add(engine(), "stranger", NULL), SYNC_E_FAILED);
  assert_int_equal(sync_peer_remove(engine(), 0), SYNC_E_FAILED);
  assert_int_equal(sync_peer_retry(engine(), 0), SYNC_E_FAILED);
  assert_int_equal(sync_receive(engine(), 0, &byte, 1), SYNC_E_FAILED);
  assert_int_equal(sync_next_frame(engine(), &peer, &byte, 1, &size), SYNC_E_FAILED);
  assert_true(sync_next_deadline(engine()) == SYNC_NO_DEADLINE);
  uint64_t token; /* what is still in flight ends, with success, and changes nothing any more */
  while (memory_env_complete(&subject()->memory, SYNC_OK, &token))
    assert_true(sync_disk_done(engine(), token, SYNC_OK) != SYNC_OK);
  struct snapshot now = snapshot_take();
  expect_same_digest(&now.digest, &before.digest);
  assert_true(now.appended == before.appended && now.durable == before.durable && now.outbox == before.outbox);
  expect_live();
}

static bool is_stopped(void) {
  struct sync_stats stats;
  sync_stats_get(engine(), &stats);
  return stats.failed;
}

/* --- One run -------------------------------------------------------------------------------- */

/* RETRIED_LATER: something smaller comes first and becomes durable. */
enum aftermath { RETRIED, RETRIED_LATER, PROCESS_DIED, POWER_LOST_ALL, POWER_KEPT_ALL, POWER_SECTORS, AFTERMATHS };

/* "put3 flush" and so on; closes with END. */
static void parse(const char *script, struct step steps[STEPS_MAX]) {
  size_t count = 0;
  while (*script != '\0') {
    size_t letters = strspn(script, "abcdefghijklmnopqrstuvwxyz");
    enum step_kind kind = SUBMIT;
    while (kind < STEP_KINDS && (strlen(step_words[kind]) != letters || memcmp(step_words[kind], script, letters) != 0))
      kind = (enum step_kind)(kind + 1);
    assert_true(kind < STEP_KINDS && count + 1 < STEPS_MAX);
    char *end = NULL;
    steps[count++] = (struct step){.kind = kind, .op = (unsigned)strtoul(script + letters, &end, 10)};
    assert_true(*end == ' ' || *end == '\0');
    script = *end == ' ' ? end + 1 : end;
  }
  steps[count] = (struct step){.kind = END};
}
static int steps_do(const struct step *step) {
  int rc = SYNC_OK;
  for (; rc == SYNC_OK && step->kind != END; step++)
    rc = step_do(step);
  return rc;
}

static void begin(const struct refusal_action *action) {
  memset(ops, 0, sizeof ops);
  accepted_count = 0;
  replicas_init(world, action->replicas);
  for (uint32_t i = 0; i < action->replicas; i++) {
    replica_close(world, i);
    world->at[i].options.value_bytes_max = 1024;
    if (i == 0) world->at[i].options.segment_bytes = action->segment_bytes;
    replica_open(world, i);
  }
  opened_durable = sync_durable_position(engine());
  struct step before[STEPS_MAX];
  parse(action->before, before);
  assert_int_equal(steps_do(before), SYNC_OK);
}

static void reopen(bool only_the_process) {
  int rc = open_it();
  if (rc != SYNC_OK) print_error("open: %s: %s\n", sync_status_name(rc), subject()->report.detail);
  assert_int_equal(rc, SYNC_OK);
  expect_recovered(only_the_process);
}

/* A retry: at once, or after a flush where a write has to succeed first. */
static void expect_retry_succeeds(const struct step *step) {
  int rc = step_do(step);
  if (rc != SYNC_OK && (step->kind == SUBMIT || step->kind == ADD || step->kind == REMOVE || step->kind == RECEIVE)) {
    assert_int_equal(sync_flush(engine()), SYNC_OK);
    rc = step_do(step);
  }
  if (rc != SYNC_OK && step->kind == SEND) { /* "it is retried later" */
    subject()->memory.mono_ns += 20 * SECOND_NS;
    assert_int_equal(sync_tick(engine(), NULL), SYNC_OK);
    rc = step_do(step);
  }
  assert_int_equal(rc, SYNC_OK);
}

static void finish(const struct refusal_action *action) {
  /* Whoever follows its deadlines has all of it durable soon. */
  uint64_t until_ns = subject()->memory.mono_ns + 3 * SECOND_NS;
  assert_int_equal(pump(), SYNC_OK);
  for (unsigned round = 0; sync_next_deadline(engine()) <= until_ns; round++) {
    assert_true(round < 100);
    if (subject()->memory.mono_ns < sync_next_deadline(engine()))
      subject()->memory.mono_ns = sync_next_deadline(engine());
    assert_int_equal(sync_tick(engine(), NULL), SYNC_OK);
    assert_int_equal(send_all(), SYNC_OK);
    assert_int_equal(pump(), SYNC_OK);
  }
  note_promises();
  for (unsigned op = 0; op < OPS_MAX; op++)
    if (ops[op].kind != END) assert_true(ops[op].accepted && ops[op].promised);
  expect_live();
  if (action->replicas > 1) {
    replicas_drop_all(world);
    for (unsigned round = 0; round < 4; round++) {
      replicas_advance(world, 16 * SECOND_NS);
      (void)replicas_settle(world, 100);
    }
    assert_true(replicas_agree(world));
    assert_int_equal(sync_outbox_size(engine()), 0);
  }
  struct snapshot before = snapshot_take(), now;
  die(true, MEMORY_ENV_LOSE_ALL, 0);
  reopen(false);
  now = snapshot_take();
  expect_same_digest(&now.digest, &before.digest);
  assert_true(now.outbox >= before.outbox); /* until the peer says again what it holds */
  close_it();
  reopen(true);
  now = snapshot_take();
  expect_same_digest(&now.digest, &before.digest);
  replicas_destroy(world);
}

/* Whether the fault was met. */
static bool run(const struct refusal_action *action, const struct memory_env_fault *fault, uint64_t k, uint64_t times,
                enum aftermath aftermath) {
  bool lasting = times > 1;
  begin(action);
  refusal_counts.runs++;
  struct memory_env *memory = &subject()->memory;
  memory_env_fail(memory, fault, k, times);
  struct step act[STEPS_MAX];
  parse(action->act, act);
  const struct step *step = act;
  int rc = SYNC_OK;
  uint64_t segments = memory->traced_kind[SYNC_TRACE_ROTATE];
  for (; step->kind != END; step++) {
    struct snapshot before = snapshot_take();
    rc = step_do(step);
    note_promises();
    if (rc != SYNC_OK) {
      expect_refusal(step, rc, &before, fault, lasting);
      break;
    }
    if (engine() != NULL) expect_live();
    /* Without the names, or the size of the tail, nobody can say what the log holds. */
    if (step->kind == OPEN && memory->fault_met > 0 && fault->status != SYNC_E_INTERRUPTED)
      assert_true(fault->call != MEMORY_ENV_LIST && fault->call != MEMORY_ENV_SIZE);
  }
  bool struck = memory->fault_met > 0;
  refusal_counts.moves += memory->traced_kind[SYNC_TRACE_ROTATE] - segments;
  bool stopped = engine() != NULL && is_stopped();
  if (struck && must_stop(fault) && engine() != NULL) assert_true(stopped);
  if (stopped) expect_stopped();
  if (rc != SYNC_OK && !stopped && step->kind == FLUSH) expect_closed_to_more(rc, lasting);
  memory_env_heal(memory);
  bool retried = aftermath == RETRIED || aftermath == RETRIED_LATER;
  /* What a completion met is seen by the next commit. */
  if (struck && engine() != NULL && !stopped && retried && may_stop(fault, lasting)) {
    rc = sync_commit(engine());
    stopped = rc == SYNC_E_FAILED;
    assert_int_equal(stopped, is_stopped());
    if (stopped) expect_stopped();
  }
  if (retried && engine() != NULL && !stopped) {
    if (aftermath == RETRIED_LATER) {
      expect_retry_succeeds(&(struct step){.kind = SUBMIT, .op = SMALL});
      expect_retry_succeeds(&(struct step){.kind = COMMIT});
      expect_retry_succeeds(&(struct step){.kind = PUMP});
    }
    for (; step->kind != END; step++)
      expect_retry_succeeds(step);
    /* A retry says what the refused one would have said: it names all that its writer had seen. */
    for (unsigned op = 0; aftermath == RETRIED && op < OPS_MAX; op++)
      assert_int_equal(ops[op].bytes, undisturbed[op]);
  } else {
    bool power = aftermath >= POWER_LOST_ALL;
    if (retried && engine() != NULL)
      close_it();
    else
      die(power,
          aftermath == POWER_LOST_ALL   ? MEMORY_ENV_LOSE_ALL
          : aftermath == POWER_KEPT_ALL ? MEMORY_ENV_KEEP_ALL
                                        : MEMORY_ENV_SECTORS,
          k);
    /* Whose page cache a failed fsync threw away has lost what it had written. */
    bool reverted = struck && fault->call == MEMORY_ENV_FSYNC_DONE && fault->effect == MEMORY_ENV_PART;
    reopen(!power && !reverted);
    for (unsigned op = 0; op < REMOTE; op++) /* whoever lost some submits them again */
      if (ops[op].kind == SUBMIT) expect_retry_succeeds(&(struct step){.kind = SUBMIT, .op = op});
    for (step = act; step->kind != END; step++)
      if (step->kind != CLOSE) expect_retry_succeeds(step);
  }
  if (engine() == NULL) reopen(true);
  finish(action);
  return struck;
}

/* Which kinds of calls the action makes, counted without a fault. */
static void count_calls(const struct refusal_action *action, uint64_t calls[MEMORY_ENV_CALL_KINDS]) {
  begin(action);
  memcpy(calls, subject()->memory.calls_of, sizeof subject()->memory.calls_of);
  struct step act[STEPS_MAX];
  parse(action->act, act);
  assert_int_equal(steps_do(act), SYNC_OK);
  for (unsigned op = 0; op < OPS_MAX; op++)
    undisturbed[op] = ops[op].bytes;
  for (unsigned i = 0; i < MEMORY_ENV_CALL_KINDS; i++)
    calls[i] = subject()->memory.calls_of[i] - calls[i];
  if (engine() == NULL) reopen(true);
  finish(action);
}

static struct {
  const char *action;
  const struct memory_env_fault *fault;
  unsigned k;
  uint64_t times;
  enum aftermath aftermath;
} now_at;

int refusal_tell_where(void **state) {
  (void)state;
  if (now_at.action != NULL)
    print_error("last: %s; %s number %u gives %s, effect %u, %" PRIu64 " times, aftermath %u\n", now_at.action,
                refusal_call_names[now_at.fault->call], now_at.k, sync_status_name(now_at.fault->status),
                (unsigned)now_at.fault->effect, now_at.times, (unsigned)now_at.aftermath);
  return 0;
}

void refusal_sweep(const struct refusal_action *action) {
  uint64_t calls[MEMORY_ENV_CALL_KINDS];
  now_at.action = NULL;
  count_calls(action, calls);
  for (size_t i = 0; i < FAULTS; i++) {
    const struct memory_env_fault *fault = &faults[i];
    if (calls[fault->call] == 0) continue;
    for (unsigned mode = 0; mode < 2u * AFTERMATHS; mode++) {
      bool lasting = mode >= AFTERMATHS;
      enum aftermath aftermath = (enum aftermath)(mode % AFTERMATHS);
      /* Emulated, a run takes twenty times as long; the others take the same paths of core/. */
      if (emulated() && (lasting != (action->times > 0) || (aftermath != RETRIED && aftermath != POWER_LOST_ALL)))
        continue;
      unsigned k = 1;
      for (;; k++) {
        now_at.action = action->name;
        now_at.fault = fault;
        now_at.k = k;
        now_at.times = lasting ? (action->times > 0 ? action->times : UINT64_MAX) : 1;
        now_at.aftermath = aftermath;
        assert_true(k < K_MAX);
        if (!run(action, fault, k, now_at.times, aftermath)) break;
        refusal_counts.met[fault->call]++;
      }
      assert_true(k > 1);
    }
  }
  now_at.action = NULL;
}

void refusal_begin(void) {
  world = calloc(1, sizeof *world);
  assert_non_null(world);
}

void refusal_end(void) {
  free(world);
  world = NULL;
}
