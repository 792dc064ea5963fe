#include "synctool/snapshot_file.h"

#include <stdio.h>
#include <string.h>

#include "core/base/base.h"
#include "core/base/file_io.h"
#include "synctool/identity.h"

static bool take_block(struct snapshot_file *file, const struct block *block, const uint8_t *payload, uint64_t sum) {
  struct image_head head;
  struct image_end end;
  struct image_origin origin;
  struct bytes_reader entries = bytes_reader_of(payload, block->size);
  if (block->type == BLOCK_HEAD) {
    if (image_head_parse(payload, block->size, &head) != SYNC_OK || head.node_id_size > SYNC_NODE_ID_BYTES_MAX)
      return false;
    file->head = true;
    file->position = head.position;
    file->hlc = head.hlc_last;
    memcpy(file->author, head.node_id, head.node_id_size);
  } else if (block->type == BLOCK_ORIGINS) {
    while (image_next_origin(&entries, &origin))
      file->origins++;
  } else if (block->type == BLOCK_END) {
    if (image_end_parse(payload, block->size, &end) != SYNC_OK || end.sum != sum) return false;
    file->keys = end.keys;
    file->siblings = end.siblings;
    file->whole = true;
  }
  return true;
}

static int size_of(const struct sync_env *env, const char *name, uint64_t *size) {
  sync_file file = -1;
  int status = file_io_open(env, name, 0, &file);
  if (status != SYNC_OK) return status;
  status = file_io_size(env, file, size);
  (void)file_io_close(env, file);
  return status;
}

int snapshot_file_read(struct snapshot_file *file, const struct sync_env *env, const char *name, uint64_t id) {
  struct snapshot_reader reader;
  memset(file, 0, sizeof *file);
  (void)snprintf(file->name, sizeof file->name, "%s", name);
  file->id = id;
  int status = size_of(env, name, &file->bytes);
  if (status == SYNC_OK) status = snapshot_reader_open(&reader, env, name, id, IDENTITY_BLOCK_BYTES_MAX);
  if (status != SYNC_OK) return status;
  bool good = true;
  while (good && !file->whole) {
    struct block block;
    const uint8_t *bytes = NULL;
    const uint64_t sum = reader.sum;
    file->damage_at = reader.offset;
    status = snapshot_reader_next(&reader, &block, &bytes);
    good = status == SYNC_OK && take_block(file, &block, bytes + BLOCK_HEADER_BYTES, sum);
    if (good) file->blocks++;
  }
  if (file->whole && reader.offset != file->bytes) { /* nothing may stand behind the end */
    file->whole = false;
    file->damage_at = reader.offset;
  }
  snapshot_reader_close(&reader);
  const bool is_damage = status == SYNC_E_NOT_FOUND || status == SYNC_E_DAMAGED || status == SYNC_E_IO;
  return is_damage ? SYNC_OK : status;
}

struct listing {
  const struct sync_env *env;
  int (*each)(void *arg, const struct snapshot_file *file);
  void *arg;
};

static int take_name(void *arg, const char *name) {
  const struct listing *listing = arg;
  struct snapshot_file file;
  uint64_t position = 0, id = 0;
  bool aside = false;
  if (!(base_name_parse(name, &position, &id, &aside) && !aside) && !stage_name_parse(name, &id)) return 0;
  const int status = snapshot_file_read(&file, listing->env, name, id);
  return status == SYNC_OK ? listing->each(listing->arg, &file) : status;
}

int snapshot_file_each(const struct sync_env *env, int (*each)(void *arg, const struct snapshot_file *file),
                       void *arg) {
  struct listing listing = {.env = env, .each = each, .arg = arg};
  return file_io_list(env, take_name, &listing);
}
