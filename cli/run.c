/* syncsim run: scenarios under many seeds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/known.h"
#include "cli/named.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/progress.h"
#include "cli/regressions.h"
#include "cli/run_shrink.h"
#include "cli/story.h"
#include "cli/tags.h"
#include "reports/report.h"
#include "search/room.h"
#include "search/seeds.h"
#include "search/suite.h"

#define SEEDS_DEFAULT 20u

struct run_options {
  struct suite_options suite;
  struct params set;
  struct tags tags;
  struct suite_regressions *regressions;
  struct known_list known;
  const char *known_path;
  unsigned today; /* 20261231; 0: ask the machine */
  bool seeds_given;
  const char *seed_from;
  const char *json, *junit;
  uint64_t shrink_ns;
  bool quiet, hashes, trace, one_seed, no_regressions;
};

enum {
  OPTION_SEEDS = 1,
  OPTION_SEED,
  OPTION_SEED_FROM,
  OPTION_JOBS,
  OPTION_TIME,
  OPTION_JSON,
  OPTION_JUNIT,
  OPTION_FAIL_FAST,
  OPTION_BUNDLES,
  OPTION_QUIET,
  OPTION_HASHES,
  OPTION_WATCHDOG,
  OPTION_SHRINK,
  OPTION_TRACE,
  OPTION_TAG,
  OPTION_KNOWN,
  OPTION_TODAY,
  OPTION_NO_REGRESSIONS,
};

static const struct option long_options[] = {
    {"seeds", required_argument, NULL, OPTION_SEEDS},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"seed-from", required_argument, NULL, OPTION_SEED_FROM},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"time", required_argument, NULL, OPTION_TIME},
    {"json", required_argument, NULL, OPTION_JSON},
    {"junit", required_argument, NULL, OPTION_JUNIT},
    {"fail-fast", no_argument, NULL, OPTION_FAIL_FAST},
    {"bundles", required_argument, NULL, OPTION_BUNDLES},
    {"quiet", no_argument, NULL, OPTION_QUIET},
    {"hashes", no_argument, NULL, OPTION_HASHES},
    {"watchdog", required_argument, NULL, OPTION_WATCHDOG},
    {"shrink", required_argument, NULL, OPTION_SHRINK},
    {"trace", no_argument, NULL, OPTION_TRACE},
    {"no-regressions", no_argument, NULL, OPTION_NO_REGRESSIONS},
    {"tag", required_argument, NULL, OPTION_TAG},
    {"known", required_argument, NULL, OPTION_KNOWN},
    {"today", required_argument, NULL, OPTION_TODAY},
    OPTIONS_OF_SCENARIOS,
    OPTIONS_OF_WORLDS,
    {"help", no_argument, NULL, OPTIONS_HELP},
    {NULL, 0, NULL, 0},
};

static bool take_seeds(struct run_options *options, int option, const char *value) {
  if (options->seeds_given) {
    (void)fprintf(stderr, "syncsim: give --seeds or --seed once\n");
    return false;
  }
  options->seeds_given = true;
  struct suite_options *suite = &options->suite;
  if (option == OPTION_SEEDS) return option_seeds("seeds", value, &suite->seed_first, &suite->seed_last);
  options->one_seed = true;
  if (!option_seed("seed", value, &suite->seed_first)) return false;
  suite->seed_last = suite->seed_first;
  return true;
}

static bool take_option(struct run_options *options, int option, const char *value) {
  uint64_t number = 0;
  switch (option) {
  case OPTION_SEEDS:
  case OPTION_SEED:
    return take_seeds(options, option, value);
  case OPTION_SEED_FROM:
    options->seed_from = value;
    return true;
  case OPTION_JOBS:
    if (!option_number("jobs", value, 1, SUITE_JOBS_MAX, &number)) return false;
    options->suite.jobs = (uint32_t)number;
    return true;
  case OPTION_TIME:
    return option_duration("time", value, &options->suite.time_ns);
  case OPTION_WATCHDOG:
    return option_duration("watchdog", value, &options->suite.watchdog_ns);
  case OPTION_JSON:
    options->json = value;
    return true;
  case OPTION_JUNIT:
    options->junit = value;
    return true;
  case OPTION_FAIL_FAST:
    options->suite.fail_fast = true;
    return true;
  case OPTION_BUNDLES:
    options->suite.bundles = value;
    return true;
  case OPTION_QUIET:
    options->quiet = true;
    return true;
  case OPTION_SHRINK:
    return option_duration("shrink", value, &options->shrink_ns);
  case OPTION_HASHES:
    options->hashes = true;
    return true;
  case OPTION_TRACE:
    options->trace = true;
    return true;
  case OPTION_NO_REGRESSIONS:
    options->no_regressions = true;
    return true;
  case OPTION_KNOWN:
    options->known_path = value;
    return true;
  case OPTION_TODAY:
    options->today = known_day(value);
    if (options->today != 0) return true;
    (void)fprintf(stderr, "syncsim: --today '%s' is no day such as 2026-12-31\n", value);
    return false;
  case OPTION_TAG:
    return tags_take(&options->tags, value);
  case OPTION_SET:
    return option_set(value, &options->set);
  default:
    return option_world(option, value, &options->suite.sim);
  }
}

/* --seed-from TEXT moves a count of seeds to where the text says. */
static bool settle_seeds(struct run_options *options) {
  struct suite_options *suite = &options->suite;
  if (options->seed_from == NULL) return true;
  if (suite->seed_first != 1) {
    (void)fprintf(stderr, "syncsim: --seed-from takes the first seed from its text: give --seeds a plain count\n");
    return false;
  }
  suite->seed_first = seeds_from_text(options->seed_from);
  suite->seed_last += suite->seed_first - 1;
  return true;
}

static bool write_json(FILE *file, const void *arg) {
  return report_json(file, arg);
}
static bool write_junit(FILE *file, const void *arg) {
  return report_junit(file, arg);
}

static void print_hashes(const struct suite_result *result) {
  for (size_t i = 0; i < result->run_count; i++) {
    const struct suite_run *run = &result->runs[i];
    const char *path = result->scenarios[run->scenario].path;
    const char *slash = strrchr(path, '/');
    if (run->verdict == SUITE_NOT_RUN) continue;
    (void)printf("%s %llu 0x%016llx\n", slash == NULL ? path : slash + 1, (unsigned long long)run->seed,
                 (unsigned long long)run->trace_hash);
  }
}

static void print_interruption(const struct suite_result *result) {
  uint64_t done = 0;
  for (size_t i = 0; i < result->run_count; i++) {
    done += result->runs[i].verdict != SUITE_NOT_RUN;
  }
  (void)printf("interrupted: %llu of %llu runs were done\n", (unsigned long long)done,
               (unsigned long long)result->run_count);
}

/* A timeline is of one run: seed 1 when nothing is said. */
static bool settle_trace(struct run_options *options, size_t files) {
  struct suite_options *suite = &options->suite;
  if (!options->trace) return true;
  if (!options->seeds_given) suite->seed_last = suite->seed_first;
  if (files == 1 && suite->seed_first == suite->seed_last) return true;
  (void)fprintf(stderr, "syncsim: --trace tells one run: give one scenario and --seed S\n");
  return false;
}

/* What the worker survived is run here once more, to be told. */
static int trace(const struct run_options *options, const struct suite_result *result,
                 const struct scenario_file *file) {
  const struct suite_run *run = result->run_count == 1 ? &result->runs[0] : NULL;
  if (run != NULL && run->verdict != SUITE_HARNESS && run->verdict != SUITE_NOT_RUN)
    return story_of_run(file, run->seed, &options->suite.sim);
  (void)fprintf(stderr, "syncsim: no timeline, for the run did not come to its end\n");
  return EXIT_HELD;
}

/* Everything that there is to say; the reports are written whatever became of
 * the others. Returns the exit status. */
static int report(const struct run_options *options, const struct suite_result *result) {
  const char *no_colour = getenv("NO_COLOR");
  const bool colour = isatty(STDOUT_FILENO) && (no_colour == NULL || no_colour[0] == '\0');
  int status = result->exit_status;
  if (options->hashes) print_hashes(result);
  if (!options->quiet || status != EXIT_HELD) {
    if (!report_terminal(stdout, result, colour)) status = exit_status_worse(status, EXIT_HARNESS);
    if (result->interrupted) print_interruption(result);
  }
  if (options->json != NULL && !output_write(options->json, write_json, result)) {
    status = exit_status_worse(status, EXIT_HARNESS);
  }
  if (options->junit != NULL && !output_write(options->junit, write_junit, result)) {
    status = exit_status_worse(status, EXIT_HARNESS);
  }
  return status;
}

/* false after a message: the table of such a suite would not fit. */
static bool fits_one_suite(const struct run_options *options, size_t files) {
  const uint64_t last_index = options->suite.seed_last - options->suite.seed_first;
  if (files == 0 || last_index < SUITE_RUNS_MAX / files) return true;
  (void)fprintf(stderr,
                "syncsim: --seeds: %zu scenarios with so many seeds are more than %" PRIu64
                " runs: give at most %" PRIu64 " seeds and split the rest into ranges A..B\n",
                files, SUITE_RUNS_MAX, SUITE_RUNS_MAX / files);
  return false;
}

/* What is to be run: scenarios, and the seeds that lie beside them. */
static int choose(struct run_options *options, struct paths *paths, char **arguments, int count) {
  struct suite_options *suite = &options->suite;
  int status = paths_read(paths, arguments, count, &options->set);
  if (status == EXIT_HELD) room_settle(&suite->sim);
  if (status == EXIT_HELD) status = paths_expand(paths, &suite->sim);
  if (status == EXIT_HELD) status = tags_select(&options->tags, paths, &suite->sim);
  if (status == EXIT_HELD && !fits_one_suite(options, paths->count)) status = EXIT_USAGE;
  if (status == EXIT_HELD && !settle_trace(options, paths->count)) status = EXIT_USAGE;
  if (status == EXIT_HELD && !options->one_seed && !options->trace && !options->no_regressions)
    status = regressions_read(paths, &options->regressions);
  if (status == EXIT_HELD && options->known_path != NULL)
    status = known_read(&options->known, options->known_path, options->today == 0 ? known_today() : options->today);
  suite->regressions = options->regressions;
  suite->known = options->known.items;
  suite->known_count = options->known.count;
  return status;
}

static int run(const char *program, int argc, char **argv) {
  struct run_options options = {0};
  struct progress_line line;
  struct paths paths;
  char error[256];
  options.suite.seed_first = 1;
  options.suite.seed_last = SEEDS_DEFAULT;
  options.suite.bundles = "build/failures";
  options.suite.program = program;
  options.suite.execute_again = true;
  options.suite.sim.fill = SIM_FILL_NONE;
  options.suite.progress = progress_show;
  options.suite.progress_arg = &line;
  for (int option; (option = options_next(argc, argv, long_options)) != OPTIONS_END;) {
    if (option == OPTIONS_HELP) {
      (void)fputs(command_run.help, stdout);
      return EXIT_HELD;
    }
    if (option == OPTIONS_WRONG || !take_option(&options, option, optarg)) return EXIT_USAGE;
  }
  if (!settle_seeds(&options)) return EXIT_USAGE;
  int status = choose(&options, &paths, argv + optind, argc - optind);
  if (status == EXIT_HELD) {
    progress_begin(&line);
    struct suite_result *result = suite_run_all(paths.files, paths.count, &options.suite, error, sizeof error);
    progress_end(&line);
    if (result == NULL) (void)fprintf(stderr, "syncsim: %s\n", error);
    if (result != NULL && options.shrink_ns > 0) run_shrink(result, &paths, &options.suite, options.shrink_ns);
    if (result != NULL && options.trace) status = trace(&options, result, paths.files[0]);
    status = exit_status_worse(status, result == NULL ? EXIT_HARNESS : report(&options, result));
    suite_result_free(result);
  }
  known_free(&options.known);
  regressions_free(options.regressions, paths.count);
  paths_free(&paths);
  return status;
}

const struct command command_run = {
    "run", "run scenarios under many seeds and judge them",
    "Usage: syncsim run PATH... [OPTIONS]\n"
    "\n"
    "Runs every scenario (a file, or all *.lua under a folder but those in bundles and\n"
    "generated folders) under every seed, in worker processes, and prints the\n"
    "verdicts. Each failure is told with one line to paste that shows it again, and\n"
    "leaves a bundle. FILE#VARIANT takes one variant of a file that has some.\n"
    "\n"
    "  --seeds N          seeds 1 to N (20)\n"
    "  --seeds A..B       seeds A to B, decimal or 0x-hexadecimal\n"
    "  --seed S           one seed\n"
    "  --set NAME=VALUE   a parameter of the scenarios (sim.param); as often as needed\n"
    "  --seed-from TEXT   --seeds N starts at a seed made from TEXT, such as a commit id\n"
    "  --known FILE       failures that are known, and count for nothing until a day:\n"
    "                     lines DATE | SCENARIO | PROPERTY | REASON\n"
    "  --today DATE       the day to judge that list by (today, UTC)\n"
    "  --no-regressions   not the seeds that failed once (NAME.seeds beside NAME.lua), which else\n"
    "                     come first; nor are they run with --seed\n"
    "  --tag TAG          only scenarios that have this tag; may be repeated\n"
    "  --jobs N           worker processes (one per processor)\n"
    "  --time D           start no run after so much real time (90s, 5min), and stop those\n"
    "                     that still run another --watchdog later\n"
    "  --fail-fast        stop at the first failure\n"
    "  --json FILE        write a JSON report\n"
    "  --junit FILE       write a JUnit XML report\n"
    "  --shrink D         make the first failure of each kind small, for so much real time\n"
    "                     each (20s), as FOLDER/NAME-SEED/shrunk.lua\n"
    "  --bundles FOLDER   where failures leave their bundles (build/failures)\n"
    "  --watchdog D       end a run that makes no step in so much real time (120s)\n"
    "  --arena SIZE       memory that one world may take, such as 8GiB (4GiB, or what the\n"
    "                     machine and ulimit -v allow)\n"
    "  --trace            tell one run (--seed S) as a timeline: acts, faults, nodes that come\n"
    "                     and go, and between them what happened in numbers\n"
    "  --quiet            say nothing when all held\n"
    "  --help             show this\n"
    "\n"
    "To check determinism:\n"
    "  --hashes           print FILE SEED TRACE_HASH for every run, before the verdicts\n"
    "  --arena-base ADDR  put the arena of every world at this address\n"
    "  --fill BYTE        fill fresh memory of worlds with this byte\n"
    "\n"
    "Exit status: 0 all held; 1 a property was violated, a canary was missed, or a fault\n"
    "or `sometimes` never happened in 20 or more runs; 2 wrong usage; 3 a scenario is wrong;\n"
    "4 a seed did not repeat itself; 5 the harness failed, was interrupted, or nothing ran.\n",
    run};
