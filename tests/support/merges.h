/* Merge callbacks: some that are right, some that go by what they must not. */
#ifndef TESTS_SUPPORT_MERGES_H
#define TESTS_SUPPORT_MERGES_H

#include "core/sync.h"

sync_merge merge_union;   /* the set of all bytes, in order */
sync_merge merge_longest; /* the longest value, of equal ones the greatest */
sync_merge merge_first;   /* what was written at the lowest dot */
sync_merge merge_joined;  /* all values behind each other */
sync_merge merge_counts;  /* how often it was called */
sync_merge merge_author;  /* the name of whoever wrote the longest */
sync_merge merge_fails;   /* always */
sync_merge merge_grows;   /* one byte more than there is room for */

#endif
