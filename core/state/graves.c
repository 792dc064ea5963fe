#include "core/state/graves.h"

/* --- Lists ------------------------------------------------------------------------- */

static void graves_append(struct store_sibling **first, struct store_sibling **last, struct store_sibling *tombstone) {
  struct grave *grave = grave_of(tombstone);
  grave->before = *last;
  grave->after = NULL;
  if (*last != NULL)
    grave_of(*last)->after = tombstone;
  else
    *first = tombstone;
  *last = tombstone;
}

static void graves_unlink(struct store_sibling **first, struct store_sibling **last,
                          const struct store_sibling *tombstone) {
  const struct grave *grave = grave_of(tombstone);
  if (grave->before != NULL)
    grave_of(grave->before)->after = grave->after;
  else
    *first = grave->after;
  if (grave->after != NULL)
    grave_of(grave->after)->before = grave->before;
  else
    *last = grave->before;
}

static void graves_enlist(struct graves *graves, struct origin *origin) {
  origin->graves.before = NULL;
  origin->graves.after = graves->first;
  if (graves->first != NULL) graves->first->graves.before = origin;
  graves->first = origin;
}

static void graves_delist(struct graves *graves, const struct origin *origin) {
  struct origin *before = origin->graves.before, *after = origin->graves.after;
  if (after != NULL) after->graves.before = before;
  if (before != NULL)
    before->graves.after = after;
  else
    graves->first = after;
}

static void graves_take(struct graves *graves, const struct store_sibling *tombstone) {
  if (tombstone->contested) {
    graves_unlink(&graves->contested_first, &graves->contested_last, tombstone);
    return;
  }
  struct origin_graves *list = &tombstone->origin->graves;
  graves_unlink(&list->first, &list->last, tombstone);
  if (list->first != NULL) return;
  graves_delist(graves, tombstone->origin);
  list->unsorted = false;
}

/* --- Tombstones come and go ---------------------------------------------------------- */

void graves_add(struct graves *graves, struct store_sibling *tombstone, struct store_key *key) {
  struct origin_graves *list = &tombstone->origin->graves;
  grave_of(tombstone)->key = key;
  tombstone->contested = false;
  if (list->first == NULL)
    graves_enlist(graves, tombstone->origin);
  else if (list->last->seq > tombstone->seq)
    list->unsorted = true; /* a snapshot has them in the order of keys */
  graves_append(&list->first, &list->last, tombstone);
  graves->count++;
  graves->added++;
}

void graves_remove(struct graves *graves, struct store_sibling *tombstone) {
  graves_take(graves, tombstone);
  graves->count--;
}

void graves_contest(struct graves *graves, struct store_sibling *tombstone) {
  graves_take(graves, tombstone);
  tombstone->contested = true;
  graves_append(&graves->contested_first, &graves->contested_last, tombstone);
}

bool graves_only(const struct store_key *key) {
  for (const struct store_sibling *s = key->siblings; s != NULL; s = s->next)
    if (!s->tombstone) return false;
  return true;
}

/* --- In order -------------------------------------------------------------------------- */

/* Merges two chains that lead through `after` and are in order. */
static struct store_sibling *graves_merge(struct store_sibling *a, struct store_sibling *b) {
  struct store_sibling *merged = NULL, **end = &merged;
  while (a != NULL && b != NULL) {
    struct store_sibling **lower = a->seq <= b->seq ? &a : &b;
    *end = *lower;
    end = &grave_of(*lower)->after;
    *lower = *end;
  }
  *end = a != NULL ? a : b;
  return merged;
}

/* Chains of 1, 2, 4, ... that are in order, as a binary counter has them. */
static void graves_sort(struct origin_graves *list) {
  struct store_sibling *chains[64] = {NULL};
  size_t highest = 0;
  struct store_sibling *next = list->first;
  while (next != NULL) {
    struct store_sibling *carried = next;
    next = grave_of(carried)->after;
    grave_of(carried)->after = NULL;
    size_t i = 0;
    for (; chains[i] != NULL; i++) {
      carried = graves_merge(chains[i], carried);
      chains[i] = NULL;
    }
    chains[i] = carried;
    if (i > highest) highest = i;
  }
  struct store_sibling *all = NULL;
  for (size_t i = 0; i <= highest; i++)
    all = graves_merge(chains[i], all);
  list->first = list->last = NULL;
  while (all != NULL) {
    struct store_sibling *tombstone = all;
    all = grave_of(all)->after;
    graves_append(&list->first, &list->last, tombstone);
  }
  list->unsorted = false;
}

struct store_sibling *graves_of(struct origin *origin) {
  if (origin->graves.unsorted) graves_sort(&origin->graves);
  return origin->graves.first;
}
