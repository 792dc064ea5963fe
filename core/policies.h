/* Which policy a key has: that of the longest prefix of it that has one, else the engine's. */
#ifndef SYNC_CORE_POLICIES_H
#define SYNC_CORE_POLICIES_H

#include "core/base/base.h"
#include "core/sync.h"

struct policies {
  const struct sync_env *env;
  struct sync_policy all;    /* the engine's */
  struct memory_array table; /* struct policies_entry: few, so in no order */
};

void policies_init(struct policies *policies, const struct sync_env *env);
void policies_deinit(struct policies *policies);

/* SYNC_E_INVALID: a kind that does not exist, or a merge without a callback. */
int policies_check(const struct sync_policy *policy);
struct sync_policy policies_of(const struct policies *policies, const uint8_t *key, size_t key_size);
/* As sync_policy_set(). */
int policies_set(struct policies *policies, const uint8_t *prefix, size_t prefix_size,
                 const struct sync_policy *policy);
/* Whether some key may have that policy. */
bool policies_have(const struct policies *policies, enum sync_policy_kind kind);
/* ... one that makes the engine write. */
static inline bool policies_write(const struct policies *policies) {
  return policies_have(policies, SYNC_KEEP_LOCAL) || policies_have(policies, SYNC_KEEP_REMOTE);
}

#endif
