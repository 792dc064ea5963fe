#include "reports/story.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/env.h"
#include "reports/story_tally.h"
#include "reports/story_words.h"
#include "reports/utf8.h"
#include "reports/wrap.h"
#include "sim/sim.h"

#define LINES_MAX 64u /* of one instant; what is more is told in its order, unmerged */
#define NODES_MAX 64u /* that one line names */
#define PAIRS_MAX 64u
#define WORDS_BYTES 1400u
#define NODES_BYTES 80u
#define INDENT_TIME 13u /* "  0.944 s    " */
#define CLOCK_JUMP 17u  /* field 0 of SIM_STEP_NODE_CLOCK */
#define NARROW 50u      /* columns below which little is indented */

struct pair {
  uint32_t from, to;
};

/* What is told of one instant: the same words of several nodes are one line. */
struct told {
  const char *change; /* of links, or NULL */
  bool life;          /* a node starts, opens, or refuses to */
  uint32_t count;     /* nodes or links that it is about */
  uint32_t nodes[NODES_MAX];
  struct pair pairs[PAIRS_MAX];
  char words[WORDS_BYTES];
};

struct story {
  FILE *file;
  const struct sim_trace_log *log;
  struct sim_trace_teller *teller;
  unsigned columns;
  bool ok;
  uint64_t now_ns;     /* of the lines below */
  uint64_t told_to_ns; /* the last line that was written */
  uint32_t count;
  struct told *lines;
  struct story_tally before; /* of what happened before the lines */
  struct story_tally since;
  uint64_t parked[NODES_MAX + 1]; /* by node: peers that it gave up */
  uint64_t bent[NODES_MAX + 1];   /* by node: 1 << (the kind of change & 63) for what is not as it should be */
};

/* --- Lines on paper ------------------------------------------------------------------- */

static void put_line(struct story *story, const char *head, const char *words) {
  char *clean = utf8_clean(words, UTF8_FOR_LINE, SIZE_MAX / 4);
  const unsigned indent = story->columns != 0 && story->columns < NARROW ? 4 : INDENT_TIME + 6;
  if (clean == NULL || fprintf(story->file, "%s", head) < 0 ||
      !wrap_write(story->file, clean, wrap_width(head), indent, story->columns))
    story->ok = false;
  free(clean);
}

static void put_at(struct story *story, uint64_t time_ns, const char *who, const char *words) {
  char head[NODES_BYTES + 64];
  (void)snprintf(head, sizeof head, "%5" PRIu64 ".%06" PRIu64 " %-6s", time_ns / SIM_SECOND,
                 time_ns % SIM_SECOND / 1000u, who);
  const size_t length = strlen(head);
  if (head[length - 1] != ' ') (void)snprintf(head + length, sizeof head - length, " ");
  put_line(story, head, words);
}

/* What lies between the last line and the next. */
static void put_between(struct story *story) {
  char words[512], line[640];
  if (!story_tally_tell(&story->before, words, sizeof words)) return;
  const uint64_t ms = (story->now_ns - story->told_to_ns) / SIM_MS;
  if (ms > 0)
    (void)snprintf(line, sizeof line, "%" PRIu64 ".%03" PRIu64 " s: %s", ms / 1000u, ms % 1000u, words);
  else
    (void)snprintf(line, sizeof line, "%s", words);
  put_line(story, "         ...       ", line);
}

static void name_nodes(const struct told *told, char *text, size_t size) {
  const uint32_t shown = told->count < NODES_MAX ? told->count : NODES_MAX;
  bool row = shown > 2; /* at least one node: a line is made for one */
  for (uint32_t i = 1; i < shown; i++)
    row = row && told->nodes[i] == told->nodes[i - 1] + 1;
  if (row && told->count <= NODES_MAX) {
    (void)snprintf(text, size, "n%" PRIu32 "-n%" PRIu32, told->nodes[0], told->nodes[0] + shown - 1);
    return;
  }
  size_t length = 0;
  text[0] = '\0';
  for (uint32_t i = 0; i < shown && length + 16 < size; i++)
    length += (size_t)snprintf(text + length, size - length, "%sn%" PRIu32, i == 0 ? "" : " ", told->nodes[i]);
  if (told->nodes[0] == 0) (void)snprintf(text, size, "-");
}

static bool has_pair(const struct told *told, uint32_t from, uint32_t to) {
  const uint32_t kept = told->count < PAIRS_MAX ? told->count : PAIRS_MAX;
  for (uint32_t i = 0; i < kept; i++)
    if (told->pairs[i].from == from && told->pairs[i].to == to) return true;
  return false;
}

/* "links are cut: n1 - n2, n3 -> n1" */
static void name_links(struct told *told) {
  const uint32_t kept = told->count < PAIRS_MAX ? told->count : PAIRS_MAX;
  size_t length;
  if (has_pair(told, 0, 0)) {
    (void)snprintf(told->words, sizeof told->words, "all links are %s", told->change);
    return;
  }
  length =
      (size_t)snprintf(told->words, sizeof told->words, "%s %s:", kept == 1 ? "a link is" : "links are", told->change);
  const char *between = " ";
  for (uint32_t i = 0; i < kept && length + 32 < sizeof told->words; i++) {
    const struct pair *pair = &told->pairs[i];
    const bool both = has_pair(told, pair->to, pair->from);
    if (both && pair->to < pair->from) continue; /* told with the other way */
    length += (size_t)snprintf(told->words + length, sizeof told->words - length, "%sn%" PRIu32 " %s n%" PRIu32,
                               between, pair->from, both ? "-" : "->", pair->to);
    between = ", ";
  }
  if (told->count > PAIRS_MAX && length < sizeof told->words)
    (void)snprintf(told->words + length, sizeof told->words - length, " and %" PRIu32 " more", told->count - PAIRS_MAX);
}

/* Writes the lines of the instant that is over. */
static void flush(struct story *story) {
  char who[NODES_BYTES];
  if (story->count == 0) return;
  put_between(story);
  for (uint32_t i = 0; i < story->count; i++) {
    struct told *told = &story->lines[i];
    if (told->change != NULL)
      name_links(told);
    else
      name_nodes(told, who, sizeof who);
    put_at(story, story->now_ns, told->change != NULL ? "-" : who, told->words);
  }
  story->told_to_ns = story->now_ns;
  story->before = (struct story_tally){0};
  story->count = 0;
}

/* --- Steps ----------------------------------------------------------------------------- */

static struct told *new_line(struct story *story) {
  if (story->count == LINES_MAX) {
    flush(story);
  }
  struct told *told = &story->lines[story->count++];
  told->change = NULL;
  told->life = false;
  told->count = 0;
  told->words[0] = '\0';
  return told;
}

static bool names(const struct told *told, uint32_t node) {
  const uint32_t kept = told->count < NODES_MAX ? told->count : NODES_MAX;
  for (uint32_t i = 0; i < kept; i++)
    if (told->nodes[i] == node) return true;
  return false;
}

static void add_node(struct told *told, uint32_t node) {
  if (told->count < NODES_MAX) told->nodes[told->count] = node;
  told->count++;
}

/* The line of this instant to which a node can be added without it standing before what it comes after; or NULL. */
static struct told *same_line(const struct story *story, uint32_t node, const char *words) {
  for (uint32_t i = story->count; i > 0 && node != 0; i--) {
    struct told *other = &story->lines[i - 1];
    if (other->change != NULL) continue;
    if (names(other, node) || names(other, 0)) return NULL;
    if (strcmp(other->words, words) == 0) return other;
  }
  return NULL;
}

static void tell(struct story *story, uint32_t node, const char *words) {
  struct told *told = same_line(story, node, words);
  if (told == NULL) {
    told = new_line(story);
    (void)snprintf(told->words, sizeof told->words, "%s", words);
  }
  add_node(told, node);
}

/* An act that is recorded when it is done: it is told before what it did. */
static void tell_cause(struct story *story, uint32_t node, const char *words) {
  (void)new_line(story);
  uint32_t at = story->count - 1;
  while (at > 0 && story->lines[at - 1].change == NULL && names(&story->lines[at - 1], node) &&
         story->lines[at - 1].count == 1 && story->lines[at - 1].life)
    at--;
  const bool idle = at + 1 == story->count;
  memmove(&story->lines[at + 1], &story->lines[at], (story->count - 1 - at) * sizeof *story->lines);
  struct told *told = &story->lines[at];
  *told = (struct told){.count = 0};
  (void)snprintf(told->words, sizeof told->words, "%.*s%s", (int)(WORDS_BYTES / 2), words,
                 idle ? ", and it was up" : "");
  add_node(told, node);
}

static void tell_link(struct story *story, const struct sim_trace_record *record) {
  uint32_t from, to;
  struct told *told = NULL;
  const char *change = story_link(record, &from, &to);
  for (uint32_t i = 0; i < story->count; i++)
    if (story->lines[i].change == change) told = &story->lines[i];
  if (told == NULL) {
    told = new_line(story);
    told->change = change;
  }
  if (has_pair(told, from, to)) return;
  if (told->count < PAIRS_MAX) told->pairs[told->count] = (struct pair){from, to};
  told->count++;
}

/* "n1 starts" without "n1". */
static const char *without_node(const char *sentence) {
  const char *blank = strchr(sentence, ' ');
  return blank == NULL ? sentence : blank + 1;
}

/* Clocks that are set right were wrong before, or nobody would want to know. */
static bool is_change(struct story *story, const struct sim_trace_record *record) {
  const bool jump = record->count < 2 || record->fields[0] == CLOCK_JUMP;
  if (jump || record->node > NODES_MAX) return true;
  uint64_t *bent = &story->bent[record->node], bit = UINT64_C(1) << (record->fields[0] & 63u);
  const bool change = record->fields[1] != 0 || (*bent & bit) != 0;
  *bent = record->fields[1] != 0 ? *bent | bit : *bent & ~bit;
  return change;
}

/* A peer that is revived was given up before, or nobody would want to know. */
static bool is_news(struct story *story, const struct sim_trace_record *record) {
  const bool report = record->step == SIM_STEP_NODE_TRACE && record->count > 1;
  if (record->step == SIM_STEP_NODE_CLOCK) return is_change(story, record);
  if (!report || (record->fields[0] != SYNC_TRACE_PARKED && record->fields[0] != SYNC_TRACE_REVIVED)) return true;
  if (record->node > NODES_MAX) return record->fields[0] == SYNC_TRACE_PARKED;
  uint64_t *parked = &story->parked[record->node], bit = UINT64_C(1) << (record->fields[1] & 63u);
  const bool news = record->fields[0] == SYNC_TRACE_PARKED || (*parked & bit) != 0;
  *parked = record->fields[0] == SYNC_TRACE_PARKED ? *parked | bit : *parked & ~bit;
  return news;
}

/* What a restart brings. */
static bool is_life(const struct sim_trace_record *record) {
  return record->step == SIM_STEP_NODE_BOOT || record->step == SIM_STEP_NODE_DOWN ||
         (record->step == SIM_STEP_NODE_TRACE && record->count > 0 && record->fields[0] == SYNC_TRACE_OPEN);
}

static void see(struct story *story, const struct sim_trace_record *record) {
  char sentence[WORDS_BYTES], words[WORDS_BYTES];
  (void)sim_trace_sentence(story->teller, record, sentence, sizeof sentence);
  const enum story_weight weight = story_weigh(record);
  if (weight == STORY_QUIET || (weight == STORY_TOLD && !is_news(story, record))) {
    story_tally_add(&story->since, record);
    return;
  }
  if (story->count == 0 || record->time_ns != story->now_ns) {
    flush(story);
    story->now_ns = record->time_ns;
    story->before = story->since;
    story->since = (struct story_tally){0};
  }
  if (weight == STORY_LINKS) {
    tell_link(story, record);
  } else if (weight == STORY_MORE && story->count > 0) {
    struct told *told = &story->lines[story->count - 1];
    const char *more = without_node(without_node(sentence)); /* "world ... TEXT" */
    const size_t length = strlen(told->words);
    (void)snprintf(told->words + length, sizeof told->words - length, "%s", more);
  } else if (weight == STORY_CAUSE) {
    (void)story_words(story->log, record, words, sizeof words);
    tell_cause(story, record->node, words);
  } else {
    tell(story, record->node, story_words(story->log, record, words, sizeof words) ? words : without_node(sentence));
    story->lines[story->count - 1].life = is_life(record);
  }
}

bool story_write(FILE *file, const struct sim_trace_log *log, unsigned columns) {
  struct story story = {.file = file, .log = log, .columns = columns, .ok = true};
  const size_t count = sim_trace_log_count(log);
  story.teller = sim_trace_teller_create(log);
  story.lines = calloc(LINES_MAX, sizeof *story.lines);
  if (story.teller == NULL || story.lines == NULL) story.ok = false;
  for (size_t i = 0; story.ok && i < count; i++) {
    const struct sim_trace_record *record = sim_trace_log_at(log, i);
    see(&story, record);
    if (i + 1 == count) { /* what came after the last line has an end, too */
      const uint64_t end_ns = record->time_ns;
      flush(&story);
      story.now_ns = end_ns;
      story.before = story.since;
      put_between(&story);
      put_at(&story, end_ns, "-", "the run ends");
    }
  }
  sim_trace_teller_destroy(story.teller);
  free(story.lines);
  return fflush(file) == 0 && story.ok;
}
