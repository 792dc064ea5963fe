/* Suite results to write reports from. */
#ifndef TESTS_SUPPORT_SUITE_FIXTURE_H
#define TESTS_SUPPORT_SUITE_FIXTURE_H

#include <stdbool.h>
#include <stdio.h>

#include "search/suite.h"

/* What an enemy would name a scenario: control bytes, quotes, the end of a
 * CDATA section, newlines, and bytes that are no UTF-8. */
#define FIXTURE_HOSTILE "a\x01\x1b[31m]]>\"'&<b>\nc\r\td\xff\xc3(\xed\xa0\x80\xef\xbf\xbf\xe2\x80\xae\xc2\x9b!"

/* Two scenarios and a canary: held and violated runs, one worker that died,
 * one run that was not run, two failures told and one that is not. */
struct suite_result *fixture_suite(void);
/* The same with FIXTURE_HOSTILE in every text. */
struct suite_result *fixture_hostile(void);
/* One scenario with `runs` runs; every `bad_every`-th violates (0: none), the
 * first `told` of them are told with `history_bytes` of history. */
struct suite_result *fixture_large(size_t runs, size_t bad_every, size_t told, size_t history_bytes);
void fixture_free(struct suite_result *result);

/* What a writer wrote; NULL when it failed. The caller frees it. */
char *fixture_written(bool (*write)(FILE *, const struct suite_result *), const struct suite_result *result);
/* The writer's result when the disk under it is full. */
bool fixture_written_to_full_disk(bool (*write)(FILE *, const struct suite_result *),
                                  const struct suite_result *result);

#endif
