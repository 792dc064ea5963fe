#include "cli/paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/named.h"
#include "lua/text/helpers.h"
#include "search/bundle.h"

#define DEPTH_MAX 32u
#define PATH_BYTES_MAX 500u

static int cannot_read(const char *path) {
  const int why = errno;
  (void)fprintf(stderr, "syncsim: cannot read '%s': %s\n", path, strerror(why));
  return EXIT_USAGE;
}

static bool has(const struct paths *paths, const char *label) {
  for (size_t i = 0; i < paths->count; i++) {
    if (strcmp(scenario_file_label(paths->files[i]), label) == 0) return true;
  }
  return false;
}

/* Takes the file, whatever comes of it. */
static bool keep(struct paths *paths, struct scenario_file *file) {
  struct scenario_file **grown = realloc(paths->files, (paths->count + 1) * sizeof(struct scenario_file *));
  if (grown != NULL) paths->files = grown;
  if (grown != NULL) grown[paths->count++] = file;
  if (grown == NULL) scenario_file_free(file);
  return grown != NULL;
}

static int add_file(struct paths *paths, const char *path) {
  if (has(paths, path)) return EXIT_HELD;
  struct scenario_file *file = named_open(path, &paths->set);
  if (file == NULL) return EXIT_USAGE;
  return keep(paths, file) ? EXIT_HELD : cannot_read(path);
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
    if (strcmp(name, HELPERS_FOLDER) == 0) return paths->helpers++, EXIT_HELD;
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
  if (depth == 0 && named_variant(path) != NULL) return add_file(paths, path);
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
  if (paths->helpers > 0) {
    (void)fprintf(stderr, "syncsim: left out: %zu folder%s named helpers, whose files scenarios require\n",
                  paths->helpers, paths->helpers == 1 ? "" : "s");
  }
  if (paths->others > 0) {
    (void)fprintf(stderr,
                  "syncsim: left out: %zu generated folder%s (CACHEDIR.TAG) or definitions for editors (---@meta); "
                  "what is named itself is taken\n",
                  paths->others, paths->others == 1 ? "" : "s");
  }
}

int paths_read(struct paths *paths, char **arguments, int count, const struct params *set) {
  memset(paths, 0, sizeof *paths);
  paths->set = *set;
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

/* One file by its variants, in its place. false: no memory. */
static bool replace(struct paths *paths, size_t at, struct scenario_file **variants, size_t count) {
  struct scenario_file **all = calloc(paths->count + count, sizeof(struct scenario_file *));
  size_t used = at;
  if (all == NULL) return false;
  for (size_t i = 0; i < at; i++) {
    all[i] = paths->files[i];
  }
  for (size_t i = 0; i < count; i++) {
    if (has(paths, scenario_file_label(variants[i])))
      scenario_file_free(variants[i]); /* it was named itself, too */
    else
      all[used++] = variants[i];
  }
  for (size_t i = at + 1; i < paths->count; i++) {
    all[used++] = paths->files[i];
  }
  scenario_file_free(paths->files[at]);
  free(paths->files);
  paths->files = all;
  paths->count = used;
  return true;
}

int paths_expand(struct paths *paths, const struct sim_options *options) {
  struct sim *sim = NULL;
  int status = EXIT_HELD;
  for (size_t i = paths->count; i-- > 0 && status == EXIT_HELD;) {
    struct scenario_file **variants = NULL;
    if (!named_may_vary(paths->files[i])) continue;
    if (sim == NULL) sim = sim_open(options);
    if (sim == NULL) break; /* the workers say so, too */
    const size_t count = named_variants(sim, paths->files[i], &variants);
    if (count == SIZE_MAX || (count > 0 && !replace(paths, i, variants, count))) {
      (void)fprintf(stderr, "syncsim: no memory for the variants of '%s'\n", scenario_file_path(paths->files[i]));
      status = EXIT_HARNESS;
    }
    free(variants);
  }
  sim_close(sim);
  return status;
}

void paths_free(struct paths *paths) {
  for (size_t i = 0; i < paths->count; i++) {
    scenario_file_free(paths->files[i]);
  }
  free(paths->files);
  memset(paths, 0, sizeof *paths);
}
