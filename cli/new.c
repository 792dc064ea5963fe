/* syncsim new: a first scenario to write on from. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/first.h"
#include "cli/options.h"

#define PATH_BYTES 500u
#define BASE_BYTES 64u /* of the file itself, .lua included */

static const struct option long_options[] = {{"help", no_argument, NULL, OPTIONS_HELP}, {NULL, 0, NULL, 0}};

/* The name goes into comments, into a Lua string, and into lines for a shell. */
static bool is_plain(const char *text) {
  return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./")] == '\0';
}

static const char *base_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}

static bool ends_in_lua(const char *name) {
  const size_t length = strlen(name);
  return length >= 4 && strcmp(name + length - 4, ".lua") == 0;
}

/* NAME, with .lua if it lacks that. false after a message. */
static bool path_of(const char *name, char path[PATH_BYTES]) {
  const char *base = base_of(name);
  if (base[0] == '\0' || base[0] == '.' || base[0] == '-' || !is_plain(name)) {
    (void)fprintf(stderr,
                  "syncsim: '%s' is no name for a scenario: write letters, digits, _ and -, such as 'lost_update' or "
                  "'scenarios/network/lost_update'\n",
                  name);
    return false;
  }
  const int length = snprintf(path, PATH_BYTES, "%s%s", name, ends_in_lua(name) ? "" : ".lua");
  if ((size_t)length < PATH_BYTES && strlen(base_of(path)) <= BASE_BYTES) return true;
  (void)fprintf(stderr, "syncsim: the name is too long: a file may have %u bytes, with its folder %u\n", BASE_BYTES,
                PATH_BYTES - 1u);
  return false;
}

/* "scenarios/lost_update.lua" is "lost update". */
static void words_of(const char *path, char words[BASE_BYTES]) {
  const char *base = base_of(path);
  const size_t length = strlen(base) - strlen(".lua");
  memcpy(words, base, length);
  words[length] = '\0';
  for (char *at = words; *at != '\0'; at++)
    if (*at == '_') *at = ' ';
}

static int cannot_write(const char *path) {
  const int why = errno;
  if (why == EEXIST) {
    (void)fprintf(stderr, "syncsim: '%s' is there already, and stays as it is\n", path);
    return EXIT_USAGE;
  }
  (void)fprintf(stderr, "syncsim: cannot write '%s': %s\n", path, strerror(why));
  return why == ENOENT || why == ENOTDIR || why == EACCES || why == EROFS ? EXIT_USAGE : EXIT_HARNESS;
}

/* Half a file would be in the way of the next try. */
static int create(const char *path) {
  char words[BASE_BYTES];
  words_of(path, words);
  const int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) return cannot_write(path);
  FILE *file = fdopen(descriptor, "w");
  if (file == NULL) (void)close(descriptor);
  bool ok = file != NULL && first_write(file, path, words);
  if (file != NULL) ok = fclose(file) == 0 && ok;
  if (ok) return EXIT_HELD;
  const int status = cannot_write(path);
  (void)unlink(path);
  return status;
}

static int run(const char *program, int argc, char **argv) {
  char path[PATH_BYTES];
  for (int option; (option = options_next(argc, argv, long_options)) != OPTIONS_END;) {
    if (option == OPTIONS_HELP) {
      (void)fputs(command_new.help, stdout);
      return EXIT_HELD;
    }
    return EXIT_USAGE;
  }
  if (argc - optind != 1) {
    (void)fprintf(stderr, "syncsim: new takes one name; see 'syncsim help new'\n");
    return EXIT_USAGE;
  }
  if (!path_of(argv[optind], path)) return EXIT_USAGE;
  const int status = create(path);
  if (status == EXIT_HELD)
    (void)printf("%s is written, and holds as it is:\n\n  %s run %s\n  %s run %s --seed 1 --trace\n", path, program,
                 path, program, path);
  return status;
}

const struct command command_new = {
    "new", "write a first scenario, with comments that teach",
    "Usage: syncsim new NAME\n"
    "\n"
    "Writes NAME.lua, a scenario that holds as it is and whose comments say what each part\n"
    "does. A file that is there already is never overwritten.\n"
    "\n"
    "  --help   show this\n"
    "\n"
    "Exit status: 0; 2 wrong usage, the file is there already or its folder is not; 5 it\n"
    "cannot be written.\n",
    run};
