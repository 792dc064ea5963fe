#include "sim/clock/clock.h"

#define MILLION UINT64_C(1000000)
#define RATE_MAX_PPM 500000

static uint64_t rate_of(const struct sim_clock *clock) {
  return MILLION + (uint64_t)(int64_t)clock->ppm; /* modulo 2^64: a negative one subtracts */
}

static uint64_t elapsed(const struct sim_clock *clock, uint64_t now_ns) {
  uint64_t true_ns = now_ns - clock->since_ns;
  if (clock->ppm == 0) return true_ns;
  uint64_t rate = rate_of(clock);
  return true_ns / MILLION * rate + true_ns % MILLION * rate / MILLION;
}

uint64_t clock_mono(const struct sim_clock *clock, uint64_t now_ns) {
  return clock->mono_ns + elapsed(clock, now_ns);
}

uint64_t clock_wall(const struct sim_clock *clock, uint64_t now_ns) {
  if (clock->frozen) return clock->wall_ns;
  uint64_t since_ns = elapsed(clock, now_ns);
  return since_ns > UINT64_MAX - clock->wall_ns ? UINT64_MAX : clock->wall_ns + since_ns;
}

void clock_rebase(struct sim_clock *clock, uint64_t now_ns) {
  clock->mono_ns = clock_mono(clock, now_ns);
  clock->wall_ns = clock_wall(clock, now_ns);
  clock->since_ns = now_ns;
}

uint64_t clock_when(const struct sim_clock *clock, uint64_t mono_ns) {
  if (mono_ns <= clock->mono_ns) return clock->since_ns;
  uint64_t need = mono_ns - clock->mono_ns;
  uint64_t rate = rate_of(clock);
  if (need / rate >= UINT64_MAX / MILLION - 2) return UINT64_MAX;
  uint64_t true_ns = need / rate * MILLION + (need % rate * MILLION + rate - 1) / rate;
  return true_ns > UINT64_MAX - clock->since_ns ? UINT64_MAX : clock->since_ns + true_ns;
}

enum clock_change { CLOCK_STEP = 1, CLOCK_RATE = 2, CLOCK_FREEZE = 3, CLOCK_STROBE = 4 };

static void trace_change(const struct sim_clock *clock, enum clock_change change, uint64_t value) {
  uint64_t fields[] = {16 + (uint64_t)change, value};
  ground_trace(clock->ground, SIM_SUB_NODE, SIM_STEP_NODE_CLOCK, clock->node, fields, 2);
}

static void count_fault(const struct sim_clock *clock, enum sim_fault fault, bool real) {
  if (real) ground_fault(clock->ground, fault, 1);
}

/* By how much it moved: it goes neither below 0 nor past the end. */
static int64_t move_wall(struct sim_clock *clock, int64_t wall_ns) {
  clock_rebase(clock, ground_now(clock->ground));
  uint64_t distance = wall_ns < 0 ? 0 - (uint64_t)wall_ns : (uint64_t)wall_ns;
  if (wall_ns < 0) {
    if (distance > clock->wall_ns) distance = clock->wall_ns;
    clock->wall_ns -= distance;
    return distance > INT64_MAX ? INT64_MIN : -(int64_t)distance;
  }
  if (distance > UINT64_MAX - clock->wall_ns) distance = UINT64_MAX - clock->wall_ns;
  clock->wall_ns += distance;
  return (int64_t)distance;
}

void clock_step(struct sim_clock *clock, int64_t wall_ns) {
  (void)move_wall(clock, wall_ns);
  count_fault(clock, SIM_FAULT_CLOCK_STEP, wall_ns != 0);
  trace_change(clock, CLOCK_STEP, (uint64_t)wall_ns);
}

void clock_rate(struct sim_clock *clock, int32_t ppm) {
  GROUND_ASSERT(clock->ground, ppm >= -RATE_MAX_PPM && ppm <= RATE_MAX_PPM);
  clock_rebase(clock, ground_now(clock->ground));
  clock->ppm = ppm;
  count_fault(clock, SIM_FAULT_CLOCK_DRIFT, ppm != 0);
  trace_change(clock, CLOCK_RATE, (uint64_t)(int64_t)ppm);
}

void clock_freeze(struct sim_clock *clock, bool frozen) {
  clock_rebase(clock, ground_now(clock->ground));
  clock->frozen = frozen;
  count_fault(clock, SIM_FAULT_CLOCK_FREEZE, frozen);
  trace_change(clock, CLOCK_FREEZE, frozen);
}

/* --- Strobes --- */

static void strobe_plan(const struct sim_clock *clock) {
  struct ground *ground = clock->ground;
  uint64_t now_ns = ground_now(ground);
  uint64_t left_ns = clock->strobe_until_ns - now_ns;
  uint64_t ns = clock->strobe_every_ns < left_ns ? clock->strobe_every_ns : left_ns;
  if (ns == UINT64_MAX - now_ns) return;
  uint32_t slot = ground_event(ground, SIM_EVENT_STROBE, clock->node);
  ground_event_at(ground, slot)->value = clock->strobe_generation;
  ground_schedule(ground, slot, now_ns + ns, 0);
}

static void strobe_jump(struct sim_clock *clock) {
  if (clock->strobe_away) {
    (void)move_wall(clock, -clock->strobe_ns);
  } else {
    clock->strobe_ns = move_wall(clock, clock->strobe_ns);
  }
  clock->strobe_away = !clock->strobe_away;
  count_fault(clock, SIM_FAULT_CLOCK_STROBE, true);
  trace_change(clock, CLOCK_STROBE, clock->strobe_away);
}

static void strobe_end(struct sim_clock *clock) {
  if (clock->strobe_away) strobe_jump(clock);
  clock->strobe_ns = 0;
  clock->strobe_generation++;
}

void clock_strobe(struct sim_clock *clock, int64_t wall_ns, uint64_t every_ns, uint64_t lasting_ns) {
  uint64_t now_ns = ground_now(clock->ground);
  GROUND_ASSERT(clock->ground, every_ns >= 1 && wall_ns > INT64_MIN);
  strobe_end(clock);
  if (wall_ns == 0) return;
  clock->strobe_ns = wall_ns;
  clock->strobe_every_ns = every_ns;
  clock->strobe_until_ns = lasting_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + lasting_ns;
  strobe_jump(clock);
  strobe_plan(clock);
}

bool clock_strobes(struct sim_clock *clock, const struct sim_event *event) {
  if (event->value != clock->strobe_generation) return false;
  if (ground_now(clock->ground) >= clock->strobe_until_ns) {
    strobe_end(clock);
    return true;
  }
  strobe_jump(clock);
  strobe_plan(clock);
  return true;
}
