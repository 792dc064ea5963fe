/* The index of the log's operations, in apply order: where each is, whose it
 * is, and a hash of its payload. Ordinals count operations; they are stable. */
#ifndef SYNC_CORE_STATE_OPLOG_H
#define SYNC_CORE_STATE_OPLOG_H

#include "core/base/base.h"
#include "core/state/origin.h"
#include "core/log/log.h"

#define OPLOG_ENTRY_NOMINAL_BYTES 32u

struct oplog_entry {
  uint64_t position; /* of its record in the log */
  uint64_t seq;
  struct origin *origin;
  uint32_t hash;      /* of its payload: tells other bytes under the same id, not damage (the log's checksum does) */
  uint32_t size : 24; /* of its payload, */
  uint32_t head : 8;  /* ... and what its record has before that */
};
#define OPLOG_SIZE_MASK WAL_PAYLOAD_BYTES_MAX

/* What a merged snapshot brought of an origin: durable with the merge's record. */
struct oplog_jump {
  uint64_t end; /* of that record */
  struct origin *origin;
  uint64_t seq;
};
#define OPLOG_JUMP_NOMINAL_BYTES 24u

struct oplog {
  const struct sync_env *env;
  struct memory_array jumps;   /* struct oplog_jump, not durable yet, in order */
  struct memory_array entries; /* struct oplog_entry, from ordinal `base` on behind `gone` that count no more */
  size_t gone;
  uint64_t base;
  uint64_t durable; /* ordinals below are durable */
};

void oplog_init(struct oplog *oplog, const struct sync_env *env);
void oplog_deinit(struct oplog *oplog);

static inline uint32_t oplog_hash(const uint8_t *payload, size_t size) {
  return (uint32_t)checksum64(payload, size, 0);
}
/* Where its record ends: durable once the durable position reaches it. */
static inline uint64_t oplog_entry_end(const struct oplog_entry *entry) {
  return entry->position + entry->head + entry->size;
}

static inline uint64_t oplog_end(const struct oplog *oplog) {
  return oplog->base + (oplog->entries.count - oplog->gone);
}
static inline const struct oplog_entry *oplog_at(const struct oplog *oplog, uint64_t ordinal) {
  return (const struct oplog_entry *)oplog->entries.items + oplog->gone + (size_t)(ordinal - oplog->base);
}
static inline uint64_t oplog_ordinal(const struct oplog *oplog, const struct oplog_entry *entry) {
  return oplog->base + (uint64_t)(entry - ((const struct oplog_entry *)oplog->entries.items + oplog->gone));
}
/* The entry of an operation that is held and above its origin's floor, or NULL. */
const struct oplog_entry *oplog_find(const struct oplog *oplog, const struct origin *origin, uint64_t seq,
                                     uint64_t *ordinal);
/* The first entry whose record begins at that position or behind it, or NULL. */
const struct oplog_entry *oplog_from(const struct oplog *oplog, uint64_t position);
/* Memory for one more operation of `origin` (NULL: of one still to be added,
 * for which origins_reserve() cared). SYNC_E_NO_MEMORY, SYNC_E_TOO_MANY. */
int oplog_reserve(struct oplog *oplog, struct origin *origin);
/* Adds the operation after the origin's last. Cannot fail. */
void oplog_add(struct oplog *oplog, const struct oplog_entry *entry);
/* Room for so many jumps. SYNC_E_NO_MEMORY. */
int oplog_reserve_jumps(struct oplog *oplog, size_t more);
/* Notes what a merge brought; its operations up to there are in no log of this node. Cannot fail. */
void oplog_jump(struct oplog *oplog, struct origin *origin, uint64_t seq, uint64_t end);
/* Forgets the operations below the ordinal: their records are about to go. Cannot fail. */
void oplog_trim(struct oplog *oplog, uint64_t ordinal);

/* The operation cannot be read back: it and all before it of its origin count as gone from the log. Cannot fail. */
void oplog_give_up(const struct oplog_entry *entry);

/* --- At open: what stands in the log below a base, which has applied it ------------------ */

/* Adds an operation to the index alone. False: it does not follow what is there of its origin, or is
 * not among what the base holds. SYNC_E_NO_MEMORY as for oplog_reserve(), which comes before. */
bool oplog_index(struct oplog *oplog, const struct oplog_entry *entry);
/* Forgets all that was indexed so. */
void oplog_index_none(struct oplog *oplog, struct origins *origins);
/* The base's position is reached: what was indexed is kept if it leads to what the base holds of
 * each origin, and counts as durable. */
void oplog_index_end(struct oplog *oplog, struct origins *origins);

/* Takes a new durable position: raises `durable` of the origins. */
void oplog_raise_durable(struct oplog *oplog, struct origins *origins, uint64_t position);

#endif
