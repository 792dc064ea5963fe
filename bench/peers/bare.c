/* Bare append: a record of 136 bytes for each put, one write call for a batch. */
#define _FILE_OFFSET_BITS 64

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/peers/store.h"

#define RECORD_BYTES 136u

enum mode { DURABLE, UNSYNCED };

struct bare {
  enum mode mode;
  int file;
  off_t end;
  uint8_t records[RECORD_BYTES * BATCH_MAX];
};

static void *bare_open(const struct store_kind *kind, const char *directory) {
  struct bare *bare = take_memory(sizeof *bare);
  char path[512];
  path_write(path, directory, "records");
  bare->mode = (enum mode)kind->mode;
  bare->file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (bare->file < 0) die(path, strerror(errno));
  return bare;
}

static void bare_write(void *store, const struct put *puts, uint32_t count) {
  struct bare *bare = store;
  for (uint32_t i = 0; i < count; i++) {
    memcpy(bare->records + (size_t)RECORD_BYTES * i, puts[i].key, KEY_BYTES);
    memcpy(bare->records + (size_t)RECORD_BYTES * i + KEY_BYTES, puts[i].value, VALUE_BYTES);
  }
  size_t size = (size_t)RECORD_BYTES * count;
  if (pwrite(bare->file, bare->records, size, bare->end) != (ssize_t)size) die("append", strerror(errno));
  bare->end += (off_t)size;
  if (bare->mode == DURABLE && fdatasync(bare->file) != 0) die("fdatasync", strerror(errno));
}

static void bare_close(void *store) {
  struct bare *bare = store;
  if (close(bare->file) != 0) die("close", strerror(errno));
  free(bare);
}

const struct store_kind bare_durable = {
    "bare append + fdatasync", "bare append", DURABLE, 1, bare_open, bare_write, NULL, bare_close};
const struct store_kind bare_unsynced = {"bare append", "bare append", UNSYNCED, 1,
                                         bare_open,     bare_write,    NULL,     bare_close};
