/* syncsim help: what there is, and how it is used. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static int run(const char *program, int argc, char **argv) {
  (void)program;
  if (argc < 2 || strcmp(argv[1], "--help") == 0) {
    command_overview(stdout);
    return EXIT_HELD;
  }
  const struct command *command = command_find(argv[1]);
  if (command == NULL) return command_unknown(argv[1]);
  (void)fputs(command->help, stdout);
  return EXIT_HELD;
}

const struct command command_help = {"help", "show how a command is used", "Usage: syncsim help [COMMAND]\n", run};
