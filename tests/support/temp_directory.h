/* A fresh directory for one test, removed with all its files. */
#ifndef TESTS_SUPPORT_TEMP_DIRECTORY_H
#define TESTS_SUPPORT_TEMP_DIRECTORY_H

#define TEMP_DIRECTORY_BYTES 256

struct temp_directory {
  char path[TEMP_DIRECTORY_BYTES];
};

/* Makes it below $TMPDIR or /tmp; ends the program when that fails. */
void temp_directory_init(struct temp_directory *directory);
/* Removes the directory, its files and empty folders (one level). */
void temp_directory_deinit(struct temp_directory *directory);
/* The path of `name` in the directory, in `buffer`, which is returned. */
const char *temp_directory_file(const struct temp_directory *directory, const char *name, char *buffer,
                                unsigned buffer_size);

#endif
