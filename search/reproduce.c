#include "search/reproduce.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c != '\0' && strchr("._-/+:,@%=", c) != NULL);
}

static bool all_plain(const char *word) {
  const char *at = word;
  while (plain(*at)) {
    at++;
  }
  return *at == '\0' && at != word;
}

/* Appends a word, in single quotes when it needs them. */
static size_t put_word(char *line, size_t size, size_t used, const char *word) {
  if (all_plain(word)) {
    const int length = snprintf(line + used, size - used, "%s", word);
    used += (size_t)length;
    return used < size ? used : size - 1;
  }
  if (used + 1 < size) line[used++] = '\'';
  for (; *word != '\0' && used + 5 < size; word++) {
    if (*word == '\'') {
      memcpy(line + used, "'\\''", 4);
      used += 4;
    } else {
      line[used++] = *word;
    }
  }
  if (used + 1 < size) line[used++] = '\'';
  line[used] = '\0';
  return used;
}

void reproduce_line(char *line, size_t size, const char *program, const char *path, uint64_t seed) {
  size_t used = put_word(line, size, 0, program == NULL ? "syncsim" : program);
  (void)snprintf(line + used, size - used, " replay ");
  used = strlen(line);
  used = put_word(line, size, used, path);
  (void)snprintf(line + used, size - used, " --seed %llu", (unsigned long long)seed);
}
