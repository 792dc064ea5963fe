#include "synctool/identity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/base.h"
#include "core/base/file_io.h"
#include "core/log/log.h"
#include "core/wire/wire.h"

/* docs/formats.md, "Segment header". */
#define HEADER_BYTES 144u
#define CHECKSUM_AT 136u
#define CHECKSUM_SEED UINT64_C(0x53594e4357414c31)
#define CLUSTER_AT 48u
#define PAYLOAD_MAX_AT 64u
#define NODE_AT 72u
/* An operation may be so much longer than its value. */
#define OPERATION_MORE_BYTES (SYNC_FRAME_OVERHEAD_BYTES - FRAME_OPS_OVERHEAD_BYTES)

struct search {
  struct identity *identity;
  const struct sync_env *env;
};

static void limit(struct identity *identity, uint64_t value_bytes_max) {
  if (value_bytes_max > SYNC_VALUE_BYTES_LIMIT) return;
  if (value_bytes_max > identity->value_bytes_max) identity->value_bytes_max = (uint32_t)value_bytes_max;
}

static void read_segment(struct identity *identity, const struct sync_env *env, const char *name) {
  uint8_t bytes[HEADER_BYTES];
  size_t done = 0;
  sync_file file = -1;
  errno = 0;
  if (file_io_open(env, name, 0, &file) != SYNC_OK) {
    if (errno == EACCES || errno == EPERM) identity->refused = errno;
    return;
  }
  const int status = file_io_read(env, file, 0, bytes, sizeof bytes, &done);
  (void)file_io_close(env, file);
  if (status != SYNC_OK || done != sizeof bytes || memcmp(bytes, "\xf5SYNCWAL", 8) != 0) return;
  if (bytes_get_u64(bytes + CHECKSUM_AT) != checksum64(bytes, CHECKSUM_AT, CHECKSUM_SEED)) return;
  const size_t length = bytes[NODE_AT];
  if (length == 0 || length > SYNC_NODE_ID_BYTES_MAX) return;
  identity->known = true;
  memcpy(identity->node_id, bytes + NODE_AT + 1, length);
  identity->node_id[length] = '\0';
  memcpy(identity->cluster_id, bytes + CLUSTER_AT, SYNC_CLUSTER_ID_BYTES);
  const uint32_t payload = bytes_get_u32(bytes + PAYLOAD_MAX_AT);
  if (payload > OPERATION_MORE_BYTES) limit(identity, payload - OPERATION_MORE_BYTES);
}

static void read_base(struct identity *identity, const struct sync_env *env, const char *name, uint64_t id) {
  struct snapshot_reader reader;
  struct image_head head;
  struct block block;
  const uint8_t *bytes = NULL;
  if (snapshot_reader_open(&reader, env, name, id, IDENTITY_BLOCK_BYTES_MAX) != SYNC_OK) return;
  if (snapshot_reader_next(&reader, &block, &bytes) == SYNC_OK && block.type == BLOCK_HEAD &&
      image_head_parse(bytes + BLOCK_HEADER_BYTES, block.size, &head) == SYNC_OK && head.node_id_size > 0 &&
      head.node_id_size <= SYNC_NODE_ID_BYTES_MAX) {
    identity->known = true;
    memcpy(identity->node_id, head.node_id, head.node_id_size);
    identity->node_id[head.node_id_size] = '\0';
    memcpy(identity->cluster_id, head.cluster_id, SYNC_CLUSTER_ID_BYTES);
    limit(identity, head.value_bytes_max);
  }
  snapshot_reader_close(&reader);
}

static int take_name(void *arg, const char *name) {
  const struct search *search = arg;
  struct identity *identity = search->identity;
  uint64_t position = 0, id = 0;
  bool aside = false;
  const size_t length = strlen(name);
  if (wal_name_is_one(name)) {
    aside = length > 4 && strcmp(name + length - 4, ".new") == 0;
    if (aside) identity->unfinished++;
    if (!aside && identity->segments++ == 0)
      (void)snprintf(identity->first_segment, sizeof identity->first_segment, "%s", name);
    read_segment(identity, search->env, name);
  } else if (base_name_parse(name, &position, &id, &aside)) {
    if (aside) {
      identity->unfinished++;
      return 0;
    }
    identity->bases++;
    (void)snprintf(identity->base, sizeof identity->base, "%s", name); /* names come in order of position */
    identity->base_id = id;
    identity->base_position = position;
    read_base(identity, search->env, name, id);
  } else if (stage_name_parse(name, &id)) {
    identity->stages++;
  } else if (strncmp(name, "bad-", 4) == 0) {
    identity->set_aside++;
  }
  return 0;
}

int identity_find(struct identity *identity, const struct sync_env *env) {
  struct search search = {.identity = identity, .env = env};
  memset(identity, 0, sizeof *identity);
  return file_io_list(env, take_name, &search);
}
