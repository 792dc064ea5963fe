#include "sim/network/account.h"

#include <string.h>

void account_begin(struct account *account, struct ground *ground, uint32_t nodes) {
  if (account->links != NULL || nodes == 0) return;
  size_t size = (size_t)nodes * nodes * sizeof *account->links;
  account->links = ground_alloc(ground, size);
  GROUND_ASSERT(ground, account->links != NULL);
  memset(account->links, 0, size);
  account->nodes = nodes;
}

static struct account_link *find(const struct account *account, uint32_t from, uint32_t to) {
  if (from < 1 || to < 1 || from > account->nodes || to > account->nodes) return NULL;
  return &account->links[(size_t)(from - 1) * account->nodes + (to - 1)];
}

struct account_link account_of(const struct account *account, uint32_t from, uint32_t to) {
  const struct account_link *link = find(account, from, to);
  return link != NULL ? *link : (struct account_link){0};
}

void account_harmed(const struct account *account, uint32_t from, uint32_t to) {
  struct account_link *link = find(account, from, to);
  if (link != NULL) link->harmed++;
}

void account_sent(const struct account *account, uint32_t from, uint32_t to, uint64_t way_ns) {
  struct account_link *link = find(account, from, to);
  if (link != NULL && way_ns > link->slowest_ns) link->slowest_ns = way_ns;
}
