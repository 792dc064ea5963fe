/* syncsim list: what scenarios say of themselves. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/named.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cli/tags.h"
#include "lua/text/units.h"
#include "reports/utf8.h"
#include "reports/wrap.h"
#include "search/outcome.h"
#include "search/room.h"

#define LIST_JSON_FORMAT 1
#define PATH_COLUMNS_MAX 60u
#define STORY_COLUMNS_MIN 30u

enum { OPTION_JSON = 1, OPTION_LONG, OPTION_TAG };

enum form { FORM_LINES, FORM_LONG, FORM_JSON };

static const struct option long_options[] = {
    {"json", no_argument, NULL, OPTION_JSON},     {"long", no_argument, NULL, OPTION_LONG},
    {"tag", required_argument, NULL, OPTION_TAG}, OPTIONS_OF_SCENARIOS,
    {"help", no_argument, NULL, OPTIONS_HELP},    {NULL, 0, NULL, 0},
};

static json_t *string(const char *text) {
  char *clean = utf8_clean(text, UTF8_FOR_JSON, 4096);
  json_t *value = json_string(clean == NULL ? "" : clean);
  free(clean);
  return value;
}

static json_t *params_json(const struct scenario_info *info) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < info->param_count; i++) {
    const struct scenario_param *param = &info->params[i];
    json_t *object = json_object();
    (void)json_object_set_new(object, "name", string(param->name));
    (void)json_object_set_new(object, "value", string(param->value));
    (void)json_object_set_new(object, "standard", string(param->standard));
    (void)json_object_set_new(object, "about", string(param->about));
    (void)json_array_append_new(list, object);
  }
  return list;
}

static json_t *without_json(const struct scenario_info *info) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < info->without_count; i++) {
    json_t *object = json_object();
    (void)json_object_set_new(object, "oracle", string(info->without[i].oracle));
    (void)json_object_set_new(object, "reason", string(info->without[i].reason));
    (void)json_array_append_new(list, object);
  }
  return list;
}

static json_t *tags_json(const struct scenario_info *info) {
  json_t *tags = json_array();
  for (uint32_t i = 0; i < info->tag_count; i++)
    (void)json_array_append_new(tags, string(info->tags[i]));
  return tags;
}

static json_t *describe_json(const char *path, const struct scenario_info *info) {
  json_t *object = json_object();
  json_t *sometimes = json_array();
  for (uint32_t i = 0; i < info->sometimes_count; i++) {
    (void)json_array_append_new(sometimes, string(info->sometimes[i]));
  }
  json_t *faults = json_array();
  for (size_t i = 0; i < SIM_FAULT_COUNT; i++) {
    if (info->expects[i]) (void)json_array_append_new(faults, string(sim_fault_name((enum sim_fault)i)));
  }
  (void)json_object_set_new(object, "path", string(path));
  (void)json_object_set_new(object, "name", string(info->name));
  (void)json_object_set_new(object, "story", string(info->story));
  (void)json_object_set_new(object, "tags", tags_json(info));
  (void)json_object_set_new(object, "must_fail", info->must_fail[0] == '\0' ? json_null() : string(info->must_fail));
  (void)json_object_set_new(object, "variant", info->variant[0] == '\0' ? json_null() : string(info->variant));
  (void)json_object_set_new(object, "params", params_json(info));
  (void)json_object_set_new(object, "nodes", json_integer((json_int_t)info->nodes));
  (void)json_object_set_new(object, "duration_ns", json_integer((json_int_t)info->duration_ns));
  (void)json_object_set_new(object, "settle_ns", json_integer((json_int_t)info->settle_ns));
  (void)json_object_set_new(object, "sometimes", sometimes);
  (void)json_object_set_new(object, "without", without_json(info));
  (void)json_object_set_new(object, "faults", faults);
  return object;
}

static void print_line(const char *label, const char *text) {
  char *clean = utf8_clean(text, UTF8_FOR_LINE, 4096);
  if (clean != NULL && clean[0] != '\0') (void)printf("  %s%s\n", label, clean);
  free(clean);
}

/* The story, or the name of what has none, behind the path; on a terminal too narrow for both, below it. */
static void describe_line(const char *path, const struct scenario_info *info, unsigned width, unsigned columns) {
  const bool below = columns != 0 && columns < width + 2 + STORY_COLUMNS_MIN;
  char *clean_path = utf8_clean(path, UTF8_FOR_LINE, 4096);
  char *clean = utf8_clean(info->story[0] == '\0' ? info->name : info->story, UTF8_FOR_LINE, 4096);
  if (clean_path != NULL && clean != NULL) {
    const unsigned used = wrap_width(clean_path);
    const unsigned indent = below ? 2 : width + 2;
    (void)printf("%s", clean_path);
    if (below)
      (void)printf("\n  ");
    else
      (void)printf("%*s", (int)(used < width ? width + 2 - used : 2), "");
    (void)wrap_write(stdout, clean, indent, indent, columns);
  }
  free(clean_path);
  free(clean);
}

/* The longest path; one that is very long pushes its own story only. */
static unsigned path_columns(const struct paths *paths) {
  unsigned most = 0;
  for (size_t i = 0; i < paths->count; i++) {
    const unsigned width = wrap_width(scenario_file_label(paths->files[i]));
    if (width > most && width <= PATH_COLUMNS_MAX) most = width;
  }
  return most;
}

static void describe_text(const char *path, const struct scenario_info *info) {
  char duration[64];
  units_format_duration(info->duration_ns, duration, sizeof duration);
  (void)printf("%s\n", path);
  print_line("", info->name);
  (void)printf("  %u node%s, %s\n", info->nodes, info->nodes == 1 ? "" : "s", duration);
  print_line("story: ", info->story);
  print_line("must fail: ", info->must_fail);
  for (uint32_t i = 0; i < info->tag_count; i++)
    print_line("tag: ", info->tags[i]);
  for (uint32_t i = 0; i < info->without_count; i++) {
    char line[sizeof info->without[i] + 8];
    (void)snprintf(line, sizeof line, "%s: %s", info->without[i].oracle, info->without[i].reason);
    print_line("without: ", line);
  }
  for (uint32_t i = 0; i < info->param_count; i++) {
    const struct scenario_param *param = &info->params[i];
    char line[PARAM_NAME_BYTES + 2 * PARAM_VALUE_BYTES + sizeof param->about + 32];
    const bool other = strcmp(param->value, param->standard) != 0;
    (void)snprintf(line, sizeof line, "%s = %s%s%s%s%s%s", param->name, param->value, other ? " (else " : "",
                   other ? param->standard : "", other ? ")" : "", param->about[0] == '\0' ? "" : ": ", param->about);
    print_line("param: ", line);
  }
}

static int list_all(const struct paths *paths, struct sim *sim, enum form form) {
  const unsigned width = path_columns(paths), columns = wrap_columns(stdout);
  json_t *array = json_array();
  int status = EXIT_HELD;
  for (size_t i = 0; i < paths->count; i++) {
    const char *path = scenario_file_label(paths->files[i]);
    struct scenario_info info;
    struct scenario_error error;
    memset(&info, 0, sizeof info);
    if (outcome_describe(sim, paths->files[i], &info, &error) != 0) {
      (void)fprintf(stderr, "%s\n", error.text);
      status = EXIT_SCENARIO;
    } else if (form == FORM_JSON) {
      (void)json_array_append_new(array, describe_json(path, &info));
    } else if (form == FORM_LONG) {
      describe_text(path, &info);
    } else {
      describe_line(path, &info, width, columns);
    }
  }
  if (form == FORM_JSON) {
    json_t *root = json_object();
    (void)json_object_set_new(root, "format", json_integer(LIST_JSON_FORMAT));
    (void)json_object_set(root, "scenarios", array);
    (void)json_dumpf(root, stdout, JSON_INDENT(2));
    (void)fputc('\n', stdout);
    json_decref(root);
  }
  json_decref(array);
  return status;
}

static int run(const char *program, int argc, char **argv) {
  struct sim_options sim_options = {.fill = SIM_FILL_NONE};
  struct paths paths;
  struct params set = {0};
  struct tags tags = {.count = 0};
  enum form form = FORM_LINES;
  (void)program;
  for (int option; (option = options_next(argc, argv, long_options)) != OPTIONS_END;) {
    if (option == OPTIONS_HELP) {
      (void)fputs(command_list.help, stdout);
      return EXIT_HELD;
    }
    if (option == OPTIONS_WRONG || (option == OPTION_SET && !option_set(optarg, &set))) return EXIT_USAGE;
    if (option == OPTION_TAG && !tags_take(&tags, optarg)) return EXIT_USAGE;
    if (option == OPTION_JSON) form = FORM_JSON;
    if (option == OPTION_LONG) form = FORM_LONG;
  }
  int status = paths_read(&paths, argv + optind, argc - optind, &set);
  if (status == EXIT_HELD) room_settle(&sim_options);
  if (status == EXIT_HELD) status = paths_expand(&paths, &sim_options);
  if (status == EXIT_HELD) status = tags_select(&tags, &paths, &sim_options);
  if (status == EXIT_HELD) {
    struct sim *sim = sim_open(&sim_options);
    if (sim == NULL) {
      char why[400];
      room_refused(&sim_options, why, sizeof why);
      (void)fprintf(stderr, "syncsim: %s\n", why);
      status = EXIT_HARNESS;
    } else {
      status = list_all(&paths, sim, form);
      sim_close(sim);
    }
  }
  paths_free(&paths);
  return status;
}

const struct command command_list = {
    "list", "show what scenarios say of themselves",
    "Usage: syncsim list PATH... [--long | --json] [--tag TAG]\n"
    "\n"
    "Shows of each scenario its file and its story in one line: the real failure that it\n"
    "stands for, or its name if it tells none; its variants each by themselves.\n"
    "\n"
    "  --long             name, number of nodes, simulated time, story, parameters and, of a\n"
    "                     canary, the property that must fail\n"
    "  --tag TAG          only scenarios that have this tag; may be repeated\n"
    "  --json             the same for machines (format 1)\n"
    "  --set NAME=VALUE   a parameter of the scenarios\n"
    "  --help             show this\n"
    "\n"
    "Exit status: 0; 2 wrong usage; 3 a scenario is wrong; 5 there is none.\n",
    run};
