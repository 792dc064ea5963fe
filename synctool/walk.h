/* Every record of the log, in order, with the names for which its operations have indexes. */
#ifndef SYNCTOOL_WALK_H
#define SYNCTOOL_WALK_H

#include <stdbool.h>

#include "core/log/log.h"
#include "core/wire/wire.h"
#include "synctool/place.h"

struct walk_record {
  enum wal_record_type type;
  uint64_t position, end;
  const uint8_t *payload;
  size_t size;
  bool parsed; /* an operation, and its bytes are one */
  struct operation_view view;
  struct sync_dot dot; /* node_id is "?" when it cannot be told whose it is */
  uint64_t hlc;        /* 0: it cannot be told */
};

/* Calls `each` for every record that counts, also for those that only peers may still need, below the base. Opens the
 * log anew, on the place's overlay. What wal_open() gives, and *report says where. */
int walk_log(struct place *place, int (*each)(void *arg, const struct walk_record *record), void *arg,
             struct wal_report *report);

#endif
