#include "lua/text/units.h"

#include <stdio.h>
#include <string.h>

struct unit {
  const char *name;
  uint64_t factor;
};

static const struct unit duration_units[] = {
    {"ns", 1u},
    {"us", 1000u},
    {"ms", 1000000u},
    {"s", 1000000000u},
    {"min", UINT64_C(60000000000)},
    {"h", UINT64_C(3600000000000)},
    {NULL, 0},
};
static const struct unit size_units[] = {
    {"B", 1u}, {"KiB", 1024u}, {"MiB", 1024u * 1024u}, {"GiB", 1024u * 1024u * 1024u}, {NULL, 0},
};
static const struct unit share_units[] = {{"%", 10000u}, {"ppm", 1u}, {NULL, 0}};
static const struct unit rate_units[] = {
    {"/s", 1000000000u},
    {"/min", UINT64_C(60000000000)},
    {"/h", UINT64_C(3600000000000)},
    {NULL, 0},
};

/* A quantity of some kind: how to read it and how to speak of it. */
struct quantity {
  const struct unit *units;
  const char *noun;    /* "a duration" */
  const char *example; /* "60s" */
  const char *finest;  /* what a too fine value is finer than */
  const char *most;    /* in whole units: 2^62 of the smallest, or less */
};
static const struct quantity duration_quantity = {duration_units, "a duration", "60s", "1ns", "1281023h"};
static const struct quantity size_quantity = {size_units, "a size", "64KiB", "1B", "4294967296GiB"};
static const struct quantity share_quantity = {share_units, "a share", "1%", "1ppm", "100%"};
static const struct quantity rate_quantity = {rate_units, "a rate", "50/s", "1ns", "1000000000/s"};

/* Digits before and behind the point as one number: 2.5 is {25, 1}. */
struct decimal {
  uint64_t digits;
  unsigned places;
};

static void units_list(const struct unit *units, char *text, size_t size) {
  size_t used = 0;
  text[0] = 0;
  for (const struct unit *unit = units; unit->name && used < size; unit++) {
    int n = snprintf(text + used, size - used, "%s%s", used ? ", " : "", unit->name);
    used += n > 0 ? (size_t)n : 0;
  }
}

static bool fail(struct units_error *error, const struct quantity *quantity, const char *text, size_t size,
                 const char *what) {
  char list[64];
  units_list(quantity->units, list, sizeof list);
  (void)snprintf(error->text, sizeof error->text, "\"%.*s\" %s: write %s like \"%s\" (units: %s)",
                 (int)(size < 40 ? size : 40), text, what, quantity->noun, quantity->example, list);
  return false;
}

/* Reads digits with at most one point. Returns the bytes read, 0 when there is
 * no number; *too_long when it has more digits than any quantity needs. */
static size_t decimal_read(const char *text, size_t size, struct decimal *value, bool *too_long) {
  size_t i = 0, digits = 0;
  bool point = false;
  value->digits = 0;
  value->places = 0;
  *too_long = false;
  for (; i < size; i++) {
    char c = text[i];
    if (c == '.' && !point && digits && i + 1 < size && text[i + 1] >= '0' && text[i + 1] <= '9') {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') break;
    if (value->digits > UINT64_C(99999999999999999)) {
      *too_long = true;
      return i;
    }
    value->digits = value->digits * 10u + (uint64_t)(c - '0');
    value->places += point;
    digits++;
  }
  return digits ? i : 0;
}

static const struct unit *unit_find(const struct unit *units, const char *text, size_t size) {
  for (const struct unit *unit = units; unit->name; unit++)
    if (strlen(unit->name) == size && memcmp(unit->name, text, size) == 0) return unit;
  return NULL;
}

static uint64_t power_of_ten(unsigned places) {
  uint64_t power = 1;
  while (places--)
    power *= 10u;
  return power;
}

static bool quantity_parts(const struct quantity *quantity, const char *text, size_t size, struct decimal *value,
                           const struct unit **unit, struct units_error *error) {
  bool too_long;
  size_t read = decimal_read(text, size, value, &too_long);
  if (too_long) return fail(error, quantity, text, size, "has too many digits");
  if (!read) return fail(error, quantity, text, size, "does not begin with a number");
  if (read == size) return fail(error, quantity, text, size, "has no unit");
  *unit = unit_find(quantity->units, text + read, size - read);
  if (!*unit) {
    char what[64];
    (void)snprintf(what, sizeof what, "has the unknown unit \"%.*s\"", (int)(size - read < 16 ? size - read : 16),
                   text + read);
    return fail(error, quantity, text, size, what);
  }
  return true;
}

/* number x factor as a whole number of the smallest unit. */
static bool quantity_read(const struct quantity *quantity, const char *text, size_t size, uint64_t *result,
                          struct units_error *error) {
  struct decimal value;
  const struct unit *unit;
  if (!quantity_parts(quantity, text, size, &value, &unit, error)) return false;
  /* Shorten trailing zeros, so that "1.000s" is no finer than "1s". */
  while (value.places && value.digits % 10u == 0) {
    value.digits /= 10u;
    value.places--;
  }
  uint64_t factor = unit->factor, divisor = power_of_ten(value.places);
  for (unsigned prime = 2; prime <= 5; prime += 3)
    while (divisor % prime == 0 && factor % prime == 0) {
      divisor /= prime;
      factor /= prime;
    }
  uint64_t whole = value.digits / divisor;
  if (whole * divisor != value.digits) {
    char what[48];
    (void)snprintf(what, sizeof what, "is finer than %s", quantity->finest);
    return fail(error, quantity, text, size, what);
  }
  /* 2^62 keeps sums of two quantities within 64 bits. */
  if (whole && factor > (UINT64_C(1) << 62) / whole) {
    char what[64];
    (void)snprintf(what, sizeof what, "is too great (%s is the most)", quantity->most);
    return fail(error, quantity, text, size, what);
  }
  *result = whole * factor;
  return true;
}

static bool range_read(const struct quantity *quantity, const char *text, size_t size, uint64_t *lo, uint64_t *hi,
                       struct units_error *error) {
  for (size_t i = 0; i + 1 < size; i++) {
    if (text[i] != '.' || text[i + 1] != '.') continue;
    if (!quantity_read(quantity, text, i, lo, error)) return false;
    if (!quantity_read(quantity, text + i + 2, size - i - 2, hi, error)) return false;
    if (*lo > *hi) return fail(error, quantity, text, size, "begins above its end");
    return true;
  }
  if (!quantity_read(quantity, text, size, lo, error)) return false;
  *hi = *lo;
  return true;
}

bool units_duration(const char *text, size_t size, uint64_t *ns, struct units_error *error) {
  return quantity_read(&duration_quantity, text, size, ns, error);
}

bool units_duration_range(const char *text, size_t size, uint64_t *min_ns, uint64_t *max_ns,
                          struct units_error *error) {
  return range_read(&duration_quantity, text, size, min_ns, max_ns, error);
}

bool units_delay(const char *text, size_t size, uint64_t *min_ns, uint64_t *max_ns, uint64_t *mean_ns,
                 struct units_error *error) {
  static const char word[] = " mean ";
  const size_t length = sizeof word - 1;
  *mean_ns = 0;
  for (size_t i = 0; i + length <= size; i++) {
    if (memcmp(text + i, word, length) != 0) continue;
    if (!units_duration(text, i, min_ns, error)) return false;
    if (!units_duration(text + i + length, size - i - length, mean_ns, error)) return false;
    *max_ns = *min_ns;
    if (*mean_ns > *min_ns) return true;
    return fail(error, &duration_quantity, text, size, "has a mean that is not above its least");
  }
  return units_duration_range(text, size, min_ns, max_ns, error);
}

bool units_bandwidth(const char *text, size_t size, uint64_t *bytes_per_s, struct units_error *error) {
  if (size < 2 || memcmp(text + size - 2, "/s", 2) != 0) {
    (void)snprintf(error->text, sizeof error->text, "\"%.*s\" does not end in /s: write a bandwidth like \"64KiB/s\"",
                   (int)(size < 40 ? size : 40), text);
    return false;
  }
  return units_size(text, size - 2, bytes_per_s, error);
}

bool units_size(const char *text, size_t size, uint64_t *bytes, struct units_error *error) {
  return quantity_read(&size_quantity, text, size, bytes, error);
}

bool units_size_range(const char *text, size_t size, uint64_t *min_bytes, uint64_t *max_bytes,
                      struct units_error *error) {
  return range_read(&size_quantity, text, size, min_bytes, max_bytes, error);
}

bool units_share(const char *text, size_t size, uint64_t *ppm, struct units_error *error) {
  if (!quantity_read(&share_quantity, text, size, ppm, error)) return false;
  if (*ppm > 1000000u) return fail(error, &share_quantity, text, size, "is more than 100%");
  return true;
}

bool units_rate(const char *text, size_t size, uint64_t *interval_ns, struct units_error *error) {
  struct decimal value;
  const struct unit *unit;
  if (!quantity_parts(&rate_quantity, text, size, &value, &unit, error)) return false;
  if (!value.digits) return fail(error, &rate_quantity, text, size, "is zero");
  if (value.places > 6) return fail(error, &rate_quantity, text, size, "has more than six decimal places");
  /* At most 3.6e12 x 1e6: fits. */
  *interval_ns = unit->factor * power_of_ten(value.places) / value.digits;
  if (!*interval_ns) return fail(error, &rate_quantity, text, size, "is more than one in a nanosecond");
  return true;
}

static bool signed_read(const struct quantity *quantity, const char *text, size_t size, int64_t *result,
                        struct units_error *error) {
  bool negative = size && text[0] == '-';
  bool sign = negative || (size && text[0] == '+');
  uint64_t value;
  if (!quantity_read(quantity, text + sign, size - sign, &value, error)) return false;
  *result = negative ? -(int64_t)value : (int64_t)value;
  return true;
}

bool units_signed_share(const char *text, size_t size, int64_t *ppm, struct units_error *error) {
  return signed_read(&share_quantity, text, size, ppm, error);
}

bool units_signed_duration(const char *text, size_t size, int64_t *ns, struct units_error *error) {
  return signed_read(&duration_quantity, text, size, ns, error);
}

void units_format_duration(uint64_t ns, char *text, size_t size) {
  const char *name = "s";
  uint64_t factor = 1000000000u;
  if (ns < 1000u) {
    name = "ns", factor = 1;
  } else if (ns < 1000000u) {
    name = "us", factor = 1000u;
  } else if (ns < 1000000000u) {
    name = "ms", factor = 1000000u;
  }
  uint64_t whole = ns / factor, rest = ns % factor;
  if (!rest) {
    (void)snprintf(text, size, "%llu%s", (unsigned long long)whole, name);
    return;
  }
  int places = factor == 1000u ? 3 : factor == 1000000u ? 6 : 9;
  while (rest % 10u == 0) {
    rest /= 10u;
    places--;
  }
  (void)snprintf(text, size, "%llu.%0*llu%s", (unsigned long long)whole, places, (unsigned long long)rest, name);
}
