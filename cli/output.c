#include "cli/output.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES_MAX 4096u

static bool complain(const char *path, int why) {
  (void)fprintf(stderr, "syncsim: cannot write '%s': %s\n", path, why == 0 ? "write error" : strerror(why));
  return false;
}

/* Closes it; 0, or the first thing that went wrong. */
static int finish(FILE *file, bool written, bool regular) {
  int why = 0;
  if (!written) why = errno == 0 ? EIO : errno;
  if (why == 0 && (fflush(file) != 0 || ferror(file))) why = errno == 0 ? EIO : errno;
  if (why == 0 && regular && fsync(fileno(file)) != 0) why = errno;
  if (fclose(file) != 0 && why == 0) why = errno;
  return why;
}

bool output_write(const char *path, bool (*write)(FILE *file, const void *arg), const void *arg) {
  char aside[PATH_BYTES_MAX];
  struct stat status;
  const bool regular = stat(path, &status) != 0 || S_ISREG(status.st_mode);
  if ((size_t)snprintf(aside, sizeof aside, regular ? "%s.part-%ld" : "%s", path, (long)getpid()) >= sizeof aside) {
    return complain(path, ENAMETOOLONG);
  }
  FILE *file = fopen(aside, "wb");
  if (file == NULL) return complain(path, errno);
  errno = 0;
  const bool written = write(file, arg);
  int why = finish(file, written, regular);
  if (!regular) return why == 0 || complain(path, why);
  if (why == 0 && rename(aside, path) != 0) why = errno;
  if (why == 0) return true;
  (void)unlink(aside);
  return complain(path, why);
}
