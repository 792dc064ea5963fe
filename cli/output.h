/* An output file that is whole or absent: written aside, checked, renamed. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

/* Writes a file by `write`, which returns false on an error. What is there
 * already is replaced only by a whole file; a device or pipe is written
 * directly. false after a message that names the file and the reason. */
bool output_write(const char *path, bool (*write)(FILE *file, const void *arg), const void *arg);

#endif
