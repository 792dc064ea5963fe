/* Scenario files in memory. */
#ifndef LUA_FILE_H
#define LUA_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A scenario file in memory: the text, not its meaning, and the helpers that it requires. */
struct scenario_file;
struct helpers; /* text/helpers.h */
struct params;  /* text/params.h */

/* Reads a file (at most 1 MiB), and its helpers from the folder beside it. NULL with errno set when it cannot be
 * read. */
struct scenario_file *scenario_file_read(const char *path);
/* The same from memory; `path` is for messages. */
struct scenario_file *scenario_file_from(const char *path, const char *text, size_t size);
void scenario_file_free(struct scenario_file *file);
const char *scenario_file_path(const struct scenario_file *file);
const char *scenario_file_text(const struct scenario_file *file, size_t *size);
/* Those that were read, and those that were looked for in vain. */
const struct helpers *scenario_file_helpers(const struct scenario_file *file);
/* Adds a helper from memory, as helpers_add(). */
bool scenario_file_add_helper(struct scenario_file *file, const char *name, const char *text, size_t size,
                              const char *why);
/* What decides a run beside the texts: parameters that are set, and the variant (NULL or "": none). To be said
 * before anything is asked of the file. false: no memory, or (params_set) not right. */
bool scenario_file_set_params(struct scenario_file *file, const struct params *set);
bool scenario_file_set_variant(struct scenario_file *file, const char *variant);
const struct params *scenario_file_params(const struct scenario_file *file);
const char *scenario_file_variant(const struct scenario_file *file); /* "": none */
/* PATH, or PATH#VARIANT: what tells apart the scenarios of a suite. */
const char *scenario_file_label(const struct scenario_file *file);
/* Another of the same texts and parameters. NULL: no memory. */
struct scenario_file *scenario_file_copy(const struct scenario_file *file);
/* Of all that decides a run beside the seed: the texts, the names of helpers, the variant, what is set. */
uint64_t scenario_file_hash(const struct scenario_file *file);

#endif
