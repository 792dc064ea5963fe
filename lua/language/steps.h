/* The steps of scripts, as they enter the trace. */
#ifndef LUA_LANGUAGE_STEPS_H
#define LUA_LANGUAGE_STEPS_H

#include <stddef.h>
#include <stdint.h>

#include "lua/language/script.h"

/* What a script did, field 0 of SIM_STEP_SCRIPT; part of every trace hash:
 * append only. */
enum script_step {
  SCRIPT_STEP_WAKE = 1,       /* {task} */
  SCRIPT_STEP_SLEEP = 2,      /* {task, until} */
  SCRIPT_STEP_SPAWN = 3,      /* {task} */
  SCRIPT_STEP_DONE = 4,       /* {task} */
  SCRIPT_STEP_CRASH = 5,      /* {calls, process, which count; calls 0: at once} */
  SCRIPT_STEP_RESTART = 6,    /* {1 if up, calls until it crashes, which count} */
  SCRIPT_STEP_STOP = 7,       /* {blocks leaked} */
  SCRIPT_STEP_PAUSE = 8,      /* {1: pause, 0: resume} */
  SCRIPT_STEP_WIPE = 9,       /* {} */
  SCRIPT_STEP_CLOCK = 10,     /* {what, value} */
  SCRIPT_STEP_CUT = 11,       /* {from, to} */
  SCRIPT_STEP_HEAL = 12,      /* {from, to; 0, 0: all} */
  SCRIPT_STEP_LINK = 13,      /* {from, to} */
  SCRIPT_STEP_DISK = 14,      /* {} */
  SCRIPT_STEP_WRITE = 15,     /* {kind, key, size, status} */
  SCRIPT_STEP_LOG = 16,       /* {hash, size, text ...} */
  SCRIPT_STEP_TEXT = 17,      /* {text ...}: more of it */
  SCRIPT_STEP_CHECK = 18,     /* {property, outcome} */
  SCRIPT_STEP_SKIPPED = 19,   /* {enum script_step} an override left it out */
  SCRIPT_STEP_WORKLOAD = 20,  /* {1: start, 0: stop} */
  SCRIPT_STEP_CLOG = 21,      /* {from, to, time} */
  SCRIPT_STEP_FLAP = 22,      /* {links, number} */
  SCRIPT_STEP_SWIZZLE = 23,   /* {nodes, time} */
  SCRIPT_STEP_RULE = 24,      /* {from, to, kind, action, count} */
  SCRIPT_STEP_RULE_END = 25,  /* {} */
  SCRIPT_STEP_BACKUP = 26,    /* {} */
  SCRIPT_STEP_RESTORE = 27,   /* {} */
  SCRIPT_STEP_MEMORY = 28,    /* {bytes; 0: no bound} */
  SCRIPT_STEP_ALLOC = 29,     /* {count; 0: none fails} */
  SCRIPT_STEP_DAMAGE = 30,    /* {1: flip, 2: unreadable; bit or sector; count; 1 if there were such} */
  SCRIPT_STEP_POWER = 31,     /* {} the whole cluster loses power */
  SCRIPT_STEP_FORGE = 32,     /* {from, to, size} */
  SCRIPT_STEP_VERIFY = 33,    /* {damaged records} */
  SCRIPT_STEP_SNAPSHOT = 34,  /* {} */
  SCRIPT_STEP_REPAIR = 35,    /* {1: it is up} */
  SCRIPT_STEP_RESOLVE = 36,   /* {kind, key, size, status} */
  SCRIPT_STEP_POLICY = 37,    /* {enum cluster_policy, bytes of the prefix, status} */
  SCRIPT_STEP_RETIRE = 38,    /* {} */
  SCRIPT_STEP_FOLLOW = 39,    /* {operations told, times that it began anew} */
  SCRIPT_STEP_HOOK = 40,      /* {place, bits of happenings, nth, count} a wait: {place, bits, nth, 0, until} */
  SCRIPT_STEP_HOOK_RUNS = 41, /* {place, the how manyth that it was} */
  SCRIPT_STEP_HOOK_END = 42,  /* {place} */
  SCRIPT_STEP_PEER = 43,      /* {the other node, 1: added, 0: removed, 2: tried again; 1: done} */
  SCRIPT_STEP_ADD_NODE = 44,  /* {} */
  SCRIPT_STEP_SUBMIT = 60     /* {changes, a hash of them, status} */
};

/* Folds an action into the trace. */
void script_trace(struct script *script, enum script_step step, uint32_t node, const uint64_t *fields, size_t count);
/* Sentences for enum script_step, in a recording. */
void script_name_steps(struct sim_world *world);

#endif
