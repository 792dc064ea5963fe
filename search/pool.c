#include "search/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lua/text/units.h"
#include "search/fresh.h"
#include "search/pipe.h"
#include "search/progress_blocks.h"
#include "search/watch.h"
#include "search/worker.h"

struct place {
  uint32_t index;
  pid_t pid;    /* 0: no process */
  int to, from; /* pipes */
  bool busy;
  struct job job;
  uint64_t start_ns, end_ns; /* of the job; end_ns 0: it is at it */
  uint64_t seen;             /* steps of its world, when it was looked at */
  uint64_t deadline_ns;      /* of the next step */
  struct sim_progress *progress;
  struct pipe_buffer buffer;
};

struct pool {
  struct scenario_file *const *files;
  size_t file_count;
  const struct suite_options *options;
  uint64_t watchdog_ns;
  uint64_t limit_ns; /* UINT64_MAX: none */
  struct progress_blocks *shared;
  uint64_t serial;
  uint32_t fresh_count; /* workers that were executed */
  sigset_t former;
  int signals;
  uint32_t count;
  uint32_t next; /* place that is looked at first, so that none is starved */
  struct place places[];
};

struct pool *pool_open(struct scenario_file *const *files, size_t file_count, const struct suite_options *options,
                       uint32_t jobs, uint64_t watchdog_ns) {
  struct pool *pool = calloc(1, sizeof *pool + jobs * sizeof pool->places[0]);
  sigset_t caught;
  if (pool == NULL) return NULL;
  pool->files = files;
  pool->file_count = file_count;
  pool->options = options;
  pool->watchdog_ns = watchdog_ns;
  pool->limit_ns = UINT64_MAX;
  pool->count = jobs;
  pool->shared = progress_blocks_create(jobs);
  if (pool->shared == NULL) {
    free(pool);
    return NULL;
  }
  for (uint32_t i = 0; i < jobs; i++) {
    pool->places[i].index = i;
    pool->places[i].progress = progress_blocks_at(pool->shared, i);
  }
  (void)sigemptyset(&caught);
  (void)sigaddset(&caught, SIGINT);
  (void)sigaddset(&caught, SIGTERM);
  (void)sigprocmask(SIG_BLOCK, &caught, &pool->former);
  pool->signals = signalfd(-1, &caught, SFD_NONBLOCK | SFD_CLOEXEC);
  if (pool->signals < 0) {
    (void)sigprocmask(SIG_SETMASK, &pool->former, NULL);
    progress_blocks_free(pool->shared);
    free(pool);
    return NULL;
  }
  return pool;
}

/* Ends a place's process, by force: it owns nothing that needs a farewell, and one that is ending already keeps
 * its own status. Returns its wait status. */
static int end_process(struct place *place) {
  int status = 0;
  if (place->pid == 0) return 0;
  (void)kill(place->pid, SIGKILL);
  (void)close(place->to);
  (void)close(place->from);
  while (waitpid(place->pid, &status, 0) < 0 && errno == EINTR) {
  }
  place->pid = 0;
  place->busy = false;
  pipe_buffer_free(&place->buffer);
  return status;
}

void pool_close(struct pool *pool) {
  if (pool == NULL) return;
  for (uint32_t i = 0; i < pool->count; i++) {
    (void)end_process(&pool->places[i]);
  }
  (void)close(pool->signals);
  (void)sigprocmask(SIG_SETMASK, &pool->former, NULL);
  progress_blocks_free(pool->shared);
  free(pool);
}

/* What a new worker does before it serves: it must not hold the pipes of its
 * siblings open, and Ctrl-C, which the terminal sends to all, is the suite's. */
static void become_worker(const struct pool *pool, const struct place *self) {
  const struct rlimit no_core = {0, 0};
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)setrlimit(RLIMIT_CORE, &no_core);
  for (uint32_t i = 0; i < pool->count; i++) {
    const struct place *place = &pool->places[i];
    if (place == self || place->pid == 0) continue;
    (void)close(place->to);
    (void)close(place->from);
  }
  (void)close(pool->signals);
  (void)signal(SIGINT, SIG_IGN);
  (void)signal(SIGPIPE, SIG_IGN);
  (void)sigprocmask(SIG_SETMASK, &pool->former, NULL);
}

static bool start_process(struct pool *pool, struct place *place, bool fresh) {
  int to[2];
  int from[2];
  if (pipe(to) != 0) return false;
  if (pipe(from) != 0) {
    (void)close(to[0]);
    (void)close(to[1]);
    return false;
  }
  (void)fflush(NULL); /* or the child would hold, and might write, a copy of what is buffered */
  const pid_t pid = fork();
  if (pid == 0) {
    (void)close(to[1]);
    (void)close(from[0]);
    become_worker(pool, place);
    if (fresh) _exit(fresh_worker(to[0], from[1], progress_blocks_descriptor(pool->shared), place->index));
    _exit(worker_serve(to[0], from[1], pool->files, pool->file_count, pool->options, place->progress));
  }
  (void)close(to[0]);
  (void)close(from[1]);
  if (pid < 0) {
    (void)close(to[1]);
    (void)close(from[0]);
    return false;
  }
  (void)fcntl(from[0], F_SETFL, O_NONBLOCK);
  place->pid = pid;
  place->to = to[1];
  place->from = from[0];
  return true;
}

uint32_t pool_idle(const struct pool *pool, uint32_t avoid) {
  uint32_t found = POOL_NONE;
  for (uint32_t i = 0; i < pool->count; i++) {
    if (pool->places[i].busy) continue;
    if (i != avoid) return i;
    found = i;
  }
  return found;
}

uint32_t pool_busy_count(const struct pool *pool) {
  uint32_t busy = 0;
  for (uint32_t i = 0; i < pool->count; i++) {
    busy += pool->places[i].busy;
  }
  return busy;
}

/* Writing to a worker that died must be an error, not our end. */
static bool send_job(struct pool *pool, const struct place *place, bool setup) {
  sigset_t pipe_set;
  sigset_t former;
  const struct timespec now = {0, 0};
  (void)sigemptyset(&pipe_set);
  (void)sigaddset(&pipe_set, SIGPIPE);
  (void)sigprocmask(SIG_BLOCK, &pipe_set, &former);
  const bool told = !setup || fresh_tell(place->to, pool->files, pool->file_count, pool->options, pool->fresh_count++);
  const bool sent = told && job_write(place->to, &place->job);
  if (!sent) (void)sigtimedwait(&pipe_set, NULL, &now);
  (void)sigprocmask(SIG_SETMASK, &former, NULL);
  return sent;
}

bool pool_start(struct pool *pool, uint32_t index, const struct job *job) {
  struct place *place = &pool->places[index];
  const bool fresh = job->fresh && pool->options->execute_again;
  if (fresh) (void)end_process(place);
  /* Twice: an idle worker may have died since (out of memory, killed by hand). */
  for (int attempt = 0; attempt < 2; attempt++) {
    const bool starts = place->pid == 0;
    if (starts && !start_process(pool, place, fresh)) return false;
    place->job = *job;
    place->job.magic = JOB_MAGIC;
    place->job.serial = ++pool->serial;
    *place->progress = (struct sim_progress){0};
    place->seen = 0;
    place->start_ns = outcome_clock_ns();
    place->end_ns = 0;
    place->deadline_ns = place->start_ns + pool->watchdog_ns;
    if (send_job(pool, place, starts && fresh)) {
      place->busy = true;
      return true;
    }
    (void)end_process(place);
  }
  return false;
}

static void describe_death(int status, char *text, size_t size) {
  if (WIFSIGNALED(status)) {
    (void)snprintf(text, size, "the worker process was ended by signal %d (%s)", WTERMSIG(status),
                   strsignal(WTERMSIG(status)));
  } else {
    (void)snprintf(text, size, "the worker process ended by itself with status %d%s", WEXITSTATUS(status),
                   WEXITSTATUS(status) == 0 ? "" : " (a sanitizer's report may stand above)");
  }
}

enum reply_state { REPLY_PARTIAL, REPLY_WHOLE, REPLY_NONSENSE };

/* Looks for a whole and sane reply at the head of the buffer. */
static enum reply_state take_reply(struct place *place, struct pool_event *event) {
  struct job_reply header;
  const struct pipe_buffer *buffer = &place->buffer;
  void *body = &event->outcome;
  size_t body_size = sizeof event->outcome;
  if (buffer->size < sizeof header) return REPLY_PARTIAL;
  memcpy(&header, buffer->bytes, sizeof header);
  if (place->job.kind == JOB_DESCRIBE) {
    body = &event->description;
    body_size = sizeof event->description;
  }
  if (header.magic != JOB_MAGIC || header.serial != place->job.serial || header.kind != place->job.kind ||
      header.body_size != body_size || header.text_size > JOB_TEXT_MAX) {
    return REPLY_NONSENSE;
  }
  if (buffer->size < sizeof header + body_size + header.text_size) return REPLY_PARTIAL;
  memcpy(body, buffer->bytes + sizeof header, body_size);
  memcpy(event->text, buffer->bytes + sizeof header + body_size, header.text_size);
  event->text[header.text_size] = '\0';
  place->buffer.size = 0; /* one job at a time: nothing can follow */
  return REPLY_WHOLE;
}

/* Looks at one place that is readable. True when there is something to tell. */
static bool look(struct place *place, uint32_t index, struct pool_event *event) {
  const bool was_busy = place->busy;
  place->end_ns = outcome_clock_ns();
  const enum pipe_state state = pipe_fill(&place->buffer, place->from);
  event->worker = index;
  event->job = place->job;
  event->real_ns = place->end_ns - place->start_ns;
  event->text[0] = '\0';
  const enum reply_state reply = was_busy ? take_reply(place, event) : REPLY_PARTIAL;
  if (reply == REPLY_WHOLE) {
    event->news = POOL_REPLY;
    place->busy = false;
    if (state == PIPE_ENDED || (place->job.kind != JOB_DESCRIBE && event->outcome.fatal)) {
      (void)end_process(place);
    }
    return true;
  }
  if (state == PIPE_OPEN && reply == REPLY_PARTIAL) {
    place->end_ns = 0;
    return false;
  }
  event->news = POOL_DIED;
  if (reply == REPLY_NONSENSE) {
    (void)end_process(place);
    (void)snprintf(event->text, sizeof event->text, "the worker process sent nonsense, and was killed");
  } else {
    describe_death(end_process(place), event->text, sizeof event->text);
  }
  return was_busy;
}

void pool_limit(struct pool *pool, uint64_t until_ns) {
  pool->limit_ns = until_ns;
}

uint64_t pool_busy_ns(const struct pool *pool, uint32_t index) {
  const struct place *place = &pool->places[index];
  return place->busy ? outcome_clock_ns() - place->start_ns + 1 : 0;
}

void pool_tell(const struct pool *pool, uint32_t index, char *text, size_t size) {
  const struct place *place = &pool->places[index];
  const uint64_t end = place->end_ns == 0 ? outcome_clock_ns() : place->end_ns;
  watch_tell(place->progress, &place->job, end - place->start_ns, text, size);
}

static void tell_hung(const struct pool *pool, uint32_t index, char *text, size_t size) {
  char limit[64], told[WATCH_TEXT_BYTES], last[WATCH_TEXT_BYTES];
  units_format_duration(pool->watchdog_ns, limit, sizeof limit);
  pool_tell(pool, index, told, sizeof told);
  watch_tell_last(pool->places[index].progress, last, sizeof last);
  (void)snprintf(text, size,
                 "no progress in %s of real time, %s; it had come to %s. The worker process was killed. A loop without "
                 "end is likely there; if one step may take so long, --watchdog waits longer",
                 limit, last, told);
}

static void end_job(struct pool *pool, uint32_t index, enum pool_news news, uint64_t now, struct pool_event *event) {
  struct place *place = &pool->places[index];
  place->end_ns = now;
  event->news = news;
  event->worker = index;
  event->job = place->job;
  event->real_ns = now - place->start_ns;
  event->text[0] = '\0';
  if (news == POOL_HUNG) tell_hung(pool, index, event->text, sizeof event->text);
  (void)end_process(place);
}

static bool find_hung(struct pool *pool, uint64_t now, struct pool_event *event) {
  for (uint32_t i = 0; i < pool->count; i++) {
    struct place *place = &pool->places[i];
    if (!place->busy) continue;
    const uint64_t steps = place->progress->steps;
    if (steps != place->seen) {
      place->seen = steps;
      place->deadline_ns = now + pool->watchdog_ns;
    }
    const bool late = place->job.kind == JOB_RUN && now >= pool->limit_ns;
    if (place->deadline_ns > now && !late) continue;
    end_job(pool, i, late ? POOL_STOPPED : POOL_HUNG, now, event);
    return true;
  }
  return false;
}

/* Waits until something is readable or `until` is reached. */
static void poll_once(struct pool *pool, struct pollfd *polls, uint64_t now, uint64_t until) {
  for (uint32_t i = 0; i < pool->count; i++) {
    const struct place *place = &pool->places[i];
    polls[i].fd = place->pid == 0 ? -1 : place->from;
    polls[i].events = POLLIN;
    polls[i].revents = 0;
    if (place->busy && place->deadline_ns < until) until = place->deadline_ns;
    if (place->busy && pool->limit_ns < until) until = pool->limit_ns;
  }
  polls[pool->count].fd = pool->signals;
  polls[pool->count].events = POLLIN;
  polls[pool->count].revents = 0;
  uint64_t wait_ms = until <= now ? 0 : (until - now) / SIM_MS + 1;
  if (wait_ms > 1000) wait_ms = 1000;
  (void)poll(polls, pool->count + 1, (int)wait_ms);
}

void pool_wait(struct pool *pool, uint64_t timeout_ns, struct pool_event *event) {
  struct pollfd polls[SUITE_JOBS_MAX + 1];
  const uint64_t start = outcome_clock_ns();
  const uint64_t until = timeout_ns > UINT64_MAX - start ? UINT64_MAX : start + timeout_ns;
  for (uint64_t now = start;; now = outcome_clock_ns()) {
    struct signalfd_siginfo info;
    poll_once(pool, polls, now, until);
    if (polls[pool->count].revents != 0 && read(pool->signals, &info, sizeof info) > 0) {
      event->news = POOL_SIGNAL;
      return;
    }
    for (uint32_t n = 0; n < pool->count; n++) {
      const uint32_t i = (pool->next + n) % pool->count;
      if (polls[i].revents == 0 || pool->places[i].pid == 0) continue;
      if (!look(&pool->places[i], i, event)) continue;
      pool->next = i + 1;
      return;
    }
    /* Last, for a reply may have waited while this process was stopped. */
    if (find_hung(pool, outcome_clock_ns(), event)) return;
    if (outcome_clock_ns() >= until) {
      event->news = POOL_TIMEOUT;
      return;
    }
  }
}
