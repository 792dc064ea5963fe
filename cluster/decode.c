#include "cluster/decode.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define HEADER_SEED UINT64_C(0x53594e4357414c31)
#define DURABLE_UNSAID UINT32_C(0xffffffff)

uint64_t decode_hash(const void *bytes, size_t size) {
  return (uint64_t)XXH3_64bits_withSeed(bytes, size, 0);
}

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

/* --- Operation -------------------------------------------------------------------------- */

/* What an operation says is read once, whole, and not at every event: short code, not
 * inlined, is what it needs most. */
CLUSTER_APART static uint64_t number(struct decode_reader *reader) {
  return decode_varint(reader);
}

struct decode_origin decode_origin_next(struct decode_reader *reader) {
  struct decode_origin origin = {.node = decode_name_next(reader)};
  origin.incarnation = decode_long(reader);
  return origin;
}

struct decode_dot decode_dot_next(struct decode_reader *reader) {
  struct decode_dot dot = {.place = number(reader)};
  dot.seq = number(reader);
  return dot;
}

bool decode_operation(const void *bytes, size_t size, struct decode_operation *operation) {
  const uint8_t *from = bytes;
  struct decode_reader reader = {from, from + size, false};
  if (decode_byte(&reader) != 1) reader.bad = true;
  operation->origin_count = number(&reader);
  operation->own = decode_origin_next(&reader);
  operation->origins = reader;
  for (uint64_t i = 1; i < operation->origin_count && !reader.bad; i++)
    (void)decode_origin_next(&reader);
  operation->seq = number(&reader);
  operation->hlc = decode_long(&reader);
  operation->delta_count = number(&reader);
  operation->delta = reader;
  for (uint64_t i = 0; i < operation->delta_count && !reader.bad; i++)
    (void)decode_dot_next(&reader);
  operation->change_count = number(&reader);
  operation->changes = reader;
  struct decode_change change;
  for (uint64_t i = 0; i < operation->change_count; i++)
    if (!decode_change_next(&reader, &change)) return false;
  return !reader.bad && reader.at == reader.end;
}

bool decode_change_next(struct decode_reader *reader, struct decode_change *change) {
  uint8_t kind = decode_byte(reader);
  change->kind = kind & 0x0fu;
  change->automatic = (kind & 0x10u) != 0;
  change->key_size = number(reader);
  change->key = decode_take(reader, change->key_size);
  change->value_size = change->kind == 1 ? number(reader) : 0;
  change->value = decode_take(reader, change->value_size);
  change->seen_count = number(reader);
  change->seen = *reader;
  for (uint64_t i = 0; i < change->seen_count && !reader->bad; i++)
    (void)decode_dot_next(reader);
  return !reader->bad;
}

uint64_t decode_incarnation_at(const struct decode_operation *operation, uint64_t place) {
  if (place >= operation->origin_count) return 0;
  struct decode_origin origin = operation->own;
  struct decode_reader reader = operation->origins;
  for (uint64_t i = 0; i < place; i++)
    origin = decode_origin_next(&reader);
  return origin.incarnation;
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
  if (memcmp(bytes, magic, sizeof magic) != 0 || bytes[8] != 1 || bytes[9] != 0) return 0;
  if ((uint64_t)XXH3_64bits_withSeed(bytes, 136, HEADER_SEED) != little8(bytes + 136)) return 0;
  if (little4(bytes + 12) != segment->epoch || little8(bytes + 32) != segment->first) return 0;
  return little8(bytes + 16);
}

uint64_t decode_segment_durable(const uint8_t bytes[DECODE_SEGMENT_HEADER_BYTES]) {
  return little8(bytes + 40);
}

static uint64_t mix(uint64_t x) {
  x ^= x >> 30;
  x *= UINT64_C(0xbf58476d1ce4e5b9);
  x ^= x >> 27;
  x *= UINT64_C(0x94d049bb133111eb);
  return x ^ x >> 31;
}

size_t decode_record_bytes(const uint8_t *bytes) {
  return DECODE_RECORD_HEADER_BYTES + (little4(bytes + 8) & 0xffffffu);
}

uint64_t decode_record_durable(const uint8_t *bytes, uint64_t position) {
  uint32_t lag = little4(bytes + 12);
  return lag == DURABLE_UNSAID || lag > position ? 0 : position - lag;
}

bool decode_record(const uint8_t *bytes, size_t size, uint64_t log_id, uint64_t position,
                   struct decode_record *record) {
  if (size < DECODE_RECORD_HEADER_BYTES || size != decode_record_bytes(bytes)) return false;
  uint64_t sum = (uint64_t)XXH3_64bits_withSeed(bytes + 8, size - 8, mix(log_id ^ mix(position)));
  if (sum != little8(bytes)) return false;
  record->payload = bytes + DECODE_RECORD_HEADER_BYTES;
  record->size = (uint32_t)(size - DECODE_RECORD_HEADER_BYTES);
  record->type = bytes[11];
  record->link = little4(bytes + 16);
  record->next_link = little4(bytes);
  return record->type != 0;
}
