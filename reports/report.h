/* Reports: what a suite found, written for people and for machines. They never
 * run a world and never look at the clock or the environment: equal results
 * give equal bytes. docs/reports.md describes the formats.
 *
 * Text of a result may hold any bytes. What is not UTF-8 is written as U+FFFD;
 * control characters never reach a terminal or an XML file.
 *
 * Each function writes to `file`, flushes it, and leaves it open. false: a
 * write failed or memory ran out, and what was written is not whole.
 */
#ifndef REPORTS_REPORT_H
#define REPORTS_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "search/result.h"

/* The table of verdicts, the notes on what never happened, and every failure
 * in full. `colour`: with ANSI colours. As wide as the terminal if `file` is
 * one, else as wide as its text. */
bool report_terminal(FILE *file, const struct suite_result *result, bool colour);
/* The same for a given width in columns; 0: as wide as its text. */
bool report_terminal_columns(FILE *file, const struct suite_result *result, bool colour, unsigned columns);

/* JSON, schema version REPORT_JSON_FORMAT. */
#define REPORT_JSON_FORMAT 1
bool report_json(FILE *file, const struct suite_result *result);

/* JUnit XML as Jenkins, GitLab and GitHub read it; always below
 * REPORT_JUNIT_BYTES_MAX. */
#define REPORT_JUNIT_BYTES_MAX (30u * 1000u * 1000u)
#define REPORT_JUNIT_CASES_MAX 20000u
bool report_junit(FILE *file, const struct suite_result *result);

/* "held", "violated", "not_deterministic", ...: the words of JSON and JUnit. */
const char *report_verdict_name(enum suite_verdict verdict);
/* Whether a verdict makes a suite fail: everything but held, failed as it
 * must, and not run. */
bool report_verdict_is_bad(enum suite_verdict verdict);

#endif
