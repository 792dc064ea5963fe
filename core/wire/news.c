#include "core/wire/news.h"

#define NEWS_FLAGS                                                                                                     \
  (HELLO_FLAG_GAP | HELLO_FLAG_FULL | HELLO_FLAG_NEWS | NEWS_FLAG_RANKS | NEWS_FLAG_ALL | NEWS_FLAG_VECTOR)

void news_write_head(struct bytes_writer *writer, const struct news *news) {
  bytes_write_u64(writer, news->session);
  bytes_write_u32(writer, news->known_tag);
  bytes_write_u8(writer, news->flags);
  if ((news->flags & NEWS_FLAG_ALL) != 0) {
    bytes_write_varint(writer, news->operations);
    bytes_write_varint(writer, news->operations - news->since);
  }
  bytes_write_varint(writer, news->heard);
  bytes_write_varint(writer, news->wanted);
  if ((news->flags & NEWS_FLAG_VECTOR) != 0) bytes_write_u64(writer, news->vector);
  bytes_write_u64(writer, news->lives);
}

void news_write_entry(struct bytes_writer *writer, uint64_t *next, const struct news_entry *entry) {
  bytes_write_varint(writer, (entry->rank - *next) << 2 | (uint64_t)entry->wish);
  bytes_write_varint(writer, entry->seq);
  *next = entry->rank + 1;
}

bool news_next(struct bytes_reader *entries, uint64_t *next, struct news_entry *entry) {
  if (bytes_left(entries) == 0) return false;
  uint64_t head = bytes_read_varint(entries);
  entry->wish = (enum hello_wish)(head & 3u);
  entry->rank = *next + (head >> 2);
  entry->seq = bytes_read_varint(entries);
  *next = entry->rank + 1;
  if (entry->wish > HELLO_WISH_HOLD || entry->seq == 0 || entry->rank >= UINT32_MAX) entries->failed = true;
  return !entries->failed;
}

/* Walks so many entries: *hand is what they are in. */
static void news_read_hand(struct bytes_reader *reader, struct news *news) {
  news->hand_count = (size_t)bytes_read_varint_max(reader, bytes_left(reader) / 2);
  news->hand = *reader;
  struct news_entry entry;
  uint64_t next = 0;
  for (size_t i = 0; i < news->hand_count; i++)
    if (!news_next(reader, &next, &entry)) reader->failed = true;
  news->hand.end = reader->at;
}

static bool news_check_entries(const struct news *news) {
  if ((news->flags & NEWS_FLAG_RANKS) == 0) return hello_check_nodes(news->entries);
  struct bytes_reader entries = news->entries;
  struct news_entry entry;
  uint64_t next = 0;
  while (news_next(&entries, &next, &entry))
    continue;
  return bytes_read_all(&entries);
}

int news_parse(const uint8_t *body, size_t size, struct news *news) {
  struct bytes_reader reader = bytes_reader_of(body, size);
  *news = (struct news){.session = bytes_read_u64(&reader)};
  news->known_tag = bytes_read_u32(&reader);
  news->flags = bytes_read_u8(&reader);
  if ((news->flags & ~NEWS_FLAGS) != 0) return SYNC_E_CORRUPT;
  if ((news->flags & NEWS_FLAG_ALL) != 0) {
    news->operations = bytes_read_varint(&reader);
    uint64_t more = bytes_read_varint(&reader);
    if (more >= news->operations) return SYNC_E_CORRUPT; /* who has heard of nothing is sent a HELLO */
    news->since = news->operations - more;
  }
  news->heard = bytes_read_varint(&reader);
  news->wanted = bytes_read_varint(&reader);
  if ((news->flags & NEWS_FLAG_VECTOR) != 0) news->vector = bytes_read_u64(&reader);
  news->lives = bytes_read_u64(&reader);
  if (news->wanted > 0) news_read_hand(&reader, news);
  if (reader.failed || news->session == 0) return SYNC_E_CORRUPT;
  news->entries = reader;
  return news_check_entries(news) ? SYNC_OK : SYNC_E_CORRUPT;
}
