/* What sanitizers and valgrind are told about the arena's blocks. Without
 * them every call here is nothing. */
#ifndef SIM_MEMORY_CHECK_H
#define SIM_MEMORY_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define SIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_ASAN 1
#endif
#endif
#ifndef SIM_ASAN
#define SIM_ASAN 0
#endif

#if SIM_ASAN
#include <sanitizer/asan_interface.h>
#define SIM_REDZONE_BYTES ((size_t)16)
#define SIM_NO_ASAN __attribute__((no_sanitize("address")))
#else
#define SIM_REDZONE_BYTES ((size_t)0)
#define SIM_NO_ASAN
#endif

#if !SIM_ASAN && defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define SIM_VALGRIND 1
#endif
#endif
#ifndef SIM_VALGRIND
#define SIM_VALGRIND 0
#endif

static inline bool sim_under_valgrind(void) {
#if SIM_VALGRIND
  return RUNNING_ON_VALGRIND != 0;
#else
  return false;
#endif
}

/* From now on every access is an error (sanitizer builds). */
static inline void sim_memory_poison(const void *memory, size_t size) {
#if SIM_ASAN
  __asan_poison_memory_region(memory, size);
#else
  (void)memory, (void)size;
#endif
}

static inline void sim_memory_unpoison(const void *memory, size_t size) {
#if SIM_ASAN
  __asan_unpoison_memory_region(memory, size);
#else
  (void)memory, (void)size;
#endif
}

/* The content is indeterminate until written. Only definedness is told, never
 * addressability, so that a plain copy of the arena carries all there is. */
static inline void sim_memory_undefined(void *memory, size_t size) {
#if SIM_VALGRIND
  (void)VALGRIND_MAKE_MEM_UNDEFINED(memory, size);
#else
  (void)memory, (void)size;
#endif
}

#endif
