/* The directory of a simulated disk: live names, and the creations, renames and
 * unlinks that may not be on the platter, in order. The names on the platter
 * are the live ones with the pending changes undone.
 *
 * Entries and pending changes count on the file that they name (names,
 * references); whoever lowers a count hands the file to sim_disk_release().
 */
#ifndef SIM_DIRECTORY_H
#define SIM_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_disk;
struct sim_file;
struct ground;

#define SIM_NAME_BYTES 64u /* 63 and a NUL */

struct sim_entry {
  char name[SIM_NAME_BYTES]; /* padded with NULs */
  struct sim_file *file;
};

enum sim_entry_change_kind {
  SIM_ENTRY_CREATE = 1,
  SIM_ENTRY_UNLINK = 2,
  SIM_ENTRY_RENAME = 3,
};

/* What a power loss leaves of a rename that survives. */
enum sim_rename_left {
  SIM_RENAME_WHOLE = 0,
  SIM_RENAME_BOTH = 1,    /* both names are of the file */
  SIM_RENAME_NEITHER = 2, /* none is */
  SIM_RENAME_OLD = 3,     /* the old name is, and the file that was replaced is gone all the same */
};

struct sim_entry_change {
  struct sim_entry_change *next, *previous;
  uint64_t order;
  enum sim_entry_change_kind kind;
  bool lost;                 /* scratch of a power loss */
  enum sim_rename_left left; /* the same; of a rename that is not lost and whose names no later change has */
  char name[SIM_NAME_BYTES]; /* created, unlinked or renamed */
  char to[SIM_NAME_BYTES];   /* of a rename */
  struct sim_file *file;
  struct sim_file *replaced; /* what a rename displaced, or NULL */
};

struct sim_directory {
  struct sim_entry *entries; /* in bytewise order of their names */
  uint32_t count, slots;
  struct sim_entry_change *first, *last; /* pending, oldest first */
  uint64_t pending;
};

/* Whether the name is 1 to 63 bytes of [A-Za-z0-9._-], and neither . nor .. */
bool sim_name_valid(const char *name);
uint64_t sim_name_hash(const char *name);

/* The file of that name, or NULL. */
struct sim_file *sim_directory_find(const struct sim_directory *directory, const char *name);

/* Pending changes. The names are valid; `create` wants a free name, the others
 * a name that is there. */
void sim_directory_create(struct sim_disk *disk, const char *name, struct sim_file *file);
void sim_directory_unlink(struct sim_disk *disk, const char *name);
void sim_directory_rename(struct sim_disk *disk, const char *from, const char *to);

/* Changes up to `order` are on the platter. */
void sim_directory_persist(struct sim_disk *disk, uint64_t order);
/* Live names are what the platter kept: pending changes marked `lost` are undone,
 * the others stay, and nothing is pending. A change must be lost when an earlier
 * one that shares a name with it is. */
void sim_directory_settle(struct sim_disk *disk);
/* Whether an earlier pending change that is lost shares a name with this one. */
bool sim_directory_orphaned(const struct sim_entry_change *change);
/* Whether a later pending change shares a name with this one. */
bool sim_directory_overtaken(const struct sim_entry_change *change);
/* The names on the platter, into an uninitialised directory. It counts on its
 * files (names) until it is dropped, at once: no other call between the two. */
void sim_directory_platter(struct sim_disk *disk, struct sim_directory *names);
void sim_directory_platter_drop(struct sim_disk *disk, struct sim_directory *names);
/* A name that is on the platter at once. It is free, and nothing is pending. */
void sim_directory_add_durable(struct sim_disk *disk, const char *name, struct sim_file *file);
/* No entries, no changes. */
void sim_directory_clear(struct sim_disk *disk);

#endif
