/* syncsim replay: one run again, in this process, told in full. */
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
#include "cli/timeline.h"
#include "lua/text/units.h"
#include "reports/utf8.h"
#include "search/build_id.h"
#include "search/bundle.h"
#include "search/outcome.h"
#include "search/room.h"

#define HISTORY_BYTES (256u * 1024u)
#define HISTORY_LINES_MAX 200u

enum {
  OPTION_SEED = 1,
  OPTION_TRACE,
  OPTION_RECORD,
  OPTION_CHOICES,
  OPTION_UNTIL,
  OPTION_HASHES,
  OPTION_WHY,
  OPTION_QUIET,
};

static const struct option long_options[] = {
    {"seed", required_argument, NULL, OPTION_SEED},
    {"trace", required_argument, NULL, OPTION_TRACE},
    {"record", required_argument, NULL, OPTION_RECORD},
    {"choices", required_argument, NULL, OPTION_CHOICES},
    {"until", required_argument, NULL, OPTION_UNTIL},
    {"hashes", no_argument, NULL, OPTION_HASHES},
    {"why", required_argument, NULL, OPTION_WHY},
    {"quiet", no_argument, NULL, OPTION_QUIET},
    OPTIONS_OF_SCENARIOS,
    OPTIONS_OF_WORLDS,
    {"help", no_argument, NULL, OPTIONS_HELP},
    {NULL, 0, NULL, 0},
};

struct replay {
  struct params set;
  struct sim_options sim_options;
  const char *trace_path, *record_path, *choices_path;
  uint64_t until_ns;
  uint64_t seed;
  bool seed_given, hashes, why, quiet;
  uint64_t why_event;

  const char *target; /* the argument */
  bool is_bundle;
  struct bundle bundle;
  char choices_of_bundle[BUNDLE_PATH_BYTES + 32];
  struct scenario_file *file;
  struct scenario_info info;
  struct sim *sim;
  struct sim_choice_table *choices, *record;
  struct sim_trace_log *log;
  struct outcome outcome;
};

static bool take_option(struct replay *replay, int option, const char *value) {
  switch (option) {
  case OPTION_SEED:
    replay->seed_given = true;
    return option_seed("seed", value, &replay->seed);
  case OPTION_TRACE:
    replay->trace_path = value;
    return true;
  case OPTION_RECORD:
    replay->record_path = value;
    return true;
  case OPTION_CHOICES:
    replay->choices_path = value;
    return true;
  case OPTION_UNTIL:
    return option_duration("until", value, &replay->until_ns);
  case OPTION_QUIET:
    replay->quiet = true;
    return true;
  case OPTION_WHY:
    replay->why = true;
    return option_number("why", value, 0, UINT64_MAX, &replay->why_event);
  case OPTION_HASHES:
    replay->hashes = true;
    return true;
  case OPTION_SET:
    return option_set(value, &replay->set);
  default:
    return option_world(option, value, &replay->sim_options);
  }
}

/* What is run: a bundle, or a file and a seed. */
static bool open_target(struct replay *replay) {
  char path[BUNDLE_PATH_BYTES + 32];
  char error[256];
  struct stat status;
  const char *file = replay->target;
  replay->is_bundle = bundle_is(file);
  if (replay->is_bundle) {
    if (!bundle_read(file, &replay->bundle, error, sizeof error)) {
      (void)fprintf(stderr, "syncsim: '%s' is not a bundle that can be replayed: %s\n", file, error);
      return false;
    }
    if (replay->seed_given && replay->seed != replay->bundle.seed) {
      (void)fprintf(stderr, "syncsim: the bundle '%s' holds seed %llu; --seed asks for another\n", file,
                    (unsigned long long)replay->bundle.seed);
      return false;
    }
    replay->seed = replay->bundle.seed;
    replay->seed_given = true;
    if (replay->choices_path == NULL &&
        bundle_path(replay->choices_of_bundle, sizeof replay->choices_of_bundle, file, "choices") &&
        stat(replay->choices_of_bundle, &status) == 0) {
      replay->choices_path = replay->choices_of_bundle;
    }
    if (replay->set.count > 0) {
      (void)fprintf(stderr, "syncsim: the bundle '%s' says what is set; --set asks for another run\n", file);
      return false;
    }
    replay->set = replay->bundle.set;
    (void)bundle_path(path, sizeof path, file, "scenario.lua");
    file = path;
  } else if (stat(file, &status) == 0 && S_ISDIR(status.st_mode)) {
    (void)fprintf(stderr, "syncsim: '%s' is a folder without a manifest, not a bundle\n", file);
    return false;
  }
  replay->file = named_open(file, &replay->set);
  if (replay->file == NULL || !replay->is_bundle) return replay->file != NULL;
  return scenario_file_set_variant(replay->file, replay->bundle.variant);
}

static bool read_choices(struct replay *replay) {
  uint64_t seed = 0;
  if (replay->choices_path != NULL) {
    replay->choices = recording_read(replay->choices_path, &seed);
    if (replay->choices == NULL) return false;
    if (replay->seed_given && replay->seed != seed) {
      (void)fprintf(stderr, "syncsim: '%s' was recorded with seed %llu; --seed asks for another\n",
                    replay->choices_path, (unsigned long long)seed);
      return false;
    }
    replay->seed = seed;
    replay->seed_given = true;
  }
  if (!replay->seed_given) (void)fprintf(stderr, "syncsim: which seed? Give --seed S, or a bundle\n");
  return replay->seed_given;
}

static bool open_world(struct replay *replay) {
  room_settle(&replay->sim_options);
  replay->sim = sim_open(&replay->sim_options);
  replay->log = sim_trace_log_create();
  if (replay->record_path != NULL) replay->record = sim_choice_table_create();
  if (replay->sim != NULL && replay->log != NULL && (replay->record_path == NULL || replay->record != NULL)) {
    return true;
  }
  char text[400] = "no memory for a recording";
  if (replay->sim == NULL) room_refused(&replay->sim_options, text, sizeof text);
  (void)fprintf(stderr, "syncsim: %s\n", text);
  return false;
}

static void run_world(struct replay *replay) {
  const struct scenario_options options = {
      .source = {.seed = replay->seed,
                 .overrides = replay->choices,
                 .rest = replay->choices == NULL ? SIM_REST_SEED : SIM_REST_CALM,
                 .record = replay->record},
      .trace = replay->log,
      .until_ns = replay->until_ns,
  };
  outcome_run(replay->sim, replay->file, &options, NULL, NULL, &replay->outcome);
  if (replay->outcome.verdict == SUITE_VIOLATED && replay->info.must_fail[0] != '\0' &&
      strcmp(replay->info.must_fail, replay->outcome.property) == 0) {
    replay->outcome.verdict = SUITE_FAILED_AS_IT_MUST;
  }
}

static void print_text(const char *label, const char *text, enum utf8_for purpose) {
  char *clean = utf8_clean(text, purpose, HISTORY_BYTES);
  (void)printf("%s%s\n", label, clean == NULL ? "" : clean);
  free(clean);
}

static void print_history(const struct replay *replay) {
  char *text = malloc(HISTORY_BYTES);
  if (text == NULL) return;
  outcome_history(&replay->outcome, replay->log, replay->info.nodes, text, HISTORY_BYTES);
  char *at = text;
  for (unsigned line = 0; *at != '\0' && line < HISTORY_LINES_MAX; line++) {
    char *end = strchr(at, '\n');
    if (end != NULL) *end = '\0';
    print_text(line == 0 ? "history   " : "          ", at, UTF8_FOR_LINE);
    at = end == NULL ? at + strlen(at) : end + 1;
  }
  if (*at != '\0') (void)printf("          ... (--trace FILE writes everything)\n");
  free(text);
}

static void print_params(const struct replay *replay) {
  char line[PARAM_NAME_BYTES + PARAM_VALUE_BYTES + 8];
  for (uint32_t i = 0; i < replay->info.param_count; i++) {
    const struct scenario_param *param = &replay->info.params[i];
    (void)snprintf(line, sizeof line, "%s = %s", param->name, param->value);
    print_text(i == 0 ? "with      " : "          ", line, UTF8_FOR_LINE);
  }
}

static void print_outcome(const struct replay *replay) {
  const struct outcome *outcome = &replay->outcome;
  char time[64];
  print_text("scenario  ", replay->info.name, UTF8_FOR_LINE);
  print_params(replay);
  (void)printf("seed      %llu%s%s\n", (unsigned long long)replay->seed,
               replay->choices == NULL ? "" : ", choices from ", replay->choices == NULL ? "" : replay->choices_path);
  (void)printf("verdict   %s%s\n", suite_verdict_name(outcome->verdict),
               replay->until_ns != 0 && outcome->verdict == SUITE_HELD ? " so far" : "");
  if (outcome->verdict != SUITE_HELD) {
    print_text("property  ", outcome->property, UTF8_FOR_LINE);
    print_text("saw       ", outcome->detail, UTF8_FOR_LINE);
    if (outcome->waits[0] != '\0') print_text("script    ", outcome->waits, UTF8_FOR_LINE);
  }
  units_format_duration(outcome->time_ns, time, sizeof time);
  (void)printf("time      %s of simulated time", time);
  if (outcome->node != 0) (void)printf(", node %u", outcome->node);
  (void)printf("\nevents    %llu\ntrace     0x%016llx\n", (unsigned long long)outcome->events,
               (unsigned long long)outcome->trace_hash);
  if (outcome->verdict != SUITE_HELD && outcome->verdict != SUITE_SCENARIO_WRONG) print_history(replay);
}

/* A bundle's hash must come out again. Says so when it does not; returns the
 * exit status that follows. */
static int compare_with_bundle(const struct replay *replay) {
  char id[BUILD_ID_BYTES];
  if (!replay->is_bundle) return EXIT_HELD;
  build_id(id);
  const bool same_build = strcmp(id, replay->bundle.build) == 0;
  if (!same_build && !replay->quiet)
    (void)printf("build     %s; the bundle was written by build %s\n", id, replay->bundle.build);
  if (replay->until_ns != 0 || replay->outcome.fatal) return EXIT_HELD; /* not the same end */
  if (replay->outcome.trace_hash == replay->bundle.trace_hash) {
    if (!replay->quiet) (void)printf("same as in the bundle\n");
    return EXIT_HELD;
  }
  (void)printf("DIFFERS: the bundle has trace 0x%016llx (%s, %s)\n", (unsigned long long)replay->bundle.trace_hash,
               replay->bundle.verdict, replay->bundle.property);
  return same_build ? EXIT_NOT_DETERMINISTIC : EXIT_HELD;
}

static bool write_record(FILE *file, const void *arg) {
  const struct replay *replay = arg;
  return sim_choice_table_write(replay->record, replay->seed, file);
}

static int status_of(enum suite_verdict verdict) {
  switch (verdict) {
  case SUITE_VIOLATED:
    return EXIT_VIOLATED;
  case SUITE_SCENARIO_WRONG:
    return EXIT_SCENARIO;
  case SUITE_HARNESS:
    return EXIT_HARNESS;
  default:
    return EXIT_HELD;
  }
}

static int replay_target(struct replay *replay) {
  struct scenario_error error;
  if (!open_target(replay) || !read_choices(replay)) return EXIT_USAGE;
  if (!open_world(replay)) return EXIT_HARNESS;
  if (outcome_describe(replay->sim, replay->file, &replay->info, &error) != 0) {
    (void)fprintf(stderr, "%s\n", error.text);
    return EXIT_SCENARIO;
  }
  if (!named_one(replay->file, &replay->info)) return EXIT_USAGE;
  run_world(replay);
  if (replay->hashes) {
    const char *slash = strrchr(replay->target, '/');
    (void)printf("%s %llu 0x%016llx\n", slash == NULL ? replay->target : slash + 1, (unsigned long long)replay->seed,
                 (unsigned long long)replay->outcome.trace_hash);
  } else if (!replay->quiet || status_of(replay->outcome.verdict) != EXIT_HELD) {
    print_outcome(replay);
  }
  int status = exit_status_worse(status_of(replay->outcome.verdict), compare_with_bundle(replay));
  if (replay->why) status = exit_status_worse(status, timeline_why(replay->log, replay->why_event));
  if (replay->trace_path != NULL && !timeline_write(replay->trace_path, replay->log, NULL)) {
    status = exit_status_worse(status, EXIT_HARNESS);
  }
  if (replay->record != NULL && !output_write(replay->record_path, write_record, replay)) {
    status = exit_status_worse(status, EXIT_HARNESS);
  }
  return status;
}

static void replay_free(struct replay *replay) {
  if (replay->sim != NULL) sim_close(replay->sim);
  sim_trace_log_destroy(replay->log);
  sim_choice_table_destroy(replay->choices);
  sim_choice_table_destroy(replay->record);
  if (replay->file != NULL) scenario_file_free(replay->file);
  free(replay);
}

static int run(const char *program, int argc, char **argv) {
  struct replay *replay = calloc(1, sizeof *replay);
  (void)program;
  if (replay == NULL) return EXIT_HARNESS;
  replay->sim_options.fill = SIM_FILL_NONE;
  int status = -1;
  for (int option; status < 0 && (option = options_next(argc, argv, long_options)) != OPTIONS_END;) {
    if (option == OPTIONS_HELP) {
      (void)fputs(command_replay.help, stdout);
      status = EXIT_HELD;
    } else if (option == OPTIONS_WRONG || !take_option(replay, option, optarg)) {
      status = EXIT_USAGE;
    }
  }
  if (status < 0 && argc - optind != 1) {
    (void)fprintf(stderr, "syncsim: replay takes one scenario file or bundle; see 'syncsim help replay'\n");
    status = EXIT_USAGE;
  }
  if (status < 0) {
    replay->target = argv[optind];
    status = replay_target(replay);
  }
  replay_free(replay);
  return status;
}

const struct command command_replay = {
    "replay", "show one run again, from its seed or its bundle",
    "Usage: syncsim replay FILE --seed S [OPTIONS]\n"
    "       syncsim replay FILE --choices F [OPTIONS]\n"
    "       syncsim replay BUNDLE [OPTIONS]\n"
    "\n"
    "Runs one world again and tells its verdict, trace hash, and the history of the\n"
    "operation that it is about. A bundle is a folder that a failure left; replaying it\n"
    "says when the hash or the build differ.\n"
    "\n"
    "  --seed S       the seed, decimal or 0x-hexadecimal\n"
    "  --set N=VALUE  a parameter of the scenario (a bundle says its own)\n"
    "  --trace F      record every step: F.txt as text, F.json for chrome://tracing and\n"
    "                 Perfetto, any other name for 'syncsim trace'\n"
    "  --why EVENT    tell the chain of causes that leads to this event (#EVENT in a trace)\n"
    "  --record F     write every choice that was made\n"
    "  --choices F    take the choices from such a recording; what it lacks is calm\n"
    "  --until T      stop at this simulated time, without a final word: 12s, 1500ms\n"
    "  --quiet        say nothing when the status is 0\n"
    "  --help         show this\n"
    "\n"
    "As of run: --arena SIZE; to check determinism --hashes, --arena-base ADDR, --fill BYTE.\n"
    "\n"
    "Exit status: as of run; 4 when a bundle of this very build does not repeat itself.\n",
    run};
