/* Room `disk`: what the disk of one node does, not what one wishes.
 * Takes: the ground, settings, the file calls of the port, crashes. Gives: their
 * results and completions, what a crash leaves behind, and a record of the
 * damage that it did. Knows no node and no world.
 *
 * A file has a live image (what reads see: the page cache) and the ordered
 * list of changes that are not yet known to be on the platter; the directory
 * has the same for creations, renames and unlinks. fsync of one empties only
 * its own list, when it completes. A power loss chooses, file by file, what of
 * the pending changes survived. A process crash loses nothing but handles and
 * the fsyncs that they had requested.
 * docs/world.md tells the model; every call costs what it touches.
 *
 * All results are enum sync_status (core/env.h).
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env.h"
#include "sim/disk/config.h"

struct ground;
struct sim_disk; /* in the arena */

struct sim_disk *sim_disk_create(struct ground *ground, uint32_t node, const struct sim_disk_config *config);
/* Changes settings from now on. */
void sim_disk_configure(struct sim_disk *disk, const struct sim_disk_config *config);
const struct sim_disk_config *sim_disk_config(const struct sim_disk *disk);

/* The calls of the port, on behalf of the node. A write that meets the quota is
 * short up to it; one that finds no room at all gives SYNC_E_NO_SPACE. No file
 * passes 1 GiB. A failed write (SYNC_E_IO) gives *done = 0 and may have changed
 * any first part of its range. SYNC_E_INTERRUPTED comes from read and write
 * only. */
int sim_disk_open(struct sim_disk *disk, const char *name, uint32_t flags, sync_file *file);
int sim_disk_close(struct sim_disk *disk, sync_file file);
int sim_disk_read(struct sim_disk *disk, sync_file file, uint64_t offset, void *buffer, size_t size, size_t *done);
int sim_disk_write(struct sim_disk *disk, sync_file file, uint64_t offset, const void *bytes, size_t size,
                   size_t *done);
int sim_disk_truncate(struct sim_disk *disk, sync_file file, uint64_t size);
int sim_disk_size(struct sim_disk *disk, sync_file file, uint64_t *size);
int sim_disk_rename(struct sim_disk *disk, const char *from, const char *to);
int sim_disk_unlink(struct sim_disk *disk, const char *name);
int sim_disk_list(struct sim_disk *disk, int (*each)(void *arg, const char *name), void *arg);
/* Take the request and put its completion on the timeline: an event of kind
 * SIM_EVENT_DISK for the node, whose `value` is the request's id and whose `life`
 * is sim_disk_life() then. Ids count from 1 on each disk and are never used again. */
int sim_disk_fsync_file(struct sim_disk *disk, sync_file file, uint64_t token);
int sim_disk_fsync_dir(struct sim_disk *disk, uint64_t token);
/* The world calls this when the completion is due and the node is up: makes
 * durable what the request covered (changes before it, none after) and gives
 * the result for the node. `id` is the event's value; SYNC_E_NOT_FOUND when a
 * crash dropped that request. */
int sim_disk_fsync_finish(struct sim_disk *disk, uint64_t id, uint64_t *token);
/* Crashes so far: completions of an earlier life are off. */
uint64_t sim_disk_life(const struct sim_disk *disk);
/* Slow calls keep the node busy: nothing else reaches it until this time. */
/* Requested fsyncs whose completion the node has not got yet, for whatever reason. */
uint32_t sim_disk_fsyncs_in_flight(const struct sim_disk *disk);
uint64_t sim_disk_busy_until(const struct sim_disk *disk);
/* It is busy for so much longer. */
void sim_disk_keep_busy(struct sim_disk *disk, uint64_t ns);

/* The machine loses power: chooses what survives, drops handles, requests in
 * flight, unlinked files. */
void sim_disk_power_loss(struct sim_disk *disk);
/* The process dies, the page cache lives: drops handles and requests; what was
 * requested stays pending. */
void sim_disk_process_crash(struct sim_disk *disk);
/* Empties the disk; an image that was saved stays. */
void sim_disk_wipe(struct sim_disk *disk);
/* Keeps a copy of all that the platter holds now (names, contents, unreadable
 * sectors; nothing that is pending), in place of an earlier one. In the arena, so
 * that checkpoints hold it. */
void sim_disk_image_save(struct sim_disk *disk);
void sim_disk_image_drop(struct sim_disk *disk);
/* The disk is as the image says, all durable, nothing pending, no handles; the
 * image stays. false: none was saved. Settings, damage record and the count of
 * power losses go on. */
bool sim_disk_image_restore(struct sim_disk *disk);
/* Makes the platter equal to the live content, whatever faults left there (for
 * the end of a run, and for tests). */
void sim_disk_sync_all(struct sim_disk *disk);

/* --- For tests and oracles ---------------------------------------------------- */
uint64_t sim_disk_used_bytes(const struct sim_disk *disk);
uint64_t sim_disk_pending_changes(const struct sim_disk *disk);
uint32_t sim_disk_open_handles(const struct sim_disk *disk);
/* What the page cache has, without a call of the machine: no fault, no delay, no
 * trace. The name at a place in bytewise order, NULL past the end. */
const char *sim_disk_peek_name(const struct sim_disk *disk, uint32_t place);
/* Copies what the file has from `offset` on; gives how much that was, 0 when there
 * is no such file. */
size_t sim_disk_peek(const struct sim_disk *disk, const char *name, uint64_t offset, void *bytes, size_t size);
/* Whether a read of the range would meet a sector that cannot be read. */
bool sim_disk_peek_unreadable(const struct sim_disk *disk, const char *name, uint64_t offset, uint64_t size);
/* So many first bytes of the file would be there, as they are, if power were lost
 * now; 0 while its name would not. */
uint64_t sim_disk_peek_durable(const struct sim_disk *disk, const char *name);
/* A hash of all names, live contents, and unreadable sectors. */
uint64_t sim_disk_digest(const struct sim_disk *disk);
/* True once the world has damaged durable data, or lied about durability:
 * promises of this node made before then are excused. */
bool sim_disk_damaged(const struct sim_disk *disk);
/* Whether a call of the node's present life, or of the one that has just ended, gave
 * that status. */
bool sim_disk_told(const struct sim_disk *disk, int status);
/* How many damages there were since the disk was made, scripted ones included. */
uint64_t sim_disk_damage_count(const struct sim_disk *disk);
/* Each of them, in order; NULL past the end. */
const struct sim_damage *sim_disk_damage_at(const struct sim_disk *disk, uint64_t index);
/* Whether the bytes of that damage are still wrong, or would be after a power loss:
 * not once they were rewritten, their file went, or the disk was wiped. An image
 * that is restored brings its own back. */
bool sim_disk_damage_there(const struct sim_disk *disk, uint64_t index);

/* The node runs on the names that it found: what lies about names took away is gone. */
void sim_disk_damage_names_seen(struct sim_disk *disk);

/* The names of the disk in bytewise order, and the sizes of their files; NULL past the end. */
const char *sim_disk_name_at(const struct sim_disk *disk, uint32_t index, uint64_t *size);

/* Damage by script: always done, and counted against the budget. */
/* Flips one bit of a file's live and durable content; false when out of range. */
bool sim_disk_flip(struct sim_disk *disk, const char *name, uint64_t bit);
/* `count` sectors of the file, from number `sector` on, give SYNC_E_IO to every
 * read until they are written again. What the page cache holds on to (pending
 * changes) is read from there until power is lost. One damage, whatever the
 * count. false when out of range. */
bool sim_disk_unreadable(struct sim_disk *disk, const char *name, uint64_t sector, uint64_t count);

#endif
