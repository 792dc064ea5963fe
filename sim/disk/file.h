/* One file of a simulated disk: its live content in pages, the ordered list of
 * changes that may not be on the platter, and the scars that failed, lying,
 * lost and misdirected writes left on the platter.
 *
 * A change keeps what it replaced, never what it wrote: an append keeps
 * nothing. Whatever a power loss leaves is reached by undoing changes, sector
 * by sector, so a write costs what it writes and an fsync what it drops.
 */
#ifndef SIM_FILE_H
#define SIM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ground;

#define SIM_PAGE_BYTES 4096u
#define SIM_FILE_BYTES_MAX (UINT64_C(1) << 30)

/* What the platter will make of a change when it is persisted. */
enum sim_change_fate {
  SIM_FATE_HONEST = 0,
  SIM_FATE_LOST = 1,  /* never written, though reported so */
  SIM_FATE_STRAY = 2, /* written elsewhere in the file */
};

/* One write, or one truncate: a cut leaves zeros in the range that it cuts. */
struct sim_change {
  struct sim_change *next, *previous;
  uint64_t order;        /* global on the disk */
  uint64_t offset, size; /* the bytes that it wrote or cut */
  uint64_t written;      /* so many first bytes may reach the platter: all but the end of a torn one */
  uint64_t size_after;   /* of the file */
  uint64_t undo_size;    /* this many first bytes of the range are in undo; the rest was zeros */
  uint8_t *stray;        /* copy of the written bytes; only with SIM_FATE_STRAY */
  uint64_t stray_offset;
  uint32_t sectors, sectors_lost; /* scratch of a power loss */
  enum sim_change_fate fate;
  bool cut;
  uint8_t undo[];
};

/* Where the platter differs from what the cache believes to be durable.
 * Disjoint, ascending. A sector that is written again heals. */
struct sim_scar {
  struct sim_scar *next;
  uint64_t offset, size;
  uint64_t undo_size; /* this many first bytes are in bytes; the rest are zeros */
  uint8_t bytes[];
};

/* Sectors whose platter gives no data back (latent sector errors), as bytes
 * [from, to). Disjoint, ascending. What is written again is readable again. */
struct sim_unreadable {
  struct sim_unreadable *next;
  uint64_t from, to;
};

struct sim_file {
  struct sim_file *next, *previous; /* all files of the disk, oldest first */
  uint64_t size;                    /* live */
  uint64_t durable_size;
  uint8_t **pages; /* NULL: zeros; bytes behind the size are zeros */
  uint32_t page_slots, page_end;
  struct sim_change *first, *last; /* pending, oldest first */
  uint64_t pending;
  struct sim_scar *scars;
  struct sim_unreadable *unreadable;
  uint64_t errors;      /* failed fsyncs so far: each handle is told once ... */
  uint64_t errors_seen; /* ... and a handle opened later of those that nobody was told */
  uint32_t names;       /* live directory entries: 0 or 1; 2 after half a rename */
  uint32_t handles;     /* open */
  uint32_t references;  /* of pending directory changes and fsync requests */
};

struct sim_file *sim_file_create(struct ground *ground);
void sim_file_destroy(struct ground *ground, struct sim_file *file);

/* Raw access to the live image; the range may lie anywhere below
 * SIM_FILE_BYTES_MAX. `bytes` NULL puts zeros. */
void sim_file_get(const struct sim_file *file, uint64_t offset, uint8_t *bytes, uint64_t size);
void sim_file_put(struct ground *ground, struct sim_file *file, uint64_t offset, const uint8_t *bytes, uint64_t size);
uint64_t sim_file_hash(const struct sim_file *file, uint64_t offset, uint64_t size);

/* Changes to the live image, remembered as pending. */
struct sim_change *sim_file_write(struct ground *ground, struct sim_file *file, uint64_t order, uint64_t offset,
                                  const uint8_t *bytes, uint64_t size);
struct sim_change *sim_file_truncate(struct ground *ground, struct sim_file *file, uint64_t order, uint64_t size);

/* The oldest pending change reaches the platter, as its fate says. */
void sim_file_persist_first(struct ground *ground, struct sim_file *file, uint32_t sector_bytes);
/* All pending changes up to `order` do. */
void sim_file_persist(struct ground *ground, struct sim_file *file, uint64_t order, uint32_t sector_bytes);
/* Forgets a pending change. */
void sim_file_forget(struct ground *ground, struct sim_file *file, struct sim_change *change);
/* Restores in the live image what a change replaced in [from, to), clipped to its
 * range. Right only when no later change is left in those bytes. */
void sim_file_undo(struct ground *ground, struct sim_file *file, const struct sim_change *change, uint64_t from,
                   uint64_t to);
/* The change will never reach the platter: its range becomes a scar, and it is
 * forgotten. Only for the oldest. */
void sim_file_doom_first(struct ground *ground, struct sim_file *file);
/* The platter's sectors that overlap [from, to) are as the cache has them. */
void sim_file_heal(struct ground *ground, struct sim_file *file, uint64_t from, uint64_t to, uint32_t sector_bytes);
/* Sets the live size without a pending change; what lies behind is zeros. */
void sim_file_resize(struct ground *ground, struct sim_file *file, uint64_t size);
/* After a power loss: no change is pending, the size is `size`, the scars show. */
void sim_file_settle(struct ground *ground, struct sim_file *file, uint64_t size);
/* Forgets scars and unreadable sectors: the platter is as the cache. */
void sim_file_forgive(struct ground *ground, struct sim_file *file);
/* Where the platter's version of a byte is kept; NULL: that byte is not on it, or is one
 * of the zeros that nobody keeps. */
uint8_t *sim_file_platter_byte(struct ground *ground, struct sim_file *file, uint64_t offset);
/* A write meant for elsewhere hits the platter; the cache does not know. */
void sim_file_stray(struct ground *ground, struct sim_file *file, uint64_t offset, const uint8_t *bytes, uint64_t size,
                    uint32_t sector_bytes);
/* A file of its own, linked nowhere, that holds what the platter of this one
 * does, unreadable sectors too. */
struct sim_file *sim_file_platter(struct ground *ground, const struct sim_file *file);
/* Flips a bit in every version of the byte. */
void sim_file_flip(struct ground *ground, struct sim_file *file, uint64_t bit);

/* Sectors that a change touches: [*first, *end). */
void sim_change_sectors(const struct sim_change *change, uint32_t sector_bytes, uint64_t *first, uint64_t *end);

/* --- unreadable.c. Offsets are rounded out to whole sectors. ------------------- */

void sim_file_make_unreadable(struct ground *ground, struct sim_file *file, uint64_t from, uint64_t to,
                              uint32_t sector_bytes);
/* Exactly [from, to). */
void sim_file_make_readable(struct ground *ground, struct sim_file *file, uint64_t from, uint64_t to);
/* Whether a read of the sector at `from` is served from the platter: the page
 * cache holds on to what differs from it. */
bool sim_file_reads_platter(const struct sim_file *file, uint64_t from, uint32_t sector_bytes);
/* Whether reading [from, to) must fail. */
bool sim_file_read_fails(const struct sim_file *file, uint64_t from, uint64_t to, uint32_t sector_bytes);
/* Whether writing [from, to) must fail: it covers an unreadable sector in part,
 * and the rest of it would have to be read first. */
bool sim_file_write_fails(const struct sim_file *file, uint64_t from, uint64_t to, uint32_t sector_bytes);

/* Memory of the world; a used-up arena is the harness's failure. */
void *sim_disk_alloc(struct ground *ground, size_t size);

#endif
