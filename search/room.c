#include "search/room.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define DEFAULT_BYTES (sizeof(void *) >= 8 ? UINT64_C(4) << 30 : UINT64_C(256) << 20)
#define LEAST_BYTES (16u * MIB)

const char *room_text(uint64_t bytes, char *text, size_t size) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
  unsigned unit = 0;
  while (unit < 3 && bytes >= 10240) {
    bytes /= 1024;
    unit++;
  }
  if (unit < 3 && bytes >= 1024 && bytes % 1024 == 0) {
    bytes /= 1024;
    unit++;
  }
  (void)snprintf(text, size, "%llu %s", (unsigned long long)bytes, units[unit]);
  return text;
}

const char *room_double(uint64_t bytes) {
  static const char *const sizes[] = {"32MiB", "64MiB", "128MiB", "256MiB", "512MiB", "1GiB",   "2GiB",   "4GiB",
                                      "8GiB",  "16GiB", "32GiB",  "64GiB",  "128GiB", "256GiB", "512GiB", "1024GiB"};
  unsigned i = 0;
  while (i < 15 && ((uint64_t)32 * MIB << i) < 2 * bytes) {
    i++;
  }
  return sizes[i];
}

/* The first number in a file of the system; 0: none. */
static uint64_t read_number(const char *path) {
  char line[64];
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  const uint64_t number = fgets(line, sizeof line, file) == NULL ? 0 : strtoull(line, NULL, 10);
  (void)fclose(file);
  return number;
}

static uint64_t less(uint64_t a, uint64_t b) {
  return b != 0 && b < a ? b : a;
}

/* Of the machine, or of the container. */
static uint64_t memory_bytes(void) {
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  uint64_t bytes = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;
  bytes = less(bytes, read_number("/sys/fs/cgroup/memory.max"));
  return less(bytes, read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
}

/* What `ulimit` leaves to this process; UINT64_MAX: it sets no bound. */
static uint64_t address_space_left(void) {
  const uint64_t used = read_number("/proc/self/statm") * (uint64_t)sysconf(_SC_PAGESIZE);
  uint64_t left = UINT64_MAX;
  for (int i = 0; i < 2; i++) {
    struct rlimit limit;
    if ((i == 0 ? getrlimit(RLIMIT_AS, &limit) : getrlimit(RLIMIT_DATA, &limit)) != 0) continue;
    if (limit.rlim_cur == RLIM_INFINITY) continue;
    const uint64_t rest = limit.rlim_cur > used ? limit.rlim_cur - used : 0;
    if (rest < left) left = rest;
  }
  return left;
}

void room_settle(struct sim_options *options) {
  if (options->arena_bytes != 0) return;
  uint64_t bytes = DEFAULT_BYTES;
  const uint64_t half = memory_bytes() / 2, left = address_space_left();
  if (half < bytes) bytes = half;
  if (left != UINT64_MAX && left / 4 * 3 < bytes) bytes = left / 4 * 3;
  if (bytes < LEAST_BYTES) bytes = LEAST_BYTES;
  options->arena_bytes = bytes / MIB * MIB;
}

void room_refused(const struct sim_options *options, char *text, size_t size) {
  const int why = errno;
  char wished[32], left[32];
  const uint64_t bytes = options->arena_bytes == 0 ? UINT64_C(1) << 30 : options->arena_bytes;
  const uint64_t rest = address_space_left();
  if (options->arena_base != 0) {
    (void)snprintf(text, size, "no arena of %s at the address 0x%llx: it is taken, or no place for one (%s)",
                   room_text(bytes, wished, sizeof wished), (unsigned long long)options->arena_base, strerror(why));
    return;
  }
  (void)snprintf(text, size,
                 "no address space for an arena of %s (%s)%s%s: ask for less with --arena, such as --arena 256MiB, or "
                 "give the process more (ulimit -v)",
                 room_text(bytes, wished, sizeof wished), strerror(why),
                 rest == UINT64_MAX ? "" : "; ulimit leaves the process ",
                 rest == UINT64_MAX ? "" : room_text(rest, left, sizeof left));
}
