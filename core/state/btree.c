#include "core/state/btree.h"

/* --- Nodes ------------------------------------------------------------------------ */

static size_t node_bytes(uint8_t level) {
  return sizeof(struct btree_node) + (level > 0 ? BTREE_WIDTH * sizeof(struct btree_node *) : 0);
}
static size_t node_nominal(uint8_t level) {
  return level > 0 ? BTREE_INNER_NOMINAL_BYTES : BTREE_LEAF_NOMINAL_BYTES;
}

static struct btree_node *node_new(const struct btree *tree, uint8_t level) {
  struct btree_node *node = memory_alloc(tree->env, node_bytes(level), node_nominal(level));
  if (node == NULL) return NULL;
  node->before = NULL;
  node->after = NULL;
  node->count = 0;
  node->skip = 0;
  node->level = level;
  return node;
}
static void node_free(const struct btree *tree, struct btree_node *node) {
  uint8_t level = node->level;
  memory_free(tree->env, node, node_bytes(level), node_nominal(level));
}

static void node_chain(struct btree_node *node, struct btree_node *after) {
  after->before = node;
  after->after = node->after;
  if (node->after != NULL) node->after->before = after;
  node->after = after;
}
static void node_unchain(struct btree_node *node) {
  if (node->before != NULL) node->before->after = node->after;
  if (node->after != NULL) node->after->before = node->before;
}

/* Whether the given bytes begin with what all keys of the node share. */
static bool node_shares(const struct btree_node *node, const uint8_t *bytes, size_t size) {
  size_t skip = node->skip;
  if (size < skip) return false;
  if (skip <= BTREE_PREFIX_BYTES) return skip == 0 || memcmp(node->prefix, bytes, skip) == 0;
  return memcmp(node->key[0]->bytes, bytes, skip) == 0;
}

/* How many bytes of that they begin with. The node has keys. */
static size_t node_common(const struct btree_node *node, const uint8_t *bytes, size_t size) {
  return node_shares(node, bytes, size) ? node->skip : key_common(node->key[0]->bytes, node->skip, bytes, size);
}

/* Says anew what the keys share, at most what they do: `key` is one of them. */
static void node_skip(struct btree_node *node, const struct store_key *key, size_t skip) {
  node->skip = (uint16_t)skip;
  memcpy(node->prefix, key->bytes, skip < BTREE_PREFIX_BYTES ? skip : BTREE_PREFIX_BYTES);
}

/* Lets the words begin earlier. What they lose at their ends comes in front
 * from what the keys shared, so that no key but the first is looked at. */
static void node_widen(struct btree_node *node, size_t skip) {
  if (skip == node->skip) return;
  size_t moved = node->skip - skip;
  uint64_t shared = key_word(node->key[0]->bytes, node->skip, skip);
  for (size_t i = 0; i < node->count; i++)
    node->word[i] = moved < 8 ? shared | node->word[i] >> (8 * moved) : shared;
  node->skip = (uint16_t)skip;
}

/* Lets the words begin later, once half of each says the same. */
static void node_narrow(struct btree_node *node) {
  size_t last = node->count - 1u;
  if ((node->word[0] ^ node->word[last]) >> 32 != 0) return;
  const struct store_key *low = node->key[0];
  const struct store_key *high = node->key[last];
  node_skip(node, low, key_common(low->bytes, low->size, high->bytes, high->size));
  for (size_t i = 0; i < node->count; i++)
    node->word[i] = key_word(node->key[i]->bytes, node->key[i]->size, node->skip);
}

static void node_set(struct btree_node *node, size_t at, struct store_key *key) {
  node_widen(node, node_common(node, key->bytes, key->size));
  node->word[at] = key_word(key->bytes, key->size, node->skip);
  node->key[at] = key;
}

/* Into a node with room. One key shares all of itself: so what they share is exact until the node is divided. */
static void node_insert(struct btree_node *node, size_t at, struct store_key *key, struct btree_node *child) {
  if (node->count == 0)
    node_skip(node, key, key->size);
  else
    node_widen(node, node_common(node, key->bytes, key->size));
  size_t behind = node->count - at;
  memmove(&node->word[at + 1], &node->word[at], behind * sizeof node->word[0]);
  memmove(&node->key[at + 1], &node->key[at], behind * sizeof(struct store_key *));
  node->word[at] = key_word(key->bytes, key->size, node->skip);
  node->key[at] = key;
  node->count++;
  if (node->level == 0) return;
  memmove(&node->child[at + 1], &node->child[at], behind * sizeof(struct btree_node *));
  node->child[at] = child;
}

static void node_delete(struct btree_node *node, size_t at) {
  node->count--;
  size_t behind = node->count - at;
  memmove(&node->word[at], &node->word[at + 1], behind * sizeof node->word[0]);
  memmove(&node->key[at], &node->key[at + 1], behind * sizeof(struct store_key *));
  if (node->level > 0) memmove(&node->child[at], &node->child[at + 1], behind * sizeof(struct btree_node *));
}

/* Copies what `from` has from `begin` on to the end of `to`, which has the same words. */
static void node_append(struct btree_node *to, const struct btree_node *from, size_t begin) {
  size_t count = from->count - begin;
  memcpy(&to->word[to->count], &from->word[begin], count * sizeof to->word[0]);
  memcpy(&to->key[to->count], &from->key[begin], count * sizeof(struct store_key *));
  if (to->level > 0) memcpy(&to->child[to->count], &from->child[begin], count * sizeof(struct btree_node *));
  to->count = (uint16_t)(to->count + count);
}

/* --- Search ----------------------------------------------------------------------- */

/* A walk waits for memory at each node: once, for all of it is fetched together. */
static inline void node_fetch(const struct btree_node *node) {
  for (size_t line = 0; line < sizeof *node; line += 64)
    memory_fetch((const uint8_t *)node + line);
}

/* How many words are below the given one; without branches, which nobody could foretell. */
static size_t node_words_below(const struct btree_node *node, uint64_t word) {
  const uint64_t *from = node->word;
  size_t count = node->count;
  while (count > 1) {
    size_t half = count / 2;
    from += from[half - 1] < word ? half : 0;
    count -= half;
  }
  return (size_t)(from - node->word) + (count == 1 && *from < word ? 1 : 0);
}

/* How many keys of the node are below the given one, and whether the next is it. */
static size_t node_search(const struct btree_node *node, const uint8_t *bytes, size_t size, bool *equal) {
  *equal = false;
  if (!node_shares(node, bytes, size)) return key_compare(node->key[0], bytes, size) < 0 ? node->count : 0;
  uint64_t word = key_word(bytes, size, node->skip);
  size_t low = node_words_below(node, word);
  size_t high = low;
  while (high < node->count && node->word[high] == word)
    high++;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = key_compare(node->key[middle], bytes, size);
    if (order == 0) *equal = true;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Which child to go to: the last whose lowest key is not above. */
static size_t node_route(const struct btree_node *node, const uint8_t *bytes, size_t size) {
  bool equal;
  size_t below = node_search(node, bytes, size, &equal);
  return equal || below == 0 ? below : below - 1;
}

static const struct btree_node *btree_leaf(const struct btree *tree, const uint8_t *bytes, size_t size) {
  const struct btree_node *node = tree->root;
  while (node->level > 0) {
    node = node->child[node_route(node, bytes, size)];
    node_fetch(node);
  }
  return node;
}

struct store_key *btree_find(const struct btree *tree, const uint8_t *bytes, size_t size) {
  if (tree->root == NULL) return NULL;
  const struct btree_node *leaf = btree_leaf(tree, bytes, size);
  bool equal;
  size_t at = node_search(leaf, bytes, size, &equal);
  return equal ? leaf->key[at] : NULL;
}

struct btree_cursor btree_lower_bound(const struct btree *tree, const uint8_t *bytes, size_t size) {
  if (tree->root == NULL) return (struct btree_cursor){0};
  const struct btree_node *leaf = btree_leaf(tree, bytes, size);
  bool equal;
  size_t at = node_search(leaf, bytes, size, &equal);
  if (at == leaf->count) return (struct btree_cursor){.leaf = leaf->after};
  return (struct btree_cursor){.leaf = leaf, .at = at};
}

struct btree_cursor btree_first(const struct btree *tree) {
  const struct btree_node *node = tree->root;
  while (node != NULL && node->level > 0)
    node = node->child[0];
  return (struct btree_cursor){.leaf = node};
}

struct store_key *btree_seek(struct btree *tree, const uint8_t *bytes, size_t size) {
  struct btree_path *path = &tree->path;
  if (tree->path_known && tree->sought_size == size && memcmp(tree->sought, bytes, size) == 0) return path->key;
  memcpy(tree->sought, bytes, size);
  tree->sought_size = (uint16_t)size;
  tree->path_known = true;
  path->key = NULL;
  struct btree_node *node = tree->root;
  if (node == NULL) return NULL;
  for (; node->level > 0; node_fetch(node)) {
    size_t at = node_route(node, bytes, size);
    path->node[node->level] = node;
    path->at[node->level] = (uint16_t)at;
    node = node->child[at];
  }
  bool equal;
  size_t at = node_search(node, bytes, size, &equal);
  path->node[0] = node;
  path->at[0] = (uint16_t)at;
  if (equal) path->key = node->key[at];
  return path->key;
}

/* --- Insertion -------------------------------------------------------------------- */

/* The nodes that an insertion needs, by level; how many, in *count. */
static int btree_reserve(struct btree *tree, struct btree_node *fresh[], size_t *count) {
  size_t height = tree->root == NULL ? 0 : tree->root->level + (size_t)1;
  size_t wanted = 0;
  while (wanted < height && tree->path.node[wanted]->count == BTREE_WIDTH)
    wanted++;
  if (wanted == height) wanted++; /* a new root */
  for (*count = 0; *count < wanted; (*count)++) {
    fresh[*count] = *count < BTREE_HEIGHT_MAX ? node_new(tree, (uint8_t)*count) : NULL;
    if (fresh[*count] != NULL) continue;
    while (*count > 0)
      node_free(tree, fresh[--*count]);
    return SYNC_E_NO_MEMORY;
  }
  return SYNC_OK;
}

/* Divides a full node while inserting, and gives the new one behind it. When
 * keys come in order nothing will be inserted before the last: it is left full. */
static void node_split(struct btree_node *node, struct btree_node *right, size_t at, struct store_key *key,
                       struct btree_node *child, bool last) {
  node_chain(node, right);
  if (last) {
    node_insert(right, 0, key, child);
    node_narrow(node);
    return;
  }
  size_t half = BTREE_WIDTH / 2;
  right->skip = node->skip;
  memcpy(right->prefix, node->prefix, sizeof right->prefix);
  node_append(right, node, half);
  node->count = (uint16_t)half;
  if (at <= half)
    node_insert(node, at, key, child);
  else
    node_insert(right, at - half, key, child);
  node_narrow(node);
  node_narrow(right);
}

/* Whether the path leads behind all keys. */
static bool btree_path_is_last(const struct btree *tree) {
  const struct btree_path *path = &tree->path;
  if (path->at[0] < path->node[0]->count) return false;
  for (size_t level = tree->root->level; level > 0; level--)
    if (path->at[level] + 1u < path->node[level]->count) return false;
  return true;
}

/* Puts a root with one key into an empty tree, or over two halves of the old one. */
static void btree_grow(struct btree *tree, struct btree_node *root, struct store_key *key, struct btree_node *child) {
  node_insert(root, 0, key, child);
  if (tree->root != NULL) node_insert(root, 0, tree->root->key[0], tree->root);
  tree->root = root;
}

int btree_insert(struct btree *tree, struct store_key *key) {
  struct store_key *equal = btree_seek(tree, key->bytes, key->size);
  sync_check(tree->env, equal == NULL);
  struct btree_node *fresh[BTREE_HEIGHT_MAX + 1];
  size_t count = 0;
  int rc = btree_reserve(tree, fresh, &count);
  if (rc != SYNC_OK) return rc;
  const struct btree_path *path = &tree->path;
  size_t height = tree->root == NULL ? 0 : tree->root->level + (size_t)1;
  /* Only the lowest key of all is not above the lowest of its leaf. */
  for (size_t level = 1; level < height && path->at[0] == 0; level++)
    node_set(path->node[level], 0, key);
  bool last = height > 0 && btree_path_is_last(tree);
  struct btree_node *child = NULL;
  size_t level = 0;
  for (; level < count && level < height; level++) {
    node_split(path->node[level], fresh[level], path->at[level] + (level > 0 ? 1u : 0u), key, child, last);
    child = fresh[level];
    key = child->key[0];
  }
  if (level < height)
    node_insert(path->node[level], path->at[level] + (level > 0 ? 1u : 0u), key, child);
  else
    btree_grow(tree, fresh[height], key, child);
  tree->path_known = false;
  return SYNC_OK;
}

/* --- Removal ---------------------------------------------------------------------- */

/* The lowest key below path->node[level] is another: so says every node over it in which it is the lowest of a child.
 */
static void btree_tell_lowest(struct btree *tree, size_t level) {
  const struct btree_path *path = &tree->path;
  struct store_key *lowest = path->node[level]->key[0];
  for (; level < tree->root->level; level++) {
    node_set(path->node[level + 1], path->at[level + 1], lowest);
    if (path->at[level + 1] > 0) return;
  }
}

static void node_join(struct btree_node *left, struct btree_node *right) {
  size_t skip = left->skip < right->skip ? left->skip : right->skip;
  size_t common = node_common(left, right->key[0]->bytes, right->key[0]->size);
  if (skip > common) skip = common;
  node_widen(left, skip);
  node_widen(right, skip);
  node_append(left, right, 0);
}

/* Joins path->node[level] with a neighbour under the same parent if both fit in one node. *gone: which child that took
 * from the parent. */
static bool btree_join(struct btree *tree, size_t level, size_t *gone) {
  const struct btree_node *parent = tree->path.node[level + 1];
  size_t at = tree->path.at[level + 1];
  size_t count = parent->child[at]->count;
  if (at > 0 && parent->child[at - 1]->count + count <= BTREE_WIDTH)
    *gone = at;
  else if (at + 1u < parent->count && parent->child[at + 1]->count + count <= BTREE_WIDTH)
    *gone = at + 1;
  else
    return false;
  struct btree_node *right = parent->child[*gone];
  node_join(parent->child[*gone - 1], right);
  node_unchain(right);
  node_free(tree, right);
  return true;
}

/* Takes an entry out of a node of the path. Whether its parent loses one for it: then that is *at. */
static bool btree_take(struct btree *tree, size_t level, size_t *at) {
  struct btree_node *node = tree->path.node[level];
  bool lowest = *at == 0;
  bool root = node == tree->root;
  node_delete(node, *at);
  if (node->count == 0) {
    node_unchain(node);
    node_free(tree, node);
    if (root)
      tree->root = NULL;
    else
      *at = tree->path.at[level + 1];
    return !root;
  }
  if (lowest) btree_tell_lowest(tree, level);
  return !root && btree_join(tree, level, at);
}

void btree_remove(struct btree *tree, const struct store_key *key) {
  const struct store_key *found = btree_seek(tree, key->bytes, key->size);
  sync_check(tree->env, found == key);
  size_t at = tree->path.at[0];
  for (size_t level = 0; tree->root != NULL && btree_take(tree, level, &at);)
    level++;
  tree->path_known = false;
  while (tree->root != NULL && tree->root->level > 0 && tree->root->count == 1) {
    struct btree_node *root = tree->root;
    tree->root = root->child[0];
    node_free(tree, root);
  }
}

/* --- Life ------------------------------------------------------------------------- */

void btree_init(struct btree *tree, const struct sync_env *env) {
  memset(tree, 0, sizeof *tree);
  tree->env = env;
}

void btree_deinit(struct btree *tree) {
  struct btree_node *lowest = tree->root;
  while (lowest != NULL) {
    struct btree_node *node = lowest;
    lowest = node->level > 0 ? node->child[0] : NULL;
    while (node != NULL) {
      struct btree_node *after = node->after;
      node_free(tree, node);
      node = after;
    }
  }
  btree_init(tree, tree->env);
}
