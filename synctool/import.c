/* synctool import: writes JSON lines as operations of this node. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "synctool/arguments.h"
#include "synctool/json.h"
#include "synctool/place.h"

struct entry {
  uint8_t *key, *value;
  size_t key_size, value_size;
};
struct batch {
  struct entry *entries;
  size_t count, capacity;
  uint32_t value_bytes_max;
};

static void batch_free(struct batch *batch) {
  for (size_t i = 0; i < batch->count; i++) {
    free(batch->entries[i].key);
    free(batch->entries[i].value);
  }
  free(batch->entries);
}

/* What is wrong with the object, in `text`; false then. */
static bool take(struct batch *batch, const json_t *object, char *text, size_t room) {
  const char *why = NULL, *name = NULL;
  json_t *member = NULL;
  struct entry entry = {0};
  json_object_foreach((json_t *)(uintptr_t)object, name, member) {
    if (strcmp(name, "key") == 0 || strcmp(name, "key_base64") == 0 || strcmp(name, "value") == 0 ||
        strcmp(name, "value_base64") == 0)
      continue;
    (void)snprintf(text, room, "it has a member that is none of key, key_base64, value, value_base64");
    return false;
  }
  entry.key = json_take_bytes(object, "key", &entry.key_size, &why);
  if (entry.key == NULL) {
    (void)snprintf(text, room, "its key %s", why);
    return false;
  }
  entry.value = json_take_bytes(object, "value", &entry.value_size, &why);
  if (entry.value == NULL) {
    (void)snprintf(text, room, "its value %s", why);
  } else if (entry.key_size == 0 || entry.key_size > SYNC_KEY_BYTES_MAX) {
    (void)snprintf(text, room, "its key has %zu bytes, and may have 1 to %u", entry.key_size, SYNC_KEY_BYTES_MAX);
  } else if (entry.value_size > batch->value_bytes_max) {
    (void)snprintf(text, room, "its value has %zu bytes, and may have %" PRIu32, entry.value_size,
                   batch->value_bytes_max);
  } else {
    if (batch->count == batch->capacity) {
      const size_t capacity = batch->capacity == 0 ? 256 : batch->capacity * 2;
      struct entry *entries = realloc(batch->entries, capacity * sizeof *entries);
      if (entries != NULL) {
        batch->entries = entries;
        batch->capacity = capacity;
      }
    }
    if (batch->count < batch->capacity) {
      batch->entries[batch->count++] = entry;
      return true;
    }
    (void)snprintf(text, room, "it finds no memory");
  }
  free(entry.key);
  free(entry.value);
  return false;
}

/* All lines, before any of them is written. */
static int read_lines(struct batch *batch, FILE *file, const char *path) {
  char *line = NULL, text[200] = "";
  size_t room = 0;
  ssize_t length = 0;
  bool good = true;
  uint64_t number = 0;
  errno = 0;
  while (good && (length = getline(&line, &room, file)) >= 0) {
    json_error_t error;
    number++;
    if (length > 0 && line[length - 1] == '\n') length--;
    json_t *object = json_loadb(line, (size_t)length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (object == NULL)
      (void)snprintf(text, sizeof text, "it is no JSON (column %d)", error.column);
    else if (!json_is_object(object))
      (void)snprintf(text, sizeof text, "it is no object such as {\"key\":\"a\",\"value\":\"b\"}");
    good = object != NULL && json_is_object(object) && take(batch, object, text, sizeof text);
    json_decref(object);
  }
  free(line);
  if (!good) {
    (void)fprintf(stderr, "synctool: '%s', line %" PRIu64 ": %s; nothing was imported\n", path, number, text);
    return EXIT_USAGE;
  }
  if (!ferror(file)) return EXIT_GOOD;
  (void)fprintf(stderr, "synctool: cannot read '%s': %s; nothing was imported\n", path, strerror(errno));
  return EXIT_STOPPED;
}

static bool is_there(const struct place *place, const struct entry *entry) {
  struct sync_sibling winner;
  return sync_get(place->engine, entry->key, entry->key_size, &winner) == SYNC_OK && !winner.conflict &&
         winner.value_size == entry->value_size &&
         (entry->value_size == 0 || memcmp(winner.value, entry->value, entry->value_size) == 0);
}

static int write_entries(struct place *place, const struct batch *batch, uint64_t *written) {
  int status = SYNC_OK;
  for (size_t i = 0; i < batch->count && status == SYNC_OK; i++) {
    const struct entry *entry = &batch->entries[i];
    struct sync_receipt receipt;
    if (is_there(place, entry)) continue;
    status = sync_put(place->engine, entry->key, entry->key_size, entry->value, entry->value_size, &receipt);
    if (status == SYNC_OK) ++*written;
    if (status == SYNC_OK && *written % 64 == 0) status = place_turn(place, false);
  }
  return status == SYNC_OK ? place_settle(place) : status;
}

static int run(int argc, char **argv) {
  const char *operands[2];
  struct place place;
  struct batch batch = {0};
  int status = EXIT_GOOD;
  if (!arguments_take(&command_import, argc, argv, NULL, 1, 2, operands, &status)) return status;
  const bool is_file = operands[1] != NULL && strcmp(operands[1], "-") != 0;
  const char *path = is_file ? operands[1] : "standard input";
  FILE *file = is_file ? fopen(path, "rb") : stdin;
  if (file == NULL) {
    (void)fprintf(stderr, "synctool: cannot read '%s': %s\n", path, strerror(errno));
    return EXIT_USAGE;
  }
  status = place_open(&place, operands[0], PLACE_TO_READ); /* for the limit; locks out engines while lines come */
  if (status == EXIT_GOOD) {
    batch.value_bytes_max = place.identity.value_bytes_max;
    place_close(&place);
    status = read_lines(&batch, file, path);
    if (status == EXIT_GOOD) status = place_write(&place, operands[0]);
  }
  if (is_file) (void)fclose(file);
  if (status != EXIT_GOOD) {
    batch_free(&batch);
    return status;
  }
  uint64_t written = 0;
  const int done = write_entries(&place, &batch, &written);
  if (done != SYNC_OK)
    status = place_complain(operands[0], done, "not all of it is durable: import it again, which writes what lacks");
  else
    (void)printf("%zu lines: %" PRIu64 " written and durable, %zu were there already\n", batch.count, written,
                 batch.count - (size_t)written);
  place_close(&place);
  batch_free(&batch);
  return status;
}

const struct command command_import = {
    "import", "writes JSON lines as operations of this node",
    "Usage: synctool import DIR [FILE]\n\n"
    "Writes to DIR what 'synctool export' gives, each line as one operation of the node, from FILE or standard input;\n"
    "returns when all is durable. A line whose key reads so already writes nothing. All lines are looked at first: "
    "one\n"
    "that is wrong is named by its number, and nothing is imported (status 2).\n",
    run};
