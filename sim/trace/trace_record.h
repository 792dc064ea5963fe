/* Between trace.c, which makes records, trace_code.c, which codes them, and
 * trace_log.c, which keeps them. */
#ifndef SIM_TRACE_RECORD_H
#define SIM_TRACE_RECORD_H

#include <string.h>

#include "sim/trace/fold.h"
#include "sim/trace/trace.h"

#define TRACE_MEMO 256u
#define TRACE_STEP_BYTES_MAX 128u /* of one coded step, stores of eight bytes past its end included */
#define TRACE_STATE_BYTES 76u

/* What coder and decoder know of the steps before. */
struct trace_coder {
  uint64_t event, cause, time_ns;
  uint64_t chains[SIM_SUB_COUNT];
  uint32_t node;
  uint64_t from, message;    /* of the last event in this block */
  uint64_t memo[TRACE_MEMO]; /* values of eight bytes seen in this block */
};

/* A step as it happens. */
struct trace_step {
  uint64_t event, cause, time_ns;
  uint64_t before, after; /* of its chain */
  const uint64_t *fields;
  uint32_t node, step, subsystem, count;
};

/* Codes one step. Returns the bytes used of TRACE_STEP_BYTES_MAX. */
size_t trace_encode(struct trace_coder *coder, const struct trace_step *step, uint8_t *out);
/* Decodes one step; the bytes used, or 0: no step. */
size_t trace_decode(struct trace_coder *coder, const uint8_t *bytes, size_t size, struct sim_trace_record *record);
void trace_state_put(const struct trace_coder *coder, uint8_t bytes[TRACE_STATE_BYTES]);
void trace_state_get(struct trace_coder *coder, const uint8_t bytes[TRACE_STATE_BYTES]);
bool trace_state_equal(const struct trace_coder *a, const struct trace_coder *b);

static inline void trace_put_u64(uint8_t *at, uint64_t value) {
  at[0] = (uint8_t)value;
  at[1] = (uint8_t)(value >> 8);
  at[2] = (uint8_t)(value >> 16);
  at[3] = (uint8_t)(value >> 24);
  at[4] = (uint8_t)(value >> 32);
  at[5] = (uint8_t)(value >> 40);
  at[6] = (uint8_t)(value >> 48);
  at[7] = (uint8_t)(value >> 56);
}
static inline uint64_t trace_get(const uint8_t *at, unsigned bytes) {
  uint64_t value = 0;
  for (unsigned i = 0; i < bytes; i++)
    value |= (uint64_t)at[i] << (8 * i);
  return value;
}

/* --- The log ------------------------------------------------------------------ */

#define TRACE_BLOCK_BYTES 65536u

struct trace_block {
  uint8_t *bytes;
  size_t used;
  uint64_t first; /* index of its first step */
  uint32_t count;
  uint8_t state[TRACE_STATE_BYTES]; /* before its first step */
};

struct trace_name {
  uint8_t kind;
  uint32_t scope;
  uint64_t value;
  uint32_t offset, length; /* in the bytes of all names; a zero follows */
};

struct trace_names {
  struct trace_name *entries;
  char *bytes;
  uint32_t *slots; /* entry + 1, by hash; only ever looked up */
  uint32_t count, capacity, slot_count;
  uint32_t used, room;
};

/* false: no memory, or names enough. */
bool trace_names_add(struct trace_names *names, uint8_t kind, uint32_t scope, uint64_t value, const char *text,
                     size_t length);
const char *trace_names_find(const struct trace_names *names, uint8_t kind, uint32_t scope, uint64_t value);
void trace_names_clear(struct trace_names *names);
void trace_names_free(struct trace_names *names);

struct trace_cursor; /* of sim_trace_log_at */

struct sim_trace_log {
  struct trace_block *blocks;
  size_t block_count, block_capacity; /* blocks past the count keep their bytes for reuse */
  size_t count;
  uint64_t window_first, window_last;
  struct trace_names names;
  struct trace_cursor *cursor;
  struct trace_coder coder;
};

/* Steps in order, without looking anything up. */
struct trace_reader {
  const struct sim_trace_log *log;
  size_t block;
  size_t at;     /* in the block */
  uint32_t left; /* steps of the block */
  struct trace_coder coder;
};
void trace_reader_init(struct trace_reader *reader, const struct sim_trace_log *log);
bool trace_reader_next(struct trace_reader *reader, struct sim_trace_record *record);

/* false: memory ran out. */
bool sim_trace_log_append(struct sim_trace_log *log, const struct trace_step *step);
/* Makes room for a block; NULL: no memory. */
struct trace_block *trace_log_block(struct sim_trace_log *log, size_t bytes);

/* --- Words --------------------------------------------------------------------- */

struct trace_writer {
  char *text;
  size_t size, length;
};
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void trace_put(struct trace_writer *writer, const char *format, ...);
const char *trace_status_name(int64_t status); /* NULL: none */
const char *trace_step_name(uint32_t step);
const char *trace_subsystem_name(uint32_t subsystem);
const char *trace_drop_reason(uint64_t why);
/* The sentence's template; "" when there is none. */
const char *trace_template(const struct sim_trace_log *log, const struct sim_trace_record *record);

struct trace;

/* --- Marks ---------------------------------------------------------------------- */

void trace_mark(struct sim_trace_marks *marks, const struct trace *trace);
void trace_marks_back_to(struct sim_trace_marks *marks, uint64_t events);
/* When the next is due, after so many events. */
uint64_t trace_marks_next(const struct sim_trace_marks *marks, uint64_t events);

#endif
