#include "cluster/own_content.h"

#include "cluster/conflicts.h"
#include "cluster/lie.h"
#include "cluster/replica_state.h"
#include "cluster/state.h"

struct own_reading {
  struct cluster *cluster;
  const struct replica *replica; /* of its author, as it was when it wrote */
  uint32_t node, operation;
  const struct decode_operation *decoded;
};

static bool lie(const struct own_reading *reading, const char *property, const char *what) {
  cluster_lie(reading->cluster, reading->node, reading->operation, property, what);
  return false;
}

/* The number of the sibling with that dot that its author had; 0: it had none. */
static uint32_t sibling_at(const struct own_reading *reading, uint32_t slot, struct decode_dot dot) {
  const struct ledger *ledger = &reading->cluster->ledger;
  const struct replica *replica = reading->replica;
  uint32_t life = LEDGER_NONE;
  if (dot.index == reading->decoded->id.index)
    life = ledger->operations[reading->operation].life;
  else if (dot.index < replica->named_count)
    life = replica->named_lives[dot.index];
  for (uint32_t place = replica_first(replica, slot); place; place = replica->siblings[place - 1u].next) {
    uint32_t number = replica->siblings[place - 1u].number;
    const struct ledger_operation *operation = &ledger->operations[ledger->changes[number - 1u].operation];
    if (operation->life == life && operation->seq == dot.seq) return number;
  }
  return 0;
}

/* A sweep says what it sees. */
static bool read_swept(const struct own_reading *reading, uint32_t slot, struct decode_change decoded) {
  struct ledger *ledger = &reading->cluster->ledger;
  const struct replica *replica = reading->replica;
  for (uint32_t place = replica_first(replica, slot); place; place = replica->siblings[place - 1u].next)
    if (ledger->changes[replica->siblings[place - 1u].number - 1u].kind != SYNC_DELETE)
      return lie(reading, CLUSTER_SWEEPS, "sweeps a delete that has a value beside it, which comes to light");
  if (decoded.seen_count == 0) return lie(reading, CLUSTER_PHANTOM, "sweeps nothing");
  for (uint64_t i = 0; i < decoded.seen_count; i++) {
    uint32_t number = sibling_at(reading, slot, decode_seen_next(&decoded));
    if (!number) return lie(reading, CLUSTER_PHANTOM, "sweeps what its writer did not have of the key");
    if (ledger->changes[number - 1u].kind != SYNC_DELETE)
      return lie(reading, CLUSTER_PHANTOM, "sweeps a value, which no delete had replaced");
    ledger_seen_add(ledger, number);
  }
  return true;
}

/* Whether it is the resolution that is due, by the policy that its author had then. */
static bool is_due(const struct own_reading *reading, uint32_t slot, const struct decode_change *decoded) {
  const struct ledger *ledger = &reading->cluster->ledger;
  if (ledger->operations[reading->operation].time_ns < reading->cluster->nodes[reading->node].policies_ns) return true;
  uint32_t due = conflicts_due(reading->cluster, reading->node, slot);
  if (!due)
    return lie(reading, CLUSTER_POLICIES,
               "was written by the engine to a key that is in no conflict, or in one that is settled or not its "
               "writer's, or that has no policy that keeps one");
  const struct ledger_change *change = &ledger->changes[due - 1u];
  if (change->kind == decoded->kind &&
      (change->kind != SYNC_PUT || ledger_value_is(ledger, due, decoded->value, (size_t)decoded->value_size)))
    return true;
  return lie(reading, CLUSTER_POLICIES, "was written by the engine, and keeps another value than the policy does");
}

/* A resolution sees all there is, and puts what is there. */
static bool read_resolved(const struct own_reading *reading, uint32_t slot, const struct decode_change *decoded) {
  struct ledger *ledger = &reading->cluster->ledger;
  const struct replica *replica = reading->replica;
  bool found = decoded->kind != SYNC_PUT;
  if (!is_due(reading, slot, decoded)) return false;
  for (uint32_t place = replica_first(replica, slot); place; place = replica->siblings[place - 1u].next) {
    uint32_t number = replica->siblings[place - 1u].number;
    const struct ledger_change *sibling = &ledger->changes[number - 1u];
    ledger_seen_add(ledger, number);
    if (found || sibling->kind != SYNC_PUT) continue;
    found = ledger_value_is(ledger, number, decoded->value, (size_t)decoded->value_size);
    if (found) ledger_value_repeat(ledger, number);
  }
  return found ||
         lie(reading, CLUSTER_PHANTOM, "was written by the engine, and puts a value that its key did not have");
}

static bool read_change(const struct own_reading *reading, const struct decode_change *decoded) {
  struct ledger *ledger = &reading->cluster->ledger;
  uint32_t slot = keys_find(&ledger->keys, decoded->key, (size_t)decoded->key_size);
  if (slot == KEYS_NONE)
    return lie(reading, CLUSTER_PHANTOM, "was written by the engine to a key that nobody wrote to");
  bool sweep = decoded->kind == SYNC_SWEEP;
  if (sweep == decoded->automatic)
    return lie(reading, CLUSTER_PHANTOM, "was written by the engine, and is neither a sweep nor flagged automatic");
  uint32_t number =
      ledger_change_add(ledger, (enum sync_change_kind)decoded->kind, ledger->keys.entries[slot].number, slot);
  ledger->changes[number - 1u].automatic = decoded->automatic;
  return sweep ? read_swept(reading, slot, *decoded) : read_resolved(reading, slot, decoded);
}

bool own_content_read(struct cluster *cluster, uint32_t node, uint32_t operation,
                      const struct decode_operation *decoded) {
  struct ledger *ledger = &cluster->ledger;
  struct own_reading reading = {cluster, &cluster->nodes[node].replica, node, operation, decoded};
  if (ledger->lives[ledger->operations[operation].life].node != node)
    return lie(&reading, CLUSTER_PHANTOM, "its author wrote by itself and has in no log");
  struct decode_reader reader = decoded->changes;
  ledger->operations[operation].own = LEDGER_OWN_READ;
  ledger_describe(ledger, operation);
  for (uint64_t i = 0; i < decoded->change_count; i++) {
    struct decode_change change;
    if (!decode_change_next(decoded, &reader, &change))
      return lie(&reading, CLUSTER_PHANTOM, "cannot be read as the format says");
    if (!read_change(&reading, &change)) return false;
  }
  return true;
}
