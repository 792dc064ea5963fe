/* Options of a command line, with messages that say what would be right. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/sim.h"

enum option_result {
  OPTIONS_END = -1,
  OPTIONS_WRONG = '?', /* a message was printed: end with EXIT_USAGE */
  OPTIONS_HELP = 'h',  /* --help */
};
/* getopt_long for long options; the first call for an argv must be made with optind == 0. */
int options_next(int argc, char **argv, const struct option *options);

/* Each gives true, or prints what is wrong with the value of --NAME. */
bool option_seed(const char *name, const char *value, uint64_t *seed);
bool option_seeds(const char *name, const char *value, uint64_t *first, uint64_t *last);
bool option_duration(const char *name, const char *value, uint64_t *ns);
bool option_number(const char *name, const char *value, uint64_t lo, uint64_t hi, uint64_t *number);

/* --arena, --arena-base and --fill of every command that runs worlds. */
#define OPTION_ARENA_BASE 1001
#define OPTION_FILL 1002
#define OPTION_ARENA 1003
#define OPTIONS_OF_WORLDS                                                                                              \
  {"arena", required_argument, NULL, OPTION_ARENA}, {"arena-base", required_argument, NULL, OPTION_ARENA_BASE}, {      \
    "fill", required_argument, NULL, OPTION_FILL                                                                       \
  }
/* Takes one of them. */
bool option_world(int option, const char *value, struct sim_options *sim);

#endif
