/* A store under measure (bench/stores.c), and what all of them need. Each call
 * ends the program when anything fails. */
#ifndef BENCH_PEERS_STORE_H
#define BENCH_PEERS_STORE_H

#include <stddef.h>
#include <stdint.h>

#define KEY_BYTES 16u
#define VALUE_BYTES 100u
#define PAYLOAD_BYTES (KEY_BYTES + VALUE_BYTES)
#define BATCH_MAX 1000u

struct put {
  uint8_t key[KEY_BYTES];
  const uint8_t *value; /* VALUE_BYTES */
};

/* A store in one of its ways to be opened. */
struct store_kind {
  const char *name;
  const char *family; /* the same for the ways of one store */
  int mode;           /* its own business */
  uint32_t cheap;     /* puts in a batch where nobody waits for the disk: what is natural there */
  /* The directory is there. */
  void *(*open)(const struct store_kind *kind, const char *directory);
  /* As one transaction, with one wait for the disk when the way has one. At most BATCH_MAX. */
  void (*write)(void *store, const struct put *puts, uint32_t count);
  /* Reads every key with its value: how many. NULL: it cannot. */
  uint64_t (*scan)(void *store);
  void (*close)(void *store);
};

extern const struct store_kind bare_durable, bare_unsynced;
extern const struct store_kind engine_durable, engine_never_waits, engine_unsynced;
extern const struct store_kind leveldb_durable, leveldb_unsynced;
extern const struct store_kind lmdb_durable, lmdb_unsynced;
extern const struct store_kind sqlite_full, sqlite_normal, sqlite_off;

_Noreturn void die(const char *what, const char *why);
void *take_memory(size_t size); /* cleared */
/* Writes DIRECTORY/NAME. */
void path_write(char path[512], const char *directory, const char *name);
/* For scans: nobody may leave the reading out. */
void touch(const void *bytes, size_t size);

#endif
