#include "cluster/decode.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define HEADER_SEED UINT64_C(0x53594e4357414c31)
#define DURABLE_UNSAID UINT32_C(0xffffffff)
#define FRAME_HEADER 28u
#define FRAME_TRAILER 8u

uint64_t decode_hash(const void *bytes, size_t size) {
  return (uint64_t)XXH3_64bits_withSeed(bytes, size, 0);
}

/* --- Numbers and names --------------------------------------------------------------- */

static inline const uint8_t *take(struct decode_reader *reader, uint64_t size) {
  if (reader->bad || size > (uint64_t)(reader->end - reader->at)) {
    reader->bad = true;
    return NULL;
  }
  const uint8_t *at = reader->at;
  reader->at += size;
  return at;
}

static inline uint32_t little4(const uint8_t *b) {
  return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}
static inline uint64_t little8(const uint8_t *b) {
  return little4(b) | (uint64_t)little4(b + 4) << 32;
}

static inline uint8_t take_byte(struct decode_reader *reader) {
  const uint8_t *at = take(reader, 1);
  return at ? *at : 0;
}
static inline uint64_t take_long(struct decode_reader *reader) {
  const uint8_t *at = take(reader, 8);
  return at ? little8(at) : 0;
}

static uint64_t take_long_varint(struct decode_reader *reader) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const uint8_t *byte = take(reader, 1);
    if (!byte) return 0;
    value |= (uint64_t)(*byte & 0x7fu) << shift;
    if (!(*byte & 0x80u)) return value;
  }
  reader->bad = true;
  return 0;
}
static inline uint64_t take_varint(struct decode_reader *reader) {
  const uint8_t *at = reader->at;
  size_t left = reader->bad || at == NULL ? 0 : (size_t)(reader->end - at);
  if (left > 0 && at[0] < 0x80u) return *reader->at++;
  if (left > 1 && at[1] < 0x80u) { /* most */
    reader->at += 2;
    return (at[0] & 0x7fu) | (uint64_t)at[1] << 7;
  }
  return take_long_varint(reader);
}

static inline struct decode_name take_name(struct decode_reader *reader) {
  struct decode_name name = {.size = take_byte(reader)};
  name.bytes = take(reader, name.size);
  if (!name.bytes) name.size = 0;
  return name;
}

bool decode_name_is(struct decode_name name, const char *text) {
  return strlen(text) == name.size && memcmp(name.bytes, text, name.size) == 0;
}

/* --- Operation -------------------------------------------------------------------------- */

static inline struct decode_origin take_origin(struct decode_reader *reader) {
  struct decode_origin origin = {.node = take_name(reader)};
  origin.incarnation = take_long(reader);
  return origin;
}
struct decode_origin decode_origin_next(struct decode_reader *reader) {
  return take_origin(reader);
}

struct decode_dot decode_dot_next(struct decode_reader *reader) {
  struct decode_dot dot = {.place = take_varint(reader)};
  dot.seq = take_varint(reader);
  return dot;
}

/* Up to and with seq; gives what is behind it. */
static inline struct decode_reader read_id(const void *bytes, size_t size, struct decode_operation *operation) {
  const uint8_t *from = bytes;
  struct decode_reader reader = {from, from + size, false};
  if (take_byte(&reader) != 1) reader.bad = true;
  operation->origin_count = take_varint(&reader);
  operation->own = take_origin(&reader);
  operation->origins = reader;
  const uint8_t *at = reader.at;
  for (uint64_t i = 1; i < operation->origin_count && !reader.bad; i++) {
    size_t left = (size_t)(reader.end - at);
    reader.bad = left == 0 || left < *at + 9u; /* its name and incarnation */
    if (!reader.bad) at += *at + 9u;
  }
  reader.at = at;
  operation->seq = take_varint(&reader);
  return reader;
}

bool decode_operation_id(const void *bytes, size_t size, struct decode_operation *operation) {
  struct decode_reader reader = read_id(bytes, size, operation);
  return !reader.bad;
}

bool decode_operation(const void *bytes, size_t size, struct decode_operation *operation) {
  struct decode_reader reader = read_id(bytes, size, operation);
  operation->hlc = take_long(&reader);
  operation->delta_count = take_varint(&reader);
  operation->delta = reader;
  for (uint64_t i = 0; i < operation->delta_count && !reader.bad; i++)
    (void)decode_dot_next(&reader);
  operation->change_count = take_varint(&reader);
  operation->changes = reader;
  struct decode_change change;
  for (uint64_t i = 0; i < operation->change_count; i++)
    if (!decode_change_next(&reader, &change)) return false;
  return !reader.bad && reader.at == reader.end;
}

uint64_t decode_incarnation_at(const struct decode_operation *operation, uint64_t place) {
  if (place >= operation->origin_count) return 0;
  struct decode_origin origin = operation->own;
  struct decode_reader reader = operation->origins;
  for (uint64_t i = 0; i < place; i++)
    origin = decode_origin_next(&reader);
  return origin.incarnation;
}

bool decode_change_next(struct decode_reader *reader, struct decode_change *change) {
  uint8_t kind = take_byte(reader);
  change->kind = kind & 0x0fu;
  change->automatic = (kind & 0x10u) != 0;
  change->key_size = take_varint(reader);
  change->key = take(reader, change->key_size);
  change->value_size = change->kind == 1 ? take_varint(reader) : 0;
  change->value = take(reader, change->value_size);
  change->seen_count = take_varint(reader);
  change->seen = *reader;
  for (uint64_t i = 0; i < change->seen_count && !reader->bad; i++)
    (void)decode_dot_next(reader);
  return !reader->bad;
}

/* --- Frames --------------------------------------------------------------------------------- */

enum decode_frame decode_frame(const void *bytes, size_t size, struct decode_reader *body) {
  const uint8_t *frame = bytes;
  if (size < FRAME_HEADER + FRAME_TRAILER || memcmp(frame, "SYNF", 4) != 0 || frame[4] != 1) return DECODE_NOTHING;
  if (little4(frame + 8) != size - FRAME_HEADER - FRAME_TRAILER) return DECODE_NOTHING;
  *body = (struct decode_reader){frame + FRAME_HEADER, frame + size - FRAME_TRAILER, false};
  return frame[5] == DECODE_HELLO || frame[5] == DECODE_OPS ? (enum decode_frame)frame[5] : DECODE_NOTHING;
}

bool decode_hello(struct decode_reader body, struct decode_hello *hello) {
  hello->left = 0;
  (void)take(&body, 8); /* the hash of the limits */
  hello->node = take_name(&body);
  hello->session = take_long(&body);
  hello->nonce = take_long(&body);
  hello->echo = take_long(&body);
  hello->known_session = take_long(&body);
  hello->flags = take_byte(&body);
  hello->entries = body;
  return !body.bad;
}

bool decode_entry_next(struct decode_hello *hello, struct decode_entry *entry) {
  struct decode_reader *reader = &hello->entries;
  entry->heads = hello->left == 0;
  if (entry->heads) {
    if (reader->bad || reader->at == reader->end) return false;
    hello->of = take_name(reader);
    hello->left = take_varint(reader);
    if (hello->left == 0) reader->bad = true;
  }
  hello->left--;
  entry->node = hello->of;
  entry->incarnation = take_long(reader);
  entry->seq = take_varint(reader);
  return !reader->bad;
}

bool decode_entry_birth(struct decode_hello *hello, struct decode_entry *entry) {
  struct decode_reader *reader = &hello->entries;
  entry->birth_count = take_varint(reader);
  entry->birth = *reader;
  for (uint64_t i = 0; i < entry->birth_count && !reader->bad; i++) {
    (void)take(reader, 8);
    (void)take_varint(reader);
  }
  return !reader->bad;
}

void decode_birth_next(struct decode_entry *entry, uint64_t *incarnation, uint64_t *seq) {
  *incarnation = take_long(&entry->birth);
  *seq = take_varint(&entry->birth);
}

uint64_t decode_ops_session(struct decode_reader *body) {
  return take_long(body);
}

bool decode_ops_next(struct decode_reader *body, const uint8_t **bytes, size_t *size) {
  if (body->bad || body->at == body->end) return false;
  uint64_t count = take_varint(body);
  *bytes = take(body, count);
  *size = (size_t)count;
  return !body->bad;
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
