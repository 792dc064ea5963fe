/* The commands of synctool. */
#ifndef SYNCTOOL_COMMAND_H
#define SYNCTOOL_COMMAND_H

#include <stdio.h>

/* Exit status; docs/synctool.md. 4 is syncsim's alone. */
enum exit_status {
  EXIT_GOOD = 0,
  EXIT_DAMAGED = 1, /* or not there, or there is something to repair */
  EXIT_USAGE = 2,
  EXIT_NOT_OPENED = 3,
  EXIT_STOPPED = 5, /* begun and not finished: disk, memory, output */
};

struct command {
  const char *name;
  const char *summary;               /* one line of `synctool help` */
  const char *help;                  /* all of `synctool help NAME` */
  int (*run)(int argc, char **argv); /* argv[0] is the command; returns the exit status */
};

extern const struct command command_info, command_log, command_verify, command_snapshot, command_outbox, command_get,
    command_siblings, command_keys, command_compact, command_backup, command_export, command_import, command_repair;

/* In the order in which help shows them; ends with NULL. */
extern const struct command *const commands[];

const struct command *command_find(const char *name);
int command_unknown(const char *name);
void command_overview(FILE *file);

#endif
