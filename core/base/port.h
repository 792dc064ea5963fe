/* Short forms of what the port offers besides memory and files: time,
 * identities, the trace. */
#ifndef SYNC_CORE_BASE_PORT_H
#define SYNC_CORE_BASE_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "core/env.h"

static inline uint64_t port_now(const struct sync_env *env) {
  return env->ops->mono_ns(env->ctx);
}
static inline uint64_t port_unique(const struct sync_env *env) {
  return env->ops->unique(env->ctx);
}
static inline void port_trace(const struct sync_env *env, enum sync_trace_kind kind, const uint64_t *fields,
                              size_t count) {
  env->ops->trace(env->ctx, kind, fields, count);
}
#define PORT_TRACE(env, kind, ...)                                                                                     \
  port_trace((env), (kind), (const uint64_t[]){__VA_ARGS__}, sizeof((uint64_t[]){__VA_ARGS__}) / 8)

/* a + b, or UINT64_MAX. */
static inline uint64_t time_add(uint64_t a, uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

#endif
