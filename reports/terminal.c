/* The report for people. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "reports/report.h"
#include "reports/utf8.h"
#include "reports/wrap.h"

#define NAME_COLUMNS_MIN 12u
#define RED "31"
#define GREEN "32"
#define YELLOW "33"
#define BOLD "1"

struct page {
  FILE *file;
  bool colour;
  unsigned columns; /* 0: no limit */
  bool ok;
};

/* --- Text ------------------------------------------------------------------------ */

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
say(struct page *page, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  if (vfprintf(page->file, format, arguments) < 0) page->ok = false;
  va_end(arguments);
}

static void paint(struct page *page, const char *code) {
  if (page->colour) say(page, "\033[%sm", code);
}
static void plain(struct page *page) {
  if (page->colour) say(page, "\033[0m");
}

/* A clean text, cut to `columns` with "..." when it is longer, filled with
 * blanks when it is shorter. */
static void cell(struct page *page, const char *clean, unsigned columns) {
  const bool cut = wrap_width(clean) > columns;
  const unsigned room = cut ? columns - 3 : columns;
  unsigned used = 0;
  while (*clean != '\0') {
    uint32_t character;
    bool valid;
    const size_t size = utf8_decode(clean, &character, &valid);
    const unsigned width = utf8_columns(character);
    if (used + width > room) break;
    say(page, "%.*s", (int)size, clean);
    used += width;
    clean += size;
  }
  if (cut) {
    say(page, "...");
    used += 3;
  }
  say(page, "%*s", (int)(columns - used), "");
}

static char *clean_line(struct page *page, const char *text) {
  char *clean = utf8_clean(text, UTF8_FOR_LINE, SIZE_MAX / 4);
  if (clean == NULL) page->ok = false;
  return clean;
}

/* One paragraph with words wrapped, every line after the first indented. The
 * first one has `indent` columns already. */
static void paragraph(struct page *page, const char *text, unsigned indent) {
  char *clean = clean_line(page, text);
  if (clean == NULL) return;
  if (!wrap_write(page->file, clean, indent, indent, page->columns)) page->ok = false;
  free(clean);
}

/* Several lines, each indented. */
static void block(struct page *page, const char *text, unsigned indent) {
  char *clean = utf8_clean(text, UTF8_FOR_TERMINAL, SIZE_MAX / 4);
  if (clean == NULL) {
    page->ok = false;
    return;
  }
  for (char *line = clean; *line != '\0';) {
    const size_t size = strcspn(line, "\n");
    say(page, "%*s%.*s\n", (int)indent, "", (int)size, line);
    line += size;
    if (*line == '\n') line++;
  }
  free(clean);
}

/* "1,234,567" */
static const char *grouped(uint64_t value, char text[32]) {
  char digits[24];
  const int count = snprintf(digits, sizeof digits, "%" PRIu64, value);
  char *to = text;
  for (int i = 0; i < count; i++) {
    if (i > 0 && (count - i) % 3 == 0) *to++ = ',';
    *to++ = digits[i];
  }
  *to = '\0';
  return text;
}

/* "81 ms", "2.41 s", "3m 12s", "16h 40m", "12d 4h" */
static const char *duration(uint64_t ns, char text[32]) {
  const uint64_t seconds = ns / 1000000000u;
  if (ns < 1000000u)
    (void)snprintf(text, 32, "%" PRIu64 " us", ns / 1000u);
  else if (seconds < 1)
    (void)snprintf(text, 32, "%" PRIu64 " ms", ns / 1000000u);
  else if (seconds < 60)
    (void)snprintf(text, 32, "%" PRIu64 ".%02" PRIu64 " s", seconds, ns / 10000000u % 100u);
  else if (seconds < 3600)
    (void)snprintf(text, 32, "%" PRIu64 "m %02" PRIu64 "s", seconds / 60u, seconds % 60u);
  else if (seconds < 86400)
    (void)snprintf(text, 32, "%" PRIu64 "h %02" PRIu64 "m", seconds / 3600u, seconds / 60u % 60u);
  else
    (void)snprintf(text, 32, "%" PRIu64 "d %" PRIu64 "h", seconds / 86400u, seconds / 3600u % 24u);
  return text;
}

/* --- The table ------------------------------------------------------------------- */

enum column { COLUMN_NAME, COLUMN_SEEDS, COLUMN_VERDICT, COLUMN_FAULTS, COLUMN_SIMULATED, COLUMN_REAL, COLUMN_COUNT };

static const char *const column_titles[COLUMN_COUNT] = {
    "scenario", "seeds", "verdict", "faults fired", "simulated", "real",
};

struct row {
  char *name; /* clean; owned */
  char text[COLUMN_COUNT][64];
  const char *colour;
};

static void verdict_text(const struct suite_scenario *scenario, char *text, size_t size) {
  const char *words = "";
  switch (scenario->verdict) {
  case SUITE_HELD:
    words = "held";
    break;
  case SUITE_VIOLATED:
    words = "VIOLATED";
    break;
  case SUITE_NOT_DETERMINISTIC:
    words = "NOT DETERMINISTIC";
    break;
  case SUITE_SCENARIO_WRONG:
    words = "SCENARIO WRONG";
    break;
  case SUITE_HARNESS:
    words = "HARNESS FAILED";
    break;
  case SUITE_FAILED_AS_IT_MUST:
    words = "failed as it must";
    break;
  case SUITE_CANARY_MISSED:
    words = "CANARY MISSED";
    break;
  case SUITE_NOT_RUN:
    words = "not run";
    break;
  case SUITE_KNOWN:
    words = "known";
    break;
  }
  if (report_verdict_is_bad(scenario->verdict) && scenario->failed > 0)
    (void)snprintf(text, size, "%s (%" PRIu64 ")", words, scenario->failed);
  else
    (void)snprintf(text, size, "%s", words);
}

static void row_make(struct page *page, struct row *row, const struct suite_scenario *scenario) {
  row->name = clean_line(page, scenario->info.name[0] == '\0' ? scenario->path : scenario->info.name);
  uint64_t firings = 0;
  unsigned kinds = 0;
  for (int kind = 0; kind < SIM_FAULT_COUNT; kind++) {
    firings += scenario->faults[kind].firings;
    if (scenario->faults[kind].firings > 0) kinds++;
  }
  char number[32];
  (void)grouped(scenario->runs, row->text[COLUMN_SEEDS]);
  verdict_text(scenario, row->text[COLUMN_VERDICT], sizeof row->text[0]);
  if (kinds == 0)
    (void)snprintf(row->text[COLUMN_FAULTS], sizeof row->text[0], "none");
  else
    (void)snprintf(row->text[COLUMN_FAULTS], sizeof row->text[0], "%s of %u kind%s", grouped(firings, number), kinds,
                   kinds == 1 ? "" : "s");
  (void)duration(scenario->simulated_ns, row->text[COLUMN_SIMULATED]);
  (void)duration(scenario->real_ns, row->text[COLUMN_REAL]);
  row->colour = report_verdict_is_bad(scenario->verdict)                                 ? RED
                : scenario->verdict == SUITE_NOT_RUN || scenario->verdict == SUITE_KNOWN ? YELLOW
                                                                                         : GREEN;
}

static void table_row(struct page *page, const struct row *row, const unsigned widths[COLUMN_COUNT]) {
  cell(page, row->name == NULL ? "" : row->name, widths[COLUMN_NAME]);
  for (int i = COLUMN_SEEDS; i < COLUMN_COUNT; i++) {
    say(page, "  ");
    if (i == COLUMN_VERDICT) {
      paint(page, row->colour);
      cell(page, row->text[i], widths[i]);
      plain(page);
    } else
      say(page, "%*s", (int)widths[i], row->text[i]);
  }
  say(page, "\n");
}

static void table(struct page *page, const struct suite_result *result) {
  const size_t count = result->scenario_count;
  struct row *rows = calloc(count + 1, sizeof *rows);
  if (rows == NULL) {
    page->ok = false;
    return;
  }
  unsigned widths[COLUMN_COUNT], others = 0;
  for (int i = 0; i < COLUMN_COUNT; i++)
    widths[i] = (unsigned)strlen(column_titles[i]);
  for (size_t r = 0; r < count; r++) {
    row_make(page, &rows[r], &result->scenarios[r]);
    const unsigned name = rows[r].name == NULL ? 0 : wrap_width(rows[r].name);
    if (name > widths[COLUMN_NAME]) widths[COLUMN_NAME] = name;
    for (int i = COLUMN_SEEDS; i < COLUMN_COUNT; i++)
      if (strlen(rows[r].text[i]) > widths[i]) widths[i] = (unsigned)strlen(rows[r].text[i]);
  }
  for (int i = COLUMN_SEEDS; i < COLUMN_COUNT; i++)
    others += 2 + widths[i];
  if (page->columns > 0 && widths[COLUMN_NAME] + others > page->columns)
    widths[COLUMN_NAME] = page->columns > others + NAME_COLUMNS_MIN ? page->columns - others : NAME_COLUMNS_MIN;

  paint(page, BOLD);
  cell(page, column_titles[COLUMN_NAME], widths[COLUMN_NAME]);
  for (int i = COLUMN_SEEDS; i < COLUMN_COUNT; i++)
    say(page, i == COLUMN_VERDICT ? "  %-*s" : "  %*s", (int)widths[i], column_titles[i]);
  plain(page);
  say(page, "\n");
  for (size_t r = 0; r < count; r++) {
    table_row(page, &rows[r], widths);
    free(rows[r].name);
  }
  free(rows);
}

/* --- Around the table ------------------------------------------------------------ */

struct totals {
  uint64_t ran, failed, caught, known, not_run, events, simulated_ns, firings;
};

static struct totals totals_of(const struct suite_result *result) {
  struct totals totals = {0};
  for (size_t i = 0; i < result->run_count; i++) {
    const enum suite_verdict verdict = result->runs[i].verdict;
    if (verdict == SUITE_NOT_RUN) {
      totals.not_run++;
      continue;
    }
    totals.ran++;
    if (report_verdict_is_bad(verdict)) totals.failed++;
    if (verdict == SUITE_FAILED_AS_IT_MUST) totals.caught++;
    if (verdict == SUITE_KNOWN) totals.known++;
  }
  for (size_t i = 0; i < result->scenario_count; i++) {
    totals.events += result->scenarios[i].events;
    totals.simulated_ns += result->scenarios[i].simulated_ns;
    for (int kind = 0; kind < SIM_FAULT_COUNT; kind++)
      totals.firings += result->scenarios[i].faults[kind].firings;
  }
  return totals;
}

static void totals_line(struct page *page, const struct suite_result *result) {
  const struct totals totals = totals_of(result);
  char a[32], b[32], c[32], d[32], e[32], text[512];
  (void)snprintf(text, sizeof text,
                 "%zu scenario%s, seeds %" PRIu64 " to %" PRIu64
                 ": %s runs, %s events, %s faults, %s simulated in %s with %" PRIu32 " job%s",
                 result->scenario_count, result->scenario_count == 1 ? "" : "s", result->seed_first, result->seed_last,
                 grouped(totals.ran, a), grouped(totals.events, b), grouped(totals.firings, c),
                 duration(totals.simulated_ns, d), duration(result->real_ns, e), result->jobs,
                 result->jobs == 1 ? "" : "s");
  if (result->regressions > 0) {
    const size_t length = strlen(text);
    (void)snprintf(text + length, sizeof text - length, "; %s of the runs are regressions, which came first",
                   grouped(result->regressions, a));
  }
  say(page, "\n");
  paragraph(page, text, 0);
}

static void verdict_line(struct page *page, const struct suite_result *result) {
  const struct totals totals = totals_of(result);
  char number[32];
  paint(page, result->exit_status == 0 ? GREEN : RED);
  say(page, "%s: ", result->exit_status == 0 ? "HELD" : "FAILED");
  say(page, "%s held", grouped(totals.ran - totals.failed - totals.caught - totals.known, number));
  if (totals.caught > 0) say(page, ", %s failed as they must", grouped(totals.caught, number));
  if (totals.known > 0) say(page, ", %s known", grouped(totals.known, number));
  say(page, ", %s failed", grouped(totals.failed, number));
  if (totals.not_run > 0) say(page, ", %s not run", grouped(totals.not_run, number));
  if (result->interrupted) say(page, ", interrupted");
  if (result->exit_status != 0) say(page, "; exit status %d", result->exit_status);
  plain(page);
  say(page, "\n");
}

static void vacuous_notes(struct page *page, const struct suite_result *result) {
  if (result->vacuous_count == 0) return;
  say(page, "\n");
  paint(page, YELLOW);
  say(page, "Never happened, so nothing was tested there:");
  plain(page);
  say(page, "\n");
  for (size_t i = 0; i < result->vacuous_count; i++) {
    say(page, "  - ");
    paragraph(page, result->vacuous[i], 4);
  }
}

/* Those that were seen, and those that were not though their scenario ran. */
static void known_notes(struct page *page, const struct suite_result *result, bool seen, const char *title) {
  bool titled = false;
  for (size_t i = 0; i < result->known_count; i++) {
    const struct suite_known *known = &result->known[i];
    char text[1200], number[32], runs[32];
    if (known->runs == 0 || (known->seen > 0) != seen || (seen && known->expired)) continue;
    if (!titled) {
      say(page, "\n");
      paint(page, YELLOW);
      say(page, "%s", title);
      plain(page);
      say(page, "\n");
    }
    titled = true;
    (void)snprintf(text, sizeof text, "%s: %s, in %s of %s runs, known %s", known->scenario, known->property,
                   grouped(known->seen, number), grouped(known->runs, runs), known->told);
    say(page, "  - ");
    paragraph(page, text, 4);
  }
}

static void slow_notes(struct page *page, const struct suite_result *result) {
  if (result->slow_count == 0) return;
  say(page, "\n");
  paint(page, YELLOW);
  say(page, "Slow worlds (%s):", SUITE_SLOW_ADVICE);
  plain(page);
  say(page, "\n");
  for (size_t i = 0; i < result->slow_count; i++) {
    const struct suite_slow *slow = &result->slow[i];
    char text[1024], others[64] = "", time[32], number[32];
    if (slow->others > 0) {
      (void)snprintf(others, sizeof others, "; and %s more of its runs", grouped(slow->others, number));
    }
    (void)snprintf(text, sizeof text, "%s, seed %" PRIu64 ": %s%s: %s%s",
                   slow->scenario < result->scenario_count ? result->scenarios[slow->scenario].info.name : "?",
                   slow->seed, slow->stopped ? "stopped after " : "", duration(slow->real_ns, time), slow->told,
                   others);
    say(page, "  - ");
    paragraph(page, text, 4);
  }
}

static void label(struct page *page, const char *name, const char *text) {
  say(page, "  %-11s", name);
  paragraph(page, text, 13);
}

/* What a run showed: of a wrong scenario its error alone, for nothing was judged. */
static void failure_seen(struct page *page, const struct suite_failure *one) {
  char text[1024];
  if (one->verdict == SUITE_SCENARIO_WRONG) {
    label(page, "wrong", one->detail);
    return;
  }
  label(page, "property", one->property);
  if (one->verdict != SUITE_VIOLATED) label(page, "verdict", report_verdict_name(one->verdict));
  label(page, "saw", one->detail);
  if (one->waits[0] != '\0') label(page, "script", one->waits);
  if (one->known[0] != '\0') {
    char known[sizeof one->known + 32];
    (void)snprintf(known, sizeof known, "%s (that day has passed)", one->known);
    label(page, "was known", known);
  }
  if (one->regression[0] != '\0') label(page, "regression", one->regression);
  int length = snprintf(text, sizeof text, "%" PRIu64 ".%09" PRIu64 " s simulated", one->time_ns / 1000000000u,
                        one->time_ns % 1000000000u);
  if (one->node != 0) (void)snprintf(text + length, sizeof text - (size_t)length, ", at node n%" PRIu32, one->node);
  label(page, "when", text);
  (void)snprintf(text, sizeof text, "0x%016" PRIx64, one->trace_hash);
  label(page, "trace hash", text);
  if (one->history != NULL && one->history[0] != '\0') {
    say(page, "  history\n");
    block(page, one->history, 4);
  }
  label(page, "bundle", one->bundle[0] == '\0' ? "none: it could not be written" : one->bundle);
}

/* --- Causes ------------------------------------------------------------------------ */

/* Failures that look like one: the same verdict and property, and words that differ
 * in numbers and ids alone. One bug may break a hundred runs of twenty scenarios: it
 * is told once. */
struct cause {
  const struct suite_failure *first; /* told in full */
  char words[600];
};

static bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool has_digit(const char *word, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (word[i] >= '0' && word[i] <= '9') return true;
  }
  return false;
}

static void cause_words(const struct suite_failure *one, char *words, size_t size) {
  /* What is wrong with a scenario itself is its own. */
  const bool own = one->verdict == SUITE_SCENARIO_WRONG || one->verdict == SUITE_CANARY_MISSED;
  size_t used = (size_t)snprintf(words, size, "%d %" PRIu32 " %s: ", (int)one->verdict, own ? one->scenario + 1 : 0,
                                 one->property);
  for (const char *at = one->detail; *at != '\0' && used + 1 < size;) {
    size_t length = 0;
    while (is_word(at[length])) {
      length++;
    }
    if (has_digit(at, length)) {
      words[used++] = '#';
      at += length;
    } else {
      words[used++] = *at++;
    }
  }
  words[used < size ? used : size - 1] = '\0';
}

/* The cause of each failure, as an index; NULL: no memory. */
static struct cause *find_causes(const struct suite_result *result, size_t *cause_of, size_t *count) {
  struct cause *causes = calloc(result->failure_count + 1, sizeof *causes);
  *count = 0;
  for (size_t i = 0; causes != NULL && i < result->failure_count; i++) {
    struct cause *fresh = &causes[*count];
    size_t k = 0;
    cause_words(&result->failures[i], fresh->words, sizeof fresh->words);
    while (strcmp(causes[k].words, fresh->words) != 0) {
      k++;
    }
    if (k == *count) {
      fresh->first = &result->failures[i];
      ++*count;
    }
    cause_of[i] = k;
  }
  return causes;
}

/* Beside the first: how many runs of which scenarios, a line for each scenario. */
static void further(struct page *page, const struct suite_result *result, const size_t *cause_of, size_t cause,
                    const struct suite_failure *told) {
  uint64_t *runs = calloc(result->scenario_count + 1, sizeof *runs);
  const struct suite_failure **examples = calloc(result->scenario_count + 1, sizeof(struct suite_failure *));
  char text[1024], digits[32];
  if (runs == NULL || examples == NULL) page->ok = false;
  for (size_t i = 0; page->ok && i < result->failure_count; i++) {
    const struct suite_failure *one = &result->failures[i];
    if (cause_of[i] != cause || one->scenario >= result->scenario_count) continue;
    runs[one->scenario] += one->same_signature + (one != told);
    if (one != told && examples[one->scenario] == NULL) examples[one->scenario] = one;
  }
  const char *name = "and";
  for (size_t i = 0; page->ok && i < result->scenario_count; i++) {
    if (runs[i] == 0) continue;
    int length = snprintf(text, sizeof text, "%s further failure%s like this one in %s", grouped(runs[i], digits),
                          runs[i] == 1 ? "" : "s", i == told->scenario ? "this scenario" : result->scenarios[i].path);
    if (examples[i] != NULL && length > 0 && (size_t)length < sizeof text) {
      (void)snprintf(text + length, sizeof text - (size_t)length, ", such as seed %" PRIu64, examples[i]->seed);
    }
    label(page, name, text);
    name = "";
  }
  free(examples);
  free(runs);
}

static void failure(struct page *page, const struct suite_result *result, const struct suite_failure *one,
                    const size_t *cause_of, size_t number, size_t count) {
  const bool known = one->scenario < result->scenario_count;
  const struct suite_scenario *scenario = known ? &result->scenarios[one->scenario] : NULL;
  char text[1024];
  say(page, "\n");
  paint(page, RED);
  say(page, "FAILURE %zu of %zu", number + 1, count);
  plain(page);
  (void)snprintf(text, sizeof text, "%s (%s), seed %" PRIu64, known ? scenario->info.name : "",
                 known ? scenario->path : "?", one->seed);
  say(page, ": ");
  paragraph(page, text, 2);

  failure_seen(page, one);
  further(page, result, cause_of, number, one);
  /* On one line whatever the width: it is to be pasted. */
  char *line = clean_line(page, one->reproduce);
  if (one->shrunk[0] != '\0') {
    char left[sizeof one->shrunk + 64];
    (void)snprintf(left, sizeof left, "%s, with %" PRIu64 " statement%s", one->shrunk, one->shrunk_left,
                   one->shrunk_left == 1 ? "" : "s");
    label(page, "shrunk", left);
  }
  say(page, "  see it again\n    ");
  paint(page, BOLD);
  say(page, "%s", line == NULL ? "" : line);
  plain(page);
  say(page, "\n");
  free(line);
}

static void failures(struct page *page, const struct suite_result *result) {
  size_t count = 0;
  size_t *cause_of = calloc(result->failure_count + 1, sizeof *cause_of);
  struct cause *causes = cause_of == NULL ? NULL : find_causes(result, cause_of, &count);
  if (causes == NULL) page->ok = false;
  for (size_t i = 0; causes != NULL && i < count; i++)
    failure(page, result, causes[i].first, cause_of, i, count);
  free(causes);
  free(cause_of);
}

/* Oracles that scenarios switched off, and whether they would have spoken. */
static void without_notes(struct page *page, const struct suite_result *result) {
  bool first = true;
  for (size_t i = 0; i < result->scenario_count; i++) {
    const struct suite_scenario *scenario = &result->scenarios[i];
    for (uint32_t n = 0; n < scenario->info.without_count && n < SCENARIO_WITHOUT_MAX; n++) {
      char text[512];
      if (first) {
        say(page, "\n");
        paint(page, YELLOW);
        say(page, "Switched off:");
        plain(page);
        say(page, "\n");
      }
      first = false;
      (void)snprintf(text, sizeof text, "%s: \"%s\" (it would have spoken in %" PRIu64 " of %" PRIu64 " runs): %s",
                     scenario->info.name, scenario->info.without[n].oracle, scenario->silenced[n], scenario->runs,
                     scenario->info.without[n].reason);
      say(page, "  - ");
      paragraph(page, text, 4);
    }
  }
}

bool report_terminal_columns(FILE *file, const struct suite_result *result, bool colour, unsigned columns) {
  struct page page = {.file = file, .colour = colour, .columns = columns, .ok = true};
  if (result->scenario_count > 0) table(&page, result);
  vacuous_notes(&page, result);
  without_notes(&page, result);
  failures(&page, result);
  known_notes(&page, result, true, "Known failures, which count for nothing yet:");
  known_notes(&page, result, false,
              "Known failures that were not seen (take them out of the list if they are mended):");
  slow_notes(&page, result);
  totals_line(&page, result);
  verdict_line(&page, result);
  return fflush(file) == 0 && page.ok && !ferror(file);
}

bool report_terminal(FILE *file, const struct suite_result *result, bool colour) {
  return report_terminal_columns(file, result, colour, wrap_columns(file));
}
