#include "lua/api/link_set.h"

void link_set_add(struct link_set *links, uint32_t from, uint32_t to) {
  links->names[links->count].from = from;
  links->names[links->count].to = to;
  links->count++;
}

void link_set_add_both(struct link_set *links, uint32_t a, uint32_t b) {
  link_set_add(links, a, b);
  link_set_add(links, b, a);
}
