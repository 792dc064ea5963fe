/* The index: order, shape, memory; against a sorted array. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/state/btree.h"
#include "tests/support/memory_env.h"

#define KEYS_MAX 20000u

static struct memory_env memory;
static struct btree tree;
static uint64_t chance;
static struct store_key *model[KEYS_MAX]; /* what must be in the tree, in order */
static size_t model_count;

static void begin(uint64_t seed) {
  memory_env_init(&memory);
  btree_init(&tree, &memory.env);
  chance = seed;
  model_count = 0;
}
static void end(void) {
  for (size_t i = 0; i < model_count; i++)
    free(model[i]);
  btree_deinit(&tree);
  assert_int_equal(memory.blocks, 0);
  assert_int_equal(memory.nominal_bytes, 0);
  memory_env_destroy(&memory);
}

static uint32_t below(uint32_t bound) {
  return (uint32_t)(memory_env_random(&chance) % bound);
}

/* --- The model -------------------------------------------------------------------- */

/* By itself: the tests shall not believe in key_compare(). */
static int order_of(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {
  for (size_t i = 0; i < a_size && i < b_size; i++)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return a_size < b_size ? -1 : a_size > b_size ? 1 : 0;
}

static size_t model_place(const uint8_t *bytes, size_t size) {
  size_t low = 0, high = model_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (order_of(model[middle]->bytes, model[middle]->size, bytes, size) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}
static bool model_has(size_t place, const uint8_t *bytes, size_t size) {
  return place < model_count && order_of(model[place]->bytes, model[place]->size, bytes, size) == 0;
}

static struct store_key *new_key(const uint8_t *bytes, size_t size) {
  struct store_key *key = calloc(1, sizeof *key + size);
  assert_non_null(key);
  key->size = (uint16_t)size;
  memcpy(key->bytes, bytes, size);
  return key;
}

static void insert_at(size_t place, const uint8_t *bytes, size_t size) {
  assert_true(model_count < KEYS_MAX);
  struct store_key *key = new_key(bytes, size);
  assert_int_equal(btree_insert(&tree, key), SYNC_OK);
  memmove(&model[place + 1], &model[place], (model_count - place) * sizeof(struct store_key *));
  model[place] = key;
  model_count++;
}
static void remove_at(size_t place) {
  struct store_key *key = model[place];
  btree_remove(&tree, key);
  memset(key->bytes, 0xee, key->size); /* whoever looks at it again is wrong */
  free(key);
  model_count--;
  memmove(&model[place], &model[place + 1], (model_count - place) * sizeof(struct store_key *));
}
static void insert(const uint8_t *bytes, size_t size) {
  size_t place = model_place(bytes, size);
  if (!model_has(place, bytes, size)) insert_at(place, bytes, size);
}
static void insert_number(uint32_t number) {
  char text[32];
  (void)snprintf(text, sizeof text, "user:%010u", (unsigned)number);
  insert((const uint8_t *)text, strlen(text));
}

/* --- The shape -------------------------------------------------------------------- */

struct census {
  size_t leaves, inners;
  uint64_t print;                                  /* of counts, lengths of prefixes and keys, in order */
  const struct btree_node *last[BTREE_HEIGHT_MAX]; /* met last on each level */
};

static void check_keys(const struct btree_node *node) {
  const struct store_key *first = node->key[0], *last = node->key[node->count - 1u];
  assert_true(node->skip <= first->size && node->skip <= last->size);
  assert_memory_equal(first->bytes, last->bytes, node->skip);
  assert_memory_equal(node->prefix, first->bytes, node->skip < BTREE_PREFIX_BYTES ? node->skip : BTREE_PREFIX_BYTES);
  for (size_t i = 0; i < node->count; i++) {
    const struct store_key *key = node->key[i];
    uint64_t word = 0;
    for (size_t b = node->skip; b < node->skip + 8u; b++)
      word = word << 8 | (b < key->size ? key->bytes[b] : 0u);
    assert_true(word == node->word[i]);
    if (i > 0) assert_true(order_of(node->key[i - 1]->bytes, node->key[i - 1]->size, key->bytes, key->size) < 0);
  }
}

static void check_node(const struct btree_node *node, struct census *census) {
  assert_true(node->count >= 1 && node->count <= BTREE_WIDTH);
  check_keys(node);
  assert_ptr_equal(node->before, census->last[node->level]);
  if (node->before != NULL) assert_ptr_equal(node->before->after, node);
  census->last[node->level] = node;
  census->print = census->print * 31 + node->count * 4099u + node->skip + node->word[0] % 65537u;
  if (node->level == 0) {
    census->leaves++;
    return;
  }
  census->inners++;
  for (size_t i = 0; i < node->count; i++) {
    const struct btree_node *child = node->child[i];
    assert_int_equal(child->level, node->level - 1);
    assert_ptr_equal(child->key[0], node->key[i]);
    if (i > 0) assert_true(node->child[i - 1]->count + child->count > BTREE_WIDTH / 2);
    check_node(child, census);
  }
}

/* Everything that must always hold, but the content. */
static struct census check_shape(void) {
  struct census census = {0};
  if (tree.root != NULL) {
    assert_true(tree.root->level == 0 || tree.root->count >= 2);
    check_node(tree.root, &census);
  }
  for (size_t level = 0; level < BTREE_HEIGHT_MAX; level++)
    if (census.last[level] != NULL) assert_null(census.last[level]->after);
  assert_int_equal(memory.blocks, census.leaves + census.inners);
  assert_int_equal(memory.nominal_bytes,
                   census.leaves * BTREE_LEAF_NOMINAL_BYTES + census.inners * BTREE_INNER_NOMINAL_BYTES);
  return census;
}

static void check_content(void) {
  struct btree_cursor cursor = btree_first(&tree);
  for (size_t i = 0; i < model_count; i++, btree_advance(&cursor)) {
    assert_ptr_equal(btree_key(&cursor), model[i]);
    size_t further = i % 40;
    const struct store_key *ahead = btree_ahead(&cursor, further);
    if (ahead != NULL) assert_ptr_equal(ahead, model[i + further]);
    if (further == 0) assert_ptr_equal(ahead, model[i]);
  }
  assert_null(btree_key(&cursor));
}

static void check_lookup(const uint8_t *bytes, size_t size) {
  size_t place = model_place(bytes, size);
  const struct store_key *expected = model_has(place, bytes, size) ? model[place] : NULL;
  assert_ptr_equal(btree_find(&tree, bytes, size), expected);
  assert_ptr_equal(btree_seek(&tree, bytes, size), expected);
  struct btree_cursor cursor = btree_lower_bound(&tree, bytes, size);
  for (size_t i = place; i < place + 3 && i < model_count; i++, btree_advance(&cursor))
    assert_ptr_equal(btree_key(&cursor), model[i]);
  if (place + 3 > model_count) assert_null(btree_key(&cursor));
}

/* --- Kinds of keys ---------------------------------------------------------------- */

/* Few different bytes, zero among them: many keys are prefixes of others. */
static size_t short_key(uint8_t *bytes) {
  static const uint8_t letters[] = {0, 0, 1, 'm', 255};
  size_t size = 1 + below(12);
  for (size_t i = 0; i < size; i++)
    bytes[i] = letters[below(sizeof letters)];
  return size;
}
static size_t number_key(uint8_t *bytes) {
  static const char *const classes[] = {"user:", "user:0", "order:", "o",
                                        "session:of:somebody:or:other:and:then:some:"};
  char text[80];
  (void)snprintf(text, sizeof text, "%s%010u", classes[below(5)], (unsigned)below(3000));
  size_t size = strlen(text);
  memcpy(bytes, text, size);
  return size;
}
/* As long as keys may be, equal for up to nearly all of it. */
static size_t long_key(uint8_t *bytes) {
  memset(bytes, 'p', SYNC_KEY_BYTES_MAX);
  uint32_t changes = below(4);
  for (uint32_t i = 0; i < changes; i++)
    bytes[below(2) == 0 ? below(SYNC_KEY_BYTES_MAX) : SYNC_KEY_BYTES_MAX - 1 - below(20)] = (uint8_t)below(256);
  return below(3) == 0 ? 1 + below(SYNC_KEY_BYTES_MAX) : SYNC_KEY_BYTES_MAX;
}
static size_t any_key(uint8_t *bytes) {
  size_t size = 1 + below(below(8) == 0 ? SYNC_KEY_BYTES_MAX : 30);
  for (size_t i = 0; i < size; i++)
    bytes[i] = (uint8_t)below(256);
  return size;
}
static size_t mixed_key(uint8_t *bytes) {
  switch (below(4)) {
  case 0:
    return short_key(bytes);
  case 1:
    return number_key(bytes);
  case 2:
    return long_key(bytes);
  default:
    return any_key(bytes);
  }
}

static size_t (*const kinds[])(uint8_t *bytes) = {short_key, number_key, long_key, any_key, mixed_key};

/* --- Tests ------------------------------------------------------------------------ */

/* Grows and shrinks in turns, now and then down to nothing. */
static void any_insertions_and_removals_leave_what_a_sorted_array_would_hold(void **state) {
  (void)state;
  for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
    begin(kind + 1);
    for (uint32_t step = 0; step < 12000; step++) {
      uint8_t bytes[SYNC_KEY_BYTES_MAX];
      size_t size = kinds[kind](bytes);
      uint32_t phase = step / 1500 % 4;
      bool removing = model_count > 0 && below(10) < (phase == 3 ? 9u : phase == 2 ? 5u : 1u);
      if (below(3) == 0) check_lookup(bytes, size);
      if (removing)
        remove_at(below((uint32_t)model_count));
      else
        insert(bytes, size);
      size = kinds[kind](bytes);
      check_lookup(bytes, size);
      if (step % 16 == 0 || model_count < 100) (void)check_shape();
      if (step % 64 == 0) check_content();
    }
    while (model_count > 0) {
      remove_at(below((uint32_t)model_count));
      if (model_count % 8 == 0) (void)check_shape();
    }
    assert_null(tree.root);
    assert_int_equal(memory.blocks, 0);
    end();
  }
}

static void a_split_keeps_every_key_in_order(void **state) {
  (void)state;
  for (uint32_t way = 0; way < 4; way++) {
    begin(way);
    for (uint32_t i = 0; i < 3000; i++) {
      /* Ascending, descending, from both ends to the middle, scattered. */
      insert_number(way == 0 ? i : way == 1 ? 3000 - i : way == 2 ? (i % 2 == 0 ? i : 6000 - i) : i * 1237 % 3001);
      (void)check_shape();
      if (i % 50 == 0) check_content();
    }
    check_content();
    assert_true(tree.root->level >= 2);
    end();
  }
}

static void every_absent_key_has_its_lower_bound(void **state) {
  (void)state;
  begin(0);
  check_lookup((const uint8_t *)"x", 1);
  for (uint32_t i = 0; i < 2000; i++)
    insert_number(2 * i + 1);
  for (uint32_t i = 0; i < 4002; i++) {
    char text[32];
    (void)snprintf(text, sizeof text, "user:%010u", (unsigned)i);
    check_lookup((const uint8_t *)text, strlen(text));
    check_lookup((const uint8_t *)text, strlen(text) - 1);
    check_lookup((const uint8_t *)text, strlen(text) + 1); /* with its zero byte */
  }
  static const char *const outside[] = {"", "u", "usea", "user", "usez", "user;", "v"};
  for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
    check_lookup((const uint8_t *)outside[i], strlen(outside[i]));
  end();
}

static void keys_that_come_in_order_fill_their_nodes(void **state) {
  (void)state;
  begin(0);
  for (uint32_t i = 0; i < BTREE_WIDTH * BTREE_WIDTH * 3; i++)
    insert_number(i);
  struct census census = check_shape();
  assert_int_equal(census.leaves, BTREE_WIDTH * 3);
  assert_int_equal(census.inners, 3 + 1);
  end();
}

/* What the words are for: in a node of keys that differ late they begin late, whatever stood there before it was
 * divided. */
static void words_begin_behind_what_the_keys_share(void **state) {
  (void)state;
  begin(4);
  insert((const uint8_t *)"a", 1);
  insert((const uint8_t *)"z", 1);
  for (uint32_t i = 0; i < 5000; i++)
    insert_number(below(1000000));
  for (const struct btree_node *leaf = btree_first(&tree).leaf; leaf != NULL; leaf = leaf->after) {
    if (leaf->before == NULL || leaf->after == NULL) continue;
    for (size_t i = 1; i < leaf->count; i++)
      assert_true(leaf->word[i - 1] < leaf->word[i]);
  }
  end();
}

/* A node keeps so much of what its keys share; the rest is looked for in a key. */
static void what_keys_share_may_be_as_long_as_what_a_node_keeps_of_it_or_a_byte_more_or_less(void **state) {
  (void)state;
  for (size_t shared = BTREE_PREFIX_BYTES - 2; shared <= BTREE_PREFIX_BYTES + 2; shared++) {
    begin(shared);
    uint8_t bytes[BTREE_PREFIX_BYTES + 4];
    memset(bytes, 's', sizeof bytes);
    for (uint32_t i = 0; i < 500; i++) {
      bytes[shared] = (uint8_t)below(256);
      bytes[shared + 1] = (uint8_t)below(256);
      insert(bytes, shared + 2);
      check_lookup(bytes, shared + 2);
    }
    (void)check_shape();
    for (size_t i = 0; i < shared; i++) { /* and keys that share less */
      bytes[i] = below(2) == 0 ? 'r' : 't';
      check_lookup(bytes, shared + 2);
      bytes[i] = 's';
    }
    end();
  }
}

/* The keys of one leaf share more than those of both will. */
static void joined_neighbours_share_what_both_share(void **state) {
  (void)state;
  begin(5);
  for (uint32_t i = 0; i < 4 * BTREE_WIDTH; i++) {
    char text[32];
    (void)snprintf(text, sizeof text, "group-%c:%04u", (char)('a' + i / BTREE_WIDTH), (unsigned)i);
    insert((const uint8_t *)text, strlen(text));
  }
  assert_true(btree_first(&tree).leaf->skip > 8);
  assert_int_equal(check_shape().leaves, 4);
  while (model_count > 0) {
    remove_at(below((uint32_t)model_count));
    (void)check_shape();
    check_content();
    for (uint32_t group = 0; group < 5; group++) {
      char text[32];
      (void)snprintf(text, sizeof text, "group-%c:%04u", (char)('a' + group), (unsigned)below(4 * BTREE_WIDTH));
      check_lookup((const uint8_t *)text, strlen(text));
    }
  }
  end();
}

static void a_node_that_shrinks_joins_either_neighbour(void **state) {
  (void)state;
  begin(0);
  for (uint32_t i = 0; i < 3 * BTREE_WIDTH; i++)
    insert_number(i);
  for (uint32_t i = 0; i < BTREE_WIDTH - 4; i++)
    remove_at(BTREE_WIDTH); /* of the second leaf */
  assert_int_equal(check_shape().leaves, 3);
  for (uint32_t i = 0; i < 4; i++)
    remove_at(0); /* of the first: what is behind it fits in */
  assert_int_equal(check_shape().leaves, 2);
  for (uint32_t i = 0; i < BTREE_WIDTH; i++)
    remove_at(model_count - 1); /* of the last: it joins what is before it, or goes */
  assert_int_equal(check_shape().leaves, 1);
  check_content();
  end();
}

/* The nodes over an empty one are empty, too, when it was their only child. */
static void a_last_key_takes_its_nodes_along(void **state) {
  (void)state;
  begin(0);
  for (uint32_t i = 0; i < BTREE_WIDTH * BTREE_WIDTH; i++)
    insert_number(i);
  for (uint32_t round = 0; round < 3; round++) {
    uint64_t blocks = memory.blocks, print = check_shape().print;
    insert_number(BTREE_WIDTH * BTREE_WIDTH);
    assert_int_equal(memory.blocks, blocks + 3); /* a leaf, an inner node over it, a root over both */
    (void)check_shape();
    remove_at(model_count - 1);
    assert_int_equal(memory.blocks, blocks);
    assert_true(check_shape().print == print);
  }
  check_content();
  end();
}

static void nodes_are_bounded_by_the_keys_that_are_left(void **state) {
  (void)state;
  begin(9);
  for (uint32_t i = 0; i < 12000; i++)
    insert_number(i * 7919 % 12007);
  while (model_count > 500)
    remove_at(below((uint32_t)model_count));
  struct census scattered = check_shape();
  assert_true(scattered.leaves <= 2 * 500 / (BTREE_WIDTH / 2));
  while (model_count > 40) /* one end only */
    remove_at(below(2) == 0 ? 0 : model_count - 1);
  struct census ends = check_shape();
  assert_true(ends.leaves <= 6 && ends.inners <= 1);
  while (model_count > 0)
    remove_at(0);
  (void)check_shape();
  assert_int_equal(memory.nominal_bytes, 0);
  end();
}

/* At each of its allocations in turn. */
static void an_insertion_without_memory_changes_nothing(void **state) {
  (void)state;
  begin(2);
  uint64_t failures = 0, most = 0;
  for (uint32_t i = 0; i < 3000; i++) {
    char text[32];
    (void)snprintf(text, sizeof text, "user:%010u", (unsigned)(i % 3 == 0 ? i : i * 2617 % 100003));
    const uint8_t *bytes = (const uint8_t *)text;
    size_t size = strlen(text);
    if (model_has(model_place(bytes, size), bytes, size)) continue;
    struct store_key *key = new_key(bytes, size);
    uint64_t before = check_shape().print, in_turn = 1;
    for (; in_turn < 10; in_turn++) {
      memory.fail_alloc_at = memory.allocs + in_turn;
      int rc = btree_insert(&tree, key);
      if (rc == SYNC_OK) break;
      assert_int_equal(rc, SYNC_E_NO_MEMORY);
      assert_true(check_shape().print == before);
      check_lookup(bytes, size);
      failures++;
    }
    memory.fail_alloc_at = 0;
    if (most < in_turn) most = in_turn;
    assert_ptr_equal(btree_find(&tree, bytes, size), key);
    btree_remove(&tree, key);
    free(key);
    insert(bytes, size);
  }
  check_content();
  assert_true(failures > 100 && most >= 3);
  end();
}

static uint64_t print_of_a_run(uint32_t padding) {
  begin(77);
  void *blocks[64] = {0};
  uint64_t print = 0;
  for (uint32_t i = 0; i < 4000; i++) {
    uint8_t bytes[SYNC_KEY_BYTES_MAX];
    size_t size = mixed_key(bytes);
    if (below(3) == 0 && model_count > 0)
      remove_at(below((uint32_t)model_count));
    else
      insert(bytes, size);
    free(blocks[i % 64]);
    blocks[i % 64] = malloc(1 + padding * (i % 7));
    if (i % 100 == 0) print = print * 31 + check_shape().print;
  }
  for (size_t i = 0; i < 64; i++)
    free(blocks[i]);
  end();
  return print;
}

static void the_shape_depends_on_the_sequence_and_not_on_addresses(void **state) {
  (void)state;
  uint64_t print = print_of_a_run(0);
  assert_true(print == print_of_a_run(100) && print == print_of_a_run(999));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_insertions_and_removals_leave_what_a_sorted_array_would_hold),
      cmocka_unit_test(a_split_keeps_every_key_in_order),
      cmocka_unit_test(every_absent_key_has_its_lower_bound),
      cmocka_unit_test(keys_that_come_in_order_fill_their_nodes),
      cmocka_unit_test(words_begin_behind_what_the_keys_share),
      cmocka_unit_test(what_keys_share_may_be_as_long_as_what_a_node_keeps_of_it_or_a_byte_more_or_less),
      cmocka_unit_test(joined_neighbours_share_what_both_share),
      cmocka_unit_test(a_node_that_shrinks_joins_either_neighbour),
      cmocka_unit_test(a_last_key_takes_its_nodes_along),
      cmocka_unit_test(nodes_are_bounded_by_the_keys_that_are_left),
      cmocka_unit_test(an_insertion_without_memory_changes_nothing),
      cmocka_unit_test(the_shape_depends_on_the_sequence_and_not_on_addresses),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  return r != 0;
}
