#include "tests/support/memory_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One pending change of a file (write: bytes at offset; truncate: to offset)
 * or of the directory (link: name to inode; unlink; rename: both at once). */
enum change_kind { CHANGE_WRITE, CHANGE_TRUNCATE, CHANGE_LINK, CHANGE_UNLINK, CHANGE_RENAME };
struct memory_change {
  struct memory_change *next;
  enum change_kind kind;
  uint64_t number;
  uint64_t offset;
  uint8_t *bytes;
  size_t size;
  char name[64], to[64];
  struct memory_inode *inode;
};
struct image {
  uint8_t *bytes;
  size_t size, capacity;
};
struct memory_inode {
  struct memory_inode *next;
  struct image live, durable;
  struct memory_change *changes;
};

uint64_t memory_env_random(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static void *must(void *block) {
  if (block == NULL) {
    fputs("memory_env: out of memory\n", stderr);
    abort();
  }
  return block;
}

/* --- Images and changes --------------------------------------------------------- */

static void image_resize(struct image *image, size_t size) {
  if (size > image->capacity) {
    image->capacity = size * 2;
    image->bytes = must(realloc(image->bytes, image->capacity));
  }
  if (size > image->size) memset(image->bytes + image->size, 0, size - image->size);
  image->size = size;
}
static void image_write(struct image *image, uint64_t offset, const uint8_t *bytes, size_t size) {
  if (size == 0) return;
  if (image->size < offset + size) image_resize(image, (size_t)offset + size);
  memcpy(image->bytes + offset, bytes, size);
}
static void image_set(struct image *to, const struct image *from) {
  image_resize(to, 0);
  image_write(to, 0, from->bytes, from->size);
}

static struct memory_change *change_add(struct memory_env *memory, struct memory_change **list, enum change_kind kind) {
  struct memory_change *change = must(calloc(1, sizeof *change));
  change->kind = kind;
  change->number = ++memory->change_number;
  while (*list != NULL)
    list = &(*list)->next;
  *list = change;
  return change;
}
static void change_free_first(struct memory_change **list) {
  struct memory_change *change = *list;
  *list = change->next;
  free(change->bytes);
  free(change);
}

static struct memory_name *find(struct memory_name *names, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(names[i].name, name) == 0) return &names[i];
  return NULL;
}
static void names_link(struct memory_name *names, size_t *count, const char *name, struct memory_inode *inode) {
  struct memory_name *entry = find(names, *count, name);
  if (entry == NULL) {
    if (*count == MEMORY_ENV_FILES_MAX) abort();
    entry = &names[(*count)++];
    memset(entry, 0, sizeof *entry);
    snprintf(entry->name, sizeof entry->name, "%s", name);
  }
  entry->inode = inode;
}
static void names_unlink(struct memory_name *names, size_t *count, const char *name) {
  struct memory_name *entry = find(names, *count, name);
  if (entry != NULL) *entry = names[--*count];
}
static void change_apply_names(const struct memory_change *change, struct memory_name *names, size_t *count) {
  if (change->kind == CHANGE_LINK) names_link(names, count, change->name, change->inode);
  if (change->kind == CHANGE_UNLINK || change->kind == CHANGE_RENAME) names_unlink(names, count, change->name);
  if (change->kind == CHANGE_RENAME) names_link(names, count, change->to, change->inode);
}
static void change_apply_bytes(const struct memory_change *change, struct image *image) {
  if (change->kind == CHANGE_WRITE) image_write(image, change->offset, change->bytes, change->size);
  if (change->kind == CHANGE_TRUNCATE) image_resize(image, (size_t)change->offset);
}

/* --- Calls ------------------------------------------------------------------------- */

static struct memory_env *self(void *ctx) {
  return (struct memory_env *)ctx;
}

/* Whether the fault of this kind of call strikes now. Counts the call. */
static bool strikes(struct memory_env *memory, enum memory_env_call call) {
  uint64_t number = ++memory->calls_of[call];
  if (memory->fault.call != call || number < memory->fault_from || number >= memory->fault_until) return false;
  memory->fault_met++;
  return true;
}
/* Counts a call and says whether it fails. */
static int enter(struct memory_env *memory, enum memory_env_call call) {
  memory->calls++;
  if (memory->power_off_at != 0 && memory->calls >= memory->power_off_at) memory->powered_off = true;
  if (memory->powered_off) return SYNC_E_POWERED_OFF;
  if (strikes(memory, call)) {
    memory->striking = memory->fault.effect;
    return memory->fault.status;
  }
  memory->striking = MEMORY_ENV_NO_EFFECT;
  if (memory->fail_at != 0 && memory->calls == memory->fail_at) return memory->fail_status;
  if (memory->interrupt_every != 0 && memory->calls % memory->interrupt_every == 0) return SYNC_E_INTERRUPTED;
  return SYNC_OK;
}
static bool only_reports(const struct memory_env *memory, int status) {
  if (status == SYNC_OK || memory->powered_off || status == SYNC_E_INTERRUPTED) return false;
  return memory->fail_after_effect || memory->striking != MEMORY_ENV_NO_EFFECT;
}

static uint64_t env_mono_ns(void *ctx) {
  return self(ctx)->mono_ns;
}
static uint64_t env_wall_ns(void *ctx) {
  return self(ctx)->wall_ns;
}
static uint64_t env_unique(void *ctx) {
  uint64_t state = self(ctx)->next_unique++;
  uint64_t value = memory_env_random(&state);
  return value == 0 ? 1 : value;
}
static uint64_t env_pick(void *ctx, enum sync_pick_kind kind, uint64_t n) {
  (void)kind;
  return self(ctx)->pick_result % n;
}

static void *env_alloc(void *ctx, size_t size, size_t nominal) {
  struct memory_env *memory = self(ctx);
  memory->allocs++;
  bool refused = strikes(memory, MEMORY_ENV_ALLOC);
  if (refused || memory->powered_off || (memory->fail_alloc_at != 0 && memory->allocs == memory->fail_alloc_at))
    return NULL;
  void *block = must(malloc(size > 0 ? size : 1));
  memset(block, 0xa5, size);
  memory->blocks++;
  memory->block_bytes += size;
  memory->nominal_bytes += nominal;
  return block;
}
static void env_free(void *ctx, void *block, size_t size, size_t nominal) {
  struct memory_env *memory = self(ctx);
  if (block == NULL) return;
  if (memory->blocks == 0 || memory->block_bytes < size || memory->nominal_bytes < nominal) abort();
  memory->blocks--;
  memory->block_bytes -= size;
  memory->nominal_bytes -= nominal;
  memset(block, 0x5a, size);
  free(block);
}

static int env_file_open(void *ctx, const char *name, uint32_t flags, sync_file *file) {
  struct memory_env *memory = self(ctx);
  bool creates = (flags & SYNC_OPEN_CREATE) != 0 && find(memory->live, memory->live_count, name) == NULL;
  int status = enter(memory, creates ? MEMORY_ENV_CREATE : MEMORY_ENV_OPEN);
  if (status != SYNC_OK && memory->striking != MEMORY_ENV_EFFECT) return status;
  if (strlen(name) == 0 || strlen(name) > 63) return SYNC_E_INVALID;
  uint32_t slot = 0, most = memory->handles_max != 0 ? memory->handles_max : MEMORY_ENV_HANDLES_MAX;
  while (slot < most && memory->handles[slot] != NULL)
    slot++;
  if (slot == most) return SYNC_E_TOO_MANY;
  struct memory_name *entry = find(memory->live, memory->live_count, name);
  if (entry != NULL && (flags & SYNC_OPEN_CREATE) != 0 && (flags & SYNC_OPEN_EXCLUSIVE) != 0) return SYNC_E_EXISTS;
  if (entry == NULL && (flags & SYNC_OPEN_CREATE) == 0) return SYNC_E_NOT_FOUND;
  struct memory_inode *inode = entry != NULL ? entry->inode : NULL;
  if (inode == NULL) {
    inode = must(calloc(1, sizeof *inode));
    inode->next = memory->inodes;
    memory->inodes = inode;
    struct memory_change *change = change_add(memory, &memory->changes, CHANGE_LINK);
    snprintf(change->name, sizeof change->name, "%s", name);
    change->inode = inode;
    change_apply_names(change, memory->live, &memory->live_count);
  } else if ((flags & SYNC_OPEN_TRUNCATE) != 0) {
    struct memory_change *change = change_add(memory, &inode->changes, CHANGE_TRUNCATE);
    change_apply_bytes(change, &inode->live);
  }
  if (status != SYNC_OK) return status;
  memory->handles[slot] = inode;
  *file = (sync_file)slot;
  return SYNC_OK;
}
static struct memory_inode *inode_of(struct memory_env *memory, sync_file file) {
  if (file < 0 || (uint32_t)file >= MEMORY_ENV_HANDLES_MAX || memory->handles[file] == NULL) {
    fputs("memory_env: a file that is not open was used\n", stderr);
    abort();
  }
  return memory->handles[file];
}
static int env_file_close(void *ctx, sync_file file) {
  struct memory_env *memory = self(ctx);
  int status = enter(memory, MEMORY_ENV_CLOSE);
  (void)inode_of(memory, file);
  memory->handles[file] = NULL; /* closed even if it reports an error, as POSIX does */
  return status == SYNC_E_INTERRUPTED ? SYNC_OK : status;
}
static int env_file_read(void *ctx, sync_file file, uint64_t offset, void *buffer, size_t size, size_t *done) {
  struct memory_env *memory = self(ctx);
  *done = 0;
  memory->reads++;
  int status = enter(memory, MEMORY_ENV_READ);
  struct memory_inode *inode = inode_of(memory, file);
  if (status != SYNC_OK) return status;
  if (offset >= inode->live.size) return SYNC_OK;
  size_t count = inode->live.size - (size_t)offset;
  if (count > size) count = size;
  if (memory->transfer_max != 0 && count > memory->transfer_max) count = memory->transfer_max;
  if (memory->unreadable_from != 0 && offset + count > memory->unreadable_from) return SYNC_E_IO;
  if (count > 0) memcpy(buffer, inode->live.bytes + offset, count);
  *done = count;
  return SYNC_OK;
}
static uint64_t live_bytes(const struct memory_env *memory) {
  uint64_t total = 0;
  for (size_t i = 0; i < memory->live_count; i++)
    total += memory->live[i].inode->live.size;
  return total;
}
static int env_file_write(void *ctx, sync_file file, uint64_t offset, const void *bytes, size_t size, size_t *done) {
  struct memory_env *memory = self(ctx);
  *done = 0;
  memory->writes++;
  int status = enter(memory, MEMORY_ENV_WRITE);
  struct memory_inode *inode = inode_of(memory, file);
  if (status == SYNC_OK && memory->fail_writes_from != 0 && memory->writes >= memory->fail_writes_from)
    status = memory->fail_status;
  if (status != SYNC_OK && !only_reports(memory, status)) return status;
  size_t count = status != SYNC_OK && memory->striking == MEMORY_ENV_PART ? size / 2 : size;
  if (memory->transfer_max != 0 && count > memory->transfer_max) count = memory->transfer_max;
  if (memory->disk_bytes_max != 0 && offset + count > inode->live.size) {
    uint64_t used = live_bytes(memory), grow = offset + count - inode->live.size;
    uint64_t room = used < memory->disk_bytes_max ? memory->disk_bytes_max - used : 0;
    if (grow > room) { /* what fits is written, as real disks do */
      uint64_t end = inode->live.size + room;
      count = end > offset ? (size_t)(end - offset) : 0;
      status = SYNC_E_NO_SPACE;
    }
  }
  if (count > 0) {
    struct memory_change *change = change_add(memory, &inode->changes, CHANGE_WRITE);
    change->offset = offset;
    change->size = count;
    change->bytes = must(malloc(count));
    memcpy(change->bytes, bytes, count);
    change_apply_bytes(change, &inode->live);
  }
  *done = status == SYNC_OK ? count : 0;
  return status;
}
static int env_file_truncate(void *ctx, sync_file file, uint64_t size) {
  struct memory_env *memory = self(ctx);
  int status = enter(memory, MEMORY_ENV_TRUNCATE);
  struct memory_inode *inode = inode_of(memory, file);
  if (status != SYNC_OK && !only_reports(memory, status)) return status;
  struct memory_change *change = change_add(memory, &inode->changes, CHANGE_TRUNCATE);
  change->offset = size;
  change_apply_bytes(change, &inode->live);
  return status;
}
static int env_file_size(void *ctx, sync_file file, uint64_t *size) {
  struct memory_env *memory = self(ctx);
  int status = enter(memory, MEMORY_ENV_SIZE);
  struct memory_inode *inode = inode_of(memory, file);
  if (status != SYNC_OK) return status;
  *size = inode->live.size;
  return SYNC_OK;
}
static int env_file_rename(void *ctx, const char *from, const char *to) {
  struct memory_env *memory = self(ctx);
  int status = enter(memory, MEMORY_ENV_RENAME);
  if (status != SYNC_OK && !only_reports(memory, status)) return status;
  struct memory_name *entry = find(memory->live, memory->live_count, from);
  if (entry == NULL) return SYNC_E_NOT_FOUND;
  struct memory_change *change = change_add(memory, &memory->changes, CHANGE_RENAME);
  snprintf(change->name, sizeof change->name, "%s", from);
  snprintf(change->to, sizeof change->to, "%s", to);
  change->inode = entry->inode;
  change_apply_names(change, memory->live, &memory->live_count);
  return status;
}
static int env_file_unlink(void *ctx, const char *name) {
  struct memory_env *memory = self(ctx);
  int status = enter(memory, MEMORY_ENV_UNLINK);
  if (status != SYNC_OK && !only_reports(memory, status)) return status;
  if (find(memory->live, memory->live_count, name) == NULL) return SYNC_E_NOT_FOUND;
  struct memory_change *change = change_add(memory, &memory->changes, CHANGE_UNLINK);
  snprintf(change->name, sizeof change->name, "%s", name);
  change_apply_names(change, memory->live, &memory->live_count);
  return status;
}
static int compare_names(const void *a, const void *b) {
  return strcmp(((const struct memory_name *)a)->name, ((const struct memory_name *)b)->name);
}
static int env_dir_list(void *ctx, int (*each)(void *arg, const char *name), void *arg) {
  struct memory_env *memory = self(ctx);
  int status = enter(memory, MEMORY_ENV_LIST);
  if (status != SYNC_OK) return status;
  qsort(memory->live, memory->live_count, sizeof memory->live[0], compare_names);
  for (size_t i = 0; i < memory->live_count && status == SYNC_OK; i++)
    status = each(arg, memory->live[i].name);
  return status;
}

static int request(struct memory_env *memory, struct memory_inode *inode, uint64_t token) {
  memory->fsyncs++;
  if (memory->pending_count == MEMORY_ENV_FSYNCS_MAX) abort();
  memory->pending[memory->pending_count++] =
      (struct memory_fsync){.token = token, .inode = inode, .covers = memory->change_number};
  return SYNC_OK;
}
static int env_file_fsync(void *ctx, sync_file file, uint64_t token) {
  struct memory_env *memory = self(ctx);
  int status = enter(memory, MEMORY_ENV_FSYNC_FILE);
  struct memory_inode *inode = inode_of(memory, file);
  return status != SYNC_OK ? status : request(memory, inode, token);
}
static int env_dir_fsync(void *ctx, uint64_t token) {
  struct memory_env *memory = self(ctx);
  int status = enter(memory, MEMORY_ENV_FSYNC_DIR);
  return status != SYNC_OK ? status : request(memory, NULL, token);
}
static void env_trace(void *ctx, enum sync_trace_kind kind, const uint64_t *fields, size_t count) {
  struct memory_env *memory = self(ctx);
  memory->traced++;
  if ((unsigned)kind >= 32) abort();
  memory->traced_kind[kind]++;
  memory->last_trace[kind] = count > 0 ? fields[0] : 0;
}
static void env_fatal(void *ctx, const char *file, int line, const char *what) {
  (void)ctx;
  fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, what);
  abort();
}

static const struct sync_env_ops memory_ops = {
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

/* --- The world's side ----------------------------------------------------------------- */

void memory_env_init(struct memory_env *memory) {
  memset(memory, 0, sizeof *memory);
  memory->env.ops = &memory_ops;
  memory->env.ctx = memory;
  memory->next_unique = 1;
  memory->mono_ns = 1;
  memory->wall_ns = UINT64_C(1700000000000000000);
}
void memory_env_destroy(struct memory_env *memory) {
  while (memory->changes != NULL)
    change_free_first(&memory->changes);
  while (memory->inodes != NULL) {
    struct memory_inode *inode = memory->inodes;
    memory->inodes = inode->next;
    while (inode->changes != NULL)
      change_free_first(&inode->changes);
    free(inode->live.bytes);
    free(inode->durable.bytes);
    free(inode);
  }
}

/* `persists`: what it covers is on the platter from now on. */
static bool complete(struct memory_env *memory, bool persists, uint64_t *token) {
  if (memory->pending_count == 0) return false;
  struct memory_fsync done = memory->pending[0];
  memory->pending_count--;
  memmove(&memory->pending[0], &memory->pending[1], memory->pending_count * sizeof memory->pending[0]);
  struct memory_change **list = done.inode != NULL ? &done.inode->changes : &memory->changes;
  while (*list != NULL && (*list)->number <= done.covers) {
    if (persists && done.inode != NULL) change_apply_bytes(*list, &done.inode->durable);
    if (persists && done.inode == NULL) change_apply_names(*list, memory->durable, &memory->durable_count);
    change_free_first(list);
  }
  *token = done.token;
  return true;
}
bool memory_env_complete(struct memory_env *memory, int result, uint64_t *token) {
  return complete(memory, result == SYNC_OK, token);
}
bool memory_env_complete_next(struct memory_env *memory, uint64_t *token, int *result) {
  *result = SYNC_OK;
  if (memory->pending_count == 0) return false;
  if (strikes(memory, MEMORY_ENV_FSYNC_DONE)) *result = memory->fault.status;
  struct memory_inode *inode = memory->pending[0].inode;
  (void)complete(memory, *result == SYNC_OK || memory->fault.effect == MEMORY_ENV_EFFECT, token);
  if (*result != SYNC_OK && memory->fault.effect == MEMORY_ENV_PART && inode != NULL) {
    image_set(&inode->live, &inode->durable);
    for (const struct memory_change *change = inode->changes; change != NULL; change = change->next)
      change_apply_bytes(change, &inode->live);
  }
  return true;
}

void memory_env_fail(struct memory_env *memory, const struct memory_env_fault *fault, uint64_t k, uint64_t times) {
  memory->fault = *fault;
  memory->fault_from = memory->calls_of[fault->call] + k;
  memory->fault_until = times < UINT64_MAX - memory->fault_from ? memory->fault_from + times : UINT64_MAX;
  memory->fault_met = 0;
}
void memory_env_heal(struct memory_env *memory) {
  memory->fault.call = MEMORY_ENV_CALL_NONE;
  memory->striking = MEMORY_ENV_NO_EFFECT;
}
uint32_t memory_env_handles(const struct memory_env *memory) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < MEMORY_ENV_HANDLES_MAX; i++)
    count += memory->handles[i] != NULL ? 1 : 0;
  return count;
}

void memory_env_process_crash(struct memory_env *memory) {
  memset(memory->handles, 0, sizeof memory->handles);
  memory->pending_count = 0;
  memory->powered_off = false;
  memory->power_off_at = 0;
}

/* Applies one write sector by sector, each kept or lost by itself. */
static void tear(struct image *image, const struct memory_change *change, bool garbage, uint64_t *random) {
  size_t at = 0;
  while (at < change->size) {
    size_t sector_end = (size_t)((change->offset + at) / MEMORY_ENV_SECTOR + 1) * MEMORY_ENV_SECTOR;
    size_t count = sector_end - (size_t)(change->offset + at);
    if (count > change->size - at) count = change->size - at;
    uint64_t fate = memory_env_random(random) % 4;
    if (fate <= 1) image_write(image, change->offset + at, change->bytes + at, count);
    if (fate == 2 && garbage) {
      uint8_t noise[MEMORY_ENV_SECTOR];
      for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(memory_env_random(random) & 0xffu);
      /* Never over bytes that were durable before. */
      if (change->offset + at >= image->size) image_write(image, change->offset + at, noise, count);
    }
    at += count;
  }
}

static void inode_power_loss(struct memory_inode *inode, enum memory_env_loss style, uint64_t *random) {
  size_t count = 0, keep = 0, most = inode->live.size, index = 0;
  for (const struct memory_change *change = inode->changes; change != NULL; change = change->next)
    count++;
  keep = count;
  if (style == MEMORY_ENV_LOSE_ALL) keep = 0;
  if (style == MEMORY_ENV_PREFIX) keep = (size_t)(memory_env_random(random) % (count + 1));
  for (const struct memory_change *change = inode->changes; change != NULL; change = change->next, index++) {
    bool sectors = style == MEMORY_ENV_SECTORS || style == MEMORY_ENV_GARBAGE;
    if (sectors && change->kind == CHANGE_WRITE) {
      tear(&inode->durable, change, style == MEMORY_ENV_GARBAGE, random);
    } else if (sectors) {
      if (memory_env_random(random) % 2 == 0) change_apply_bytes(change, &inode->durable);
    } else if (index < keep) {
      change_apply_bytes(change, &inode->durable);
    } else if (index == keep && style == MEMORY_ENV_PREFIX && change->kind == CHANGE_WRITE) {
      size_t part = (size_t)(memory_env_random(random) % (change->size + 1));
      size_t torn = (size_t)(change->offset + part) / MEMORY_ENV_SECTOR * MEMORY_ENV_SECTOR;
      if (torn > change->offset)
        image_write(&inode->durable, change->offset, change->bytes, torn - (size_t)change->offset);
    }
  }
  /* The size is metadata: it may survive without the data. */
  if (style >= MEMORY_ENV_SECTORS && most > inode->durable.size && memory_env_random(random) % 2 == 0)
    image_resize(&inode->durable,
                 inode->durable.size + (size_t)(memory_env_random(random) % (most - inode->durable.size + 1)));
  while (inode->changes != NULL)
    change_free_first(&inode->changes);
  image_set(&inode->live, &inode->durable);
}

static void directory_power_loss(struct memory_env *memory, enum memory_env_loss style, uint64_t *random) {
  size_t count = 0, keep = 0, index = 0;
  for (const struct memory_change *change = memory->changes; change != NULL; change = change->next)
    count++;
  keep = count;
  if (style == MEMORY_ENV_LOSE_ALL) keep = 0;
  if (style == MEMORY_ENV_PREFIX) keep = (size_t)(memory_env_random(random) % (count + 1));
  for (; memory->changes != NULL; index++) {
    struct memory_change *change = memory->changes;
    bool kept = style >= MEMORY_ENV_SECTORS ? memory_env_random(random) % 2 == 0 : index < keep;
    /* A rename need not be atomic across two directory blocks: both names. */
    if (kept && change->kind == CHANGE_RENAME && style >= MEMORY_ENV_SECTORS && memory_env_random(random) % 4 == 0)
      names_link(memory->durable, &memory->durable_count, change->to, change->inode);
    else if (kept)
      change_apply_names(change, memory->durable, &memory->durable_count);
    change_free_first(&memory->changes);
  }
  memcpy(memory->live, memory->durable, sizeof memory->live);
  memory->live_count = memory->durable_count;
}

void memory_env_power_loss(struct memory_env *memory, enum memory_env_loss style, uint64_t seed) {
  uint64_t random = seed;
  for (struct memory_inode *inode = memory->inodes; inode != NULL; inode = inode->next)
    inode_power_loss(inode, style, &random);
  directory_power_loss(memory, style, &random);
  memory_env_process_crash(memory);
}

static struct memory_inode *inode_named(struct memory_env *memory, const char *name) {
  struct memory_name *entry = find(memory->live, memory->live_count, name);
  return entry != NULL ? entry->inode : NULL;
}
uint8_t *memory_env_bytes(struct memory_env *memory, const char *name, size_t *size) {
  struct memory_inode *inode = inode_named(memory, name);
  *size = inode != NULL ? inode->live.size : 0;
  return inode != NULL ? inode->live.bytes : NULL;
}
void memory_env_flip(struct memory_env *memory, const char *name, size_t offset) {
  struct memory_inode *inode = inode_named(memory, name);
  if (inode == NULL || offset >= inode->live.size) abort();
  inode->live.bytes[offset] ^= 0x10u;
  if (offset < inode->durable.size) inode->durable.bytes[offset] ^= 0x10u;
}
void memory_env_put(struct memory_env *memory, const char *name, const void *bytes, size_t size) {
  struct memory_inode *inode = inode_named(memory, name);
  if (inode == NULL) {
    inode = must(calloc(1, sizeof *inode));
    inode->next = memory->inodes;
    memory->inodes = inode;
  }
  while (inode->changes != NULL)
    change_free_first(&inode->changes);
  image_resize(&inode->live, 0);
  image_write(&inode->live, 0, bytes, size);
  image_set(&inode->durable, &inode->live);
  names_link(memory->live, &memory->live_count, name, inode);
  names_link(memory->durable, &memory->durable_count, name, inode);
}
void memory_env_cut(struct memory_env *memory, const char *name, size_t size) {
  struct memory_inode *inode = inode_named(memory, name);
  if (inode == NULL || size > inode->live.size) abort();
  image_resize(&inode->live, size);
  if (size < inode->durable.size) image_resize(&inode->durable, size);
}
void memory_env_remove(struct memory_env *memory, const char *name) {
  names_unlink(memory->live, &memory->live_count, name);
  names_unlink(memory->durable, &memory->durable_count, name);
  for (struct memory_change **list = &memory->changes; *list != NULL;) /* else a power loss brings it back */
    if (strcmp((*list)->name, name) == 0 || strcmp((*list)->to, name) == 0)
      change_free_first(list);
    else
      list = &(*list)->next;
}
uint64_t memory_env_digest(const struct memory_env *memory) {
  uint64_t sum = memory->live_count;
  for (size_t i = 0; i < memory->live_count; i++) { /* a sum: the order of names does not matter */
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *c = memory->live[i].name; *c != '\0'; c++)
      hash = (hash ^ (uint64_t)(unsigned char)*c) * UINT64_C(0x100000001b3);
    for (size_t at = 0; at < memory->live[i].inode->live.size; at++)
      hash = (hash ^ memory->live[i].inode->live.bytes[at]) * UINT64_C(0x100000001b3);
    sum += hash;
  }
  return sum;
}
