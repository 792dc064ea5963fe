#include "sim/disk/directory.h"

#include <string.h>

#include "sim/disk/disk_files.h"

bool sim_name_valid(const char *name) {
  if (name == NULL) return false;
  size_t size = 0;
  for (; name[size] != '\0'; size++) {
    char c = name[size];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '.' && c != '_' && c != '-') return false;
    if (size + 1 == SIM_NAME_BYTES) return false;
  }
  return size > 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, "lock") != 0;
}

uint64_t sim_name_hash(const char *name) {
  return sim_hash_bytes(name, strlen(name));
}

/* A valid name into its field, padded, so that equal names are equal bytes. */
static void name_set(char field[SIM_NAME_BYTES], const char *name) {
  size_t size = strlen(name);
  memset(field, 0, SIM_NAME_BYTES);
  memcpy(field, name, size);
}

/* --- Live entries ------------------------------------------------------------- */

/* The entry of that name, or where it would be. */
static uint32_t entry_index(const struct sim_directory *directory, const char *name, bool *found) {
  uint32_t low = 0, high = directory->count;
  *found = false;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    int order = strcmp(directory->entries[middle].name, name);
    if (order == 0) {
      *found = true;
      return middle;
    }
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

struct sim_file *sim_directory_find(const struct sim_directory *directory, const char *name) {
  bool found;
  uint32_t index = entry_index(directory, name, &found);
  return found ? directory->entries[index].file : NULL;
}

static void entry_insert(struct ground *ground, struct sim_directory *directory, const char *name,
                         struct sim_file *file) {
  bool found;
  uint32_t index = entry_index(directory, name, &found);
  GROUND_ASSERT(ground, !found);
  if (directory->count == directory->slots) {
    uint32_t slots = directory->slots == 0 ? 8 : directory->slots * 2;
    struct sim_entry *entries = sim_disk_alloc(ground, slots * sizeof *entries);
    if (directory->count > 0) memcpy(entries, directory->entries, directory->count * sizeof *entries);
    if (directory->entries != NULL)
      ground_free(ground, directory->entries, directory->slots * sizeof *directory->entries);
    directory->entries = entries;
    directory->slots = slots;
  }
  struct sim_entry *entry = &directory->entries[index];
  memmove(entry + 1, entry, (directory->count - index) * sizeof *entry);
  memset(entry, 0, sizeof *entry);
  name_set(entry->name, name);
  entry->file = file;
  directory->count++;
  file->names++;
}

/* The caller releases the file. */
static struct sim_file *entry_remove(struct ground *ground, struct sim_directory *directory, const char *name) {
  bool found;
  uint32_t index = entry_index(directory, name, &found);
  GROUND_ASSERT(ground, found);
  struct sim_entry *entry = &directory->entries[index];
  struct sim_file *file = entry->file;
  directory->count--;
  memmove(entry, entry + 1, (directory->count - index) * sizeof *entry);
  file->names--;
  return file;
}

/* --- Changes ------------------------------------------------------------------ */

static struct sim_entry_change *change_add(struct sim_disk *disk, enum sim_entry_change_kind kind, const char *name,
                                           struct sim_file *file) {
  struct sim_directory *directory = &disk->directory;
  struct sim_entry_change *change = sim_disk_alloc(disk->ground, sizeof *change);
  memset(change, 0, sizeof *change);
  change->order = ++disk->order;
  change->kind = kind;
  name_set(change->name, name);
  change->file = file;
  file->references++;
  change->previous = directory->last;
  if (directory->last != NULL)
    directory->last->next = change;
  else
    directory->first = change;
  directory->last = change;
  directory->pending++;
  return change;
}

static void change_drop_first(struct sim_disk *disk) {
  struct sim_directory *directory = &disk->directory;
  struct sim_entry_change *change = directory->first;
  directory->first = change->next;
  if (change->next != NULL)
    change->next->previous = NULL;
  else
    directory->last = NULL;
  directory->pending--;
  change->file->references--;
  sim_disk_release(disk, change->file);
  if (change->replaced != NULL) {
    change->replaced->references--;
    sim_disk_release(disk, change->replaced);
  }
  ground_free(disk->ground, change, sizeof *change);
}

void sim_directory_create(struct sim_disk *disk, const char *name, struct sim_file *file) {
  entry_insert(disk->ground, &disk->directory, name, file);
  change_add(disk, SIM_ENTRY_CREATE, name, file);
}

void sim_directory_unlink(struct sim_disk *disk, const char *name) {
  change_add(disk, SIM_ENTRY_UNLINK, name, sim_directory_find(&disk->directory, name));
  entry_remove(disk->ground, &disk->directory, name);
}

void sim_directory_rename(struct sim_disk *disk, const char *from, const char *to) {
  struct sim_file *file = sim_directory_find(&disk->directory, from);
  struct sim_entry_change *change = change_add(disk, SIM_ENTRY_RENAME, from, file);
  name_set(change->to, to);
  change->replaced = sim_directory_find(&disk->directory, to);
  if (change->replaced != NULL) {
    change->replaced->references++;
    entry_remove(disk->ground, &disk->directory, to);
  }
  entry_remove(disk->ground, &disk->directory, from);
  entry_insert(disk->ground, &disk->directory, to, file);
}

void sim_directory_persist(struct sim_disk *disk, uint64_t order) {
  while (disk->directory.first != NULL && disk->directory.first->order <= order)
    change_drop_first(disk);
}

static bool shares_name(const struct sim_entry_change *a, const struct sim_entry_change *b) {
  const char *names[2] = {b->name, b->kind == SIM_ENTRY_RENAME ? b->to : b->name};
  for (int i = 0; i < 2; i++) {
    if (strcmp(a->name, names[i]) == 0) return true;
    if (a->kind == SIM_ENTRY_RENAME && strcmp(a->to, names[i]) == 0) return true;
  }
  return false;
}

bool sim_directory_orphaned(const struct sim_entry_change *change) {
  for (const struct sim_entry_change *at = change->previous; at != NULL; at = at->previous)
    if (at->lost && shares_name(at, change)) return true;
  return false;
}

bool sim_directory_overtaken(const struct sim_entry_change *change) {
  for (const struct sim_entry_change *at = change->next; at != NULL; at = at->next)
    if (shares_name(at, change)) return true;
  return false;
}

/* The change's references keep the file until it is dropped. */
static void leave_half(struct ground *ground, struct sim_directory *directory, const struct sim_entry_change *change) {
  if (change->left != SIM_RENAME_BOTH) entry_remove(ground, directory, change->to);
  if (change->left != SIM_RENAME_NEITHER) entry_insert(ground, directory, change->name, change->file);
}

static void undo(struct ground *ground, struct sim_directory *directory, const struct sim_entry_change *change) {
  if (change->kind != SIM_ENTRY_UNLINK)
    entry_remove(ground, directory, change->kind == SIM_ENTRY_CREATE ? change->name : change->to);
  if (change->kind != SIM_ENTRY_CREATE) entry_insert(ground, directory, change->name, change->file);
  if (change->replaced != NULL) entry_insert(ground, directory, change->to, change->replaced);
}

void sim_directory_settle(struct sim_disk *disk) {
  /* A lost change shares no name with a later one that is kept, so undoing the lost
   * ones alone, newest first, is exact. */
  for (const struct sim_entry_change *change = disk->directory.last; change != NULL; change = change->previous)
    if (change->lost) undo(disk->ground, &disk->directory, change);
  for (const struct sim_entry_change *change = disk->directory.first; change != NULL; change = change->next)
    if (change->left != SIM_RENAME_WHOLE) leave_half(disk->ground, &disk->directory, change);
  sim_directory_persist(disk, UINT64_MAX);
}

/* --- Other moments of it -------------------------------------------------------- */

void sim_directory_platter(struct sim_disk *disk, struct sim_directory *names) {
  const struct sim_directory *directory = &disk->directory;
  memset(names, 0, sizeof *names);
  for (uint32_t i = 0; i < directory->count; i++)
    entry_insert(disk->ground, names, directory->entries[i].name, directory->entries[i].file);
  for (const struct sim_entry_change *change = directory->last; change != NULL; change = change->previous)
    undo(disk->ground, names, change);
}

void sim_directory_platter_drop(struct sim_disk *disk, struct sim_directory *names) {
  for (uint32_t i = 0; i < names->count; i++)
    names->entries[i].file->names--;
  if (names->entries != NULL) ground_free(disk->ground, names->entries, names->slots * sizeof *names->entries);
}

void sim_directory_add_durable(struct sim_disk *disk, const char *name, struct sim_file *file) {
  entry_insert(disk->ground, &disk->directory, name, file);
}

void sim_directory_clear(struct sim_disk *disk) {
  sim_directory_persist(disk, UINT64_MAX);
  while (disk->directory.count > 0) {
    char name[SIM_NAME_BYTES];
    memcpy(name, disk->directory.entries[disk->directory.count - 1].name, sizeof name);
    sim_disk_release(disk, entry_remove(disk->ground, &disk->directory, name));
  }
}
