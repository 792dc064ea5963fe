/* The arguments of a command: operands and long options, with messages that say what would be right. */
#ifndef SYNCTOOL_ARGUMENTS_H
#define SYNCTOOL_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "synctool/command.h"

/* One option; `text` is set to its value, or to "" if it takes none. */
struct argument_option {
  const char *name; /* "--json"; ends with NULL */
  bool has_value;
  const char **text;
};
/* Puts the operands, least to most, into operands[]; the rest are NULL. True when the command is to go on; else
 * *status is the exit status: help was asked for and printed, or what is wrong was told. */
bool arguments_take(const struct command *command, int argc, char **argv, const struct argument_option *options,
                    size_t least, size_t most, const char **operands, int *status);
/* True, or says that the value of the option is no number of 64 bits. */
bool arguments_number(const char *option, const char *text, uint64_t *number);

#endif
