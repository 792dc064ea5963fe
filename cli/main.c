#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "search/fresh.h"

int main(int argc, char **argv) {
  if (argc < 2) {
    command_overview(stderr);
    return EXIT_USAGE;
  }
  if (strcmp(argv[1], FRESH_COMMAND) == 0) return fresh_main(argc - 1, argv + 1);
  const char *name = argv[1];
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
  if (strcmp(name, "--version") == 0) name = "version";
  const struct command *command = command_find(name);
  if (command == NULL) return command_unknown(name);
  int status = command->run(argv[0], argc - 1, argv + 1);
  if (fflush(stdout) != 0 || ferror(stdout)) {
    perror("syncsim: standard output");
    status = status == EXIT_USAGE ? status : exit_status_worse(status, EXIT_HARNESS);
  }
  return status;
}
