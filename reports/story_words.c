#include "reports/story_words.h"

#include <inttypes.h>

#include "core/sync.h"
#include "lua/language/steps.h"
#include "lua/text/units.h"
#include "sim/sim.h"

/* Field 2 of SIM_STEP_LINK. */
enum link_change {
  LINK_CUT = 1,
  LINK_HEAL = 2,
  LINK_SETTINGS = 3,
  LINK_ALL_HEAL = 5,
  LINK_CLOG = 6,
  LINK_FREE = 7,
  LINK_WAITS = 8,
  LINK_RULE = 9,
  LINK_RULE_END = 10,
  LINK_STRUCK = 11
};
/* Field 0 of SIM_STEP_NODE_CLOCK; what is less reads a clock. */
enum clock_change { CLOCK_STEPS = 17, CLOCK_RATE = 18, CLOCK_FREEZES = 19, CLOCK_STROBES = 20 };
/* Field 1 of SCRIPT_STEP_CLOCK. */
#define ACT_STROBE 4u

static uint64_t field(const struct sim_trace_record *record, unsigned at) {
  return at < record->count ? record->fields[at] : 0;
}

/* --- Weights ------------------------------------------------------------------------ */

static enum story_weight weigh_report(uint64_t kind) {
  switch (kind) {
  case SYNC_TRACE_OPEN:
  case SYNC_TRACE_PARKED:
  case SYNC_TRACE_REVIVED:
  case SYNC_TRACE_FAIL_STOP:
  case SYNC_TRACE_SNAPSHOT:
  case SYNC_TRACE_MERGE:
  case SYNC_TRACE_SNAPSHOT_FAIL:
    return STORY_TOLD;
  default:
    return STORY_QUIET;
  }
}

/* What a device tells of itself at once is not told as an act as well. */
static enum story_weight weigh_act(const struct sim_trace_record *record) {
  switch (field(record, 0)) {
  case SCRIPT_STEP_WAKE:
  case SCRIPT_STEP_SLEEP:
  case SCRIPT_STEP_CHECK:
  case SCRIPT_STEP_PAUSE:
  case SCRIPT_STEP_WIPE:
  case SCRIPT_STEP_RESTORE:
    return STORY_QUIET;
  case SCRIPT_STEP_CLOCK:
    return field(record, 1) == ACT_STROBE ? STORY_TOLD : STORY_QUIET;
  case SCRIPT_STEP_RESTART:
    return STORY_CAUSE;
  case SCRIPT_STEP_TEXT:
    return STORY_MORE;
  case SCRIPT_STEP_CUT:
  case SCRIPT_STEP_HEAL:
  case SCRIPT_STEP_LINK:
    return STORY_LINKS;
  default:
    return STORY_TOLD;
  }
}

static enum story_weight weigh_link(uint64_t change) {
  switch (change) {
  case LINK_CUT:
  case LINK_HEAL:
  case LINK_SETTINGS:
  case LINK_CLOG:
  case LINK_FREE:
    return STORY_LINKS;
  case LINK_WAITS:
  case LINK_RULE:
  case LINK_RULE_END:
  case LINK_STRUCK:
    return STORY_QUIET;
  default:
    return STORY_TOLD;
  }
}

enum story_weight story_weigh(const struct sim_trace_record *record) {
  switch (record->step) {
  case SIM_STEP_NODE_TRACE:
    return weigh_report(field(record, 0));
  case SIM_STEP_SCRIPT:
    return weigh_act(record);
  case SIM_STEP_LINK:
    return weigh_link(field(record, 2));
  case SIM_STEP_NODE_CLOCK:
    return field(record, 0) >= CLOCK_STEPS && field(record, 0) < CLOCK_STROBES ? STORY_TOLD : STORY_QUIET;
  case SIM_STEP_NODE_TIMER:
  case SIM_STEP_NODE_PICK:
  case SIM_STEP_CLUSTER:
  case SIM_STEP_DISK_POWER_LOSS:
  case SIM_STEP_EVENT:
    return STORY_QUIET;
  default:
    return record->step >= SIM_STEP_DISK_DAMAGE ? STORY_TOLD : STORY_QUIET; /* below: messages and calls of disks */
  }
}

const char *story_link(const struct sim_trace_record *record, uint32_t *from, uint32_t *to) {
  const bool act = record->step == SIM_STEP_SCRIPT;
  uint64_t change = field(record, act ? 0 : 2);
  *from = (uint32_t)field(record, act ? 1 : 0);
  *to = (uint32_t)field(record, act ? 2 : 1);
  if (act) change = change == SCRIPT_STEP_CUT ? LINK_CUT : change == SCRIPT_STEP_HEAL ? LINK_HEAL : LINK_SETTINGS;
  switch (change) {
  case LINK_CUT:
    return "cut";
  case LINK_HEAL:
    return "healed";
  case LINK_CLOG:
    return "clogged";
  case LINK_FREE:
    return "free again";
  default:
    return "set anew";
  }
}

/* --- Words -------------------------------------------------------------------------- */

static bool boot_words(const struct sim_trace_record *record, char *text, size_t size) {
  (void)snprintf(text, size, field(record, 0) == 1 ? "started" : "started again");
  return true;
}

static bool report_words(const struct sim_trace_record *record, char *text, size_t size) {
  const uint64_t cut = field(record, 5);
  if (field(record, 0) != SYNC_TRACE_OPEN) return false;
  if (field(record, 1) != SYNC_OK) {
    (void)snprintf(text, size, "does not open: %s", sync_status_name((int)(int64_t)field(record, 1)));
    return true;
  }
  int length = snprintf(text, size, "up: its log is durable to %" PRIu64, field(record, 3));
  if (cut > 0 && (size_t)length < size)
    (void)snprintf(text + length, size - (size_t)length,
                   ", and %" PRIu64 " bytes behind its last whole record were cut", cut);
  return true;
}

/* "-24h" */
static const char *signed_duration(int64_t value, char text[72]) {
  units_format_duration(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, text + 1, 71);
  text[0] = '-';
  return value < 0 ? text : text + 1;
}

static bool clock_words(const struct sim_trace_record *record, char *text, size_t size) {
  const int64_t value = (int64_t)field(record, 1);
  char by[72];
  switch (field(record, 0)) {
  case CLOCK_STEPS:
    (void)snprintf(text, size, "its wall clock jumps by %s", signed_duration(value, by));
    return true;
  case CLOCK_RATE:
    if (value != 0) return false;
    (void)snprintf(text, size, "its clocks run right again");
    return true;
  case CLOCK_FREEZES:
    (void)snprintf(text, size, value != 0 ? "its wall clock stands still" : "its wall clock runs again");
    return true;
  default:
    return false;
  }
}

static bool damage_words(const struct sim_trace_log *log, const struct sim_trace_record *record, char *text,
                         size_t size) {
  static const char *const what[] = {
      [SIM_DAMAGE_ROT] = "rots",
      [SIM_DAMAGE_UNREADABLE] = "cannot be read any more",
      [SIM_DAMAGE_LOST_WRITE] = "loses a write",
      [SIM_DAMAGE_MISDIRECTED] = "writes elsewhere what belongs",
      [SIM_DAMAGE_FSYNC_LIE] = "confirms what is not durable",
      [SIM_DAMAGE_FSYNC_LATE] = "tells the next fsync alone that this one failed",
  };
  const uint64_t kind = field(record, 0);
  if (kind == 0 || kind >= sizeof what / sizeof *what) return false;
  const char *name = sim_trace_log_name(log, SIM_NAME_FILE, 0, field(record, 1));
  (void)snprintf(text, size, "its disk %s, at %" PRIu64 " of %s (%" PRIu64 " B)", what[kind], field(record, 2),
                 name == NULL ? "a file" : name, field(record, 3));
  return true;
}

static bool crash_words(const struct sim_trace_record *record, char *text, size_t size) {
  const uint64_t nth = field(record, 1);
  const bool process = field(record, 2) != 0;
  if (nth == 0)
    (void)snprintf(text, size, process ? "the script kills its process" : "the script cuts its power");
  else
    (void)snprintf(text, size, "the script lets %s inside call %" PRIu64 " from now, of those that count",
                   process ? "its process die" : "its power fail", nth);
  return true;
}

static bool down_words(const struct sim_trace_record *record, char *text, size_t size) {
  static const char *const why[] = {"down", "down: power is lost", "down: its process died", "down: stopped",
                                    "down: refused to start"};
  const uint64_t kind = field(record, 0);
  (void)snprintf(text, size, "%s", why[kind < sizeof why / sizeof *why ? kind : 0]);
  return true;
}

static bool strobe_words(const struct sim_trace_record *record, char *text, size_t size) {
  const int64_t value = (int64_t)field(record, 2);
  char by[72];
  if (value == 0)
    (void)snprintf(text, size, "the script ends the strobe of its wall clock");
  else
    (void)snprintf(text, size, "the script lets its wall clock strobe by %s", signed_duration(value, by));
  return true;
}

/* What a rule does; which messages it is about is told as numbers are in a world of any. */
static bool rule_words(const struct sim_trace_record *record, char *text, size_t size) {
  static const char *const does[] = {[SIM_RULE_DROP] = "lost",
                                     [SIM_RULE_DELAY] = "delayed",
                                     [SIM_RULE_DUPLICATE] = "doubled",
                                     [SIM_RULE_HOLD] = "held up"};
  const uint64_t action = field(record, 4), count = field(record, 5);
  char from[24] = "anybody", to[24] = "anybody", number[32] = "all";
  if (action == 0 || action >= sizeof does / sizeof *does) return false;
  if (field(record, 1) != 0) (void)snprintf(from, sizeof from, "n%" PRIu64, field(record, 1));
  if (field(record, 2) != 0) (void)snprintf(to, sizeof to, "n%" PRIu64, field(record, 2));
  if (count != 0) (void)snprintf(number, sizeof number, "%" PRIu64, count);
  (void)snprintf(text, size, "the script makes a rule: of messages%s from %s to %s %s will be %s",
                 field(record, 3) == 0 ? "" : " of one kind", from, to, number, does[action]);
  return true;
}

static bool restart_words(const struct sim_trace_record *record, char *text, size_t size) {
  const char *up = field(record, 1) != 0 ? "" : ", in vain";
  if (field(record, 2) == 0)
    (void)snprintf(text, size, "the script restarts it%s", up);
  else
    (void)snprintf(text, size,
                   "the script restarts it%s; its power fails again inside call %" PRIu64 ", of those that count", up,
                   field(record, 2));
  return true;
}

static bool write_words(const struct sim_trace_record *record, char *text, size_t size) {
  const int status = (int)(int64_t)field(record, 4);
  int length;
  if (field(record, 1) == SYNC_DELETE)
    length = snprintf(text, size, "the script deletes key %" PRIu64, field(record, 2));
  else
    length =
        snprintf(text, size, "the script puts key %" PRIu64 ", %" PRIu64 " bytes", field(record, 2), field(record, 3));
  if (status != SYNC_OK && (size_t)length < size)
    (void)snprintf(text + length, size - (size_t)length, ": refused, %s", sync_status_name(status));
  return true;
}

static bool act_words(const struct sim_trace_record *record, char *text, size_t size) {
  const uint64_t value = field(record, 1);
  const char *words = NULL;
  switch (field(record, 0)) {
  case SCRIPT_STEP_CRASH:
    return crash_words(record, text, size);
  case SCRIPT_STEP_RESTART:
    return restart_words(record, text, size);
  case SCRIPT_STEP_WRITE:
    return write_words(record, text, size);
  case SCRIPT_STEP_CLOCK:
    return strobe_words(record, text, size);
  case SCRIPT_STEP_RULE:
    return rule_words(record, text, size);
  case SCRIPT_STEP_SPAWN:
    if (value == 1) words = "run begins";
    break;
  case SCRIPT_STEP_DONE:
    if (value == 1) words = "run is over";
    break;
  case SCRIPT_STEP_STOP:
    if (value == 0) words = "the script stops it";
    break;
  case SCRIPT_STEP_WORKLOAD:
    words = value != 0 ? "the script starts the workload" : "the script stops the workload";
    break;
  case SCRIPT_STEP_MEMORY:
    if (value == 0) words = "the script lifts the bound on its memory";
    break;
  case SCRIPT_STEP_REPAIR:
    words = value != 0 ? "the script has it repaired" : "the script has it repaired, in vain";
    break;
  default:
    break;
  }
  if (words != NULL) (void)snprintf(text, size, "%s", words);
  return words != NULL;
}

bool story_words(const struct sim_trace_log *log, const struct sim_trace_record *record, char *text, size_t size) {
  switch (record->step) {
  case SIM_STEP_NODE_BOOT:
    return boot_words(record, text, size);
  case SIM_STEP_NODE_DOWN:
    return down_words(record, text, size);
  case SIM_STEP_NODE_TRACE:
    return report_words(record, text, size);
  case SIM_STEP_NODE_CLOCK:
    return clock_words(record, text, size);
  case SIM_STEP_DISK_DAMAGE:
    return damage_words(log, record, text, size);
  case SIM_STEP_SCRIPT:
    return act_words(record, text, size);
  default:
    return false;
  }
}
