#include "cli/named.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lua/text/helpers.h"
#include "search/outcome.h"

bool option_set(const char *value, struct params *set) {
  if (params_set_text(set, value)) return true;
  (void)fprintf(stderr, "syncsim: --set '%s' is not NAME=VALUE, such as nodes=5%s\n", value,
                set->count >= PARAMS_MAX ? ", or there are too many" : "");
  return false;
}

const char *named_variant(const char *argument) {
  struct stat status;
  const char *mark = strrchr(argument, '#');
  return mark == NULL || mark == argument || mark[1] == '\0' || stat(argument, &status) == 0 ? NULL : mark + 1;
}

struct scenario_file *named_open(const char *argument, const struct params *set) {
  const char *variant = named_variant(argument);
  char *path = variant == NULL ? strdup(argument) : strndup(argument, (size_t)(variant - 1 - argument));
  if (path == NULL) return NULL;
  errno = 0;
  struct scenario_file *file = scenario_file_read(path);
  if (file == NULL) {
    (void)fprintf(stderr, "syncsim: cannot read '%s': %s\n", path, strerror(errno));
  } else if (!scenario_file_set_params(file, set) || !scenario_file_set_variant(file, variant)) {
    (void)fprintf(stderr, "syncsim: '%s': there is no variant with a name of more than %d bytes\n", argument,
                  (int)SCENARIO_VARIANT_BYTES - 1);
    scenario_file_free(file);
    file = NULL;
  }
  free(path);
  return file;
}

bool named_one(const struct scenario_file *file, const struct scenario_info *info) {
  if (info->variant_count == 0 || info->variant[0] != '\0') return true;
  (void)fprintf(stderr, "syncsim: '%s' has variants: name one, as '%s#%s'", scenario_file_path(file),
                scenario_file_path(file), info->variants[0]);
  for (uint32_t i = 1; i < info->variant_count; i++) {
    (void)fprintf(stderr, "%s%s#%s", i == 1 ? "; the others are " : ", ", scenario_file_path(file), info->variants[i]);
  }
  (void)fputc('\n', stderr);
  return false;
}

static bool mentions(const char *text, size_t size) {
  return memmem(text, size, "variants", 8) != NULL;
}

bool named_may_vary(const struct scenario_file *file) {
  size_t size = 0;
  const char *text = scenario_file_text(file, &size);
  const struct helpers *helpers = scenario_file_helpers(file);
  if (scenario_file_variant(file)[0] != '\0') return false;
  bool may = mentions(text, size);
  for (size_t i = 0; i < helpers->count && !may; i++) {
    may = helpers->items[i].text != NULL && mentions(helpers->items[i].text, helpers->items[i].size);
  }
  return may;
}

size_t named_variants(struct sim *sim, const struct scenario_file *file, struct scenario_file ***files) {
  struct scenario_info info;
  struct scenario_error error;
  *files = NULL;
  if (outcome_describe(sim, file, &info, &error) != 0 || info.variant_count == 0) return 0;
  *files = calloc(info.variant_count, sizeof(struct scenario_file *));
  bool good = *files != NULL;
  uint32_t made = 0;
  for (; good && made < info.variant_count; made++) {
    (*files)[made] = scenario_file_copy(file);
    good = (*files)[made] != NULL && scenario_file_set_variant((*files)[made], info.variants[made]);
  }
  if (good) return info.variant_count;
  while (made > 0) {
    made--;
    if ((*files)[made] != NULL) scenario_file_free((*files)[made]);
  }
  free(*files);
  *files = NULL;
  return SIZE_MAX;
}
