/* NEWS: what is told between two nodes that have greeted each other: what became durable since, by rank among the lives
 * that both know (docs/formats.md, "NEWS"). Encoding and decoding only. */
#ifndef SYNC_CORE_WIRE_NEWS_H
#define SYNC_CORE_WIRE_NEWS_H

#include "core/base/base.h"
#include "core/wire/frame.h"

/* Flags beside those of a HELLO (GAP, FULL, NEWS). */
#define NEWS_FLAG_RANKS 16u  /* entries are by rank; else by name, as in a HELLO */
#define NEWS_FLAG_ALL 32u    /* with what the receiver has heard of before it names all that is held; else some of it */
#define NEWS_FLAG_VECTOR 64u /* `vector` says all of it */

struct news {
  uint64_t session;
  uint32_t known_tag; /* the low half of the receiver's session */
  uint8_t flags;
  uint64_t operations; /* ALL: of what it tells, counted as in a HELLO, */
  uint64_t since;      /* ... to one who has heard of so many */
  uint64_t heard, wanted;
  size_t hand_count;        /* wanted only: entries that follow, by rank: held, but not durable yet. Not to be sent */
  struct bytes_reader hand; /* ... hand_count of them; news_next() walks them */
  uint64_t vector;          /* VECTOR: the digest of the durable vector */
  uint64_t lives;           /* the digest of the lives that the sender knows */
  struct bytes_reader entries; /* RANKS: news_next() walks them; else hello_next() */
};
/* If something is wanted, a varint of how many entries are in hand and these follow; then the entries. */
void news_write_head(struct bytes_writer *writer, const struct news *news);
/* Checks the whole body. SYNC_OK, SYNC_E_CORRUPT. */
int news_parse(const uint8_t *body, size_t size, struct news *news);

/* An entry by rank: its place among the lives ordered by (node id, incarnation). `next` is the rank that the entry
 * before leads to, 0 at first. */
struct news_entry {
  uint64_t rank, seq;
  enum hello_wish wish;
};
void news_write_entry(struct bytes_writer *writer, uint64_t *next, const struct news_entry *entry);
/* False at the end, or when the bytes are not valid (entries->failed). */
bool news_next(struct bytes_reader *entries, uint64_t *next, struct news_entry *entry);

#endif
