/* What stands in a snapshot's blocks: bytes that any implementation must make and read. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/snapshot/image.h"
#include "tests/support/memory_env.h"

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- Vectors -------------------------------------------------------------------------- */

static const uint8_t head_bytes[] = {
    0xf5, 'S',  'Y',  'N',  'C',  'I',  'M',  'G',  /* magic */
    0x01, 0x00,                                     /* version */
    0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, /* id */
    0x0d, 0xf0, 0xad, 0xde, 0x00, 0x00, 0x00, 0x00, /* the log's id */
    0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, /* position */
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, /* greatest clock */
    0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, /* cluster */
    0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, /* ... */
    0x00, 0x00, 0x01, 0x00,                         /* limit of values */
    0x05, 'n',  'o',  'd',  'e',  '1',              /* author */
};
static const uint8_t origins_bytes[] = {
    0x01, 'a',  0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,             /* place 0: life 7, 3 operations */
    0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,                         /* clock; no birth */
    0x02, 'b',  '-',  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0x01, /* place 1: 128 operations */
    0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,                         /* ... */
    0x01, 'a',  0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,             /* place 2: a later life of a */
    0x12, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,                               /* ... */
    0x02, 0x00, 0x03, 0x81, 0x01, 0xac, 0x02,                                     /* born of (0, 3) and (129, 300) */
};
static const uint8_t keys_bytes[] = {
    0x01, 'k',  0x03,                                                       /* a key, three siblings */
    0x00, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,       /* (0, 1): a put */
    0x05, 'v',  'a',  'l',  'u',  'e',                                      /* ... */
    0x01, 0x80, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, /* (1, 128): a tombstone */
    0x02, 0x01, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, /* (2, 1): automatic, empty */
    0x03, 0x00, 0xff, 'z',  0x01,                                           /* a key of any bytes */
    0x00, 0x02, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,       /* (0, 2): an automatic tombstone */
};
static const uint8_t end_bytes[] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* keys */
    0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* siblings */
    0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, /* digest of the state */
    0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10, /* digest of the vector */
    0xff, 0x00, 0xff, 0x00, 0xff, 0x00, 0xff, 0x00, /* sum */
};

static struct image_head sample_head(void) {
  struct image_head head = {.id = UINT64_C(0x1122334455667788),
                            .log_id = UINT64_C(0xdeadf00d),
                            .position = UINT64_C(0x8000000000001000),
                            .hlc_last = UINT64_C(0x0807060504030201),
                            .value_bytes_max = 65536,
                            .node_id = (const uint8_t *)"node1",
                            .node_id_size = 5};
  for (size_t i = 0; i < sizeof head.cluster_id; i++)
    head.cluster_id[i] = (uint8_t)(0xc0 + i);
  return head;
}
static const struct image_end sample_end = {.keys = 2,
                                            .siblings = 4,
                                            .state = UINT64_C(0xefcdab8967452301),
                                            .vector = UINT64_C(0x1032547698badcfe),
                                            .sum = UINT64_C(0x00ff00ff00ff00ff)};
static const struct image_sibling siblings[] = {
    {.place = 0, .seq = 1, .hlc = 1, .value = (const uint8_t *)"value", .value_size = 5},
    {.place = 1, .seq = 128, .hlc = 2, .tombstone = true},
    {.place = 2, .seq = 1, .hlc = 3, .automatic = true, .value = (const uint8_t *)"", .value_size = 0},
    {.place = 0, .seq = 2, .hlc = 4, .tombstone = true, .automatic = true},
};

static uint8_t room[512];

static void expect_bytes(const struct bytes_writer *writer, const uint8_t *expected, size_t size) {
  assert_false(writer->failed);
  assert_int_equal(writer->size, size);
  assert_memory_equal(room, expected, size);
}

static void a_head_is_these_bytes(void **state) {
  (void)state;
  struct bytes_writer writer = bytes_writer_to(room, sizeof room);
  struct image_head head = sample_head(), read;
  image_head_write(&writer, &head);
  expect_bytes(&writer, head_bytes, sizeof head_bytes);
  assert_int_equal(image_head_parse(head_bytes, sizeof head_bytes, &read), SYNC_OK);
  assert_true(read.id == head.id && read.log_id == head.log_id && read.position == head.position);
  assert_true(read.hlc_last == head.hlc_last && read.value_bytes_max == head.value_bytes_max);
  assert_memory_equal(read.cluster_id, head.cluster_id, sizeof head.cluster_id);
  assert_int_equal(read.node_id_size, 5);
  assert_memory_equal(read.node_id, "node1", 5);
}

static void origins_with_their_births_are_these_bytes(void **state) {
  (void)state;
  struct bytes_writer writer = bytes_writer_to(room, sizeof room);
  image_origin_write(&writer,
                     &(struct image_origin){
                         .node_id = (const uint8_t *)"a", .node_id_size = 1, .incarnation = 7, .seq = 3, .hlc = 16});
  image_origin_write(
      &writer,
      &(struct image_origin){
          .node_id = (const uint8_t *)"b-", .node_id_size = 2, .incarnation = UINT64_MAX, .seq = 128, .hlc = 17});
  image_origin_write(
      &writer,
      &(struct image_origin){
          .node_id = (const uint8_t *)"a", .node_id_size = 1, .incarnation = 8, .seq = 1, .hlc = 18, .birth_count = 2});
  image_edge_write(&writer, 0, 3);
  image_edge_write(&writer, 129, 300);
  expect_bytes(&writer, origins_bytes, sizeof origins_bytes);

  struct bytes_reader reader = bytes_reader_of(origins_bytes, sizeof origins_bytes);
  struct image_origin origin;
  assert_true(image_next_origin(&reader, &origin));
  assert_true(origin.incarnation == 7 && origin.seq == 3 && origin.hlc == 16 && origin.birth_count == 0);
  assert_true(image_next_origin(&reader, &origin));
  assert_true(origin.incarnation == UINT64_MAX && origin.seq == 128 && origin.node_id_size == 2);
  assert_true(image_next_origin(&reader, &origin));
  assert_int_equal(origin.birth_count, 2);
  uint64_t place = 0, seq = 0;
  image_next_edge(&origin.birth, &place, &seq);
  assert_true(place == 0 && seq == 3);
  image_next_edge(&origin.birth, &place, &seq);
  assert_true(place == 129 && seq == 300);
  assert_false(image_next_origin(&reader, &origin));
  assert_true(bytes_read_all(&reader));
}

static void keys_with_siblings_of_every_kind_are_these_bytes(void **state) {
  (void)state;
  struct bytes_writer writer = bytes_writer_to(room, sizeof room);
  image_key_write(&writer, BYTES("k"), 3);
  for (size_t i = 0; i < 3; i++)
    image_sibling_write(&writer, &siblings[i]);
  image_key_write(&writer, BYTES("\0\xffz"), 1);
  image_sibling_write(&writer, &siblings[3]);
  expect_bytes(&writer, keys_bytes, sizeof keys_bytes);

  struct bytes_reader reader = bytes_reader_of(keys_bytes, sizeof keys_bytes);
  const uint8_t *key = NULL;
  size_t key_size = 0, count = 0, seen = 0;
  static const size_t counts[] = {3, 1};
  for (size_t k = 0; k < COUNT(counts); k++) {
    assert_true(image_next_key(&reader, &key, &key_size, &count));
    assert_int_equal(count, counts[k]);
    assert_int_equal(key_size, k == 0 ? 1 : 3);
    for (size_t i = 0; i < count; i++, seen++) {
      struct image_sibling read;
      const struct image_sibling *wrote = &siblings[seen];
      assert_true(image_next_sibling(&reader, &read));
      assert_true(read.place == wrote->place && read.seq == wrote->seq && read.hlc == wrote->hlc);
      assert_true(read.tombstone == wrote->tombstone && read.automatic == wrote->automatic);
      assert_int_equal(read.value_size, wrote->value_size);
      if (read.value_size > 0) assert_memory_equal(read.value, wrote->value, read.value_size);
    }
  }
  assert_false(image_next_key(&reader, &key, &key_size, &count));
  assert_true(bytes_read_all(&reader));
}

static void an_end_is_these_bytes(void **state) {
  (void)state;
  struct bytes_writer writer = bytes_writer_to(room, sizeof room);
  image_end_write(&writer, &sample_end);
  expect_bytes(&writer, end_bytes, sizeof end_bytes);
  assert_int_equal(sizeof end_bytes, IMAGE_END_BYTES);
  struct image_end read;
  assert_int_equal(image_end_parse(end_bytes, sizeof end_bytes, &read), SYNC_OK);
  assert_memory_equal(&read, &sample_end, sizeof read);
}

/* --- Bytes that nobody vouches for ------------------------------------------------------- */

/* Everything that a caller may touch of a view is read: sanitizers see what is not there. */
static uint64_t touched;
static void touch(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    touched += bytes[i];
}

/* Whether all of it was valid. */
static bool read_head(const uint8_t *bytes, size_t size) {
  struct image_head head;
  int rc = image_head_parse(bytes, size, &head);
  assert_true(rc == SYNC_OK || rc == SYNC_E_CORRUPT || rc == SYNC_E_VERSION);
  if (rc != SYNC_OK) return false;
  assert_true(head.id != 0 && head.log_id != 0 && head.node_id_size > 0 && head.node_id_size <= SYNC_NODE_ID_BYTES_MAX);
  touch(head.node_id, head.node_id_size);
  return true;
}
static bool read_origins(const uint8_t *bytes, size_t size) {
  struct bytes_reader reader = bytes_reader_of(bytes, size);
  struct image_origin origin;
  while (image_next_origin(&reader, &origin)) {
    assert_true(origin.incarnation != 0 && origin.seq != 0);
    assert_true(origin.node_id_size > 0 && origin.node_id_size <= SYNC_NODE_ID_BYTES_MAX);
    assert_true(origin.birth_count <= size / 2); /* what is there, whatever was said */
    touch(origin.node_id, origin.node_id_size);
    for (size_t i = 0; i < origin.birth_count; i++) {
      uint64_t place = 0, seq = 0;
      image_next_edge(&origin.birth, &place, &seq);
      assert_false(origin.birth.failed);
      assert_true(seq != 0);
    }
  }
  return !reader.failed;
}
static bool read_keys(const uint8_t *bytes, size_t size) {
  struct bytes_reader reader = bytes_reader_of(bytes, size);
  const uint8_t *key = NULL;
  size_t key_size = 0, count = 0;
  while (image_next_key(&reader, &key, &key_size, &count)) {
    assert_true(key_size > 0 && key_size <= SYNC_KEY_BYTES_MAX && count > 0 && count <= size / 11);
    touch(key, key_size);
    for (size_t i = 0; i < count; i++) {
      struct image_sibling sibling;
      if (!image_next_sibling(&reader, &sibling)) return false;
      assert_true(sibling.seq != 0 && sibling.value_size <= SYNC_VALUE_BYTES_LIMIT);
      assert_true(!sibling.tombstone || sibling.value_size == 0);
      touch(sibling.value, sibling.value_size);
    }
  }
  return !reader.failed;
}
static bool read_end(const uint8_t *bytes, size_t size) {
  struct image_end end;
  int rc = image_end_parse(bytes, size, &end);
  assert_true(rc == SYNC_OK || rc == SYNC_E_CORRUPT);
  return rc == SYNC_OK;
}

static const struct vector {
  const uint8_t *bytes;
  size_t size;
  bool (*read)(const uint8_t *bytes, size_t size);
  size_t whole[3]; /* where it may be cut and is valid still */
} vectors[] = {
    {head_bytes, sizeof head_bytes, read_head, {SIZE_MAX, SIZE_MAX, SIZE_MAX}},
    {origins_bytes, sizeof origins_bytes, read_origins, {0, 20, 42}},
    {keys_bytes, sizeof keys_bytes, read_keys, {0, 44, SIZE_MAX}},
    {end_bytes, sizeof end_bytes, read_end, {SIZE_MAX, SIZE_MAX, SIZE_MAX}},
};

/* Of a heap copy of exactly these bytes. */
static bool read_copy(const struct vector *vector, const uint8_t *bytes, size_t size) {
  uint8_t *copy = malloc(size == 0 ? 1 : size);
  assert_non_null(copy);
  if (size > 0) memcpy(copy, bytes, size);
  bool valid = vector->read(copy, size);
  free(copy);
  return valid;
}

static void what_is_cut_is_refused_where_no_item_ends(void **state) {
  (void)state;
  for (size_t v = 0; v < COUNT(vectors); v++) {
    const struct vector *vector = &vectors[v];
    assert_true(read_copy(vector, vector->bytes, vector->size));
    for (size_t cut = 0; cut < vector->size; cut++) {
      bool whole = cut == vector->whole[0] || cut == vector->whole[1] || cut == vector->whole[2];
      assert_int_equal(read_copy(vector, vector->bytes, cut), whole);
    }
    memcpy(room, vector->bytes, vector->size);
    room[vector->size] = 0;
    assert_false(read_copy(vector, room, vector->size + 1)); /* nothing may stand behind it */
  }
}

static void any_byte_changed_is_refused_or_a_valid_view(void **state) {
  (void)state;
  size_t valid = 0, refused = 0;
  for (size_t v = 0; v < COUNT(vectors); v++) {
    const struct vector *vector = &vectors[v];
    memcpy(room, vector->bytes, vector->size);
    for (size_t at = 0; at < vector->size; at++) {
      for (unsigned value = 0; value < 256; value++) {
        room[at] = (uint8_t)value;
        (*(read_copy(vector, room, vector->size) ? &valid : &refused))++;
      }
      room[at] = vector->bytes[at];
    }
  }
  assert_true(valid > 1000 && refused > 1000);
}

static void random_bytes_are_refused_or_valid_views(void **state) {
  (void)state;
  uint64_t random = 8;
  for (unsigned round = 0; round < 4000; round++) {
    const struct vector *vector = &vectors[memory_env_random(&random) % COUNT(vectors)];
    size_t size = vector->size;
    memcpy(room, vector->bytes, size);
    for (unsigned i = 0; i < 1 + round % 6; i++)
      room[memory_env_random(&random) % size] = (uint8_t)memory_env_random(&random);
    (void)read_copy(vector, room, size - memory_env_random(&random) % 3);
  }
}

/* --- What is refused by name ----------------------------------------------------------------- */

static int head_with(size_t at, const uint8_t *bytes, size_t size) {
  memcpy(room, head_bytes, sizeof head_bytes);
  memcpy(room + at, bytes, size);
  struct image_head head;
  return image_head_parse(room, sizeof head_bytes, &head);
}

static void a_head_of_another_version_is_said_to_be_that(void **state) {
  (void)state;
  assert_int_equal(head_with(8, BYTES("\2\0")), SYNC_E_VERSION);
  assert_int_equal(head_with(8, BYTES("\0\0")), SYNC_E_VERSION);
  assert_int_equal(head_with(0, BYTES("\xf5SYNCLOG")), SYNC_E_CORRUPT);
  assert_int_equal(head_with(10, BYTES("\0\0\0\0\0\0\0\0")), SYNC_E_CORRUPT); /* no id */
  assert_int_equal(head_with(18, BYTES("\0\0\0\0\0\0\0\0")), SYNC_E_CORRUPT); /* no log */
  assert_int_equal(head_with(63, BYTES("a b")), SYNC_E_CORRUPT);              /* no node id */
  /* Of a later version nothing else is known. */
  struct image_head head;
  assert_int_equal(image_head_parse(BYTES("\xf5SYNCIMG\2\0"), &head), SYNC_E_VERSION);
  assert_int_equal(image_head_parse(BYTES("\xf5SYNCIMG\2"), &head), SYNC_E_CORRUPT);
}

static void counts_that_cannot_be_are_refused_before_they_are_believed(void **state) {
  (void)state;
  struct bytes_writer writer = bytes_writer_to(room, sizeof room);
  struct image_origin origin = {.node_id = (const uint8_t *)"a", .node_id_size = 1, .incarnation = 7, .seq = 1};
  static const size_t sizes[] = {3, 4, 1000, UINT32_MAX, (size_t)(UINT64_MAX / 2)};
  for (size_t i = 0; i < COUNT(sizes); i++) {
    writer = bytes_writer_to(room, sizeof room);
    origin.birth_count = sizes[i];
    image_origin_write(&writer, &origin);
    image_edge_write(&writer, 0, 1);
    image_edge_write(&writer, 0, 1); /* two are there */
    struct bytes_reader reader = bytes_reader_of(room, writer.size);
    struct image_origin read;
    assert_false(image_next_origin(&reader, &read));
    assert_true(reader.failed);
    assert_int_equal(read.birth_count, 0);
  }
  for (size_t i = 0; i < COUNT(sizes); i++) {
    writer = bytes_writer_to(room, sizeof room);
    image_key_write(&writer, BYTES("k"), sizes[i]);
    image_sibling_write(&writer, &siblings[1]);
    image_sibling_write(&writer, &siblings[1]);
    struct bytes_reader reader = bytes_reader_of(room, writer.size);
    const uint8_t *key = NULL;
    size_t key_size = 0, count = 0;
    assert_false(image_next_key(&reader, &key, &key_size, &count));
    assert_true(reader.failed);
    assert_int_equal(count, 0);
  }
  /* Sizes of values and keys. */
  static const uint64_t too_long[] = {SYNC_VALUE_BYTES_LIMIT + 1, UINT32_MAX, UINT64_MAX};
  for (size_t i = 0; i < COUNT(too_long); i++) {
    writer = bytes_writer_to(room, sizeof room);
    image_sibling_write(&writer, &(struct image_sibling){.place = 0, .seq = 1, .value = room, .value_size = 0});
    writer.size--;
    bytes_write_varint(&writer, too_long[i]);
    struct bytes_reader reader = bytes_reader_of(room, sizeof room);
    struct image_sibling read;
    assert_false(image_next_sibling(&reader, &read));
    assert_int_equal(read.value_size, 0);
  }
  writer = bytes_writer_to(room, sizeof room);
  bytes_write_varint(&writer, SYNC_KEY_BYTES_MAX + 1);
  struct bytes_reader reader = bytes_reader_of(room, sizeof room);
  const uint8_t *key = NULL;
  size_t key_size = 0, count = 0;
  assert_false(image_next_key(&reader, &key, &key_size, &count));
}

static bool refuses_key(const uint8_t *bytes, size_t size) {
  return !read_copy(&vectors[2], bytes, size);
}
static bool refuses_origin(const uint8_t *bytes, size_t size) {
  return !read_copy(&vectors[1], bytes, size);
}

static void what_says_nothing_is_refused(void **state) {
  (void)state;
  assert_true(refuses_key(BYTES("\0\1\0\1hhhhhhhh\1")));    /* an empty key */
  assert_true(refuses_key(BYTES("\1k\0")));                 /* a key without siblings */
  assert_true(refuses_key(BYTES("\1k\1\0\0hhhhhhhh\1")));   /* seq 0 */
  assert_true(refuses_key(BYTES("\1k\1\0\1hhhhhhhh\4\0"))); /* a flag that nobody knows */
  assert_true(refuses_key(BYTES("\1k\1\0\1hhhhhhhh\x81"))); /* ... beside one that all know */
  assert_false(refuses_key(BYTES("\1k\1\0\1hhhhhhhh\1")));
  assert_true(refuses_key(BYTES("\1k\1\0\x81\0hhhhhhhh\1"))); /* a varint that is not the shortest */
  assert_false(refuses_origin(BYTES("\1a\1\0\0\0\0\0\0\0\1hhhhhhhh\0")));
  assert_true(refuses_origin(BYTES("\0\1\0\0\0\0\0\0\0\1hhhhhhhh\0")));      /* no node id */
  assert_true(refuses_origin(BYTES("\1*\1\0\0\0\0\0\0\0\1hhhhhhhh\0")));     /* no valid one */
  assert_true(refuses_origin(BYTES("\1a\0\0\0\0\0\0\0\0\1hhhhhhhh\0")));     /* incarnation 0 */
  assert_true(refuses_origin(BYTES("\1a\1\0\0\0\0\0\0\0\0hhhhhhhh\0")));     /* none of its operations */
  assert_true(refuses_origin(BYTES("\1a\1\0\0\0\0\0\0\0\1hhhhhhhh\1\0\0"))); /* a birth that names nothing */
}

/* The greatest of all fits the room that the macros promise to whoever reserves it. */
static void sizes_are_within_what_is_reserved(void **state) {
  (void)state;
  char id[SYNC_NODE_ID_BYTES_MAX];
  memset(id, 'x', sizeof id);
  struct bytes_writer writer = bytes_writer_to(room, IMAGE_ORIGIN_BYTES_MAX);
  image_origin_write(&writer, &(struct image_origin){.node_id = (const uint8_t *)id,
                                                     .node_id_size = sizeof id,
                                                     .incarnation = UINT64_MAX,
                                                     .seq = UINT64_MAX,
                                                     .hlc = UINT64_MAX,
                                                     .birth_count = UINT32_MAX});
  assert_false(writer.failed);
  writer = bytes_writer_to(room, IMAGE_SIBLING_BYTES_MAX(3));
  image_sibling_write(&writer, &(struct image_sibling){.place = UINT64_MAX,
                                                       .seq = UINT64_MAX,
                                                       .hlc = UINT64_MAX,
                                                       .automatic = true,
                                                       .value = (const uint8_t *)"abc",
                                                       .value_size = 3});
  assert_false(writer.failed);
  writer = bytes_writer_to(room, IMAGE_KEY_BYTES_MAX(200));
  static const uint8_t key[200];
  image_key_write(&writer, key, sizeof key, SIZE_MAX);
  assert_false(writer.failed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_head_is_these_bytes),
      cmocka_unit_test(origins_with_their_births_are_these_bytes),
      cmocka_unit_test(keys_with_siblings_of_every_kind_are_these_bytes),
      cmocka_unit_test(an_end_is_these_bytes),
      cmocka_unit_test(what_is_cut_is_refused_where_no_item_ends),
      cmocka_unit_test(any_byte_changed_is_refused_or_a_valid_view),
      cmocka_unit_test(random_bytes_are_refused_or_valid_views),
      cmocka_unit_test(a_head_of_another_version_is_said_to_be_that),
      cmocka_unit_test(counts_that_cannot_be_are_refused_before_they_are_believed),
      cmocka_unit_test(what_says_nothing_is_refused),
      cmocka_unit_test(sizes_are_within_what_is_reserved),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
