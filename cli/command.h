/* The subcommands of syncsim. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stddef.h>
#include <stdio.h>

/* Exit status; docs/command-line.md. */
enum exit_status {
  EXIT_HELD = 0,
  EXIT_VIOLATED = 1,
  EXIT_USAGE = 2,
  EXIT_SCENARIO = 3,
  EXIT_NOT_DETERMINISTIC = 4,
  EXIT_HARNESS = 5,
};

struct command {
  const char *name;
  const char *summary; /* one line of `syncsim help` */
  const char *help;    /* all of `syncsim help NAME` */
  /* argv[0] is the subcommand; `program` is how syncsim was called. Returns the exit status. */
  int (*run)(const char *program, int argc, char **argv);
};

extern const struct command command_run;
extern const struct command command_replay;
extern const struct command command_diff;
extern const struct command command_shrink;
extern const struct command command_trace;
extern const struct command command_list;
extern const struct command command_check;
extern const struct command command_new;
extern const struct command command_version;
extern const struct command command_help;

/* In the order in which help shows them; ends with NULL. */
extern const struct command *const commands[];

const struct command *command_find(const char *name);
/* Says that there is no such command, and which one may be meant. Returns EXIT_USAGE. */
int command_unknown(const char *name);
void command_overview(FILE *file);

/* The worse of two exit statuses: 3, 4, 1, 5, 0, the worst first; 2 is never compared. */
int exit_status_worse(int a, int b);

#endif
