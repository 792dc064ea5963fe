#include "cluster/traffic.h"

#include <string.h>

/* Of greetings: what was on its way when the peer fell silent, and one that a new snapshot is worth. */
#define GREETINGS_MORE 8u

/* Sent for each that is applied, and so many on their way or sent to find out who has what from whom. */
#define CALM_TIMES 2u
#define CALM_MORE 256u

void traffic_run(struct traffic *traffic, uint64_t life, uint64_t session, uint64_t now_ns) {
  if (traffic->life == life && traffic->session == session) return;
  if (traffic->life != life) traffic_heard(traffic, now_ns);
  traffic->life = life;
  traffic->session = session;
  traffic->reasons++;
  if (traffic->acknowledged_capacity > 0)
    memset(traffic->acknowledged, 0, traffic->acknowledged_capacity * sizeof *traffic->acknowledged);
}

void traffic_look(struct traffic *traffic, uint64_t excuses, bool blocked) {
  if (blocked || excuses != traffic->excuses) traffic->reasons++;
  traffic->excuses = excuses;
}

void traffic_reason(struct traffic *traffic, bool skipped) {
  traffic->reasons++;
  if (skipped) traffic->restart_due = true;
}

enum traffic_finding traffic_operation(struct traffic *traffic, uint32_t life, uint32_t seq, uint32_t operation) {
  if (traffic->acknowledged[life] >= seq) return TRAFFIC_ACKNOWLEDGED;
  if (traffic->sent[operation] > traffic->reasons && traffic->restart_due) {
    traffic->restart_due = false;
    traffic->reasons++;
  }
  if (traffic->sent[operation] > traffic->reasons) return TRAFFIC_AGAIN;
  traffic->sent[operation] = traffic->reasons + 1u;
  return TRAFFIC_FINE;
}

static uint64_t less(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

uint64_t traffic_tries(const struct traffic_patience *patience, uint64_t silent_ns) {
  uint64_t tries = silent_ns / patience->idle_hello_ns;
  uint64_t at_ns = less(patience->ack_timeout_ns, patience->retry_interval_ns), wait_ns = patience->retry_interval_ns;
  for (uint32_t i = 0; i <= patience->max_retries && at_ns <= silent_ns; i++, tries++) {
    wait_ns = less(wait_ns > UINT64_MAX / 2 ? wait_ns : wait_ns * 2, patience->retry_cap_ns);
    at_ns = at_ns > UINT64_MAX - wait_ns ? UINT64_MAX : at_ns + wait_ns;
  }
  return at_ns > silent_ns ? tries : tries + 1u + (silent_ns - at_ns) / patience->probe_interval_ns;
}

enum traffic_finding traffic_greeting(struct traffic *traffic, uint64_t now_ns,
                                      const struct traffic_patience *patience) {
  uint64_t silent_ns = now_ns - traffic->heard_ns;
  /* Until then it is not known to be silent. */
  if (silent_ns <= 2u * (patience->ack_timeout_ns + patience->retry_interval_ns)) return TRAFFIC_FINE;
  silent_ns += silent_ns / 2; /* by a clock that goes half as fast again */
  return ++traffic->greetings > traffic_tries(patience, silent_ns) + GREETINGS_MORE ? TRAFFIC_IMPATIENT : TRAFFIC_FINE;
}

void traffic_heard(struct traffic *traffic, uint64_t now_ns) {
  traffic->heard_ns = now_ns;
  traffic->greetings = 0;
}

enum traffic_finding traffic_calm_look(struct traffic_calm *calm, uint64_t excuses, bool blocked) {
  if (blocked || excuses != calm->excuses) {
    *calm = (struct traffic_calm){.troubles = calm->troubles, .excuses = excuses};
    return TRAFFIC_FINE;
  }
  return calm->sent > CALM_TIMES * calm->applied + CALM_MORE ? TRAFFIC_FLOODS : TRAFFIC_FINE;
}
