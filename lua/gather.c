#include "lua/gather.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lua/text/nearest.h"
#include "lua/text/source.h"

#define SIBLINGS_MAX 256u

/* The folder of a scenario; -1 with errno. */
static int open_folder(const char *path) {
  const char *slash = strrchr(path, '/');
  char folder[1024] = ".";
  if (slash && (size_t)(slash - path) >= sizeof folder) {
    errno = ENAMETOOLONG;
    return -1;
  }
  if (slash) (void)snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
  return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Goes down by one part of the path at a time, and follows no link. Closes `folder`. -1 with errno. */
static int open_below(int folder, const char *path) {
  char part[HELPER_NAME_BYTES];
  for (;;) {
    const size_t length = strcspn(path, "/");
    const bool last = path[length] == '\0';
    (void)snprintf(part, sizeof part, "%.*s", (int)length, path);
    /* A pipe must not make us wait. */
    const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (last ? O_NONBLOCK : O_DIRECTORY);
    const int below = openat(folder, part, flags);
    const int why = errno;
    (void)close(folder);
    errno = why;
    if (below < 0 || last) return below;
    folder = below;
    path += length + 1;
  }
}

/* In words of the path; `text` has room for why of a helper. */
static void tell_why(int error, char *text, size_t size) {
  if (error == ELOOP || error == ENOTDIR)
    (void)snprintf(text, size, "it, or a folder on the way, is a link or no folder: helpers lie in the scenario's own");
  else if (error == EISDIR || error == EINVAL)
    (void)snprintf(text, size, "it is no plain file");
  else if (error == EFBIG)
    (void)snprintf(text, size, "it has more than 1 MiB");
  else
    (void)snprintf(text, size, "%s", strerror(error));
}

/* The whole file; NULL with errno. */
static char *read_whole(int fd, size_t *size) {
  struct stat status;
  char *text = NULL;
  int error = 0;
  *size = 0;
  if (fstat(fd, &status) != 0) return NULL;
  if (!S_ISREG(status.st_mode)) error = EINVAL;
  if (!error && status.st_size > (off_t)SOURCE_BYTES_MAX) error = EFBIG;
  if (!error) text = malloc(SOURCE_BYTES_MAX + 1u);
  if (!text && !error) error = ENOMEM;
  while (!error) {
    const ssize_t got = read(fd, text + *size, SOURCE_BYTES_MAX + 1u - *size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = errno;
    if (got > 0) *size += (size_t)got;
    if (*size > SOURCE_BYTES_MAX) error = EFBIG;
    if (got == 0) break;
  }
  if (!error) return text;
  free(text);
  errno = error;
  return NULL;
}

/* In bytewise order, whatever the folder's is. */
static void insert(char siblings[SIBLINGS_MAX][HELPER_NAME_BYTES], size_t count, const char *file) {
  char name[HELPER_NAME_BYTES] = "";
  (void)snprintf(name, sizeof name, HELPERS_FOLDER ".%.*s", (int)strlen(file) - 4, file);
  for (; count > 0 && strcmp(siblings[count - 1], name) > 0; count--)
    memcpy(siblings[count], siblings[count - 1], HELPER_NAME_BYTES);
  memcpy(siblings[count], name, sizeof name);
}

/* A helper that is there and has nearly this name, as a question; of equally near ones the bytewise least. */
static void suggest(const char *scenario, const char *name, char *text, size_t size) {
  char siblings[SIBLINGS_MAX][HELPER_NAME_BYTES];
  const char *names[SIBLINGS_MAX];
  size_t count = 0;
  const int folder = open_folder(scenario);
  const int below = folder < 0 ? -1 : open_below(folder, HELPERS_FOLDER);
  DIR *stream = below < 0 ? NULL : fdopendir(below);
  if (!stream && below >= 0) (void)close(below);
  for (const struct dirent *entry; stream && count < SIBLINGS_MAX && (entry = readdir(stream)) != NULL;) {
    const size_t length = strlen(entry->d_name);
    if (length <= 4 || length + sizeof HELPERS_FOLDER >= HELPER_NAME_BYTES) continue;
    if (strcmp(entry->d_name + length - 4, ".lua") != 0) continue;
    insert(siblings, count++, entry->d_name);
  }
  if (stream) (void)closedir(stream);
  for (size_t i = 0; i < count; i++)
    names[i] = siblings[i];
  const char *near = nearest_word(name, names, count);
  if (near) (void)snprintf(text, size, "; did you mean \"%s\"?", near);
}

/* One helper, with the reason in place of the text when it cannot be read. false with errno. */
static bool gather_one(struct helpers *helpers, const char *scenario, const char *name) {
  char path[HELPER_NAME_BYTES], why[160] = "";
  size_t size = 0, used;
  if (!helper_path(name, strlen(name), path)) return true; /* require says what is wrong with it */
  const int folder = open_folder(scenario);
  const int fd = folder < 0 ? -1 : open_below(folder, path);
  char *text = fd < 0 ? NULL : read_whole(fd, &size);
  const int error = errno;
  if (fd >= 0) (void)close(fd);
  if (!text) {
    tell_why(error, why, sizeof why);
    used = strlen(why);
    if (error == ENOENT) suggest(scenario, name, why + used, sizeof why - used);
  }
  errno = helpers->count >= HELPERS_MAX ? E2BIG : ENOMEM;
  const bool good = helpers_add(helpers, name, text, size, why);
  free(text);
  return good;
}

static bool gather_from(struct helpers *helpers, const char *scenario, const char *text, size_t size) {
  char name[HELPER_NAME_BYTES];
  for (size_t at = 0; source_next_require(text, size, &at, name, sizeof name);)
    if (!helpers_find(helpers, name) && !gather_one(helpers, scenario, name)) return false;
  return true;
}

bool gather_helpers(struct helpers *helpers, const char *path, const char *text, size_t size) {
  if (!gather_from(helpers, path, text, size)) return false;
  /* The list grows while it is gone through. */
  for (size_t i = 0; i < helpers->count; i++) {
    const struct helper *helper = &helpers->items[i];
    if (helper->text && !gather_from(helpers, path, helper->text, helper->size)) return false;
  }
  return true;
}
