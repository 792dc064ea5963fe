/* Names of statuses and the hash that names a node in traces. */
#include "core/sync.h"

#include <string.h>

#include "core/base/checksum.h"

struct status_text {
  int status;
  const char *name;
  const char *message;
};

static const struct status_text status_texts[] = {
    {SYNC_OK, "SYNC_OK", "success"},
    {SYNC_E_INVALID, "SYNC_E_INVALID", "an argument is outside its documented range"},
    {SYNC_E_TOO_BIG, "SYNC_E_TOO_BIG", "the key, value or operation is above the cluster's limits"},
    {SYNC_E_NO_MEMORY, "SYNC_E_NO_MEMORY", "an allocation failed; nothing changed"},
    {SYNC_E_NO_SPACE, "SYNC_E_NO_SPACE", "the disk is full or over quota; nothing changed"},
    {SYNC_E_IO, "SYNC_E_IO", "the disk reported an error"},
    {SYNC_E_NOT_FOUND, "SYNC_E_NOT_FOUND", "no such key, file or entry"},
    {SYNC_E_EXISTS, "SYNC_E_EXISTS", "it exists already"},
    {SYNC_E_POWERED_OFF, "SYNC_E_POWERED_OFF", "the machine lost power; the outcome is not known"},
    {SYNC_E_FAILED, "SYNC_E_FAILED",
     "the engine stopped itself after a failed fsync, or writes that failed again and again; reopen it"},
    {SYNC_E_FULL, "SYNC_E_FULL", "the store's bound is reached"},
    {SYNC_E_DAMAGED, "SYNC_E_DAMAGED", "durable data cannot be read back as it was written"},
    {SYNC_E_CORRUPT, "SYNC_E_CORRUPT", "the bytes are not a valid frame or record"},
    {SYNC_E_VERSION, "SYNC_E_VERSION", "the format version is not known to this build"},
    {SYNC_E_CLUSTER, "SYNC_E_CLUSTER", "the peer or the files belong to another cluster"},
    {SYNC_E_LIMITS, "SYNC_E_LIMITS", "the peer's limits differ from ours"},
    {SYNC_E_ID_CONFLICT, "SYNC_E_ID_CONFLICT", "one operation id with two payloads"},
    {SYNC_E_PEER, "SYNC_E_PEER", "no such peer, or a frame that names another node"},
    {SYNC_E_BUFFER, "SYNC_E_BUFFER", "the caller's buffer is too small; nothing was consumed"},
    {SYNC_E_STALE, "SYNC_E_STALE", "what the caller saw has changed meanwhile"},
    {SYNC_E_LOCKED, "SYNC_E_LOCKED", "another process has the directory open"},
    {SYNC_E_TOO_MANY, "SYNC_E_TOO_MANY", "a count is at its bound"},
    {SYNC_E_INTERRUPTED, "SYNC_E_INTERRUPTED", "the call did nothing and may be repeated at once"},
    {SYNC_E_MERGE, "SYNC_E_MERGE", "the merge callback failed, or gives different results for the same values"},
};

static const struct status_text *status_find(int status) {
  for (size_t i = 0; i < sizeof status_texts / sizeof status_texts[0]; i++)
    if (status_texts[i].status == status) return &status_texts[i];
  return NULL;
}

const char *sync_status_name(int status) {
  const struct status_text *text = status_find(status);
  return text == NULL ? "SYNC_E_UNKNOWN" : text->name;
}

const char *sync_status_message(int status) {
  const struct status_text *text = status_find(status);
  return text == NULL ? "a status that this build does not know" : text->message;
}

uint64_t sync_node_hash(const char *node_id) {
  return checksum64(node_id, strlen(node_id), 0);
}
