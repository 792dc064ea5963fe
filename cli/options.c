#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/text/nearest.h"
#include "lua/text/units.h"
#include "search/room.h"
#include "search/seeds.h"

#define OPTIONS_MAX 32u

static void unknown(const char *argument, const struct option *options) {
  const char *names[OPTIONS_MAX];
  char word[64];
  size_t count = 0;
  for (; count < OPTIONS_MAX && options[count].name != NULL; count++) {
    names[count] = options[count].name;
  }
  const char *at = argument + strspn(argument, "-");
  (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(at, "="), at);
  const char *near = nearest_word(word, names, count);
  (void)fprintf(stderr, "syncsim: unknown option '%s'", argument);
  if (near != NULL) (void)fprintf(stderr, "; did you mean '--%s'?", near);
  (void)fputc('\n', stderr);
}

int options_next(int argc, char **argv, const struct option *options) {
  opterr = 0;
  const int result = getopt_long(argc, argv, ":h", options, NULL);
  if (result == ':') {
    (void)fprintf(stderr, "syncsim: option '%s' needs a value\n", argv[optind - 1]);
    return OPTIONS_WRONG;
  }
  if (result != '?') return result;
  for (const struct option *option = options; optopt != 0 && option->name != NULL; option++) {
    if (option->val != optopt) continue;
    (void)fprintf(stderr, "syncsim: option '--%s' takes no value\n", option->name);
    return OPTIONS_WRONG;
  }
  if (optopt != 0 && strncmp(argv[optind - 1], "--", 2) != 0) {
    (void)fprintf(stderr, "syncsim: unknown option '-%c'\n", optopt);
  } else {
    unknown(argv[optind - 1], options);
  }
  return OPTIONS_WRONG;
}

bool option_seed(const char *name, const char *value, uint64_t *seed) {
  if (seeds_parse_one(value, seed)) return true;
  (void)fprintf(stderr, "syncsim: --%s '%s' is not a seed: write a number of 64 bits, decimal or 0x-hexadecimal\n",
                name, value);
  return false;
}

bool option_seeds(const char *name, const char *value, uint64_t *first, uint64_t *last) {
  const char *why = "";
  if (seeds_parse_range(value, first, last, &why)) return true;
  (void)fprintf(stderr, "syncsim: --%s '%s' %s\n", name, value, why);
  return false;
}

bool option_duration(const char *name, const char *value, uint64_t *ns) {
  struct units_error error;
  if (units_duration(value, strlen(value), ns, &error)) {
    if (*ns > 0) return true;
    (void)snprintf(error.text, sizeof error.text, "it is zero");
  }
  (void)fprintf(stderr, "syncsim: --%s '%s' is not a time such as 90s or 5min: %s\n", name, value, error.text);
  return false;
}

bool option_number(const char *name, const char *value, uint64_t lo, uint64_t hi, uint64_t *number) {
  if (seeds_parse_one(value, number) && *number >= lo && *number <= hi) return true;
  (void)fprintf(stderr, "syncsim: --%s '%s' is not a number from %llu to %llu\n", name, value, (unsigned long long)lo,
                (unsigned long long)hi);
  return false;
}

static bool option_arena(const char *value, uint64_t *bytes) {
  struct units_error error;
  if (!units_size(value, strlen(value), bytes, &error)) {
    (void)fprintf(stderr, "syncsim: --arena '%s' is not a size such as 4GiB: %s\n", value, error.text);
    return false;
  }
  if (*bytes >= ROOM_ARENA_MIN && *bytes <= ROOM_ARENA_MAX) return true;
  (void)fprintf(stderr, "syncsim: --arena '%s' is outside 1MiB to 1024GiB\n", value);
  return false;
}

bool option_world(int option, const char *value, struct sim_options *sim) {
  uint64_t number = 0;
  if (option == OPTION_ARENA) return option_arena(value, &sim->arena_bytes);
  if (option == OPTION_FILL) {
    if (!option_number("fill", value, 0, 255, &number)) return false;
    sim->fill = (unsigned)number;
    return true;
  }
  if (!option_number("arena-base", value, 4096, UINTPTR_MAX, &number)) return false;
  sim->arena_base = (uintptr_t)number;
  return true;
}
