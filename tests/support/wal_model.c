#include "tests/support/wal_model.h"

#include <string.h>

#include "core/base/base.h"

static void violate(struct wal_model *model, const char *what) {
  if (model->violation == NULL) model->violation = what;
}

static void fill(uint8_t *payload, uint32_t id, size_t size) {
  bytes_put_u32(payload, id);
  for (size_t i = 4; i < size; i++)
    payload[i] = (uint8_t)((id * 31u + i * 7u) & 0xffu);
}

void wal_model_init(struct wal_model *model, struct memory_env *memory) {
  memset(model, 0, sizeof *model);
  model->memory = memory;
  model->next_id = 1;
  model->options.node_id = "node-1";
  memset(model->options.cluster_id, 7, sizeof model->options.cluster_id);
  model->options.segment_bytes = 1024;
  model->options.payload_bytes_max = WAL_MODEL_PAYLOAD_MAX;
}

static int replay(void *arg, enum wal_record_type type, uint64_t position, uint64_t end, const uint8_t *payload,
                  size_t size) {
  struct wal_model *model = (struct wal_model *)arg;
  uint8_t expected[WAL_MODEL_PAYLOAD_MAX];
  if (model->replay_result != SYNC_OK) return model->replay_result;
  if (type == WAL_MARK) return SYNC_OK;
  if (type != WAL_OPERATION || size < 4 || size > sizeof expected) {
    violate(model, "a record was replayed that nobody wrote");
    return SYNC_OK;
  }
  uint32_t id = bytes_get_u32(payload);
  fill(expected, id, size);
  if (memcmp(expected, payload, size) != 0) violate(model, "a record was replayed with other bytes");
  if (model->found_count == WAL_MODEL_RECORDS_MAX) return SYNC_E_TOO_MANY;
  model->found[model->found_count++] =
      (struct wal_model_record){.id = id, .position = position, .end = end, .size = size};
  return SYNC_OK;
}

static void compare(struct wal_model *model) {
  size_t found = model->found_count;
  for (size_t i = 0; i < found; i++) {
    uint32_t id = model->found[i].id;
    if (i >= model->count || id != model->records[i].id)
      violate(model, "what was found is no prefix of what was written");
    if (i < model->count && model->found[i].position != model->records[i].position)
      violate(model, "a record has moved");
  }
  for (size_t i = 0; i < model->count; i++)
    if (model->records[i].end <= model->promised && (i >= found || model->found[i].id != model->records[i].id))
      violate(model, "a durable record is lost");
}

void wal_model_observe(struct wal_model *model) {
  uint64_t durable = wal_durable_position(model->wal);
  if (durable > wal_appended_position(model->wal)) violate(model, "durable past the end");
  if (wal_claimed_position(model->wal) > durable) violate(model, "claimed more than is durable");
  if (durable > model->promised) model->promised = durable;
}

int wal_model_open(struct wal_model *model) {
  model->found_count = 0;
  int status = wal_open(&model->wal, &model->memory->env, &model->options, replay, model, &model->report);
  if (status != SYNC_OK) {
    if (model->wal != NULL) violate(model, "a failed open gave a log");
    return status;
  }
  compare(model);
  memcpy(model->records, model->found, sizeof model->found);
  model->count = model->found_count;
  if (wal_appended_position(model->wal) < model->promised) violate(model, "the log ends before what was durable");
  wal_model_observe(model);
  return status;
}

void wal_model_close(struct wal_model *model) {
  wal_close(model->wal);
  model->wal = NULL;
}

void wal_model_crash(struct wal_model *model) {
  /* With the power off no call has an effect; memory comes back. */
  model->memory->powered_off = true;
  wal_close(model->wal);
  model->wal = NULL;
}

int wal_model_append(struct wal_model *model, size_t size) {
  int status = wal_model_append_only(model, size);
  return status == SYNC_OK ? wal_write(model->wal) : status;
}

int wal_model_append_only(struct wal_model *model, size_t size) {
  uint8_t payload[WAL_MODEL_PAYLOAD_MAX];
  if (model->count == WAL_MODEL_RECORDS_MAX) return SYNC_E_TOO_MANY;
  uint64_t before = wal_appended_position(model->wal);
  struct wal_model_record record = {.id = model->next_id++, .size = size};
  fill(payload, record.id, size);
  int status = wal_append(model->wal, WAL_OPERATION, payload, size, &record.position, &record.end);
  if (status != SYNC_OK) {
    if (wal_appended_position(model->wal) != before) violate(model, "a failed append changed the log");
    return status;
  }
  if (record.end < before + WAL_RECORD_HEADER_BYTES_MIN + size ||
      record.end > before + WAL_RECORD_HEADER_BYTES_MAX + size || record.position != before)
    violate(model, "an append gave wrong positions");
  model->records[model->count++] = record;
  wal_model_observe(model);
  return status;
}

int wal_model_commit(struct wal_model *model) {
  return wal_commit(model->wal);
}

bool wal_model_complete(struct wal_model *model, int result) {
  uint64_t token = 0;
  bool ours = false;
  if (model->memory->powered_off || !memory_env_complete(model->memory, result, &token)) return false;
  int status = wal_disk_done(model->wal, token, result, &ours);
  if (!ours) violate(model, "a token was not recognised");
  if (result != SYNC_OK && status != SYNC_E_FAILED) violate(model, "a failed fsync did not stop the log");
  wal_model_observe(model);
  return true;
}

int wal_model_settle(struct wal_model *model) {
  int status = wal_commit(model->wal);
  while (status == SYNC_OK && wal_model_complete(model, SYNC_OK)) {
  }
  return status;
}

void wal_model_read_all(struct wal_model *model) {
  uint8_t expected[WAL_MODEL_PAYLOAD_MAX], got[WAL_MODEL_PAYLOAD_MAX];
  for (size_t i = 0; i < model->count; i++) {
    enum wal_record_type type = WAL_MARK;
    size_t size = 0;
    int status = wal_read(model->wal, model->records[i].position, &type, got, sizeof got, &size);
    if (status != SYNC_OK || type != WAL_OPERATION || size != model->records[i].size) {
      violate(model, "a record cannot be read back");
      continue;
    }
    fill(expected, model->records[i].id, size);
    if (memcmp(expected, got, size) != 0) violate(model, "a record reads back with other bytes");
  }
}
