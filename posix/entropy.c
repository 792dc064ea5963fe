#include "posix/entropy.h"

#include <errno.h>
#include <stddef.h>
#include <sys/random.h>

bool entropy_bits(uint64_t *bits) {
  unsigned char bytes[8];
  size_t have = 0;
  while (have < sizeof bytes) {
    ssize_t got = getrandom(bytes + have, sizeof bytes - have, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    have += (size_t)got;
  }
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof bytes; i++)
    value = value << 8 | bytes[i];
  *bits = value;
  return true;
}

bool entropy_below(uint64_t n, uint64_t *value) {
  /* Draws below 2^64 mod n are thrown away: the rest divides evenly by n. */
  uint64_t reject_below = (0 - n) % n;
  uint64_t bits;
  do {
    if (!entropy_bits(&bits)) return false;
  } while (bits < reject_below);
  *value = bits % n;
  return true;
}
