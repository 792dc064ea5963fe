#include "search/deviation.h"

#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

const char *deviation_form_name(enum deviation_form form) {
  switch (form) {
  case DEVIATION_NODE:
    return "nodes";
  case DEVIATION_SUBMIT:
    return "submits";
  case DEVIATION_DETAIL:
    return "details of submits";
  case DEVIATION_FAULT:
    return "faults of the script";
  case DEVIATION_ACT:
    return "acts of the script";
  case DEVIATION_SLEEP:
    return "sleeps";
  case DEVIATION_RULE:
    return "messages under a rule";
  case DEVIATION_FATE:
    return "fates";
  case DEVIATION_FRAME:
    break;
  }
  return "moments";
}

bool deviation_is_event(const struct deviation *deviation) {
  switch (deviation->form) {
  case DEVIATION_SUBMIT:
  case DEVIATION_FAULT:
  case DEVIATION_ACT:
  case DEVIATION_RULE:
  case DEVIATION_FATE:
    return true;
  default:
    return false;
  }
}

static const uint32_t FATES[] = {
    SIM_CHOICE_TIE,
    SIM_CHOICE_NET_DELAY,
    SIM_CHOICE_NET_LOSS,
    SIM_CHOICE_NET_DUPLICATE,
    SIM_CHOICE_NET_DUPLICATE_DELAY,
    SIM_CHOICE_NET_REORDER,
    SIM_CHOICE_NET_REORDER_DELAY,
    SIM_CHOICE_NET_CORRUPT,
    SIM_CHOICE_NET_CORRUPT_BIT,
    SIM_CHOICE_NET_TRUNCATE,
    SIM_CHOICE_NET_TRUNCATE_SIZE,
    SIM_CHOICE_NET_SLOW,
    SIM_CHOICE_NET_SLOW_DELAY,
    SIM_CHOICE_NET_BURST,
    SIM_CHOICE_NET_CLOG,
    SIM_CHOICE_NET_CLOG_TIME,
    SIM_CHOICE_NET_BURST_STAY,
    SIM_CHOICE_NET_BURST_LOSS,
    SIM_CHOICE_NET_MISDELIVER,
    SIM_CHOICE_NET_MISDELIVER_WHERE,
    SIM_CHOICE_NET_EXTEND,
    SIM_CHOICE_NET_EXTEND_SIZE,
    SIM_CHOICE_NET_SPLICE,
    SIM_CHOICE_NET_SPLICE_AT,
    SIM_CHOICE_DISK_FSYNC_DELAY,
    SIM_CHOICE_DISK_STYLE,
    SIM_CHOICE_DISK_PREFIX,
    SIM_CHOICE_DISK_TORN,
    SIM_CHOICE_DISK_SECTOR,
    SIM_CHOICE_DISK_GARBAGE,
    SIM_CHOICE_DISK_SIZE,
    SIM_CHOICE_DISK_DIRECTORY,
    SIM_CHOICE_DISK_WRITE_BACK,
    SIM_CHOICE_DISK_READ_ERROR,
    SIM_CHOICE_DISK_WRITE_ERROR,
    SIM_CHOICE_DISK_WRITE_ERROR_DONE,
    SIM_CHOICE_DISK_SHORT,
    SIM_CHOICE_DISK_SHORT_SIZE,
    SIM_CHOICE_DISK_INTERRUPT,
    SIM_CHOICE_DISK_FSYNC_ERROR,
    SIM_CHOICE_DISK_FSYNC_ERROR_FORM,
    SIM_CHOICE_DISK_FSYNC_LIE,
    SIM_CHOICE_DISK_LATENCY,
    SIM_CHOICE_DISK_STALL,
    SIM_CHOICE_DISK_ROT,
    SIM_CHOICE_DISK_ROT_WHERE,
    SIM_CHOICE_DISK_MISDIRECT,
    SIM_CHOICE_DISK_MISDIRECT_WHERE,
    SIM_CHOICE_DISK_LOST_WRITE,
    SIM_CHOICE_DISK_UNREADABLE,
    SIM_CHOICE_DISK_UNREADABLE_WHERE,
    SIM_CHOICE_DISK_WRITE_BACK_NAMES,
    SIM_CHOICE_DISK_CUT,
    SIM_CHOICE_DISK_OVERWRITE,
    SIM_CHOICE_DISK_RENAME_HALF,
    SIM_CHOICE_DISK_OPEN_ERROR,
    SIM_CHOICE_DISK_CLOSE_ERROR,
    SIM_CHOICE_DISK_TRUNCATE_ERROR,
    SIM_CHOICE_DISK_SIZE_ERROR,
    SIM_CHOICE_DISK_RENAME_ERROR,
    SIM_CHOICE_DISK_UNLINK_ERROR,
    SIM_CHOICE_DISK_LIST_ERROR,
    SIM_CHOICE_DISK_FSYNC_REQUEST_ERROR,
    SIM_CHOICE_DISK_FSYNC_NO_SPACE,
    SIM_CHOICE_NODE_PICK,
    SIM_CHOICE_NODE_CRASH_CALL,
    SIM_CHOICE_NODE_ALLOC,
    SIM_CHOICE_DISK_ERROR_WHICH,
    SIM_CHOICE_DISK_ERROR_DONE,
    SIM_CHOICE_DISK_ROT_RUNNING,
    SIM_CHOICE_DISK_ROT_FILE,
    SIM_CHOICE_DISK_ROT_EXTENT,
    SIM_CHOICE_DISK_ROT_FILL,
    SIM_CHOICE_DISK_DAMAGE_RUN,
    SIM_CHOICE_DISK_LATENT,
    SIM_CHOICE_DISK_LATENT_WHERE,
    SIM_CHOICE_DISK_MISDIRECT_FILE,
};

const uint32_t *deviation_fates(size_t *count) {
  *count = sizeof FATES / sizeof FATES[0];
  return FATES;
}

bool deviation_is_fate(uint32_t kind) {
  for (size_t i = 0; i < sizeof FATES / sizeof FATES[0]; i++)
    if (FATES[i] == kind) return true;
  return false;
}

static bool is_detail(uint32_t kind) {
  switch (kind) {
  case SIM_CHOICE_WORKLOAD_NODE:
  case SIM_CHOICE_WORKLOAD_KEY:
  case SIM_CHOICE_WORKLOAD_OPERATION:
  case SIM_CHOICE_WORKLOAD_SIZE:
  case SIM_CHOICE_WORKLOAD_HOT:
  case SIM_CHOICE_WORKLOAD_VALUE:
  case SIM_CHOICE_WORKLOAD_BURST:
    return true;
  default:
    return false;
  }
}

/* false: it is calm, or was taken away before. */
static bool classify(struct sim_tag tag, uint64_t outcome, struct deviation *deviation) {
  *deviation = (struct deviation){.tag = tag, .outcome = outcome, .without = DEVIATION_CALM};
  switch (tag.kind) {
  case SIM_CHOICE_WORKLOAD_SKIP:
    deviation->form = DEVIATION_SUBMIT;
    deviation->without = 1;
    return true;
  case SIM_CHOICE_NODE_SKIP:
    deviation->form = DEVIATION_NODE;
    deviation->without = 1;
    return true;
  case SIM_CHOICE_SCENARIO_SKIP:
    deviation->form = DEVIATION_ACT;
    deviation->without = 1;
    return true;
  case SIM_CHOICE_NET_RULE:
    deviation->form = DEVIATION_RULE;
    deviation->without = 0;
    return true;
  case SIM_CHOICE_SCENARIO_SLEEP:
    deviation->form = DEVIATION_SLEEP;
    return true;
  case SIM_CHOICE_WORKLOAD_GAP:
    deviation->form = DEVIATION_FRAME;
    return true;
  case SIM_CHOICE_SCENARIO:
    deviation->form = DEVIATION_FAULT;
    return outcome != 0;
  default:
    deviation->form = is_detail(tag.kind) ? DEVIATION_DETAIL : DEVIATION_FATE;
    return outcome != 0;
  }
}

/* What a table beside calm has to say of it: not what is usual anyway. */
static bool is_usual(const struct deviation *deviation) {
  switch (deviation->form) {
  case DEVIATION_SUBMIT:
  case DEVIATION_NODE:
  case DEVIATION_ACT:
    return deviation->outcome == 0;
  case DEVIATION_RULE:
    return deviation->outcome == 1;
  default:
    return false;
  }
}

/* What asks to be left out by its own outcome stays left out, and is nothing that could be taken away. */
static bool is_away(const struct deviation *deviation) {
  return deviation->without != DEVIATION_CALM && deviation->outcome == deviation->without;
}

bool deviations_find(struct deviations *deviations, const struct sim_choice_table *recording,
                     const struct sim_choice_table *former) {
  const size_t count = sim_choice_table_count(recording);
  deviations->count = 0;
  deviations->items = malloc((count + 1) * sizeof *deviations->items);
  if (deviations->items == NULL) return false;
  for (size_t i = 0; i < count; i++) {
    uint64_t outcome = 0, was = 0;
    struct deviation deviation;
    const struct sim_tag tag = sim_choice_table_at(recording, i, &outcome);
    if (!classify(tag, outcome, &deviation)) continue;
    /* Beside calm, only what the table said can be anything else; a sleep that it does not name is as written. */
    const bool named = former != NULL && sim_choice_table_get(former, tag, &was);
    if (former != NULL && !named && !is_usual(&deviation) && deviation.form != DEVIATION_SLEEP) continue;
    if (is_away(&deviation)) deviation.form = DEVIATION_FRAME;
    deviations->items[deviations->count++] = deviation;
  }
  return true;
}

void deviations_free(struct deviations *deviations) {
  free(deviations->items);
  *deviations = (struct deviations){0};
}

static const uint32_t slow_kinds[CANDIDATE_SLOW_KINDS] = {SIM_CHOICE_DISK_FSYNC_DELAY, SIM_CHOICE_NET_DELAY};

uint32_t candidate_slow_kind(size_t i) {
  return slow_kinds[i];
}

bool candidate_init(struct candidate *candidate, const struct deviations *of) {
  *candidate = (struct candidate){.of = of};
  candidate->there = malloc(of->count + 1);
  candidate->outcomes = malloc((of->count + 1) * sizeof *candidate->outcomes);
  if (candidate->there == NULL || candidate->outcomes == NULL) {
    candidate_free(candidate);
    return false;
  }
  for (size_t i = 0; i < of->count; i++) {
    candidate->there[i] = 1;
    candidate->outcomes[i] = of->items[i].outcome;
  }
  return true;
}

void candidate_free(struct candidate *candidate) {
  free(candidate->there);
  free(candidate->outcomes);
  candidate->there = NULL;
  candidate->outcomes = NULL;
}

void candidate_copy(struct candidate *to, const struct candidate *from) {
  memcpy(to->there, from->there, from->of->count);
  memcpy(to->outcomes, from->outcomes, from->of->count * sizeof *to->outcomes);
  to->duration_ns = from->duration_ns;
  to->seed = from->seed;
  to->drawn = from->drawn;
  memcpy(to->slow, from->slow, sizeof to->slow);
}

/* What the table says of the i-th; false: nothing. */
static bool entry(const struct candidate *candidate, size_t i, uint64_t *outcome) {
  const struct deviation *deviation = &candidate->of->items[i];
  *outcome = candidate->there[i] ? candidate->outcomes[i] : deviation->without;
  if (!candidate->there[i] && deviation->without == DEVIATION_CALM) {
    *outcome = 0; /* calm by name, where the rest is drawn */
    return candidate->drawn && deviation->form != DEVIATION_FATE;
  }
  if (!candidate->there[i]) return true;
  return !is_usual(deviation) || *outcome != deviation->outcome;
}

bool candidate_table(const struct candidate *candidate, struct sim_choice_table *table) {
  sim_choice_table_clear(table);
  for (size_t i = 0; i < candidate->of->count; i++) {
    uint64_t outcome = 0;
    if (entry(candidate, i, &outcome) && !sim_choice_table_set(table, candidate->of->items[i].tag, outcome))
      return false;
  }
  for (size_t i = 0; i < CANDIDATE_SLOW_KINDS; i++)
    if (candidate->slow[i] && !sim_choice_table_set_kind(table, slow_kinds[i], UINT64_MAX)) return false;
  return true;
}

uint64_t candidate_hash(const struct candidate *candidate) {
  uint64_t hash = sim_hash_fold(sim_hash_fold(candidate->drawn, candidate->seed), candidate->duration_ns);
  for (size_t i = 0; i < CANDIDATE_SLOW_KINDS; i++)
    hash = sim_hash_fold(hash, candidate->slow[i]);
  for (size_t i = 0; i < candidate->of->count; i++) {
    uint64_t outcome = 0;
    const struct sim_tag tag = candidate->of->items[i].tag;
    if (!entry(candidate, i, &outcome)) continue;
    uint64_t one = sim_hash_fold((uint64_t)tag.kind << 32 | tag.where, tag.identity);
    hash += sim_hash_fold(one, outcome); /* in any order */
  }
  return hash;
}

size_t candidate_events(const struct candidate *candidate) {
  size_t events = 0;
  for (size_t i = 0; i < candidate->of->count; i++)
    events += candidate->there[i] && deviation_is_event(&candidate->of->items[i]);
  return events;
}
