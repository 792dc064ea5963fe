/* A run as plain statements in order of time: what a scenario would have to say for the same to happen. */
#ifndef SEARCH_PLAIN_H
#define SEARCH_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/choice/choice.h"
#include "sim/trace/trace.h"

/* The statements of a recording, one a line, for plain_read. Cut at a line to `size`. */
void plain_gather(const struct sim_trace_log *log, char *text, size_t size);

struct plain_statement {
  uint64_t time_ns, event;
  char *text; /* a Lua statement; a comment where there are no words for what was done */
};

struct plain_scenario {
  char **options; /* "nodes = 3", "disk = { ... }", ... */
  size_t option_count;
  struct plain_statement *statements; /* by time */
  size_t statement_count;
  uint64_t duration_ns;
  bool whole; /* there were words for everything */
};

/* false: no memory. */
bool plain_read(struct plain_scenario *plain, const char *text);
bool plain_copy(struct plain_scenario *to, const struct plain_scenario *from);
void plain_free(struct plain_scenario *plain);
void plain_drop_option(struct plain_scenario *plain, size_t i);
void plain_drop_statement(struct plain_scenario *plain, size_t i);

/* Sets or replaces an option: its name, and the text of its value. false: no memory. */
bool plain_set_option(struct plain_scenario *plain, const char *key, const char *value);
/* The text with `size` bytes at `from` replaced; false: no memory, and nothing changed. */
bool plain_replace(char **whole, const char *from, size_t size, const char *to);
/* The value of a key within an option, such as fsync in disk = { fsync = "1ms..30ms" }; replaced, or put in. */
bool plain_set_within(struct plain_scenario *plain, const char *option, const char *key, const char *value);
/* A range there ("1ms..30ms") becomes its end ("30ms"); where the key is not there, `usual`. false: it is no range, or
 * nothing is usual. */
bool plain_slowest(struct plain_scenario *plain, const char *option, const char *key, const char *usual);
/* The nodes that a run left out (SIM_CHOICE_NODE_SKIP) as an option. */
void plain_absent(struct plain_scenario *plain, const struct sim_choice_table *choices);

/* What stands above it and around it. */
struct plain_frame {
  const char *name;                     /* of the scenario */
  const char *heading;                  /* lines of comment, without their dashes; NULL: none */
  const struct sim_choice_table *fates; /* what chance decides, by name; all else is calm */
};
/* The scenario. NULL: no memory. The caller frees it. */
char *plain_write(const struct plain_scenario *plain, const struct plain_frame *frame);

#endif
