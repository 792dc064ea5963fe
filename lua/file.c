#include "lua/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/memo.h"

#define FILE_BYTES_MAX (1024u * 1024u)

struct scenario_file *scenario_file_from(const char *path, const char *text, size_t size) {
  struct scenario_file *file = calloc(1, sizeof *file);
  if (!file) return NULL;
  file->path = strdup(path);
  file->text = malloc(size + 1);
  file->memo = calloc(1, sizeof *file->memo);
  if (!file->path || !file->text || !file->memo) {
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
  char *text = malloc(FILE_BYTES_MAX + 1u);
  struct scenario_file *file = NULL;
  int error = ENOMEM;
  if (text) {
    size_t size = fread(text, 1, FILE_BYTES_MAX + 1u, stream);
    error = ferror(stream) ? EIO : EFBIG;
    if (ferror(stream) && errno) error = errno;
    if (!ferror(stream) && size <= FILE_BYTES_MAX) {
      error = ENOMEM;
      file = scenario_file_from(path, text, size);
    }
  }
  free(text);
  (void)fclose(stream);
  if (!file) errno = error;
  return file;
}

void scenario_file_free(struct scenario_file *file) {
  if (!file) return;
  free(file->path);
  free(file->text);
  free(file->memo);
  free(file);
}

const char *scenario_file_path(const struct scenario_file *file) {
  return file->path;
}

const char *scenario_file_text(const struct scenario_file *file, size_t *size) {
  *size = file->size;
  return file->text;
}
