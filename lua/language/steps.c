#include "lua/language/steps.h"

#include "lua/language/script.h"

void script_trace(struct script *script, enum script_step step, uint32_t node, const uint64_t *fields, size_t count) {
  uint64_t all[SIM_STEP_FIELDS_MAX];
  SIM_ASSERT(script->world, count < SIM_STEP_FIELDS_MAX);
  all[0] = step;
  for (size_t i = 0; i < count; i++)
    all[1 + i] = fields[i];
  sim_trace(script->world, SIM_SUB_SCRIPT, SIM_STEP_SCRIPT, node, all, count + 1);
}

void script_name_steps(struct sim_world *world) {
  static const struct {
    enum script_step step;
    const char *sentence;
  } names[] = {
      {SCRIPT_STEP_WAKE, "the script goes on (task %u1)"},
      {SCRIPT_STEP_SLEEP, "the script sleeps until %t2 s (task %u1)"},
      {SCRIPT_STEP_SPAWN, "the script starts task %u1"},
      {SCRIPT_STEP_DONE, "the script's task %u1 is done"},
      {SCRIPT_STEP_CRASH, "the script crashes it (in call %u1, 0: now; process only: %u2)"},
      {SCRIPT_STEP_RESTART, "the script restarts it (up: %u1)"},
      {SCRIPT_STEP_STOP, "the script stops it (%u1 blocks leaked)"},
      {SCRIPT_STEP_PAUSE, "the script pauses it (0: lets it go on): %u1"},
      {SCRIPT_STEP_WIPE, "the script wipes its disk"},
      {SCRIPT_STEP_CLOCK, "the script changes its clock (%u1) by %i2"},
      {SCRIPT_STEP_CUT, "the script cuts the link %N1 -> %N2"},
      {SCRIPT_STEP_HEAL, "the script heals the link %N1 -> %N2"},
      {SCRIPT_STEP_LINK, "the script changes the link %N1 -> %N2"},
      {SCRIPT_STEP_DISK, "the script changes the settings of its disk"},
      {SCRIPT_STEP_WRITE, "the script writes key %u2, %u3 bytes: %s4"},
      {SCRIPT_STEP_LOG, "the script says: %c3"},
      {SCRIPT_STEP_TEXT, "... %c1"},
      {SCRIPT_STEP_CHECK, "property %u1 is checked: %u2"},
      {SCRIPT_STEP_SKIPPED, "the script's step %u1 is left out"},
      {SCRIPT_STEP_CLOG, "the script clogs the link %N1 -> %N2 for %t3 s"},
      {SCRIPT_STEP_FLAP, "the script lets %u1 links flap"},
      {SCRIPT_STEP_SWIZZLE, "the script swizzles %u1 nodes for %t2 s"},
      {SCRIPT_STEP_RULE, "the script makes a rule for %N1 -> %N2, messages of kind %u3: action %u4, %u5 times"},
      {SCRIPT_STEP_RULE_END, "the script ends a rule"},
      {SCRIPT_STEP_BACKUP, "the script keeps a backup of its disk"},
      {SCRIPT_STEP_RESTORE, "the script restores its backup"},
      {SCRIPT_STEP_MEMORY, "the script gives it %u1 bytes of memory (0: no bound)"},
      {SCRIPT_STEP_ALLOC, "the script lets its %u1th allocation from now fail (0: none)"},
      {SCRIPT_STEP_DAMAGE, "the script damages its disk (1: flips, 2: makes unreadable: %u1) at %u2, %u3 of them: %u4"},
      {SCRIPT_STEP_POWER, "the script takes the power from all nodes"},
      {SCRIPT_STEP_FORGE, "the script forges a message of %u3 bytes on the link %N1 -> %N2"},
      {SCRIPT_STEP_VERIFY, "the script has its log verified: %u1 records are damaged"},
      {SCRIPT_STEP_SNAPSHOT, "the script has a snapshot of it taken"},
      {SCRIPT_STEP_RETIRE, "the script retires it: it is gone for good, and nobody's peer"},
      {SCRIPT_STEP_FOLLOW, "the reader of its changes is told of %u1 operations, and begins anew %u2 times"},
      {SCRIPT_STEP_REPAIR, "the script has it repaired (1: it is up): %u1"},
      {SCRIPT_STEP_RESOLVE, "the script resolves a conflict: kind %u1, key %u2, %u3 bytes: %s4"},
      {SCRIPT_STEP_POLICY, "the script sets a conflict policy: %u1, prefix of %u2 bytes: %s3"},
      {SCRIPT_STEP_SUBMIT, "the script submits an operation, changes: %u1: %s3"},
      {SCRIPT_STEP_PEER, "the script changes its peer %N1 (0: removes it, 1: adds it, 2: has it tried again): %u2"},
      {SCRIPT_STEP_ADD_NODE, "the script adds the node"},
      {SCRIPT_STEP_HOOK, "the script waits for something to happen to it (hook %u1, the %u3th)"},
      {SCRIPT_STEP_HOOK_RUNS, "... and for the %u2th time it has (hook %u1)"},
      {SCRIPT_STEP_HOOK_END, "the script ends hook %u1"},
      {SCRIPT_STEP_WORKLOAD, "the workload starts (0: stops): %u1"},
  };
  if (!sim_trace_recording(world)) return;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    sim_trace_name(world, SIM_NAME_STEP, SIM_STEP_SCRIPT, names[i].step, names[i].sentence);
}
