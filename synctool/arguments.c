#include "synctool/arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "synctool/nearest.h"

static const struct argument_option *find(const struct argument_option *options, const char *text, size_t length) {
  for (; options != NULL && options->name != NULL; options++)
    if (strlen(options->name) == length && memcmp(options->name, text, length) == 0) return options;
  return NULL;
}

static bool wrong(const struct command *command, const char *what, const char *word) {
  (void)fprintf(stderr, "synctool %s: %s '%s'\nTry 'synctool help %s'.\n", command->name, what, word, command->name);
  return false;
}

static bool unknown_option(const struct command *command, const struct argument_option *options, const char *word) {
  struct nearest nearest = {.word = word};
  for (; options != NULL && options->name != NULL; options++)
    nearest_try(&nearest, options->name);
  if (nearest.best == NULL) return wrong(command, "unknown option", word);
  (void)fprintf(stderr, "synctool %s: unknown option '%s': did you mean '%s'?\nTry 'synctool help %s'.\n",
                command->name, word, nearest.best, command->name);
  return false;
}

bool arguments_take(const struct command *command, int argc, char **argv, const struct argument_option *options,
                    size_t least, size_t most, const char **operands, int *status) {
  size_t count = 0;
  bool only_operands = false;
  *status = EXIT_USAGE;
  for (size_t i = 0; i < most; i++)
    operands[i] = NULL;
  for (int i = 1; i < argc; i++) {
    const char *word = argv[i];
    if (!only_operands && strcmp(word, "--") == 0) {
      only_operands = true;
      continue;
    }
    if (only_operands || word[0] != '-' || word[1] == '\0') {
      if (count == most) return wrong(command, "one argument too many:", word);
      operands[count++] = word;
      continue;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
      (void)fputs(command->help, stdout);
      *status = EXIT_GOOD;
      return false;
    }
    const size_t length = strcspn(word, "=");
    const struct argument_option *option = find(options, word, length);
    if (option == NULL) return unknown_option(command, options, word);
    if (!option->has_value && word[length] == '=') return wrong(command, "takes no value:", option->name);
    if (option->has_value && word[length] == '\0' && i + 1 == argc) return wrong(command, "needs a value:", word);
    *option->text = !option->has_value ? "" : word[length] == '=' ? word + length + 1 : argv[++i];
  }
  if (count >= least) return true;
  (void)fprintf(stderr, "synctool %s: an argument is missing\n%s", command->name, command->help);
  return false;
}

bool arguments_number(const char *option, const char *text, uint64_t *number) {
  char *end = NULL;
  errno = 0;
  *number = strtoull(text, &end, 0);
  if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0) return true;
  (void)fprintf(stderr, "synctool: %s '%s' is not a number: write one of 64 bits, decimal or 0x-hexadecimal\n", option,
                text);
  return false;
}
