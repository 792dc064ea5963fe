/* What becomes of the bytes of a message on its way. Nothing is drawn for what the
 * settings have at 0. */
#ifndef SIM_HARM_H
#define SIM_HARM_H

#include "sim/network/link.h"

/* Of one copy: where decisions about it are made, and what it is now. */
struct harm {
  struct links *links;
  const struct sim_link_config *config;
  struct sim_link *link; /* NULL: nothing is remembered of it */
  uint32_t where;        /* sim_tag_link */
  uint64_t identity;
  uint8_t *bytes; /* `size` of them, from the ground */
  uint32_t size;
  bool done; /* to it */
};

/* Makes the copy of a message and harms it, as chance has it. */
void harm_copy(struct harm *harm, const void *bytes, uint32_t size);
/* The copy alone. */
void harm_none(struct harm *harm, const void *bytes, uint32_t size);
/* The node that it comes to: `to`, or a third one. */
uint32_t harm_receiver(struct harm *harm, uint32_t from, uint32_t to);
/* The message becomes the one that a later message may begin like. */
void harm_remember(const struct links *links, struct sim_link *link, const void *bytes, uint32_t size);

#endif
