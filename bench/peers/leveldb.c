/* LevelDB with its defaults: a write buffer of 4 MiB, Snappy. */
#include <leveldb/c.h>
#include <stdlib.h>

#include "bench/peers/store.h"

enum mode { DURABLE, UNSYNCED };

struct level {
  leveldb_t *db;
  leveldb_options_t *options;
  leveldb_writeoptions_t *writing;
  leveldb_readoptions_t *reading;
  leveldb_writebatch_t *batch;
};

static void must(const char *error, const char *what) {
  if (error != NULL) die(what, error);
}

static void *level_open(const struct store_kind *kind, const char *directory) {
  struct level *level = take_memory(sizeof *level);
  level->options = leveldb_options_create();
  leveldb_options_set_create_if_missing(level->options, 1);
  level->writing = leveldb_writeoptions_create();
  leveldb_writeoptions_set_sync(level->writing, kind->mode == DURABLE);
  level->reading = leveldb_readoptions_create();
  level->batch = leveldb_writebatch_create();
  char *error = NULL;
  level->db = leveldb_open(level->options, directory, &error);
  must(error, directory);
  return level;
}

static void level_write(void *store, const struct put *puts, uint32_t count) {
  struct level *level = store;
  leveldb_writebatch_clear(level->batch);
  for (uint32_t i = 0; i < count; i++)
    leveldb_writebatch_put(level->batch, (const char *)puts[i].key, KEY_BYTES, (const char *)puts[i].value,
                           VALUE_BYTES);
  char *error = NULL;
  leveldb_write(level->db, level->writing, level->batch, &error);
  must(error, "leveldb: write");
}

static uint64_t level_scan(void *store) {
  const struct level *level = store;
  leveldb_iterator_t *at = leveldb_create_iterator(level->db, level->reading);
  uint64_t count = 0;
  for (leveldb_iter_seek_to_first(at); leveldb_iter_valid(at); leveldb_iter_next(at), count++) {
    size_t size;
    const char *bytes = leveldb_iter_key(at, &size);
    touch(bytes, size);
    bytes = leveldb_iter_value(at, &size);
    touch(bytes, size);
  }
  char *error = NULL;
  leveldb_iter_get_error(at, &error);
  must(error, "leveldb: scan");
  leveldb_iter_destroy(at);
  return count;
}

static void level_close(void *store) {
  struct level *level = store;
  leveldb_close(level->db);
  leveldb_writebatch_destroy(level->batch);
  leveldb_readoptions_destroy(level->reading);
  leveldb_writeoptions_destroy(level->writing);
  leveldb_options_destroy(level->options);
  free(level);
}

const struct store_kind leveldb_durable = {"LevelDB, sync", "LevelDB",   DURABLE,    1,
                                           level_open,      level_write, level_scan, level_close};
const struct store_kind leveldb_unsynced = {"LevelDB",  "LevelDB",   UNSYNCED,   1,
                                            level_open, level_write, level_scan, level_close};
