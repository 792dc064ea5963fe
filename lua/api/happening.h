/* Happenings as scripts name them: which one is meant, whether this is it, and what there is to tell of it. */
#ifndef LUA_API_HAPPENING_H
#define LUA_API_HAPPENING_H

#include <lua.h>

#include <stdbool.h>
#include <stdint.h>

#include "cluster/config.h"
#include "sim/sim.h"

struct happening_word; /* one of their names */

/* Which happenings are meant. Whatever is 0 (or "") is any. */
struct happening_filter {
  const struct happening_word *word;
  uint32_t node, from, to, peer, author;
  uint32_t sort;                       /* of a message */
  char file[SIM_HAPPENING_TEXT_BYTES]; /* how the name of the file begins */
  char why[40];
  bool failed; /* those with another result than SYNC_OK alone */
  uint64_t nth, count;
};

/* A happening, to be told later. */
struct happening_note {
  uint32_t node, count;
  uint32_t peer; /* the node that a peer's handle stood for when it happened; 0: none */
  uint64_t at_ns;
  uint64_t nth; /* of those that the filter lets through, from 1 */
  uint64_t fields[SIM_HAPPENING_FIELDS_MAX];
  char text[SIM_HAPPENING_TEXT_BYTES];
};

/* Reads the name at `name` of the stack, and the options at `options` (0: there are none). `noun` is how messages call
 * the call. Raises an error. */
void happening_read(lua_State *lua, int name, int options, const char *noun, struct happening_filter *filter);
/* Its bit of sim_on_happening(). */
uint32_t happening_bit(const struct happening_filter *filter);
/* Whether it is one that is meant, and if so, all of the note but its nth. */
bool happening_matches(struct cluster *cluster, const struct happening_filter *filter,
                       const struct sim_happening *happening, struct happening_note *note);
/* Pushes it as a table. */
void happening_push(lua_State *lua, const struct happening_filter *filter, const struct happening_note *note);

#endif
