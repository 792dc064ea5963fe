#include "lua/text/params.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define DIGITS "0123456789"

bool param_name_is_right(const char *name) {
  const size_t length = strspn(name, LETTERS DIGITS);
  return length > 0 && length < PARAM_NAME_BYTES && name[length] == '\0' && strchr(DIGITS, name[0]) == NULL;
}

static bool value_is_right(const char *value) {
  if (strlen(value) >= PARAM_VALUE_BYTES) return false;
  for (; *value != '\0'; value++)
    if ((unsigned char)*value < 0x20 || *value == 0x7f) return false;
  return true;
}

const char *params_get(const struct params *params, const char *name) {
  for (size_t i = 0; i < params->count; i++)
    if (strcmp(params->items[i].name, name) == 0) return params->items[i].value;
  return NULL;
}

bool params_set(struct params *params, const char *name, const char *value) {
  size_t at = 0;
  if (!param_name_is_right(name) || !value_is_right(value)) return false;
  while (at < params->count && strcmp(params->items[at].name, name) != 0)
    at++;
  if (at >= PARAMS_MAX) return false;
  if (at == params->count) params->count++;
  struct param *param = &params->items[at];
  memset(param, 0, sizeof *param);
  memcpy(param->name, name, strlen(name));
  memcpy(param->value, value, strlen(value));
  return true;
}

bool params_set_text(struct params *params, const char *text) {
  char name[PARAM_NAME_BYTES];
  const size_t length = strcspn(text, "=");
  if (text[length] != '=' || length >= sizeof name) return false;
  memcpy(name, text, length);
  name[length] = '\0';
  return params_set(params, name, text + length + 1);
}
