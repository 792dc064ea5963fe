#include "search/simpler.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

/* --- How it is told at first --------------------------------------------------------------- */

/* A script that acts in another task, and at the very end, may come too late for what had just come in time. */
static const uint64_t SLACKS[] = {0, SIM_MS, SIM_SECOND, 10 * SIM_SECOND};
#define SLACK_COUNT (sizeof SLACKS / sizeof *SLACKS)
/* What a power loss does to all that is not durable, instead of sector by sector. */
static const struct {
  const char *on_crash, *torn;
} LOSSES[] = {{NULL, NULL}, {"\"strict\"", NULL}, {"\"strict\"", "\"always\""}, {"\"ordered\"", NULL}};
#define LOSS_COUNT (sizeof LOSSES / sizeof *LOSSES)
#define SPEED_COUNT 4u /* as they are; fsyncs as slow as they may be; messages; both */
/* How long before the last act, which is often the blow. */
static const uint64_t LAST_GAPS[] = {UINT64_MAX, 0,          100 * SIM_US, SIM_MS,
                                     2 * SIM_MS, 5 * SIM_MS, 10 * SIM_MS,  20 * SIM_MS};
#define LAST_GAP_COUNT (sizeof LAST_GAPS / sizeof *LAST_GAPS)
const size_t simpler_first_tellings = SLACK_COUNT + LOSS_COUNT * SPEED_COUNT * LAST_GAP_COUNT;
const size_t simpler_slacks = SLACK_COUNT;

static void set_last_gap(struct plain_scenario *plain, uint64_t gap) {
  const size_t last = plain->statement_count - 1;
  const uint64_t before = last == 0 ? 0 : plain->statements[last - 1].time_ns;
  if (gap != UINT64_MAX && plain->statement_count > 0) plain->statements[last].time_ns = before + gap;
}

bool simpler_first_telling(struct plain_scenario *plain, size_t number, const void *arg) {
  (void)arg;
  if (number < SLACK_COUNT) {
    plain->duration_ns += SLACKS[number];
    return true;
  }
  number -= SLACK_COUNT;
  const size_t gap = number / LOSS_COUNT / SPEED_COUNT, speed = number / LOSS_COUNT % SPEED_COUNT;
  const size_t loss = number % LOSS_COUNT;
  plain->duration_ns += SIM_SECOND;
  set_last_gap(plain, LAST_GAPS[gap]);
  if (LOSSES[loss].on_crash != NULL && !plain_set_within(plain, "disk", "on_crash", LOSSES[loss].on_crash))
    return false;
  if (LOSSES[loss].torn != NULL && !plain_set_within(plain, "disk", "torn", LOSSES[loss].torn)) return false;
  if ((speed & 1) != 0 && !plain_slowest(plain, "disk", "fsync", "2ms")) return false;
  return (speed & 2) == 0 || plain_slowest(plain, "network", "delay", NULL);
}

/* --- Statements ------------------------------------------------------------------------------ */

/* The last first: what follows from it goes before it. */
bool simpler_drop_one(struct plain_scenario *plain, size_t number, const void *arg) {
  (void)arg;
  if (number >= plain->statement_count) return false;
  plain_drop_statement(plain, plain->statement_count - 1 - number);
  return true;
}

/* Two of them: a crash and its restart. */
bool simpler_drop_pair(struct plain_scenario *plain, size_t number, const void *arg) {
  const struct simpler_pairs *pairs = arg;
  const size_t later = number / pairs->count, earlier = number % pairs->count;
  if (earlier >= later || later >= plain->statement_count) return false;
  plain_drop_statement(plain, later);
  plain_drop_statement(plain, earlier);
  return true;
}

/* Halves, quarters, ... */
bool simpler_drop_part(struct plain_scenario *plain, size_t number, const void *arg) {
  const size_t size = *(const size_t *)arg;
  bool any = false;
  for (size_t i = 0; i < size && number * size < plain->statement_count; i++) {
    plain_drop_statement(plain, number * size);
    any = true;
  }
  return any;
}

/* --- Puts --------------------------------------------------------------------------------------- */

/* The number behind `word`; false: there is none. */
static bool number_behind(const struct plain_statement *statement, const char *word, unsigned long *number,
                          const char **at, size_t *size) {
  char *end;
  const char *found = strstr(statement->text, word);
  if (found == NULL) return false;
  *at = found + strlen(word);
  *number = strtoul(*at, &end, 10);
  *size = (size_t)(end - *at);
  return end != *at;
}

static bool set_behind(struct plain_statement *statement, const char *word, unsigned long to) {
  unsigned long now = 0;
  const char *at;
  char text[32];
  size_t size;
  if (!number_behind(statement, word, &now, &at, &size) || now == to) return false;
  (void)snprintf(text, sizeof text, "%lu", to);
  return plain_replace(&statement->text, at, size, text);
}

/* The number behind `word`, replaced by another one; false when it is not there or no greater. */
static bool lower(struct plain_statement *statement, const char *word, unsigned long to) {
  unsigned long now = 0;
  const char *at;
  size_t size;
  return number_behind(statement, word, &now, &at, &size) && now > to && set_behind(statement, word, to);
}

#define SIZE_OF_PUT ", \""
#define FEWEST 6u /* puts that are worth it */
static const unsigned long SIZES[] = {512, 2048, 8192, 32768};
static const size_t KEPT[] = {16, 8, 4, 2}; /* one of so many */
#define SIZE_COUNT (sizeof SIZES / sizeof *SIZES)
#define KEPT_COUNT (sizeof KEPT / sizeof *KEPT)
const size_t simpler_greater = SIZE_COUNT * KEPT_COUNT;

static bool is_put(const struct plain_statement *statement) {
  return strstr(statement->text, ":put(") != NULL && strstr(statement->text, SIZE_OF_PUT) != NULL;
}

/* A put of so many bytes, also where several keys were put; false: it is one already. */
static bool make_put(struct plain_statement *statement, unsigned long bytes) {
  char text[48];
  const char *at = strstr(statement->text, ":submit {");
  if (at == NULL) return set_behind(statement, SIZE_OF_PUT, bytes);
  (void)snprintf(text, sizeof text, ":put(0, \"%luB\")", bytes);
  return plain_replace(&statement->text, at, strlen(at), text);
}

static bool puts_something(const struct plain_statement *statement) {
  return is_put(statement) || strstr(statement->text, ":submit {") != NULL;
}

bool simpler_greater_puts(struct plain_scenario *plain, size_t number, const void *arg) {
  size_t puts = 0, seen = 0;
  (void)arg;
  for (size_t i = 0; i < plain->statement_count; i++)
    puts += puts_something(&plain->statements[i]);
  if (puts < FEWEST) return false;
  const size_t kept = KEPT[number % KEPT_COUNT];
  for (size_t i = 0; i < plain->statement_count;) {
    struct plain_statement *statement = &plain->statements[i];
    if (puts_something(statement) && ++seen % kept != 0 && seen != puts) { /* the last one is near what comes of it */
      plain_drop_statement(plain, i);
      continue;
    }
    if (puts_something(statement)) (void)make_put(statement, SIZES[number / KEPT_COUNT]);
    i++;
  }
  return true;
}

/* --- Options ---------------------------------------------------------------------------------- */

bool simpler_drop_option(struct plain_scenario *plain, size_t number, const void *arg) {
  (void)arg;
  if (number >= plain->option_count || strncmp(plain->options[number], "nodes = ", 8) == 0) return false;
  plain_drop_option(plain, number);
  return true;
}

/* Where the number-th key of all options that are tables begins and ends, a comma with it. */
static bool find_key(const struct plain_scenario *plain, size_t number, size_t *option, size_t *from, size_t *to) {
  for (size_t i = 0; i < plain->option_count; i++) {
    const char *text = plain->options[i], *at = strstr(text, " = { ");
    if (at == NULL || strncmp(text, "absent", 6) == 0) continue;
    size_t begin = (size_t)(at - text) + 4, depth = 0;
    bool quoted = false;
    for (size_t k = begin + 1; text[k] != '\0'; k++) {
      quoted = quoted != (text[k] == '"');
      if (quoted) continue;
      depth += text[k] == '{';
      const bool ends = depth == 0 && (text[k] == ',' || text[k] == '}');
      depth -= depth > 0 && text[k] == '}';
      if (!ends) continue;
      *option = i;
      *from = begin;
      *to = k + (text[k] == ',');
      if (number-- == 0) return *to - *from > 2;
      begin = k + 1;
    }
  }
  return false;
}

bool simpler_drop_key(struct plain_scenario *plain, size_t number, const void *arg) {
  size_t option = 0, from = 0, to = 0;
  (void)arg;
  if (!find_key(plain, number, &option, &from, &to)) return false;
  return plain_replace(&plain->options[option], plain->options[option] + from, to - from, "");
}

static unsigned long nodes_of(const struct plain_scenario *plain) {
  for (size_t i = 0; i < plain->option_count; i++)
    if (strncmp(plain->options[i], "nodes = ", 8) == 0) return strtoul(plain->options[i] + 8, NULL, 10);
  return 3;
}

/* Which numbers of nodes the statements name; false when some may be named that are not seen here. */
static bool named_nodes(const struct plain_scenario *plain, bool named[SIMPLER_NODES_MAX + 1]) {
  static const char *const others[] = {"partition", "isolate", "link", "rule", "clog", "flap", "forge", "swizzle"};
  for (size_t i = 0; i < plain->option_count; i++)
    if (strncmp(plain->options[i], "node_options", 12) == 0) return false;
  for (size_t i = 0; i < plain->statement_count; i++) {
    const char *text = plain->statements[i].text;
    for (size_t k = 0; k < sizeof others / sizeof *others; k++)
      if (strstr(text, others[k]) != NULL) return false;
    for (const char *at = text; (at = strstr(at, "node(")) != NULL;) {
      at += 5;
      const unsigned long node = strtoul(at, NULL, 10);
      if (node >= 1 && node <= SIMPLER_NODES_MAX) named[node] = true;
    }
  }
  return true;
}

static bool renumber(struct plain_statement *statement, const unsigned to[SIMPLER_NODES_MAX + 1]) {
  const size_t room = strlen(statement->text) + 1; /* numbers get smaller */
  char *text = malloc(room);
  size_t used = 0;
  if (text == NULL) return false;
  for (const char *at = statement->text; *at != '\0';) {
    if (strncmp(at, "node(", 5) != 0) {
      text[used++] = *at++;
      continue;
    }
    char *end;
    const unsigned long node = strtoul(at + 5, &end, 10);
    used += (size_t)snprintf(text + used, room - used, "node(%u", node <= SIMPLER_NODES_MAX ? to[node] : 0);
    at = end;
  }
  text[used] = '\0';
  free(statement->text);
  statement->text = text;
  return true;
}

/* The nodes that are named become 1, 2, ..., and there are `number` others, at least one node in all. */
bool simpler_close_ranks(struct plain_scenario *plain, size_t number, const void *arg) {
  bool named[SIMPLER_NODES_MAX + 1] = {false};
  unsigned to[SIMPLER_NODES_MAX + 1] = {0}, count = 0;
  char text[32];
  (void)arg;
  if (!named_nodes(plain, named)) return false;
  for (unsigned i = 1; i <= SIMPLER_NODES_MAX; i++)
    if (named[i]) to[i] = ++count;
  const size_t nodes = count + number;
  if (nodes < 1 || nodes > nodes_of(plain)) return false;
  if (nodes == nodes_of(plain)) {
    bool same = true;
    for (unsigned i = 1; i <= SIMPLER_NODES_MAX; i++)
      same = same && (!named[i] || to[i] == i);
    if (same) return false;
  }
  for (size_t i = 0; i < plain->statement_count; i++)
    if (!renumber(&plain->statements[i], to)) return false;
  (void)snprintf(text, sizeof text, "%zu", nodes);
  for (size_t i = 0; i < plain->option_count; i++)
    if (strncmp(plain->options[i], "absent = ", 9) == 0) plain_drop_option(plain, i);
  return plain_set_option(plain, "nodes", text);
}

/* Just fewer. */
bool simpler_fewer_nodes(struct plain_scenario *plain, size_t number, const void *arg) {
  char text[32];
  (void)arg;
  if (number + 1 >= nodes_of(plain)) return false;
  (void)snprintf(text, sizeof text, "%zu", number + 1);
  return plain_set_option(plain, "nodes", text);
}

/* --- Times -------------------------------------------------------------------------------------- */

static const uint64_t GRAINS[] = {0, SIM_SECOND, 100 * SIM_MS, 10 * SIM_MS, SIM_MS, 100 * SIM_US};
#define GRAIN_COUNT (sizeof GRAINS / sizeof *GRAINS)
const size_t simpler_coarse_gaps = 2 * GRAIN_COUNT, simpler_coarse_ends = 2 * (GRAIN_COUNT - 1);

static uint64_t coarse(uint64_t ns, uint64_t grain, bool up) {
  if (grain == 0) return 0;
  return (ns + (up ? grain - 1 : 0)) / grain * grain;
}

/* The time before a statement: none at all, or in whole seconds, tenths, ... downwards and upwards; what comes after it
 * moves with it. */
bool simpler_coarse_gap(struct plain_scenario *plain, size_t number, const void *arg) {
  const size_t at = *(const size_t *)arg;
  const uint64_t before = at == 0 ? 0 : plain->statements[at - 1].time_ns;
  const uint64_t gap = plain->statements[at].time_ns - before;
  const uint64_t rounded = coarse(gap, GRAINS[number / 2], number % 2 == 1);
  if (gap == rounded || (GRAINS[number / 2] > 0 && gap % GRAINS[number / 2] == 0)) return false;
  for (size_t i = at; i < plain->statement_count; i++)
    plain->statements[i].time_ns = plain->statements[i].time_ns - gap + rounded;
  plain->duration_ns = plain->duration_ns - gap + rounded;
  return true;
}

bool simpler_coarse_end(struct plain_scenario *plain, size_t number, const void *arg) {
  const uint64_t last = plain->statement_count == 0 ? 0 : plain->statements[plain->statement_count - 1].time_ns;
  const uint64_t least = last + SIM_MS; /* what happens at the end of all is not let happen */
  (void)arg;
  const uint64_t grain = GRAINS[1 + number / 2];
  const uint64_t end = coarse(number % 2 == 0 ? least : plain->duration_ns, grain, true);
  if (end == plain->duration_ns || plain->duration_ns % grain == 0) return false;
  plain->duration_ns = end;
  return true;
}

/* --- Sizes, keys, moments of crashes -------------------------------------------------------------- */

bool simpler_statement(struct plain_scenario *plain, size_t number, const void *arg) {
  struct plain_statement *statement = &plain->statements[*(const size_t *)arg];
  const char *at;
  switch (number) {
  case 0:
    at = strstr(statement->text, ":crash {");
    return at != NULL && plain_replace(&statement->text, at, strlen(at), ":crash()");
  case 1:
    at = strstr(statement->text, ":restart {");
    return at != NULL && plain_replace(&statement->text, at, strlen(at), ":restart()");
  case 2:
    return lower(statement, "put(", 1);
  case 3:
    return lower(statement, "delete(", 1);
  case 4:
    return is_put(statement) && lower(statement, SIZE_OF_PUT, 16);
  case 5:
    return lower(statement, "at = ", 1);
  case 6:
    return is_put(statement) && lower(statement, SIZE_OF_PUT, 512);
  case 7:
    return is_put(statement) && lower(statement, SIZE_OF_PUT, 2048);
  case 8:
    return !is_put(statement) && puts_something(statement) && make_put(statement, 512);
  default:
    return false;
  }
}
const size_t simpler_statements = 9;
