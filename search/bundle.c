#include "search/bundle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lua/text/helpers.h"
#include "search/seeds.h"

#define MANIFEST_BYTES_MAX 16384u
#define MANIFEST_BEGINS "format="

bool bundle_path(char *path, size_t size, const char *folder, const char *name) {
  const int length = snprintf(path, size, "%s/%s", folder, name);
  if (length >= 0 && (size_t)length < size) return true;
  path[0] = '\0';
  return false;
}

bool bundle_create(const char *folder) {
  static const char *const files[] = {"scenario.lua", "manifest", "choices", "history"};
  char path[BUNDLE_PATH_BYTES + 32];
  if (strlen(folder) >= BUNDLE_PATH_BYTES) {
    errno = ENAMETOOLONG;
    return false;
  }
  memcpy(path, folder, strlen(folder) + 1);
  for (char *at = path + 1;; at++) {
    if (*at != '/' && *at != '\0') continue;
    const char kept = *at;
    *at = '\0';
    if (mkdir(path, 0777) != 0 && errno != EEXIST) return false;
    *at = kept;
    if (kept == '\0') break;
  }
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    if (!bundle_path(path, sizeof path, folder, files[i])) return false;
    if (unlink(path) != 0 && errno != ENOENT) return false;
  }
  return true;
}

/* A value must stay on its line. */
static void put_line(FILE *file, const char *key, const char *value) {
  (void)fprintf(file, "%s=", key);
  for (; *value != '\0'; value++) {
    (void)fputc((unsigned char)*value < 0x20 || *value == 0x7f ? ' ' : *value, file);
  }
  (void)fputc('\n', file);
}

static bool finish(FILE *file) {
  const bool good = fflush(file) == 0 && ferror(file) == 0;
  const int why = errno;
  if (fclose(file) == 0 && good) return true;
  if (!good) errno = why;
  return false;
}

static bool write_bytes(const char *folder, const char *name, const char *bytes, size_t size) {
  char path[BUNDLE_PATH_BYTES + 32];
  if (!bundle_path(path, sizeof path, folder, name)) return false;
  FILE *file = fopen(path, "wb");
  if (file == NULL) return false;
  (void)fwrite(bytes, 1, size, file);
  return finish(file);
}

static bool write_manifest(const char *folder, const struct bundle *bundle) {
  char path[BUNDLE_PATH_BYTES + 32];
  if (!bundle_path(path, sizeof path, folder, "manifest")) return false;
  FILE *file = fopen(path, "wb");
  if (file == NULL) return false;
  /* What an older build would not heed has the later format. */
  const bool plain = bundle->variant[0] == '\0' && bundle->set.count == 0;
  (void)fprintf(file, MANIFEST_BEGINS "%u\n", plain ? 1u : BUNDLE_FORMAT);
  put_line(file, "scenario", bundle->scenario);
  put_line(file, "path", bundle->path);
  (void)fprintf(file, "seed=%llu\n", (unsigned long long)bundle->seed);
  (void)fprintf(file, "trace_hash=0x%016llx\n", (unsigned long long)bundle->trace_hash);
  put_line(file, "verdict", bundle->verdict);
  put_line(file, "property", bundle->property);
  put_line(file, "build", bundle->build);
  put_line(file, "command", bundle->command);
  if (bundle->variant[0] != '\0') put_line(file, "variant", bundle->variant);
  for (size_t i = 0; i < bundle->set.count; i++) {
    char text[PARAM_NAME_BYTES + PARAM_VALUE_BYTES + 2];
    (void)snprintf(text, sizeof text, "%s=%s", bundle->set.items[i].name, bundle->set.items[i].value);
    put_line(file, "set", text);
  }
  return finish(file);
}

/* One helper below the bundle's folder. What was not there is not there in the bundle either. */
static bool write_helper(const char *folder, const struct helper *helper) {
  char path[BUNDLE_PATH_BYTES + 32 + HELPER_NAME_BYTES];
  (void)snprintf(path, sizeof path, "%s/%s", folder, helper->path);
  if (helper->text == NULL) return unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR;
  for (char *at = path + strlen(folder) + 1; (at = strchr(at, '/')) != NULL; at++) {
    *at = '\0';
    const bool made = mkdir(path, 0777) == 0 || errno == EEXIST;
    *at = '/';
    if (!made) return false;
  }
  FILE *file = fopen(path, "wb");
  if (file == NULL) return false;
  (void)fwrite(helper->text, 1, helper->size, file);
  return finish(file);
}

static bool write_helpers(const char *folder, const struct helpers *helpers) {
  for (size_t i = 0; i < helpers->count; i++) {
    if (!write_helper(folder, &helpers->items[i])) return false;
  }
  return true;
}

bool bundle_write(const char *folder, const struct bundle *bundle, const struct scenario_file *scenario,
                  const char *history) {
  size_t size = 0;
  const char *text = scenario_file_text(scenario, &size);
  return write_manifest(folder, bundle) && write_bytes(folder, "scenario.lua", text, size) &&
         write_helpers(folder, scenario_file_helpers(scenario)) &&
         (history[0] == '\0' || write_bytes(folder, "history", history, strlen(history)));
}

static void copy(char *to, size_t size, const char *from) {
  (void)snprintf(to, size, "%s", from);
}

/* Returns what it recognised: 1 format, 2 seed, 4 hash; or -1 when it is wrong. */
static int take_line(struct bundle *bundle, const char *key, const char *value, char *error, size_t error_size) {
  uint64_t number = 0;
  if (strcmp(key, "format") == 0) {
    if (seeds_parse_one(value, &number) && number >= 1 && number <= BUNDLE_FORMAT) return 1;
    (void)snprintf(error, error_size, "its format is %.20s; this build reads formats 1 to %u", value, BUNDLE_FORMAT);
    return -1;
  }
  if (strcmp(key, "seed") == 0) {
    if (seeds_parse_one(value, &bundle->seed)) return 2;
    (void)snprintf(error, error_size, "its seed is no number: %.40s", value);
    return -1;
  }
  if (strcmp(key, "trace_hash") == 0) {
    if (seeds_parse_one(value, &bundle->trace_hash)) return 4;
    (void)snprintf(error, error_size, "its trace_hash is no number: %.40s", value);
    return -1;
  }
  if (strcmp(key, "set") == 0 && !params_set_text(&bundle->set, value)) {
    (void)snprintf(error, error_size, "it sets no parameter right: %.60s", value);
    return -1;
  }
  if (strcmp(key, "variant") == 0) copy(bundle->variant, sizeof bundle->variant, value);
  if (strcmp(key, "scenario") == 0) copy(bundle->scenario, sizeof bundle->scenario, value);
  if (strcmp(key, "path") == 0) copy(bundle->path, sizeof bundle->path, value);
  if (strcmp(key, "verdict") == 0) copy(bundle->verdict, sizeof bundle->verdict, value);
  if (strcmp(key, "property") == 0) copy(bundle->property, sizeof bundle->property, value);
  if (strcmp(key, "build") == 0) copy(bundle->build, sizeof bundle->build, value);
  if (strcmp(key, "command") == 0) copy(bundle->command, sizeof bundle->command, value);
  return 0;
}

bool bundle_read(const char *folder, struct bundle *bundle, char *error, size_t error_size) {
  char path[BUNDLE_PATH_BYTES + 32];
  char text[MANIFEST_BYTES_MAX + 1];
  int seen = 0;
  memset(bundle, 0, sizeof *bundle);
  (void)snprintf(error, error_size, "its path is too long");
  if (strlen(folder) >= BUNDLE_PATH_BYTES || !bundle_path(path, sizeof path, folder, "manifest")) return false;
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    (void)snprintf(error, error_size, "its manifest cannot be read: %s", strerror(errno));
    return false;
  }
  const size_t size = fread(text, 1, MANIFEST_BYTES_MAX, file);
  (void)fclose(file);
  text[size] = '\0';
  char *rest = NULL;
  for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    char *equals = strchr(line, '=');
    if (equals == NULL) continue;
    *equals = '\0';
    const int what = take_line(bundle, line, equals + 1, error, error_size);
    if (what < 0) return false;
    seen |= what;
  }
  if (seen == 7) return true;
  (void)snprintf(error, error_size, "its manifest lacks %s",
                 (seen & 1) == 0   ? "format="
                 : (seen & 2) == 0 ? "seed="
                                   : "trace_hash=");
  return false;
}

bool bundle_is(const char *folder) {
  char path[BUNDLE_PATH_BYTES + 32];
  char head[sizeof MANIFEST_BEGINS - 1];
  struct stat status;
  if (!bundle_path(path, sizeof path, folder, "manifest") || stat(path, &status) != 0) return false;
  FILE *file = S_ISREG(status.st_mode) ? fopen(path, "rb") : NULL;
  if (file == NULL) return false;
  const bool is = fread(head, 1, sizeof head, file) == sizeof head && memcmp(head, MANIFEST_BEGINS, sizeof head) == 0;
  (void)fclose(file);
  return is;
}
