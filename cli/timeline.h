/* Timelines: recordings of a run as files of three forms. */
#ifndef CLI_TIMELINE_H
#define CLI_TIMELINE_H

#include "sim/trace/trace.h"

enum timeline_form { TIMELINE_BINARY, TIMELINE_TEXT, TIMELINE_CHROME };
/* By the name's end: .txt text, .json Chrome's trace events, else binary. */
enum timeline_form timeline_form_of(const char *path);
/* Writes the file; a filter (or NULL) does not concern the binary form. false
 * after a message. */
bool timeline_write(const char *path, const struct sim_trace_log *log, const struct sim_trace_filter *filter);
/* Writes to standard output. */
bool timeline_print(enum timeline_form form, const struct sim_trace_log *log, const struct sim_trace_filter *filter);
/* Prints the causes of an event; the exit status. */
int timeline_why(const struct sim_trace_log *log, uint64_t event);

#endif
