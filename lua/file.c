#include "lua/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/gather.h"
#include "lua/memo.h"
#include "lua/text/source.h"

struct scenario_file *scenario_file_from(const char *path, const char *text, size_t size) {
  struct scenario_file *file = calloc(1, sizeof *file);
  if (!file) return NULL;
  file->path = strdup(path);
  file->text = malloc(size + 1);
  file->memo = calloc(1, sizeof *file->memo);
  file->helpers = calloc(1, sizeof *file->helpers);
  if (!file->path || !file->text || !file->memo || !file->helpers) {
    scenario_file_free(file);
    errno = ENOMEM;
    return NULL;
  }
  memcpy(file->text, text, size);
  file->text[size] = 0;
  file->size = size;
  return file;
}

struct scenario_file *scenario_file_read(const char *path) {
  FILE *stream = fopen(path, "rb");
  if (!stream) return NULL;
  char *text = malloc(SOURCE_BYTES_MAX + 1u);
  struct scenario_file *file = NULL;
  int error = ENOMEM;
  if (text) {
    size_t size = fread(text, 1, SOURCE_BYTES_MAX + 1u, stream);
    error = ferror(stream) ? EIO : EFBIG;
    if (ferror(stream) && errno) error = errno;
    if (!ferror(stream) && size <= SOURCE_BYTES_MAX) {
      error = ENOMEM;
      file = scenario_file_from(path, text, size);
    }
  }
  free(text);
  (void)fclose(stream);
  if (file && !gather_helpers(file->helpers, path, file->text, file->size)) {
    error = errno;
    scenario_file_free(file);
    file = NULL;
  }
  if (!file) errno = error;
  return file;
}

void scenario_file_free(struct scenario_file *file) {
  if (!file) return;
  free(file->path);
  free(file->label);
  free(file->text);
  if (file->memo) sim_choice_table_destroy(file->memo->choices);
  free(file->memo);
  if (file->helpers) helpers_free(file->helpers);
  free(file->helpers);
  free(file);
}

const char *scenario_file_path(const struct scenario_file *file) {
  return file->path;
}

const char *scenario_file_text(const struct scenario_file *file, size_t *size) {
  *size = file->size;
  return file->text;
}

const struct helpers *scenario_file_helpers(const struct scenario_file *file) {
  return file->helpers;
}

bool scenario_file_add_helper(struct scenario_file *file, const char *name, const char *text, size_t size,
                              const char *why) {
  return helpers_add(file->helpers, name, text, size, why);
}

bool scenario_file_set_params(struct scenario_file *file, const struct params *set) {
  for (size_t i = 0; i < set->count; i++)
    if (!params_set(&file->set, set->items[i].name, set->items[i].value)) return false;
  return true;
}

bool scenario_file_set_variant(struct scenario_file *file, const char *variant) {
  const size_t length = variant ? strlen(variant) : 0;
  if (length >= sizeof file->variant) return false;
  memset(file->variant, 0, sizeof file->variant);
  free(file->label);
  file->label = NULL;
  if (!length) return true;
  const size_t size = strlen(file->path) + length + 2;
  file->label = malloc(size);
  if (!file->label) return false;
  memcpy(file->variant, variant, length);
  (void)snprintf(file->label, size, "%s#%s", file->path, variant);
  return true;
}

const struct params *scenario_file_params(const struct scenario_file *file) {
  return &file->set;
}

const char *scenario_file_variant(const struct scenario_file *file) {
  return file->variant;
}

const char *scenario_file_label(const struct scenario_file *file) {
  return file->label ? file->label : file->path;
}

struct scenario_file *scenario_file_copy(const struct scenario_file *file) {
  struct scenario_file *copy = scenario_file_from(file->path, file->text, file->size);
  if (!copy) return NULL;
  bool good = scenario_file_set_variant(copy, file->variant) && scenario_file_set_params(copy, &file->set);
  for (size_t i = 0; good && i < file->helpers->count; i++) {
    const struct helper *helper = &file->helpers->items[i];
    good = helpers_add(copy->helpers, helper->name, helper->text, helper->size, helper->why);
  }
  if (good) return copy;
  scenario_file_free(copy);
  return NULL;
}

static uint64_t fold(uint64_t hash, const char *bytes, size_t size) {
  return sim_hash_fold(sim_hash_fold(hash, size), sim_hash_bytes(bytes, size));
}

uint64_t scenario_file_hash(const struct scenario_file *file) {
  uint64_t hash = fold(0, file->text, file->size);
  for (size_t i = 0; i < file->helpers->count; i++) {
    const struct helper *helper = &file->helpers->items[i];
    if (!helper->text) continue;
    hash = fold(hash, helper->name, strlen(helper->name));
    hash = fold(hash, helper->text, helper->size);
  }
  hash = fold(hash, file->variant, strlen(file->variant));
  for (size_t i = 0; i < file->set.count; i++) {
    hash = fold(hash, file->set.items[i].name, strlen(file->set.items[i].name));
    hash = fold(hash, file->set.items[i].value, strlen(file->set.items[i].value));
  }
  return hash;
}
