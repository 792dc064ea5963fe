#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/sync.h"
#include "synctool/command.h"

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define VERSION TEXT(SYNC_VERSION_MAJOR) "." TEXT(SYNC_VERSION_MINOR) "." TEXT(SYNC_VERSION_PATCH)

static int run(int argc, char **argv) {
  const char *name = argv[1];
  if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
    const struct command *command = argc > 2 ? command_find(argv[2]) : NULL;
    if (argc > 2 && command == NULL) return command_unknown(argv[2]);
    if (command != NULL)
      (void)fputs(command->help, stdout);
    else
      command_overview(stdout);
    return EXIT_GOOD;
  }
  if (strcmp(name, "--version") == 0) {
    (void)puts("synctool " VERSION);
    return EXIT_GOOD;
  }
  const struct command *command = command_find(name);
  return command == NULL ? command_unknown(name) : command->run(argc - 1, argv + 1);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    command_overview(stderr);
    return EXIT_USAGE;
  }
  (void)signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error with a name, like a full disk */
  (void)signal(SIGXFSZ, SIG_IGN); /* so is a file at its limit */
  int status = run(argc, argv);
  if (fflush(stdout) != 0 || ferror(stdout)) {
    perror("synctool: standard output");
    if (status != EXIT_USAGE) status = EXIT_STOPPED;
  }
  return status;
}
