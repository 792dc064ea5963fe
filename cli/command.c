#include "cli/command.h"

#include <string.h>

#include "lua/text/nearest.h"

const struct command *const commands[] = {
    &command_run,  &command_replay, &command_diff, &command_shrink,  &command_trace,
    &command_list, &command_check,  &command_new,  &command_version, &command_help,
    NULL};

const struct command *command_find(const char *name) {
  for (size_t i = 0; commands[i] != NULL; i++) {
    if (strcmp(commands[i]->name, name) == 0) return commands[i];
  }
  return NULL;
}

int command_unknown(const char *name) {
  const char *names[sizeof commands / sizeof commands[0]];
  size_t count = 0;
  for (; commands[count] != NULL; count++) {
    names[count] = commands[count]->name;
  }
  const char *near = nearest_word(name, names, count);
  (void)fprintf(stderr, "syncsim: unknown command '%s'", name);
  if (near != NULL) (void)fprintf(stderr, "; did you mean '%s'?", near);
  (void)fprintf(stderr, "\nTry 'syncsim help'.\n");
  return EXIT_USAGE;
}

void command_overview(FILE *file) {
  (void)fprintf(file, "syncsim runs a durable sync engine in simulated worlds of crashes, partitions and\n"
                      "reorderings, each decided by one seed, and judges what it sees.\n\n"
                      "Usage: syncsim COMMAND [ARGUMENTS]\n\n");
  for (size_t i = 0; commands[i] != NULL; i++) {
    (void)fprintf(file, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
  }
  (void)fprintf(file, "\n'syncsim help COMMAND' tells the options of one.\n\n"
                      "Exit status: 0 all held; 1 a property was violated; 2 wrong usage; 3 a scenario is\n"
                      "wrong; 4 a seed did not repeat itself; 5 the harness failed, or nothing ran.\n");
}

int exit_status_worse(int a, int b) {
  static const int rank[] = {[EXIT_HELD] = 0,  [EXIT_HARNESS] = 1,           [EXIT_VIOLATED] = 2,
                             [EXIT_USAGE] = 1, [EXIT_NOT_DETERMINISTIC] = 3, [EXIT_SCENARIO] = 4};
  return rank[a] >= rank[b] ? a : b;
}
