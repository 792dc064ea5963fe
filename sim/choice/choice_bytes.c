#include "sim/choice/choice_bytes.h"

#include "sim/choice/question.h"
#include "sim/memory/mix.h"

#include <stdlib.h>

struct sim_choice_bytes {
  const uint8_t *bytes;
  size_t size, at;
  struct sim_choice_table *memo; /* what was answered */
};

struct sim_choice_bytes *sim_choice_bytes_create(const uint8_t *bytes, size_t size) {
  struct sim_choice_bytes *source = calloc(1, sizeof *source);
  if (source == NULL) return NULL;
  source->bytes = bytes;
  source->size = size;
  source->memo = sim_choice_table_create();
  if (source->memo == NULL) {
    free(source);
    return NULL;
  }
  return source;
}

void sim_choice_bytes_destroy(struct sim_choice_bytes *source) {
  if (source == NULL) return;
  sim_choice_table_destroy(source->memo);
  free(source);
}

size_t sim_choice_bytes_used(const struct sim_choice_bytes *source) {
  return source->at;
}

static uint64_t interpret(const struct sim_question *question, uint32_t record) {
  if (question->ppm > 0) {
    /* The upper end fires, for zeros are calm; a last byte of 255 always does,
     * or a fuzzer would hardly ever meet what is improbable. */
    uint64_t share = ((uint64_t)question->ppm << 32) / 1000000;
    if (share < UINT64_C(1) << 24) share = UINT64_C(1) << 24;
    return record > 0 && (UINT64_C(1) << 32) - record <= share;
  }
  uint64_t n = question->hi - question->lo + 1;
  if (n != 0 && n <= UINT64_C(1) << 32) return question->lo + record % n;
  if (record == UINT32_MAX) return question->hi;
  uint64_t bits = (uint64_t)record << 32;
  return question->lo + (n == 0 ? bits : sim_scale(bits, n));
}

bool sim_choice_bytes_decide(struct sim_choice_bytes *source, const struct sim_question *question, uint64_t *outcome) {
  *outcome = question->lo;
  if (question->lo == question->hi || sim_choice_table_get(source->memo, question->tag, outcome)) return true;
  if (source->size - source->at < SIM_CHOICE_BYTES_RECORD) return true;
  const uint8_t *at = source->bytes + source->at;
  uint32_t record = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
  source->at += SIM_CHOICE_BYTES_RECORD;
  *outcome = interpret(question, record);
  return sim_choice_table_set(source->memo, question->tag, *outcome);
}

size_t sim_choice_bytes_mark(const struct sim_choice_bytes *source, struct sim_choice_mark *memo) {
  *memo = sim_choice_table_mark(source->memo);
  return source->at;
}

void sim_choice_bytes_cut(struct sim_choice_bytes *source, size_t position, struct sim_choice_mark memo) {
  source->at = position;
  sim_choice_table_cut(source->memo, memo);
}
