/* Recordings as files: docs/formats.md. */
#include "sim/trace/trace_record.h"

#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define FORMAT_VERSION 1u
#define HEADER_BYTES 16u
#define SECTION_BYTES 16u
#define STEPS_BYTES (12u + TRACE_STATE_BYTES)
#define NAME_BYTES 15u

enum { SECTION_NAMES = 1, SECTION_STEPS = 2, SECTION_END = 3 };

static const uint8_t MAGIC[8] = {0xf5, 'S', 'I', 'M', 'T', 'R', 'C', '\n'};

static void put_u32(uint8_t *at, uint32_t value) {
  for (unsigned i = 0; i < 4; i++)
    at[i] = (uint8_t)(value >> (8 * i));
}

/* --- Writing ------------------------------------------------------------------- */

/* A section of two parts, of which the second may be empty. */
static bool put_section(FILE *file, uint32_t kind, const uint8_t *first, size_t first_size, const uint8_t *second,
                        size_t second_size) {
  uint8_t header[SECTION_BYTES];
  uint8_t *all = malloc(first_size + second_size + 1);
  if (all == NULL) return false;
  if (first_size > 0) memcpy(all, first, first_size);
  if (second_size > 0) memcpy(all + first_size, second, second_size);
  size_t size = first_size + second_size;
  put_u32(header, kind);
  put_u32(header + 4, (uint32_t)size);
  trace_put_u64(header + 8, XXH3_64bits_withSeed(all, size, kind));
  bool ok = fwrite(header, 1, sizeof header, file) == sizeof header && fwrite(all, 1, size, file) == size;
  free(all);
  return ok;
}

static bool put_names(FILE *file, const struct trace_names *names) {
  size_t size = (size_t)names->used + (size_t)names->count * NAME_BYTES;
  uint8_t *bytes = malloc(size + 1), *at = bytes;
  if (bytes == NULL) return false;
  for (uint32_t i = 0; i < names->count; i++) {
    const struct trace_name *name = &names->entries[i];
    at[0] = name->kind;
    put_u32(at + 1, name->scope);
    trace_put_u64(at + 5, name->value);
    at[13] = (uint8_t)name->length;
    at[14] = (uint8_t)(name->length >> 8);
    memcpy(at + NAME_BYTES, names->bytes + name->offset, name->length);
    at += NAME_BYTES + name->length;
  }
  bool ok = put_section(file, SECTION_NAMES, bytes, (size_t)(at - bytes), NULL, 0);
  free(bytes);
  return ok;
}

static bool put_steps(FILE *file, const struct trace_block *block) {
  uint8_t head[STEPS_BYTES];
  trace_put_u64(head, block->first);
  put_u32(head + 8, block->count);
  memcpy(head + 12, block->state, TRACE_STATE_BYTES);
  return put_section(file, SECTION_STEPS, head, sizeof head, block->bytes, block->used);
}

bool sim_trace_log_write(const struct sim_trace_log *log, FILE *file) {
  uint8_t header[HEADER_BYTES] = {0}, end[8 + TRACE_STATE_BYTES];
  memcpy(header, MAGIC, sizeof MAGIC);
  put_u32(header + 8, FORMAT_VERSION);
  bool ok = fwrite(header, 1, sizeof header, file) == sizeof header && put_names(file, &log->names);
  for (size_t i = 0; ok && i < log->block_count; i++)
    ok = put_steps(file, &log->blocks[i]);
  trace_put_u64(end, log->count);
  trace_state_put(&log->coder, end + 8);
  ok = ok && put_section(file, SECTION_END, end, sizeof end, NULL, 0);
  return fflush(file) == 0 && ok;
}

/* --- Reading ------------------------------------------------------------------- */

struct input {
  struct sim_trace_log *log;
  const uint8_t *at, *end;
  const char *wrong; /* NULL: nothing so far */
  bool ended;
};

static bool wrong(struct input *input, const char *what) {
  input->wrong = what;
  return false;
}

static bool take_names(struct input *input, const uint8_t *at, size_t size) {
  while (size >= NAME_BYTES) {
    size_t length = (size_t)trace_get(at + 13, 2);
    if (length > size - NAME_BYTES) break;
    if (!trace_names_add(&input->log->names, at[0], (uint32_t)trace_get(at + 1, 4), trace_get(at + 5, 8),
                         (const char *)at + NAME_BYTES, length))
      return wrong(input, "too many names");
    at += NAME_BYTES + length;
    size -= NAME_BYTES + length;
  }
  return size == 0 || wrong(input, "a name is cut");
}

/* Decodes every step once, so that nothing that is kept can fail later. */
static bool take_steps(struct input *input, const uint8_t *at, size_t size) {
  struct sim_trace_log *log = input->log;
  struct sim_trace_record record;
  struct trace_coder start;
  if (size < STEPS_BYTES) return wrong(input, "a block of steps is too short");
  trace_state_get(&start, at + 12);
  uint32_t count = (uint32_t)trace_get(at + 8, 4);
  if (trace_get(at, 8) != log->count) return wrong(input, "blocks of steps are out of order");
  if (log->block_count > 0 && !trace_state_equal(&start, &log->coder))
    return wrong(input, "a block does not go on where the one before ended");
  if (count == 0 || count > size) return wrong(input, "a block has an impossible number of steps");
  log->coder = start;
  size -= STEPS_BYTES;
  at += STEPS_BYTES;
  struct trace_block *block = trace_log_block(log, size + 1);
  if (block == NULL) return wrong(input, "no memory");
  memcpy(block->bytes, at, size);
  for (uint32_t i = 0; i < count; i++) {
    size_t used = trace_decode(&log->coder, block->bytes + block->used, size - block->used, &record);
    if (used == 0) return wrong(input, "a step cannot be read");
    block->used += used;
  }
  if (block->used != size) return wrong(input, "bytes are left after the steps of a block");
  block->count = count;
  log->count += count;
  return true;
}

static bool take_end(struct input *input, const uint8_t *at, size_t size) {
  struct trace_coder state;
  if (size != 8 + TRACE_STATE_BYTES) return wrong(input, "the end section has a wrong size");
  trace_state_get(&state, at + 8);
  if (trace_get(at, 8) != input->log->count || !trace_state_equal(&state, &input->log->coder))
    return wrong(input, "steps are missing");
  input->ended = true;
  return true;
}

static bool take_section(struct input *input) {
  if (input->end - input->at < (ptrdiff_t)SECTION_BYTES) return wrong(input, "it is cut");
  uint32_t kind = (uint32_t)trace_get(input->at, 4);
  size_t size = (size_t)trace_get(input->at + 4, 4);
  uint64_t checksum = trace_get(input->at + 8, 8);
  input->at += SECTION_BYTES;
  if (size > (size_t)(input->end - input->at)) return wrong(input, "it is cut");
  const uint8_t *payload = input->at;
  input->at += size;
  if (XXH3_64bits_withSeed(payload, size, kind) != checksum) return wrong(input, "a checksum is wrong");
  switch (kind) {
  case SECTION_NAMES:
    return take_names(input, payload, size);
  case SECTION_STEPS:
    return take_steps(input, payload, size);
  case SECTION_END:
    return take_end(input, payload, size);
  default:
    return wrong(input, "it has a section that this version does not know");
  }
}

static void take_all(struct input *input) {
  if (input->end - input->at < (ptrdiff_t)HEADER_BYTES || memcmp(input->at, MAGIC, sizeof MAGIC) != 0) {
    (void)wrong(input, "it does not begin as one");
  } else if (trace_get(input->at + 8, 4) != FORMAT_VERSION || trace_get(input->at + 12, 4) != 0) {
    (void)wrong(input, "its version is not known here");
  } else {
    input->at += HEADER_BYTES;
    while (!input->ended && take_section(input))
      continue;
    if (input->ended && input->at != input->end) (void)wrong(input, "bytes are left after its end");
  }
}

struct sim_trace_log *sim_trace_log_decode(const uint8_t *bytes, size_t size, char *error, size_t error_size) {
  struct input input = {.log = sim_trace_log_create(), .at = bytes, .end = bytes + size};
  if (input.log == NULL)
    (void)wrong(&input, "no memory");
  else
    take_all(&input);
  if (input.wrong == NULL) return input.log;
  (void)snprintf(error, error_size, "%s", input.wrong);
  sim_trace_log_destroy(input.log);
  return NULL;
}

struct sim_trace_log *sim_trace_log_read(FILE *file, char *error, size_t error_size) {
  size_t size = 0, room = 0;
  uint8_t *bytes = NULL;
  bool ok = true;
  for (size_t got = 1; ok && got > 0; size += got) {
    if (room - size < TRACE_BLOCK_BYTES) {
      size_t more = room == 0 ? (size_t)4 * TRACE_BLOCK_BYTES : room * 2;
      uint8_t *grown = realloc(bytes, more);
      ok = grown != NULL;
      if (!ok) break;
      bytes = grown;
      room = more;
    }
    got = fread(bytes + size, 1, room - size, file);
  }
  struct sim_trace_log *log = NULL;
  if (!ok || ferror(file))
    (void)snprintf(error, error_size, "%s", ok ? "read error" : "no memory");
  else
    log = sim_trace_log_decode(bytes, size, error, error_size);
  free(bytes);
  return log;
}
