/* Gathers the helpers of a scenario from the folder beside it. */
#ifndef LUA_GATHER_H
#define LUA_GATHER_H

#include <stdbool.h>
#include <stddef.h>

#include "lua/text/helpers.h"

/* Reads what the text requires, and what that requires, from the folder `helpers` beside `path`. What cannot be
 * read is kept with the reason: the require that wants it is the error. Links are not followed. false with
 * errno: no memory, or more than HELPERS_MAX of them (E2BIG). */
bool gather_helpers(struct helpers *helpers, const char *path, const char *text, size_t size);

#endif
