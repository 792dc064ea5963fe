/* syncsim trace: a recorded timeline, read again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/story.h"
#include "cli/timeline.h"

enum {
  OPTION_NODE = 1,
  OPTION_FROM,
  OPTION_TO,
  OPTION_SUBSYSTEM,
  OPTION_WHY,
  OPTION_OUTPUT,
  OPTION_CHROME,
  OPTION_STORY
};

static const struct option long_options[] = {
    {"node", required_argument, NULL, OPTION_NODE},
    {"from", required_argument, NULL, OPTION_FROM},
    {"to", required_argument, NULL, OPTION_TO},
    {"why", required_argument, NULL, OPTION_WHY},
    {"subsystem", required_argument, NULL, OPTION_SUBSYSTEM},
    {"output", required_argument, NULL, OPTION_OUTPUT},
    {"chrome", no_argument, NULL, OPTION_CHROME},
    {"story", no_argument, NULL, OPTION_STORY},
    {"help", no_argument, NULL, OPTIONS_HELP},
    {NULL, 0, NULL, 0},
};

struct request {
  struct sim_trace_filter filter;
  const char *output;
  bool chrome, why, story;
  uint64_t event;
};

static bool take_subsystem(struct request *request, const char *value) {
  int subsystem = sim_subsystem_find(value);
  if (subsystem < 0) {
    (void)fprintf(stderr, "syncsim: --subsystem is timeline, network, disk, node, cluster or script, not '%s'\n",
                  value);
    return false;
  }
  request->filter.subsystems |= 1u << subsystem;
  return true;
}

static bool take_option(struct request *request, int option, const char *value) {
  uint64_t number = 0;
  switch (option) {
  case OPTION_NODE:
    if (value[0] == 'n') value++;
    if (!option_number("node", value, 1, SIM_NODES_MAX, &number)) return false;
    request->filter.node = (uint32_t)number;
    return true;
  case OPTION_FROM:
    return option_duration("from", value, &request->filter.from_ns);
  case OPTION_TO:
    return option_duration("to", value, &request->filter.to_ns);
  case OPTION_SUBSYSTEM:
    return take_subsystem(request, value);
  case OPTION_WHY:
    request->why = true;
    return option_number("why", value, 0, UINT64_MAX, &request->event);
  case OPTION_OUTPUT:
    request->output = value;
    return true;
  case OPTION_STORY:
    request->story = true;
    return true;
  case OPTION_CHROME:
    request->chrome = true;
    return true;
  default:
    return false;
  }
}

static struct sim_trace_log *read_log(const char *path) {
  char error[128] = "";
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    (void)fprintf(stderr, "syncsim: cannot read '%s': %s\n", path, strerror(errno));
    return NULL;
  }
  struct sim_trace_log *log = sim_trace_log_read(file, error, sizeof error);
  (void)fclose(file);
  if (log == NULL) (void)fprintf(stderr, "syncsim: '%s' is not a whole recording: %s\n", path, error);
  return log;
}

static int serve(const struct request *request, const char *path) {
  if (request->output != NULL && timeline_form_of(request->output) == TIMELINE_BINARY) {
    (void)fprintf(stderr, "syncsim: --output takes a name that ends in .txt or .json, not '%s'\n", request->output);
    return EXIT_USAGE;
  }
  struct sim_trace_log *log = read_log(path);
  if (log == NULL) return EXIT_USAGE;
  int status = EXIT_HELD;
  if (request->story)
    status = story_of_log(log);
  else if (request->why)
    status = timeline_why(log, request->event);
  else if (request->output != NULL)
    status = timeline_write(request->output, log, &request->filter) ? EXIT_HELD : EXIT_HARNESS;
  else if (!timeline_print(request->chrome ? TIMELINE_CHROME : TIMELINE_TEXT, log, &request->filter))
    status = EXIT_HARNESS;
  sim_trace_log_destroy(log);
  return status;
}

static int run(const char *program, int argc, char **argv) {
  struct request request = {.why = false};
  (void)program;
  for (int option; (option = options_next(argc, argv, long_options)) != OPTIONS_END;) {
    if (option == OPTIONS_HELP) {
      (void)fputs(command_trace.help, stdout);
      return EXIT_HELD;
    }
    if (option == OPTIONS_WRONG || !take_option(&request, option, optarg)) return EXIT_USAGE;
  }
  if (argc - optind != 1) {
    (void)fprintf(stderr, "syncsim: trace takes one recording; see 'syncsim help trace'\n");
    return EXIT_USAGE;
  }
  return serve(&request, argv[optind]);
}

const struct command command_trace = {
    "trace", "read a recorded timeline",
    "Usage: syncsim trace F [OPTIONS]\n"
    "\n"
    "Shows a timeline that 'replay --trace F' recorded, one line for each step.\n"
    "\n"
    "  --node N         what node N did, and messages to it\n"
    "  --from T, --to T between these simulated times: 12s, 1500ms\n"
    "  --subsystem S    timeline, network, disk, node, cluster or script; may be repeated\n"
    "  --why EVENT      the chain of causes that leads to this event (#EVENT in the lines)\n"
    "  --story          what 'run --trace' tells: acts, faults, nodes that come and go\n"
    "  --chrome         Chrome's trace events (JSON), for chrome://tracing and Perfetto\n"
    "  --output FILE    write there, as text (.txt) or Chrome's trace events (.json)\n"
    "  --help           show this\n"
    "\n"
    "Exit status: 0; 2 wrong usage, or F is not a whole recording; 5 it cannot be written.\n",
    run};
