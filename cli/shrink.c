/* syncsim shrink: a failing run made small, and told as a scenario that stands alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/named.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/recording.h"
#include "cli/shrunk.h"
#include "lua/text/units.h"
#include "reports/utf8.h"
#include "search/bundle.h"
#include "search/deviation.h"
#include "search/room.h"
#include "search/shrink.h"

#define TIME_NS (60 * SIM_SECOND)

enum { OPTION_SEED = 1, OPTION_TIME, OPTION_JOBS, OPTION_OUT, OPTION_QUIET, OPTION_WATCHDOG };

static const struct option long_options[] = {{"seed", required_argument, NULL, OPTION_SEED},
                                             {"time", required_argument, NULL, OPTION_TIME},
                                             {"jobs", required_argument, NULL, OPTION_JOBS},
                                             {"out", required_argument, NULL, OPTION_OUT},
                                             {"quiet", no_argument, NULL, OPTION_QUIET},
                                             {"watchdog", required_argument, NULL, OPTION_WATCHDOG},
                                             OPTIONS_OF_SCENARIOS,
                                             OPTIONS_OF_WORLDS,
                                             {"help", no_argument, NULL, OPTIONS_HELP},
                                             {NULL, 0, NULL, 0}};

struct shrinking {
  struct shrink_options options;
  struct shrink_result result;
  struct params set;
  struct scenario_info info;
  const char *target, *out;
  struct bundle bundle;
  bool is_bundle, seed_given, quiet;
  struct sim_choice_table *choices;
  char scratch[64];
};

static bool take_option(struct shrinking *shrinking, int option, const char *value) {
  uint64_t number = 0;
  switch (option) {
  case OPTION_SEED:
    shrinking->seed_given = true;
    return option_seed("seed", value, &shrinking->options.seed);
  case OPTION_TIME:
    return option_duration("time", value, &shrinking->options.time_ns);
  case OPTION_WATCHDOG:
    return option_duration("watchdog", value, &shrinking->options.suite.watchdog_ns);
  case OPTION_JOBS:
    if (!option_number("jobs", value, 1, SUITE_JOBS_MAX, &number)) return false;
    shrinking->options.suite.jobs = (uint32_t)number;
    return true;
  case OPTION_OUT:
    shrinking->out = value;
    return true;
  case OPTION_QUIET:
    shrinking->quiet = true;
    return true;
  case OPTION_SET:
    return option_set(value, &shrinking->set);
  default:
    return option_world(option, value, &shrinking->options.suite.sim);
  }
}

/* --- What is made small ------------------------------------------------------------------- */

static bool open_bundle(struct shrinking *shrinking) {
  char path[BUNDLE_PATH_BYTES + 32], error[256];
  struct stat status;
  const char *folder = shrinking->target;
  if (!bundle_read(folder, &shrinking->bundle, error, sizeof error)) {
    (void)fprintf(stderr, "syncsim: '%s' is not a bundle that can be replayed: %s\n", folder, error);
    return false;
  }
  if (shrinking->seed_given || shrinking->set.count > 0) {
    (void)fprintf(stderr,
                  "syncsim: the bundle '%s' says its seed and what is set; --seed and --set ask for another run\n",
                  folder);
    return false;
  }
  shrinking->seed_given = true;
  shrinking->options.seed = shrinking->bundle.seed;
  shrinking->set = shrinking->bundle.set;
  if (bundle_path(path, sizeof path, folder, "choices") && stat(path, &status) == 0) {
    uint64_t seed = 0;
    shrinking->choices = recording_read(path, &seed);
    if (shrinking->choices == NULL) return false;
  }
  if (!bundle_path(path, sizeof path, folder, "scenario.lua")) return false;
  shrinking->options.file = named_open(path, &shrinking->set);
  return shrinking->options.file != NULL &&
         scenario_file_set_variant(shrinking->options.file, shrinking->bundle.variant);
}

static bool open_target(struct shrinking *shrinking) {
  shrinking->is_bundle = bundle_is(shrinking->target);
  if (shrinking->is_bundle) return open_bundle(shrinking);
  shrinking->options.file = named_open(shrinking->target, &shrinking->set);
  if (shrinking->options.file == NULL) return false;
  if (!shrinking->seed_given) (void)fprintf(stderr, "syncsim: which seed? Give --seed S, or a bundle\n");
  return shrinking->seed_given;
}

/* 0, or the exit status after a message. */
static int describe(struct shrinking *shrinking) {
  struct scenario_error error;
  struct sim *sim = sim_open(&shrinking->options.suite.sim);
  char why[400];
  if (sim == NULL) {
    room_refused(&shrinking->options.suite.sim, why, sizeof why);
    (void)fprintf(stderr, "syncsim: %s\n", why);
    return EXIT_HARNESS;
  }
  const int wrong = outcome_describe(sim, shrinking->options.file, &shrinking->info, &error);
  sim_close(sim);
  if (wrong != 0) (void)fprintf(stderr, "%s\n", error.text);
  if (wrong != 0) return wrong == -1 ? EXIT_SCENARIO : EXIT_HARNESS;
  return named_one(shrinking->options.file, &shrinking->info) ? EXIT_HELD : EXIT_USAGE;
}

/* --- What is said ---------------------------------------------------------------------------- */

static void show_progress(void *arg, const struct shrink_step *step, size_t events, uint64_t runs) {
  const struct shrinking *shrinking = arg;
  if (shrinking->quiet || !isatty(STDERR_FILENO)) return;
  (void)fprintf(stderr, "\r\033[Kshrinking: %zu events after %llu runs; %s", events, (unsigned long long)runs,
                step->what);
  (void)fflush(stderr);
}

static void say(const char *label, const char *text) {
  char *clean = utf8_clean(text, UTF8_FOR_LINE, 4096);
  (void)printf("%s%s\n", label, clean == NULL ? "" : clean);
  free(clean);
}

/* Passes that left fewer than any before them. */
static void say_steps(const struct shrink_result *result) {
  size_t least = result->events_before;
  (void)printf("\nwhat was taken away       events left     runs\n  %-22s %13zu\n", "", least);
  for (size_t i = 0; i < result->step_count; i++) {
    const struct shrink_step *step = &result->steps[i];
    if (step->after >= least) continue;
    least = step->after;
    (void)printf("  %-22s %13zu %8llu\n", step->what, step->after, (unsigned long long)step->runs);
  }
  (void)printf("  %-22s %13zu %8llu\n\n", "told as statements", result->told.plain.statement_count + result->told.fates,
               (unsigned long long)result->told.runs);
}

static bool write_out(FILE *file, const void *arg) {
  return fputs(arg, file) >= 0;
}

static int write_scenario(const struct shrinking *shrinking) {
  char *text = shrunk_scenario(&shrinking->result, shrinking->info.name, shrinking->options.seed);
  int status = text == NULL ? EXIT_HARNESS : EXIT_HELD;
  if (text != NULL && shrinking->out == NULL)
    (void)fputs(text, stdout);
  else if (text != NULL && !output_write(shrinking->out, write_out, text))
    status = EXIT_HARNESS;
  else if (text != NULL && !shrinking->quiet)
    (void)printf("wrote %s: syncsim run %s\n", shrinking->out, shrinking->out);
  free(text);
  return status;
}

static int say_what_is_left(const struct shrinking *shrinking) {
  const struct retelling *told = &shrinking->result.told;
  const char *why = told->end == RETELLING_NO_WORDS ? "the language has no words for some of what was done"
                    : told->end == RETELLING_OTHERWISE
                        ? "told as statements of a script, it does not fail in the same way"
                        : "there was no time to tell it as a scenario";
  (void)printf("no scenario that stands alone: %s. What is left of the run:\n\n", why);
  for (size_t i = 0; i < told->plain.statement_count; i++) {
    char time[64];
    units_format_duration(told->plain.statements[i].time_ns, time, sizeof time);
    (void)printf("  %-16s %s\n", time, told->plain.statements[i].text);
  }
  const struct sim_choice_table *choices = shrinking->result.choices;
  for (size_t i = 0; choices != NULL && i < sim_choice_table_count(choices); i++) {
    char text[SIM_TAG_TEXT_BYTES];
    uint64_t outcome = 0;
    const struct sim_tag tag = sim_choice_table_at(choices, i, &outcome);
    if (!deviation_is_fate(tag.kind)) continue;
    sim_tag_write(tag, text);
    (void)printf("  by chance        %s = %llu\n", text, (unsigned long long)outcome);
  }
  return EXIT_HARNESS;
}

static int report(const struct shrinking *shrinking) {
  const struct shrink_result *result = &shrinking->result;
  switch (result->end) {
  case SHRINK_HELD:
    (void)printf("this run holds: there is nothing to make small\n");
    return EXIT_VIOLATED;
  case SHRINK_WRONG:
    (void)fprintf(stderr, "%s\n", result->first.detail);
    return EXIT_SCENARIO;
  case SHRINK_NOT_REPEATED:
    (void)fprintf(stderr, "syncsim: the run does not repeat itself, so nothing was made small: see 'syncsim diff'\n");
    return EXIT_NOT_DETERMINISTIC;
  case SHRINK_HARNESS:
    (void)fprintf(stderr, "syncsim: the run could not be made small: %s\n",
                  result->first.detail[0] != '\0'     ? result->first.detail
                  : result->first.property[0] != '\0' ? "its worker process dies or hangs, and leaves no recording"
                                                      : "no worker could be started, or no memory");
    return EXIT_HARNESS;
  case SHRINK_INTERRUPTED:
  case SHRINK_OUT_OF_TIME:
  case SHRINK_DONE:
    break;
  }
  if (!shrinking->quiet && shrinking->out != NULL) {
    say("violated  ", result->first.property);
    say("saw       ", result->first.detail);
    (void)printf("took      %llu runs, %.1f s%s\n", (unsigned long long)result->runs + result->told.runs,
                 (double)result->real_ns / 1e9,
                 result->end == SHRINK_OUT_OF_TIME   ? "; out of time: --time 5min goes on for longer"
                 : result->end == SHRINK_INTERRUPTED ? "; interrupted: this is the best so far"
                                                     : "");
    say_steps(result);
  }
  return shrunk_told(result) ? write_scenario(shrinking) : say_what_is_left(shrinking);
}

/* --- All of it ----------------------------------------------------------------------------------- */

static int shrink_target(struct shrinking *shrinking) {
  if (!open_target(shrinking)) return EXIT_USAGE;
  room_settle(&shrinking->options.suite.sim);
  const int status = describe(shrinking);
  if (status != EXIT_HELD) return status;
  if (!shrunk_scratch(shrinking->scratch, sizeof shrinking->scratch)) return EXIT_HARNESS;
  shrinking->options.scratch = shrinking->scratch;
  shrinking->options.choices = shrinking->choices;
  const bool ran = shrink_run(&shrinking->options, &shrinking->result);
  (void)remove(shrinking->scratch);
  if (!shrinking->quiet && isatty(STDERR_FILENO)) (void)fprintf(stderr, "\r\033[K");
  return ran ? report(shrinking) : EXIT_HARNESS;
}

static int run(const char *program, int argc, char **argv) {
  struct shrinking *shrinking = calloc(1, sizeof *shrinking);
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  int status = -1;
  (void)program;
  if (shrinking == NULL) return EXIT_HARNESS;
  shrinking->options.time_ns = TIME_NS;
  shrinking->options.suite.sim.fill = SIM_FILL_NONE;
  shrinking->options.suite.jobs = processors < 1 ? 1 : processors > 64 ? 64 : (uint32_t)processors;
  shrinking->options.progress = show_progress;
  shrinking->options.progress_arg = shrinking;
  for (int option; status < 0 && (option = options_next(argc, argv, long_options)) != OPTIONS_END;) {
    if (option == OPTIONS_HELP) {
      (void)fputs(command_shrink.help, stdout);
      status = EXIT_HELD;
    } else if (option == OPTIONS_WRONG || !take_option(shrinking, option, optarg)) {
      status = EXIT_USAGE;
    }
  }
  if (status < 0 && argc - optind != 1) {
    (void)fprintf(stderr, "syncsim: shrink takes one scenario file or bundle; see 'syncsim help shrink'\n");
    status = EXIT_USAGE;
  }
  if (status < 0) {
    shrinking->target = argv[optind];
    status = shrink_target(shrinking);
  }
  shrink_free(&shrinking->result);
  sim_choice_table_destroy(shrinking->choices);
  if (shrinking->options.file != NULL) scenario_file_free(shrinking->options.file);
  free(shrinking);
  return status;
}

const struct command command_shrink = {
    "shrink", "make a failing run small, and write it as a scenario",
    "Usage: syncsim shrink FILE --seed S [OPTIONS]\n"
    "       syncsim shrink BUNDLE [OPTIONS]\n"
    "\n"
    "Takes away submits, acts, faults, fates of messages and sectors, nodes, options and\n"
    "time, as long as the same property is violated in the same way, and writes what is\n"
    "left as a scenario that stands alone: plain statements in order of time, and\n"
    "everything else calm. The outcome does not depend on the number of jobs.\n"
    "\n"
    "  --out FILE         write the scenario there (else to standard output)\n"
    "  --time D           take so much real time at most (60s); the best so far is written\n"
    "  --jobs N           worker processes (one per processor)\n"
    "  --seed S           the seed, decimal or 0x-hexadecimal\n"
    "  --set NAME=VALUE   a parameter of the scenario\n"
    "  --watchdog D       end a run that makes no step in so much real time (120s)\n"
    "  --quiet            write the scenario, and say nothing else\n"
    "  --help             show this\n"
    "\n"
    "As of run: --arena SIZE; to check determinism --arena-base ADDR, --fill BYTE.\n"
    "\n"
    "Exit status: 0 it was made small; 1 the run holds; 2 wrong usage; 3 the scenario is\n"
    "wrong; 4 the run does not repeat itself; 5 nothing could be written.\n",
    run};
