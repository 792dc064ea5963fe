/* Without faults the simulated disk is a disk: random sequences of calls give
 * the same results and the same bytes on it as on a real directory.
 *
 *   DISK_DIFFERENTIAL_SEQUENCES  how many: 100,000; 20,000 with sanitizers;
 *                                3,000 where /dev/shm cannot be used
 *   DISK_DIFFERENTIAL_SEED       of the first: 1; each next one counts up
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/sync.h"
#include "posix/posix_env.h"
#include "sim/memory/memory_check.h"
#include "sim/sim.h"
#include "tests/support/temp_directory.h"

#define FILES_MAX 6u /* open at once: few, so that the bound is met */
#define STEPS_MAX 40u
#define BYTES_MAX 32768u
#define TEXT_BYTES 16384u
#define MEMORY "/dev/shm"

#define LONGEST "sixty-three-bytes-are-the-most-that-a-name-may-have-in-the-port"
_Static_assert(sizeof LONGEST - 1 == 63, "as it says");
static const char *const GOOD_NAMES[] = {"a", "b", "B-2", "c.log", "...", "lock2", LONGEST};
static const char *const BAD_NAMES[] = {"",     ".",   "..",  "lock",      "a/b",  "/a",
                                        "a/",   "a b", "a\n", "\xc3\xa9",  "a:b",  (LONGEST "x"),
                                        "../b", "~",   "*",   "\x01\x02z", "a\\b", (LONGEST LONGEST)};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum call { OPEN, CLOSE, READ, WRITE, TRUNCATE, SIZE, RENAME, UNLINK, LIST, FSYNC, DIR_FSYNC, SETTLE, RESTART, CALLS };
static const char *const CALL_NAMES[CALLS] = {
    "file_open",   "file_close", "file_read",  "file_write", "file_truncate",    "file_size", "file_rename",
    "file_unlink", "dir_list",   "file_fsync", "dir_fsync",  "take completions", "restart"};

struct step {
  enum call call;
  const char *name, *to;
  uint32_t flags;
  sync_file file;
  uint64_t offset; /* or size of a truncate */
  size_t size;
  uint8_t salt; /* of the bytes to write */
};

/* All that a caller can see of one call. */
struct outcome {
  int status;
  uint64_t value; /* handle, size, or sum of tokens */
  size_t size;
  uint8_t bytes[BYTES_MAX]; /* read, or names as lines */
};

struct side {
  const struct sync_env *env;
  struct outcome outcome;
};

struct both {
  struct sim *sim;
  struct sim_world *world;
  struct temp_directory directory;
  struct sync_posix *posix;
  struct side simulated, real;
  const struct sync_env_ops *broken; /* instead of the simulated disk's; NULL: none */
  struct sync_env broken_env;
  uint64_t random;
  uint32_t open; /* bit per handle */
  uint64_t seen[CALLS][2];
  uint64_t statuses[32];
};

/* --- The simulated side --------------------------------------------------------- */

/* State and config of the node is where its completions add up. */
static void *boot(struct sim_node *node, const void *config) {
  (void)node;
  struct side *side;
  memcpy(&side, config, sizeof(struct side *));
  return side;
}
static void message(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  (void)node, (void)state, (void)from, (void)bytes, (void)size;
}
static void timer(struct sim_node *node, void *state, uint32_t number) {
  (void)node, (void)state, (void)number;
}
static void add_completion(struct side *side, uint64_t token, int result) {
  side->outcome.value += token * token; /* they may come in any order */
  side->outcome.size++;
  if (result != SYNC_OK) side->outcome.status = result;
}
static void disk_done(struct sim_node *node, void *state, uint64_t token, int result) {
  (void)node;
  add_completion(state, token, result);
}
static void stop(struct sim_node *node, void *state) {
  (void)node, (void)state;
}
static const struct sim_node_kind caller_kind = {
    .name = "caller", .boot = boot, .message = message, .timer = timer, .disk_done = disk_done, .stop = stop};

static void simulated_begin(struct both *both, uint64_t seed) {
  struct sim_config config = {.source = {.seed = seed}, .disk = {.handles_max = FILES_MAX}};
  both->world = sim_world_begin(both->sim, &config);
  assert_non_null(both->world);
  struct side *side = &both->simulated;
  assert_int_equal(sim_node_add(both->world, &caller_kind, &side, sizeof(struct side *)), 1);
  assert_true(sim_node_boot(both->world, 1));
  both->broken_env = *sim_node_env(sim_node_at(both->world, 1));
  if (both->broken != NULL) both->broken_env.ops = both->broken;
  side->env = &both->broken_env;
  assert_non_null(sim_node_enter(both->world, 1));
}

static void simulated_settle(struct both *both) {
  assert_true(sim_node_leave(both->world, 1));
  assert_int_equal(sim_run(both->sim, UINT64_MAX, UINT64_MAX), SIM_END_IDLE);
  assert_non_null(sim_node_enter(both->world, 1));
}

/* The page cache outlives a process; all that was made durable outlives power. */
static void simulated_restart(struct both *both, bool power) {
  assert_true(sim_node_leave(both->world, 1));
  if (power) {
    sim_disk_sync_all(sim_node_disk(sim_node_at(both->world, 1)));
    sim_node_power_loss(both->world, 1);
  } else {
    sim_node_process_crash(both->world, 1);
  }
  assert_true(sim_node_boot(both->world, 1));
  assert_non_null(sim_node_enter(both->world, 1));
}

/* --- The real side ---------------------------------------------------------------- */

static void real_open(struct both *both) {
  struct sync_posix_options options = {
      .directory = both->directory.path, .fsync_mode = SYNC_POSIX_FSYNC_INLINE, .files_max = FILES_MAX};
  assert_int_equal(sync_posix_open(&both->posix, &options), SYNC_OK);
  both->real.env = sync_posix_env(both->posix);
}

static void real_settle(struct both *both) {
  uint64_t token;
  int result;
  while (sync_posix_next_completion(both->posix, &token, &result))
    add_completion(&both->real, token, result);
}

static void real_clear(struct both *both) {
  const struct sync_env *env = both->real.env;
  for (size_t i = 0; i < COUNT(GOOD_NAMES); i++)
    (void)env->ops->file_unlink(env->ctx, GOOD_NAMES[i]);
  for (sync_file file = 0; file < (sync_file)FILES_MAX; file++)
    (void)env->ops->file_close(env->ctx, file);
  real_settle(both);
}

/* Real files in memory: a real disk takes its time for each fsync. In a bare
 * chroot the folder is there and on disk. */
static bool in_memory(void) {
  struct statfs about;
  return access(MEMORY, W_OK | X_OK) == 0 && statfs(MEMORY, &about) == 0 && about.f_type == TMPFS_MAGIC;
}

static void both_open(struct both *both) {
  memset(both, 0, sizeof *both);
  struct sim_options options = {.arena_bytes = UINT64_C(1) << 26, .fill = 0xa5};
  both->sim = sim_open(&options);
  assert_non_null(both->sim);
  if (setenv("TMPDIR", in_memory() ? MEMORY : access("build", W_OK | X_OK) == 0 ? "build" : "/tmp", 1) != 0) fail();
  temp_directory_init(&both->directory);
  real_open(both);
}

static void both_close(struct both *both) {
  sync_posix_close(both->posix);
  temp_directory_deinit(&both->directory);
  sim_close(both->sim);
}

/* --- Steps ------------------------------------------------------------------------ */

static uint64_t draw(struct both *both, uint64_t below) {
  both->random += UINT64_C(0x9e3779b97f4a7c15);
  return sim_hash_fold(sim_hash_fold(1, both->random), both->random >> 7) % below;
}

static const char *draw_name(struct both *both) {
  if (draw(both, 16) == 0) return BAD_NAMES[draw(both, COUNT(BAD_NAMES))];
  uint64_t some = draw(both, 3) == 0 ? COUNT(GOOD_NAMES) : 3; /* names must meet */
  return GOOD_NAMES[draw(both, some)];
}

static sync_file draw_file(struct both *both) {
  static const sync_file odd[] = {-1, INT32_MIN, INT32_MAX, FILES_MAX, FILES_MAX + 1, 255, 65536};
  uint64_t how = draw(both, 24);
  if (how == 0) return odd[draw(both, COUNT(odd))];
  if (how == 1) return (sync_file)draw(both, FILES_MAX); /* open or not */
  sync_file file = (sync_file)draw(both, FILES_MAX);
  for (uint32_t i = 0; i < FILES_MAX && (both->open >> file & 1) == 0; i++)
    file = (file + 1) % (sync_file)FILES_MAX;
  return file;
}

static uint64_t draw_offset(struct both *both, bool far) {
  static const uint64_t odd[] = {UINT64_MAX, (uint64_t)INT64_MAX + 1, INT64_MAX, (uint64_t)INT64_MAX - 1};
  switch (draw(both, far ? 10 : 9)) {
  case 0:
    return odd[draw(both, 2)]; /* never valid */
  case 1:
  case 2:
    return draw(both, 12288);
  case 3: /* round the ends of pages */
    return 4095 + 4096 * draw(both, 3) + draw(both, 3);
  case 9:
    return draw(both, 2) ? odd[2 + draw(both, 2)] : UINT64_C(1) << (20 + draw(both, 40));
  default:
    return draw(both, 200);
  }
}

static size_t draw_size(struct both *both) {
  switch (draw(both, 8)) {
  case 0:
    return 0;
  case 1:
    return (size_t)draw(both, 9000);
  case 2:
    return 4096 - 2 + (size_t)draw(both, 4);
  default:
    return (size_t)draw(both, 120);
  }
}

static struct step draw_step(struct both *both) {
  static const uint8_t often[] = {OPEN,   OPEN,   OPEN,   OPEN, OPEN,     CLOSE,     CLOSE,    READ,
                                  READ,   READ,   READ,   READ, WRITE,    WRITE,     WRITE,    WRITE,
                                  WRITE,  WRITE,  SIZE,   SIZE, TRUNCATE, TRUNCATE,  TRUNCATE, RENAME,
                                  RENAME, UNLINK, UNLINK, LIST, FSYNC,    DIR_FSYNC, SETTLE};
  struct step step = {.call = (enum call)often[draw(both, COUNT(often))]};
  if (draw(both, 150) == 0) step.call = RESTART;
  step.name = draw_name(both);
  step.to = draw(both, 8) == 0 ? step.name : draw_name(both);
  step.file = draw_file(both);
  step.offset = draw_offset(both, step.call == READ);
  step.size = draw_size(both);
  step.salt = (uint8_t)draw(both, 256);
  if (step.call == OPEN) {
    step.flags = draw(both, 2) ? SYNC_OPEN_CREATE : (uint32_t)draw(both, 8);
    if (draw(both, 40) == 0) step.flags |= draw(both, 2) ? 8u : UINT32_C(1) << 31;
  } else if (step.call == LIST) {
    step.flags = draw(both, 4) ? 0 : 1 + (uint32_t)draw(both, 3); /* `each` ends it at that name */
  } else if (step.call == RESTART) {
    step.flags = (uint32_t)draw(both, 2); /* 1: the power goes, too */
  }
  return step;
}

static int describe(const struct step *step, char *text, size_t size) {
  const char *call = CALL_NAMES[step->call];
  switch (step->call) {
  case OPEN:
    return snprintf(text, size, "%s(\"%s\", flags 0x%" PRIx32 ")", call, step->name, step->flags);
  case READ:
  case WRITE:
    return snprintf(text, size, "%s(%" PRId32 ", offset %" PRIu64 ", %zu bytes)", call, step->file, step->offset,
                    step->size);
  case TRUNCATE:
    return snprintf(text, size, "%s(%" PRId32 ", %" PRIu64 ")", call, step->file, step->offset);
  case RENAME:
    return snprintf(text, size, "%s(\"%s\", \"%s\")", call, step->name, step->to);
  case UNLINK:
    return snprintf(text, size, "%s(\"%s\")", call, step->name);
  case CLOSE:
  case SIZE:
  case FSYNC:
    return snprintf(text, size, "%s(%" PRId32 ")", call, step->file);
  case RESTART:
    return snprintf(text, size, "%s", step->flags ? "everything durable, then power loss" : "process crash");
  default:
    return snprintf(text, size, "%s", call);
  }
}

struct listing {
  struct outcome *outcome;
  uint32_t left; /* 0: no end */
};

static int list_each(void *arg, const char *name) {
  struct listing *listing = arg;
  struct outcome *outcome = listing->outcome;
  size_t size = strlen(name);
  assert_true(outcome->size + size + 1 <= sizeof outcome->bytes);
  memcpy(outcome->bytes + outcome->size, name, size);
  outcome->bytes[outcome->size + size] = '\n';
  outcome->size += size + 1;
  return listing->left > 0 && --listing->left == 0 ? 77 : 0;
}

static int write_pattern(const struct sync_env *env, const struct step *step, size_t *done) {
  uint8_t bytes[BYTES_MAX];
  assert_true(step->size <= sizeof bytes);
  for (size_t i = 0; i < step->size; i++)
    bytes[i] = (uint8_t)(step->salt + i * 7 + (i >> 8));
  return env->ops->file_write(env->ctx, step->file, step->offset, bytes, step->size, done);
}

/* One call on one side; `token` names an fsync. */
static void perform(struct side *side, const struct step *step, uint64_t token) {
  const struct sync_env_ops *ops = side->env->ops;
  void *ctx = side->env->ctx;
  struct outcome *outcome = &side->outcome;
  sync_file file = -1;
  size_t done = 0;
  struct listing listing = {outcome, step->flags};
  outcome->size = 0;
  outcome->value = 0;
  outcome->status = SYNC_OK;
  switch (step->call) {
  case OPEN:
    outcome->status = ops->file_open(ctx, step->name, step->flags, &file);
    /* Which number is not promised, but both take the lowest, and one table of handles is enough here. */
    if (outcome->status == SYNC_OK) outcome->value = (uint64_t)file;
    break;
  case CLOSE:
    outcome->status = ops->file_close(ctx, step->file);
    break;
  case READ:
    outcome->status = ops->file_read(ctx, step->file, step->offset, outcome->bytes, step->size, &outcome->size);
    break;
  case WRITE:
    outcome->status = write_pattern(side->env, step, &done);
    outcome->value = done;
    break;
  case TRUNCATE:
    outcome->status = ops->file_truncate(ctx, step->file, step->offset);
    break;
  case SIZE:
    outcome->status = ops->file_size(ctx, step->file, &outcome->value);
    if (outcome->status != SYNC_OK) outcome->value = 0; /* not promised */
    break;
  case RENAME:
    outcome->status = ops->file_rename(ctx, step->name, step->to);
    break;
  case UNLINK:
    outcome->status = ops->file_unlink(ctx, step->name);
    break;
  case LIST:
    outcome->status = ops->dir_list(ctx, list_each, &listing);
    break;
  case FSYNC:
    outcome->status = ops->file_fsync(ctx, step->file, token);
    break;
  case DIR_FSYNC:
    outcome->status = ops->dir_fsync(ctx, token);
    break;
  default:
    break;
  }
}

/* One step on both sides. false: they differ. */
static bool step_both(struct both *both, const struct step *step, uint64_t token) {
  perform(&both->simulated, step, token);
  perform(&both->real, step, token);
  if (step->call == SETTLE) {
    simulated_settle(both);
    real_settle(both);
  } else if (step->call == RESTART) {
    simulated_restart(both, step->flags != 0);
    sync_posix_close(both->posix);
    real_open(both);
    both->open = 0;
  }
  const struct outcome *a = &both->simulated.outcome, *b = &both->real.outcome;
  both->seen[step->call][b->status != SYNC_OK]++;
  if (b->status <= 0 && b->status > -32) both->statuses[-b->status]++;
  if (a->status != b->status || a->value != b->value || a->size != b->size) return false;
  if (step->call != SETTLE && memcmp(a->bytes, b->bytes, a->size) != 0) return false;
  if (step->call == OPEN && a->status == SYNC_OK) both->open |= UINT32_C(1) << a->value;
  if (step->call == CLOSE && a->status == SYNC_OK) both->open &= ~(UINT32_C(1) << step->file);
  return true;
}

/* --- Sequences ---------------------------------------------------------------------- */

struct report {
  char text[TEXT_BYTES];
  size_t size;
};

__attribute__((format(printf, 2, 3))) static void report_text(struct report *report, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int wrote = vsnprintf(report->text + report->size, sizeof report->text - report->size, format, arguments);
  va_end(arguments);
  assert_true(wrote >= 0 && (size_t)wrote < sizeof report->text - report->size);
  report->size += (size_t)wrote;
}

static void report_step(struct report *report, struct both *both, const struct step *step, bool equal) {
  char call[256];
  const struct outcome *a = &both->simulated.outcome, *b = &both->real.outcome;
  if (report == NULL) return;
  describe(step, call, sizeof call);
  report_text(report, "  %s -> %s, %" PRIu64 ", %zu\n", call, sync_status_name(a->status), a->value, a->size);
  if (equal) return;
  size_t at = 0;
  while (at < a->size && at < b->size && a->bytes[at] == b->bytes[at])
    at++;
  report_text(report, "    real: %s, %" PRIu64 ", %zu; bytes differ from %zu on\n", sync_status_name(b->status),
              b->value, b->size, at);
}

static bool step_reported(struct both *both, struct step step, uint64_t token, struct report *report) {
  bool equal = step_both(both, &step, token);
  report_step(report, both, &step, equal);
  return equal;
}

/* Looks at everything that is there: through handles, then by names. */
static bool same_in_the_end(struct both *both, struct report *report) {
  uint64_t bytes = 0;
  for (sync_file file = 0; file < (sync_file)FILES_MAX; file++) {
    if ((both->open >> file & 1) == 0) continue;
    if (!step_reported(both, (struct step){.call = SIZE, .file = file}, 0, report)) return false;
    if (!step_reported(both, (struct step){.call = READ, .file = file, .size = BYTES_MAX}, 0, report)) return false;
    if (!step_reported(both, (struct step){.call = CLOSE, .file = file}, 0, report)) return false;
  }
  if (!step_reported(both, (struct step){.call = SETTLE}, 0, report)) return false;
  if (!step_reported(both, (struct step){.call = LIST}, 0, report)) return false;
  for (size_t i = 0; i < COUNT(GOOD_NAMES); i++) {
    if (!step_reported(both, (struct step){.call = OPEN, .name = GOOD_NAMES[i]}, 0, report)) return false;
    if (both->real.outcome.status != SYNC_OK) continue;
    sync_file file = (sync_file)both->real.outcome.value;
    if (!step_reported(both, (struct step){.call = READ, .file = file, .size = BYTES_MAX}, 0, report)) return false;
    bytes += both->real.outcome.size;
    if (!step_reported(both, (struct step){.call = CLOSE, .file = file}, 0, report)) return false;
  }
  uint64_t used = sim_disk_used_bytes(sim_node_disk(sim_node_at(both->world, 1)));
  if (used != bytes && report != NULL)
    report_text(report, "  the simulated disk counts %" PRIu64 " bytes, the files have %" PRIu64 "\n", used, bytes);
  return used == bytes;
}

/* The first `length` calls of a seed's sequence. false: the sides differ. */
static bool run(struct both *both, uint64_t seed, uint32_t length, struct report *report) {
  both->random = sim_hash_fold(2, seed);
  both->open = 0;
  simulated_begin(both, seed);
  uint32_t steps = 20 + (uint32_t)draw(both, STEPS_MAX - 20 + 1);
  if (steps > length) steps = length;
  bool equal = true;
  for (uint32_t i = 0; equal && i < steps; i++)
    equal = step_reported(both, draw_step(both), i + 1, report);
  if (report != NULL) report_text(report, "  (the end: a look at everything)\n");
  equal = equal && same_in_the_end(both, report);
  (void)sim_node_leave(both->world, 1);
  real_clear(both);
  return equal;
}

/* The shortest prefix of a differing sequence, as text. Returns its length. */
static uint32_t explain(struct both *both, uint64_t seed, struct report *report) {
  uint32_t length = 0;
  bool equal = true;
  while (equal && length <= STEPS_MAX) {
    memset(report, 0, sizeof *report);
    equal = run(both, seed, ++length, report);
  }
  return length;
}

/* --- Tests -------------------------------------------------------------------------- */

static uint64_t number_from(const char *variable, uint64_t otherwise) {
  const char *text = getenv(variable);
  return text != NULL && text[0] != '\0' ? strtoull(text, NULL, 0) : otherwise;
}

static void random_calls_give_the_same_on_a_simulated_and_a_real_disk(void **state) {
  (void)state;
  static struct both both;
  static struct report report;
  both_open(&both);
  uint64_t first = number_from("DISK_DIFFERENTIAL_SEED", 1);
  uint64_t count = number_from("DISK_DIFFERENTIAL_SEQUENCES", !in_memory() ? 3000 : SIM_ASAN ? 20000 : 100000);
  print_message("%" PRIu64 " sequences in %s\n", count, both.directory.path);
  bool equal = true;
  for (uint64_t seed = first; equal && seed - first < count; seed++) {
    equal = run(&both, seed, STEPS_MAX, NULL);
    if (equal) continue;
    explain(&both, seed, &report);
    fprintf(stderr,
            "the disks differ; simulated results, then real ones:\n%sagain: DISK_DIFFERENTIAL_SEED=%" PRIu64
            " DISK_DIFFERENTIAL_SEQUENCES=1\n",
            report.text, seed);
  }
  both_close(&both);
  assert_true(equal);
  if (count < 1000) return;
  /* Calls that never succeed, or never fail, would compare nothing. */
  for (int call = 0; call < CALLS; call++) {
    bool may_fail = call != DIR_FSYNC && call != SETTLE && call != RESTART;
    if (both.seen[call][0] == 0 || (may_fail && both.seen[call][1] == 0)) fail_msg("%s", CALL_NAMES[call]);
  }
  static const int statuses[] = {SYNC_OK, SYNC_E_INVALID, SYNC_E_NOT_FOUND, SYNC_E_EXISTS, SYNC_E_TOO_MANY};
  for (size_t i = 0; i < COUNT(statuses); i++)
    assert_true(both.statuses[-statuses[i]] > 0);
}

static struct sync_env_ops broken;
static const struct sync_env_ops *whole;

static int rename_that_never_replaces(void *ctx, const char *from, const char *to) {
  sync_file file;
  if (strcmp(from, to) != 0 && whole->file_open(ctx, to, 0, &file) == SYNC_OK) {
    (void)whole->file_close(ctx, file);
    return SYNC_E_EXISTS;
  }
  return whole->file_rename(ctx, from, to);
}

static int truncate_that_forgets(void *ctx, sync_file file, uint64_t size) {
  uint64_t now = 0;
  int status = whole->file_size(ctx, file, &now);
  return status == SYNC_OK && size < now ? SYNC_OK : whole->file_truncate(ctx, file, size);
}

/* The first seed that shows the broken disk: its shortest prefix ends in that call. */
static void assert_found(struct both *both, const char *last_call) {
  static struct report report;
  both->broken = &broken;
  uint64_t seed = 1;
  while (seed < 1000 && run(both, seed, STEPS_MAX, NULL))
    seed++;
  assert_true(seed < 1000);
  uint32_t length = explain(both, seed, &report);
  assert_true(length <= STEPS_MAX);
  assert_true(run(both, seed, length - 1, NULL));
  const char *line = report.text;
  for (uint32_t i = 1; i < length; i++)
    line = strchr(line, '\n') + 1;
  if (strncmp(line + 2, last_call, strlen(last_call)) != 0) fail_msg("not last:\n%s", report.text);
}

static void a_broken_disk_is_found_with_the_shortest_prefix(void **state) {
  (void)state;
  static struct both both;
  both_open(&both);
  simulated_begin(&both, 1);
  whole = both.simulated.env->ops;
  assert_true(sim_node_leave(both.world, 1));
  broken = *whole;
  broken.file_rename = rename_that_never_replaces;
  assert_found(&both, "file_rename");
  broken = *whole;
  broken.file_truncate = truncate_that_forgets; /* silent: only a later look shows it */
  assert_found(&both, "file_truncate");
  both_close(&both);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_calls_give_the_same_on_a_simulated_and_a_real_disk),
      cmocka_unit_test(a_broken_disk_is_found_with_the_shortest_prefix),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
