/* A log under test together with what it has promised: drives a wal over a
 * memory_env and checks at every open that what is there is a prefix of what
 * was written and holds everything that was durable.
 */
#ifndef TESTS_SUPPORT_WAL_MODEL_H
#define TESTS_SUPPORT_WAL_MODEL_H

#include "core/log/log.h"
#include "tests/support/memory_env.h"

#define WAL_MODEL_RECORDS_MAX 512u
#define WAL_MODEL_PAYLOAD_MAX 600u

struct wal_model_record {
  uint32_t id;
  uint64_t position, end;
  size_t size; /* of its payload */
};

struct wal_model {
  struct memory_env *memory;
  struct wal_options options;
  struct wal *wal;
  struct wal_report report;
  struct wal_model_record records[WAL_MODEL_RECORDS_MAX]; /* what the log is to hold, marks apart */
  size_t count;
  uint32_t next_id;
  uint64_t promised; /* greatest durable position seen */
  /* While opening: */
  struct wal_model_record found[WAL_MODEL_RECORDS_MAX];
  size_t found_count;
  int replay_result;
  const char *violation; /* the first broken rule, or NULL */
};

void wal_model_init(struct wal_model *model, struct memory_env *memory);
/* Opens and compares. Returns wal_open's status. */
int wal_model_open(struct wal_model *model);
void wal_model_close(struct wal_model *model);
/* Forgets the wal as a crash does: memory is given back, no call is made. */
void wal_model_crash(struct wal_model *model);
/* Appends a record of this payload size (at least 4) with content of its own, and
 * writes it: a turn of one. Gives the status of what failed; when that was the write,
 * the record waits for the next one. */
int wal_model_append(struct wal_model *model, size_t size);
/* Appends it, to be written with others. */
int wal_model_append_only(struct wal_model *model, size_t size);
int wal_model_commit(struct wal_model *model);
/* Completes one fsync with this result; false when there was none. */
bool wal_model_complete(struct wal_model *model, int result);
/* Commits and completes until all is durable. */
int wal_model_settle(struct wal_model *model);
/* Notes the durable position; call after anything that can move it. */
void wal_model_observe(struct wal_model *model);
/* Reads every record back and compares. */
void wal_model_read_all(struct wal_model *model);

#endif
