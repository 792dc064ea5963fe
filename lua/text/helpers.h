/* The files beside a scenario that it may require: their texts, gathered before anything runs, so that a
 * script reads no disk and a bundle holds all that decides a run. */
#ifndef LUA_TEXT_HELPERS_H
#define LUA_TEXT_HELPERS_H

#include <stdbool.h>
#include <stddef.h>

#define HELPERS_FOLDER "helpers"
#define HELPERS_MAX 64u
#define HELPER_NAME_BYTES 64u /* "helpers.partitions", and "helpers/partitions.lua" */

struct helper {
  char name[HELPER_NAME_BYTES]; /* as require takes it */
  char path[HELPER_NAME_BYTES]; /* from the scenario's folder */
  char *text;                   /* NULL: it cannot be read */
  size_t size;
  char why[160]; /* then, what is wrong with it */
};

struct helpers {
  struct helper items[HELPERS_MAX];
  size_t count;
};

/* The path of a helper from its name: words of small letters, digits and _, the first "helpers", with points
 * between. false: it is no such name. */
bool helper_path(const char *name, size_t size, char path[HELPER_NAME_BYTES]);
/* The helper of this name; NULL: there is none. */
const struct helper *helpers_find(const struct helpers *helpers, const char *name);
/* Adds one, and copies the text (NULL: `why` says what is wrong). false: there are too many, no memory, or the
 * name is none. */
bool helpers_add(struct helpers *helpers, const char *name, const char *text, size_t size, const char *why);
void helpers_free(struct helpers *helpers);

#endif
