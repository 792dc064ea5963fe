/* LMDB with its defaults, but for the size of its map. */
#include <lmdb.h>
#include <stdlib.h>

#include "bench/peers/store.h"

#define MAP_BYTES ((size_t)2 << 30)

enum mode { DURABLE, UNSYNCED };

struct lmdb {
  MDB_env *env;
  MDB_dbi dbi;
};

static void must(int status, const char *what) {
  if (status != MDB_SUCCESS) die(what, mdb_strerror(status));
}

static void *lmdb_open(const struct store_kind *kind, const char *directory) {
  struct lmdb *lmdb = take_memory(sizeof *lmdb);
  must(mdb_env_create(&lmdb->env), "lmdb: create");
  must(mdb_env_set_mapsize(lmdb->env, MAP_BYTES), "lmdb: size of the map");
  must(mdb_env_open(lmdb->env, directory, kind->mode == UNSYNCED ? MDB_NOSYNC : 0, 0666), directory);
  MDB_txn *txn;
  must(mdb_txn_begin(lmdb->env, NULL, 0, &txn), "lmdb: begin");
  must(mdb_dbi_open(txn, NULL, 0, &lmdb->dbi), "lmdb: database");
  must(mdb_txn_commit(txn), "lmdb: commit");
  return lmdb;
}

static void lmdb_write(void *store, const struct put *puts, uint32_t count) {
  struct lmdb *lmdb = store;
  MDB_txn *txn;
  must(mdb_txn_begin(lmdb->env, NULL, 0, &txn), "lmdb: begin");
  for (uint32_t i = 0; i < count; i++) {
    MDB_val key = {KEY_BYTES, (void *)puts[i].key};
    MDB_val value = {VALUE_BYTES, (void *)puts[i].value};
    must(mdb_put(txn, lmdb->dbi, &key, &value, 0), "lmdb: put");
  }
  must(mdb_txn_commit(txn), "lmdb: commit");
}

static uint64_t lmdb_scan(void *store) {
  struct lmdb *lmdb = store;
  MDB_txn *txn;
  MDB_cursor *cursor;
  must(mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &txn), "lmdb: begin");
  must(mdb_cursor_open(txn, lmdb->dbi, &cursor), "lmdb: cursor");
  uint64_t count = 0;
  MDB_val key, value;
  int status = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
  for (; status == MDB_SUCCESS; status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT), count++) {
    touch(key.mv_data, key.mv_size);
    touch(value.mv_data, value.mv_size);
  }
  if (status != MDB_NOTFOUND) must(status, "lmdb: scan");
  mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
  return count;
}

static void lmdb_close(void *store) {
  struct lmdb *lmdb = store;
  mdb_env_close(lmdb->env);
  free(lmdb);
}

const struct store_kind lmdb_durable = {"LMDB", "LMDB", DURABLE, 1000, lmdb_open, lmdb_write, lmdb_scan, lmdb_close};
const struct store_kind lmdb_unsynced = {"LMDB, MDB_NOSYNC", "LMDB",     UNSYNCED,  1000,
                                         lmdb_open,          lmdb_write, lmdb_scan, lmdb_close};
