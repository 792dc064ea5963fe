#include "cli/tags.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "lua/text/nearest.h"
#include "search/outcome.h"

#define KNOWN_MAX 64u

/* The tags that were met, for a message. */
struct known {
  char words[KNOWN_MAX][SCENARIO_TAG_BYTES];
  unsigned count;
};

bool tags_take(struct tags *tags, const char *value) {
  if (value[0] != '\0' && strlen(value) < SCENARIO_TAG_BYTES && tags->count < TAGS_MAX) {
    tags->words[tags->count++] = value;
    return true;
  }
  (void)fprintf(stderr, "syncsim: --tag '%s' is no tag (at most %u bytes), or there are more than %u\n", value,
                SCENARIO_TAG_BYTES - 1u, TAGS_MAX);
  return false;
}

static void remember(struct known *known, const char *tag) {
  for (unsigned i = 0; i < known->count; i++)
    if (strcmp(known->words[i], tag) == 0) return;
  if (known->count < KNOWN_MAX) memcpy(known->words[known->count++], tag, SCENARIO_TAG_BYTES);
}

static bool has_one(const struct tags *tags, const struct scenario_info *info, struct known *known) {
  bool has = false;
  for (uint32_t i = 0; i < info->tag_count; i++) {
    remember(known, info->tags[i]);
    for (unsigned tag = 0; tag < tags->count; tag++)
      has = has || strcmp(info->tags[i], tags->words[tag]) == 0;
  }
  return has;
}

static int nothing_has(const struct tags *tags, const struct known *known) {
  const char *names[KNOWN_MAX];
  for (unsigned i = 0; i < known->count; i++)
    names[i] = known->words[i];
  const char *near = nearest_word(tags->words[0], names, known->count);
  (void)fprintf(stderr, "syncsim: no scenario there has the tag '%s'", tags->words[0]);
  if (near != NULL) (void)fprintf(stderr, "; did you mean '%s'?", near);
  if (near == NULL && known->count > 0) {
    (void)fprintf(stderr, "; there are");
    for (unsigned i = 0; i < known->count; i++)
      (void)fprintf(stderr, "%s %s", i == 0 ? "" : ",", names[i]);
  }
  (void)fputc('\n', stderr);
  return EXIT_USAGE;
}

int tags_select(const struct tags *tags, struct paths *paths, const struct sim_options *options) {
  struct known known = {.count = 0};
  size_t kept = 0;
  if (tags->count == 0) return EXIT_HELD;
  struct sim *sim = sim_open(options);
  if (sim == NULL) {
    (void)fprintf(stderr, "syncsim: no memory to ask scenarios for their tags\n");
    return EXIT_HARNESS;
  }
  for (size_t i = 0; i < paths->count; i++) {
    struct scenario_info info = {.tag_count = 0};
    struct scenario_error error;
    if (outcome_describe(sim, paths->files[i], &info, &error) != 0 || has_one(tags, &info, &known))
      paths->files[kept++] = paths->files[i];
    else
      scenario_file_free(paths->files[i]);
  }
  paths->count = kept;
  sim_close(sim);
  return kept > 0 ? EXIT_HELD : nothing_has(tags, &known);
}
