#include "cli/regressions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "search/result.h"
#include "search/seeds.h"

#define SEEDS_MAX 1000u /* beside one scenario */
#define LINE_BYTES 400u
#define PATH_BYTES 512u

/* A file while it is read. */
struct reader {
  const char *path;
  unsigned line;
  char text[LINE_BYTES];
  const char *wanted;                   /* the variant whose seeds are taken; "": those of no variant */
  char variant[SCENARIO_VARIANT_BYTES]; /* of the lines that are read now */
  struct suite_regressions *list;
};

static int wrong(const struct reader *reader, const char *what) {
  (void)fprintf(stderr, "syncsim: %s:%u: %s\n", reader->path, reader->line, what);
  return EXIT_USAGE;
}

static int no_memory(void) {
  (void)fprintf(stderr, "syncsim: no memory for regressions\n");
  return EXIT_HARNESS;
}

static int add(const struct reader *reader, uint64_t seed, const char *story) {
  struct suite_regressions *list = reader->list;
  for (size_t i = 0; i < list->count; i++)
    if (list->seeds[i] == seed) return wrong(reader, "this seed is there already");
  if (list->count == SEEDS_MAX) return wrong(reader, "more than 1000 seeds of one scenario");
  uint64_t *seeds = realloc((void *)list->seeds, (list->count + 1) * sizeof *seeds);
  if (seeds != NULL) list->seeds = seeds;
  char **stories = realloc((void *)list->stories, (list->count + 1) * sizeof *stories);
  if (stories != NULL) list->stories = (const char *const *)stories;
  char *copy = strdup(story);
  if (seeds == NULL || stories == NULL || copy == NULL) {
    free(copy);
    return no_memory();
  }
  seeds[list->count] = seed;
  stories[list->count] = copy;
  list->count++;
  return EXIT_HELD;
}

/* "[three nodes]" */
static int take_variant(struct reader *reader, char *line) {
  const size_t length = strlen(line);
  if (length < 3 || line[length - 1] != ']' || length - 2 >= sizeof reader->variant)
    return wrong(reader, "a line that begins with [ names a variant: [three nodes]");
  line[length - 1] = '\0';
  memcpy(reader->variant, line + 1, length - 1);
  return EXIT_HELD;
}

static int take_line(struct reader *reader) {
  char *line = reader->text + strspn(reader->text, " \t");
  uint64_t seed = 0;
  size_t length = strlen(line);
  while (length > 0 && strchr(" \t\r\n", line[length - 1]) != NULL)
    line[--length] = '\0';
  if (line[0] == '\0' || line[0] == '#') return EXIT_HELD;
  if (line[0] == '[') return take_variant(reader, line);
  char *story = line + strcspn(line, " \t");
  if (*story != '\0') *story++ = '\0';
  story += strspn(story, " \t");
  if (!seeds_parse_one(line, &seed))
    return wrong(reader, "a line is SEED STORY, such as: 1742 a peer that was parked was never told again");
  if (*story == '\0') return wrong(reader, "this seed has no story: say behind it in a line what it found");
  if (strlen(story) >= SUITE_STORY_BYTES) return wrong(reader, "the story has more than 255 bytes");
  return strcmp(reader->variant, reader->wanted) == 0 ? add(reader, seed, story) : EXIT_HELD;
}

static int read_lines(struct reader *reader, FILE *file) {
  int status = EXIT_HELD;
  while (status == EXIT_HELD && fgets(reader->text, sizeof reader->text, file) != NULL) {
    reader->line++;
    const size_t length = strlen(reader->text);
    if (length + 1 == sizeof reader->text && reader->text[length - 1] != '\n')
      return wrong(reader, "the line is too long");
    status = take_line(reader);
  }
  return status;
}

/* false: the scenario is no *.lua, or its path is too long. */
static bool path_beside(const char *scenario, char path[PATH_BYTES]) {
  const size_t length = strlen(scenario);
  if (length < 4 || length + 3 > PATH_BYTES || strcmp(scenario + length - 4, ".lua") != 0) return false;
  (void)snprintf(path, PATH_BYTES, "%.*s.seeds", (int)(length - 4), scenario);
  return true;
}

static int read_beside(const struct scenario_file *scenario, struct suite_regressions *list) {
  char path[PATH_BYTES];
  if (!path_beside(scenario_file_path(scenario), path)) return EXIT_HELD;
  FILE *file = fopen(path, "r");
  if (file == NULL && errno == ENOENT) return EXIT_HELD;
  struct reader reader = {.path = path, .wanted = scenario_file_variant(scenario), .list = list};
  int status = file == NULL ? EXIT_USAGE : read_lines(&reader, file);
  if (file == NULL || ferror(file)) {
    (void)fprintf(stderr, "syncsim: cannot read '%s': %s\n", path, strerror(errno));
    status = EXIT_USAGE;
  }
  if (file != NULL) (void)fclose(file);
  return status;
}

int regressions_read(const struct paths *paths, struct suite_regressions **list) {
  int status = EXIT_HELD;
  *list = calloc(paths->count, sizeof **list);
  if (*list == NULL) return no_memory();
  for (size_t i = 0; i < paths->count && status == EXIT_HELD; i++)
    status = read_beside(paths->files[i], &(*list)[i]);
  return status;
}

void regressions_free(struct suite_regressions *list, size_t count) {
  for (size_t i = 0; list != NULL && i < count; i++) {
    for (size_t story = 0; story < list[i].count; story++)
      free((void *)list[i].stories[story]);
    free((void *)list[i].stories);
    free((void *)list[i].seeds);
  }
  free(list);
}
