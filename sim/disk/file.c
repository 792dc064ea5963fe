#include "sim/disk/file.h"

#include "sim/ground/ground.h"

#include <string.h>

static const uint8_t zero_page[SIM_PAGE_BYTES];

static uint64_t min_u64(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}
static uint64_t max_u64(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

void *sim_disk_alloc(struct ground *ground, size_t size) {
  void *block = ground_alloc(ground, size);
  GROUND_ASSERT(ground, block != NULL);
  return block;
}

struct sim_file *sim_file_create(struct ground *ground) {
  struct sim_file *file = sim_disk_alloc(ground, sizeof *file);
  memset(file, 0, sizeof *file);
  return file;
}

static void change_free(struct ground *ground, struct sim_change *change) {
  if (change->stray != NULL) ground_free(ground, change->stray, (size_t)change->size);
  ground_free(ground, change, sizeof *change + (size_t)change->undo_size);
}

static void scar_free(struct ground *ground, struct sim_scar *scar) {
  ground_free(ground, scar, sizeof *scar + (size_t)scar->undo_size);
}

void sim_file_forgive(struct ground *ground, struct sim_file *file) {
  while (file->scars != NULL) {
    struct sim_scar *scar = file->scars;
    file->scars = scar->next;
    scar_free(ground, scar);
  }
  sim_file_make_readable(ground, file, 0, UINT64_MAX);
}

void sim_file_destroy(struct ground *ground, struct sim_file *file) {
  while (file->first != NULL)
    sim_file_forget(ground, file, file->first);
  sim_file_forgive(ground, file);
  for (uint32_t i = 0; i < file->page_end; i++)
    if (file->pages[i] != NULL) ground_free(ground, file->pages[i], SIM_PAGE_BYTES);
  if (file->pages != NULL) ground_free(ground, file->pages, file->page_slots * sizeof *file->pages);
  ground_free(ground, file, sizeof *file);
}

/* --- Pages -------------------------------------------------------------------- */

static void page_slots_grow(struct ground *ground, struct sim_file *file, uint32_t needed) {
  uint32_t slots = file->page_slots == 0 ? 4 : file->page_slots;
  while (slots < needed)
    slots *= 2;
  uint8_t **pages = sim_disk_alloc(ground, slots * sizeof *pages);
  if (file->page_end > 0) memcpy(pages, file->pages, file->page_end * sizeof *pages);
  if (file->pages != NULL) ground_free(ground, file->pages, file->page_slots * sizeof *pages);
  file->pages = pages;
  file->page_slots = slots;
}

static uint8_t *page_need(struct ground *ground, struct sim_file *file, uint32_t index) {
  if (index >= file->page_slots) page_slots_grow(ground, file, index + 1);
  while (file->page_end <= index)
    file->pages[file->page_end++] = NULL;
  if (file->pages[index] == NULL) {
    file->pages[index] = sim_disk_alloc(ground, SIM_PAGE_BYTES);
    memset(file->pages[index], 0, SIM_PAGE_BYTES);
  }
  return file->pages[index];
}

void sim_file_get(const struct sim_file *file, uint64_t offset, uint8_t *bytes, uint64_t size) {
  while (size > 0) {
    uint64_t index = offset / SIM_PAGE_BYTES, start = offset % SIM_PAGE_BYTES;
    uint64_t part = min_u64(size, SIM_PAGE_BYTES - start);
    const uint8_t *page = index < file->page_end ? file->pages[index] : NULL;
    memcpy(bytes, (page != NULL ? page : zero_page) + start, (size_t)part);
    bytes += part;
    offset += part;
    size -= part;
  }
}

void sim_file_put(struct ground *ground, struct sim_file *file, uint64_t offset, const uint8_t *bytes, uint64_t size) {
  while (size > 0) {
    uint64_t index = offset / SIM_PAGE_BYTES, start = offset % SIM_PAGE_BYTES;
    uint64_t part = min_u64(size, SIM_PAGE_BYTES - start);
    if (bytes != NULL) {
      memcpy(page_need(ground, file, (uint32_t)index) + start, bytes, (size_t)part);
      bytes += part;
    } else if (index < file->page_end && file->pages[index] != NULL) {
      memset(file->pages[index] + start, 0, (size_t)part);
    }
    offset += part;
    size -= part;
  }
}

uint64_t sim_file_hash(const struct sim_file *file, uint64_t offset, uint64_t size) {
  uint64_t hash = size;
  while (size > 0) {
    uint64_t index = offset / SIM_PAGE_BYTES, start = offset % SIM_PAGE_BYTES;
    uint64_t part = min_u64(size, SIM_PAGE_BYTES - start);
    const uint8_t *page = index < file->page_end ? file->pages[index] : NULL;
    hash = sim_hash_fold(hash, sim_hash_bytes((page != NULL ? page : zero_page) + start, (size_t)part));
    offset += part;
    size -= part;
  }
  return hash;
}

void sim_file_resize(struct ground *ground, struct sim_file *file, uint64_t size) {
  file->size = size;
  uint32_t keep = (uint32_t)((size + SIM_PAGE_BYTES - 1) / SIM_PAGE_BYTES);
  while (file->page_end > keep) {
    uint8_t *page = file->pages[--file->page_end];
    if (page != NULL) ground_free(ground, page, SIM_PAGE_BYTES);
  }
  uint64_t used = size % SIM_PAGE_BYTES;
  if (used > 0) sim_file_put(ground, file, size, NULL, SIM_PAGE_BYTES - used);
}

/* --- Changes ------------------------------------------------------------------ */

/* Appends a change over a range, with the bytes that it replaces. */
static struct sim_change *change_add(struct ground *ground, struct sim_file *file, uint64_t order, uint64_t offset,
                                     uint64_t size) {
  uint64_t undo_size = offset < file->size ? min_u64(size, file->size - offset) : 0;
  struct sim_change *change = sim_disk_alloc(ground, sizeof *change + (size_t)undo_size);
  memset(change, 0, sizeof *change);
  change->order = order;
  change->offset = offset;
  change->size = change->written = size;
  change->undo_size = undo_size;
  sim_file_get(file, offset, change->undo, undo_size);
  change->previous = file->last;
  if (file->last != NULL)
    file->last->next = change;
  else
    file->first = change;
  file->last = change;
  file->pending++;
  return change;
}

struct sim_change *sim_file_write(struct ground *ground, struct sim_file *file, uint64_t order, uint64_t offset,
                                  const uint8_t *bytes, uint64_t size) {
  struct sim_change *change = change_add(ground, file, order, offset, size);
  sim_file_put(ground, file, offset, bytes, size);
  file->size = max_u64(file->size, offset + size);
  change->size_after = file->size;
  return change;
}

struct sim_change *sim_file_truncate(struct ground *ground, struct sim_file *file, uint64_t order, uint64_t size) {
  uint64_t cut = size < file->size ? file->size - size : 0;
  struct sim_change *change = change_add(ground, file, order, size, cut);
  change->cut = true;
  change->size_after = size;
  sim_file_resize(ground, file, size);
  return change;
}

void sim_file_forget(struct ground *ground, struct sim_file *file, struct sim_change *change) {
  if (change->previous != NULL)
    change->previous->next = change->next;
  else
    file->first = change->next;
  if (change->next != NULL)
    change->next->previous = change->previous;
  else
    file->last = change->previous;
  file->pending--;
  change_free(ground, change);
}

void sim_change_sectors(const struct sim_change *change, uint32_t sector_bytes, uint64_t *first, uint64_t *end) {
  *first = change->offset / sector_bytes;
  *end = change->size == 0 ? *first : (change->offset + change->size - 1) / sector_bytes + 1;
}

/* Puts a run of remembered bytes: the first undo_size of it, then zeros. */
static void put_remembered(struct ground *ground, struct sim_file *file, uint64_t offset, uint64_t undo_size,
                           const uint8_t *undo, uint64_t from, uint64_t to) {
  uint64_t known_end = min_u64(to, max_u64(from, offset + undo_size));
  if (known_end > from) sim_file_put(ground, file, from, undo + (from - offset), known_end - from);
  if (to > known_end) sim_file_put(ground, file, known_end, NULL, to - known_end);
}

void sim_file_undo(struct ground *ground, struct sim_file *file, const struct sim_change *change, uint64_t from,
                   uint64_t to) {
  from = max_u64(from, change->offset);
  to = min_u64(to, change->offset + change->size);
  if (from < to) put_remembered(ground, file, change->offset, change->undo_size, change->undo, from, to);
}

/* --- Scars -------------------------------------------------------------------- */

/* A scar over [from, to) from a remembered run that begins at `offset`. */
static struct sim_scar *scar_make(struct ground *ground, uint64_t offset, uint64_t undo_size, const uint8_t *undo,
                                  uint64_t from, uint64_t to) {
  uint64_t known = offset + undo_size > from ? min_u64(to, offset + undo_size) - from : 0;
  struct sim_scar *scar = sim_disk_alloc(ground, sizeof *scar + (size_t)known);
  scar->next = NULL;
  scar->offset = from;
  scar->size = to - from;
  scar->undo_size = known;
  if (known > 0) memcpy(scar->bytes, undo + (from - offset), (size_t)known);
  return scar;
}

/* Scars [offset, offset + size) where there is none yet: an older scar shows what
 * the platter really holds. */
static void scar_add(struct ground *ground, struct sim_file *file, uint64_t offset, uint64_t size, uint64_t undo_size,
                     const uint8_t *undo) {
  struct sim_scar **link = &file->scars;
  uint64_t at = offset, end = offset + size;
  while (at < end) {
    struct sim_scar *next = *link;
    if (next != NULL && next->offset + next->size <= at) {
      link = &next->next;
    } else if (next != NULL && next->offset <= at) {
      at = next->offset + next->size;
    } else {
      uint64_t to = next != NULL ? min_u64(end, next->offset) : end;
      struct sim_scar *scar = scar_make(ground, offset, undo_size, undo, at, to);
      scar->next = next;
      *link = scar;
      link = &scar->next;
      at = to;
    }
  }
}

/* No scar is left in [from, to). */
static void scars_cut(struct ground *ground, struct sim_file *file, uint64_t from, uint64_t to) {
  struct sim_scar **link = &file->scars;
  while (*link != NULL && (*link)->offset < to) {
    struct sim_scar *scar = *link;
    uint64_t end = scar->offset + scar->size;
    if (end <= from) {
      link = &scar->next;
      continue;
    }
    *link = scar->next;
    if (scar->offset < from) {
      struct sim_scar *left = scar_make(ground, scar->offset, scar->undo_size, scar->bytes, scar->offset, from);
      left->next = *link;
      *link = left;
      link = &left->next;
    }
    if (end > to) {
      struct sim_scar *right = scar_make(ground, scar->offset, scar->undo_size, scar->bytes, to, end);
      right->next = *link;
      *link = right;
      link = &right->next;
    }
    scar_free(ground, scar);
  }
}

void sim_file_heal(struct ground *ground, struct sim_file *file, uint64_t from, uint64_t to, uint32_t sector_bytes) {
  if ((file->scars == NULL && file->unreadable == NULL) || from >= to) return;
  from -= from % sector_bytes;
  to = (to + sector_bytes - 1) / sector_bytes * sector_bytes;
  scars_cut(ground, file, from, to);
  sim_file_make_readable(ground, file, from, to);
}

void sim_file_doom_first(struct ground *ground, struct sim_file *file) {
  struct sim_change *change = file->first;
  scar_add(ground, file, change->offset, change->written, change->undo_size, change->undo);
  sim_file_forget(ground, file, change);
}

void sim_file_stray(struct ground *ground, struct sim_file *file, uint64_t offset, const uint8_t *bytes, uint64_t size,
                    uint32_t sector_bytes) {
  uint64_t end = offset + size;
  scars_cut(ground, file, offset, end);
  sim_file_make_readable(ground, file, offset - offset % sector_bytes,
                         (end + sector_bytes - 1) / sector_bytes * sector_bytes);
  scar_add(ground, file, offset, size, size, bytes);
}

void sim_file_persist_first(struct ground *ground, struct sim_file *file, uint32_t sector_bytes) {
  struct sim_change *change = file->first;
  file->durable_size = change->size_after;
  if (change->fate == SIM_FATE_HONEST) {
    sim_file_heal(ground, file, change->offset, change->offset + change->written, sector_bytes);
    sim_file_forget(ground, file, change);
    return;
  }
  if (change->fate == SIM_FATE_STRAY)
    sim_file_stray(ground, file, change->stray_offset, change->stray, change->size, sector_bytes);
  sim_file_doom_first(ground, file);
}

void sim_file_persist(struct ground *ground, struct sim_file *file, uint64_t order, uint32_t sector_bytes) {
  while (file->first != NULL && file->first->order <= order)
    sim_file_persist_first(ground, file, sector_bytes);
}

void sim_file_settle(struct ground *ground, struct sim_file *file, uint64_t size) {
  sim_file_resize(ground, file, size);
  file->durable_size = size;
  for (const struct sim_scar *scar = file->scars; scar != NULL; scar = scar->next) {
    uint64_t to = min_u64(size, scar->offset + scar->size);
    if (scar->offset < to) put_remembered(ground, file, scar->offset, scar->undo_size, scar->bytes, scar->offset, to);
  }
  scars_cut(ground, file, 0, UINT64_MAX);
  sim_file_make_readable(ground, file, size, UINT64_MAX);
}

struct sim_file *sim_file_platter(struct ground *ground, const struct sim_file *file) {
  struct sim_file *copy = sim_file_create(ground);
  for (uint32_t i = 0; i < file->page_end; i++)
    if (file->pages[i] != NULL) memcpy(page_need(ground, copy, i), file->pages[i], SIM_PAGE_BYTES);
  copy->size = file->size;
  for (const struct sim_change *change = file->last; change != NULL; change = change->previous)
    sim_file_undo(ground, copy, change, 0, UINT64_MAX);
  for (const struct sim_scar *scar = file->scars; scar != NULL; scar = scar->next)
    scar_add(ground, copy, scar->offset, scar->size, scar->undo_size, scar->bytes);
  for (const struct sim_unreadable *run = file->unreadable; run != NULL; run = run->next)
    sim_file_make_unreadable(ground, copy, run->from, run->to, 1);
  sim_file_settle(ground, copy, file->durable_size);
  return copy;
}

uint8_t *sim_file_platter_byte(struct ground *ground, struct sim_file *file, uint64_t offset) {
  if (offset >= file->durable_size) return NULL;
  for (struct sim_scar *scar = file->scars; scar != NULL; scar = scar->next)
    if (offset >= scar->offset && offset - scar->offset < scar->size)
      return offset - scar->offset < scar->undo_size ? &scar->bytes[offset - scar->offset] : NULL;
  for (struct sim_change *change = file->first; change != NULL; change = change->next)
    if (offset >= change->offset && offset - change->offset < change->size)
      return offset - change->offset < change->undo_size ? &change->undo[offset - change->offset] : NULL;
  return &page_need(ground, file, (uint32_t)(offset / SIM_PAGE_BYTES))[offset % SIM_PAGE_BYTES];
}

static void flip_in(uint8_t *bytes, uint64_t offset, uint64_t size, uint64_t bit) {
  uint64_t at = bit / 8;
  if (at >= offset && at - offset < size) bytes[at - offset] ^= (uint8_t)(1u << (bit % 8));
}

void sim_file_flip(struct ground *ground, struct sim_file *file, uint64_t bit) {
  page_need(ground, file, (uint32_t)(bit / 8 / SIM_PAGE_BYTES))[bit / 8 % SIM_PAGE_BYTES] ^= (uint8_t)(1u << (bit % 8));
  for (struct sim_change *change = file->first; change != NULL; change = change->next)
    flip_in(change->undo, change->offset, change->undo_size, bit);
  for (struct sim_scar *scar = file->scars; scar != NULL; scar = scar->next)
    flip_in(scar->bytes, scar->offset, scar->undo_size, bit);
}
