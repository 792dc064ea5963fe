#include "search/watch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cluster/node.h"

struct writer {
  char *text;
  size_t size, used;
};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
add(struct writer *writer, const char *format, ...) {
  va_list arguments;
  if (writer->used >= writer->size) return;
  va_start(arguments, format);
  const int length = vsnprintf(writer->text + writer->used, writer->size - writer->used, format, arguments);
  va_end(arguments);
  if (length > 0) writer->used += (size_t)length;
}

static void add_seconds(struct writer *writer, uint64_t ns) {
  add(writer, "%llu", (unsigned long long)(ns / SIM_SECOND));
  if (ns % SIM_SECOND != 0) add(writer, ".%03llu", (unsigned long long)(ns % SIM_SECOND / SIM_MS));
  add(writer, " s");
}

static void add_time(struct writer *writer, uint64_t now_ns, const struct job *job) {
  const bool settling = job->scenario_duration_ns > 0 && now_ns > job->scenario_duration_ns;
  add_seconds(writer, settling ? job->scenario_duration_ns : now_ns);
  if (job->scenario_duration_ns > 0 && !settling) {
    add(writer, " of ");
    add_seconds(writer, job->scenario_duration_ns);
  }
  add(writer, " simulated");
  if (!settling) return;
  add(writer, " and ");
  add_seconds(writer, now_ns - job->scenario_duration_ns);
  add(writer, " of at most ");
  add_seconds(writer, job->scenario_settle_ns);
  add(writer, " of settling");
}

static unsigned percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : (unsigned)(part * 100 / whole);
}

static void add_sorts(struct writer *writer, const struct sim_progress *progress, uint64_t steps) {
  const char *before = " (";
  for (uint32_t sort = 0; sort < SIM_PROGRESS_SORTS; sort++) {
    const uint64_t count = progress->sorts[sort];
    const char *name = cluster_message_sort(sort);
    if (name == NULL || count == 0) continue;
    add(writer, "%s%s %u %%", before, name, percent(count, steps));
    before = ", ";
  }
  if (*before == ',') add(writer, ")");
}

/* The kind that there is most of. */
static void add_most(struct writer *writer, const struct sim_progress *progress, uint64_t steps) {
  uint32_t most = 0;
  uint64_t count = 0;
  for (uint32_t kind = 0; kind < SIM_PROGRESS_KINDS; kind++) {
    if (progress->kinds[kind] <= count) continue;
    count = progress->kinds[kind];
    most = kind;
  }
  const char *name = sim_progress_kind_name(most);
  add(writer, ", %u %% of them %s", percent(count, steps), name);
  if (strcmp(name, "messages") == 0) add_sorts(writer, progress, steps);
}

void watch_tell(const struct sim_progress *progress, const struct job *job, uint64_t real_ns, char *text, size_t size) {
  struct writer writer = {text, size, 0};
  const uint64_t steps = progress->steps;
  const uint64_t real_ms = real_ns / SIM_MS + 1;
  if (size > 0) text[0] = '\0';
  if (steps == 0) {
    add(&writer, "not one step of the world");
    return;
  }
  const uint64_t per_second = steps / real_ms * 1000 + steps % real_ms * 1000 / real_ms;
  add_time(&writer, progress->now_ns, job);
  add(&writer, ", %llu step%s, %llu per second", (unsigned long long)steps, steps == 1 ? "" : "s",
      (unsigned long long)per_second);
  add_most(&writer, progress, steps);
}

void watch_tell_last(const struct sim_progress *progress, char *text, size_t size) {
  struct writer writer = {text, size, 0};
  if (size > 0) text[0] = '\0';
  if (progress->steps == 0) {
    add(&writer, "before the first step");
    return;
  }
  add(&writer, "in or after step %llu (of the %s)", (unsigned long long)progress->steps,
      sim_progress_kind_name(progress->kind));
  if (progress->node != 0) add(&writer, " at n%u", (unsigned)progress->node);
}
