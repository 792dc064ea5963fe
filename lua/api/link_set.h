/* Sets of directed links, as a script names them. */
#ifndef LUA_API_LINK_SET_H
#define LUA_API_LINK_SET_H

#include <stdint.h>

#include "sim/sim.h"

#define SCRIPT_GROUP_MAX 64u
#define SCRIPT_LINKS_MAX (SCRIPT_GROUP_MAX * SCRIPT_GROUP_MAX)

/* A set of directed links. */
struct link_set {
  uint32_t count;
  struct sim_link_name names[SCRIPT_LINKS_MAX];
};
void link_set_add(struct link_set *links, uint32_t from, uint32_t to);
void link_set_add_both(struct link_set *links, uint32_t a, uint32_t b);

#endif
