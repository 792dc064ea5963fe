/* The text of a script, token by token: finds what the compiler would accept
 * but a deterministic run must not have, and the lines that messages name.
 */
#ifndef LUA_TEXT_SOURCE_H
#define LUA_TEXT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#define SOURCE_BYTES_MAX (1024u * 1024u) /* of a scenario, or a helper */

/* How many bytes stand before the first that is Lua: a UTF-8 byte order mark, and a
 * first line for the shell (its line end stays, so that lines count alike). */
size_t source_begin(const char *text, size_t size);
/* What the text is when it cannot be Lua in UTF-8, by name; NULL: it may be. */
const char *source_refused(const char *text, size_t size);

/* Floating point never enters a script: a numeral such as 0.5 or 1e3, the
 * operators / and ^. false: *line and a message. */
bool source_has_no_floats(const char *text, size_t size, int *line, char *message, size_t message_size);

/* The line of the option `path` ("network.loss": each part is a name followed
 * by "=", the next looked for behind the one before), searched from
 * `from_line`. 0: not found. */
int source_line_of(const char *text, size_t size, int from_line, const char *path);

/* The last call of MODULE.NAME(...) that begins up to the end of `line`: *begin, and its length up to the closing
 * bracket; 0: there is none. */
size_t source_call(const char *text, size_t size, int line, const char *module, const char *name, size_t *begin);

/* The next module that the text requires by a name in quotes, from *at on: require "x", require("x"). Puts the name
 * into `name` (those that do not fit are passed over) and *at behind it. false: there is none. */
bool source_next_require(const char *text, size_t size, size_t *at, char *name, size_t name_size);

#endif
