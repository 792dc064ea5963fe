/* Quantities with units, as scenarios write them: "60s", "5ms..50ms", "0.5%",
 * "200ppm", "64KiB", "50/s". Whole numbers only: "2.5s" is read as decimal
 * digits, never as a floating-point number.
 */
#ifndef LUA_TEXT_UNITS_H
#define LUA_TEXT_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNITS_ERROR_BYTES 200u

/* What is wrong with a quantity, and what would be right. */
struct units_error {
  char text[UNITS_ERROR_BYTES];
};

/* Each gives true, or false with *error. `text` need not end in NUL. */

/* "60s" in nanoseconds; units ns, us, ms, s, min, h. */
bool units_duration(const char *text, size_t size, uint64_t *ns, struct units_error *error);
/* "5ms..50ms", or one duration for both ends. */
bool units_duration_range(const char *text, size_t size, uint64_t *min_ns, uint64_t *max_ns, struct units_error *error);
/* A range as above with *mean_ns 0, or "5ms mean 20ms": at least 5 ms, and
 * 20 ms in the mean (min and max are both 5 ms then). */
bool units_delay(const char *text, size_t size, uint64_t *min_ns, uint64_t *max_ns, uint64_t *mean_ns,
                 struct units_error *error);
/* "64KiB/s" in bytes per second. */
bool units_bandwidth(const char *text, size_t size, uint64_t *bytes_per_s, struct units_error *error);
/* "64KiB" in bytes; units B, KiB, MiB, GiB. */
bool units_size(const char *text, size_t size, uint64_t *bytes, struct units_error *error);
bool units_size_range(const char *text, size_t size, uint64_t *min_bytes, uint64_t *max_bytes,
                      struct units_error *error);
/* "1%" or "200ppm" in parts per million, at most 1,000,000. */
bool units_share(const char *text, size_t size, uint64_t *ppm, struct units_error *error);
/* "50/s" as the time between two, in nanoseconds; per s, min or h. */
bool units_rate(const char *text, size_t size, uint64_t *interval_ns, struct units_error *error);
/* "-200ppm" or "3s": signed, for clocks. */
bool units_signed_share(const char *text, size_t size, int64_t *ppm, struct units_error *error);
bool units_signed_duration(const char *text, size_t size, int64_t *ns, struct units_error *error);

/* The exact text of a duration: "12.000000001s", "50ms". */
void units_format_duration(uint64_t ns, char *text, size_t size);

#endif
