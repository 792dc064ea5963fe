#include "lua/text/helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_small(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

bool helper_path(const char *name, size_t size, char path[HELPER_NAME_BYTES]) {
  const size_t folder = sizeof HELPERS_FOLDER - 1;
  if (size <= folder + 1 || size + 5 > HELPER_NAME_BYTES) return false;
  if (memcmp(name, HELPERS_FOLDER ".", folder + 1) != 0) return false;
  for (size_t i = 0; i < size; i++) {
    bool point = name[i] == '.' && i > 0 && i + 1 < size && name[i - 1] != '.';
    if (!point && !is_small(name[i])) return false;
    path[i] = point ? '/' : name[i];
  }
  memcpy(path + size, ".lua", 5);
  return true;
}

const struct helper *helpers_find(const struct helpers *helpers, const char *name) {
  for (size_t i = 0; i < helpers->count; i++)
    if (strcmp(helpers->items[i].name, name) == 0) return &helpers->items[i];
  return NULL;
}

bool helpers_add(struct helpers *helpers, const char *name, const char *text, size_t size, const char *why) {
  if (helpers->count >= HELPERS_MAX) return false;
  struct helper *helper = &helpers->items[helpers->count];
  memset(helper, 0, sizeof *helper);
  if (!helper_path(name, strlen(name), helper->path)) return false;
  (void)snprintf(helper->name, sizeof helper->name, "%s", name);
  (void)snprintf(helper->why, sizeof helper->why, "%s", why ? why : "");
  if (text) {
    helper->text = malloc(size + 1);
    if (!helper->text) return false;
    memcpy(helper->text, text, size);
    helper->text[size] = 0;
    helper->size = size;
  }
  helpers->count++;
  return true;
}

void helpers_free(struct helpers *helpers) {
  for (size_t i = 0; i < helpers->count; i++)
    free(helpers->items[i].text);
  helpers->count = 0;
}
