#include "search/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search/deviation.h"
#include "search/elsewhere.h"
#include "search/job.h"
#include "search/ordered.h"
#include "search/parting.h"
#include "search/pipe.h"
#include "search/room.h"
#include "search/plain.h"

struct worker {
  int out;
  struct scenario_file *const *files;
  const struct suite_options *options;
  struct sim *sim; /* NULL: no address space; every job is answered with that */
  char text[JOB_TEXT_MAX];
};

static bool reply(const struct worker *worker, const struct job *job, const void *body, size_t body_size) {
  const struct job_reply header = {JOB_MAGIC, job->kind, job->serial, (uint32_t)body_size,
                                   (uint32_t)strlen(worker->text)};
  return pipe_write_all(worker->out, &header, sizeof header) && pipe_write_all(worker->out, body, body_size) &&
         pipe_write_all(worker->out, worker->text, header.text_size);
}

static bool serve_describe(struct worker *worker, const struct job *job) {
  struct job_description description;
  memset(&description, 0, sizeof description);
  if (worker->sim == NULL) {
    description.status = -2; /* not the scenario's fault */
    room_refused(&worker->options->sim, description.error.text, sizeof description.error.text);
  } else {
    description.status =
        outcome_describe(worker->sim, worker->files[job->scenario], &description.info, &description.error);
  }
  return reply(worker, job, &description, sizeof description);
}

struct prelude {
  const struct suite_options *options;
  uint32_t scenario;
  struct scenario_options run;
};

static void run_prelude(void *arg, struct sim *sim) {
  struct prelude *prelude = arg;
  const struct suite_options *options = prelude->options;
  options->before_run(options->before_run_arg, sim, prelude->scenario, &prelude->run.source.seed);
}

static struct sim_choice_source source_of(const struct job *job, struct sim_choice_table *record) {
  struct sim_choice_source source = {.seed = job->seed,
                                     .overrides = job->overrides,
                                     .rest = job->calm ? SIM_REST_CALM : SIM_REST_SEED,
                                     .record = record};
  if (job->fates_only) source.only = deviation_fates(&source.only_count);
  return source;
}

static void run(struct worker *worker, const struct job *job, struct sim_choice_table *record,
                struct sim_trace_log *trace, struct sim_trace_marks *marks, struct outcome *outcome) {
  if (worker->sim == NULL) {
    memset(outcome, 0, sizeof *outcome);
    outcome->verdict = SUITE_HARNESS;
    (void)snprintf(outcome->property, sizeof outcome->property, OUTCOME_ARENA);
    room_refused(&worker->options->sim, outcome->detail, sizeof outcome->detail);
    return;
  }
  struct prelude before = {.options = worker->options,
                           .scenario = job->scenario,
                           .run = {.source = source_of(job, record),
                                   .trace = trace,
                                   .marks = marks,
                                   .until_ns = job->until_ns,
                                   .until_events = job->until_events,
                                   .duration_ns = job->duration_ns}};
  outcome_run(worker->sim, worker->files[job->scenario], &before.run,
              worker->options->before_run == NULL ? NULL : run_prelude, &before, outcome);
}

static void write_choices(const struct job *job, const struct sim_choice_table *table) {
  FILE *file = job->choices[0] == '\0' ? NULL : fopen(job->choices, "wb");
  if (file == NULL) return;
  const bool written = job->ordered ? ordered_write(table, file) : sim_choice_table_write(table, job->seed, file);
  if (fclose(file) != 0 || !written) (void)remove(job->choices); /* half a recording would replay another run */
}

static void serve_record(struct worker *worker, const struct job *job, struct outcome *outcome) {
  struct sim_trace_log *log = sim_trace_log_create();
  struct sim_choice_table *table = sim_choice_table_create();
  run(worker, job, table, log, NULL, outcome);
  if (log != NULL) outcome_history(outcome, log, job->nodes, worker->text, sizeof worker->text);
  if (table != NULL) write_choices(job, table);
  sim_trace_log_destroy(log);
  sim_choice_table_destroy(table);
}

static void serve_tell(struct worker *worker, const struct job *job, struct outcome *outcome) {
  struct sim_trace_log *log = sim_trace_log_create();
  struct sim_choice_table *table = sim_choice_table_create();
  run(worker, job, table, log, NULL, outcome);
  if (log != NULL) plain_gather(log, worker->text, sizeof worker->text);
  if (table != NULL) write_choices(job, table);
  sim_trace_log_destroy(log);
  sim_choice_table_destroy(table);
}

struct compared {
  struct worker *worker;
  const struct job *job;
  struct outcome *outcome;
  struct sim *sims[2]; /* in two places: what addresses and hashes decide differs */
  unsigned calls;
};

static bool run_compared(void *arg, struct sim_trace_log *log, struct sim_trace_marks *marks, uint64_t *hash) {
  struct compared *compared = arg;
  compared->worker->sim = compared->sims[compared->calls++ % 2];
  run(compared->worker, compared->job, NULL, log, marks, compared->outcome);
  *hash = compared->outcome->trace_hash;
  return !compared->outcome->fatal;
}

static void serve_compare(struct worker *worker, const struct job *job, struct outcome *outcome) {
  struct sim *own = worker->sim;
  struct sim_options other = elsewhere(&worker->options->sim, ELSEWHERE_APART);
  struct sim *second = own == NULL ? NULL : sim_open(&other);
  struct compared compared = {worker, job, outcome, {own, second == NULL ? own : second}, 0};
  parting_tell(run_compared, &compared, worker->text, sizeof worker->text);
  worker->sim = own;
  sim_close(second);
}

/* false: no further job. */
static bool serve(struct worker *worker, const struct job *job) {
  struct outcome outcome = {0};
  worker->text[0] = '\0';
  if (job->kind == JOB_DESCRIBE) return serve_describe(worker, job);
  if (job->kind == JOB_RUN) {
    run(worker, job, NULL, NULL, NULL, &outcome);
  } else if (job->kind == JOB_RECORD) {
    serve_record(worker, job, &outcome);
  } else if (job->kind == JOB_TELL) {
    serve_tell(worker, job, &outcome);
  } else {
    serve_compare(worker, job, &outcome);
  }
  return reply(worker, job, &outcome, sizeof outcome) && !outcome.fatal;
}

int worker_serve(int in, int out, struct scenario_file *const *files, size_t file_count,
                 const struct suite_options *options, struct sim_progress *progress) {
  struct worker *worker = calloc(1, sizeof *worker);
  struct job job;
  if (worker == NULL) return 1;
  bool alive = true;
  worker->out = out;
  worker->files = files;
  worker->options = options;
  worker->sim = sim_open(&options->sim);
  if (worker->sim != NULL) sim_set_progress(worker->sim, progress);
  while (alive && job_read(in, &job)) {
    alive = job.magic == JOB_MAGIC && job.scenario < file_count && serve(worker, &job);
    sim_choice_table_destroy(job.overrides);
  }
  if (worker->sim != NULL) sim_close(worker->sim);
  free(worker);
  return 0;
}
