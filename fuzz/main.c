/* Replays files through a fuzz target, without libFuzzer: any compiler, any
 * processor. Usage: TARGET FILE ... */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_BYTES_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv) {
  uint8_t *bytes = malloc(FILE_BYTES_MAX);
  if (bytes == NULL) return 1;
  for (int i = 1; i < argc; i++) {
    FILE *file = fopen(argv[i], "rb");
    if (file == NULL) {
      perror(argv[i]);
      free(bytes);
      return 1;
    }
    size_t size = fread(bytes, 1, FILE_BYTES_MAX, file);
    (void)fclose(file);
    printf("%s: %zu bytes\n", argv[i], size);
    (void)LLVMFuzzerTestOneInput(bytes, size);
  }
  free(bytes);
  return 0;
}
