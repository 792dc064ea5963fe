#include "core/policies.h"

#define POLICIES_NOMINAL_BYTES 64u

struct policies_entry {
  uint8_t *prefix;
  size_t prefix_size;
  struct sync_policy policy;
};

void policies_init(struct policies *policies, const struct sync_env *env) {
  *policies = (struct policies){.env = env};
}

static struct policies_entry *entry_at(const struct policies *policies, size_t place) {
  return (struct policies_entry *)policies->table.items + place;
}

void policies_deinit(struct policies *policies) {
  for (size_t i = 0; i < policies->table.count; i++)
    memory_free_bytes(policies->env, entry_at(policies, i)->prefix, entry_at(policies, i)->prefix_size);
  memory_array_free(policies->env, &policies->table, sizeof(struct policies_entry), POLICIES_NOMINAL_BYTES);
}

int policies_check(const struct sync_policy *policy) {
  switch (policy->kind) {
  case SYNC_LAST_WRITE_WINS:
  case SYNC_KEEP_LOCAL:
  case SYNC_KEEP_REMOTE:
  case SYNC_MANUAL:
    return SYNC_OK;
  case SYNC_MERGE:
    return policy->merge == NULL ? SYNC_E_INVALID : SYNC_OK;
  }
  return SYNC_E_INVALID;
}

struct sync_policy policies_of(const struct policies *policies, const uint8_t *key, size_t key_size) {
  const struct policies_entry *longest = NULL;
  for (size_t i = 0; i < policies->table.count; i++) {
    const struct policies_entry *entry = entry_at(policies, i);
    if (entry->prefix_size > key_size || memcmp(entry->prefix, key, entry->prefix_size) != 0) continue;
    if (longest == NULL || entry->prefix_size > longest->prefix_size) longest = entry;
  }
  return longest == NULL ? policies->all : longest->policy;
}

static int policies_add(struct policies *policies, const uint8_t *prefix, size_t prefix_size,
                        const struct sync_policy *policy) {
  int rc = memory_array_reserve(policies->env, &policies->table, sizeof(struct policies_entry), POLICIES_NOMINAL_BYTES,
                                policies->table.count + 1, SYNC_PREFIX_POLICIES_MAX);
  if (rc != SYNC_OK) return rc;
  uint8_t *copy = memory_alloc_bytes(policies->env, prefix_size);
  if (copy == NULL) return SYNC_E_NO_MEMORY;
  memcpy(copy, prefix, prefix_size);
  *entry_at(policies, policies->table.count++) =
      (struct policies_entry){.prefix = copy, .prefix_size = prefix_size, .policy = *policy};
  return SYNC_OK;
}

static void policies_remove(struct policies *policies, struct policies_entry *entry) {
  memory_free_bytes(policies->env, entry->prefix, entry->prefix_size);
  *entry = *entry_at(policies, --policies->table.count);
}

int policies_set(struct policies *policies, const uint8_t *prefix, size_t prefix_size,
                 const struct sync_policy *policy) {
  if (prefix == NULL && prefix_size > 0) return SYNC_E_INVALID;
  if (prefix_size > SYNC_KEY_BYTES_MAX) return SYNC_E_TOO_BIG;
  int rc = policy == NULL ? SYNC_OK : policies_check(policy);
  if (rc != SYNC_OK) return rc;
  if (prefix_size == 0) {
    const struct sync_policy none = {.kind = SYNC_LAST_WRITE_WINS};
    policies->all = policy == NULL ? none : *policy;
    return SYNC_OK;
  }
  for (size_t i = 0; i < policies->table.count; i++) {
    struct policies_entry *entry = entry_at(policies, i);
    if (entry->prefix_size != prefix_size || memcmp(entry->prefix, prefix, prefix_size) != 0) continue;
    if (policy == NULL)
      policies_remove(policies, entry);
    else
      entry->policy = *policy;
    return SYNC_OK;
  }
  return policy == NULL ? SYNC_OK : policies_add(policies, prefix, prefix_size, policy);
}

bool policies_have(const struct policies *policies, enum sync_policy_kind kind) {
  if (policies->all.kind == kind) return true;
  for (size_t i = 0; i < policies->table.count; i++)
    if (entry_at(policies, i)->policy.kind == kind) return true;
  return false;
}
