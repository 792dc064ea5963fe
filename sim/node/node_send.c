/* Sending: each message gets the name by which the network's decisions know it. */
#include "sim/node/node.h"

#include <string.h>

/* Messages that say the same are told apart by how many the link has seen in one such
 * span of time: long beside a repeat, short beside a run, so that one message more or
 * fewer renames none behind its span. */
#define SPAN_SHIFT 30u /* 1.07 s */

#define SLOTS_MIN 32u

/* Every slot of an earlier span is free, and no message of it is looked for again. */
static struct node_sent *slot_of(struct node_sends *sends, uint64_t key) {
  uint32_t at = (uint32_t)(key >> 32) & (sends->capacity - 1);
  while (sends->slots[at].span == sends->span && sends->slots[at].key != key)
    at = (at + 1) & (sends->capacity - 1);
  return &sends->slots[at];
}

static void grow(struct ground *ground, struct node_sends *sends) {
  struct node_sends old = *sends;
  sends->capacity = old.capacity == 0 ? SLOTS_MIN : old.capacity * 2;
  sends->slots = ground_alloc(ground, sends->capacity * sizeof *sends->slots);
  GROUND_ASSERT(ground, sends->slots != NULL);
  memset(sends->slots, 0, sends->capacity * sizeof *sends->slots);
  for (uint32_t i = 0; i < old.capacity; i++)
    if (old.slots[i].span == old.span) *slot_of(sends, old.slots[i].key) = old.slots[i];
  if (old.capacity > 0) ground_free(ground, old.slots, old.capacity * sizeof *old.slots);
}

/* No two messages of a link have the same. */
static uint64_t identity_of(struct sim_node *node, uint32_t to, uint64_t name) {
  struct node_sends *sends = &node->sends;
  uint64_t key = sim_mix(name ^ (uint64_t)to << 40);
  uint32_t span = (uint32_t)(ground_now(node->ground) >> SPAN_SHIFT) + 1u; /* 0: never used */
  if (sends->span != span) {
    sends->span = span;
    sends->used = 0;
  }
  if (sends->used >= sends->capacity / 2) grow(node->ground, sends);
  struct node_sent *sent = slot_of(sends, key);
  if (sent->span != span) {
    *sent = (struct node_sent){.key = key, .span = span};
    sends->used++;
  }
  return sim_mix(key + span) + sent->count++;
}

void sim_send(struct sim_node *node, uint32_t to, const void *bytes, size_t size) {
  if (!node_call(node, node_call_change(SIM_CALL_SEND))) return;
  const struct sim_node_kind *kind = node->kind;
  struct parcel parcel = {.from = node->number, .to = to, .bytes = bytes, .size = size};
  if (size <= SIM_MESSAGE_BYTES_MAX) parcel.hash = sim_hash_bytes(bytes, size);
  uint64_t name = kind->identify != NULL ? kind->identify(node, node->config, bytes, size) : parcel.hash;
  parcel.identity = identity_of(node, to, name);
  if (network_has_rules(node->nodes->network) && kind->classify != NULL) parcel.kind = kind->classify(bytes, size);
  network_send(node->nodes->network, &parcel);
}
