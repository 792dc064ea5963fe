#include "search/job.h"

#include <stddef.h>
#include <string.h>

#include "search/pipe.h"

/* How many of each follow the job. */
struct counts {
  uint64_t outcomes, reseeds, kinds;
};

struct job_outcome {
  struct sim_tag tag;
  uint64_t outcome;
};
#define CHUNK 128u /* outcomes that travel together */

static bool write_outcomes(int fd, const struct sim_choice_table *table, size_t count) {
  bool ok = true;
  for (size_t from = 0; ok && from < count; from += CHUNK) {
    struct job_outcome entries[CHUNK];
    size_t some = count - from < CHUNK ? count - from : CHUNK;
    memset(entries, 0, sizeof entries);
    for (size_t i = 0; i < some; i++)
      entries[i].tag = sim_choice_table_at(table, from + i, &entries[i].outcome);
    ok = pipe_write_all(fd, entries, some * sizeof *entries);
  }
  return ok;
}

static bool read_outcomes(int fd, struct sim_choice_table *table, uint64_t count) {
  bool ok = true;
  for (uint64_t from = 0; ok && from < count; from += CHUNK) {
    struct job_outcome entries[CHUNK];
    size_t some = (size_t)(count - from < CHUNK ? count - from : CHUNK);
    ok = pipe_read_all(fd, entries, some * sizeof *entries);
    for (size_t i = 0; ok && i < some; i++)
      ok = sim_choice_table_set(table, entries[i].tag, entries[i].outcome);
  }
  return ok;
}

static bool write_table(int fd, const struct sim_choice_table *table) {
  struct counts counts = {0, 0, 0};
  size_t reseed_count = 0, kind_count = 0;
  const struct sim_choice_of_kind *kinds = NULL;
  const struct sim_reseed *reseeds = NULL;
  if (table != NULL) {
    reseeds = sim_choice_table_reseeds(table, &reseed_count);
    kinds = sim_choice_table_kinds(table, &kind_count);
    counts = (struct counts){sim_choice_table_count(table), reseed_count, kind_count};
  }
  bool ok = pipe_write_all(fd, &counts, sizeof counts);
  ok = ok && (table == NULL || write_outcomes(fd, table, counts.outcomes));
  ok = ok && (reseed_count == 0 || pipe_write_all(fd, reseeds, reseed_count * sizeof *reseeds));
  for (size_t i = 0; ok && i < kind_count; i++) {
    const uint64_t fields[2] = {kinds[i].kind, kinds[i].outcome};
    ok = pipe_write_all(fd, fields, sizeof fields);
  }
  return ok;
}

static bool read_table(int fd, struct sim_choice_table **table) {
  struct counts counts;
  *table = NULL;
  if (!pipe_read_all(fd, &counts, sizeof counts)) return false;
  if (counts.outcomes + counts.reseeds + counts.kinds == 0) return true;
  *table = sim_choice_table_create();
  bool ok = *table != NULL && read_outcomes(fd, *table, counts.outcomes);
  for (uint64_t i = 0; ok && i < counts.reseeds; i++) {
    struct sim_reseed reseed;
    ok = pipe_read_all(fd, &reseed, sizeof reseed) && sim_choice_table_reseed(*table, reseed);
  }
  for (uint64_t i = 0; ok && i < counts.kinds; i++) {
    uint64_t fields[2];
    ok = pipe_read_all(fd, fields, sizeof fields) && sim_choice_table_set_kind(*table, (uint32_t)fields[0], fields[1]);
  }
  if (ok) return true;
  sim_choice_table_destroy(*table);
  *table = NULL;
  return false;
}

bool job_write(int fd, const struct job *job) {
  return pipe_write_all(fd, job, sizeof *job) && write_table(fd, job->overrides);
}

bool job_read(int fd, struct job *job) {
  return pipe_read_all(fd, job, sizeof *job) && read_table(fd, &job->overrides);
}
