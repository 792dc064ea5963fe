#include "search/fresh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lua/text/helpers.h"
#include "search/elsewhere.h"
#include "search/pipe.h"
#include "search/progress_blocks.h"
#include "search/worker.h"

#define FRESH_MAGIC 0x46524553u
#define FILES_MAX 1000000u
#define BYTES_MAX (16u * 1024u * 1024u)
struct fresh_setup {
  uint32_t magic;
  uint32_t file_count;
  struct sim_options sim;
};
struct fresh_file {
  uint32_t path_size, text_size, helper_count;
  char variant[SCENARIO_VARIANT_BYTES];
  struct params set;
};
struct fresh_helper {
  char name[HELPER_NAME_BYTES];
  char why[160];
  bool has_text;
  uint32_t text_size;
};

/* --- The suite's side ---------------------------------------------------------------- */

static bool tell_helper(int to, const struct helper *helper) {
  struct fresh_helper header;
  memset(&header, 0, sizeof header);
  header.has_text = helper->text != NULL;
  header.text_size = (uint32_t)helper->size;
  memcpy(header.name, helper->name, sizeof header.name);
  memcpy(header.why, helper->why, sizeof header.why);
  return pipe_write_all(to, &header, sizeof header) && pipe_write_all(to, helper->text, header.text_size);
}

static bool tell_file(int to, const struct scenario_file *file) {
  size_t size = 0;
  const char *text = scenario_file_text(file, &size), *path = scenario_file_path(file);
  const struct helpers *helpers = scenario_file_helpers(file);
  struct fresh_file header;
  memset(&header, 0, sizeof header); /* gaps too: it travels as bytes */
  header.path_size = (uint32_t)strlen(path);
  header.text_size = (uint32_t)size;
  header.helper_count = (uint32_t)helpers->count;
  header.set = *scenario_file_params(file);
  (void)snprintf(header.variant, sizeof header.variant, "%s", scenario_file_variant(file));
  bool good = pipe_write_all(to, &header, sizeof header) && pipe_write_all(to, path, header.path_size) &&
              pipe_write_all(to, text, size);
  for (size_t i = 0; good && i < helpers->count; i++) {
    good = tell_helper(to, &helpers->items[i]);
  }
  return good;
}

bool fresh_tell(int to, struct scenario_file *const *files, size_t file_count, const struct suite_options *options,
                uint32_t number) {
  const struct fresh_setup setup = {FRESH_MAGIC, (uint32_t)file_count, elsewhere(&options->sim, number)};
  bool good = pipe_write_all(to, &setup, sizeof setup);
  for (size_t i = 0; good && i < file_count; i++) {
    good = tell_file(to, files[i]);
  }
  return good;
}

/* --- The worker's side ---------------------------------------------------------------- */

static bool read_helper(int in, struct scenario_file *file) {
  struct fresh_helper header;
  if (!pipe_read_all(in, &header, sizeof header) || header.text_size > BYTES_MAX) return false;
  char *text = calloc(1, header.text_size + 1u);
  const bool good =
      text != NULL && pipe_read_all(in, text, header.text_size) &&
      scenario_file_add_helper(file, header.name, header.has_text ? text : NULL, header.text_size, header.why);
  free(text);
  return good;
}

/* The texts of a file, without its helpers. */
static struct scenario_file *read_texts(int in, const struct fresh_file *header) {
  struct scenario_file *file = NULL;
  if (header->path_size > BYTES_MAX || header->text_size > BYTES_MAX) return NULL;
  char *path = calloc(1, header->path_size + 1u);
  char *text = calloc(1, header->text_size + 1u);
  if (path != NULL && text != NULL && pipe_read_all(in, path, header->path_size) &&
      pipe_read_all(in, text, header->text_size)) {
    file = scenario_file_from(path, text, header->text_size);
  }
  free(path);
  free(text);
  return file;
}

static struct scenario_file *read_file(int in) {
  struct fresh_file header;
  if (!pipe_read_all(in, &header, sizeof header)) return NULL;
  struct scenario_file *file = read_texts(in, &header);
  if (file == NULL) return NULL;
  bool good = scenario_file_set_variant(file, header.variant) && scenario_file_set_params(file, &header.set);
  for (uint32_t i = 0; good && i < header.helper_count; i++) {
    good = read_helper(in, file);
  }
  if (good) return file;
  scenario_file_free(file);
  return NULL;
}

/* The wished place may be taken in this process: then any other is as good. */
static void settle_base(struct sim_options *options) {
  if (options->arena_base == 0) return;
  struct sim *sim = sim_open(options);
  if (sim == NULL) options->arena_base = 0;
  sim_close(sim);
}

static int serve(int in, int out, struct sim_progress *progress) {
  struct fresh_setup setup;
  if (!pipe_read_all(in, &setup, sizeof setup) || setup.magic != FRESH_MAGIC || setup.file_count > FILES_MAX) return 1;
  struct scenario_file **files = calloc(setup.file_count + 1u, sizeof(struct scenario_file *));
  bool good = files != NULL;
  for (uint32_t i = 0; good && i < setup.file_count; i++) {
    files[i] = read_file(in);
    good = files[i] != NULL;
  }
  struct suite_options options = {.sim = setup.sim};
  settle_base(&options.sim);
  const int status = good ? worker_serve(in, out, files, setup.file_count, &options, progress) : 1;
  for (uint32_t i = 0; files != NULL && i < setup.file_count; i++) {
    scenario_file_free(files[i]);
  }
  free(files);
  return status;
}

static bool descriptor(const char *text, long least, int *value) {
  char *end = NULL;
  const long number = strtol(text, &end, 10);
  *value = (int)number;
  return end != text && *end == '\0' && number >= least && number < 1 << 20;
}

int fresh_main(int argc, char **argv) {
  int in = -1, out = -1, blocks = -1, place = -1;
  if (argc != 5 || !descriptor(argv[1], 3, &in) || !descriptor(argv[2], 3, &out)) return 2;
  if (!descriptor(argv[3], 3, &blocks) || !descriptor(argv[4], 0, &place)) return 2;
  struct sim_progress *progress = progress_blocks_attach(blocks, (uint32_t)place);
  return progress == NULL ? 2 : serve(in, out, progress);
}

int fresh_worker(int in, int out, int blocks, uint32_t place) {
  char name[] = "syncsim", command[] = FRESH_COMMAND, numbers[4][16];
  const int values[4] = {in, out, blocks, (int)place};
  for (int i = 0; i < 4; i++)
    (void)snprintf(numbers[i], sizeof numbers[i], "%d", values[i]);
  char *const arguments[] = {name, command, numbers[0], numbers[1], numbers[2], numbers[3], NULL};
  (void)execv("/proc/self/exe", arguments);
  struct sim_progress *progress = progress_blocks_attach(blocks, place);
  return progress == NULL ? 1 : serve(in, out, progress);
}
