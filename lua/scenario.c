/* One world from birth to verdict. */
#include "lua/scenario.h"

#include <lauxlib.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/cluster.h"
#include "cluster/workload.h"
#include "lua/api/library.h"
#include "lua/api/task.h"
#include "lua/language/objects.h"
#include "lua/language/sandbox.h"
#include "lua/language/script.h"
#include "lua/language/steps.h"
#include "lua/language/world.h"
#include "lua/memo.h"
#include "lua/settings/merge.h"
#include "lua/settings/parameters.h"
#include "lua/settings/choices_settings.h"
#include "lua/settings/properties.h"
#include "lua/settings/settings.h"
#include "lua/settings/swarm.h"
#include "lua/settings/vary.h"
#include "lua/text/info.h"
#include "lua/text/nearest.h"
#include "lua/text/source.h"

/* --- Loading ----------------------------------------------------------------------- */

static void fail_load(struct script *script, int line, const char *message) {
  script->wrong = true;
  (void)snprintf(script->error, sizeof script->error, SCRIPT_CHUNK ":%d: %s", line, message);
}

/* Runs the file: the settings go to *settings, the variants to *variants, the functions stay in Lua. */
static bool load(struct script *script, const struct scenario_file *file, const struct params *params,
                 struct settings *settings, struct variants *variants) {
  lua_State *lua = script->lua;
  char message[300], unknown[700];
  int line = 1;
  const char *refused = source_refused(file->text, file->size);
  if (refused) {
    fail_load(script, line, refused);
    return false;
  }
  if (!file->memo->known && !source_has_no_floats(file->text, file->size, &line, message, sizeof message)) {
    fail_load(script, line, message);
    return false;
  }
  memset(settings, 0, sizeof *settings);
  script->settings = settings;
  script->text = file->text;
  script->text_size = file->size;
  script->helpers = file->helpers;
  script->params = params;
  script->variants = variants;
  script_slice(script);
  size_t begin = source_begin(file->text, file->size);
  int status = luaL_loadbufferx(lua, file->text + begin, file->size - begin, "=" SCRIPT_CHUNK, "t");
  bool good = status == LUA_OK;
  if (!good) {
    script_failed(script, lua, status);
    lua_settop(lua, 0);
  } else {
    good = script_call(script, 0, 1);
    if (good && !luaL_testudata(lua, -1, SCENARIO_TYPE)) {
      fail_load(script, 1, "the file must end in: return sim.scenario { ... }");
      good = false;
    }
  }
  lua_settop(lua, 0);
  script->settings = NULL;
  script->text = NULL;
  script->text_size = 0;
  script->helpers = NULL;
  script->params = NULL;
  script->variants = NULL;
  if (good && parameters_unknown(params, &settings->info, unknown, sizeof unknown)) {
    fail_load(script, 1, unknown);
    return false;
  }
  return good;
}

/* --- Describing ----------------------------------------------------------------------- */

/* The C library's character classes and order must be those of every machine. */
static bool locale_is_plain(struct scenario_error *error) {
  const char *now = setlocale(LC_ALL, NULL);
  if (now && strcmp(now, "C") == 0) return true;
  (void)snprintf(error->text, sizeof error->text, "the process must stay in the C locale (it is in \"%.60s\")",
                 now ? now : "?");
  return false;
}

/* Asks the file with these parameters, in a world of its own. */
static enum scenario_verdict ask(struct sim *sim, const struct scenario_file *file, const struct params *params,
                                 struct scenario_error *error) {
  struct scenario_memo *memo = file->memo;
  struct sim_config config = {.source = {.seed = 0}};
  struct sim_world *world = sim_world_begin(sim, &config);
  struct script *script = world ? script_create(world, library_open) : NULL;
  if (!script) {
    (void)snprintf(error->text, sizeof error->text, "the arena is used up");
    return SCENARIO_HARNESS;
  }
  memset(&memo->variants, 0, sizeof memo->variants);
  if (load(script, file, params, &memo->settings, &memo->variants)) return SCENARIO_HELD;
  script_error_text(script, file->path, error);
  return script->arena_spent ? SCENARIO_HARNESS : SCENARIO_WRONG;
}

/* What the variant sets, and over it what is set; false: the file has no such variant. */
static bool choose_variant(const struct scenario_file *file, struct params *params, struct scenario_error *error) {
  const struct variants *variants = &file->memo->variants;
  const char *names[SCENARIO_VARIANTS_MAX];
  for (uint32_t i = 0; i < variants->count; i++) {
    names[i] = variants->names[i];
    if (strcmp(names[i], file->variant) != 0) continue;
    *params = variants->params[i];
    for (size_t n = 0; n < file->set.count; n++)
      if (!params_set(params, file->set.items[n].name, file->set.items[n].value)) return false;
    return true;
  }
  const char *near = nearest_word(file->variant, names, variants->count);
  size_t used = (size_t)snprintf(error->text, sizeof error->text, "%s:1: the scenario has no variant \"%s\"%s",
                                 file->path, file->variant,
                                 near              ? "; did you mean \""
                                 : variants->count ? ": it has "
                                                   : "");
  if (near) (void)snprintf(error->text + used, sizeof error->text - used, "%s\"?", near);
  for (uint32_t i = 0; !near && i < variants->count && used < sizeof error->text; i++)
    used += (size_t)snprintf(error->text + used, sizeof error->text - used, "%s\"%s\"", i ? ", " : "", names[i]);
  return false;
}

static enum scenario_verdict learn(struct sim *sim, const struct scenario_file *file, struct scenario_error *error) {
  struct scenario_memo *memo = file->memo;
  struct scenario_info *info = &memo->settings.info;
  if (!locale_is_plain(error)) return SCENARIO_HARNESS;
  if (memo->known) return SCENARIO_HELD;
  memo->params = file->set;
  enum scenario_verdict verdict = ask(sim, file, &memo->params, error);
  if (verdict == SCENARIO_HELD && file->variant[0]) {
    /* What it sets is known only now. */
    if (!choose_variant(file, &memo->params, error)) return SCENARIO_WRONG;
    verdict = ask(sim, file, &memo->params, error);
    memcpy(info->variant, file->variant, sizeof info->variant);
    size_t length = strlen(info->name);
    (void)snprintf(info->name + length, sizeof info->name - length, " (%s)", file->variant);
  }
  memo->known = verdict == SCENARIO_HELD;
  return verdict;
}

int scenario_describe(struct sim *sim, const struct scenario_file *file, struct scenario_info *info,
                      struct scenario_error *error) {
  memset(info, 0, sizeof *info);
  memset(error, 0, sizeof *error);
  if (learn(sim, file, error) != SCENARIO_HELD) return -1;
  *info = file->memo->settings.info;
  return 0;
}

/* --- Running ----------------------------------------------------------------------------- */

/* Nothing here changes after the beginning: what a run changes is in the arena. */
struct scenario_world {
  struct sim *sim;
  const struct scenario_file *file;
  struct scenario_options options;
  struct settings settings;
  struct sim_world *world;
  struct script *script;
  const char *harness; /* what the harness failed at; NULL: nothing */
};

static bool harness(struct scenario_world *run, const char *what) {
  run->harness = what;
  return false;
}

static bool begin(struct scenario_world *run) {
  struct sim_config config = {
      .source = run->options.source,
      .link = run->settings.link,
      .disk = run->settings.disk,
      .shuffle = run->settings.shuffle,
      .trace = run->options.trace,
      .marks = run->options.marks,
  };
  if (run->settings.swarm || run->settings.vary || run->settings.swarm_all) {
    /* Which faults this seed has is asked of a world that does nothing else. */
    config.trace = NULL;
    config.marks = NULL;
    struct sim_world *world = sim_world_begin(run->sim, &config);
    if (!world) return harness(run, "the arena is used up");
    if (run->settings.swarm) settings_swarm(world, &run->settings);
    if (run->settings.swarm_all) swarm_faults(world, &run->settings);
    if (run->settings.vary) vary_settings(world, &run->settings);
    config.link = run->settings.link;
    config.disk = run->settings.disk;
    config.trace = run->options.trace;
    config.marks = run->options.marks;
  }
  run->world = sim_world_begin(run->sim, &config);
  if (run->world) script_name_steps(run->world);
  for (uint32_t i = 0; run->world && i < run->settings.info.without_count; i++)
    (void)sim_silence(run->world, run->settings.info.without[i].oracle);
  run->script = run->world ? script_create(run->world, library_open) : NULL;
  return run->script || harness(run, "the arena is used up");
}

static bool start(struct scenario_world *run) {
  struct script *script = run->script;
  struct settings again; /* the same as the memo's; the functions are what counts */
  if (!load(script, run->file, &run->file->memo->params, &again, NULL)) return false;
  script->link = run->settings.link;
  task_drive(script);
  struct cluster_config config = run->settings.cluster;
  if (run->settings.has_node_options) config.node_options = run->settings.node_options;
  config.own_merges.call = merge_callback;
  for (uint32_t i = 0; i < CLUSTER_OWN_MERGES_MAX; i++)
    config.own_merges.args[i] = &script->merges[i];
  script->cluster = cluster_create(run->world, &config);
  if (!script->cluster) return harness(run, "the arena is used up");
  if (run->settings.plain_workload) script->workload.variety = false;
  if (run->settings.vary) vary_workload(run->world, &script->workload);
  if (script->swarm_operations) swarm_operations(run->world, &script->workload);
  if (run->settings.swarm_all) swarm_clocks(run->world);
  if (script->has_workload) cluster_workload_start(script->cluster, &script->workload);
  lua_State *lua = script->lua;
  if (lua_getfield(lua, LUA_REGISTRYINDEX, "run") == LUA_TFUNCTION) {
    world_push(lua);
    task_start(lua, 1);
  }
  lua_settop(lua, 0);
  return true;
}

static bool over(const struct scenario_world *run) {
  return run->script->wrong || sim_violation_get(run->world)->found || run->script->phase == SCRIPT_OVER;
}

/* Runs on to a time, or for so many events. Faults stop when the scenario's duration is
 * over and there is more to come. */
static void go_on(struct scenario_world *run, uint64_t until_ns, uint64_t events) {
  uint64_t duration_ns = run->settings.info.duration_ns, begun = sim_events_run(run->world);
  if (over(run)) return;
  if (run->script->phase == SCRIPT_RUNS) {
    enum sim_end why = sim_run(run->sim, until_ns < duration_ns ? until_ns : duration_ns, events);
    if (over(run) || why == SIM_END_EVENTS || until_ns <= duration_ns) return;
    events -= sim_events_run(run->world) - begun;
    if (!sandbox_check(run->script)) return;
    task_end(run->script, run->settings.info.settle_ns);
  }
  (void)sim_run(run->sim, until_ns, events);
}

static void collect(const struct scenario_world *run, struct scenario_result *result) {
  memset(result, 0, sizeof *result);
  result->verdict = SCENARIO_HELD;
  result->seed = run->options.source.seed;
  if (run->harness) {
    result->verdict = SCENARIO_HARNESS;
    (void)snprintf(result->error.text, sizeof result->error.text, "%s", run->harness);
  }
  if (!run->script) return;
  const struct script *script = run->script;
  const struct sim_violation *violation = sim_violation_get(run->world);
  result->trace_hash = sim_trace_hash(run->world);
  for (int i = 0; i < SIM_SUB_COUNT; i++)
    result->trace_hash_of[i] = sim_trace_hash_of(run->world, (enum sim_subsystem)i);
  result->events = sim_events(run->world);
  result->simulated_ns = sim_now(run->world);
  result->peak_bytes = sim_arena_peak_bytes(sim_arena(run->sim));
  for (int i = 0; i < SIM_FAULT_COUNT; i++)
    result->faults[i] = *sim_fault(run->world, (enum sim_fault)i);
  for (uint32_t i = 0; i < script->property_count; i++)
    if (script->properties[i].kind == SCRIPT_SOMETIMES) {
      result->reached[result->sometimes_count] = (uint8_t)script->properties[i].reached;
      result->sometimes[result->sometimes_count++] = script->properties[i].satisfied;
    }
  for (uint32_t i = 0; i < run->settings.info.without_count; i++)
    result->silenced[i] = sim_silenced(run->world, run->settings.info.without[i].oracle) > 0;
  if (result->verdict == SCENARIO_HARNESS) return;
  if (script->wrong) {
    result->verdict = script->arena_spent ? SCENARIO_HARNESS : SCENARIO_WRONG;
    script_error_text(script, run->file->path, &result->error);
  } else if (violation->found) {
    result->verdict = SCENARIO_VIOLATED;
    result->violation = *violation;
    task_tell_waits(script, run->file->path, result->waits, sizeof result->waits);
  }
}

/* The scenario says itself what chance decides. */
static bool fix_choices(struct scenario_world *run) {
  struct scenario_memo *memo = run->file->memo;
  if (!memo->choices) memo->choices = settings_choices(&run->settings);
  run->options.source.fixed = memo->choices;
  if (run->options.source.rest == SIM_REST_SEED) run->options.source.rest = SIM_REST_CALM;
  return memo->choices != NULL;
}

/* false: there is nothing to run, and *result tells why. */
static bool prepare(struct scenario_world *run, struct sim *sim, const struct scenario_file *file,
                    const struct scenario_options *options, struct scenario_result *result) {
  memset(run, 0, sizeof *run);
  run->sim = sim;
  run->file = file;
  run->options = *options;
  memset(result, 0, sizeof *result);
  result->seed = options->source.seed;
  result->verdict = learn(sim, file, &result->error);
  if (result->verdict != SCENARIO_HELD) return false;
  run->settings = file->memo->settings;
  if (run->settings.fixed && !fix_choices(run)) {
    result->verdict = SCENARIO_HARNESS;
    (void)snprintf(result->error.text, sizeof result->error.text, "memory ran out");
    return false;
  }
  run->settings.cluster.no_oracles = options->no_oracles;
  struct scenario_info *info = &run->settings.info;
  if (options->duration_ns && options->duration_ns < info->duration_ns) info->duration_ns = options->duration_ns;
  if (begin(run) && start(run)) return true;
  collect(run, result);
  return false;
}

void scenario_run(struct sim *sim, const struct scenario_file *file, const struct scenario_options *options,
                  struct scenario_result *result) {
  struct scenario_world run;
  if (!prepare(&run, sim, file, options, result)) return;
  go_on(&run, options->until_ns ? options->until_ns : SIM_TIME_NEVER,
        options->until_events ? options->until_events : UINT64_MAX);
  collect(&run, result);
}

/* --- In steps ------------------------------------------------------------------------------ */

struct scenario_world *scenario_begin(struct sim *sim, const struct scenario_file *file,
                                      const struct scenario_options *options, struct scenario_result *result) {
  struct scenario_world *run = malloc(sizeof *run);
  if (!run) {
    memset(result, 0, sizeof *result);
    result->verdict = SCENARIO_HARNESS;
    (void)snprintf(result->error.text, sizeof result->error.text, "memory ran out");
    return NULL;
  }
  struct scenario_options whole = *options;
  whole.until_ns = whole.until_events = 0;
  if (prepare(run, sim, file, &whole, result)) return run;
  free(run);
  return NULL;
}

void scenario_continue(struct scenario_world *run, uint64_t until_ns) {
  uint64_t end = run->settings.info.duration_ns;
  go_on(run, until_ns < end ? until_ns : end, UINT64_MAX);
}

bool scenario_step(struct scenario_world *run, uint64_t until_ns, uint64_t events) {
  go_on(run, until_ns, events);
  return !over(run);
}

void scenario_finish(struct scenario_world *run, struct scenario_result *result) {
  go_on(run, SIM_TIME_NEVER, UINT64_MAX);
  collect(run, result);
}

void scenario_free(struct scenario_world *run) {
  free(run);
}
