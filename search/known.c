#include "search/known.h"

#include <string.h>

bool suite_known_is_of(const struct suite_known *known, const char *path) {
  const size_t length = strlen(path), ending = strlen(known->scenario);
  if (ending == 0 || ending > length || strcmp(path + length - ending, known->scenario) != 0) return false;
  return ending == length || path[length - ending - 1] == '/';
}
