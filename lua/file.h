/* Scenario files in memory. */
#ifndef LUA_FILE_H
#define LUA_FILE_H

#include <stddef.h>

/* A scenario file in memory: the text, not its meaning. */
struct scenario_file;

/* Reads a file (at most 1 MiB). NULL with errno set when it cannot be read. */
struct scenario_file *scenario_file_read(const char *path);
/* The same from memory; `path` is for messages. */
struct scenario_file *scenario_file_from(const char *path, const char *text, size_t size);
void scenario_file_free(struct scenario_file *file);
const char *scenario_file_path(const struct scenario_file *file);
const char *scenario_file_text(const struct scenario_file *file, size_t *size);

#endif
