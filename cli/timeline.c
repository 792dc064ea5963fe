#include "cli/timeline.h"

#include <string.h>

#include "cli/command.h"
#include "cli/output.h"

struct job {
  enum timeline_form form;
  const struct sim_trace_log *log;
  const struct sim_trace_filter *filter;
};

static bool ends_in(const char *text, const char *end) {
  size_t length = strlen(text), ending = strlen(end);
  return length >= ending && strcmp(text + length - ending, end) == 0;
}

enum timeline_form timeline_form_of(const char *path) {
  if (ends_in(path, ".txt")) return TIMELINE_TEXT;
  return ends_in(path, ".json") ? TIMELINE_CHROME : TIMELINE_BINARY;
}

static bool write_form(FILE *file, const void *arg) {
  const struct job *job = arg;
  switch (job->form) {
  case TIMELINE_TEXT:
    return sim_trace_log_write_text(job->log, job->filter, file);
  case TIMELINE_CHROME:
    return sim_trace_log_write_chrome(job->log, job->filter, file);
  case TIMELINE_BINARY:
    break;
  }
  return sim_trace_log_write(job->log, file);
}

bool timeline_write(const char *path, const struct sim_trace_log *log, const struct sim_trace_filter *filter) {
  const struct job job = {timeline_form_of(path), log, filter};
  return output_write(path, write_form, &job);
}

bool timeline_print(enum timeline_form form, const struct sim_trace_log *log, const struct sim_trace_filter *filter) {
  const struct job job = {form, log, filter};
  return write_form(stdout, &job);
}

int timeline_why(const struct sim_trace_log *log, uint64_t event) {
  switch (sim_trace_log_why(log, event, stdout)) {
  case SIM_WHY_TOLD:
    return EXIT_HELD;
  case SIM_WHY_NO_EVENT:
    (void)fprintf(stderr, "syncsim: this run has no event %llu; the timeline shows them as #NUMBER\n",
                  (unsigned long long)event);
    return EXIT_USAGE;
  case SIM_WHY_NO_MEMORY:
    (void)fprintf(stderr, "syncsim: no memory to look for causes\n");
    return EXIT_HARNESS;
  case SIM_WHY_WRITE_ERROR:
    break;
  }
  return EXIT_HARNESS;
}
