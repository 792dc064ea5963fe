/* Bytes become the blocks of a staged snapshot, sealed as they should be, with the sum that they have: so only what
 * they say stands between them and the state. Whatever they say, it is merged whole, and then merging it again brings
 * nothing; or it is refused, and nothing has changed. The first byte says which allocation fails at a first try;
 * then each block: its type, 16 bits of length, its payload. With clang:
 *   clang -fsanitize=fuzzer,address,undefined ... fuzz/staged_snapshot.c
 * and with fuzz/main.c instead of libFuzzer it replays files. */
#include "fuzz/staged_snapshot.h"

#include "core/snapshot/snapshot.h"
#include "tests/support/memory_env.h"

#include <stdlib.h>

#define STAGED_BYTES_MAX 65536u
#define STAGED_ID 77u

static void must(bool condition) {
  if (!condition) abort();
}

/* Seals the blocks into `file`; gives its size. */
static size_t build(const uint8_t *data, size_t size, uint8_t *file) {
  struct bytes_reader reader = bytes_reader_of(data, size);
  size_t end = 0;
  uint64_t sum = 0;
  while (bytes_left(&reader) > 0) {
    enum block_type type = (enum block_type)bytes_read_u8(&reader);
    size_t wanted = bytes_read_u16(&reader);
    size_t payload = wanted < bytes_left(&reader) ? wanted : bytes_left(&reader);
    const uint8_t *from = bytes_take(&reader, payload);
    if (reader.failed || end + BLOCK_HEADER_BYTES + payload > STAGED_BYTES_MAX) break;
    if (payload > 0) memcpy(file + end + BLOCK_HEADER_BYTES, from, payload);
    if (type == BLOCK_END && payload == IMAGE_END_BYTES) bytes_put_u64(file + end + BLOCK_HEADER_BYTES + 32, sum);
    block_seal(file + end, type, payload, STAGED_ID, end);
    sum = block_sum(sum, file + end);
    end += BLOCK_HEADER_BYTES + payload;
  }
  return end;
}

static void check_honest(const struct state *state) {
  uint64_t digest = 0, keys = 0, siblings = 0, vector = 0;
  store_recompute(&state->store, &digest, &keys, &siblings);
  must(digest == state->store.digest && keys == state->store.keys && siblings == state->store.siblings);
  for (size_t i = 0; i < origins_count(&state->origins); i++)
    vector += origin_hash(origins_at(&state->origins, i));
  must(vector == state->origins.digest);
}

static void check_empty(const struct state *state) {
  struct btree_cursor first = store_first(&state->store);
  must(btree_key(&first) == NULL && state->store.keys == 0 && state->store.bytes == 0);
  must(origins_count(&state->origins) == 0);
}

int fuzz_staged_snapshot(const uint8_t *data, size_t size) {
  static struct memory_env memory;
  static uint8_t file[STAGED_BYTES_MAX];
  if (size == 0) return SYNC_E_DAMAGED;
  memory_env_init(&memory);
  size_t file_size = build(data + 1, size - 1, file);
  memory_env_put(&memory, "stage", file, file_size);
  struct state state;
  state_init(&state, &memory.env, "me", 1u << 20, 1u << 20);
  struct merge_source source = {.env = &memory.env,
                                .name = "stage",
                                .id = STAGED_ID,
                                .size = file_size,
                                .value_bytes_max = 65536,
                                .payload_bytes_max = 16384};
  struct merge merge;
  memory.fail_alloc_at = data[0];
  int rc = merge_plan(&merge, &state, &source);
  memory.fail_alloc_at = 0;
  if (rc == SYNC_OK) merge_cancel(&merge);
  check_empty(&state);
  rc = merge_plan(&merge, &state, &source);
  if (rc == SYNC_OK) {
    merge_commit(&merge, 1);
    check_honest(&state);
    uint64_t digest = state.store.digest;
    int again = merge_plan(&merge, &state, &source);
    must(again == SYNC_OK && merge.news == 0);
    merge_commit(&merge, 2);
    must(state.store.digest == digest);
  } else {
    check_empty(&state);
  }
  check_honest(&state);
  state_deinit(&state);
  must(memory.blocks == 0 && memory_env_handles(&memory) == 0);
  memory_env_destroy(&memory);
  return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > STAGED_BYTES_MAX) return -1;
  (void)fuzz_staged_snapshot(data, size);
  return 0;
}
