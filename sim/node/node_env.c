/* The port of a simulated node: every call is counted, and fails once power
 * is lost. */
#include "sim/node/node.h"

#include <string.h>

static void trace(struct sim_node *node, enum sim_step step, uint64_t a, uint64_t b) {
  if (!node->entered) return;
  uint64_t fields[] = {a, b};
  ground_trace(node->ground, SIM_SUB_NODE, step, node->number, fields, 2);
}

static uint64_t env_mono_ns(void *ctx) {
  struct sim_node *node = ctx;
  uint64_t now = clock_mono(&node->clock, ground_now(node->ground));
  if (node_call(node, node_call_kind(SIM_CALL_CLOCK))) trace(node, SIM_STEP_NODE_CLOCK, 0, now);
  return now;
}

static uint64_t env_wall_ns(void *ctx) {
  struct sim_node *node = ctx;
  uint64_t now = clock_wall(&node->clock, ground_now(node->ground));
  if (node_call(node, node_call_kind(SIM_CALL_CLOCK))) {
    trace(node, SIM_STEP_NODE_CLOCK, 1, now);
    node->wall_reads++;
  }
  return now;
}

/* Also without power: an identity must never be 0. */
static uint64_t env_unique(void *ctx) {
  struct sim_node *node = ctx;
  (void)node_call(node, node_call_kind(SIM_CALL_UNIQUE));
  return choice_unique(&node->ground->choices, SIM_UNIQUE_NODE, node->number);
}

static uint64_t env_pick(void *ctx, enum sync_pick_kind kind, uint64_t n) {
  struct sim_node *node = ctx;
  if (!node_call(node, node_call_kind(SIM_CALL_PICK))) return 0;
  uint64_t identity = sim_mix((uint64_t)kind) + ground_moment(node->ground, SIM_CHOICE_NODE_PICK, node->number);
  uint64_t outcome = ground_pick(node->ground, sim_tag(SIM_CHOICE_NODE_PICK, node->number, identity), n);
  node->picked = outcome;
  node->picks++;
  trace(node, SIM_STEP_NODE_PICK, (uint64_t)kind, outcome);
  return outcome;
}

/* false: this allocation is one that must fail. */
static bool alloc_allowed(struct sim_node *node, size_t nominal) {
  if (!node->entered) return true;
  if (node->alloc_fail_in != 0) {
    bool fails = --node->alloc_fail_in == 0;
    ground_fault(node->ground, SIM_FAULT_ALLOC, fails);
    if (fails) return false;
  }
  if (node->nominal_quota != 0) {
    bool fails = nominal > node->nominal_quota || node->nominal_bytes > node->nominal_quota - nominal;
    ground_fault(node->ground, SIM_FAULT_ALLOC, fails);
    if (fails) return false;
  }
  return true;
}

static void *env_alloc(void *ctx, size_t size, size_t nominal) {
  struct sim_node *node = ctx;
  if (!node_call(node, node_call_kind(SIM_CALL_ALLOC))) return NULL;
  if (!alloc_allowed(node, nominal)) {
    node->refusals++;
    return NULL;
  }
  void *block = sim_heap_alloc(node->ground->memory.arena, node->heap, size);
  if (block != NULL)
    node->nominal_bytes += nominal;
  else
    node->refusals++;
  return block;
}

static void env_free(void *ctx, void *block, size_t size, size_t nominal) {
  struct sim_node *node = ctx;
  if (!node_call(node, node_call_kind(SIM_CALL_FREE)) || block == NULL) return;
  sim_heap_free(node->ground->memory.arena, node->heap, block, size);
  node->nominal_bytes -= nominal;
}

#define INTERRUPTS_MAX 64u /* then callers give up (core/base/file_io.h) */

/* Takes note of what a call of the disk gave. */
static int noted(struct sim_node *node, int status) {
  node->interrupts = status == SYNC_E_INTERRUPTED ? node->interrupts + 1 : 0;
  bool refused = status < 0 && status != SYNC_E_NOT_FOUND && status != SYNC_E_EXISTS && status != SYNC_E_INTERRUPTED;
  if (refused || node->interrupts >= INTERRUPTS_MAX) node->refusals++;
  return status;
}

uint64_t sim_node_refusals(const struct sim_node *node) {
  return node->refusals;
}

uint64_t sim_node_wall_reads(const struct sim_node *node) {
  return node->wall_reads;
}

uint64_t sim_node_picked(const struct sim_node *node, uint64_t *picks) {
  *picks = node->picks;
  return node->picked;
}

bool sim_node_unwinds(const struct sim_node *node) {
  return node->off;
}

bool sim_node_write_failed(const struct sim_node *node) {
  return node->write_failed;
}

void *sim_node_software(const struct sim_node *node) {
  return node->state;
}

static void note_log_handle(struct sim_node *node, const char *name, sync_file file) {
  if ((uint32_t)file >= SIM_NODE_LOG_HANDLES) return;
  uint64_t bit = UINT64_C(1) << ((uint32_t)file % 64u), *bits = &node->log_handles[(uint32_t)file / 64u];
  const char *prefix = node->kind->log_prefix;
  *bits &= ~bit;
  if (!prefix || strncmp(name, prefix, strlen(prefix)) == 0) *bits |= bit;
}

static bool is_log_handle(const struct sim_node *node, sync_file file) {
  return (uint32_t)file < SIM_NODE_LOG_HANDLES &&
         (node->log_handles[(uint32_t)file / 64u] >> ((uint32_t)file % 64u) & 1u) != 0;
}

static int env_file_open(void *ctx, const char *name, uint32_t flags, sync_file *file) {
  struct sim_node *node = ctx;
  bool changes = (flags & (SYNC_OPEN_CREATE | SYNC_OPEN_TRUNCATE)) != 0;
  uint32_t kinds = changes ? node_call_change(SIM_CALL_OPEN) : node_call_kind(SIM_CALL_OPEN);
  if (!node_call(node, kinds)) return SYNC_E_POWERED_OFF;
  int status = noted(node, sim_disk_open(node->disk, name, flags, file));
  if (status == SYNC_OK) note_log_handle(node, name, *file);
  return status;
}

static int env_file_close(void *ctx, sync_file file) {
  struct sim_node *node = ctx;
  return node_call(node, node_call_kind(SIM_CALL_CLOSE)) ? noted(node, sim_disk_close(node->disk, file))
                                                         : SYNC_E_POWERED_OFF;
}

static int env_file_read(void *ctx, sync_file file, uint64_t offset, void *buffer, size_t size, size_t *done) {
  struct sim_node *node = ctx;
  *done = 0;
  return node_call(node, node_call_kind(SIM_CALL_READ))
             ? noted(node, sim_disk_read(node->disk, file, offset, buffer, size, done))
             : SYNC_E_POWERED_OFF;
}

static int env_file_write(void *ctx, sync_file file, uint64_t offset, const void *bytes, size_t size, size_t *done) {
  struct sim_node *node = ctx;
  *done = 0;
  if (!node_call(node, node_call_change(SIM_CALL_WRITE))) return SYNC_E_POWERED_OFF;
  int status = noted(node, sim_disk_write(node->disk, file, offset, bytes, size, done));
  if (is_log_handle(node, file)) node->write_failed = status < 0;
  return status;
}

static int env_file_truncate(void *ctx, sync_file file, uint64_t size) {
  struct sim_node *node = ctx;
  return node_call(node, node_call_change(SIM_CALL_TRUNCATE)) ? noted(node, sim_disk_truncate(node->disk, file, size))
                                                              : SYNC_E_POWERED_OFF;
}

static int env_file_size(void *ctx, sync_file file, uint64_t *size) {
  struct sim_node *node = ctx;
  return node_call(node, node_call_kind(SIM_CALL_SIZE)) ? noted(node, sim_disk_size(node->disk, file, size))
                                                        : SYNC_E_POWERED_OFF;
}

static int env_file_rename(void *ctx, const char *from, const char *to) {
  struct sim_node *node = ctx;
  return node_call(node, node_call_change(SIM_CALL_RENAME)) ? noted(node, sim_disk_rename(node->disk, from, to))
                                                            : SYNC_E_POWERED_OFF;
}

static int env_file_unlink(void *ctx, const char *name) {
  struct sim_node *node = ctx;
  return node_call(node, node_call_change(SIM_CALL_UNLINK)) ? noted(node, sim_disk_unlink(node->disk, name))
                                                            : SYNC_E_POWERED_OFF;
}

static int env_dir_list(void *ctx, int (*each)(void *arg, const char *name), void *arg) {
  struct sim_node *node = ctx;
  return node_call(node, node_call_kind(SIM_CALL_LIST)) ? noted(node, sim_disk_list(node->disk, each, arg))
                                                        : SYNC_E_POWERED_OFF;
}

static int env_file_fsync(void *ctx, sync_file file, uint64_t token) {
  struct sim_node *node = ctx;
  return node_call(node, node_call_change(SIM_CALL_FSYNC_FILE))
             ? noted(node, sim_disk_fsync_file(node->disk, file, token))
             : SYNC_E_POWERED_OFF;
}

static int env_dir_fsync(void *ctx, uint64_t token) {
  struct sim_node *node = ctx;
  return node_call(node, node_call_change(SIM_CALL_FSYNC_DIR)) ? noted(node, sim_disk_fsync_dir(node->disk, token))
                                                               : SYNC_E_POWERED_OFF;
}

/* Observation is no call of the machine: power is never lost in it. */
static void env_trace(void *ctx, enum sync_trace_kind kind, const uint64_t *fields, size_t count) {
  struct sim_node *node = ctx;
  if (!node->entered || node->off) return;
  uint64_t all[SIM_STEP_FIELDS_MAX];
  if (count > SIM_STEP_FIELDS_MAX - 1) count = SIM_STEP_FIELDS_MAX - 1;
  all[0] = (uint64_t)kind;
  for (size_t i = 0; i < count; i++)
    all[i + 1] = fields[i];
  ground_trace(node->ground, SIM_SUB_NODE, SIM_STEP_NODE_TRACE, node->number, all, count + 1);
  const struct nodes *nodes = node->nodes;
  if (nodes->traced != NULL) nodes->traced(nodes->world, nodes->traced_self, node->number, kind, all + 1, count);
  if (trace_watched(&node->ground->trace, SIM_HAPPENED_STEP))
    trace_happened(&node->ground->trace, SIM_HAPPENED_STEP, node->number, all, count + 1, NULL);
}

static void env_fatal(void *ctx, const char *file, int line, const char *what) {
  node_fatal(ctx, file, line, what);
}

const struct sync_env_ops sim_node_env_ops = {
    .mono_ns = env_mono_ns,
    .wall_ns = env_wall_ns,
    .unique = env_unique,
    .pick = env_pick,
    .alloc = env_alloc,
    .free = env_free,
    .file_open = env_file_open,
    .file_close = env_file_close,
    .file_read = env_file_read,
    .file_write = env_file_write,
    .file_truncate = env_file_truncate,
    .file_size = env_file_size,
    .file_rename = env_file_rename,
    .file_unlink = env_file_unlink,
    .dir_list = env_dir_list,
    .file_fsync = env_file_fsync,
    .dir_fsync = env_dir_fsync,
    .trace = env_trace,
    .fatal = env_fatal,
};
