#include "tests/support/temp_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void temp_directory_init(struct temp_directory *directory) {
  const char *base = getenv("TMPDIR");
  if (!base || base[0] == '\0' || strlen(base) > TEMP_DIRECTORY_BYTES - 32) base = "/tmp";
  snprintf(directory->path, sizeof directory->path, "%s/sync-test-XXXXXX", base);
  if (!mkdtemp(directory->path)) {
    perror(directory->path);
    abort();
  }
}

void temp_directory_deinit(struct temp_directory *directory) {
  DIR *stream = opendir(directory->path);
  if (stream) {
    for (const struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
      if (unlinkat(dirfd(stream), entry->d_name, 0) != 0) unlinkat(dirfd(stream), entry->d_name, AT_REMOVEDIR);
    }
    closedir(stream);
  }
  rmdir(directory->path);
}

const char *temp_directory_file(const struct temp_directory *directory, const char *name, char *buffer,
                                unsigned buffer_size) {
  int size = snprintf(buffer, buffer_size, "%s/%s", directory->path, name);
  if (size < 0 || (unsigned)size >= buffer_size) abort();
  return buffer;
}
