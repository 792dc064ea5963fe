#include "cli/paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "search/bundle.h"

#define DEPTH_MAX 32u
#define PATH_BYTES_MAX 500u

static int cannot_read(const char *path) {
  const int why = errno;
  (void)fprintf(stderr, "syncsim: cannot read '%s': %s\n", path, strerror(why));
  return EXIT_USAGE;
}

static int add_file(struct paths *paths, const char *path) {
  for (size_t i = 0; i < paths->count; i++) {
    if (strcmp(scenario_file_path(paths->files[i]), path) == 0) return EXIT_HELD;
  }
  struct scenario_file **grown = realloc(paths->files, (paths->count + 1) * sizeof(struct scenario_file *));
  if (grown == NULL) return cannot_read(path);
  paths->files = grown;
  errno = 0;
  grown[paths->count] = scenario_file_read(path);
  if (grown[paths->count] == NULL) return cannot_read(path);
  paths->count++;
  return EXIT_HELD;
}

static int add(struct paths *paths, const char *path, unsigned depth);

static bool begins_with(const char *path, const char *text) {
  char head[64];
  const size_t length = strlen(text);
  FILE *file = fopen(path, "rb");
  if (file == NULL) return false;
  const bool same = fread(head, 1, length, file) == length && memcmp(head, text, length) == 0;
  (void)fclose(file);
  return same;
}

/* What some program made and may make again: https://bford.info/cachedir/. */
static bool is_generated(const char *folder) {
  char path[PATH_BYTES_MAX + 16];
  (void)snprintf(path, sizeof path, "%s/CACHEDIR.TAG", folder);
  return begins_with(path, "Signature: 8a477f597d28d172789f06886806bc55");
}

bool paths_refuse_bundle(const char *path) {
  if (!bundle_is(path)) return false;
  (void)fprintf(stderr,
                "syncsim: '%s' is the bundle of a failure, and no scenario: 'syncsim replay %s' shows it again; "
                "the scenario in it is %s/scenario.lua\n",
                path, path, path);
  return true;
}

static bool is_lua(const char *name) {
  const size_t length = strlen(name);
  return length > 4 && strcmp(name + length - 4, ".lua") == 0;
}

/* Folders by their own name; links to folders are not followed, or one could
 * lead back up. */
static int add_entry(struct paths *paths, const char *folder, const char *name, unsigned depth) {
  char path[PATH_BYTES_MAX];
  struct stat status;
  const size_t length = strlen(folder);
  const char *between = length > 0 && folder[length - 1] == '/' ? "" : "/";
  if ((size_t)snprintf(path, sizeof path, "%s%s%s", folder, between, name) >= sizeof path) {
    errno = ENAMETOOLONG;
    return cannot_read(folder);
  }
  if (lstat(path, &status) != 0) return cannot_read(path);
  if (S_ISDIR(status.st_mode)) {
    if (bundle_is(path)) return paths->bundles++, EXIT_HELD;
    if (is_generated(path)) return paths->others++, EXIT_HELD;
    return add(paths, path, depth + 1);
  }
  if (!is_lua(name)) return EXIT_HELD;
  if (begins_with(path, "---@meta")) return paths->others++, EXIT_HELD;
  return add_file(paths, path);
}

static int bytewise(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

static int add(struct paths *paths, const char *path, unsigned depth) {
  struct stat status;
  struct dirent **entries = NULL;
  if (strlen(path) >= PATH_BYTES_MAX) errno = ENAMETOOLONG;
  if (strlen(path) >= PATH_BYTES_MAX || stat(path, &status) != 0) return cannot_read(path);
  if (!S_ISDIR(status.st_mode)) return add_file(paths, path);
  if (depth > DEPTH_MAX) {
    errno = ELOOP;
    return cannot_read(path);
  }
  const int count = scandir(path, &entries, visible, bytewise);
  if (count < 0) return cannot_read(path);
  int result = EXIT_HELD;
  for (int i = 0; i < count; i++) {
    if (result == EXIT_HELD) result = add_entry(paths, path, entries[i]->d_name, depth);
    free(entries[i]);
  }
  free(entries);
  return result;
}

/* Why there is nothing where somebody expected something. */
static void tell_left_out(const struct paths *paths) {
  if (paths->bundles > 0) {
    (void)fprintf(stderr, "syncsim: left out: %zu bundle%s of failures; 'syncsim replay BUNDLE' shows one again\n",
                  paths->bundles, paths->bundles == 1 ? "" : "s");
  }
  if (paths->others > 0) {
    (void)fprintf(stderr,
                  "syncsim: left out: %zu generated folder%s (CACHEDIR.TAG) or definitions for editors (---@meta); "
                  "what is named itself is taken\n",
                  paths->others, paths->others == 1 ? "" : "s");
  }
}

int paths_read(struct paths *paths, char **arguments, int count) {
  memset(paths, 0, sizeof *paths);
  if (count == 0) {
    (void)fprintf(stderr, "syncsim: no scenario named: give a file or a folder, such as 'scenarios'\n");
    return EXIT_USAGE;
  }
  for (int i = 0; i < count; i++) {
    const int result = paths_refuse_bundle(arguments[i]) ? EXIT_USAGE : add(paths, arguments[i], 0);
    if (result != EXIT_HELD) return result;
  }
  if (paths->count > 0) return EXIT_HELD;
  (void)fprintf(stderr, "syncsim: nothing to run: no *.lua file under '%s'%s\n", arguments[0],
                count > 1 ? " and the others" : "");
  tell_left_out(paths);
  return EXIT_HARNESS;
}

void paths_free(struct paths *paths) {
  for (size_t i = 0; i < paths->count; i++) {
    scenario_file_free(paths->files[i]);
  }
  free(paths->files);
  memset(paths, 0, sizeof *paths);
}
