#include "cluster/decode.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define HEADER_SEED UINT64_C(0x53594e4357414c31)

/* --- Numbers and names --------------------------------------------------------------- */

static inline uint32_t little4(const uint8_t *b) {
  return decode_little4(b);
}
static inline uint64_t little8(const uint8_t *b) {
  return decode_little8(b);
}

uint64_t decode_varint_slowly(struct decode_reader *reader) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const uint8_t *byte = decode_take(reader, 1);
    if (!byte) return 0;
    value |= (uint64_t)(*byte & 0x7fu) << shift;
    if (!(*byte & 0x80u)) return value;
  }
  reader->bad = true;
  return 0;
}

bool decode_name_is(struct decode_name name, const char *text) {
  return strlen(text) == name.size && memcmp(name.bytes, text, name.size) == 0;
}

uint64_t decode_life_digest(const char *node, uint64_t incarnation) {
  uint8_t bytes[80] = {0}; /* the name, filled with zeros to 64; the incarnation; 0 */
  memcpy(bytes, node, strlen(node));
  for (unsigned i = 0; i < 8; i++)
    bytes[64 + i] = (uint8_t)(incarnation >> (8 * i));
  return (uint64_t)XXH3_64bits_withSeed(bytes, sizeof bytes, 0);
}

/* --- Operation -------------------------------------------------------------------------- */

/* What an operation says is read once, whole, and not at every event: short code, not
 * inlined, is what it needs most. */
CLUSTER_APART static uint64_t number(struct decode_reader *reader) {
  return decode_varint(reader);
}

struct decode_dot decode_dot_next(struct decode_reader *reader) {
  struct decode_dot dot = {.index = number(reader)};
  dot.seq = number(reader);
  return dot;
}

#define HEAD_KIND 0x03u /* 0: several changes */
#define HEAD_AUTOMATIC 0x04u
#define HEAD_DELTA 0x08u
#define HEAD_SEEN_OWN 0x10u
#define HEAD_SEEN_LIST 0x20u

bool decode_operation(const void *bytes, size_t size, struct decode_operation *operation) {
  const uint8_t *from = bytes;
  struct decode_reader reader = {from, from + size, size == 0};
  if (reader.bad) return false;
  operation->head = *from;
  if (!decode_operation_id(&reader, &operation->id)) return false;
  uint64_t zigzag = number(&reader);
  operation->hlc_step = zigzag & 1u ? ~(zigzag >> 1) : zigzag >> 1;
  operation->delta_count = operation->head & HEAD_DELTA ? number(&reader) : 0;
  operation->delta = reader;
  for (uint64_t i = 0; i < operation->delta_count && !reader.bad; i++)
    (void)decode_dot_next(&reader);
  operation->change_count = operation->head & HEAD_KIND ? 1 : number(&reader);
  operation->changes = reader;
  struct decode_change change;
  for (uint64_t i = 0; i < operation->change_count; i++)
    if (!decode_change_next(operation, &reader, &change)) return false;
  return !reader.bad && reader.at == reader.end;
}

bool decode_change_next(const struct decode_operation *operation, struct decode_reader *reader,
                        struct decode_change *change) {
  bool alone = (operation->head & HEAD_KIND) != 0;
  uint8_t head = alone ? operation->head : decode_byte(reader);
  change->kind = head & HEAD_KIND;
  change->automatic = (head & HEAD_AUTOMATIC) != 0;
  change->key_size = number(reader);
  change->key = decode_take(reader, change->key_size);
  change->seen_own = (struct decode_dot){operation->id.index, 0};
  change->seen_count = 0;
  if (head & HEAD_SEEN_OWN) {
    change->seen_own.seq = operation->id.seq - number(reader);
    change->seen_count = 1;
  }
  if (head & HEAD_SEEN_LIST) change->seen_count = number(reader);
  change->seen = *reader;
  for (uint64_t i = 0; head & HEAD_SEEN_LIST && i < change->seen_count && !reader->bad; i++)
    (void)decode_dot_next(reader);
  change->value_size = 0;
  if (change->kind == 1 && !reader->bad)
    change->value_size = alone ? (uint64_t)(reader->end - reader->at) : number(reader);
  change->value = decode_take(reader, change->value_size);
  return !reader->bad;
}

static uint64_t hash_more(uint64_t hash, const uint8_t *from, const uint8_t *to) {
  return (uint64_t)XXH3_64bits_withSeed(from, (size_t)(to - from), hash);
}

/* The hash goes on over what stands before the index that is read next, and over its life. */
static uint64_t hash_index(uint64_t hash, const uint8_t **from, struct decode_reader *dots, const uint32_t *lives,
                           uint32_t count) {
  hash = hash_more(hash, *from, dots->at);
  uint64_t index = number(dots);
  *from = dots->at;
  (void)number(dots); /* seq */
  uint32_t life = index < count ? lives[index] : UINT32_MAX;
  return (uint64_t)XXH3_64bits_withSeed(
      &(uint8_t[4]){(uint8_t)life, (uint8_t)(life >> 8), (uint8_t)(life >> 16), (uint8_t)(life >> 24)}, 4, hash);
}

CLUSTER_APART static uint64_t hash_all(uint64_t hash, const uint8_t *from, const uint8_t *bytes, size_t size,
                                       const uint32_t *lives, uint32_t count) {
  struct decode_operation operation;
  if (!decode_operation(bytes, size, &operation)) return 0;
  for (uint64_t i = 0; i < operation.delta_count; i++)
    hash = hash_index(hash, &from, &operation.delta, lives, count);
  for (uint64_t i = 0; i < operation.change_count; i++) {
    struct decode_change change;
    (void)decode_change_next(&operation, &operation.changes, &change);
    for (uint64_t k = 0; !change.seen_own.seq && k < change.seen_count; k++)
      hash = hash_index(hash, &from, &change.seen, lives, count);
  }
  return hash_more(hash, from, bytes + size);
}

uint64_t decode_operation_hash(const uint8_t *bytes, size_t size, uint32_t own, const uint32_t *lives, uint32_t count) {
  struct decode_reader reader = {bytes, bytes + size, size == 0};
  uint8_t head = decode_byte(&reader);
  (void)decode_varint(&reader);
  if (reader.bad) return 0;
  uint64_t hash = (uint64_t)own << 8 | head;
  bool others = !(head & HEAD_KIND) || head & (HEAD_DELTA | HEAD_SEEN_LIST);
  return others ? hash_all(hash, reader.at, bytes, size, lives, count) : hash_more(hash, reader.at, reader.end);
}

/* --- Frames: what of them is seldom ---------------------------------------------------------- */

bool decode_birth(struct decode_reader *reader, struct decode_birth *birth) {
  birth->count = number(reader);
  birth->lives = *reader;
  for (uint64_t i = 0; i < birth->count && !reader->bad; i++) {
    (void)decode_take(reader, 8);
    (void)number(reader);
  }
  return !reader->bad;
}

void decode_birth_next(struct decode_birth *birth, uint64_t *incarnation, uint64_t *seq) {
  *incarnation = decode_long(&birth->lives);
  *seq = number(&birth->lives);
}

/* --- Log ---------------------------------------------------------------------------------------- */

static bool hex(const char *text, size_t digits, uint64_t *value) {
  *value = 0;
  for (size_t i = 0; i < digits; i++) {
    char digit = text[i];
    bool letter = digit >= 'a' && digit <= 'f';
    if (!letter && (digit < '0' || digit > '9')) return false;
    *value = *value << 4 | (uint64_t)(letter ? digit - 'a' + 10 : digit - '0');
  }
  return true;
}

bool decode_segment_name(const char *name, struct decode_segment *segment) {
  uint64_t epoch;
  size_t size = strlen(name);
  if ((size != 29 && size != 33) || memcmp(name, "wal-", 4) != 0 || name[20] != '-') return false;
  if (!hex(name + 4, 16, &segment->first) || !hex(name + 21, 8, &epoch)) return false;
  segment->epoch = (uint32_t)epoch;
  segment->fresh = size == 33;
  return !segment->fresh || strcmp(name + 29, ".new") == 0;
}

void decode_segment_name_write(const struct decode_segment *segment, char name[DECODE_SEGMENT_NAME_BYTES]) {
  static const char digits[] = "0123456789abcdef";
  memcpy(name, "wal-", 4);
  for (unsigned i = 0; i < 16; i++)
    name[4 + i] = digits[segment->first >> (60u - 4u * i) & 15u];
  name[20] = '-';
  for (unsigned i = 0; i < 8; i++)
    name[21 + i] = digits[segment->epoch >> (28u - 4u * i) & 15u];
  memcpy(name + 29, segment->fresh ? ".new" : "", segment->fresh ? 5 : 1);
}

uint64_t decode_segment_header(const uint8_t bytes[DECODE_SEGMENT_HEADER_BYTES], const struct decode_segment *segment) {
  static const uint8_t magic[8] = {0xf5, 'S', 'Y', 'N', 'C', 'W', 'A', 'L'};
  if (memcmp(bytes, magic, sizeof magic) != 0 || bytes[8] != 2 || bytes[9] != 0) return 0;
  if ((uint64_t)XXH3_64bits_withSeed(bytes, 136, HEADER_SEED) != little8(bytes + 136)) return 0;
  if (little4(bytes + 12) != segment->epoch || little8(bytes + 32) != segment->first) return 0;
  return little8(bytes + 16);
}

uint64_t decode_segment_durable(const uint8_t bytes[DECODE_SEGMENT_HEADER_BYTES]) {
  return little8(bytes + 40);
}

uint32_t decode_segment_life(const uint8_t bytes[DECODE_SEGMENT_HEADER_BYTES]) {
  return little4(bytes + 24);
}

uint32_t decode_segment_follows(const uint8_t bytes[DECODE_SEGMENT_HEADER_BYTES]) {
  return little4(bytes + 68);
}

static uint64_t mix(uint64_t x) {
  x ^= x >> 30;
  x *= UINT64_C(0xbf58476d1ce4e5b9);
  x ^= x >> 27;
  x *= UINT64_C(0x94d049bb133111eb);
  return x ^ x >> 31;
}

bool decode_record_header(const uint8_t *bytes, size_t size, uint64_t position, struct decode_record *record) {
  if (size < DECODE_RECORD_HEADER_BYTES_MIN) return false;
  struct decode_reader reader = {bytes + 8, bytes + size, false};
  uint8_t kind = decode_byte(&reader);
  uint64_t length = decode_varint(&reader), lag = kind & 0x80u ? decode_varint(&reader) : 0;
  uint8_t type = kind & 0x7fu;
  if (reader.bad || type == 0 || type > DECODE_RECORD_LAST || length > 0xffffffu || lag > position) return false;
  if (type == DECODE_RECORD_MARK && length > 0) return false;
  record->type = type;
  record->size = (uint32_t)length;
  record->head = (uint32_t)(reader.at - bytes);
  record->durable = kind & 0x80u ? position - lag : 0;
  record->payload = reader.at;
  return true;
}

bool decode_record(const uint8_t *bytes, size_t size, uint64_t log_id, uint32_t epoch, uint64_t position,
                   struct decode_record *record) {
  if (!decode_record_header(bytes, size, position, record) || size != decode_record_bytes(record)) return false;
  return (uint64_t)XXH3_64bits_withSeed(bytes + 8, size - 8, mix(mix(log_id ^ epoch) ^ mix(position))) ==
         little8(bytes);
}
