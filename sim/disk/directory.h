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

#include "sim/disk/disk_state.h"

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
