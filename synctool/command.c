#include "synctool/command.h"

#include <string.h>

#include "synctool/nearest.h"

const struct command *const commands[] = {
    &command_info,     &command_log,  &command_verify,  &command_snapshot, &command_outbox, &command_get,
    &command_siblings, &command_keys, &command_compact, &command_backup,   &command_export, &command_import,
    &command_repair,   NULL};

const struct command *command_find(const char *name) {
  for (size_t i = 0; commands[i] != NULL; i++)
    if (strcmp(commands[i]->name, name) == 0) return commands[i];
  return NULL;
}

int command_unknown(const char *name) {
  struct nearest nearest = {.word = name};
  for (size_t i = 0; commands[i] != NULL; i++)
    nearest_try(&nearest, commands[i]->name);
  (void)fprintf(stderr, "synctool: unknown command '%s'", name);
  if (nearest.best != NULL) (void)fprintf(stderr, ": did you mean '%s'?", nearest.best);
  (void)fputs("\nTry 'synctool help'.\n", stderr);
  return EXIT_USAGE;
}

void command_overview(FILE *file) {
  (void)fprintf(file, "synctool looks into the directory of a node of the sync engine, and mends it.\n\n"
                      "Usage: synctool COMMAND DIR [ARGUMENTS]\n\n");
  for (size_t i = 0; commands[i] != NULL; i++)
    (void)fprintf(file, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
  (void)fprintf(file, "\n'synctool help COMMAND' tells the options of one.\n\n"
                      "Only compact, import and repair --yes write to DIR. No engine may have it open.\n\n"
                      "Exit status: 0 good; 1 damaged, or not there, or there is something to repair; 2 wrong\n"
                      "usage; 3 DIR cannot be opened; 5 begun and not finished (disk, memory, output).\n");
}
