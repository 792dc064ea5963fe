/* Latent sector errors: sectors that the platter does not give back until they
 * are written again. */
#include "sim/disk/file.h"

#include "sim/ground/ground.h"

static void run_insert(struct ground *ground, struct sim_unreadable **link, uint64_t from, uint64_t to) {
  struct sim_unreadable *run = sim_disk_alloc(ground, sizeof *run);
  *run = (struct sim_unreadable){*link, from, to};
  *link = run;
}

void sim_file_make_readable(struct ground *ground, struct sim_file *file, uint64_t from, uint64_t to) {
  struct sim_unreadable **link = &file->unreadable;
  while (*link != NULL && (*link)->from < to) {
    struct sim_unreadable *run = *link;
    if (run->to <= from) {
      link = &run->next;
    } else if (run->from < from) {
      if (run->to > to) run_insert(ground, &run->next, to, run->to);
      run->to = from;
      link = &run->next;
    } else if (run->to > to) {
      run->from = to;
    } else {
      *link = run->next;
      ground_free(ground, run, sizeof *run);
    }
  }
}

void sim_file_make_unreadable(struct ground *ground, struct sim_file *file, uint64_t from, uint64_t to,
                              uint32_t sector_bytes) {
  from -= from % sector_bytes;
  to = (to + sector_bytes - 1) / sector_bytes * sector_bytes;
  if (from >= to) return;
  sim_file_make_readable(ground, file, from, to);
  struct sim_unreadable **link = &file->unreadable;
  while (*link != NULL && (*link)->from < from)
    link = &(*link)->next;
  run_insert(ground, link, from, to);
}

static bool overlaps(uint64_t offset, uint64_t size, uint64_t from, uint64_t to) {
  return offset < to && from < offset + size;
}

bool sim_file_reads_platter(const struct sim_file *file, uint64_t from, uint32_t sector_bytes) {
  uint64_t to = from + sector_bytes;
  for (const struct sim_change *change = file->first; change != NULL; change = change->next)
    if (overlaps(change->offset, change->size, from, to)) return false;
  for (const struct sim_scar *scar = file->scars; scar != NULL; scar = scar->next)
    if (overlaps(scar->offset, scar->size, from, to)) return false;
  return true;
}

static bool marked(const struct sim_file *file, uint64_t from, uint64_t to) {
  for (const struct sim_unreadable *run = file->unreadable; run != NULL && run->from < to; run = run->next)
    if (run->to > from) return true;
  return false;
}

static bool sector_fails(const struct sim_file *file, uint64_t from, uint32_t sector_bytes) {
  return marked(file, from, from + sector_bytes) && sim_file_reads_platter(file, from, sector_bytes);
}

bool sim_file_read_fails(const struct sim_file *file, uint64_t from, uint64_t to, uint32_t sector_bytes) {
  for (const struct sim_unreadable *run = file->unreadable; run != NULL && run->from < to; run = run->next) {
    uint64_t at = run->from > from ? run->from : from;
    for (at -= at % sector_bytes; at < to && at < run->to; at += sector_bytes)
      if (sim_file_reads_platter(file, at, sector_bytes)) return true;
  }
  return false;
}

bool sim_file_write_fails(const struct sim_file *file, uint64_t from, uint64_t to, uint32_t sector_bytes) {
  if (file->unreadable == NULL || from >= to) return false;
  uint64_t first = from - from % sector_bytes, last = (to - 1) - (to - 1) % sector_bytes;
  uint64_t needed_end = last + sector_bytes < file->size ? last + sector_bytes : file->size;
  /* Behind the end of the file there is nothing to read. */
  if (from > first && sector_fails(file, first, sector_bytes)) return true;
  return to < needed_end && sector_fails(file, last, sector_bytes);
}
