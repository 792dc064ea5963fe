#include "search/build_id.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/trace/trace.h"

void build_id(char id[BUILD_ID_BYTES]) {
  struct stat status;
  (void)snprintf(id, BUILD_ID_BYTES, "unknown");
  const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (fstat(fd, &status) == 0 && status.st_size > 0) {
    const size_t size = (size_t)status.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes != MAP_FAILED) {
      (void)snprintf(id, BUILD_ID_BYTES, "%016llx", (unsigned long long)sim_hash_bytes(bytes, size));
      (void)munmap(bytes, size);
    }
  }
  (void)close(fd);
}
