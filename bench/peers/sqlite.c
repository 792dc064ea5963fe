/* SQLite in WAL mode, else with its defaults: a cache of 2 MB, a checkpoint each
 * 1,000 pages. One table of blobs without row ids. */
#include <sqlite3.h>
#include <stdlib.h>

#include "bench/peers/store.h"

enum mode { FULL, NORMAL, OFF };
static const char *const synchronous[] = {"PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL",
                                          "PRAGMA synchronous = OFF"};

struct sqlite {
  sqlite3 *db;
  sqlite3_stmt *put, *begin, *commit;
};

static void must(const struct sqlite *sqlite, int status, int wanted) {
  if (status != wanted) die("sqlite", sqlite->db != NULL ? sqlite3_errmsg(sqlite->db) : sqlite3_errstr(status));
}
static void run(const struct sqlite *sqlite, const char *sql) {
  must(sqlite, sqlite3_exec(sqlite->db, sql, NULL, NULL, NULL), SQLITE_OK);
}
static sqlite3_stmt *prepare(const struct sqlite *sqlite, const char *sql) {
  sqlite3_stmt *statement = NULL;
  must(sqlite, sqlite3_prepare_v2(sqlite->db, sql, -1, &statement, NULL), SQLITE_OK);
  return statement;
}
static void step(const struct sqlite *sqlite, sqlite3_stmt *statement) {
  must(sqlite, sqlite3_step(statement), SQLITE_DONE);
  must(sqlite, sqlite3_reset(statement), SQLITE_OK);
}

static void *sqlite_open(const struct store_kind *kind, const char *directory) {
  struct sqlite *sqlite = take_memory(sizeof *sqlite);
  char path[512];
  path_write(path, directory, "database");
  must(sqlite, sqlite3_open(path, &sqlite->db), SQLITE_OK);
  sqlite3_stmt *mode = prepare(sqlite, "PRAGMA journal_mode = WAL");
  must(sqlite, sqlite3_step(mode), SQLITE_ROW);
  if (sqlite3_stricmp((const char *)sqlite3_column_text(mode, 0), "wal") != 0) die("sqlite", "there is no WAL");
  must(sqlite, sqlite3_finalize(mode), SQLITE_OK);
  run(sqlite, synchronous[kind->mode]);
  run(sqlite, "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID");
  sqlite->put = prepare(sqlite, "INSERT OR REPLACE INTO entries VALUES (?, ?)");
  sqlite->begin = prepare(sqlite, "BEGIN");
  sqlite->commit = prepare(sqlite, "COMMIT");
  return sqlite;
}

static void sqlite_write(void *store, const struct put *puts, uint32_t count) {
  struct sqlite *sqlite = store;
  if (count > 1) step(sqlite, sqlite->begin);
  for (uint32_t i = 0; i < count; i++) {
    must(sqlite, sqlite3_bind_blob(sqlite->put, 1, puts[i].key, KEY_BYTES, SQLITE_STATIC), SQLITE_OK);
    must(sqlite, sqlite3_bind_blob(sqlite->put, 2, puts[i].value, VALUE_BYTES, SQLITE_STATIC), SQLITE_OK);
    step(sqlite, sqlite->put);
  }
  if (count > 1) step(sqlite, sqlite->commit);
}

static uint64_t sqlite_scan(void *store) {
  const struct sqlite *sqlite = store;
  sqlite3_stmt *all = prepare(sqlite, "SELECT key, value FROM entries ORDER BY key");
  uint64_t count = 0;
  int status = sqlite3_step(all);
  for (; status == SQLITE_ROW; status = sqlite3_step(all), count++) {
    touch(sqlite3_column_blob(all, 0), (size_t)sqlite3_column_bytes(all, 0));
    touch(sqlite3_column_blob(all, 1), (size_t)sqlite3_column_bytes(all, 1));
  }
  must(sqlite, status, SQLITE_DONE);
  must(sqlite, sqlite3_finalize(all), SQLITE_OK);
  return count;
}

static void sqlite_close(void *store) {
  struct sqlite *sqlite = store;
  must(sqlite, sqlite3_finalize(sqlite->put), SQLITE_OK);
  must(sqlite, sqlite3_finalize(sqlite->begin), SQLITE_OK);
  must(sqlite, sqlite3_finalize(sqlite->commit), SQLITE_OK);
  must(sqlite, sqlite3_close(sqlite->db), SQLITE_OK);
  free(sqlite);
}

const struct store_kind sqlite_full = {"SQLite, FULL", "SQLite",     FULL,        1000,
                                       sqlite_open,    sqlite_write, sqlite_scan, sqlite_close};
const struct store_kind sqlite_normal = {"SQLite, NORMAL", "SQLite",     NORMAL,      1000,
                                         sqlite_open,      sqlite_write, sqlite_scan, sqlite_close};
const struct store_kind sqlite_off = {"SQLite, OFF", "SQLite",     OFF,         1000,
                                      sqlite_open,   sqlite_write, sqlite_scan, sqlite_close};
