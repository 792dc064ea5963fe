#include "search/signature.h"

#include <stdlib.h>
#include <string.h>

static struct signature *find(struct signatures *signatures, uint32_t scenario, const struct outcome *outcome) {
  for (size_t i = 0; i < signatures->count; i++) {
    struct signature *item = &signatures->items[i];
    if (item->scenario == scenario && item->verdict == outcome->verdict &&
        strcmp(item->property, outcome->property) == 0) {
      return item;
    }
  }
  struct signature *items = realloc(signatures->items, (signatures->count + 1) * sizeof *items);
  if (items == NULL) return NULL;
  signatures->items = items;
  struct signature *item = &items[signatures->count];
  memset(item, 0, sizeof *item);
  item->kept = calloc(SIGNATURE_KEPT, sizeof *item->kept);
  if (item->kept == NULL) return NULL;
  item->scenario = scenario;
  item->verdict = outcome->verdict;
  memcpy(item->property, outcome->property, sizeof item->property);
  signatures->count++;
  return item;
}

size_t signatures_add(struct signatures *signatures, uint32_t scenario, size_t row, const struct outcome *outcome) {
  struct signature *item = find(signatures, scenario, outcome);
  if (item == NULL) return SIZE_MAX;
  const size_t index = (size_t)(item - signatures->items);
  if (item->kept_count == SIGNATURE_KEPT) {
    if (item->kept[SIGNATURE_KEPT - 1].row < row) return index;
    item->kept_count--;
  }
  size_t at = item->kept_count;
  while (at > 0 && item->kept[at - 1].row > row) {
    item->kept[at] = item->kept[at - 1];
    at--;
  }
  item->kept[at].row = row;
  item->kept[at].outcome = *outcome;
  item->kept_count++;
  return index;
}

void signatures_free(struct signatures *signatures) {
  for (size_t i = 0; i < signatures->count; i++) {
    free(signatures->items[i].kept);
  }
  free(signatures->items);
  signatures->items = NULL;
  signatures->count = 0;
}
