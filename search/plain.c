#include "search/plain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/text/units.h"

#define OPTIONS_MORE 8u /* room for those that are added */

/* --- From a recording ---------------------------------------------------------------- */

void plain_gather(const struct sim_trace_log *log, char *text, size_t size) {
  enum sim_name_kind kind;
  uint32_t scope;
  const char *name;
  size_t used = 0;
  text[0] = '\0';
  for (size_t i = 0; (name = sim_trace_log_name_at(log, i, &kind, &scope)) != NULL; i++) {
    if (kind != SIM_NAME_STATEMENT) continue;
    const size_t length = strlen(name);
    if (length + 3 > size - used) return;
    text[used++] = scope == SIM_STATEMENT_OF_OPTIONS ? 'O' : 'S';
    memcpy(text + used, name, length);
    used += length;
    text[used++] = '\n';
    text[used] = '\0';
  }
}

static char *copy_text(const char *text, size_t length) {
  char *copy = malloc(length + 1);
  if (copy == NULL) return NULL;
  memcpy(copy, text, length);
  copy[length] = '\0';
  return copy;
}

static bool take_statement(struct plain_scenario *plain, const char *line, size_t length) {
  struct plain_statement statement = {0};
  char *rest = NULL;
  statement.time_ns = strtoull(line, &rest, 10);
  statement.event = strtoull(rest, &rest, 10);
  if (*rest == ' ') rest++;
  statement.text = copy_text(rest, length - (size_t)(rest - line));
  if (statement.text == NULL) return false;
  if (strncmp(statement.text, "--", 2) == 0) plain->whole = false;
  /* They come by time already, but for those of the script and the workload within one event. */
  size_t at = plain->statement_count++;
  for (; at > 0 && plain->statements[at - 1].time_ns > statement.time_ns; at--)
    plain->statements[at] = plain->statements[at - 1];
  plain->statements[at] = statement;
  return true;
}

static bool take_line(struct plain_scenario *plain, const char *line, size_t length) {
  if (line[0] == 'S') return take_statement(plain, line + 1, length - 1);
  char *option = copy_text(line + 1, length - 1);
  if (option == NULL) return false;
  if (strstr(option, " = ") == NULL && strncmp(option, "property ", 9) != 0) plain->whole = false;
  plain->options[plain->option_count++] = option;
  return true;
}

bool plain_read(struct plain_scenario *plain, const char *text) {
  size_t lines = 0;
  for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
    lines++;
  *plain = (struct plain_scenario){.whole = true};
  plain->options = calloc(lines + OPTIONS_MORE, sizeof *plain->options);
  plain->statements = calloc(lines + 1, sizeof *plain->statements);
  bool ok = plain->options != NULL && plain->statements != NULL;
  for (const char *at = text; ok && *at != '\0';) {
    const char *end = strchr(at, '\n');
    ok = take_line(plain, at, (size_t)(end - at));
    at = end + 1;
  }
  if (!ok) plain_free(plain);
  return ok;
}

bool plain_copy(struct plain_scenario *to, const struct plain_scenario *from) {
  *to = *from;
  to->options = calloc(from->option_count + OPTIONS_MORE, sizeof *to->options);
  to->statements = calloc(from->statement_count + 1, sizeof *to->statements);
  bool ok = to->options != NULL && to->statements != NULL;
  for (size_t i = 0; ok && i < from->option_count; i++)
    ok = (to->options[i] = copy_text(from->options[i], strlen(from->options[i]))) != NULL;
  for (size_t i = 0; ok && i < from->statement_count; i++) {
    to->statements[i] = from->statements[i];
    ok = (to->statements[i].text = copy_text(from->statements[i].text, strlen(from->statements[i].text))) != NULL;
  }
  if (!ok) plain_free(to);
  return ok;
}

void plain_free(struct plain_scenario *plain) {
  for (size_t i = 0; plain->options != NULL && i < plain->option_count; i++)
    free(plain->options[i]);
  for (size_t i = 0; plain->statements != NULL && i < plain->statement_count; i++)
    free(plain->statements[i].text);
  free(plain->options);
  free(plain->statements);
  *plain = (struct plain_scenario){0};
}

void plain_drop_option(struct plain_scenario *plain, size_t i) {
  free(plain->options[i]);
  plain->option_count--;
  memmove(plain->options + i, plain->options + i + 1, (plain->option_count - i) * sizeof *plain->options);
}

void plain_drop_statement(struct plain_scenario *plain, size_t i) {
  free(plain->statements[i].text);
  plain->statement_count--;
  memmove(plain->statements + i, plain->statements + i + 1, (plain->statement_count - i) * sizeof *plain->statements);
}

bool plain_set_option(struct plain_scenario *plain, const char *key, const char *value) {
  char text[512];
  const size_t length = strlen(key);
  size_t at = 0;
  (void)snprintf(text, sizeof text, "%s = %s", key, value);
  while (at < plain->option_count &&
         (strncmp(plain->options[at], key, length) != 0 || plain->options[at][length] != ' '))
    at++;
  if (at == plain->option_count) { /* there is room for one more than there are lines */
    for (; at > 0; at--)
      plain->options[at] = plain->options[at - 1];
    plain->option_count++;
  } else {
    free(plain->options[at]);
  }
  plain->options[at] = malloc(strlen(text) + 1);
  if (plain->options[at] == NULL) {
    plain_drop_option(plain, at);
    return false;
  }
  memcpy(plain->options[at], text, strlen(text) + 1);
  return true;
}

/* The text with `size` bytes at `from` replaced. */
bool plain_replace(char **whole, const char *from, size_t size, const char *to) {
  const size_t head = (size_t)(from - *whole), tail = strlen(from + size);
  char *text = malloc(head + strlen(to) + tail + 1);
  if (text == NULL) return false;
  memcpy(text, *whole, head);
  memcpy(text + head, to, strlen(to));
  memcpy(text + head + strlen(to), from + size, tail + 1);
  free(*whole);
  *whole = text;
  return true;
}

/* The value of a key within an option, such as fsync in disk = { fsync = "1ms..30ms" }; replaced, or put in. */
bool plain_set_within(struct plain_scenario *plain, const char *option, const char *key, const char *value) {
  char sought[48], text[96];
  const size_t length = strlen(option);
  size_t at = 0;
  while (at < plain->option_count &&
         (strncmp(plain->options[at], option, length) != 0 || strncmp(plain->options[at] + length, " = {", 4) != 0))
    at++;
  if (at == plain->option_count) {
    (void)snprintf(text, sizeof text, "{ %s = %s }", key, value);
    return plain_set_option(plain, option, text);
  }
  (void)snprintf(sought, sizeof sought, " %s = \"", key);
  const char *found = strstr(plain->options[at], sought);
  if (found == NULL) {
    (void)snprintf(text, sizeof text, " %s = %s,", key, value);
    return plain_replace(&plain->options[at], plain->options[at] + length + 4, 0, text);
  }
  found += strlen(sought) - 1;
  const char *end = strchr(found + 1, '"');
  return end != NULL && plain_replace(&plain->options[at], found, (size_t)(end + 1 - found), value);
}

/* "1ms..30ms" becomes "30ms"; false: it is no range. */
bool plain_slowest(struct plain_scenario *plain, const char *option, const char *key, const char *usual) {
  char sought[48], value[48];
  const size_t length = strlen(option);
  (void)snprintf(sought, sizeof sought, " %s = \"", key);
  for (size_t i = 0; i < plain->option_count; i++) {
    if (strncmp(plain->options[i], option, length) != 0) continue;
    char *found = strstr(plain->options[i], sought);
    if (found == NULL) break;
    found += strlen(sought);
    const char *dots = strstr(found, "..");
    if (dots == NULL || dots > strchr(found, '"')) return false;
    return plain_replace(&plain->options[i], found, (size_t)(dots + 2 - found), "");
  }
  if (usual == NULL) return false;
  (void)snprintf(value, sizeof value, "\"%s\"", usual);
  return plain_set_within(plain, option, key, value);
}

void plain_absent(struct plain_scenario *plain, const struct sim_choice_table *choices) {
  char list[400] = "";
  size_t used = 0;
  for (size_t i = 0; i < sim_choice_table_count(choices); i++) {
    uint64_t outcome = 0;
    const struct sim_tag tag = sim_choice_table_at(choices, i, &outcome);
    if (tag.kind != SIM_CHOICE_NODE_SKIP || outcome != 1) continue;
    used += (size_t)snprintf(list + used, sizeof list - used, used == 0 ? "{ %u" : ", %u", tag.where);
  }
  if (used == 0) return;
  (void)snprintf(list + used, sizeof list - used, " }");
  (void)plain_set_option(plain, "absent", list);
}

/* --- As a scenario --------------------------------------------------------------------- */

struct writer {
  char *text;
  size_t used, room;
  bool failed;
};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
put(struct writer *writer, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int size = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (writer->failed || size < 0) return;
  while (writer->used + (size_t)size + 1 > writer->room) {
    const size_t room = writer->room == 0 ? 4096 : writer->room * 2;
    char *text = realloc(writer->text, room);
    if (text == NULL) {
      writer->failed = true;
      return;
    }
    writer->text = text;
    writer->room = room;
  }
  va_start(arguments, format);
  (void)vsnprintf(writer->text + writer->used, (size_t)size + 1, format, arguments);
  va_end(arguments);
  writer->used += (size_t)size;
}

static void put_heading(struct writer *writer, const char *heading) {
  for (const char *at = heading; at != NULL && *at != '\0';) {
    const char *end = strchr(at, '\n');
    const size_t length = end == NULL ? strlen(at) : (size_t)(end - at);
    put(writer, length == 0 ? "--\n" : "-- %.*s\n", (int)length, at);
    at = end == NULL ? at + length : end + 1;
  }
}

/* Names come from scenarios: quotes, backslashes and line ends as Lua wants them. */
static void put_quoted(struct writer *writer, const char *text) {
  put(writer, "\"");
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\')
      put(writer, "\\%c", *text);
    else if ((unsigned char)*text < 32)
      put(writer, "\\%03u", (unsigned)(unsigned char)*text);
    else
      put(writer, "%c", *text);
  }
  put(writer, "\"");
}

static void put_time(struct writer *writer, uint64_t ns) {
  static const struct {
    uint64_t ns;
    const char *unit;
  } units[] = {{UINT64_C(1000000000), "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
  size_t i = 0;
  while (ns % units[i].ns != 0)
    i++;
  put(writer, "\"%" PRIu64 "%s\"", ns / units[i].ns, units[i].unit);
}

/* What a fate is, for who reads it; NULL: its name says it. */
static const char *meaning(struct sim_tag tag, uint64_t outcome) {
  switch (tag.kind) {
  case SIM_CHOICE_NET_LOSS:
    return "a message is lost";
  case SIM_CHOICE_NET_DUPLICATE:
    return "a message comes twice";
  case SIM_CHOICE_NET_DELAY:
    return "how long a message takes, in nanoseconds";
  case SIM_CHOICE_DISK_FSYNC_DELAY:
    return "how long an fsync takes, in nanoseconds";
  case SIM_CHOICE_DISK_STYLE:
    return outcome == 1   ? "a power loss takes all of a file that is not durable"
           : outcome == 2 ? "a power loss leaves the first writes to a file"
           : outcome == 3 ? "a power loss takes some sectors of a file"
                          : "a power loss turns some sectors of a file to garbage";
  case SIM_CHOICE_DISK_SECTOR:
    return "one of them is taken";
  case SIM_CHOICE_DISK_PREFIX:
    return "so many of them";
  case SIM_CHOICE_DISK_TORN:
    return "and so many sectors of the next";
  case SIM_CHOICE_DISK_FSYNC_ERROR:
    return "an fsync fails";
  case SIM_CHOICE_DISK_WRITE_ERROR:
    return "a write fails";
  case SIM_CHOICE_DISK_READ_ERROR:
    return "a read fails";
  default:
    return NULL;
  }
}

static void put_choices(struct writer *writer, const struct sim_choice_table *fates) {
  if (fates == NULL || sim_choice_table_count(fates) == 0) {
    put(writer, "  choices = {}, -- all that chance could decide is calm\n");
    return;
  }
  put(writer, "  choices = { -- all else that chance could decide is calm\n");
  for (size_t i = 0; i < sim_choice_table_count(fates); i++) {
    char text[SIM_TAG_TEXT_BYTES];
    uint64_t outcome = 0;
    const struct sim_tag tag = sim_choice_table_at(fates, i, &outcome);
    const char *means = meaning(tag, outcome);
    sim_tag_write(tag, text);
    put(writer, "    [\"%s\"] = %" PRIu64 ",%s%s\n", text, outcome, means == NULL ? "" : " -- ",
        means == NULL ? "" : means);
  }
  put(writer, "  },\n");
}

static bool is_property(const char *option) {
  return strncmp(option, "property ", 9) == 0;
}

/* As they are written in their file, at any depth: so their lines keep their distance from each other. */
static void put_properties(struct writer *writer, const struct plain_scenario *plain) {
  bool any = false;
  for (size_t i = 0; i < plain->option_count; i++) {
    if (!is_property(plain->options[i])) continue;
    put(writer, any ? "    " : "  properties = {\n    ");
    any = true;
    for (const char *at = plain->options[i] + 9; *at != '\0'; at++)
      put(writer, "%c", *at == '\r' ? '\n' : *at);
    put(writer, ",\n");
  }
  if (any) put(writer, "  },\n");
}

/* "32768B" reads better as "32KiB". */
static void put_statement(struct writer *writer, const char *text) {
  for (const char *at = text; *at != '\0'; at++) {
    char *end = NULL;
    const unsigned long bytes = *at == '"' && at[1] >= '1' && at[1] <= '9' ? strtoul(at + 1, &end, 10) : 0;
    if (bytes == 0 || bytes % 1024 != 0 || strncmp(end, "B\"", 2) != 0) {
      put(writer, "%c", *at);
      continue;
    }
    put(writer, "\"%luKiB\"", bytes / 1024);
    at = end + 1;
  }
  put(writer, "\n");
}

char *plain_write(const struct plain_scenario *plain, const struct plain_frame *frame) {
  struct writer writer = {0};
  uint64_t now_ns = 0;
  put_heading(&writer, frame->heading);
  put(&writer, "local sim = require \"sim\"\n\nreturn sim.scenario {\n  name = ");
  put_quoted(&writer, frame->name);
  put(&writer, ",\n");
  for (size_t i = 0; i < plain->option_count; i++)
    if (!is_property(plain->options[i])) put(&writer, "  %s,\n", plain->options[i]);
  put(&writer, "  duration = ");
  put_time(&writer, plain->duration_ns);
  put(&writer, ",\n");
  put_choices(&writer, frame->fates);
  put(&writer, "  run = function(world)\n");
  for (size_t i = 0; i < plain->statement_count; i++) {
    const struct plain_statement *statement = &plain->statements[i];
    if (statement->time_ns > now_ns) {
      put(&writer, "    world:sleep ");
      put_time(&writer, statement->time_ns - now_ns);
      put(&writer, "\n");
      now_ns = statement->time_ns;
    }
    put(&writer, "    ");
    put_statement(&writer, statement->text);
  }
  put(&writer, "  end,\n");
  put_properties(&writer, plain);
  put(&writer, "}\n");
  if (!writer.failed) return writer.text;
  free(writer.text);
  return NULL;
}
