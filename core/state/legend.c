#include "core/state/legend.h"

void legend_init(struct legend *legend, const struct sync_env *env) {
  memset(legend, 0, sizeof *legend);
  legend->env = env;
}

void legend_deinit(struct legend *legend) {
  memory_array_free(legend->env, &legend->entries, sizeof(struct legend_entry), LEGEND_ENTRY_NOMINAL_BYTES);
}

static struct legend_entry *legend_at(const struct legend *legend, size_t place) {
  return (struct legend_entry *)legend->entries.items + place;
}

static int legend_add(struct legend *legend, const struct operation_origin *origin, uint32_t index) {
  int rc = memory_array_reserve(legend->env, &legend->entries, sizeof(struct legend_entry), LEGEND_ENTRY_NOMINAL_BYTES,
                                legend->entries.count + 1, UINT32_MAX);
  if (rc != SYNC_OK) return rc;
  *legend_at(legend, legend->entries.count++) = (struct legend_entry){.origin = *origin, .index = index};
  return SYNC_OK;
}

int legend_begin(struct legend *legend, const struct ops *ops) {
  struct bytes_reader reader = ops->origins;
  struct operation_origin origin = {0};
  uint32_t index;
  int rc = SYNC_OK;
  legend->entries.count = 0;
  while (rc == SYNC_OK && ops_next_origin(&reader, &origin, &index))
    rc = legend_add(legend, &origin, index);
  return rc;
}

int legend_add_first(struct legend *legend, const struct operation_view *view) {
  return view->seq == 1 ? legend_add(legend, &view->own, view->origin) : SYNC_OK;
}

static void legend_sift(struct legend *legend, size_t root, size_t count) {
  struct legend_entry moving = *legend_at(legend, root);
  for (;;) {
    size_t child = 2 * root + 1;
    if (child >= count) break;
    if (child + 1 < count && legend_at(legend, child)->index < legend_at(legend, child + 1)->index) child++;
    if (moving.index >= legend_at(legend, child)->index) break;
    *legend_at(legend, root) = *legend_at(legend, child);
    root = child;
  }
  *legend_at(legend, root) = moving;
}

int legend_sort(struct legend *legend) {
  size_t count = legend->entries.count;
  size_t ordered = 1;
  while (ordered < count && legend_at(legend, ordered - 1)->index < legend_at(legend, ordered)->index)
    ordered++;
  if (ordered >= count) return SYNC_OK;
  for (size_t i = count / 2; i-- > 0;)
    legend_sift(legend, i, count);
  for (size_t end = count; end-- > 1;) {
    struct legend_entry last = *legend_at(legend, end);
    *legend_at(legend, end) = *legend_at(legend, 0);
    *legend_at(legend, 0) = last;
    legend_sift(legend, 0, end);
  }
  for (size_t i = 1; i < count; i++)
    if (legend_at(legend, i - 1)->index == legend_at(legend, i)->index) return SYNC_E_CORRUPT;
  return SYNC_OK;
}

const struct legend_entry *legend_find(const struct legend *legend, uint32_t index) {
  size_t low = 0, high = legend->entries.count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (legend_at(legend, middle)->index < index)
      low = middle + 1;
    else
      high = middle;
  }
  bool found = low < legend->entries.count && legend_at(legend, low)->index == index;
  return found ? legend_at(legend, low) : NULL;
}

bool legend_covers(const struct legend *legend, const struct operation_view *view) {
  struct operation_mentions walk = operation_mentions_of(view);
  struct operation_mention mention;
  while (operation_next_mention(&walk, &mention))
    if (legend_find(legend, mention.index) == NULL) return false;
  return true;
}

/* The index here of what the sender's stands for; false: it is not there. */
static bool legend_index(const struct legend *legend, const struct origins *origins, const struct operation_view *view,
                         uint32_t index, uint32_t *here) {
  const struct legend_entry *entry = legend_find(legend, index);
  if (entry == NULL) return false;
  const struct origin *origin =
      origins_find(origins, entry->origin.node_id, entry->origin.node_id_size, entry->origin.incarnation);
  *here = origin != NULL ? origin->index : (uint32_t)origins_count(origins);
  return origin != NULL || (index == view->origin && view->seq == 1);
}

int legend_translate(const struct legend *legend, const struct origins *origins, const struct operation_view *view,
                     size_t bytes_max, struct memory_array *bytes) {
  struct operation_mentions walk = operation_mentions_of(view);
  struct operation_mention mention;
  const uint8_t *from = view->bytes, *end = view->bytes + view->size;
  bytes->count = 0;
  do {
    bool more = operation_next_mention(&walk, &mention);
    uint32_t here = 0;
    if (more && !legend_index(legend, origins, view, mention.index, &here)) return SYNC_E_NOT_FOUND;
    size_t between = (size_t)((more ? mention.at : end) - from);
    size_t wanted = bytes->count + between + OPERATION_INDEX_BYTES_MAX;
    int rc = memory_array_reserve(legend->env, bytes, 1, 1, wanted, bytes_max + OPERATION_INDEX_BYTES_MAX);
    if (rc != SYNC_OK) return rc == SYNC_E_TOO_MANY ? SYNC_E_TOO_BIG : rc;
    uint8_t *to = (uint8_t *)bytes->items + bytes->count;
    memcpy(to, from, between);
    bytes->count += between;
    if (!more) break;
    bytes->count += bytes_put_varint(to + between, here);
    from = mention.at + mention.size;
  } while (true);
  return SYNC_OK;
}
