/* The coded form of steps (docs/formats.md): small where steps resemble what
 * came before, quick to write. Chains are not written: they follow from the
 * steps, and only a jump of one (a restore) is. */
#include "sim/trace/trace_record.h"

enum {
  STEP_CHAIN = 0,                          /* no step: the chain of a subsystem is set */
  STEP_DELIVERY = 0x80 | SIM_STEP_DELIVER, /* from and hash are those of the event */
  CODE_NEGATIVE = 9,
  CODE_MEMO = 10,
  FLAG_POSITION = 0x40,
  FLAG_NODE = 0x80,
  VALUES_MAX = 4 + SIM_STEP_FIELDS_MAX,
};
_Static_assert(SIM_STEP_FIELDS_MAX <= 7 && SIM_SUB_COUNT <= 8, "count and subsystem have three bits each");

static inline uint64_t zigzag(uint64_t value, uint64_t from) {
  uint64_t delta = value - from;
  return delta << 1 ^ (0 - (delta >> 63));
}

static inline uint64_t unzigzag(uint64_t coded, uint64_t from) {
  return from + (coded >> 1 ^ (0 - (coded & 1)));
}

/* The field that is a time to come, or one past the last. */
static inline unsigned time_field(uint32_t step) {
  return step == SIM_STEP_SEND ? 3 : step == SIM_STEP_FSYNC_BEGIN ? 2 : SIM_STEP_FIELDS_MAX;
}

/* Appends the value's bytes and returns its code. */
static inline uint64_t put_value(struct trace_coder *coder, uint8_t **at, uint64_t value) {
  trace_put_u64(*at, value);
  if (value >> 56 == 0) {
    unsigned bytes = (71u - (unsigned)__builtin_clzll(value | 1)) / 8 - (value == 0);
    *at += bytes;
    return bytes;
  }
  if (~value <= 255) {
    **at = (uint8_t)~value;
    *at += 1;
    return CODE_NEGATIVE;
  }
  uint64_t *memo = &coder->memo[value % TRACE_MEMO];
  if (*memo == value) {
    *at += 1; /* the low byte is the place, and it is there */
    return CODE_MEMO;
  }
  *memo = value;
  *at += 8;
  return 8;
}

/* Most deliveries say again what their event said. */
static inline bool is_plain_delivery(const struct trace_coder *coder, const struct trace_step *step) {
  return step->step == SIM_STEP_DELIVER && step->count == 3 && step->event == coder->event &&
         step->time_ns == coder->time_ns && step->cause == coder->cause && step->node == coder->node &&
         step->fields[0] == coder->from && step->fields[2] == coder->message && step->subsystem == SIM_SUB_NETWORK;
}

static inline size_t encode_delivery(uint64_t size, uint8_t *out) {
  unsigned bytes = (71u - (unsigned)__builtin_clzll(size | 1)) / 8;
  out[0] = STEP_DELIVERY;
  out[1] = (uint8_t)bytes;
  trace_put_u64(out + 2, size);
  return 2 + bytes;
}

static inline unsigned put_position(struct trace_coder *coder, const struct trace_step *step, uint8_t **at,
                                    uint64_t *codes) {
  *codes = put_value(coder, at, zigzag(step->event, coder->event));
  *codes |= put_value(coder, at, zigzag(step->cause, step->event)) << 4;
  *codes |= put_value(coder, at, zigzag(step->time_ns, coder->time_ns)) << 8;
  coder->event = step->event;
  coder->cause = step->cause;
  coder->time_ns = step->time_ns;
  return 12;
}

size_t trace_encode(struct trace_coder *coder, const struct trace_step *step, uint8_t *out) {
  const uint8_t *begin = out;
  const unsigned count = step->count;
  const uint64_t *fields = step->fields;
  if (coder->chains[step->subsystem] != step->before) {
    out[0] = STEP_CHAIN;
    out[1] = (uint8_t)step->subsystem;
    trace_put_u64(out + 2, step->before);
    out += 10;
  }
  coder->chains[step->subsystem] = step->after;
  if (is_plain_delivery(coder, step)) return (size_t)(out - begin) + encode_delivery(fields[1], out);
  bool moved = step->event != coder->event || step->time_ns != coder->time_ns || step->cause != coder->cause;
  bool node = step->node != coder->node;
  unsigned values = count + (moved ? 3u : 0) + node, shift = 0;
  uint8_t *at = out + 2 + (values + 1) / 2;
  uint64_t codes = 0;
  if (moved) shift = put_position(coder, step, &at, &codes);
  if (node) {
    coder->node = step->node;
    codes |= put_value(coder, &at, step->node) << shift;
    shift += 4;
  }
  const unsigned time = time_field(step->step);
  const bool event = step->step == SIM_STEP_EVENT;
  for (unsigned i = 0; i < count; i++, shift += 4) {
    uint64_t value = fields[i];
    if (i == time) value = zigzag(value, step->time_ns);
    if (event && i == 1) value ^= step->cause;
    codes |= put_value(coder, &at, value) << shift;
  }
  if (event && count == 4) {
    coder->from = fields[2];
    coder->message = fields[3];
  }
  out[0] = (uint8_t)step->step;
  out[1] = (uint8_t)(count | step->subsystem << 3 | (moved ? FLAG_POSITION : 0u) | (node ? FLAG_NODE : 0u));
  for (unsigned i = 0; i < (values + 1) / 2; i++)
    out[2 + i] = (uint8_t)(codes >> (8 * i));
  return (size_t)(at - begin);
}

static bool get_value(struct trace_coder *coder, unsigned code, const uint8_t **at, const uint8_t *end,
                      uint64_t *value) {
  unsigned bytes = code <= 8 ? code : 1;
  if (code > CODE_MEMO || (size_t)(end - *at) < bytes) return false;
  *value = trace_get(*at, bytes);
  *at += bytes;
  if (code == CODE_NEGATIVE) *value = ~*value;
  if (code == CODE_MEMO) *value = coder->memo[*value];
  if (code == 8) coder->memo[*value % TRACE_MEMO] = *value;
  return true;
}

static void take_values(struct trace_coder *coder, const uint64_t *values, unsigned flags,
                        struct sim_trace_record *record) {
  if ((flags & FLAG_POSITION) != 0) {
    coder->event = unzigzag(values[0], coder->event);
    coder->cause = unzigzag(values[1], coder->event);
    coder->time_ns = unzigzag(values[2], coder->time_ns);
    values += 3;
  }
  if ((flags & FLAG_NODE) != 0) coder->node = (uint32_t)*values++;
  record->event = coder->event;
  record->cause = coder->cause;
  record->time_ns = coder->time_ns;
  record->node = coder->node;
  for (unsigned i = 0; i < record->count; i++)
    record->fields[i] = values[i];
  unsigned time = time_field(record->step);
  if (time < record->count) record->fields[time] = unzigzag(values[time], record->time_ns);
  if (record->step == SIM_STEP_EVENT && record->count > 1) record->fields[1] ^= record->cause;
  if (record->step == SIM_STEP_EVENT && record->count == 4) {
    coder->from = record->fields[2];
    coder->message = record->fields[3];
  }
}

/* The bytes used, or 0. */
static size_t take_delivery(struct trace_coder *coder, const uint8_t *at, size_t size,
                            struct sim_trace_record *record) {
  if (at[1] == 0 || at[1] > 8 || size - 2 < at[1]) return 0;
  const uint64_t values[] = {coder->from, trace_get(at + 2, at[1]), coder->message};
  record->step = SIM_STEP_DELIVER;
  record->subsystem = SIM_SUB_NETWORK;
  record->count = 3;
  take_values(coder, values, 0, record);
  return 2u + at[1];
}

static void fold(struct trace_coder *coder, struct sim_trace_record *record) {
  uint64_t *chain = &coder->chains[record->subsystem];
  *chain =
      trace_fold(*chain, record->event, record->time_ns, record->node, record->step, record->fields, record->count);
  record->hash = *chain;
}

size_t trace_decode(struct trace_coder *coder, const uint8_t *bytes, size_t size, struct sim_trace_record *record) {
  const uint8_t *at = bytes, *end = bytes + size;
  uint64_t values[VALUES_MAX];
  while (end - at >= 10 && at[0] == STEP_CHAIN) {
    if (at[1] >= SIM_SUB_COUNT) return 0;
    coder->chains[at[1]] = trace_get(at + 2, 8);
    at += 10;
  }
  if (end - at < 2 || at[0] == STEP_CHAIN) return 0;
  memset(record, 0, sizeof *record);
  if (at[0] == STEP_DELIVERY) {
    size_t used = take_delivery(coder, at, (size_t)(end - at), record);
    if (used > 0) fold(coder, record);
    return used == 0 ? 0 : (size_t)(at - bytes) + used;
  }
  if (at[0] >= 0x80) return 0;
  unsigned flags = at[1];
  record->step = at[0];
  record->count = flags & 7u;
  record->subsystem = flags >> 3 & 7u;
  if (record->subsystem >= SIM_SUB_COUNT) return 0;
  unsigned count = record->count + ((flags & FLAG_POSITION) != 0 ? 3u : 0) + ((flags & FLAG_NODE) != 0 ? 1u : 0);
  at += 2;
  if ((size_t)(end - at) < (count + 1) / 2) return 0;
  const uint8_t *codes = at;
  at += (count + 1) / 2;
  for (unsigned i = 0; i < count; i++) {
    if (!get_value(coder, (unsigned)codes[i / 2] >> (4 * (i % 2)) & 15u, &at, end, &values[i])) return 0;
  }
  take_values(coder, values, flags, record);
  fold(coder, record);
  return (size_t)(at - bytes);
}

void trace_state_put(const struct trace_coder *coder, uint8_t bytes[TRACE_STATE_BYTES]) {
  trace_put_u64(bytes, coder->event);
  trace_put_u64(bytes + 8, coder->cause);
  trace_put_u64(bytes + 16, coder->time_ns);
  for (unsigned i = 0; i < 4; i++)
    bytes[24 + i] = (uint8_t)(coder->node >> (8 * i));
  for (unsigned i = 0; i < SIM_SUB_COUNT; i++)
    trace_put_u64(bytes + 28 + (size_t)8 * i, coder->chains[i]);
}
_Static_assert(28 + 8 * SIM_SUB_COUNT == TRACE_STATE_BYTES, "the state's size is part of the format");

void trace_state_get(struct trace_coder *coder, const uint8_t bytes[TRACE_STATE_BYTES]) {
  memset(coder, 0, sizeof *coder);
  coder->event = trace_get(bytes, 8);
  coder->cause = trace_get(bytes + 8, 8);
  coder->time_ns = trace_get(bytes + 16, 8);
  coder->node = (uint32_t)trace_get(bytes + 24, 4);
  for (unsigned i = 0; i < SIM_SUB_COUNT; i++)
    coder->chains[i] = trace_get(bytes + 28 + (size_t)8 * i, 8);
}

bool trace_state_equal(const struct trace_coder *a, const struct trace_coder *b) {
  return a->event == b->event && a->cause == b->cause && a->time_ns == b->time_ns && a->node == b->node &&
         memcmp(a->chains, b->chains, sizeof a->chains) == 0;
}
