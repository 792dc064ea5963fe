#include "cluster/backoff.h"

#define DRAWN_SHARE 8u

static uint64_t add(uint64_t a, uint64_t b) {
  return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

uint64_t backoff_wait_ns(const struct backoff_schedule *schedule, uint32_t tries) {
  uint64_t wait_ns = schedule->retry_interval_ns;
  for (uint32_t i = 0; i < tries && wait_ns < schedule->retry_cap_ns; i++)
    wait_ns = add(wait_ns, wait_ns);
  return wait_ns < schedule->retry_cap_ns ? wait_ns : schedule->retry_cap_ns;
}

void backoff_begin(struct backoff *backoff, uint64_t life, uint64_t now_ns, bool exact) {
  *backoff = (struct backoff){.life = life, .since_ns = now_ns, .exact = exact};
}

void backoff_met(struct backoff *backoff, uint64_t now_ns) {
  backoff->met = true;
  backoff->since_ns = now_ns;
  backoff->exact = true;
}

/* Whether a wait may be over now. */
static enum backoff_finding over(const struct backoff *backoff, const struct backoff_schedule *schedule,
                                 uint64_t now_ns) {
  if (backoff->stage != BACKOFF_ANSWERED) return now_ns < backoff->due_ns ? BACKOFF_EARLY : BACKOFF_HONEST;
  if (!backoff->exact) return BACKOFF_HONEST;
  uint64_t wait_ns = backoff->met ? schedule->ack_timeout_ns : backoff_wait_ns(schedule, 0);
  return now_ns < add(backoff->since_ns, wait_ns) ? BACKOFF_EARLY : BACKOFF_HONEST;
}

enum backoff_finding backoff_timeout(struct backoff *backoff, const struct backoff_schedule *schedule, uint64_t now_ns,
                                     const struct backoff_try *said) {
  if (backoff->stage == BACKOFF_PARKED || said->tries != backoff->tries + 1u || said->tries > schedule->max_retries)
    return BACKOFF_MISCOUNTS;
  enum backoff_finding finding = over(backoff, schedule, now_ns);
  if (finding != BACKOFF_HONEST) return finding;
  uint64_t wait_ns = backoff_wait_ns(schedule, said->tries);
  if (!said->drew || said->drawn > wait_ns / DRAWN_SHARE) return BACKOFF_WAIT;
  if (said->due_ns != add(now_ns, add(wait_ns, said->drawn))) return BACKOFF_WAIT;
  backoff->stage = BACKOFF_WAITS;
  backoff->tries = said->tries;
  backoff->due_ns = said->due_ns;
  backoff->owed = true;
  return BACKOFF_HONEST;
}

enum backoff_finding backoff_parked(struct backoff *backoff, const struct backoff_schedule *schedule, uint64_t now_ns,
                                    bool refused) {
  if (!refused) {
    if (backoff->stage == BACKOFF_PARKED || backoff->tries != schedule->max_retries) return BACKOFF_MISCOUNTS;
    enum backoff_finding finding = over(backoff, schedule, now_ns);
    if (finding != BACKOFF_HONEST) return finding;
    backoff->owed = true;
  }
  backoff->stage = BACKOFF_PARKED;
  backoff->due_ns = add(now_ns, schedule->probe_interval_ns);
  return BACKOFF_HONEST;
}

enum backoff_finding backoff_ticked(struct backoff *backoff, const struct backoff_schedule *schedule, uint64_t now_ns) {
  if (backoff->stage == BACKOFF_ANSWERED || now_ns < backoff->due_ns) return BACKOFF_HONEST;
  if (backoff->stage == BACKOFF_WAITS) return BACKOFF_LATE;
  backoff->owed = true;
  backoff->due_ns = add(now_ns, schedule->probe_interval_ns);
  return BACKOFF_HONEST;
}

enum backoff_finding backoff_greeted(struct backoff *backoff, const struct backoff_greeting *greeting) {
  bool reason = backoff->owed || backoff->goes_on || greeting->to_all || greeting->full != backoff->full ||
                greeting->refusals != backoff->refusals ||
                (greeting->offered != 0 && greeting->offered != backoff->offered);
  if (!reason && greeting->acknowledges) { /* it did say something, and that is answered */
    reason = backoff->took || backoff->kept;
    if (!backoff->took) backoff->kept = false;
  }
  if (greeting->all_durable) backoff->took = false;
  backoff->owed = false;
  backoff->goes_on = greeting->goes_on;
  backoff->full = greeting->full;
  backoff->refusals = greeting->refusals;
  if (greeting->offered != 0) backoff->offered = greeting->offered;
  return backoff->stage == BACKOFF_ANSWERED || reason ? BACKOFF_HONEST : BACKOFF_BETWEEN;
}

enum backoff_finding backoff_operations(const struct backoff *backoff) {
  return backoff->stage == BACKOFF_PARKED ? BACKOFF_BETWEEN : BACKOFF_HONEST;
}

enum backoff_finding backoff_revived(struct backoff *backoff, uint64_t now_ns, bool heard) {
  if (!heard || backoff->stage == BACKOFF_ANSWERED) return BACKOFF_FORGETS;
  backoff->stage = BACKOFF_ANSWERED;
  backoff->tries = 0;
  backoff->owed = false;
  backoff->since_ns = now_ns;
  backoff->exact = true;
  return BACKOFF_HONEST;
}

enum backoff_finding backoff_heard(const struct backoff *backoff) {
  return backoff->stage == BACKOFF_ANSWERED ? BACKOFF_HONEST : BACKOFF_DEAF;
}

enum backoff_finding backoff_end(struct backoff *backoff, uint64_t deadline_ns) {
  bool owed = backoff->owed;
  backoff->owed = false;
  if (backoff->stage == BACKOFF_ANSWERED) return BACKOFF_HONEST;
  if (owed) return BACKOFF_UNSAID;
  return deadline_ns > backoff->due_ns ? BACKOFF_LATE : BACKOFF_HONEST;
}
