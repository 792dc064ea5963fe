#include "cluster/policies.h"

#include <string.h>

#include "cluster/merges.h"

const char *const cluster_policy_words[CLUSTER_POLICY_COUNT + 1u] = {
    "last_write_wins", "keep_local", "keep_remote", "manual", "merge_union", "merge_longest", "merge_greatest", NULL,
};

static int compare(const struct cluster_prefix *a, const char *prefix, size_t size) {
  size_t shorter = a->size < size ? a->size : size;
  int order = memcmp(a->text, prefix, shorter);
  if (order) return order;
  return a->size < size ? -1 : a->size > size;
}

bool policies_put(struct cluster_policies *policies, const char *prefix, size_t size, enum cluster_policy policy) {
  if (size == 0) {
    policies->all = (uint8_t)policy;
    return true;
  }
  if (size > CLUSTER_PREFIX_BYTES_MAX) return false;
  uint32_t place = 0; /* in order, whatever the order in which they come */
  while (place < policies->count && compare(&policies->at[place], prefix, size) < 0)
    place++;
  struct cluster_prefix *at = &policies->at[place];
  if (place == policies->count || compare(at, prefix, size) != 0) {
    if (policies->count == CLUSTER_PREFIXES_MAX) return false;
    memmove(at + 1, at, (policies->count - place) * sizeof *at);
    policies->count++;
    memcpy(at->text, prefix, size);
    at->size = (uint8_t)size;
  }
  at->policy = (uint8_t)policy;
  return true;
}

enum cluster_policy policies_find(const struct cluster_policies *policies, const void *key, size_t size) {
  /* In order a prefix comes before what it begins: so the last that fits is the longest. */
  for (uint32_t place = policies->count; place > 0; place--) {
    const struct cluster_prefix *at = &policies->at[place - 1u];
    if (at->size <= size && memcmp(at->text, key, at->size) == 0) return (enum cluster_policy)at->policy;
  }
  return (enum cluster_policy)policies->all;
}

enum sync_policy_kind policies_kind(enum cluster_policy policy) {
  return policy < CLUSTER_MERGE_UNION ? (enum sync_policy_kind)policy : SYNC_MERGE;
}

struct sync_policy policies_given(const struct cluster_own_merges *own, enum cluster_policy policy) {
  if (policy >= CLUSTER_MERGE_OWN)
    return (struct sync_policy){
        .kind = SYNC_MERGE, .merge = own->call, .merge_arg = own->args[policy - CLUSTER_MERGE_OWN]};
  return (struct sync_policy){.kind = policies_kind(policy), .merge = cluster_merge(policy)};
}

void policies_options(const struct cluster_policies *policies, const struct cluster_own_merges *own,
                      struct sync_options *options, struct sync_prefix_policy room[CLUSTER_PREFIXES_MAX]) {
  options->conflict_policy = policies_given(own, (enum cluster_policy)policies->all);
  for (uint32_t i = 0; i < policies->count; i++)
    room[i] = (struct sync_prefix_policy){.prefix = policies->at[i].text,
                                          .prefix_size = policies->at[i].size,
                                          .policy = policies_given(own, (enum cluster_policy)policies->at[i].policy)};
  options->prefix_policies = room;
  options->prefix_policy_count = policies->count;
}
