/* syncsim check: whether scenarios load, without running them. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/named.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "search/outcome.h"
#include "search/room.h"

enum { OPTION_QUIET = 1 };

static const struct option long_options[] = {
    {"quiet", no_argument, NULL, OPTION_QUIET},
    OPTIONS_OF_SCENARIOS,
    {"help", no_argument, NULL, OPTIONS_HELP},
    {NULL, 0, NULL, 0},
};

static int check_all(const struct paths *paths, struct sim *sim, bool quiet) {
  int status = EXIT_HELD;
  for (size_t i = 0; i < paths->count; i++) {
    struct scenario_info info;
    struct scenario_error error;
    memset(&info, 0, sizeof info);
    const int wrong = outcome_describe(sim, paths->files[i], &info, &error);
    if (wrong != 0) {
      (void)fprintf(stderr, "%s\n", error.text);
      status = exit_status_worse(status, wrong == -1 ? EXIT_SCENARIO : EXIT_HARNESS);
    } else if (!quiet) {
      (void)printf("%s: ok\n", scenario_file_label(paths->files[i]));
    }
  }
  return status;
}

static int run(const char *program, int argc, char **argv) {
  struct sim_options sim_options = {.fill = SIM_FILL_NONE};
  struct paths paths;
  struct params set = {0};
  bool quiet = false;
  (void)program;
  for (int option; (option = options_next(argc, argv, long_options)) != OPTIONS_END;) {
    if (option == OPTIONS_HELP) {
      (void)fputs(command_check.help, stdout);
      return EXIT_HELD;
    }
    if (option == OPTIONS_WRONG || (option == OPTION_SET && !option_set(optarg, &set))) return EXIT_USAGE;
    quiet = quiet || option == OPTION_QUIET;
  }
  int status = paths_read(&paths, argv + optind, argc - optind, &set);
  if (status == EXIT_HELD) room_settle(&sim_options);
  if (status == EXIT_HELD) status = paths_expand(&paths, &sim_options);
  if (status == EXIT_HELD) {
    struct sim *sim = sim_open(&sim_options);
    if (sim == NULL) {
      char why[400];
      room_refused(&sim_options, why, sizeof why);
      (void)fprintf(stderr, "syncsim: %s\n", why);
      status = EXIT_HARNESS;
    } else {
      status = check_all(&paths, sim, quiet);
      sim_close(sim);
    }
  }
  paths_free(&paths);
  return status;
}

const struct command command_check = {
    "check", "load scenarios without running them, and say what is wrong",
    "Usage: syncsim check PATH... [--quiet]\n"
    "\n"
    "Loads every scenario (a file, or all *.lua under a folder) as run would, runs no\n"
    "world, and says FILE: ok, or what is wrong, with file and line. What only a run\n"
    "can find, such as a wrong word in the function `run`, it does not see.\n"
    "\n"
    "  --quiet            say nothing of those that are right\n"
    "  --set NAME=VALUE   a parameter of the scenarios\n"
    "  --help             show this\n"
    "\n"
    "Exit status: 0; 2 wrong usage; 3 a scenario is wrong; 5 there is none.\n",
    run};
