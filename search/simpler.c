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

/* --- Options ---------------------------------------------------------------------------------- */

bool simpler_drop_option(struct plain_scenario *plain, size_t number, const void *arg) {
  (void)arg;
  if (number >= plain->option_count || strncmp(plain->options[number], "nodes = ", 8) == 0) return false;
  plain_drop_option(plain, number);
  return true;
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

/* The number behind `word`, replaced by another one; false when it is not there or no greater. */
static bool lower(struct plain_statement *statement, const char *word, unsigned long to) {
  char text[32];
  char *end;
  const char *at = strstr(statement->text, word);
  if (at == NULL) return false;
  at += strlen(word);
  const unsigned long now = strtoul(at, &end, 10);
  if (end == at || now <= to) return false;
  (void)snprintf(text, sizeof text, "%lu", to);
  return plain_replace(&statement->text, at, (size_t)(end - at), text);
}

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
    return strstr(statement->text, ":put(") != NULL && lower(statement, ", \"", 16);
  case 5:
    return lower(statement, "at = ", 1);
  default:
    return false;
  }
}
const size_t simpler_statements = 6;
