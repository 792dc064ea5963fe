#include "cli/known.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"

#define LINES_MAX 1000u
#define LINE_BYTES 1200u
#define FORM                                                                                                           \
  "DATE | SCENARIO | PROPERTY | REASON, such as: 2026-12-31 | network/loss.lua | durability | issue 7 is open"

static unsigned digits(const char *text, unsigned count) {
  unsigned value = 0;
  for (unsigned i = 0; i < count; i++) {
    if (text[i] < '0' || text[i] > '9') return 0;
    value = value * 10 + (unsigned)(text[i] - '0');
  }
  return value;
}

unsigned known_day(const char *text) {
  static const unsigned lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (strlen(text) != 10 || text[4] != '-' || text[7] != '-') return 0;
  const unsigned year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1]) return 0;
  return month == 2 && day == 29 && !leap ? 0 : year * 10000 + month * 100 + day;
}

unsigned known_today(void) {
  const time_t now = time(NULL);
  struct tm date;
  if (gmtime_r(&now, &date) == NULL) return 0;
  return (unsigned)(date.tm_year + 1900) * 10000 + (unsigned)(date.tm_mon + 1) * 100 + (unsigned)date.tm_mday;
}

static int wrong(const char *path, unsigned line, const char *what) {
  (void)fprintf(stderr, "syncsim: %s:%u: %s\n", path, line, what);
  return EXIT_USAGE;
}

/* The next part of a line, without blanks at its ends; NULL: there is none. The last one may hold any bars. */
static char *part(char **line, bool last) {
  char *start = *line;
  if (start == NULL) return NULL;
  char *bar = last ? NULL : strchr(start, '|');
  *line = bar == NULL ? NULL : bar + 1;
  if (bar != NULL) *bar = '\0';
  start += strspn(start, " \t");
  size_t length = strlen(start);
  while (length > 0 && strchr(" \t\r\n", start[length - 1]) != NULL)
    start[--length] = '\0';
  return length == 0 ? NULL : start;
}

static int take_line(struct known_list *list, char *line, const char *path, unsigned number, unsigned today) {
  char *rest = line + strspn(line, " \t");
  if (rest[0] == '#' || rest[strspn(rest, "\r\n")] == '\0') return EXIT_HELD;
  const char *date = part(&rest, false), *scenario = part(&rest, false), *property = part(&rest, false),
             *reason = part(&rest, true);
  if (date == NULL || scenario == NULL || property == NULL || reason == NULL)
    return wrong(path, number, "a line is " FORM);
  const unsigned day = known_day(date);
  if (day == 0)
    return wrong(path, number, "the first part is the last day on which it counts for nothing, such as 2026-12-31");
  if (list->count == LINES_MAX) return wrong(path, number, "more than 1000 known failures");
  struct suite_known *grown = realloc(list->items, (list->count + 1) * sizeof *grown);
  if (grown == NULL) return wrong(path, number, "no memory");
  list->items = grown;
  struct suite_known *known = &grown[list->count];
  memset(known, 0, sizeof *known);
  if (strlen(scenario) >= sizeof known->scenario || strlen(property) >= sizeof known->property ||
      strlen(reason) + 32 > sizeof known->told)
    return wrong(path, number, "a part is too long: scenarios have at most 511 bytes, properties 63, reasons 280");
  memcpy(known->scenario, scenario, strlen(scenario) + 1);
  memcpy(known->property, property, strlen(property) + 1);
  (void)snprintf(known->told, sizeof known->told, "until %s: %s", date, reason);
  known->expired = day < today;
  for (size_t i = 0; i < list->count; i++)
    if (strcmp(grown[i].scenario, known->scenario) == 0 && strcmp(grown[i].property, known->property) == 0)
      return wrong(path, number, "this failure is listed already");
  list->count++;
  return EXIT_HELD;
}

int known_read(struct known_list *list, const char *path, unsigned today) {
  char line[LINE_BYTES];
  int status = EXIT_HELD;
  unsigned number = 0;
  errno = 0;
  FILE *file = fopen(path, "r");
  while (file != NULL && status == EXIT_HELD && fgets(line, sizeof line, file) != NULL) {
    const size_t length = strlen(line);
    number++;
    if (length + 1 == sizeof line && line[length - 1] != '\n')
      status = wrong(path, number, "the line is too long");
    else
      status = take_line(list, line, path, number, today);
  }
  if (file == NULL || ferror(file)) {
    (void)fprintf(stderr, "syncsim: cannot read '%s': %s\n", path, strerror(errno));
    status = EXIT_USAGE;
  }
  if (file != NULL) (void)fclose(file);
  return status;
}

void known_free(struct known_list *list) {
  free(list->items);
  *list = (struct known_list){.count = 0};
}
