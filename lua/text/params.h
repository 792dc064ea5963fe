/* Parameters of a scenario as texts: what the command line, a variant or a bundle sets. */
#ifndef LUA_TEXT_PARAMS_H
#define LUA_TEXT_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#define PARAMS_MAX 32u
#define PARAM_NAME_BYTES 32u
#define PARAM_VALUE_BYTES 64u

struct param {
  char name[PARAM_NAME_BYTES];
  char value[PARAM_VALUE_BYTES];
};

struct params {
  size_t count;
  struct param items[PARAMS_MAX];
};

/* A word of letters, digits and _ that does not begin with a digit. */
bool param_name_is_right(const char *name);
/* The value of a name; NULL: it is not set. */
const char *params_get(const struct params *params, const char *name);
/* Sets one, in the place of an older value. false: the name or the value is not right (too long, more than one
 * line), or there are too many. */
bool params_set(struct params *params, const char *name, const char *value);
/* The same from "name=value". */
bool params_set_text(struct params *params, const char *text);

#endif
