#include "core/state/state.h"

void state_init(struct state *state, const struct sync_env *env, const char *own_node_id, uint64_t store_bytes_max,
                size_t operation_bytes_max) {
  memset(state, 0, sizeof *state);
  state->env = env;
  state->store_bytes_max = store_bytes_max;
  state->operation_bytes_max = operation_bytes_max;
  origins_init(&state->origins, env, own_node_id);
  store_init(&state->store, env);
  oplog_init(&state->oplog, env);
}

void state_deinit(struct state *state) {
  const struct sync_env *env = state->env;
  store_deinit(&state->store);
  oplog_deinit(&state->oplog);
  origins_deinit(&state->origins);
  memory_array_free(env, &state->seen, sizeof(struct store_dot), 16);
  memory_array_free(env, &state->plans, sizeof(struct store_plan), 32);
  memory_array_free(env, &state->edges, sizeof(struct origin_edge), ORIGIN_EDGE_NOMINAL_BYTES);
}

void state_replay(struct state *state) {
  state->origins.replaying = true;
}

void state_replayed(struct state *state) {
  origins_replayed(&state->origins);
}
