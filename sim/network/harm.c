#include "sim/network/harm.h"

#include <string.h>

#define EXTEND_BYTES_MAX 64u

static bool strikes(const struct harm *harm, uint32_t kind, enum sim_fault fault, uint32_t ppm) {
  if (ppm == 0 || harm->size == 0) return false;
  struct ground *ground = harm->links->ground;
  uint32_t fired = ground_chance(ground, sim_tag(kind, harm->where, harm->identity), ppm);
  ground_fault(ground, fault, fired);
  return fired != 0;
}

static struct sim_tag tag_of(const struct harm *harm, uint32_t kind) {
  return sim_tag(kind, harm->where, harm->identity);
}

static uint32_t truncated(const struct harm *harm) {
  if (!strikes(harm, SIM_CHOICE_NET_TRUNCATE, SIM_FAULT_NET_TRUNCATE, harm->config->truncate_ppm)) return harm->size;
  struct sim_tag tag = tag_of(harm, SIM_CHOICE_NET_TRUNCATE_SIZE);
  return harm->size - 1 - (uint32_t)ground_pick_ends(harm->links->ground, tag, harm->size);
}

static uint32_t extension(const struct harm *harm) {
  if (!strikes(harm, SIM_CHOICE_NET_EXTEND, SIM_FAULT_NET_EXTEND, harm->config->extend_ppm)) return 0;
  return 1 +
         (uint32_t)ground_pick_ends(harm->links->ground, tag_of(harm, SIM_CHOICE_NET_EXTEND_SIZE), EXTEND_BYTES_MAX);
}

/* What stands behind a message is what was in the buffer: bytes of the message itself, and zeros. */
static void extend(struct harm *harm, const uint8_t *bytes, uint32_t whole, uint32_t more) {
  for (uint32_t i = 0; i < more; i++)
    harm->bytes[harm->size + i] = whole > 0 && i % 2 == 0 ? bytes[i % whole] : 0;
  harm->size += more;
}

static bool spliced(const struct harm *harm) {
  const struct sim_link *link = harm->link;
  if (link == NULL || link->last == NULL) return false;
  if (!strikes(harm, SIM_CHOICE_NET_SPLICE, SIM_FAULT_NET_SPLICE, harm->config->splice_ppm)) return false;
  uint32_t least = link->last_size < harm->size ? link->last_size : harm->size;
  if (least == 0) return false;
  uint64_t at = 1 + ground_pick_ends(harm->links->ground, tag_of(harm, SIM_CHOICE_NET_SPLICE_AT), least);
  memcpy(harm->bytes, link->last, (size_t)at);
  return true;
}

static bool corrupted(const struct harm *harm) {
  if (!strikes(harm, SIM_CHOICE_NET_CORRUPT, SIM_FAULT_NET_CORRUPT, harm->config->corrupt_ppm)) return false;
  uint64_t bit = ground_pick(harm->links->ground, tag_of(harm, SIM_CHOICE_NET_CORRUPT_BIT), (uint64_t)harm->size * 8);
  harm->bytes[bit / 8] = (uint8_t)(harm->bytes[bit / 8] ^ (1u << (bit % 8)));
  return true;
}

static uint8_t *room_for(const struct harm *harm, uint32_t size) {
  uint8_t *bytes = ground_alloc(harm->links->ground, size);
  GROUND_ASSERT(harm->links->ground, bytes != NULL);
  return bytes;
}

void harm_none(struct harm *harm, const void *bytes, uint32_t size) {
  harm->bytes = room_for(harm, size);
  harm->size = size;
  if (size > 0) memcpy(harm->bytes, bytes, size);
}

void harm_copy(struct harm *harm, const void *bytes, uint32_t size) {
  harm->size = size;
  uint32_t kept = truncated(harm), more = extension(harm);
  harm->bytes = room_for(harm, kept + more);
  harm->size = kept;
  if (kept > 0) memcpy(harm->bytes, bytes, kept);
  if (spliced(harm)) harm->done = true;
  if (corrupted(harm)) harm->done = true;
  if (more > 0) extend(harm, bytes, size, more);
  harm->done = harm->done || kept != size || more > 0;
}

uint32_t harm_receiver(struct harm *harm, uint32_t from, uint32_t to) {
  uint32_t nodes = harm->links->node_count;
  if (nodes < 3 || from == to) return to;
  if (!strikes(harm, SIM_CHOICE_NET_MISDELIVER, SIM_FAULT_NET_MISDELIVER, harm->config->misdeliver_ppm)) return to;
  uint64_t place = ground_pick(harm->links->ground, tag_of(harm, SIM_CHOICE_NET_MISDELIVER_WHERE), nodes - 2);
  for (uint32_t node = 1; node <= nodes; node++) {
    if (node == from || node == to) continue;
    if (place-- > 0) continue;
    harm->done = true;
    return node;
  }
  return to;
}

void harm_remember(const struct links *links, struct sim_link *link, const void *bytes, uint32_t size) {
  if (link->last != NULL) ground_free(links->ground, link->last, link->last_size);
  link->last = ground_alloc(links->ground, size);
  link->last_size = size;
  GROUND_ASSERT(links->ground, link->last != NULL);
  if (size > 0) memcpy(link->last, bytes, size);
}
