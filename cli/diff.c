/* syncsim diff: where two runs of a scenario part. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/named.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cli/recording.h"
#include "search/outcome.h"
#include "search/parting.h"
#include "search/room.h"
#include "search/seeds.h"

#define TEXT_BYTES 16384u

static const struct option long_options[] = {
    OPTIONS_OF_SCENARIOS, OPTIONS_OF_WORLDS, {"help", no_argument, NULL, OPTIONS_HELP}, {NULL, 0, NULL, 0}};

/* One of the two runs. */
struct side {
  const char *name; /* a seed, or the path of a recording */
  uint64_t seed;
  struct sim_choice_table *choices;
  struct sim_trace_marks *marks;
  struct sim_trace_log *log;
  struct outcome outcome;
};

static bool side_open(struct side *side, const char *name) {
  side->name = name;
  side->log = sim_trace_log_create();
  side->marks = sim_trace_marks_create(0);
  if (side->log == NULL || side->marks == NULL) return false;
  if (seeds_parse_one(name, &side->seed)) return true;
  side->choices = recording_read(name, &side->seed);
  return side->choices != NULL;
}

static void side_run(struct side *side, struct sim *sim, const struct scenario_file *file, struct sim_trace_log *log,
                     struct sim_trace_marks *marks) {
  const struct scenario_options options = {.source = {.seed = side->seed,
                                                      .overrides = side->choices,
                                                      .rest = side->choices == NULL ? SIM_REST_SEED : SIM_REST_CALM},
                                           .trace = log,
                                           .marks = marks};
  outcome_run(sim, file, &options, NULL, NULL, &side->outcome);
}

static void side_close(struct side *side) {
  sim_choice_table_destroy(side->choices);
  sim_trace_marks_destroy(side->marks);
  sim_trace_log_destroy(side->log);
}

/* Both are recorded once more, only where they part. */
static bool record_where_they_part(struct side *sides, struct sim *sim, const struct scenario_file *file, char *text) {
  const struct parting_window window = parting_find(sides[0].marks, sides[1].marks);
  size_t index = 0;
  for (int i = 0; i < 2; i++) {
    sim_trace_log_window(sides[i].log, window.first, window.last);
    side_run(&sides[i], sim, file, sides[i].log, NULL);
  }
  return sim_trace_diff(sides[0].log, sides[1].log, &index, text, TEXT_BYTES);
}

static int tell(struct side *sides, struct sim *sim, const struct scenario_file *file, char *text) {
  if (sides[0].outcome.verdict == SUITE_SCENARIO_WRONG) {
    (void)fprintf(stderr, "%s\n", sides[0].outcome.detail);
    return EXIT_SCENARIO;
  }
  for (int i = 0; i < 2; i++) {
    if (strcmp(sides[i].outcome.property, OUTCOME_ARENA) != 0) continue;
    (void)fprintf(stderr, "syncsim: %s: %s\n", sides[i].name, sides[i].outcome.detail);
    return EXIT_HARNESS;
  }
  if (outcome_equal(&sides[0].outcome, &sides[1].outcome)) {
    (void)printf("equal in all %llu events, with one trace hash\n", (unsigned long long)sides[0].outcome.events);
    return EXIT_HELD;
  }
  if (record_where_they_part(sides, sim, file, text)) {
    (void)printf("%s", text);
  } else {
    (void)printf("the verdicts differ and the recorded steps do not\n");
  }
  return EXIT_VIOLATED;
}

static int compare(struct side *sides, const struct scenario_file *file, struct sim_options *sim_options) {
  room_settle(sim_options);
  struct sim *sim = sim_open(sim_options);
  char *text = malloc(TEXT_BYTES);
  int status = EXIT_HARNESS;
  struct scenario_info info;
  struct scenario_error error;
  if (sim == NULL || text == NULL) {
    char why[400] = "no memory for two worlds";
    if (sim == NULL) room_refused(sim_options, why, sizeof why);
    (void)fprintf(stderr, "syncsim: %s\n", why);
  } else if (outcome_describe(sim, file, &info, &error) == 0 && !named_one(file, &info)) {
    status = EXIT_USAGE;
  } else {
    for (int i = 0; i < 2; i++) {
      side_run(&sides[i], sim, file, NULL, sides[i].marks);
      (void)printf("%c: %s: %s, %llu events, trace 0x%016llx\n", "ab"[i], sides[i].name,
                   suite_verdict_name(sides[i].outcome.verdict), (unsigned long long)sides[i].outcome.events,
                   (unsigned long long)sides[i].outcome.trace_hash);
    }
    status = tell(sides, sim, file, text);
  }
  free(text);
  if (sim != NULL) sim_close(sim);
  return status;
}

static int run(const char *program, int argc, char **argv) {
  struct sim_options sim_options = {.fill = SIM_FILL_NONE};
  struct side sides[2];
  struct params set = {0};
  (void)program;
  memset(sides, 0, sizeof sides);
  for (int option; (option = options_next(argc, argv, long_options)) != OPTIONS_END;) {
    if (option == OPTIONS_HELP) {
      (void)fputs(command_diff.help, stdout);
      return EXIT_HELD;
    }
    if (option == OPTIONS_WRONG) return EXIT_USAGE;
    if (option == OPTION_SET ? !option_set(optarg, &set) : !option_world(option, optarg, &sim_options))
      return EXIT_USAGE;
  }
  if (argc - optind != 3) {
    (void)fprintf(stderr, "syncsim: diff takes a scenario file and two runs; see 'syncsim help diff'\n");
    return EXIT_USAGE;
  }
  if (paths_refuse_bundle(argv[optind])) return EXIT_USAGE;
  struct scenario_file *file = named_open(argv[optind], &set);
  int status = EXIT_USAGE;
  if (file != NULL && side_open(&sides[0], argv[optind + 1]) && side_open(&sides[1], argv[optind + 2])) {
    status = compare(sides, file, &sim_options);
  }
  side_close(&sides[0]);
  side_close(&sides[1]);
  if (file != NULL) scenario_file_free(file);
  return status;
}

const struct command command_diff = {
    "diff", "show where two runs of a scenario part",
    "Usage: syncsim diff FILE A B\n"
    "\n"
    "Runs a scenario twice and names the first step in which the runs differ, with its\n"
    "neighbourhood. A and B are seeds, or recordings that 'replay --record' wrote: for\n"
    "example a seed against its own recording with some choices edited away.\n"
    "\n"
    "  --set NAME=VALUE                 a parameter of the scenario\n"
    "  --arena-base ADDR, --fill BYTE   as of run\n"
    "  --help                           show this\n"
    "\n"
    "Exit status: 0 the runs are equal; 1 they differ; 2 wrong usage; 3 the scenario is\n"
    "wrong; 5 no memory.\n",
    run};
