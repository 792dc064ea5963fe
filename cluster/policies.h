/* Which policies the nodes of a cluster have: what their engines are given, and what the oracles go by. */
#ifndef CLUSTER_POLICIES_H
#define CLUSTER_POLICIES_H

#include <stddef.h>

#include "cluster/config.h"

/* Words of scenarios, by enum cluster_policy; ends in NULL. */
extern const char *const cluster_policy_words[CLUSTER_POLICY_COUNT + 1u];

/* Sets the policy of a prefix, of all keys when it is empty. false: it is too long, or there are too many. */
bool policies_put(struct cluster_policies *policies, const char *prefix, size_t size, enum cluster_policy policy);
/* The reference: the longest prefix of the key that has one, else that of all. */
enum cluster_policy policies_find(const struct cluster_policies *policies, const void *key, size_t size);
enum sync_policy_kind policies_kind(enum cluster_policy policy);
/* As an engine takes it; `own` are the scenario's merges. */
struct sync_policy policies_given(const struct cluster_own_merges *own, enum cluster_policy policy);
/* As options of an engine; the prefixes are in `room`, and stay the caller's. */
void policies_options(const struct cluster_policies *policies, const struct cluster_own_merges *own,
                      struct sync_options *options, struct sync_prefix_policy room[CLUSTER_PREFIXES_MAX]);

#endif
