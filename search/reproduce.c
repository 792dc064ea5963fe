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

size_t reproduce_params(char *line, size_t size, size_t used, const struct params *set) {
  char word[PARAM_NAME_BYTES + PARAM_VALUE_BYTES + 2];
  for (size_t i = 0; i < set->count && used + 1 < size; i++) {
    const int length = snprintf(line + used, size - used, " --set ");
    used = used + (size_t)length < size ? used + (size_t)length : size - 1;
    (void)snprintf(word, sizeof word, "%s=%s", set->items[i].name, set->items[i].value);
    used = put_word(line, size, used, word);
  }
  return used;
}

void reproduce_line(char *line, size_t size, const char *program, const char *path, const struct params *set,
                    uint64_t seed) {
  size_t used = put_word(line, size, 0, program == NULL ? "syncsim" : program);
  (void)snprintf(line + used, size - used, " replay ");
  used = strlen(line);
  used = put_word(line, size, used, path);
  (void)snprintf(line + used, size - used, " --seed %llu", (unsigned long long)seed);
  if (set != NULL) (void)reproduce_params(line, size, strlen(line), set);
}
