/* synctool get, siblings, keys: what a node holds. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "synctool/arguments.h"
#include "synctool/json.h"
#include "synctool/print.h"
#include "synctool/place.h"

static int absent(const uint8_t *key, size_t size, const char *what) {
  (void)fputs("synctool: '", stderr);
  print_bytes(stderr, key, size);
  (void)fprintf(stderr, "' %s\n", what);
  return EXIT_DAMAGED;
}

/* --- get ----------------------------------------------------------------------------- */

static int run_get(int argc, char **argv) {
  const char *operands[2], *raw = NULL;
  const struct argument_option options[] = {{"--raw", false, &raw}, {NULL, false, NULL}};
  uint8_t key[SYNC_KEY_BYTES_MAX];
  size_t size = 0;
  struct place place;
  struct sync_sibling winner;
  int status = EXIT_GOOD;
  if (!arguments_take(&command_get, argc, argv, options, 2, 2, operands, &status)) return status;
  if (!print_parse_key(operands[1], key, &size)) return EXIT_USAGE;
  if (raw != NULL && isatty(STDOUT_FILENO)) {
    (void)fputs("synctool get: --raw writes bytes as they are, and none to a terminal: send them to a file\n", stderr);
    return EXIT_USAGE;
  }
  status = place_read(&place, operands[0]);
  if (status != EXIT_GOOD) return status;
  const int found = sync_get(place.engine, key, size, &winner);
  if (found == SYNC_E_NOT_FOUND) {
    status = absent(key, size, "is no key here, or is deleted ('synctool siblings' tells)");
  } else if (found != SYNC_OK) {
    status = place_complain(operands[0], found, NULL);
  } else if (raw != NULL) {
    (void)fwrite(winner.value, 1, winner.value_size, stdout);
  } else {
    print_bytes(stdout, winner.value, winner.value_size);
    (void)putchar('\n');
  }
  place_close(&place);
  return status;
}

const struct command command_get = {
    "get", "the value of a key",
    "Usage: synctool get DIR KEY [--raw]\n\n"
    "Prints what the key reads as (last write wins), escaped, and a newline. KEY is written as 'synctool keys' prints\n"
    "it: \\xNN for a byte, \\\\ for a backslash. Status 1: there is no such key.\n"
    "  --raw  the bytes as they are, without a newline; not to a terminal\n",
    run_get};

/* --- siblings ------------------------------------------------------------------------- */

struct sibling_order {
  struct sync_sibling winner; /* the greatest; pointers are not used */
  char winner_dot[PRINT_DOT_BYTES];
  uint64_t count;
  bool json, failed;
};

static int tell_sibling(void *arg, const struct sync_sibling *sibling) {
  struct sibling_order *order = arg;
  char dot[PRINT_DOT_BYTES], time[PRINT_TIME_BYTES];
  print_dot(dot, &sibling->dot);
  print_time(time, sibling->hlc);
  const bool wins = strcmp(dot, order->winner_dot) == 0;
  if (order->json) {
    json_t *object = json_object();
    json_put_dot(object, &sibling->dot);
    json_put_number(object, "hlc", sibling->hlc);
    (void)json_object_set_new(object, "wins", json_boolean(wins));
    (void)json_object_set_new(object, "deleted", json_boolean(sibling->tombstone));
    (void)json_object_set_new(object, "by_policy", json_boolean(sibling->automatic));
    if (!sibling->tombstone) json_put_bytes(object, "value", sibling->value, sibling->value_size);
    if (!json_write_line(stdout, object)) order->failed = true;
    return order->failed;
  }
  (void)printf("%s %s  %s%s  ", wins ? "*" : " ", time, dot, sibling->automatic ? " by a policy" : "");
  if (sibling->tombstone)
    (void)fputs("(deleted)", stdout);
  else
    print_bytes(stdout, sibling->value, sibling->value_size);
  (void)putchar('\n');
  return 0;
}

static int compare_u64(uint64_t a, uint64_t b) {
  return a < b ? -1 : a > b;
}
/* As sync.h orders them: (hlc, node id, incarnation, seq). */
static int find_winner(void *arg, const struct sync_sibling *sibling) {
  struct sibling_order *order = arg;
  const struct sync_sibling *best = &order->winner;
  int above = compare_u64(sibling->hlc, best->hlc);
  if (order->count++ > 0) {
    if (above == 0) above = strcmp(sibling->dot.origin.node_id, best->dot.origin.node_id);
    if (above == 0) above = compare_u64(sibling->dot.origin.incarnation, best->dot.origin.incarnation);
    if (above == 0) above = compare_u64(sibling->dot.seq, best->dot.seq);
    if (above < 0) return 0;
  }
  order->winner = *sibling;
  print_dot(order->winner_dot, &sibling->dot);
  return 0;
}

static int run_siblings(int argc, char **argv) {
  const char *operands[2], *json = NULL;
  const struct argument_option options[] = {{"--json", false, &json}, {NULL, false, NULL}};
  uint8_t key[SYNC_KEY_BYTES_MAX];
  size_t size = 0;
  struct place place;
  struct sibling_order order = {0};
  int status = EXIT_GOOD;
  if (!arguments_take(&command_siblings, argc, argv, options, 2, 2, operands, &status)) return status;
  if (!print_parse_key(operands[1], key, &size)) return EXIT_USAGE;
  status = place_read(&place, operands[0]);
  if (status != EXIT_GOOD) return status;
  order.json = json != NULL;
  (void)sync_siblings(place.engine, key, size, find_winner, &order);
  (void)sync_siblings(place.engine, key, size, tell_sibling, &order);
  if (order.count == 0) status = absent(key, size, "is no key here");
  if (order.failed) status = EXIT_STOPPED;
  place_close(&place);
  return status;
}

const struct command command_siblings = {
    "siblings", "who wrote a key, when, and which value wins",
    "Usage: synctool siblings DIR KEY [--json]\n\n"
    "A line for each sibling: * before the one that wins (last write wins), the time of the write, its id\n"
    "(node/incarnation/number), the value or (deleted). KEY is written as for 'synctool get'.\n",
    run_siblings};

/* --- keys ---------------------------------------------------------------------------------- */

struct key_order {
  bool json, failed;
};

static int tell_key(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  struct key_order *order = arg;
  if (order->json) {
    json_t *object = json_object();
    json_put_bytes(object, "key", key, key_size);
    (void)json_object_set_new(object, "deleted", json_boolean(winner->tombstone));
    (void)json_object_set_new(object, "conflict", json_boolean(winner->conflict));
    json_put_number(object, "value_bytes", winner->value_size);
    order->failed = !json_write_line(stdout, object);
  } else {
    print_bytes(stdout, key, key_size);
    (void)putchar('\n');
    order->failed = ferror(stdout) != 0;
  }
  return order->failed;
}

static int run_keys(int argc, char **argv) {
  const char *directory = NULL, *json = NULL, *prefix = NULL, *deleted = NULL;
  const struct argument_option options[] = {
      {"--json", false, &json}, {"--prefix", true, &prefix}, {"--deleted", false, &deleted}, {NULL, false, NULL}};
  uint8_t begin[SYNC_KEY_BYTES_MAX];
  size_t size = 0;
  struct place place;
  int status = EXIT_GOOD;
  if (!arguments_take(&command_keys, argc, argv, options, 1, 1, &directory, &status)) return status;
  if (prefix != NULL && prefix[0] != '\0' && !print_parse_key(prefix, begin, &size)) return EXIT_USAGE;
  status = place_read(&place, directory);
  if (status != EXIT_GOOD) return status;
  struct key_order order = {.json = json != NULL};
  const int listed = sync_iterate(place.engine, begin, size, "", 0, deleted != NULL, tell_key, &order);
  if (listed < 0) status = place_complain(directory, listed, NULL);
  if (order.failed) status = EXIT_STOPPED;
  place_close(&place);
  return status;
}

const struct command command_keys = {
    "keys", "the keys, in order",
    "Usage: synctool keys DIR [--prefix P] [--deleted] [--json]\n\n"
    "One key a line, in bytewise order: characters that can be seen as they are, \\xNN for any other byte, \\\\ for a\n"
    "backslash. What stands there can be given to get, siblings and --prefix.\n"
    "  --prefix P  only those that begin with P\n"
    "  --deleted   also those of which only a tombstone is left\n"
    "  --json      one JSON object a line\n",
    run_keys};
